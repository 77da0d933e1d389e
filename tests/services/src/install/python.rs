//! Python packages by pip, each in a virtual environment in the cache.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::{bound, debian, run_showing};
use crate::cache::Cache;

/// The virtual environment that holds `package` at `version`.
pub(crate) fn environment(package: &str, version: &str) -> Result<PathBuf> {
    let cache = Cache::open()?;
    cache.kept(&format!("{package}-{version}"), |part| {
        let log = cache.folder("logs")?.join(package);
        let python = debian::program("python3", &["python3", "python3-venv"])?;
        let make = || {
            let mut venv = bound(&python);
            venv.args(["-m", "venv", "--clear"]).arg(part);
            run_showing("Making a Python environment", venv, &log, &[])
        };
        // Debian's Python comes without the module.
        make().or_else(|_| debian::install(&["python3-venv"]).and_then(|()| make()))?;
        let mut pip = bound(part.join("bin/python"));
        pip.args(["-m", "pip", "install", "-q", "--disable-pip-version-check"]);
        pip.arg(format!("{package}=={version}"));
        run_showing(&format!("Fetching {package} {version} (PyPI)"), pip, &log, &[part])
    })
}

/// A file that a package brought, by its path below the environment's `site-packages`.
pub(crate) fn file(environment: &std::path::Path, path: &str) -> Result<PathBuf> {
    let libraries = std::fs::read_dir(environment.join("lib"))?.flatten();
    libraries
        .map(|python| python.path().join("site-packages").join(path))
        .find(|file| file.is_file())
        .with_context(|| format!("{path} is not in {}", environment.display()))
}
