//! Fields of input objects: only those that every subgraph with the type accepts.

use apollo_compiler::Name;
use apollo_compiler::collections::IndexMap;
use apollo_compiler::name;
use apollo_compiler::schema::{Component, ExtendedType, InputValueDefinition};

use super::arguments::{InputCodes, InputSource};
use super::{Merger, Sources};
use crate::error::{CompositionError, ErrorCode};
use crate::hint::{Hint, HintCode};
use crate::join;

impl<'a> Merger<'a> {
    pub(super) fn input_fields(
        &mut self,
        ty: &Name,
        sources: &Sources<'a>,
    ) -> IndexMap<Name, Component<InputValueDefinition>> {
        let inputs: Vec<(usize, &'a IndexMap<Name, Component<InputValueDefinition>>)> = sources
            .iter()
            .filter_map(|(graph, definition)| match definition {
                ExtendedType::InputObject(input) => Some((*graph, &input.fields)),
                _ => None,
            })
            .collect();
        let mut names: IndexMap<&Name, ()> = IndexMap::default();
        inputs.iter().for_each(|(_, fields)| names.extend(fields.keys().map(|name| (name, ()))));
        let mut merged = IndexMap::default();
        for name in names.into_keys() {
            let given: Vec<InputSource<'a>> =
                inputs.iter().filter_map(|(graph, fields)| Some((*graph, &***fields.get(name)?))).collect();
            if given.len() < inputs.len() {
                self.missing_input(ty, name, &given, sources);
                continue;
            }
            let codes = InputCodes {
                mismatch: ErrorCode::FieldTypeMismatch,
                default: ErrorCode::InputFieldDefaultMismatch,
                compatible: HintCode::InconsistentButCompatibleFieldType,
            };
            let same = given.iter().all(|(_, field)| field.ty == given[0].1.ty);
            let joins = given.iter().filter(|_| !same).map(|(graph, field)| {
                join::join_field(&self.graphs[*graph].join).text(name!("type"), &field.ty.to_string()).done()
            });
            let joins = joins.collect();
            let field = self.input_value(&format!("{ty}.{name}"), &given, joins, &codes);
            merged.insert(name.clone(), Component::new(field));
        }
        if merged.is_empty() {
            let message = format!(
                "none of the fields of input object type \"{ty}\" are defined in all the subgraphs that define the type"
            );
            let places = self.places(sources.iter().map(|(graph, _)| *graph), ty);
            self.errors.push(CompositionError::new(ErrorCode::EmptyMergedInputType, message).at(places));
        }
        merged
    }

    fn missing_input(&mut self, ty: &Name, name: &Name, given: &[InputSource<'a>], sources: &Sources<'a>) {
        let coordinate = format!("{ty}.{name}");
        let has = |graph: &usize| given.iter().any(|(other, _)| other == graph);
        let missing = self.named(sources.iter().map(|(graph, _)| *graph).filter(|graph| !has(graph)));
        let requiring: Vec<usize> =
            given.iter().filter(|(_, field)| field.is_required()).map(|(graph, _)| *graph).collect();
        let places = self.places(given.iter().map(|(graph, _)| *graph), &coordinate);
        if requiring.is_empty() {
            let message = format!(
                "input object field \"{coordinate}\" will not be added to the supergraph as it does not appear in {missing}"
            );
            self.hints.push(Hint::new(HintCode::InconsistentInputObjectField, message, places));
        } else {
            let message = format!(
                "input object field \"{coordinate}\" is required in some subgraphs but does not appear in all subgraphs: \
                 it is required in {} but does not appear in {missing}",
                self.named(requiring)
            );
            let code = ErrorCode::RequiredInputFieldMissingInSomeSubgraph;
            self.errors.push(CompositionError::new(code, message).at(places));
        }
    }
}
