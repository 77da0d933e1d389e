//! Subgraphs → one supergraph: each type from all the subgraphs that have it.

mod arguments;
mod authorization;
mod composed;
mod differences;
mod directives;
mod enums;
mod fields;
mod inputs;
mod interface_objects;
mod joins;
mod links;
mod members;

mod overrides;
mod subtyping;

use std::collections::BTreeMap;

use apollo_compiler::ast::{Directive, DirectiveList as AstDirectives};
use apollo_compiler::schema::{
    Component, ComponentOrigin, DirectiveList, EnumType, ExtendedType, InputObjectType, InterfaceType,
    ObjectType, ScalarType, SchemaDefinition, UnionType,
};
use apollo_compiler::{Name, Node, Schema, name};
use rustc_hash::FxHashMap;

use self::composed::Composed;
use self::enums::Usage;
use self::overrides::Overrides;
use self::subtyping::Hierarchy;
use crate::error::{CompositionError, ErrorCode, Location, in_subgraphs};
use crate::federation;
use crate::hint::{Hint, HintCode};
use crate::join;
use crate::subgraph::{Graph, interfaces};

/// The merged supergraph, not yet checked as a whole.
pub(crate) struct Merged {
    pub schema: Schema,
    pub hints: Vec<Hint>,
}

/// The definitions of one type: graph index and definition, in the order of graphs.
type Sources<'a> = Vec<(usize, &'a ExtendedType)>;

/// What a type is in the supergraph.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    Input,
}

struct Merger<'a> {
    graphs: &'a [Graph],
    hierarchy: Hierarchy,
    overrides: Overrides,
    composed: Composed,
    /// How the merged fields and arguments use each enum.
    usage: FxHashMap<Name, Usage>,
    /// Specifications whose directives the supergraph carries.
    features: links::Features,
    errors: Vec<CompositionError>,
    hints: Vec<Hint>,
}

/// Merges valid subgraphs.
pub(crate) fn merge(graphs: &[Graph]) -> Result<Merged, Vec<CompositionError>> {
    let mut errors = Vec::new();
    let mut hints = Vec::new();
    let overrides = Overrides::of(graphs, &mut errors, &mut hints);
    let composed = Composed::of(graphs, &mut errors);
    let hierarchy = Hierarchy::of(graphs);
    let usage = FxHashMap::default();
    let features = links::Features::default();
    let mut merger = Merger { graphs, hierarchy, overrides, composed, usage, features, errors, hints };
    let schema = merger.schema();
    merger.tell_once();
    if merger.errors.is_empty() { Ok(Merged { schema, hints: merger.hints }) } else { Err(merger.errors) }
}

impl<'a> Merger<'a> {
    fn schema(&mut self) -> Schema {
        let sources = sources(self.graphs);
        let mut kinds: BTreeMap<&Name, Kind> = BTreeMap::new();
        for (name, sources) in &sources {
            self.check_base(name, sources);
            if let Some(kind) = self.kind(name, sources) {
                kinds.insert(*name, kind);
            }
        }
        let mut merged: BTreeMap<Name, ExtendedType> = BTreeMap::new();
        self.use_directive_arguments();
        // Enums come last: how they merge depends on where the merged fields use them.
        for pass in [false, true] {
            for (name, kind) in &kinds {
                if (*kind == Kind::Enum) == pass
                    && let Some(ty) = self.merge_type(name, *kind, &sources[*name])
                {
                    merged.insert((*name).clone(), ty);
                }
            }
        }
        self.add_interface_object_fields(&mut merged);
        authorization::propagate(&mut merged);
        let mut schema = Schema::new();
        schema.types.retain(|_, ty| ty.is_built_in());
        schema.schema_definition = Node::new(self.schema_definition(&merged));
        schema.directive_definitions.extend(self.directive_definitions());
        schema.types.extend(self.link_types());
        schema.types.extend(merged);
        schema
    }

    /// A type that is extended must be defined somewhere.
    fn check_base(&mut self, name: &Name, sources: &Sources<'a>) {
        let is_root = ["Query", "Mutation", "Subscription"].contains(&name.as_str());
        let extended = |ty: &ExtendedType| {
            ty.iter_origins().next().is_some()
                && ty.iter_origins().all(|origin| origin.extension_id().is_some())
        };
        if !is_root && sources.iter().all(|(_, ty)| extended(ty)) {
            let message = format!(
                "type \"{name}\" is an extension type in {}, but there is no type definition for \"{name}\" in any subgraph",
                self.named(sources.iter().map(|source| source.0))
            );
            let error = CompositionError::new(ErrorCode::ExtensionWithNoBase, message);
            self.errors.push(error.at(self.places(sources.iter().map(|source| source.0), name)));
        }
    }

    /// What the type is; an error when subgraphs disagree.
    fn kind(&mut self, name: &Name, sources: &Sources<'a>) -> Option<Kind> {
        let objects = |source: &&(usize, &ExtendedType)| self.graphs[source.0].is_interface_object(name);
        let (as_object, plain): (Vec<_>, Vec<_>) = sources.iter().partition(objects);
        let mut kinds: Vec<(Kind, usize)> = plain.iter().map(|(graph, ty)| (kind_of(ty), *graph)).collect();
        if !as_object.is_empty() {
            if plain.is_empty() {
                let message = format!(
                    "type \"{name}\" is declared with @interfaceObject in all the subgraphs in which it is defined \
                     (it is an object type nowhere, and an interface type nowhere)"
                );
                let error = CompositionError::new(ErrorCode::InterfaceObjectUsageError, message);
                self.errors.push(error.at(self.places(as_object.iter().map(|s| s.0), name)));
                return None;
            }
            kinds.extend(as_object.iter().map(|(graph, _)| (Kind::Interface, *graph)));
        }
        let (first, _) = kinds[0];
        if kinds.iter().all(|(kind, _)| *kind == first) {
            return Some(first);
        }
        let told: Vec<String> = kinds
            .iter()
            .map(|(kind, graph)| format!("{} in subgraph \"{}\"", kind.name(), self.graphs[*graph].name))
            .collect();
        let message = format!("type \"{name}\" has mismatched kinds: it is {}", told.join(", but "));
        let error = CompositionError::new(ErrorCode::TypeKindMismatch, message);
        self.errors.push(error.at(self.places(sources.iter().map(|s| s.0), name)));
        None
    }

    fn merge_type(&mut self, name: &Name, kind: Kind, sources: &Sources<'a>) -> Option<ExtendedType> {
        let description =
            self.description(name, sources.iter().map(|(graph, ty)| (*graph, ty.description())));
        let applied: Vec<(usize, &Directive)> = sources
            .iter()
            .flat_map(|(graph, ty)| ty.directives().iter().map(move |directive| (*graph, &***directive)))
            .collect();
        let mut directives = self.join_types(name, sources);
        let own = self.directives(name, &applied);
        self.hint_partial_entity(name, sources);
        let name = name.clone();
        Some(match kind {
            Kind::Scalar => {
                ExtendedType::from(ScalarType { description, name, directives: listed(directives, own) })
            }
            Kind::Object => {
                let fields = self.fields(&name, kind, sources);
                directives.splice(0..0, self.join_implements(sources));
                let implements_interfaces = implemented(sources);
                let directives = listed(directives, own);
                ExtendedType::from(ObjectType {
                    description,
                    name,
                    implements_interfaces,
                    directives,
                    fields,
                })
            }
            Kind::Interface => {
                let fields = self.fields(&name, kind, sources);
                directives.splice(0..0, self.join_implements(sources));
                let implements_interfaces = implemented(sources);
                let directives = listed(directives, own);
                ExtendedType::from(InterfaceType {
                    description,
                    name,
                    implements_interfaces,
                    directives,
                    fields,
                })
            }
            Kind::Union => {
                let (members, joins) = self.members(&name, sources);
                directives.extend(joins);
                ExtendedType::from(UnionType {
                    description,
                    name,
                    directives: listed(directives, own),
                    members,
                })
            }
            Kind::Enum => {
                let values = self.enum_values(&name, sources);
                ExtendedType::from(EnumType {
                    description,
                    name,
                    directives: listed(directives, own),
                    values,
                })
            }
            Kind::Input => {
                let fields = self.input_fields(&name, sources);
                ExtendedType::from(InputObjectType {
                    description,
                    name,
                    directives: listed(directives, own),
                    fields,
                })
            }
        })
    }

    fn schema_definition(&mut self, merged: &BTreeMap<Name, ExtendedType>) -> SchemaDefinition {
        let root = |usual: Name| merged.contains_key(&usual).then(|| usual.into());
        let (query, mutation, subscription) =
            (root(name!("Query")), root(name!("Mutation")), root(name!("Subscription")));
        let has_fields =
            merged.get("Query").and_then(ExtendedType::as_object).is_some_and(|q| !q.fields.is_empty());
        if !has_fields {
            let message = "no queries found in any subgraph: a supergraph must have a query root type";
            self.errors.push(CompositionError::new(ErrorCode::NoQueries, message));
        }
        let directives = DirectiveList(self.link_directives().into_iter().map(component).collect());
        SchemaDefinition { description: None, directives, query, mutation, subscription }
    }

    /// The description that most subgraphs give; the first of those that are equally frequent.
    fn description<'d>(
        &mut self,
        coordinate: &str,
        sources: impl Iterator<Item = (usize, Option<&'d Node<str>>)>,
    ) -> Option<Node<str>> {
        let given: Vec<(usize, &Node<str>)> = sources
            .filter_map(|(graph, text)| Some((graph, text.filter(|text| !text.is_empty())?)))
            .collect();
        let frequency = |text: &Node<str>| given.iter().filter(|(_, other)| **other == *text).count();
        let (_, first) = given.first()?;
        let mut best = *first;
        for (_, text) in &given {
            if frequency(text) > frequency(best) {
                best = text;
            }
        }
        if given.iter().any(|(_, text)| *text != best) {
            let chosen =
                given.iter().filter(|(_, text)| *text == best).map(|(graph, _)| &self.graphs[*graph].name);
            let message = format!(
                "element \"{coordinate}\" has inconsistent descriptions across subgraphs; the supergraph takes the one of {}",
                in_subgraphs(chosen)
            );
            let places = self.places(given.iter().map(|(graph, _)| *graph), coordinate);
            self.hints.push(Hint::new(HintCode::InconsistentDescription, message, places));
        }
        Some(best.clone())
    }

    /// The same coordinate in several subgraphs.
    fn places(&self, graphs: impl Iterator<Item = usize>, coordinate: impl AsRef<str>) -> Vec<Location> {
        graphs.map(|graph| self.graphs[graph].at(coordinate.as_ref())).collect()
    }

    fn named(&self, graphs: impl IntoIterator<Item = usize>) -> String {
        in_subgraphs(graphs.into_iter().map(|graph| &self.graphs[graph].name))
    }

    /// "type A in subgraph x, but type B in subgraphs y and z".
    fn told<T: PartialEq>(&self, noun: &str, values: &[(usize, T)], print: impl Fn(&T) -> String) -> String {
        let mut groups: Vec<(&T, Vec<usize>)> = Vec::new();
        for (graph, value) in values {
            match groups.iter_mut().find(|(known, _)| *known == value) {
                Some((_, graphs)) => graphs.push(*graph),
                None => groups.push((value, vec![*graph])),
            }
        }
        let told: Vec<String> = groups
            .iter()
            .map(|(value, graphs)| {
                format!("{noun} {} in {}", print(value), self.named(graphs.iter().copied()))
            })
            .collect();
        told.join(", but ")
    }

    /// Errors about one element repeat when several passes meet it; each is told once.
    fn tell_once(&mut self) {
        let mut told: Vec<CompositionError> = Vec::new();
        for error in self.errors.drain(..) {
            if !told.contains(&error) {
                told.push(error);
            }
        }
        self.errors = told;
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Scalar => "a scalar type",
            Kind::Object => "an object type",
            Kind::Interface => "an interface type",
            Kind::Union => "a union type",
            Kind::Enum => "an enum type",
            Kind::Input => "an input object type",
        }
    }
}

fn kind_of(ty: &ExtendedType) -> Kind {
    match ty {
        ExtendedType::Scalar(_) => Kind::Scalar,
        ExtendedType::Object(_) => Kind::Object,
        ExtendedType::Interface(_) => Kind::Interface,
        ExtendedType::Union(_) => Kind::Union,
        ExtendedType::Enum(_) => Kind::Enum,
        ExtendedType::InputObject(_) => Kind::Input,
    }
}

/// Every type of the graphs with its definitions, by name.
fn sources(graphs: &[Graph]) -> BTreeMap<&Name, Sources<'_>> {
    let mut sources: BTreeMap<&Name, Sources<'_>> = BTreeMap::new();
    for (index, graph) in graphs.iter().enumerate() {
        for (name, ty) in &graph.schema.types {
            if !federation::is_machinery(name) && !graph.links.owns_type(name) && !ty.is_built_in() {
                sources.entry(name).or_default().push((index, ty));
            }
        }
    }
    sources
}

fn implemented(
    sources: &Sources<'_>,
) -> apollo_compiler::collections::IndexSet<apollo_compiler::schema::ComponentName> {
    sources.iter().flat_map(|(_, ty)| interfaces(ty)).map(|name| name.clone().into()).collect()
}

fn component<T>(node: Node<T>) -> Component<T> {
    Component { origin: ComponentOrigin::Definition, node }
}

fn listed(joins: Vec<Node<Directive>>, own: Vec<Node<Directive>>) -> DirectiveList {
    DirectiveList(joins.into_iter().chain(own).map(component).collect())
}

fn ast_listed(joins: Vec<Node<Directive>>, own: Vec<Node<Directive>>) -> AstDirectives {
    AstDirectives(joins.into_iter().chain(own).collect())
}
