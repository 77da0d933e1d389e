//! Directives that are not federation's: custom ones that `@composeDirective` names, and executable ones.

use std::collections::BTreeMap;

use apollo_compiler::ast::{DirectiveDefinition, DirectiveLocation};
use apollo_compiler::{Name, Node};
use rustc_hash::FxHashMap;

use super::Merger;
use super::arguments::{InputCodes, InputSource};
use super::directives::BUILT_IN;
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
    definition: DirectiveDefinition,
}

impl ComposedDirective {
    /// Takes the newest definition, with all the places where any subgraph allows the directive.
    fn widen(&mut self, link: &CustomLink, definition: &DirectiveDefinition) {
        let mut locations = std::mem::take(&mut self.definition.locations);
        locations.extend(
            definition
                .locations
                .iter()
                .filter(|location| !locations.contains(location))
                .copied()
                .collect::<Vec<_>>(),
        );
        if self.link.version < link.version {
            self.link = link.clone();
            self.definition = definition.clone();
        }
        self.definition.locations = locations;
        for argument in &mut self.definition.arguments {
            argument.make_mut().directives.clear();
        }
    }
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
        let is_known = graph.links.directives.keys().any(|name| name == local) || BUILT_IN.contains(&local);
        if is_known {
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
        self.agree(link, &original, definition)?;
        let same =
            |known: &ComposedDirective| known.link.identity == link.identity && known.original == original;
        let place = self.directives.iter().position(same).unwrap_or_else(|| {
            let definition = (**definition).clone();
            self.directives.push(ComposedDirective {
                link: link.clone(),
                original: original.clone(),
                definition,
            });
            self.directives.len() - 1
        });
        self.directives[place].widen(link, definition);
        self.places.insert((index, definition.name.clone()), place);
        Ok(())
    }

    /// What several subgraphs compose must be the same thing under the same name.
    fn agree(
        &self,
        link: &CustomLink,
        original: &str,
        definition: &DirectiveDefinition,
    ) -> Result<(), String> {
        let name = &definition.name;
        for known in &self.directives {
            let same_feature = known.link.identity == link.identity;
            if same_feature && known.link.version.0 != link.version.0 {
                return Err(format!(
                    "core feature \"{}\" requested to be merged has major version mismatch across subgraphs",
                    link.identity
                ));
            }
            if known.definition.name == *name && !same_feature {
                return Err(format!(
                    "composed directive \"@{name}\" is not linked by the same core feature in every subgraph"
                ));
            }
            if (known.definition.name == *name) != (known.original == original) && same_feature {
                return Err(format!(
                    "composed directive \"@{name}\" does not refer to the same directive in every subgraph"
                ));
            }
        }
        Ok(())
    }

    /// The definition under which a subgraph's directive is in the supergraph.
    pub fn definition(&self, graph: usize, name: &Name) -> Option<&DirectiveDefinition> {
        if self.places.is_empty() {
            return None;
        }
        self.places.get(&(graph, name.clone())).map(|place| &self.directives[*place].definition)
    }

    pub fn definitions(&self) -> impl Iterator<Item = Node<DirectiveDefinition>> {
        self.directives.iter().map(|composed| Node::new(composed.definition.clone()))
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

impl<'a> Merger<'a> {
    /// Directives for clients' documents: those that every subgraph defines alike, where all allow them.
    pub(super) fn executable_directives(&mut self) -> Vec<Node<DirectiveDefinition>> {
        let mut by_name: BTreeMap<&Name, Vec<Defined<'a>>> = BTreeMap::new();
        for (index, graph) in self.graphs.iter().enumerate() {
            for (name, definition) in &graph.schema.directive_definitions {
                let composed =
                    self.composed.directives.iter().any(|composed| composed.definition.name == *name);
                let custom = !federation::is_machinery(name) && !definition.is_built_in() && !composed;
                if custom && definition.locations.iter().any(|location| is_executable(*location)) {
                    by_name.entry(name).or_default().push((index, definition));
                }
            }
        }
        let mut merged = Vec::new();
        for (name, given) in by_name {
            if given.len() == self.graphs.len() {
                merged.extend(self.executable_directive(name, &given));
                continue;
            }
            let message = format!(
                "executable directive \"@{name}\" will not be part of the supergraph as it does not appear in all subgraphs: \
                 it is defined in {}",
                self.named(given.iter().map(|(graph, _)| *graph))
            );
            let places = self.places(given.iter().map(|(graph, _)| *graph), format!("@{name}"));
            self.hints.push(Hint::new(HintCode::InconsistentExecutableDirectivePresence, message, places));
        }
        merged
    }

    fn executable_directive(
        &mut self,
        name: &Name,
        given: &[Defined<'a>],
    ) -> Option<Node<DirectiveDefinition>> {
        let first = given[0].1;
        let mut definition = (**first).clone();
        definition.locations.retain(|location| {
            is_executable(*location) && given.iter().all(|(_, other)| other.locations.contains(location))
        });
        definition.repeatable = given.iter().all(|(_, other)| other.repeatable);
        self.hint_locations(name, given, &definition);
        let codes = InputCodes {
            mismatch: ErrorCode::FieldArgumentTypeMismatch,
            default: ErrorCode::FieldArgumentDefaultMismatch,
            compatible: HintCode::InconsistentButCompatibleArgumentType,
        };
        definition.arguments.clear();
        for argument in &first.arguments {
            let named =
                |other: &'a DirectiveDefinition| other.arguments.iter().find(|a| a.name == argument.name);
            let all: Vec<InputSource<'a>> =
                given.iter().filter_map(|(graph, other)| Some((*graph, &**named(other)?))).collect();
            if all.len() == given.len() {
                let coordinate = format!("@{name}({}:)", argument.name);
                definition.arguments.push(Node::new(self.input_value(&coordinate, &all, Vec::new(), &codes)));
            }
        }
        (!definition.locations.is_empty()).then(|| Node::new(definition))
    }
}

impl<'a> Merger<'a> {
    fn hint_locations(&mut self, name: &Name, given: &[Defined<'a>], merged: &DirectiveDefinition) {
        let executable = |of: &DirectiveDefinition| {
            of.locations.iter().filter(|location| is_executable(**location)).count()
        };
        if given.iter().all(|(_, definition)| executable(definition) == merged.locations.len()) {
            return;
        }
        let (code, end) = if merged.locations.is_empty() {
            (HintCode::NoExecutableDirectiveIntersection, "it has none in common and is left out")
        } else {
            (HintCode::InconsistentExecutableDirectiveLocations, "the supergraph takes those in common")
        };
        let message =
            format!("executable directive \"@{name}\" has inconsistent locations across subgraphs: {end}");
        let places = self.places(given.iter().map(|(graph, _)| *graph), format!("@{name}"));
        self.hints.push(Hint::new(code, message, places));
    }

    /// Enums and inputs of directive arguments are in use, too.
    pub(super) fn use_directive_arguments(&mut self) {
        let definitions = self.graphs.iter().flat_map(|graph| graph.schema.directive_definitions.values());
        for argument in definitions.flat_map(|definition| &definition.arguments) {
            self.use_input(argument.ty.inner_named_type());
        }
    }
}

/// A directive's definition in one subgraph.
type Defined<'a> = (usize, &'a Node<DirectiveDefinition>);

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
