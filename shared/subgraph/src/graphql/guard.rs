//! Guards at fields: who may not pass gets a coded error and the resolver never runs.

use async_graphql::{Context, Guard, Result};

use super::viewer;

/// Somebody must be logged in.
pub struct Authenticated;

impl Guard for Authenticated {
    async fn check(&self, context: &Context<'_>) -> Result<()> {
        viewer(context).require_user()?;
        Ok(())
    }
}

/// The viewer must hold this scope.
pub struct Scope(pub &'static str);

impl Guard for Scope {
    async fn check(&self, context: &Context<'_>) -> Result<()> {
        viewer(context).require_scope(self.0)?;
        Ok(())
    }
}

/// Another subgraph must be calling.
pub struct ServiceOnly;

impl Guard for ServiceOnly {
    async fn check(&self, context: &Context<'_>) -> Result<()> {
        viewer(context).require_service()?;
        Ok(())
    }
}
