//! Arguments of fields: those that every subgraph takes, each of the strictest type.

use apollo_compiler::ast::{Directive, InputValueDefinition, Type, Value};
use apollo_compiler::{Name, Node, name};

use super::fields::FieldSource;
use super::{Merger, ast_listed};
use crate::error::{CompositionError, ErrorCode};
use crate::federation;
use crate::hint::{Hint, HintCode};
use crate::join::Application;
use crate::subgraph::{Graph, text};

/// One subgraph's definition of an argument or input field.
pub(super) type InputSource<'a> = (usize, &'a InputValueDefinition);

/// The codes by which argument and input field differ.
pub(super) struct InputCodes {
    pub mismatch: ErrorCode,
    pub default: ErrorCode,
    pub compatible: HintCode,
}

impl<'a> Merger<'a> {
    pub(super) fn arguments(
        &mut self,
        field: &str,
        sources: &[&FieldSource<'a>],
    ) -> Vec<Node<InputValueDefinition>> {
        let mut names: Vec<&Name> = Vec::new();
        for argument in sources.iter().flat_map(|source| &source.field.arguments) {
            if !names.contains(&&argument.name) {
                names.push(&argument.name);
            }
        }
        let mut merged = Vec::new();
        for name in names {
            let given: Vec<InputSource<'a>> = sources
                .iter()
                .filter_map(|source| Some((source.graph, &**source.field.argument_by_name(name)?)))
                .collect();
            // What comes from a context no client gives.
            if given.iter().any(|(_, argument)| argument.directives.has(federation::FROM_CONTEXT)) {
                continue;
            }
            let coordinate = format!("{field}({name}:)");
            if given.len() < sources.len() {
                self.missing_argument(field, name, &given, sources);
                continue;
            }
            let codes = InputCodes {
                mismatch: ErrorCode::FieldArgumentTypeMismatch,
                default: ErrorCode::FieldArgumentDefaultMismatch,
                compatible: HintCode::InconsistentButCompatibleArgumentType,
            };
            merged.push(Node::new(self.input_value(&coordinate, &given, Vec::new(), &codes)));
        }
        merged
    }

    fn missing_argument(
        &mut self,
        field: &str,
        name: &Name,
        given: &[InputSource<'a>],
        sources: &[&FieldSource<'a>],
    ) {
        let coordinate = format!("{field}({name}:)");
        let has = |graph: usize| given.iter().any(|(other, _)| *other == graph);
        let missing = self.named(sources.iter().map(|source| source.graph).filter(|graph| !has(*graph)));
        let requiring: Vec<usize> =
            given.iter().filter(|(_, argument)| argument.is_required()).map(|(graph, _)| *graph).collect();
        let places = self.places(given.iter().map(|(graph, _)| *graph), &coordinate);
        if requiring.is_empty() {
            let message = format!(
                "optional argument \"{coordinate}\" will not be included in the supergraph as it does not appear in {missing}"
            );
            self.hints.push(Hint::new(HintCode::InconsistentArgumentPresence, message, places));
        } else {
            let message = format!(
                "argument \"{coordinate}\" is required in some subgraphs but does not appear in all subgraphs: \
                 it is required in {} but does not appear in {missing}",
                self.named(requiring)
            );
            let code = ErrorCode::RequiredArgumentMissingInSomeSubgraph;
            self.errors.push(CompositionError::new(code, message).at(places));
        }
    }

    /// Merges the definitions of an argument or input field that every subgraph has.
    pub(super) fn input_value(
        &mut self,
        coordinate: &str,
        sources: &[InputSource<'a>],
        joins: Vec<Node<Directive>>,
        codes: &InputCodes,
    ) -> InputValueDefinition {
        let first = sources[0].1;
        let ty = self.input_type(coordinate, sources, codes);
        self.use_input(ty.inner_named_type());
        let default_value = self.default_value(coordinate, sources, codes);
        let described = sources.iter().map(|(graph, value)| (*graph, value.description.as_ref()));
        let description = self.description(coordinate, described);
        let applied: Vec<(usize, &Directive)> = sources
            .iter()
            .flat_map(|(graph, value)| value.directives.iter().map(|directive| (*graph, &**directive)))
            .collect();
        let own = self.directives(coordinate, &applied);
        let directives = ast_listed(joins, own);
        InputValueDefinition {
            description,
            name: first.name.clone(),
            ty: Node::new(ty),
            default_value,
            directives,
        }
    }

    fn input_type(&mut self, coordinate: &str, sources: &[InputSource<'a>], codes: &InputCodes) -> Type {
        let types: Vec<&Type> = sources.iter().map(|(_, value)| &*value.ty).collect();
        if types.iter().all(|ty| *ty == types[0]) {
            return types[0].clone();
        }
        let given: Vec<(usize, String)> =
            sources.iter().map(|(graph, value)| (*graph, value.ty.to_string())).collect();
        let told = self.told("type", &given, |ty| format!("\"{ty}\""));
        let places = self.places(sources.iter().map(|(graph, _)| *graph), coordinate);
        match self.hierarchy.strictest(&types) {
            Some(strictest) => {
                let message = format!(
                    "type of \"{coordinate}\" is inconsistent but compatible across subgraphs: \
                     the supergraph takes \"{strictest}\"; it has {told}"
                );
                self.hints.push(Hint::new(codes.compatible, message, places));
                strictest.clone()
            }
            None => {
                let message =
                    format!("type of \"{coordinate}\" is incompatible across subgraphs: it has {told}");
                self.errors.push(CompositionError::new(codes.mismatch, message).at(places));
                types[0].clone()
            }
        }
    }

    /// Default values must agree; one that only some subgraphs have is dropped.
    fn default_value(
        &mut self,
        coordinate: &str,
        sources: &[InputSource<'a>],
        codes: &InputCodes,
    ) -> Option<Node<Value>> {
        let given: Vec<(usize, &Node<Value>)> = sources
            .iter()
            .filter_map(|(graph, value)| Some((*graph, value.default_value.as_ref()?)))
            .collect();
        let (_, first) = given.first()?;
        let places = self.places(sources.iter().map(|(graph, _)| *graph), coordinate);
        if given.iter().any(|(_, value)| value != first) {
            let told = self.told("default value", &given, |value| value.to_string());
            let message =
                format!("\"{coordinate}\" has incompatible default values across subgraphs: it has {told}");
            self.errors.push(CompositionError::new(codes.default, message).at(places));
            return Some((*first).clone());
        }
        if given.len() < sources.len() {
            let message = format!(
                "\"{coordinate}\" has a default value only in some subgraphs: the supergraph takes none; {} has {first}",
                self.named(given.iter().map(|(graph, _)| *graph))
            );
            self.hints.push(Hint::new(HintCode::InconsistentDefaultValuePresence, message, places));
            return None;
        }
        Some((*first).clone())
    }
}

/// Adds `contextArguments` for the arguments that `@fromContext` fills.
pub(super) fn with_contexts(join: Application, source: &FieldSource<'_>, graph: &Graph) -> Application {
    let filled: Vec<Node<Value>> = source
        .field
        .arguments
        .iter()
        .filter_map(|argument| {
            let directive = argument.directives.get(federation::FROM_CONTEXT)?;
            let (context, selection) =
                text(directive, "field")?.trim().strip_prefix('$')?.split_once(char::is_whitespace)?;
            let value = |text: &str| Node::new(Value::String(text.to_owned()));
            let context = format!("{}__{context}", graph.name);
            Some(Node::new(Value::Object(vec![
                (name!("context"), value(&context)),
                (name!("name"), value(&argument.name)),
                (name!("type"), value(&argument.ty.to_string())),
                (name!("selection"), value(&format!(" {}", selection.trim()))),
            ])))
        })
        .collect();
    if filled.is_empty() { join } else { join.with(name!("contextArguments"), Value::List(filled)) }
}
