//! A seeded data folder, made once and copied for each set-up.

use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use anyhow::{anyhow, ensure};
use seed::World;
use tempfile::TempDir;

use crate::process;

/// The world in it.
pub const WORLD: World = World { seed: 1, products: 240, users: 40, orders: 120 };

/// A fresh copy of the seeded folder.
pub fn seeded_folder() -> anyhow::Result<TempDir> {
    let template = template()?;
    let folder = tempfile::tempdir()?;
    copy(template.path(), folder.path())?;
    Ok(folder)
}

/// Kept for as long as somebody copies from it.
fn template() -> anyhow::Result<Arc<TempDir>> {
    static MADE: Mutex<Weak<TempDir>> = Mutex::new(Weak::new());
    let mut made = MADE.lock().map_err(|_| anyhow!("seeding failed for another set-up"))?;
    if let Some(template) = made.upgrade() {
        return Ok(template);
    }
    let folder = Arc::new(tempfile::tempdir()?);
    seed(folder.path(), &[], &WORLD)?;
    *made = Arc::downgrade(&folder);
    Ok(folder)
}

/// Writes a world into the databases of these settings, and keys into the folder.
pub fn seed(folder: &Path, settings: &[(&str, String)], world: &World) -> anyhow::Result<()> {
    let [products, users, orders] =
        [world.products, world.users, world.orders].map(|count| count.to_string());
    let seeded = process::binary(folder)
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .args(["seed", "--products", &products, "--users", &users, "--orders", &orders, "--data-dir"])
        .arg(folder)
        .output()?;
    ensure!(seeded.status.success(), "seeding failed: {}", String::from_utf8_lossy(&seeded.stderr));
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
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
