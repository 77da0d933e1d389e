//! The house: arrows between rooms point down, files are where they belong, settings are documented.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};

const SUBGRAPHS: [&str; 8] =
    ["users", "products", "cart", "orders", "payments", "inventory", "notifications", "search"];

/// What each room may know of the others. The root package may know everyone, and nobody knows it.
fn may_know(room: &str) -> Option<&'static [&'static str]> {
    Some(match room {
        "common" => &[],
        "seed" => &["common"],
        "auth" => &["common"],
        "cache" => &["common"],
        "trace" => &[],
        "runtime" => &["trace"],
        "events" => &["common"],
        "database" => &["common", "trace"],
        "messaging" => &["common", "database", "events", "trace"],
        "jobs" => &["common", "database"],
        "subgraph" => {
            &["auth", "cache", "common", "database", "events", "jobs", "messaging", "runtime", "trace"]
        }
        "services" => &[],
        "supergraph" => &[],
        "compose" => &["supergraph"],
        "engine" => &["supergraph"],
        "gateway" => &["auth", "cache", "common", "engine", "runtime", "supergraph", "trace"],
        subgraph if SUBGRAPHS.contains(&subgraph) => &[
            "auth",
            "cache",
            "common",
            "database",
            "events",
            "jobs",
            "messaging",
            "runtime",
            "seed",
            "subgraph",
        ],
        _ => return None,
    })
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn arrows_between_rooms_point_down() {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    let ours: BTreeSet<String> = metadata.packages.iter().map(|package| package.name.to_string()).collect();
    let mut wrong = Vec::new();
    for package in metadata.packages.iter().filter(|package| package.name.as_str() != "techpotli") {
        let allowed =
            may_know(&package.name).unwrap_or_else(|| panic!("the house has no place for {}", package.name));
        for dependency in &package.dependencies {
            let known = ours.contains(&dependency.name) && dependency.kind == DependencyKind::Normal;
            if known && !allowed.contains(&dependency.name.as_str()) {
                wrong.push(format!("{} → {}", package.name, dependency.name));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_gateway_and_its_engine_know_no_database_and_no_broker() {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).exec().unwrap();
    let by_name: BTreeMap<&str, _> = metadata
        .packages
        .iter()
        .filter(|package| matches!(package.name.as_str(), "gateway" | "engine"))
        .map(|package| (package.name.as_str(), package))
        .collect();
    for (name, package) in by_name {
        for banned in ["sea-orm", "sqlx", "rdkafka", "database", "messaging"] {
            let knows = package.dependencies.iter().any(|dependency| dependency.name == banned);
            assert!(!knows, "{name} must not depend on {banned}");
        }
    }
}

#[test]
fn inside_a_subgraph_arrows_point_down() {
    // lib → graphql, events → service → entity → domain; a domain may read rows of its own entities.
    let forbidden = [
        ("domain", &["crate::service", "crate::graphql", "crate::events"][..]),
        ("entity", &["crate::service", "crate::graphql", "crate::events"][..]),
        ("service", &["crate::graphql"][..]),
    ];
    let mut wrong = Vec::new();
    for subgraph in SUBGRAPHS {
        for (room, banned) in forbidden {
            for file in rust_files(&root().join("subgraphs").join(subgraph).join("src").join(room)) {
                let text = std::fs::read_to_string(&file).unwrap();
                for banned in banned.iter().filter(|banned| text.contains(**banned)) {
                    wrong.push(format!("{} uses {banned}", file.strip_prefix(root()).unwrap().display()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn resolvers_look_at_the_viewer_in_one_way() {
    // Whoever looks in another way has their answer given to others.
    let mut others = Vec::new();
    for file in rust_files(&root().join("subgraphs")).into_iter().chain(rust_files(&root().join("shared"))) {
        let text = std::fs::read_to_string(&file).unwrap();
        if ["data", "data_opt", "data_unchecked"]
            .iter()
            .any(|way| text.contains(&format!("{way}::<Arc<Viewer>>")))
        {
            others.push(file.strip_prefix(root()).unwrap().display().to_string());
        }
    }
    assert_eq!(others, ["shared/subgraph/src/execute.rs", "shared/subgraph/src/graphql/mod.rs"]);
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut silent = Vec::new();
    for folder in ["src", "shared", "subgraphs", "gateway", "schema", "tests"] {
        for file in rust_files(&root().join(folder)) {
            if !std::fs::read_to_string(&file).unwrap().trim_start().starts_with("//!") {
                silent.push(file.strip_prefix(root()).unwrap().display().to_string());
            }
        }
    }
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_setting_is_in_the_example_file_and_the_other_way_round() {
    let read = |file| std::fs::read_to_string(root().join(file)).unwrap();
    let settings = read("src/settings/mod.rs") + &read("src/cli.rs");
    let known: BTreeSet<&str> =
        settings.split("env = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let example = std::fs::read_to_string(root().join(".env.example")).unwrap();
    let documented: BTreeSet<&str> = example
        .lines()
        .filter_map(|line| line.trim_start_matches(['#', ' ']).split_once('='))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with("TECHPOTLI_"))
        .collect();
    assert!(!known.is_empty());
    assert_eq!(known, documented);
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return files };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && name != "node_modules" && name != "target" {
            files.extend(rust_files(&path));
        } else if name.ends_with(".rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}
