//! How long it takes to compose a folder of subgraphs (`NAME.graphql` each), by default the shop of the tests:
//! `cargo run --release -p compose --example speed [FOLDER]`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, io};

const ROUNDS: usize = 101;

fn main() -> io::Result<()> {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shop");
    let folder = env::args_os().nth(1).map_or(shop, PathBuf::from);
    let subgraphs = read(&folder)?;
    let mut lines = 0;
    let mut times: Vec<Duration> = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let composed = compose::compose(&subgraphs);
        times.push(start.elapsed());
        match composed {
            Ok(composition) => lines = composition.supergraph_sdl.lines().count(),
            Err(errors) => return Err(io::Error::other(format!("{errors:#?}"))),
        }
    }
    times.sort();
    println!(
        "{} subgraphs, a supergraph of {lines} lines: median {:.1?}, fastest {:.1?} of {ROUNDS}",
        subgraphs.len(),
        times[ROUNDS / 2],
        times[0]
    );
    Ok(())
}

fn read(folder: &Path) -> io::Result<Vec<compose::Subgraph>> {
    let mut subgraphs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file = entry?.path();
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        subgraphs.push(compose::Subgraph { url: String::new(), sdl: fs::read_to_string(&file)?, name });
    }
    Ok(subgraphs)
}
