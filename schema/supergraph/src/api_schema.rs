//! The schema that clients see, made from the supergraph's: without machinery, without inaccessible parts.

use apollo_compiler::ast;
use apollo_compiler::collections::IndexSet;
use apollo_compiler::schema::{Component, DirectiveList, ExtendedType, InputValueDefinition};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};

use crate::SupergraphError;

/// Directives of the specification that say something to a client.
const KEPT_DIRECTIVES: [&str; 3] = ["deprecated", "specifiedBy", "oneOf"];

/// The names that belong to the specifications a supergraph links to.
#[derive(Debug, Default)]
pub(crate) struct Machinery {
    namespaces: Vec<String>,
    imported: Vec<String>,
}

impl Machinery {
    /// Reads the `@link` directives of the supergraph.
    pub(crate) fn of(schema: &Schema) -> Machinery {
        let mut machinery = Machinery::default();
        for link in schema.schema_definition.directives.get_all("link") {
            let argument = |name| link.specified_argument_by_name(name);
            let url = argument("url").and_then(|value| value.as_str()).unwrap_or_default();
            let namespace = argument("as").and_then(|value| value.as_str()).or_else(|| spec_name(url));
            machinery.namespaces.extend(namespace.map(str::to_owned));
            for import in argument("import").and_then(|value| value.as_list()).unwrap_or_default() {
                machinery.imported.extend(imported_name(import));
            }
        }
        machinery
    }

    /// Whether a type or directive of this name is no part of the API.
    pub(crate) fn owns(&self, name: &str) -> bool {
        let is_in = |namespace: &String| match name.strip_prefix(namespace.as_str()) {
            Some(rest) => rest.is_empty() || rest.starts_with("__"),
            None => false,
        };
        self.namespaces.iter().any(is_in) || self.imported.iter().any(|imported| imported == name)
    }
}

/// The name in a URL such as `https://specs.apollo.dev/join/v0.3`.
pub(crate) fn spec_name(url: &str) -> Option<&str> {
    let mut parts = url.trim_end_matches('/').rsplit('/');
    let version = parts.next()?;
    version.starts_with('v').then(|| parts.next()).flatten()
}

fn imported_name(import: &Node<ast::Value>) -> Option<String> {
    let name = match import.as_object() {
        Some(fields) => fields.iter().rev().find(|(key, _)| key == "as" || key == "name")?.1.as_str()?,
        None => import.as_str()?,
    };
    Some(name.trim_start_matches('@').to_owned())
}

/// Makes the API schema. Directives on types that say nothing to clients go, custom directives that no
/// linked specification owns stay.
pub(crate) fn api_schema(
    supergraph: &Schema,
    machinery: &Machinery,
) -> Result<Valid<Schema>, SupergraphError> {
    let mut schema = supergraph.clone();
    schema.directive_definitions.retain(|name, _| !machinery.owns(name));
    let known: IndexSet<Name> = schema.directive_definitions.keys().cloned().collect();
    let hidden: IndexSet<Name> = schema
        .types
        .iter()
        .filter(|(name, ty)| machinery.owns(name) || ty.directives().has("inaccessible"))
        .map(|(name, _)| name.clone())
        .collect();
    schema.types.retain(|name, _| !hidden.contains(name));

    let pruning = Pruning { known, hidden };
    let definition = schema.schema_definition.make_mut();
    pruning.directives(&mut definition.directives);
    for root in [&mut definition.query, &mut definition.mutation, &mut definition.subscription] {
        root.take_if(|name| pruning.hidden.contains(&name.name));
    }
    for ty in schema.types.values_mut() {
        pruning.ty(ty);
    }
    schema.validate().map_err(|refused| SupergraphError::InvalidApiSchema(refused.errors.to_string()))
}

struct Pruning {
    known: IndexSet<Name>,
    hidden: IndexSet<Name>,
}

impl Pruning {
    fn ty(&self, ty: &mut ExtendedType) {
        match ty {
            ExtendedType::Scalar(scalar) => self.directives(&mut scalar.make_mut().directives),
            ExtendedType::Object(object) => {
                let object = object.make_mut();
                self.directives(&mut object.directives);
                object.implements_interfaces.retain(|name| !self.hidden.contains(&name.name));
                self.fields(&mut object.fields);
            }
            ExtendedType::Interface(interface) => {
                let interface = interface.make_mut();
                self.directives(&mut interface.directives);
                interface.implements_interfaces.retain(|name| !self.hidden.contains(&name.name));
                self.fields(&mut interface.fields);
            }
            ExtendedType::Union(union) => {
                let union = union.make_mut();
                self.directives(&mut union.directives);
                union.members.retain(|name| !self.hidden.contains(&name.name));
            }
            ExtendedType::Enum(definition) => {
                let definition = definition.make_mut();
                self.directives(&mut definition.directives);
                definition.values.retain(|_, value| !value.directives.has("inaccessible"));
                for value in definition.values.values_mut() {
                    self.ast_directives(&mut value.make_mut().directives);
                }
            }
            ExtendedType::InputObject(input) => {
                let input = input.make_mut();
                self.directives(&mut input.directives);
                input.fields.retain(|_, field| !field.directives.has("inaccessible"));
                for field in input.fields.values_mut() {
                    self.ast_directives(&mut field.make_mut().directives);
                }
            }
        }
    }

    fn fields(
        &self,
        fields: &mut apollo_compiler::collections::IndexMap<Name, Component<ast::FieldDefinition>>,
    ) {
        fields.retain(|_, field| {
            !field.directives.has("inaccessible") && !self.hidden.contains(field.ty.inner_named_type())
        });
        for field in fields.values_mut() {
            let field = field.make_mut();
            self.ast_directives(&mut field.directives);
            field.arguments.retain(|argument| !argument.directives.has("inaccessible"));
            for argument in &mut field.arguments {
                let argument: &mut InputValueDefinition = argument.make_mut();
                self.ast_directives(&mut argument.directives);
            }
        }
    }

    fn directives(&self, directives: &mut DirectiveList) {
        directives.0.retain(|directive| self.keeps(&directive.name));
    }

    fn ast_directives(&self, directives: &mut ast::DirectiveList) {
        directives.0.retain(|directive| self.keeps(&directive.name));
    }

    fn keeps(&self, directive: &Name) -> bool {
        KEPT_DIRECTIVES.contains(&directive.as_str()) || self.known.contains(directive)
    }
}
