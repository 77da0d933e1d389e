//! Can every field be reached from every place that offers it?

use supergraph::Supergraph;

use crate::error::CompositionError;

pub(crate) fn check(_supergraph: &Supergraph) -> Result<(), Vec<CompositionError>> {
    Ok(())
}
