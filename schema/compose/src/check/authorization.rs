//! A field that `@requires` others must demand what they demand, or it would leak them.

use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Schema};

use crate::authorization::Demands;
use crate::error::{CompositionError, ErrorCode};
use crate::subgraph::{Graph, Purpose, each_field, field};

pub(super) fn check(schema: &Schema, graphs: &[Graph]) -> Vec<CompositionError> {
    let mut errors = Vec::new();
    for graph in graphs {
        for used in graph.facts.field_sets.iter().filter(|used| used.purpose == Purpose::Requires) {
            let (Ok(selection), Some(name)) = (&used.selection, &used.on_field) else { continue };
            let own = of_type(schema, &used.on_type).and(of_field(schema, &used.on_type, name));
            let mut leaks = Vec::new();
            each_field(selection, &mut |parent, selected| {
                let of_value = of_type(schema, selected.definition.ty.inner_named_type());
                let needed =
                    of_type(schema, parent).and(of_field(schema, parent, &selected.name)).and(of_value);
                if !own.imply(&needed) {
                    leaks.push(format!("{parent}.{}", selected.name));
                }
            });
            if let Some(leak) = leaks.first() {
                let coordinate = used.coordinate();
                let message = format!(
                    "field \"{coordinate}\" does not specify the @authenticated, @requiresScopes or @policy requirements \
                     that are necessary to access the field \"{leak}\" that it @requires"
                );
                let code = ErrorCode::MissingTransitiveAuthRequirements;
                errors.push(CompositionError::within(code, &graph.name, coordinate, message));
            }
        }
    }
    errors
}

fn of_type(schema: &Schema, name: &Name) -> Demands {
    let directives = schema.types.get(name).map(ExtendedType::directives);
    Demands::of(
        directives.into_iter().flat_map(|directives| directives.iter()).map(|directive| &directive.node),
    )
}

fn of_field(schema: &Schema, ty: &Name, name: &Name) -> Demands {
    let field = schema.types.get(ty).and_then(|ty| field(ty, name));
    Demands::of(field.into_iter().flat_map(|field| field.directives.iter()))
}
