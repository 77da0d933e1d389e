//! The viewer: who asks, what they may, and in which shop they stand.

use common::id::{SessionId, UserId};
use common::{Currency, Fault, FaultCode};
use serde::{Deserialize, Serialize};

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Nobody is logged in.
    Anonymous,
    /// A person with a session.
    User {
        /// Who it is.
        id: UserId,
        /// The login.
        session: SessionId,
    },
    /// Another subgraph, by its name, or a scheduled job.
    Service(String),
}

/// Channel, currency, country and language of a request, resolved once by the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ShopContext {
    /// Code of the sales channel.
    pub channel: String,
    /// What prices are shown in.
    pub currency: Currency,
    /// ISO 3166-1 alpha-2 code of the country that goods are sent to.
    pub country: String,
    /// BCP 47 tag of the language.
    pub locale: String,
}

impl Default for ShopContext {
    fn default() -> Self {
        Self { channel: "us".into(), currency: Currency::USD, country: "US".into(), locale: "en".into() }
    }
}

/// Who asks, what they may, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Viewer {
    /// Who.
    pub actor: Actor,
    /// What they may, such as `orders:read`.
    pub scopes: Vec<String>,
    /// Where they stand.
    pub context: ShopContext,
}

impl Viewer {
    /// Somebody who has not logged in.
    pub fn anonymous() -> Self {
        Self { actor: Actor::Anonymous, scopes: Vec::new(), context: ShopContext::default() }
    }

    /// A person with a session and no special scopes.
    pub fn user(id: UserId, session: SessionId) -> Self {
        Self { actor: Actor::User { id, session }, ..Self::anonymous() }
    }

    /// Another subgraph.
    pub fn service(name: &str) -> Self {
        Self { actor: Actor::Service(name.to_owned()), ..Self::anonymous() }
    }

    /// The same viewer with these scopes.
    #[must_use]
    pub fn with_scopes(mut self, scopes: &[&str]) -> Self {
        self.scopes = scopes.iter().map(ToString::to_string).collect();
        self
    }

    /// The user, where one is logged in.
    pub fn user_id(&self) -> Option<UserId> {
        match &self.actor {
            Actor::User { id, .. } => Some(*id),
            _ => None,
        }
    }

    /// The login, where there is one.
    pub fn session_id(&self) -> Option<SessionId> {
        match &self.actor {
            Actor::User { session, .. } => Some(*session),
            _ => None,
        }
    }

    /// The user, or the fault `UNAUTHENTICATED`.
    pub fn require_user(&self) -> Result<UserId, Fault> {
        self.user_id().ok_or_else(|| Fault::new(FaultCode::Unauthenticated, "Log in first."))
    }

    /// Whether this is a call from another subgraph.
    pub fn is_service(&self) -> bool {
        matches!(self.actor, Actor::Service(_))
    }

    /// Whether the scope was granted.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// `Ok` with the scope, else `UNAUTHENTICATED` or `FORBIDDEN`.
    pub fn require_scope(&self, scope: &str) -> Result<(), Fault> {
        if self.has_scope(scope) {
            return Ok(());
        }
        match self.actor {
            Actor::Anonymous => Err(Fault::new(FaultCode::Unauthenticated, "Log in first.")),
            _ => Err(Fault::new(FaultCode::Forbidden, "You may not do this.")),
        }
    }

    /// `Ok` for a call from another subgraph, else `FORBIDDEN`.
    pub fn require_service(&self) -> Result<(), Fault> {
        if self.is_service() { Ok(()) } else { Err(Fault::new(FaultCode::Forbidden, "You may not do this.")) }
    }

    /// A name for the actor, for idempotency scopes and timelines: the user's id, the service's name, or `guest`.
    pub fn actor_name(&self) -> String {
        match &self.actor {
            Actor::Anonymous => "guest".to_owned(),
            Actor::User { id, .. } => id.to_string(),
            Actor::Service(name) => name.clone(),
        }
    }
}
