//! What must hold of the supergraph as a whole.

mod authorization;
mod inaccessible;
mod interfaces;
mod requirements;

use apollo_compiler::Schema;

use crate::error::CompositionError;
use crate::subgraph::Graph;

/// Checks the merged schema before it is printed.
pub(crate) fn all(schema: &Schema, graphs: &[Graph]) -> Result<(), Vec<CompositionError>> {
    let mut errors = interfaces::check(schema, graphs);
    errors.extend(inaccessible::check(schema, graphs));
    errors.extend(authorization::check(schema, graphs));
    errors.extend(requirements::check(schema, graphs));
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
