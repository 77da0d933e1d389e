//! The committed schemas are what the code makes: `UPDATE=1 cargo test --test contracts` writes them anew.

use std::path::{Path, PathBuf};
use std::process::Command;

const COMMITTED: [&str; 10] = [
    "api.graphql",
    "supergraph.graphql",
    "subgraphs/cart.graphql",
    "subgraphs/inventory.graphql",
    "subgraphs/notifications.graphql",
    "subgraphs/orders.graphql",
    "subgraphs/payments.graphql",
    "subgraphs/products.graphql",
    "subgraphs/search.graphql",
    "subgraphs/users.graphql",
];

fn generate(folder: &Path) {
    let status = Command::new(env!("CARGO_BIN_EXE_techpotli"))
        .args(["schema", "print", "--out"])
        .arg(folder)
        .status()
        .expect("the binary runs");
    assert!(status.success());
}

#[test]
fn the_committed_schemas_are_what_the_code_makes() {
    let schema = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema");
    if std::env::var_os("UPDATE").is_some() {
        generate(&schema);
    }
    let made = tempfile::tempdir().unwrap();
    generate(made.path());
    for file in COMMITTED {
        let committed = std::fs::read_to_string(schema.join(file)).unwrap_or_default();
        let fresh = std::fs::read_to_string(made.path().join(file)).unwrap();
        assert!(committed == fresh, "schema/{file} is stale: run UPDATE=1 cargo test --test contracts");
    }
}

#[test]
fn the_committed_subgraphs_compose_from_files_to_the_committed_supergraph() {
    let schema = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema");
    let names = COMMITTED.iter().filter_map(|file| file.strip_prefix("subgraphs/")?.strip_suffix(".graphql"));
    let given = names.map(|name| {
        format!(
            "{name}={}@http://{name}:4001/graphql",
            schema.join(format!("subgraphs/{name}.graphql")).display()
        )
    });
    let output = Command::new(env!("CARGO_BIN_EXE_techpotli"))
        .args(["schema", "compose"])
        .args(given)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let committed = std::fs::read_to_string(schema.join("supergraph.graphql")).unwrap();
    assert!(
        String::from_utf8_lossy(&output.stdout) == committed,
        "the supergraph depends on how it is composed"
    );
}

#[test]
fn everything_in_the_api_is_described() {
    let api = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema/api.graphql"))
        .unwrap();
    let mut undescribed = Vec::new();
    let mut described = false;
    let mut in_block = false;
    for line in api.lines().map(str::trim) {
        if line.starts_with("\"\"\"") {
            in_block = !(in_block || (line.len() > 3 && line.ends_with("\"\"\"")));
            described = true;
        } else if in_block {
            continue;
        } else if line.starts_with('"') {
            described = true;
        } else if line.is_empty() || line.starts_with(['}', ')', '#', '|']) {
            described = false;
        } else {
            let defines = line.starts_with(|first: char| first.is_alphabetic() || first == '_');
            let root = ["schema", "directive", "query:", "mutation:", "subscription:"];
            if defines && !described && !root.iter().any(|word| line.starts_with(word)) {
                undescribed.push(line.to_owned());
            }
            described = false;
        }
    }
    assert_eq!(undescribed, Vec::<String>::new());
}
