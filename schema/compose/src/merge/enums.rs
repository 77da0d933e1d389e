//! Values of enums: how they merge depends on whether clients send them, receive them, or both.

use apollo_compiler::Name;
use apollo_compiler::ast::Directive;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, EnumValueDefinition, ExtendedType};

use super::{Merger, Sources, ast_listed};
use crate::error::{CompositionError, ErrorCode};
use crate::federation;
use crate::hint::{Hint, HintCode};
use crate::join;

/// Where an enum is used in the merged schema.
#[derive(Clone, Copy, Default)]
pub(super) struct Usage {
    input: bool,
    output: bool,
}

type ValueSource<'a> = (usize, &'a EnumValueDefinition);

impl<'a> Merger<'a> {
    pub(super) fn use_output(&mut self, ty: &Name) {
        self.usage.entry(ty.clone()).or_default().output = true;
    }

    pub(super) fn use_input(&mut self, ty: &Name) {
        self.usage.entry(ty.clone()).or_default().input = true;
    }

    pub(super) fn enum_values(
        &mut self,
        ty: &Name,
        sources: &Sources<'a>,
    ) -> IndexMap<Name, Component<EnumValueDefinition>> {
        let usage = self.usage.get(ty).copied().unwrap_or_default();
        if !usage.input && !usage.output {
            let message =
                format!("enum type \"{ty}\" is defined but unused: all its values are in the supergraph");
            let places = self.places(sources.iter().map(|(graph, _)| *graph), ty);
            self.hints.push(Hint::new(HintCode::UnusedEnumType, message, places));
        }
        let mut by_name: IndexMap<&Name, Vec<ValueSource<'a>>> = IndexMap::default();
        for (graph, definition) in sources {
            let ExtendedType::Enum(definition) = definition else { continue };
            for value in definition.values.values() {
                by_name.entry(&value.value).or_default().push((*graph, value));
            }
        }
        let mut merged = IndexMap::default();
        for (name, given) in by_name {
            if given.len() < sources.len() && !self.keep_partial(ty, name, usage, &given, sources) {
                continue;
            }
            merged.insert(name.clone(), Component::new(self.enum_value(ty, name, &given)));
        }
        if merged.is_empty() {
            let message = format!(
                "none of the values of enum type \"{ty}\" are defined in all the subgraphs that define the type"
            );
            let places = self.places(sources.iter().map(|(graph, _)| *graph), ty);
            self.errors.push(CompositionError::new(ErrorCode::EmptyMergedEnumType, message).at(places));
        }
        merged
    }

    fn enum_value(&mut self, ty: &Name, name: &Name, given: &[ValueSource<'a>]) -> EnumValueDefinition {
        let coordinate = format!("{ty}.{name}");
        let described = given.iter().map(|(graph, value)| (*graph, value.description.as_ref()));
        let description = self.description(&coordinate, described);
        let applied: Vec<(usize, &Directive)> = given
            .iter()
            .flat_map(|(graph, value)| value.directives.iter().map(|directive| (*graph, &**directive)))
            .collect();
        let own = self.directives(&coordinate, &applied);
        let joins = given.iter().map(|(graph, _)| join::join_enum_value(&self.graphs[*graph].join)).collect();
        EnumValueDefinition { description, value: name.clone(), directives: ast_listed(joins, own) }
    }

    /// Is a value that some subgraphs lack in the supergraph?
    fn keep_partial(
        &mut self,
        ty: &Name,
        name: &Name,
        usage: Usage,
        given: &[ValueSource<'a>],
        sources: &Sources<'a>,
    ) -> bool {
        let coordinate = format!("{ty}.{name}");
        let hidden = given.iter().any(|(_, value)| value.directives.has(federation::INACCESSIBLE));
        let has = |graph: &usize| given.iter().any(|(other, _)| other == graph);
        let missing = self.named(sources.iter().map(|(graph, _)| *graph).filter(|graph| !has(graph)));
        let present = self.named(given.iter().map(|(graph, _)| *graph));
        let places = self.places(given.iter().map(|(graph, _)| *graph), &coordinate);
        match usage {
            Usage { input: true, output: true } => {
                if !hidden {
                    let message = format!(
                        "enum type \"{ty}\" is used as both input type and output type, but value \"{name}\" is not defined \
                         in all the subgraphs defining \"{ty}\": \"{name}\" is defined in {present} but not in {missing}"
                    );
                    self.errors.push(CompositionError::new(ErrorCode::EnumValueMismatch, message).at(places));
                }
                true
            }
            Usage { input: true, output: false } => {
                if !hidden {
                    let message = format!(
                        "value \"{name}\" of enum type \"{ty}\" will not be part of the supergraph as it is not defined in {missing}"
                    );
                    self.hints.push(Hint::new(HintCode::InconsistentEnumValueForInputEnum, message, places));
                }
                hidden
            }
            Usage { output: true, .. } => {
                let message = format!(
                    "value \"{name}\" of enum type \"{ty}\" is in the supergraph but not defined in {missing}"
                );
                self.hints.push(Hint::new(HintCode::InconsistentEnumValueForOutputEnum, message, places));
                true
            }
            Usage { .. } => true,
        }
    }
}
