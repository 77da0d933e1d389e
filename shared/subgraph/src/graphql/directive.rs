//! Directives that async-graphql does not write by itself.

use async_graphql::TypeDirective;

/// Marks a field that needs a logged-in user: `#[graphql(directive = authenticated::apply())]`. The gateway enforces it,
/// and the subgraph's guard does again.
#[TypeDirective(location = "FieldDefinition", location = "Object")]
pub fn authenticated() {}
