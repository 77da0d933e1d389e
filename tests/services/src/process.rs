//! Child processes that cannot outlive this one: started in a group of their own, killed by the kernel with us.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

/// How often a state that nothing reports is looked at.
pub(crate) const LOOK: Duration = Duration::from_millis(20);

/// How a server is started, as often as a test wants.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: PathBuf,
}

impl Launch {
    /// `folder` is where the process stands; its output goes to a file `log` of the caller's choice.
    pub(crate) fn new(program: impl Into<PathBuf>, folder: &Path) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            folder: folder.to_path_buf(),
        }
    }

    pub(crate) fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(crate) fn arguments<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The same through `wrapper`, a command that executes what follows it.
    pub(crate) fn wrapped(mut self, wrapper: &[&str]) -> Self {
        let Some((first, rest)) = wrapper.split_first() else { return self };
        let inner = std::mem::replace(&mut self.program, PathBuf::from(first));
        let rest: Vec<OsString> = rest.iter().map(OsString::from).chain([inner.into_os_string()]).collect();
        self.arguments.splice(0..0, rest);
        self
    }

    /// Starts it. Standard output and error are appended to `log`.
    pub(crate) fn start(&self, log: &Path) -> Result<Group> {
        let output = OpenOptions::new().create(true).append(true).open(log)?;
        let errors = output.try_clone()?;
        self.start_into(output, errors).context("cannot start setpriv, of the package util-linux")
    }

    fn start_into(&self, output: File, errors: File) -> io::Result<Group> {
        use std::os::unix::process::CommandExt;
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.program)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            // A pipe that nobody writes to: Elasticsearch's launcher wants an open one, and its end tells of ours.
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        spawn(command).map(Group)
    }
}

/// Starts a command from a thread that lives as long as the process does.
///
/// The kernel's death signal comes when the *thread* that started the child ends, and a test's thread ends with the
/// test while others may still use the server.
pub(crate) fn spawn(command: Command) -> io::Result<Child> {
    type Order = (Command, mpsc::Sender<io::Result<Child>>);
    static SPAWNER: LazyLock<mpsc::Sender<Order>> = LazyLock::new(|| {
        let (orders, queue) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in queue {
                // Whoever asked waits for the answer.
                let _ = answer.send(command.spawn());
            }
        });
        orders
    });
    let gone = || io::Error::other("the thread that starts processes has ended");
    let (answer, child) = mpsc::channel();
    SPAWNER.send((command, answer)).map_err(|_| gone())?;
    child.recv().map_err(|_| gone())?
}

/// A started process with all that it started itself.
#[derive(Debug)]
pub(crate) struct Group(Child);

impl Group {
    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// How the process ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        match Pid::from_raw(self.0.id().cast_signed()).map(|pid| kill_process_group(pid, signal)) {
            // No such process: it has ended already.
            None | Some(Ok(()) | Err(rustix::io::Errno::SRCH)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// SIGKILL, and waits until the whole group is gone.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.signal(Signal::KILL)?;
        self.0.wait()?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while members(self.pid()).next().is_some() {
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("processes of group {} survive SIGKILL", self.pid())));
            }
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// SIGTERM, and waits for the end at most so long. False when it still runs then.
    pub(crate) fn terminate(&mut self, patience: Duration) -> io::Result<bool> {
        self.signal(Signal::CONT)?;
        self.signal(Signal::TERM)?;
        let deadline = Instant::now() + patience;
        loop {
            if self.0.try_wait()?.is_some() && members(self.pid()).next().is_none() {
                return Ok(true);
            }
            if Instant::now() > deadline {
                return Ok(false);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// User and system time of the group.
    pub(crate) fn cpu(&self) -> Duration {
        members(self.pid()).filter_map(cpu).sum()
    }

    /// Resident memory of the group, in kilobytes.
    pub(crate) fn resident_kb(&self) -> u64 {
        members(self.pid()).filter_map(resident_kb).sum()
    }
}

/// The living processes of a group. Zombies are dead: their parent has not asked yet.
fn members(group: u32) -> impl Iterator<Item = u32> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(move |pid| group_of(*pid) == Some(group))
}

/// proc(5), `stat`: pid (name) state parent group … The name may hold spaces and parentheses.
fn group_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    let group = fields.nth(1)?.parse().ok()?;
    (state != "Z" && state != "X").then_some(group)
}

/// proc(5), `stat`: fields 14 and 15, in ticks of a hundredth of a second on every Linux that this runs on.
fn cpu(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields = stat.rsplit_once(')')?.1.split_whitespace();
    let ticks: Option<Vec<u64>> = fields.skip(11).take(2).map(|ticks| ticks.parse().ok()).collect();
    Some(Duration::from_millis(10 * ticks?.iter().sum::<u64>()))
}

fn resident_kb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The last lines of a log, for errors.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let bytes = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = all[all.len().saturating_sub(lines)..].iter();
    last.fold(String::new(), |text, line| text + "\n  | " + line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(folder: &Path, script: &str) -> Group {
        Launch::new("sh", folder).arguments(["-c", script]).start(&folder.join("log")).unwrap()
    }

    #[test]
    fn a_killed_group_takes_its_grandchildren_along() {
        let folder = tempfile::tempdir().unwrap();
        let mut group = sleeper(folder.path(), "sleep 600 & sleep 600; true");
        let pid = group.pid();
        while members(pid).count() < 3 {
            std::thread::yield_now();
        }
        group.kill().unwrap();
        assert_eq!(members(pid).count(), 0);
    }

    #[test]
    fn a_process_outlives_the_thread_that_asked_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_path_buf();
        let mut group =
            std::thread::spawn(move || sleeper(&path, "echo up; read line; echo $line")).join().unwrap();
        assert!(group.ended().unwrap().is_none());
        // It still does as it is told: the end of its standard input lets it end by itself.
        drop(group.0.stdin.take());
        assert!(group.0.wait().unwrap().success());
    }

    #[test]
    fn one_that_ignores_sigterm_is_told_from_one_that_obeys() {
        let folder = tempfile::tempdir().unwrap();
        let mut deaf = sleeper(folder.path(), "trap '' TERM; echo deaf; while :; do sleep 600; done");
        while !std::fs::read_to_string(folder.path().join("log")).unwrap().contains("deaf") {
            std::thread::yield_now();
        }
        assert!(!deaf.terminate(Duration::from_millis(100)).unwrap());
        deaf.kill().unwrap();
        let mut obedient = sleeper(folder.path(), "exec sleep 600");
        assert!(obedient.terminate(Duration::from_secs(60)).unwrap());
    }

    #[test]
    fn the_tail_of_a_log_skips_empty_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::write(&log, "one\n\ntwo\nthree\n\n").unwrap();
        assert_eq!(tail(&log, 2), "\n  | two\n  | three");
        assert_eq!(tail(&folder.path().join("none"), 2), "");
    }
}
