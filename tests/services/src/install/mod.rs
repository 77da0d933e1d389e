//! Getting what a server needs: Debian's packages, Maven's and Python's, each by its ordinary client.

pub(crate) mod debian;
pub(crate) mod java;
pub(crate) mod maven;
pub(crate) mod python;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::{spawn, tail};

/// The full path of a program: on the `PATH`, or where Debian puts servers.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Runs a command that takes long and shows how far it is: seconds, and what it has written into the watched folders.
/// Its output goes to `log`, and from there into the error when it fails.
pub(crate) fn run_showing(what: &str, mut command: Command, log: &Path, watched: &[&Path]) -> Result<()> {
    let output = std::fs::File::create(log)?;
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(std::process::Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let mut child = spawn(command).with_context(|| format!("cannot start {name}"))?;
    let mut progress = Progress::new(what, watched);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        progress.show();
        std::thread::sleep(Duration::from_millis(50));
    };
    progress.end();
    if !status.success() {
        bail!("{name} failed ({status}){}", tail(log, 6));
    }
    Ok(())
}

/// A command that dies with this process: an installer must not go on writing into a folder that nobody waits for.
pub(crate) fn bound(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// On a terminal one line that is written anew, elsewhere a line every ten seconds.
struct Progress<'a> {
    what: &'a str,
    watched: Vec<(&'a Path, u64)>,
    begin: Instant,
    next: Duration,
    terminal: bool,
}

impl<'a> Progress<'a> {
    fn new(what: &'a str, watched: &[&'a Path]) -> Self {
        eprintln!("{what} ...");
        Self {
            what,
            watched: watched.iter().map(|folder| (*folder, size(folder))).collect(),
            begin: Instant::now(),
            next: Duration::from_secs(1),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    fn show(&mut self) {
        let elapsed = self.begin.elapsed();
        if elapsed < self.next {
            return;
        }
        let written: u64 =
            self.watched.iter().map(|(folder, before)| size(folder).saturating_sub(*before)).sum();
        let amount =
            if self.watched.is_empty() { String::new() } else { format!("{} MB, ", written / 1_000_000) };
        if self.terminal {
            eprint!("\r  {amount}{} s ", elapsed.as_secs());
            self.next = elapsed + Duration::from_millis(500);
        } else {
            if elapsed >= Duration::from_secs(10) {
                eprintln!("  {}: {amount}{} s", self.what, elapsed.as_secs());
            }
            self.next = elapsed + Duration::from_secs(10);
        }
    }

    fn end(&self) {
        if self.terminal && self.next > Duration::from_secs(1) {
            eprintln!();
        }
    }
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut command = bound("sh");
        command.args(["-c", "echo no route to host >&2; exit 3"]);
        let error = run_showing("Fetching nothing", command, &log, &[]).unwrap_err().to_string();
        assert!(error.contains("exit status: 3") && error.ends_with("| no route to host"), "{error}");
    }

    #[test]
    fn a_folder_is_as_large_as_the_files_in_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("one"), [0; 100]).unwrap();
        std::fs::write(folder.path().join("inner/two"), [0; 23]).unwrap();
        assert_eq!(size(folder.path()), 123);
    }
}
