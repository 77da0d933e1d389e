//! Directives on a merged element: each subgraph's, combined in the way that is right for each.

use apollo_compiler::ast::Directive;
use apollo_compiler::{Node, name};

use super::Merger;
use super::links::renamed;
use crate::authorization::{Alternatives, alternatives, both, printed};
use crate::error::{CompositionError, ErrorCode};
use crate::federation;
use crate::hint::{Hint, HintCode};
use crate::join::Application;
use crate::subgraph::text;

/// Directives of GraphQL that say something to clients.
pub(super) const BUILT_IN: [&str; 3] = ["deprecated", "specifiedBy", "oneOf"];

/// Directives that the supergraph takes from whoever resolves an element.
const MERGED: [&str; 8] = [
    "deprecated",
    federation::TAG,
    federation::INACCESSIBLE,
    federation::AUTHENTICATED,
    federation::REQUIRES_SCOPES,
    federation::POLICY,
    federation::COST,
    federation::LIST_SIZE,
];

/// An applied directive and the subgraph that applies it.
type Applied<'d> = (usize, &'d Directive);

impl Merger<'_> {
    /// Directives of external fields belong to whoever resolves the field.
    pub(super) fn check_directives_of_external(&mut self, coordinate: &str, applied: &[Applied<'_>]) {
        for (graph, directive) in applied {
            let composed = self.composed.definition(*graph, &directive.name).is_some();
            if composed || MERGED.contains(&directive.name.as_str()) {
                let message = format!(
                    "cannot apply merged directive @{} to external field \"{coordinate}\"",
                    federation::short(&directive.name)
                );
                let code = ErrorCode::MergedDirectiveApplicationOnExternal;
                self.errors.push(CompositionError::within(
                    code,
                    &self.graphs[*graph].name,
                    coordinate,
                    message,
                ));
            }
        }
    }

    /// The directives of an element of the supergraph, without those of the join.
    pub(super) fn directives(&mut self, coordinate: &str, applied: &[Applied<'_>]) -> Vec<Node<Directive>> {
        let mut merged: Vec<Node<Directive>> = Vec::new();
        if applied.is_empty() {
            return merged;
        }
        let of = |name: &str| -> Vec<Applied<'_>> {
            applied.iter().filter(|(_, d)| d.name == name).copied().collect()
        };
        for full in [federation::TAG, federation::CONTEXT] {
            self.distinct(full, &of(full), &mut merged);
        }
        for full in [federation::INACCESSIBLE, federation::AUTHENTICATED] {
            if !of(full).is_empty()
                && let Some(name) = self.features.use_directive(full)
            {
                merged.push(Application::new(name).done());
            }
        }
        for (full, argument) in
            [(federation::REQUIRES_SCOPES, name!("scopes")), (federation::POLICY, name!("policies"))]
        {
            let alternatives: Vec<Alternatives> =
                of(full).iter().filter_map(|(_, directive)| alternatives(directive, &argument)).collect();
            if alternatives.iter().any(|set| *set != alternatives[0]) {
                let short = federation::short(full);
                let message = format!(
                    "directive @{short} is applied to \"{coordinate}\" in multiple subgraphs with different arguments: \
                     clients must satisfy all of them"
                );
                let places = self.places(of(full).into_iter().map(|(graph, _)| graph), coordinate);
                self.hints.push(Hint::new(HintCode::MergedNonRepeatableDirectiveArguments, message, places));
            }
            if let Some(all) = alternatives.into_iter().reduce(both)
                && let Some(name) = self.features.use_directive(full)
            {
                merged.push(Application::new(name).with(argument, printed(&all)).done());
            }
        }
        self.costs(&of(federation::COST), &of(federation::LIST_SIZE), &mut merged);
        for name in BUILT_IN {
            merged.extend(self.most_frequent(coordinate, &of(name)));
            self.features.one_of |= name == "oneOf" && !of(name).is_empty();
        }
        self.custom(applied, &mut merged);
        merged
    }

    /// Repeatable directives: each distinct application once.
    fn distinct(&mut self, full: &str, given: &[Applied<'_>], merged: &mut Vec<Node<Directive>>) {
        for (graph, directive) in given {
            let Some(name) = self.features.use_directive(full) else { continue };
            let directive = if full == federation::CONTEXT {
                let context =
                    format!("{}__{}", self.graphs[*graph].name, text(directive, "name").unwrap_or_default());
                Application::new(name).text(name!("name"), &context).done()
            } else {
                renamed(directive, name)
            };
            if !merged.contains(&directive) {
                merged.push(directive);
            }
        }
    }

    /// The highest cost that any subgraph states.
    fn costs(&mut self, costs: &[Applied<'_>], sizes: &[Applied<'_>], merged: &mut Vec<Node<Directive>>) {
        let weight = |directive: &Directive| {
            directive
                .specified_argument_by_name("weight")
                .and_then(|weight| weight.to_i32())
                .unwrap_or_default()
        };
        let highest = costs.iter().max_by_key(|(_, directive)| weight(directive));
        let size = |directive: &Directive| {
            directive
                .specified_argument_by_name("assumedSize")
                .and_then(|size| size.to_i32())
                .unwrap_or_default()
        };
        let largest = sizes.iter().max_by_key(|(_, directive)| size(directive));
        for (_, directive) in highest.into_iter().chain(largest) {
            if let Some(name) = self.features.use_directive(&directive.name) {
                merged.push(renamed(directive, name));
            }
        }
    }

    /// Of a directive that can stand only once: the application most subgraphs have.
    fn most_frequent(&mut self, coordinate: &str, given: &[Applied<'_>]) -> Option<Node<Directive>> {
        let (_, first) = given.first()?;
        let frequency = |directive: &Directive| given.iter().filter(|(_, other)| *other == directive).count();
        let mut best = *first;
        for (_, directive) in given {
            if frequency(directive) > frequency(best) {
                best = directive;
            }
        }
        if given.iter().any(|(_, directive)| *directive != best) {
            let message = format!(
                "non-repeatable directive @{} is applied to \"{coordinate}\" in multiple subgraphs but with incompatible \
                 arguments; the supergraph takes {best}",
                best.name
            );
            let places = self.places(given.iter().map(|(graph, _)| *graph), coordinate);
            self.hints.push(Hint::new(
                HintCode::InconsistentNonRepeatableDirectiveArguments,
                message,
                places,
            ));
        }
        Some(Node::new(best.clone()))
    }

    fn custom(&self, applied: &[Applied<'_>], merged: &mut Vec<Node<Directive>>) {
        for (graph, directive) in applied {
            let Some(definition) = self.composed.definition(*graph, &directive.name) else { continue };
            let taken = merged.iter().any(|known| known.name == definition.name);
            let directive = renamed(directive, definition.name.clone());
            if !merged.contains(&directive) && (definition.repeatable || !taken) {
                merged.push(directive);
            }
        }
    }
}
