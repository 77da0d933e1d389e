//! The vocabulary of federation: its directives under their full names.
//!
//! Subgraphs may import and rename directives as they like; once read, every federation directive
//! carries its full name (`@federation__key`), so that the rest of the crate knows one spelling.

use std::sync::OnceLock;

use apollo_compiler::ast::{Definition, Document};

/// What every federation name starts with after reading.
pub const PREFIX: &str = "federation__";

pub const KEY: &str = "federation__key";
pub const REQUIRES: &str = "federation__requires";
pub const PROVIDES: &str = "federation__provides";
pub const EXTERNAL: &str = "federation__external";
pub const EXTENDS: &str = "federation__extends";
pub const SHAREABLE: &str = "federation__shareable";
pub const OVERRIDE: &str = "federation__override";
pub const INACCESSIBLE: &str = "federation__inaccessible";
pub const TAG: &str = "federation__tag";
pub const INTERFACE_OBJECT: &str = "federation__interfaceObject";
pub const COMPOSE_DIRECTIVE: &str = "federation__composeDirective";
pub const AUTHENTICATED: &str = "federation__authenticated";
pub const REQUIRES_SCOPES: &str = "federation__requiresScopes";
pub const POLICY: &str = "federation__policy";
pub const COST: &str = "federation__cost";
pub const LIST_SIZE: &str = "federation__listSize";
pub const CONTEXT: &str = "federation__context";
pub const FROM_CONTEXT: &str = "federation__fromContext";

/// The newest minor version of federation 2 that is understood.
pub const NEWEST_MINOR: u32 = 12;

/// Directives of federation 2, with the minor version that brought each.
pub const DIRECTIVES: [(&str, u32); 18] = [
    ("key", 0),
    ("requires", 0),
    ("provides", 0),
    ("external", 0),
    ("extends", 0),
    ("shareable", 0),
    ("override", 0),
    ("inaccessible", 0),
    ("tag", 0),
    ("composeDirective", 1),
    ("interfaceObject", 3),
    // Accepted in any version: code-first servers pin an old version and bring these on their own.
    ("authenticated", 0),
    ("requiresScopes", 0),
    ("policy", 0),
    ("cost", 9),
    ("listSize", 9),
    ("context", 8),
    ("fromContext", 8),
];

/// What federation 1 knew without any `@link`.
pub const VERSION_1_DIRECTIVES: [&str; 8] =
    ["key", "requires", "provides", "external", "extends", "tag", "inaccessible", "override"];

/// Scalars that a subgraph may import beside the directives.
pub const SCALARS: [&str; 4] = ["FieldSet", "Scope", "Policy", "ContextFieldValue"];

/// Types and root fields that every subgraph serves for the gateway, and no client sees.
pub const MACHINERY_TYPES: [&str; 4] = ["_Any", "_Entity", "_Service", "_FieldSet"];
/// The root fields among them.
pub const MACHINERY_FIELDS: [&str; 2] = ["_entities", "_service"];

const DEFINITIONS: &str = "
scalar federation__FieldSet
scalar federation__Scope
scalar federation__Policy
scalar federation__ContextFieldValue
directive @federation__key(fields: federation__FieldSet!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
directive @federation__requires(fields: federation__FieldSet!) on FIELD_DEFINITION
directive @federation__provides(fields: federation__FieldSet!) on FIELD_DEFINITION
directive @federation__external(reason: String) on OBJECT | FIELD_DEFINITION
directive @federation__extends on OBJECT | INTERFACE
directive @federation__shareable repeatable on OBJECT | FIELD_DEFINITION
directive @federation__override(from: String!, label: String) on FIELD_DEFINITION
directive @federation__inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION
directive @federation__tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA
directive @federation__interfaceObject on OBJECT
directive @federation__composeDirective(name: String!) repeatable on SCHEMA
directive @federation__authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @federation__requiresScopes(scopes: [[federation__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @federation__policy(policies: [[federation__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM
directive @federation__cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @federation__listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
directive @federation__context(name: String!) repeatable on INTERFACE | OBJECT | UNION
directive @federation__fromContext(field: federation__ContextFieldValue) on ARGUMENT_DEFINITION
directive @oneOf on INPUT_OBJECT
";

/// Definitions of all of federation's directives under their full names, parsed once.
pub fn definitions() -> &'static [Definition] {
    static PARSED: OnceLock<Document> = OnceLock::new();
    let document = PARSED
        .get_or_init(|| Document::parse(DEFINITIONS, "federation").expect("the text above is valid GraphQL"));
    &document.definitions
}

/// `@key` for `federation__key`: how people write it.
pub fn short(name: &str) -> &str {
    name.strip_prefix(PREFIX).unwrap_or(name)
}

/// Does this type name belong to federation's machinery rather than to the graph?
pub fn is_machinery(type_name: &str) -> bool {
    type_name.starts_with(PREFIX) || type_name.starts_with("__")
}
