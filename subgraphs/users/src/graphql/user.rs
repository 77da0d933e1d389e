//! Users: what everybody may know of them, and what only they, support and other services may.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use common::id::AddressId;
use common::{Cursor, Fault, FaultCode, PageArgs};
use subgraph::graphql::{Connection, DateTime, LanguageTag, viewer};

use super::address::Address;
use super::loader::Loaders;
use super::part;
use crate::domain::access::Reach;
use crate::domain::role;
use crate::entity::{address, user};
use crate::service::Accounts;

/// A way to prove one's identity beside the password.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum MfaMethod {
    /// A code of an authenticator app.
    Totp,
    /// A security key or passkey.
    Webauthn,
    /// A code sent to the phone.
    Sms,
}

/// What a user is in the shop.
#[derive(SimpleObject)]
pub struct Role {
    /// The role's name, such as `customer` or `support`.
    pub name: String,
    /// What the role permits, such as `orders:read`.
    pub scopes: Vec<String>,
}

impl From<role::Role> for Role {
    fn from(role: role::Role) -> Self {
        let scopes = role.scopes().iter().map(|scope| scope.as_str().to_owned()).collect();
        Self { name: role.name().to_owned(), scopes }
    }
}

/// A person with an account.
pub struct User {
    account: Arc<user::Model>,
    /// Whether this request proved by password or token that it comes from this user, logged in before or not.
    proven: bool,
}

impl User {
    /// A user, of whom the viewer sees what they may.
    pub fn seen(account: Arc<user::Model>) -> Self {
        Self { account, proven: false }
    }

    /// A user who has just registered or logged in.
    pub fn proven(account: user::Model) -> Self {
        Self { account: Arc::new(account), proven: true }
    }

    /// The account, if the viewer may see its personal data, and how far they reach.
    fn personal(&self, context: &Context<'_>) -> Result<(&user::Model, Reach), Fault> {
        if self.proven {
            return Ok((&self.account, Reach::Own(self.account.id)));
        }
        match Reach::of(viewer(context)) {
            reach if reach.covers(self.account.id) => Ok((&self.account, reach)),
            Reach::Nobody => Err(Fault::new(FaultCode::Unauthenticated, "Log in first.")),
            _ => Err(Fault::new(FaultCode::Forbidden, "This is known to the user alone.")),
        }
    }

    async fn default_address(
        &self,
        context: &Context<'_>,
        which: fn(&user::Model) -> Option<AddressId>,
    ) -> Result<Option<Address>> {
        let (account, reach) = self.personal(context)?;
        let Some(id) = which(account) else { return Ok(None) };
        Ok(Loaders::of(context)?.addresses.load((reach, id)).await?.map(Address::from))
    }
}

/// A person with an account. Everybody may see `id` and `displayName`; the rest is for the user alone, and for staff
/// with the scope `users:read`.
#[Object]
impl User {
    /// The account's id.
    pub async fn id(&self) -> ID {
        self.account.id.into()
    }

    /// Rises with every change of the account.
    async fn version(&self, context: &Context<'_>) -> Result<i32> {
        Ok(self.personal(context)?.0.version)
    }

    /// The e-mail address, in lower case. No two accounts have the same.
    async fn email(&self, context: &Context<'_>) -> Result<&str> {
        Ok(&self.personal(context)?.0.email)
    }

    /// Whether the user has proved that mail to the address reaches them.
    async fn email_verified(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.personal(context)?.0.email_verified)
    }

    /// The telephone number: digits after a `+` and the country's number.
    async fn phone(&self, context: &Context<'_>) -> Result<Option<&str>> {
        Ok(self.personal(context)?.0.phone.as_deref())
    }

    /// The name that others see, under a review for example.
    async fn display_name(&self) -> Option<&str> {
        self.account.display_name.as_deref()
    }

    /// The language in which the user is written to.
    async fn locale(&self, context: &Context<'_>) -> Result<LanguageTag> {
        Ok(LanguageTag(self.personal(context)?.0.locale.clone()))
    }

    /// What the user is in the shop.
    async fn roles(&self, context: &Context<'_>) -> Result<Vec<Role>> {
        Ok(self.personal(context)?.0.roles.iter().map(Role::from).collect())
    }

    /// The second factors that the user has set up.
    async fn mfa_methods(&self, context: &Context<'_>) -> Result<Vec<MfaMethod>> {
        self.personal(context)?;
        // Nobody can set one up yet.
        Ok(Vec::new())
    }

    /// The address book, oldest first.
    async fn addresses(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "How many, at most 100.", default_with = "Some(20)")] first: Option<i32>,
        #[graphql(desc = "The `endCursor` of the page before.")] after: Option<String>,
    ) -> Result<Connection<Address>> {
        let (account, _) = self.personal(context)?;
        let page = PageArgs::parse(first.unwrap_or(20), after.as_deref()).map_err(Fault::from)?;
        let database = &part::<Accounts>(context)?.ports.database;
        let rows = address::page_of(database.read(), account.id, &page).await?;
        Ok(Connection::new(&page, rows, |row| Cursor::new(&[&row.id]), Address::from))
    }

    /// The address that goods are sent to unless another is chosen.
    async fn default_shipping_address(&self, context: &Context<'_>) -> Result<Option<Address>> {
        self.default_address(context, |account| account.default_shipping_address).await
    }

    /// The address that bills are sent to unless another is chosen.
    async fn default_billing_address(&self, context: &Context<'_>) -> Result<Option<Address>> {
        self.default_address(context, |account| account.default_billing_address).await
    }

    /// When the account was made.
    async fn created_at(&self, context: &Context<'_>) -> Result<DateTime> {
        Ok(self.personal(context)?.0.created_at.into())
    }
}
