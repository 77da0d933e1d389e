//! Subgraphs for tests, read from files.

use std::fs;
use std::path::{Path, PathBuf};

use compose::Subgraph;

/// Some subgraphs and what composing them should say.
pub struct Case {
    pub name: String,
    /// `ok`, or error codes in order with commas between.
    pub expected: String,
    pub subgraphs: Vec<Subgraph>,
}

/// A path below this crate's `tests`.
pub fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(relative)
}

/// The shop as it was designed: eight subgraphs and the one that resolves `node`.
pub fn shop() -> Vec<Subgraph> {
    files("shop").into_iter().map(|(name, sdl)| subgraph(&name, sdl)).collect()
}

/// The corpus of small cases: one file each, `# expect:` on top, `# subgraph: NAME` before each schema.
pub fn corpus() -> Vec<Case> {
    files("corpus")
        .into_iter()
        .map(|(name, text)| {
            let mut parts = text.split("# subgraph: ");
            let head = parts.next().and_then(|head| head.trim().strip_prefix("# expect: "));
            let expected = head.expect("the first line says what to expect").to_owned();
            let subgraphs = parts
                .map(|part| {
                    let (name, sdl) = part.split_once('\n').expect("a name, then a schema");
                    subgraph(name.trim(), sdl.to_owned())
                })
                .collect();
            Case { name, expected, subgraphs }
        })
        .collect()
}

/// What our composer says of a case, written as its expectation is.
pub fn verdict(subgraphs: &[Subgraph]) -> String {
    match compose::compose(subgraphs) {
        Ok(_) => "ok".to_owned(),
        Err(errors) => {
            let mut codes: Vec<String> = errors.iter().map(|error| error.code.to_string()).collect();
            codes.sort();
            codes.dedup();
            codes.join(", ")
        }
    }
}

fn subgraph(name: &str, sdl: String) -> Subgraph {
    Subgraph { name: name.to_owned(), url: format!("http://{name}/graphql"), sdl }
}

fn files(folder: &str) -> Vec<(String, String)> {
    let mut files: Vec<PathBuf> = fs::read_dir(path(folder))
        .expect("the folder exists")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            (name, fs::read_to_string(file).expect("a readable file"))
        })
        .collect()
}
