//! A subgraph may define federation's directives itself, if it defines them as they are.

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, DirectiveDefinition, Document, InputValueDefinition};

use crate::error::{CompositionError, ErrorCode};
use crate::federation;
use crate::link::{Links, Version};

/// Checks the definitions of federation's directives in a document, which are then dropped.
pub(super) fn check(subgraph: &str, document: &Document, links: &Links) -> Result<(), Vec<CompositionError>> {
    let mut errors = Vec::new();
    // Federation 1 left the definitions to the servers, which wrote what they liked.
    let checked = links.version > Version::One;
    for definition in document.definitions.iter().filter(|_| checked) {
        let Definition::DirectiveDefinition(own) = definition else { continue };
        let Some(known) = links.directives.get(&own.name).and_then(|full| known(full)) else { continue };
        for problem in problems(own, known) {
            let message = format!("invalid definition for directive \"@{}\": {problem}", own.name);
            let code = ErrorCode::DirectiveDefinitionInvalid;
            errors.push(CompositionError::within(code, subgraph, format!("@{}", own.name), message));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn known(full: &str) -> Option<&'static DirectiveDefinition> {
    federation::definitions().iter().find_map(|definition| match definition {
        Definition::DirectiveDefinition(known) if known.name == full => Some(&**known),
        _ => None,
    })
}

fn problems(own: &DirectiveDefinition, known: &DirectiveDefinition) -> Vec<String> {
    let argument =
        |of: &[Node<InputValueDefinition>], name: &str| of.iter().find(|a| a.name == name).cloned();
    let mut problems = Vec::new();
    for wanted in &known.arguments {
        match argument(&own.arguments, &wanted.name) {
            None if wanted.is_required() => {
                problems.push(format!("missing required argument \"{}\"", wanted.name))
            }
            None => {}
            Some(given) if !same_shape(&given, wanted) => problems.push(format!(
                "argument \"{}\" should have type \"{}\" but found type \"{}\"",
                wanted.name,
                wanted.ty.to_string().replace(federation::PREFIX, ""),
                given.ty
            )),
            Some(given) if given.default_value != wanted.default_value => problems.push(format!(
                "argument \"{}\" should have default value {} but found {}",
                wanted.name,
                printed(wanted),
                printed(&given)
            )),
            Some(_) => {}
        }
    }
    for given in own.arguments.iter().filter(|given| argument(&known.arguments, &given.name).is_none()) {
        problems.push(format!("unknown/unsupported argument \"{}\"", given.name));
    }
    for location in own.locations.iter().filter(|location| !known.locations.contains(location)) {
        problems.push(format!("it does not belong on {}", location.name()));
    }
    problems
}

/// Equal but for the scalar's name, which servers choose, and for what may be null or not.
fn same_shape(given: &InputValueDefinition, wanted: &InputValueDefinition) -> bool {
    let shape = |input: &InputValueDefinition| {
        let name = input.ty.inner_named_type().as_str();
        let built_in = ["Int", "Boolean", "Float", "ID"].contains(&name);
        let kind = if built_in { name } else { "text" };
        // Field sets may come in a list.
        let lists = if input.name == "fields" { 0 } else { input.ty.to_string().matches('[').count() };
        (lists, kind.to_owned())
    };
    shape(given) == shape(wanted)
}

fn printed(input: &InputValueDefinition) -> String {
    input.default_value.as_ref().map_or_else(|| "none".to_owned(), |value| value.to_string())
}
