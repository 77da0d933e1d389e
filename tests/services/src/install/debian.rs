//! Debian packages by apt-get.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{bound, find, run_showing};
use crate::cache::Cache;

/// The program, after installing the packages where it is missing.
pub(crate) fn program(name: &str, packages: &[&str]) -> Result<PathBuf> {
    if let Some(found) = find(name) {
        return Ok(found);
    }
    install(packages)?;
    find(name).with_context(|| format!("{name} is not there although {} is installed", packages.join(", ")))
}

/// Installs packages, once more with fresh lists where the known versions are no longer to be had.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let wanted = packages.join(", ");
    let Some(apt) = find("apt-get") else {
        bail!("install {wanted} by hand: there is no apt-get here");
    };
    let cache = Cache::open()?;
    let _lock = cache.lock("apt")?;
    let log = cache.folder("logs")?.join("apt");
    let apt = || -> Result<Command> {
        let mut command = if rustix::process::geteuid().is_root() {
            bound(&apt)
        } else {
            let sudo = find("sudo").with_context(|| {
                format!("install {wanted} by hand: this needs root, and there is no sudo")
            })?;
            let mut command = bound(sudo);
            if !std::io::stdin().is_terminal() {
                // Nobody is there to type a password.
                command.arg("-n");
            }
            command.args(["env", "DEBIAN_FRONTEND=noninteractive"]).arg(&apt);
            command
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        Ok(command)
    };
    let install = || -> Result<()> {
        let mut command = apt()?;
        command.args(["install", "-y", "-q", "--no-install-recommends"]).args(packages);
        run_showing(&format!("Installing {wanted} (Debian)"), command, &log, &[])
    };
    if install().is_ok() {
        return Ok(());
    }
    let mut update = apt()?;
    update.args(["update", "-q"]);
    run_showing("Reading Debian's package lists anew", update, &log, &[])?;
    install()
}
