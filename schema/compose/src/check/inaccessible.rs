//! `@inaccessible` must leave a schema that stands without what it hides.

use apollo_compiler::Schema;

use crate::error::CompositionError;

pub(super) fn check(_schema: &Schema) -> Vec<CompositionError> {
    Vec::new()
}
