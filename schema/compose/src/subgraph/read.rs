//! SDL → [`Graph`]: parse, give federation's directives their full names, drop its machinery, validate.

use apollo_compiler::ast::{self, Definition, Document, FieldDefinition, OperationType};
use apollo_compiler::schema::{Component, ObjectType, SchemaBuilder};
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{Name, Node, Schema, name};
use rustc_hash::FxHashMap;

use super::rename::Renaming;
use super::{Facts, Graph, check, definitions};
use crate::error::{CompositionError, ErrorCode, Location};
use crate::federation;
use crate::link::Links;

/// Directives that the GraphQL specification defines; a subgraph may define them again.
const BUILT_IN_DIRECTIVES: [&str; 7] =
    ["skip", "include", "deprecated", "specifiedBy", "oneOf", "defer", "stream"];

const BUILT_IN_SCALARS: [&str; 5] = ["Int", "Float", "String", "Boolean", "ID"];

const ROOTS: [OperationType; 3] =
    [OperationType::Query, OperationType::Mutation, OperationType::Subscription];

/// Reads one subgraph; `join` is its value in `enum join__Graph`.
pub(crate) fn read(subgraph: &crate::Subgraph, join: Name) -> Result<Graph, Vec<CompositionError>> {
    let name = &subgraph.name;
    if subgraph.name.is_empty() || subgraph.name == "_" || subgraph.name.starts_with("__") {
        let message =
            format!("invalid name \"{name}\" for a subgraph: it must not be empty, _ or start with __");
        let error = CompositionError::new(ErrorCode::InvalidSubgraphName, message);
        return Err(vec![error.at([Location::new(name, "")])]);
    }
    let mut document =
        Document::parse(&subgraph.sdl, name).map_err(|failed| invalid_graphql(name, &failed.errors))?;
    let links = Links::read(name, &document)?;
    let roots = root_types(&document);
    check::root_names(name, &document, &roots)?;
    definitions::check(name, &document, &links)?;
    let types = roots
        .iter()
        .map(|(operation, ty)| (ty.clone(), operation.default_type_name()))
        .filter(|(from, to)| from != to);
    let renaming = Renaming { directives: &links.directives, types: types.collect() };
    document.definitions.retain(|definition| !is_machinery(definition, &links));
    document.definitions.iter_mut().for_each(|definition| {
        renaming.definition(definition);
        drop_machinery_fields(definition);
    });
    document.definitions.retain(|definition| !is_empty_query(definition));
    let schema = build(document).map_err(|errors| invalid_graphql(name, &errors))?;
    let facts = Facts::of(&schema, &links);
    let graph = Graph { name: name.clone(), url: subgraph.url.clone(), join, schema, links, facts };
    let errors = check::all(&graph);
    if errors.is_empty() { Ok(graph) } else { Err(errors) }
}

/// The root types of a document: those its schema names, else those that have the usual names.
fn root_types(document: &Document) -> FxHashMap<OperationType, Name> {
    let mut roots = FxHashMap::default();
    for definition in &document.definitions {
        let named = match definition {
            Definition::SchemaDefinition(schema) => &schema.root_operations,
            Definition::SchemaExtension(schema) => &schema.root_operations,
            _ => continue,
        };
        roots.extend(named.iter().map(|root| (root.0, root.1.clone())));
    }
    if !roots.contains_key(&OperationType::Query) {
        for operation in ROOTS {
            roots.entry(operation).or_insert_with(|| operation.default_type_name());
        }
    }
    roots
}

fn is_machinery(definition: &Definition, links: &Links) -> bool {
    match definition {
        Definition::SchemaDefinition(_) | Definition::SchemaExtension(_) => true,
        Definition::DirectiveDefinition(directive) => {
            let name = directive.name.as_str();
            links.directives.contains_key(name)
                || name == links.link_name
                || name == "core"
                || BUILT_IN_DIRECTIVES.contains(&name)
        }
        other => other
            .name()
            .is_some_and(|name| links.owns_type(name) || BUILT_IN_SCALARS.contains(&name.as_str())),
    }
}

fn drop_machinery_fields(definition: &mut Definition) {
    let keep = |field: &Node<FieldDefinition>| !federation::MACHINERY_FIELDS.contains(&field.name.as_str());
    match definition {
        Definition::ObjectTypeDefinition(object) if object.name == "Query" => {
            object.make_mut().fields.retain(keep)
        }
        Definition::ObjectTypeExtension(object) if object.name == "Query" => {
            object.make_mut().fields.retain(keep)
        }
        _ => {}
    }
}

/// A query type that only had machinery, or an extension that adds nothing.
fn is_empty_query(definition: &Definition) -> bool {
    match definition {
        Definition::ObjectTypeDefinition(object) => object.name == "Query" && object.fields.is_empty(),
        Definition::ObjectTypeExtension(object) => {
            object.name == "Query" && object.fields.is_empty() && object.directives.is_empty()
        }
        _ => false,
    }
}

/// Builds and validates the schema. A subgraph need not have a query type, GraphQL needs one: a
/// subgraph without gets a stand-in that the rest of the crate does not see.
fn build(mut document: Document) -> Result<Valid<Schema>, DiagnosticList> {
    document.definitions.extend_from_slice(federation::definitions());
    let mut schema = SchemaBuilder::new()
        .adopt_orphan_extensions()
        .add_ast(&document)
        .build()
        .map_err(|failed| failed.errors)?;
    if schema.schema_definition.query.is_none() {
        let stand_in = query_stand_in();
        schema.schema_definition.make_mut().query = Some(stand_in.name.clone().into());
        schema.types.insert(stand_in.name.clone(), stand_in.into());
    }
    schema.validate().map_err(|failed| failed.errors)
}

fn query_stand_in() -> ObjectType {
    let field = FieldDefinition {
        description: None,
        name: name!("_service"),
        arguments: Vec::new(),
        ty: ast::Type::Named(name!("Boolean")),
        directives: ast::DirectiveList::new(),
    };
    ObjectType {
        description: None,
        name: name!("federation__Query"),
        implements_interfaces: Default::default(),
        directives: Default::default(),
        fields: [(field.name.clone(), Component::new(field))].into_iter().collect(),
    }
}

fn invalid_graphql(subgraph: &str, errors: &DiagnosticList) -> Vec<CompositionError> {
    errors
        .iter()
        .map(|diagnostic| {
            let text = diagnostic.error.to_string().replace(federation::PREFIX, "");
            let place = diagnostic.line_column_range().map_or_else(String::new, |range| {
                format!(" (line {}, column {})", range.start.line, range.start.column)
            });
            CompositionError::within(ErrorCode::InvalidGraphql, subgraph, "", format!("{text}{place}"))
        })
        .collect()
}
