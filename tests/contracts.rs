//! The committed schemas are what the code makes: `UPDATE=1 cargo test --test contracts` writes them anew.

use std::path::{Path, PathBuf};
use std::process::Command;

use apollo_compiler::ast::FieldDefinition;
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node, Schema};

const COMMITTED: [&str; 15] = [
    "api.graphql",
    "supergraph.graphql",
    "events/inventory.json",
    "events/orders.json",
    "events/payments.json",
    "events/products.json",
    "events/users.json",
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
    let api = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schema/api.graphql"));
    let schema =
        Schema::parse_and_validate(api.unwrap(), "api.graphql").unwrap_or_else(|wrong| panic!("{wrong}"));
    assert_eq!(undescribed(&schema), Vec::<String>::new());
}

#[test]
fn whatever_has_no_description_is_found() {
    let text = r#"
        "described" directive @bare(given: Int) on FIELD
        type Query { "described" field("described" given: Int, bare: Int = 1): Union bare: Scalar }
        "described" interface Interface { bare: Int }
        "" union Union = Query
        "described" enum Enum { BARE "described" GIVEN }
        "described" input Input { bare: [Int!] = [] "described" given: Int }
        scalar Scalar
    "#;
    let schema = Schema::parse(text, "test.graphql").unwrap_or_else(|wrong| panic!("{wrong}"));
    let expected = [
        "@bare(given:)",
        "Enum.BARE",
        "Input.bare",
        "Interface.bare",
        "Query",
        "Query.bare",
        "Query.field(bare:)",
        "Scalar",
        "Union",
    ];
    assert_eq!(undescribed(&schema), expected);
}

/// The coordinates of all that a schema defines without saying what it is, sorted.
fn undescribed(schema: &Schema) -> Vec<String> {
    let mut bare = Vec::new();
    let mut check = |description: Option<&Node<str>>, coordinate: String| {
        if description.is_none_or(|text| text.trim().is_empty()) {
            bare.push(coordinate);
        }
    };
    for (name, directive) in schema.directive_definitions.iter().filter(|(_, it)| !it.is_built_in()) {
        check(directive.description.as_ref(), format!("@{name}"));
        for argument in &directive.arguments {
            check(argument.description.as_ref(), format!("@{name}({}:)", argument.name));
        }
    }
    for (name, definition) in schema.types.iter().filter(|(_, it)| !it.is_built_in()) {
        check(definition.description(), name.to_string());
        for (field, definition) in fields_of(definition) {
            check(definition.description.as_ref(), format!("{name}.{field}"));
            for argument in &definition.arguments {
                check(argument.description.as_ref(), format!("{name}.{field}({}:)", argument.name));
            }
        }
        match definition {
            ExtendedType::Enum(definition) => {
                for (value, definition) in &definition.values {
                    check(definition.description.as_ref(), format!("{name}.{value}"));
                }
            }
            ExtendedType::InputObject(definition) => {
                for (field, definition) in &definition.fields {
                    check(definition.description.as_ref(), format!("{name}.{field}"));
                }
            }
            _ => {}
        }
    }
    bare.sort();
    bare
}

fn fields_of(definition: &ExtendedType) -> impl Iterator<Item = (&Name, &Component<FieldDefinition>)> {
    let fields = match definition {
        ExtendedType::Object(definition) => Some(&definition.fields),
        ExtendedType::Interface(definition) => Some(&definition.fields),
        _ => None,
    };
    fields.into_iter().flatten()
}
