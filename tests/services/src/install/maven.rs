//! Java artifacts by Maven, into the cache.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use super::{bound, debian, run_showing};
use crate::cache::Cache;

/// The plugin that fetches. Pinned: with another one other things happen.
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";

/// Copies artifacts (`group:artifact:version`) and all that they need at run time into a folder.
pub(crate) fn jars(what: &str, artifacts: &[&str], into: &Path) -> Result<()> {
    let mut dependencies = String::new();
    for artifact in artifacts {
        let [group, name, version] = artifact.split(':').collect::<Vec<_>>()[..] else {
            bail!("{artifact} is not group:artifact:version");
        };
        write!(
            dependencies,
            "<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version></dependency>"
        )?;
    }
    let project = tempfile::tempdir()?;
    let pom = project.path().join("pom.xml");
    std::fs::write(
        &pom,
        format!(
            "<project><modelVersion>4.0.0</modelVersion><groupId>techpotli</groupId><artifactId>services</artifactId>\
             <version>0</version><dependencies>{dependencies}</dependencies></project>"
        ),
    )?;
    run(what, into, |maven| {
        maven.arg("-f").arg(&pom).arg(format!("{PLUGIN}:copy-dependencies")).arg("-DincludeScope=runtime");
    })
}

/// Unpacks an archive (`group:artifact:version:type`), or what a pattern takes of it, into a folder. The archive itself
/// is not kept.
pub(crate) fn archive(what: &str, artifact: &str, only: Option<&str>, into: &Path) -> Result<()> {
    run(what, into, |maven| {
        maven.arg(format!("{PLUGIN}:unpack")).arg(format!("-Dartifact={artifact}"));
        if let Some(pattern) = only {
            maven.arg(format!("-Dmdep.unpack.includes={pattern}"));
        }
    })?;
    let mut parts = artifact.split(':');
    let (group, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let fetched = repository()?.join(group.replace('.', "/")).join(name);
    if fetched.exists() {
        std::fs::remove_dir_all(fetched)?;
    }
    Ok(())
}

fn run(what: &str, into: &Path, arguments: impl FnOnce(&mut Command)) -> Result<()> {
    let maven = debian::program("mvn", &["maven"])?;
    let cache = Cache::open()?;
    // Two Mavens that write one repository would trip over each other.
    let _lock = cache.lock("maven")?;
    let repository = repository()?;
    let mut command = bound(maven);
    // The plugin notes below its working folder what it has unpacked, and does not unpack that again.
    let stand = tempfile::tempdir()?;
    command.current_dir(&stand);
    command.args(["-B", "-ntp", "-q"]).arg(format!("-Dmaven.repo.local={}", repository.display()));
    command.arg(format!("-DoutputDirectory={}", into.display()));
    arguments(&mut command);
    run_showing(what, command, &cache.folder("logs")?.join("maven"), &[&repository, into])
}

fn repository() -> Result<std::path::PathBuf> {
    Cache::open()?.folder("maven")
}
