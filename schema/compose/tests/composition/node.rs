//! Runs the scripts of `tests/js` with their dependencies, which npm installs once below `target/`.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

static INSTALLING: Mutex<()> = Mutex::new(());

/// A folder with the scripts and their dependencies. Without node or npm: `None` and a line that says
/// so, or a failure where `CI=true`, since there nothing may go untested unnoticed.
pub fn workspace(test: &str) -> Option<PathBuf> {
    match install() {
        Ok(folder) => Some(folder),
        Err(reason) if env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{test} cannot run: {reason}"),
        Err(reason) => {
            // Not eprintln!, which the test harness keeps to itself.
            writeln!(std::io::stderr(), "SKIPPED: {test}: {reason}").expect("stderr is open");
            None
        }
    }
}

/// Runs a script, which must succeed, and returns what it prints.
pub fn run(workspace: &Path, script: &str, input: &str) -> String {
    let mut child = Command::new("node")
        .arg(workspace.join(script))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node ran a moment ago");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(input.as_bytes()).expect("the script reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "{script} failed");
    String::from_utf8(output.stdout).expect("the script writes UTF-8")
}

fn install() -> Result<PathBuf, String> {
    let _one_at_a_time = INSTALLING.lock().expect("no test panics while it installs");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/js");
    let lock = fs::read(sources.join("package-lock.json")).map_err(|error| error.to_string())?;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compose-js");
    // npm writes this file last, so an interrupted installation is not taken for a finished one.
    let finished = folder.join("node_modules/.package-lock.json").exists()
        && fs::read(folder.join("package-lock.json")).is_ok_and(|installed| installed == lock);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for entry in fs::read_dir(&sources).map_err(|error| error.to_string())? {
        let source = entry.map_err(|error| error.to_string())?.path();
        let name = source.file_name().ok_or("a file has a name")?.to_owned();
        if source.is_file() {
            fs::copy(&source, folder.join(name)).map_err(|error| error.to_string())?;
        }
    }
    if !finished {
        let arguments = ["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
        let installed = Command::new("npm").args(arguments).current_dir(&folder).output();
        let installed = installed.map_err(|error| format!("npm cannot be started: {error}"))?;
        if !installed.status.success() {
            return Err(format!("npm ci failed: {}", String::from_utf8_lossy(&installed.stderr)));
        }
    }
    let node = Command::new("node").arg("--version").output();
    node.map_err(|error| format!("node cannot be started: {error}"))?;
    Ok(folder)
}
