//! What was fetched and built once, kept for the next start: one folder a version, whole or not there at all.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder `$TECHPOTLI_SERVICES_CACHE`, else `~/.cache/techpotli/services`.
#[derive(Clone, Debug)]
pub(crate) struct Cache(PathBuf);

impl Cache {
    pub(crate) fn open() -> Result<Self> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = set("TECHPOTLI_SERVICES_CACHE")
            .or_else(|| Some(set("XDG_CACHE_HOME")?.join("techpotli/services")))
            .or_else(|| Some(set("HOME")?.join(".cache/techpotli/services")))
            .context(
                "set TECHPOTLI_SERVICES_CACHE: neither it nor HOME says where to keep what is fetched",
            )?;
        Self::at(&folder)
    }

    fn at(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self(std::path::absolute(folder)?))
    }

    /// A folder in it that several may write to.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.0.join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The folder `key`, filled by `fill` where it is not there yet. It is filled under another name and renamed when
    /// it is whole, so neither a kill nor a second process ever shows half of it.
    pub(crate) fn kept(&self, key: &str, fill: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let place = self.0.join(key);
        if place.is_dir() {
            return Ok(place);
        }
        let _lock = self.lock(key)?;
        if place.is_dir() {
            return Ok(place);
        }
        let part = self.0.join(format!("{key}.part"));
        if part.exists() {
            std::fs::remove_dir_all(&part)?;
        }
        std::fs::create_dir(&part)?;
        if let Err(error) = fill(&part) {
            std::fs::remove_dir_all(&part)?;
            return Err(error);
        }
        std::fs::rename(&part, &place)?;
        Ok(place)
    }

    /// Waits until no other process or thread has it.
    pub(crate) fn lock(&self, name: &str) -> Result<File> {
        let file = File::create(self.0.join(format!("{name}.lock")))?;
        if file.try_lock().is_err() {
            eprintln!("Waiting for another process that prepares {name} ...");
            file.lock()?;
        }
        Ok(file)
    }
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_filled_once_and_found_again() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path()).unwrap();
        let fill = |part: &Path| Ok(std::fs::write(part.join("jar"), "bytes")?);
        let place = cache.kept("kafka-1", fill).unwrap();
        assert_eq!(std::fs::read_to_string(place.join("jar")).unwrap(), "bytes");
        assert_eq!(cache.kept("kafka-1", |_| panic!("it is there")).unwrap(), place);
    }

    #[test]
    fn half_a_folder_is_never_found() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path()).unwrap();
        // What a killed process leaves.
        std::fs::create_dir(root.path().join("kafka-1.part")).unwrap();
        std::fs::write(root.path().join("kafka-1.part/half"), "").unwrap();
        let failed = cache.kept("kafka-1", |part| {
            std::fs::write(part.join("more"), "")?;
            anyhow::bail!("the line is cut")
        });
        assert_eq!(failed.unwrap_err().to_string(), "the line is cut");
        assert!(!root.path().join("kafka-1").exists());
        let place = cache.kept("kafka-1", |_| Ok(())).unwrap();
        assert_eq!(std::fs::read_dir(place).unwrap().count(), 0);
    }

    #[test]
    fn two_who_want_the_same_fill_it_once() {
        let root = tempfile::tempdir().unwrap();
        let cache = Cache::at(root.path()).unwrap();
        let fills = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let fill = |_: &Path| {
                        fills.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        Ok(())
                    };
                    cache.kept("kafka-1", fill).unwrap();
                });
            }
        });
        assert_eq!(fills.into_inner(), 1);
    }
}
