//! Every type has the fields of the interfaces it implements.

use apollo_compiler::{Name, Schema};

use crate::error::{CompositionError, ErrorCode, in_subgraphs};
use crate::subgraph::{Graph, field, fields, interfaces};

pub(super) fn check(schema: &Schema, graphs: &[Graph]) -> Vec<CompositionError> {
    let mut errors = Vec::new();
    for (name, ty) in schema.types.iter().filter(|(_, ty)| ty.is_object() || ty.is_interface()) {
        for interface in interfaces(ty) {
            let Some(definition) = schema.types.get(interface) else { continue };
            for wanted in fields(definition) {
                if field(ty, &wanted.name).is_none() {
                    errors.push(missing(graphs, interface, &wanted.name, name));
                }
            }
        }
    }
    errors
}

fn missing(graphs: &[Graph], interface: &Name, wanted: &Name, implementation: &Name) -> CompositionError {
    let having = |graph: &&Graph| graph.get(interface).is_some_and(|ty| field(ty, wanted).is_some());
    let lacking = |graph: &&Graph| graph.get(implementation).is_some();
    let (having, lacking): (Vec<&Graph>, Vec<&Graph>) =
        (graphs.iter().filter(having).collect(), graphs.iter().filter(lacking).collect());
    let message = format!(
        "interface field \"{interface}.{wanted}\" is declared in {} but type \"{implementation}\", which implements \
         \"{interface}\" in {}, does not have field \"{wanted}\"",
        in_subgraphs(having.iter().map(|graph| &graph.name)),
        in_subgraphs(lacking.iter().map(|graph| &graph.name)),
    );
    let places = having
        .iter()
        .map(|graph| graph.at(format!("{interface}.{wanted}")))
        .chain(lacking.iter().map(|graph| graph.at(implementation.as_str())));
    CompositionError::new(ErrorCode::InterfaceFieldNoImplem, message).at(places)
}
