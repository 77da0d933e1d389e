//! Finding a Java of the right age.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::{debian, find};

/// A Java's home folder.
#[derive(Clone, Debug)]
pub(crate) struct Java(PathBuf);

/// What runs both on Debian's and on newer machines; OpenSearch 2 needs the security manager, which 24 dropped.
pub(crate) const SERVERS: RangeInclusive<u32> = 17..=23;

impl Java {
    /// For running Java programs. Installs Debian's where there is none.
    pub(crate) fn runtime() -> Result<Self> {
        Self::or_debian("java", "openjdk-17-jre-headless")
    }

    /// The same with the compiler.
    pub(crate) fn compiler() -> Result<Self> {
        Self::or_debian("javac", "openjdk-17-jdk-headless")
    }

    fn or_debian(program: &str, package: &str) -> Result<Self> {
        if let Some(java) = Self::installed(&SERVERS, program) {
            return Ok(java);
        }
        debian::install(&[package])?;
        match Self::installed(&SERVERS, program) {
            Some(java) => Ok(java),
            None => bail!("no Java 17 is found although {package} is installed"),
        }
    }

    /// The oldest that fits, of `JAVA_HOME`, the `PATH` and `/usr/lib/jvm`.
    pub(crate) fn installed(versions: &RangeInclusive<u32>, program: &str) -> Option<Self> {
        let on_path = find("java").and_then(|java| java.canonicalize().ok());
        let homes = std::env::var_os("JAVA_HOME")
            .map(PathBuf::from)
            .into_iter()
            .chain(on_path.and_then(|java| Some(java.parent()?.parent()?.to_path_buf())))
            .chain(
                std::fs::read_dir("/usr/lib/jvm").into_iter().flatten().flatten().map(|entry| entry.path()),
            );
        let fitting: BTreeSet<(u32, PathBuf)> = homes
            .filter(|home| home.join("bin").join(program).is_file())
            .filter_map(|home| Some((version(&home)?, home)))
            .filter(|(version, _)| versions.contains(version))
            .collect();
        fitting.into_iter().next().map(|(_, home)| Self(home))
    }

    pub(crate) fn home(&self) -> &Path {
        &self.0
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.0.join("bin").join(name)
    }
}

/// The file `release` of a Java says `JAVA_VERSION="17.0.15"`.
fn version(home: &Path) -> Option<u32> {
    let release = std::fs::read_to_string(home.join("release")).ok()?;
    let version = release.lines().find_map(|line| line.strip_prefix("JAVA_VERSION=\""))?;
    version.split(['.', '"', '-']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_java_tells_its_version() {
        let home = tempfile::tempdir().unwrap();
        for (release, expected) in [
            ("IMPLEMENTOR=\"Debian\"\nJAVA_VERSION=\"17.0.15\"\n", Some(17)),
            ("JAVA_VERSION=\"25\"\n", Some(25)),
            ("JAVA_VERSION=\"1.8.0_402\"\n", Some(1)),
            ("nothing", None),
        ] {
            std::fs::write(home.path().join("release"), release).unwrap();
            assert_eq!(version(home.path()), expected);
        }
    }
}
