//! The API schema: what clients see of a supergraph, printed so that equal schemas give equal text.

use apollo_compiler::Node;
use apollo_compiler::Schema;
use apollo_compiler::ast::{FieldDefinition, InputValueDefinition};
use apollo_compiler::schema::{Component, ExtendedType};
use supergraph::{Supergraph, SupergraphError};

use crate::print;

/// The API schema of a supergraph as SDL: no join machinery, nothing inaccessible, everything sorted by
/// name. Equal schemas print equally, whichever composer made the supergraph.
pub fn api_schema(supergraph_sdl: &str) -> Result<String, SupergraphError> {
    Ok(print_sorted(Supergraph::parse(supergraph_sdl)?.api_schema()))
}

/// Prints a schema with all its parts sorted by name.
pub(crate) fn print_sorted(schema: &Schema) -> String {
    let mut schema = schema.clone();
    for ty in schema.types.values_mut() {
        match ty {
            ExtendedType::Scalar(_) => {}
            ExtendedType::Object(object) => {
                let object = object.make_mut();
                object.implements_interfaces.sort_by(|a, b| a.name.cmp(&b.name));
                object.fields.sort_unstable_keys();
                object.fields.values_mut().for_each(sort_arguments);
            }
            ExtendedType::Interface(interface) => {
                let interface = interface.make_mut();
                interface.implements_interfaces.sort_by(|a, b| a.name.cmp(&b.name));
                interface.fields.sort_unstable_keys();
                interface.fields.values_mut().for_each(sort_arguments);
            }
            ExtendedType::Union(union) => union.make_mut().members.sort_by(|a, b| a.name.cmp(&b.name)),
            ExtendedType::Enum(definition) => definition.make_mut().values.sort_unstable_keys(),
            ExtendedType::InputObject(input) => input.make_mut().fields.sort_unstable_keys(),
        }
    }
    print::schema(&schema)
}

fn sort_arguments(field: &mut Component<FieldDefinition>) {
    let by_name = |a: &Node<InputValueDefinition>, b: &Node<InputValueDefinition>| a.name.cmp(&b.name);
    if !field.arguments.is_sorted_by(|a, b| a.name <= b.name) {
        field.make_mut().arguments.sort_by(by_name);
    }
}
