//! Scripts of Node.js, with their dependencies, which npm installs once below `target/`.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use anyhow::{Context as _, ensure};

static INSTALLING: Mutex<()> = Mutex::new(());

/// Says that something was not tested; where `CI=true` that is a failure.
pub fn skipped(what: &str, why: &str) -> anyhow::Result<()> {
    ensure!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "{what} cannot run: {why}");
    // Not eprintln!, which the test harness keeps to itself.
    writeln!(std::io::stderr(), "SKIPPED: {what}: {why}").context("stderr is open")
}

/// The composers on npm.
pub fn compose_workspace() -> Result<PathBuf, String> {
    workspace("schema/compose/tests/js", "shop-compose-js")
}

/// A copy of a folder of the repository with its dependencies installed; why not, otherwise.
pub fn workspace(source: &str, name: &str) -> Result<PathBuf, String> {
    let _one_at_a_time = INSTALLING.lock().map_err(|_| "an installation failed")?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let lock = fs::read(sources.join("package-lock.json")).map_err(|error| error.to_string())?;
    // npm writes this file last, so that an interrupted installation is not taken for a finished one.
    let finished = folder.join("node_modules/.package-lock.json").exists()
        && fs::read(folder.join("package-lock.json")).is_ok_and(|installed| installed == lock);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for entry in fs::read_dir(&sources).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if let (true, Some(file)) = (path.is_file(), path.file_name()) {
            fs::copy(&path, folder.join(file)).map_err(|error| error.to_string())?;
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
    node.map(|_| folder).map_err(|error| format!("node cannot be started: {error}"))
}

/// Runs a script, which must succeed, and returns what it prints.
pub fn run(workspace: &Path, script: &str, arguments: &[&str]) -> anyhow::Result<String> {
    let output = Command::new("node").arg(workspace.join(script)).args(arguments).output()?;
    let (said, failed) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{script} failed:\n{said}\n{failed}");
    Ok(said.into_owned())
}
