//! Directives that are not federation's: custom ones that `@composeDirective` names, and executable ones.

use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};
use apollo_compiler::{Name, Node};
use rustc_hash::FxHashMap;

use super::Merger;
use crate::error::{CompositionError, ErrorCode};
use crate::federation;
use crate::hint::{Hint, HintCode};
use crate::link::CustomLink;
use crate::subgraph::Graph;

/// The custom directives that reach the supergraph.
#[derive(Default)]
pub(super) struct Composed {
    directives: Vec<ComposedDirective>,
    /// Subgraph and name there → place in `directives`.
    places: FxHashMap<(usize, Name), usize>,
}

struct ComposedDirective {
    link: CustomLink,
    /// Name in its specification.
    original: String,
    definition: Node<DirectiveDefinition>,
}

impl Composed {
    pub fn of(graphs: &[Graph], errors: &mut Vec<CompositionError>) -> Self {
        let mut composed = Self::default();
        for (index, graph) in graphs.iter().enumerate() {
            for local in &graph.links.composed {
                if let Err(problem) = composed.add(index, graph, local) {
                    let code = ErrorCode::DirectiveCompositionError;
                    errors.push(CompositionError::within(code, &graph.name, format!("@{local}"), problem));
                }
            }
        }
        composed
    }

    fn add(&mut self, index: usize, graph: &Graph, local: &str) -> Result<(), String> {
        let is_federations = graph.links.directives.keys().any(|name| name == local);
        if is_federations {
            // Composed anyway. Code-first servers that bring such a directive themselves ask for it.
            return Ok(());
        }
        let found = graph.links.custom.iter().find_map(|link| Some((link, link.original(local)?)));
        let Some((link, original)) = found else {
            return Err(format!(
                "directive \"@{local}\" cannot be composed because it is not a member of a core feature (no @link imports it)"
            ));
        };
        let Some(definition) = graph.schema.directive_definitions.get(local) else {
            return Err(format!(
                "argument to @composeDirective \"@{local}\" does not have a definition in the subgraph"
            ));
        };
        let known = self
            .directives
            .iter()
            .position(|known| known.link.identity == link.identity && known.original == original);
        let place = match known {
            None => {
                self.directives.push(ComposedDirective {
                    link: link.clone(),
                    original,
                    definition: definition.clone(),
                });
                self.directives.len() - 1
            }
            Some(place) => {
                let known = &mut self.directives[place];
                if known.link.version.0 != link.version.0 {
                    return Err(format!(
                        "core feature \"{}\" has major version mismatch across subgraphs (v{} and v{})",
                        link.identity, known.link.version.0, link.version.0
                    ));
                }
                if known.definition.name != definition.name {
                    return Err(format!(
                        "composed directive \"@{local}\" has mismatched name between subgraphs (\"@{}\")",
                        known.definition.name
                    ));
                }
                if known.link.version < link.version {
                    known.link = link.clone();
                    known.definition = definition.clone();
                }
                place
            }
        };
        self.places.insert((index, definition.name.clone()), place);
        Ok(())
    }

    /// The definition under which a subgraph's directive is in the supergraph.
    pub fn definition(&self, graph: usize, name: &Name) -> Option<&Node<DirectiveDefinition>> {
        if self.places.is_empty() {
            return None;
        }
        self.places.get(&(graph, name.clone())).map(|place| &self.directives[*place].definition)
    }

    pub fn definitions(&self) -> impl Iterator<Item = Node<DirectiveDefinition>> {
        self.directives.iter().map(|composed| composed.definition.clone())
    }

    /// Address and imports of each specification: name there, name in the supergraph.
    pub fn links(&self) -> Vec<(String, Vec<(String, String)>)> {
        let mut links: Vec<(String, Vec<(String, String)>)> = Vec::new();
        for composed in &self.directives {
            let (major, minor) = composed.link.version;
            let url = format!("{}/v{major}.{minor}", composed.link.identity);
            let import = (format!("@{}", composed.original), format!("@{}", composed.definition.name));
            match links.iter_mut().find(|(known, _)| *known == url) {
                Some((_, imports)) => imports.push(import),
                None => links.push((url, vec![import])),
            }
        }
        links
    }
}

impl Merger<'_> {
    /// Directives for clients' documents: those that every subgraph defines alike, where all allow them.
    pub(super) fn executable_directives(&mut self) -> Vec<Node<DirectiveDefinition>> {
        let mut by_name: std::collections::BTreeMap<&Name, Vec<(usize, &Node<DirectiveDefinition>)>> =
            std::collections::BTreeMap::new();
        for (index, graph) in self.graphs.iter().enumerate() {
            for (name, definition) in &graph.schema.directive_definitions {
                let custom = !federation::is_machinery(name) && !definition.is_built_in();
                if custom && definition.locations.iter().any(|location| is_executable(*location)) {
                    by_name.entry(name).or_default().push((index, definition));
                }
            }
        }
        let mut merged = Vec::new();
        for (name, given) in by_name {
            if given.len() < self.graphs.len() {
                let message = format!(
                    "executable directive \"@{name}\" will not be part of the supergraph as it does not appear in all subgraphs: \
                     it is defined in {}",
                    self.named(given.iter().map(|(graph, _)| *graph))
                );
                let places = self.places(given.iter().map(|(graph, _)| *graph), format!("@{name}"));
                self.hints.push(Hint::new(
                    HintCode::InconsistentExecutableDirectivePresence,
                    message,
                    places,
                ));
                continue;
            }
            let mut definition = (**given[0].1).clone();
            definition.locations.retain(|location| {
                is_executable(*location) && given.iter().all(|(_, other)| other.locations.contains(location))
            });
            definition.repeatable = given.iter().all(|(_, other)| other.repeatable);
            definition.arguments.retain(|argument| {
                given.iter().all(|(_, other)| other.arguments.iter().any(|known| known.name == argument.name))
            });
            if !definition.locations.is_empty() {
                merged.push(Node::new(definition));
            }
        }
        merged
    }
}

fn is_executable(location: DirectiveLocation) -> bool {
    use DirectiveLocation as L;
    matches!(
        location,
        L::Query
            | L::Mutation
            | L::Subscription
            | L::Field
            | L::FragmentDefinition
            | L::FragmentSpread
            | L::InlineFragment
            | L::VariableDefinition
    )
}
