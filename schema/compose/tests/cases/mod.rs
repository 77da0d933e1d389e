//! Subgraphs for tests, read from files.

use std::fs;
use std::path::{Path, PathBuf};

use compose::Subgraph;

/// A path below this crate's `tests`.
pub fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(relative)
}

/// The subgraphs in a folder: one file each, named after the subgraph.
pub fn folder(relative: &str) -> Vec<Subgraph> {
    let mut files: Vec<PathBuf> = fs::read_dir(path(relative))
        .expect("the folder exists")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            let sdl = fs::read_to_string(file).expect("a readable file");
            Subgraph { url: format!("http://{name}/graphql"), name, sdl }
        })
        .collect()
}
