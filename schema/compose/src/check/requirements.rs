//! The arguments that `@requires` gives must be those that the merged fields take.

use apollo_compiler::Schema;

use crate::error::{CompositionError, ErrorCode};
use crate::subgraph::{Graph, Purpose, each_field, field};

pub(super) fn check(schema: &Schema, graphs: &[Graph]) -> Vec<CompositionError> {
    let mut errors = Vec::new();
    for graph in graphs {
        for used in graph.facts.field_sets.iter().filter(|used| used.purpose == Purpose::Requires) {
            let Ok(selection) = &used.selection else { continue };
            let coordinate = used.coordinate();
            let mut report = |problem: String| {
                let message =
                    format!("on field \"{coordinate}\", for @requires(fields: {:?}): {problem}", used.text);
                let code = ErrorCode::RequiresInvalidFields;
                errors.push(CompositionError::within(code, &graph.name, coordinate.as_str(), message));
            };
            each_field(selection, &mut |parent, selected| {
                let Some(merged) = schema.types.get(parent).and_then(|ty| field(ty, &selected.name)) else {
                    return;
                };
                let target = format!("{parent}.{}", selected.name);
                for given in
                    selected.arguments.iter().filter(|given| merged.argument_by_name(&given.name).is_none())
                {
                    report(format!(
                        "cannot provide a value for argument \"{}\" of field \"{target}\", which not all subgraphs define",
                        given.name
                    ));
                }
                for wanted in merged.arguments.iter().filter(|wanted| wanted.is_required()) {
                    if !selected.arguments.iter().any(|given| given.name == wanted.name) {
                        report(format!(
                            "no value provided for argument \"{}\" of field \"{target}\", which is required",
                            wanted.name
                        ));
                    }
                }
            });
        }
    }
    errors
}
