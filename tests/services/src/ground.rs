//! Where servers keep their data, and which ports they listen on.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::cache::Cache;

const PREFIX: &str = "techpotli-services-";
const LOCK: &str = "in-use";

/// A folder for the servers of one test or one session. Temporary ones go away with the last server in them.
#[derive(Clone, Debug)]
pub struct Ground(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    taken: Mutex<BTreeMap<String, usize>>,
    // In this order: the lock is let go after the folder went.
    temporary: Option<TempDir>,
    _lock: File,
}

impl Ground {
    /// A new folder that is deleted at the end. Folders that killed processes left behind go at once.
    pub fn temporary() -> Result<Self> {
        sweep(&std::env::temp_dir());
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        // Locked before it bears the name that the sweep looks for.
        let lock = claim(&folder.path().join("claim"))?.context("a new folder is in use")?;
        std::fs::rename(folder.path().join("claim"), folder.path().join(LOCK))?;
        Ok(Self::new(folder.path().to_path_buf(), Some(folder), lock))
    }

    /// A folder that stays: servers started in it again find their data.
    pub fn at(path: &Path) -> Result<Self> {
        std::fs::create_dir_all(path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        let path = std::path::absolute(path)?;
        let Some(lock) = claim(&path.join(LOCK))? else {
            bail!("{} is in use by other servers: stop those first, or name another folder", path.display());
        };
        Ok(Self::new(path, None, lock))
    }

    fn new(path: PathBuf, temporary: Option<TempDir>, lock: File) -> Self {
        Self(Arc::new(Folder { path, taken: Mutex::default(), temporary, _lock: lock }))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Is it deleted at the end?
    pub fn is_temporary(&self) -> bool {
        self.0.temporary.is_some()
    }

    /// A folder for one more server of this kind: `kafka`, then `kafka-2`.
    pub(crate) fn room(&self, kind: &str) -> Result<PathBuf> {
        let mut taken = self.0.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(kind.to_owned()).and_modify(|count| *count += 1).or_insert(1);
        let name = if *count == 1 { kind.to_owned() } else { format!("{kind}-{count}") };
        let room = self.0.path.join(name);
        std::fs::create_dir_all(&room)?;
        Ok(room)
    }
}

/// The locked file, or none where another process holds it.
pub(crate) fn claim(path: &Path) -> Result<Option<File>> {
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn sweep(temporary: &Path) {
    let entries = std::fs::read_dir(temporary).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX)) {
        let Ok(lock) = File::open(entry.path().join(LOCK)) else { continue };
        if lock.try_lock().is_ok() {
            // What cannot be deleted is another user's; it is theirs to sweep.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A port on the loopback that is free, and that no other test takes while this value lives, even while the server
/// that listens on it is down.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: File,
}

impl Port {
    /// Below 32768, where Linux begins to number outgoing connections: else a client's connection could sit on the port
    /// of a server that a test has just killed, or even connect to itself there.
    const RANGE: std::ops::Range<u16> = 20_000..32_000;

    /// Finds one.
    pub fn free() -> Result<Self> {
        let claims = Cache::open()?.folder("ports")?;
        for _ in 0..1_000 {
            let chance = u16::from_le_bytes(random()?);
            let number = Self::RANGE.start + chance % (Self::RANGE.end - Self::RANGE.start);
            let Some(claim) = claim(&claims.join(number.to_string()))? else { continue };
            if TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Ok(Self { number, _claim: claim });
            }
        }
        bail!("no free port between {} and {}", Self::RANGE.start, Self::RANGE.end)
    }

    /// Its number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }
}

/// A password for one server, 128 bits, kept in the server's folder so that its data stays readable.
pub(crate) fn password(file: &Path) -> Result<String> {
    if let Ok(kept) = std::fs::read_to_string(file) {
        return Ok(kept);
    }
    let password = format!("{:032x}", u128::from_le_bytes(random()?));
    std::fs::write(file, &password)?;
    Ok(password)
}

fn random<const LENGTH: usize>() -> Result<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_different_as_long_as_they_are_held() {
        let ports: Vec<Port> = (0..50).map(|_| Port::free().unwrap()).collect();
        let numbers: std::collections::BTreeSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
        for port in &ports {
            TcpListener::bind(port.address()).unwrap();
        }
    }

    #[test]
    fn a_folder_is_used_by_one_at_a_time() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("kept");
        let first = Ground::at(&path).unwrap();
        let refusal = Ground::at(&path).unwrap_err().to_string();
        assert!(refusal.contains("is in use by other servers"), "{refusal}");
        drop(first);
        Ground::at(&path).unwrap();
    }

    #[test]
    fn a_temporary_folder_lives_as_long_as_its_last_holder() {
        let ground = Ground::temporary().unwrap();
        let (path, holder) = (ground.path().to_path_buf(), ground.clone());
        assert_eq!(ground.room("kafka").unwrap(), path.join("kafka"));
        assert_eq!(holder.room("kafka").unwrap(), path.join("kafka-2"));
        drop(ground);
        assert!(path.exists());
        drop(holder);
        assert!(!path.exists());
    }

    #[test]
    fn the_sweep_takes_what_killed_processes_left_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let [left, used, foreign] = ["techpotli-services-left", "techpotli-services-used", "another"]
            .map(|name| parent.path().join(name));
        for folder in [&left, &used, &foreign] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join(LOCK), "").unwrap();
        }
        let _held = claim(&used.join(LOCK)).unwrap().unwrap();
        sweep(parent.path());
        assert_eq!([left.exists(), used.exists(), foreign.exists()], [false, true, true]);
    }

    #[test]
    fn a_password_stays_with_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        let first = password(&one).unwrap();
        assert_eq!(first.len(), 32);
        assert_eq!(password(&one).unwrap(), first);
        assert_ne!(password(&other).unwrap(), first);
    }
}
