//! What heads the supergraph: its `@link`s and the definitions of the specifications they name.

use apollo_compiler::ast::{self, Argument, Definition, Directive, DirectiveDefinition, Document, Value};
use apollo_compiler::schema::{EnumType, ExtendedType, InputObjectType, ScalarType};
use apollo_compiler::{Name, Node, name};

use super::{Merger, component, join};
use crate::federation;

/// A specification whose directives reach the supergraph.
struct Spec {
    url: &'static str,
    /// What a router that does not know the specification must not ignore.
    purpose: Option<&'static str>,
    /// Full federation names of its directives, and the names in the supergraph.
    directives: &'static [(&'static str, &'static str)],
    /// Types that its directives need.
    definitions: &'static str,
}

const SPECS: [Spec; 7] = [
    Spec {
        url: "https://specs.apollo.dev/tag/v0.3",
        purpose: None,
        directives: &[(federation::TAG, "tag")],
        definitions: "directive @tag(name: String!) repeatable on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION | SCHEMA",
    },
    Spec {
        url: "https://specs.apollo.dev/inaccessible/v0.2",
        purpose: Some("SECURITY"),
        directives: &[(federation::INACCESSIBLE, "inaccessible")],
        definitions: "directive @inaccessible on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ARGUMENT_DEFINITION | SCALAR | ENUM | ENUM_VALUE | INPUT_OBJECT | INPUT_FIELD_DEFINITION",
    },
    Spec {
        url: "https://specs.apollo.dev/authenticated/v0.1",
        purpose: Some("SECURITY"),
        directives: &[(federation::AUTHENTICATED, "authenticated")],
        definitions: "directive @authenticated on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
    },
    Spec {
        url: "https://specs.apollo.dev/requiresScopes/v0.1",
        purpose: Some("SECURITY"),
        directives: &[(federation::REQUIRES_SCOPES, "requiresScopes")],
        definitions: "scalar requiresScopes__Scope
            directive @requiresScopes(scopes: [[requiresScopes__Scope!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
    },
    Spec {
        url: "https://specs.apollo.dev/policy/v0.1",
        purpose: Some("SECURITY"),
        directives: &[(federation::POLICY, "policy")],
        definitions: "scalar policy__Policy
            directive @policy(policies: [[policy__Policy!]!]!) on FIELD_DEFINITION | OBJECT | INTERFACE | SCALAR | ENUM",
    },
    Spec {
        url: "https://specs.apollo.dev/context/v0.1",
        purpose: Some("SECURITY"),
        directives: &[(federation::CONTEXT, "context")],
        definitions: "scalar context__ContextFieldValue
            directive @context(name: String!) repeatable on INTERFACE | OBJECT | UNION
            directive @context__fromContext(field: context__ContextFieldValue) on ARGUMENT_DEFINITION",
    },
    Spec {
        url: "https://specs.apollo.dev/cost/v0.1",
        purpose: None,
        directives: &[(federation::COST, "cost"), (federation::LIST_SIZE, "listSize")],
        definitions: "directive @cost(weight: Int!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
            directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION",
    },
];

/// GraphQL's own, but parsers that are older than it need the definition.
const ONE_OF: &str = "directive @oneOf on INPUT_OBJECT";

const CORE: &str = r#"
directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
directive @join__directive(graphs: [join__Graph!], name: String!, args: join__DirectiveArguments) repeatable on SCHEMA | OBJECT | INTERFACE | FIELD_DEFINITION
directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE
directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean, overrideLabel: String, contextArguments: [join__ContextArgument!]) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true, isInterfaceObject: Boolean! = false) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION
scalar link__Import
scalar join__DirectiveArguments
scalar join__FieldSet
scalar join__FieldValue
input join__ContextArgument { name: String! type: String! context: String! selection: join__FieldValue! }
enum link__Purpose {
  "`SECURITY` features provide metadata necessary to securely resolve fields."
  SECURITY
  "`EXECUTION` features provide metadata necessary for operation execution."
  EXECUTION
}
"#;

/// The specifications that merged elements use, as places in [`SPECS`].
#[derive(Default)]
pub(super) struct Features {
    specs: [bool; SPECS.len()],
    pub one_of: bool,
}

impl Features {
    /// Notes that the supergraph carries a directive; its name there.
    pub fn use_directive(&mut self, full: &str) -> Option<Name> {
        let named = |spec: &Spec| {
            spec.directives.iter().find(|(federation, _)| *federation == full).map(|(_, name)| *name)
        };
        let (place, name) = SPECS.iter().enumerate().find_map(|(place, spec)| Some((place, named(spec)?)))?;
        self.specs[place] = true;
        Name::new(name).ok()
    }

    fn used(&self) -> impl Iterator<Item = &'static Spec> {
        SPECS.iter().zip(self.specs).filter(|(_, used)| *used).map(|(spec, _)| spec)
    }

    fn documents(&self) -> impl Iterator<Item = Document> {
        [CORE]
            .into_iter()
            .chain(self.one_of.then_some(ONE_OF))
            .chain(self.used().map(|spec| spec.definitions))
            .map(|text| Document::parse(text, "specifications").expect("the texts above are valid GraphQL"))
    }
}

impl Merger<'_> {
    pub(super) fn link_directives(&self) -> Vec<Node<Directive>> {
        let mut links = vec![
            link("https://specs.apollo.dev/link/v1.0", None, &[]),
            link("https://specs.apollo.dev/join/v0.5", Some("EXECUTION"), &[]),
        ];
        for spec in self.features.used() {
            let namespace = spec.directives[0].1;
            let imports: Vec<String> = spec
                .directives
                .iter()
                .filter(|(_, name)| *name != namespace)
                .map(|(_, name)| format!("@{name}"))
                .collect();
            let imports: Vec<(&str, &str)> =
                imports.iter().map(|name| (name.as_str(), name.as_str())).collect();
            links.push(link(spec.url, spec.purpose, &imports));
        }
        for (url, imports) in self.composed.links() {
            let imports: Vec<(&str, &str)> =
                imports.iter().map(|(there, here)| (there.as_str(), here.as_str())).collect();
            links.push(link(&url, None, &imports));
        }
        links
    }

    pub(super) fn directive_definitions(&mut self) -> Vec<(Name, Node<DirectiveDefinition>)> {
        let mut definitions: Vec<Node<DirectiveDefinition>> = self
            .features
            .documents()
            .flat_map(|document| document.definitions)
            .filter_map(|definition| match definition {
                Definition::DirectiveDefinition(directive) => Some(directive),
                _ => None,
            })
            .collect();
        definitions.extend(self.composed.definitions());
        definitions.extend(self.executable_directives());
        definitions.sort_by(|a, b| a.name.cmp(&b.name));
        definitions.into_iter().map(|definition| (definition.name.clone(), definition)).collect()
    }

    pub(super) fn link_types(&self) -> Vec<(Name, ExtendedType)> {
        let mut types: Vec<ExtendedType> = vec![self.graph_enum()];
        for definition in self.features.documents().flat_map(|document| document.definitions) {
            match definition {
                Definition::ScalarTypeDefinition(scalar) => types.push(
                    ScalarType {
                        description: None,
                        name: scalar.name.clone(),
                        directives: Default::default(),
                    }
                    .into(),
                ),
                Definition::EnumTypeDefinition(definition) => types.push(
                    EnumType {
                        description: None,
                        name: definition.name.clone(),
                        directives: Default::default(),
                        values: definition
                            .values
                            .iter()
                            .map(|value| (value.value.clone(), component(value.clone())))
                            .collect(),
                    }
                    .into(),
                ),
                Definition::InputObjectTypeDefinition(input) => types.push(
                    InputObjectType {
                        description: None,
                        name: input.name.clone(),
                        directives: Default::default(),
                        fields: input
                            .fields
                            .iter()
                            .map(|field| (field.name.clone(), component(field.clone())))
                            .collect(),
                    }
                    .into(),
                ),
                _ => {}
            }
        }
        types.into_iter().map(|ty| (ty.name().clone(), ty)).collect()
    }

    fn graph_enum(&self) -> ExtendedType {
        let value = |graph: &crate::subgraph::Graph| {
            let directive = join::Application::new(name!("join__graph"))
                .text(name!("name"), &graph.name)
                .text(name!("url"), &graph.url);
            let value = ast::EnumValueDefinition {
                description: None,
                value: graph.join.clone(),
                directives: ast::DirectiveList(vec![directive.done()]),
            };
            (graph.join.clone(), component(Node::new(value)))
        };
        let values = self.graphs.iter().map(value).collect();
        EnumType { description: None, name: name!("join__Graph"), directives: Default::default(), values }
            .into()
    }
}

fn link(url: &str, purpose: Option<&str>, imports: &[(&str, &str)]) -> Node<Directive> {
    let mut link = join::Application::new(name!("link")).text(name!("url"), url);
    if let Some(purpose) = purpose.and_then(|purpose| Name::new(purpose).ok()) {
        link = link.with(name!("for"), Value::Enum(purpose));
    }
    if !imports.is_empty() {
        let text = |text: &str| Node::new(Value::String(text.to_owned()));
        let import = |(there, here): &(&str, &str)| {
            if there == here {
                return text(there);
            }
            Node::new(Value::Object(vec![(name!("name"), text(there)), (name!("as"), text(here))]))
        };
        link = link.with(name!("import"), Value::List(imports.iter().map(import).collect()));
    }
    link.done()
}

/// A directive's arguments, for a directive of another name.
pub(super) fn renamed(directive: &Directive, name: Name) -> Node<Directive> {
    let arguments: Vec<Node<Argument>> = directive.arguments.clone();
    Node::new(Directive { name, arguments })
}
