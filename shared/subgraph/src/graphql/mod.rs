//! The part of the schema that all subgraphs share, byte for byte, and the parts that resolvers are made of.

mod directive;
mod guard;
mod in_order;
mod money;
mod page;
mod scalar;
mod session;

use std::sync::{Arc, LazyLock};

use async_graphql::{Context, ObjectType, Schema, SchemaBuilder, SubscriptionType, ValidationMode};
use auth::{ShopContext, Viewer};
use common::{Entity, Fault, Id};

pub use directive::authenticated;
pub use guard::{Authenticated, Scope, ServiceOnly};
pub use in_order::{InOrder, Listed};
pub use money::{Money, MoneyInput};
pub use page::{Connection, Edge, PageInfo};
pub use scalar::{
    CountryCode, CurrencyCode, DateTime, Decimal, IdempotencyKey, LanguageTag, MinorUnits, ServiceCall,
};
pub use session::{begin_session, note};
pub(crate) use session::{pass_on_notes, pass_on_session};

/// A schema builder with the limits of a subgraph: the gateway has validated already, and has tighter ones.
pub fn schema<Q, M, S>(query: Q, mutation: M, subscription: S) -> SchemaBuilder<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    Schema::build(query, mutation, subscription)
        .enable_federation()
        .enable_subscription_in_federation()
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(64)
        .limit_depth(32)
        .limit_directives(50)
}

/// Who asks. Every request has a viewer; one that was let in without is nobody. What looks at the viewer is answered for
/// that viewer alone: whoever wants to know only where they stand asks for the [`shop`].
pub fn viewer<'c>(context: &Context<'c>) -> &'c Arc<Viewer> {
    cache::rely_on_others();
    asking(context)
}

/// The channel, currency, country and language that the request is about, whoever asks.
pub fn shop<'c>(context: &Context<'c>) -> &'c ShopContext {
    &asking(context).context
}

fn asking<'c>(context: &Context<'c>) -> &'c Arc<Viewer> {
    static NOBODY: LazyLock<Arc<Viewer>> = LazyLock::new(|| Arc::new(Viewer::anonymous()));
    context.data_opt::<Arc<Viewer>>().unwrap_or(&NOBODY)
}

/// An id that a client sent, or the fault `BAD_USER_INPUT`.
pub fn parse_id<E: Entity>(id: &async_graphql::ID) -> Result<Id<E>, Fault> {
    id.parse().map_err(|error: common::id::ParseIdError| Fault::bad_input(error.to_string()))
}
