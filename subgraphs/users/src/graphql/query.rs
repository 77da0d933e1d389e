//! The ways in, and the references by which the gateway comes back to an entity.

use async_graphql::{Context, ID, Object, Result};
use events::calls::users::{EndedSessions, ReadAddress, ReadEmail};
use subgraph::graphql::{Scope, ServiceCall, ServiceOnly, parse_id, viewer};

use super::address::{Address, postal};
use super::loader::Loaders;
use super::part;
use super::user::User;
use crate::domain::access::Reach;
use crate::service::Accounts;

/// Where reading begins.
pub struct Query;

/// Where reading begins.
#[Object]
impl Query {
    /// The user who is logged in; null where nobody is.
    async fn me(&self, context: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = viewer(context).user_id() else { return Ok(None) };
        Ok(Loaders::of(context)?.users.load(id).await?.map(User::seen))
    }

    /// A user by their id; null where there is none.
    #[graphql(guard = "Scope(\"users:read\")", requires_scopes = "users:read")]
    async fn user(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account's id.")] id: ID,
    ) -> Result<Option<User>> {
        Ok(Loaders::of(context)?.users.load(parse_id(&id)?).await?.map(User::seen))
    }

    /// Reads an address of a user's address book for another subgraph.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn address_read(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `ReadAddress`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let asked: ReadAddress = request.read()?;
        // Of the user it is asked for, though a service reaches everybody's.
        let found = Loaders::of(context)?.addresses.load((Reach::Own(asked.user), asked.address)).await?;
        Ok(ServiceCall::reply::<ReadAddress>(&found.map(postal))?)
    }

    /// Where to write to a user. A cart needs it whose owner registered so lately that it has not heard of it.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn email_read(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `ReadEmail`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let asked: ReadEmail = request.read()?;
        let found = Loaders::of(context)?.users.load(asked.user).await?;
        Ok(ServiceCall::reply::<ReadEmail>(&found.map(|user| user.email.clone()))?)
    }

    /// Which sessions have been ended. The gateway refuses their access tokens.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn sessions_ended(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "An `EndedSessions`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let ended = part::<Accounts>(context)?.ended_sessions(&request.read()?).await?;
        Ok(ServiceCall::reply::<EndedSessions>(&ended)?)
    }

    #[graphql(entity)]
    async fn find_user_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<User>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        Ok(Loaders::of(context)?.users.load(id).await?.map(User::seen))
    }

    #[graphql(entity)]
    async fn find_address_by_id(&self, context: &Context<'_>, id: ID) -> Result<Option<Address>> {
        let Ok(id) = id.parse() else { return Ok(None) };
        let reach = Reach::of(viewer(context));
        Ok(Loaders::of(context)?.addresses.load((reach, id)).await?.map(Address::from))
    }
}
