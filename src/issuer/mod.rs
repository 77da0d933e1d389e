//! The shop as an identity provider of its own: OpenID Connect in the process of the gateway, with the accounts and
//! passwords of `users`. The gateway logs people in here as it does at any other provider.
//!
//! - `discovery`: what clients read first
//! - `clients`: who may ask
//! - `authorize`: the log-in page, and the codes that come of it
//! - `codes`: what a code holds
//! - `token`: codes and refresh tokens against tokens
//! - `logout`: the end of a session
//! - `form`, `page`: what people send and see
//!
//! Nothing is kept here: whichever gateway of a shop is asked, it answers the same.

mod authorize;
mod clients;
mod codes;
mod discovery;
mod form;
mod logout;
mod page;
mod token;

use std::sync::Arc;

use auth::{IdTokenSigner, SigningKey};
use axum::Router;
use axum::middleware::map_response;
use axum::routing::{get, post};
use common::id::{SessionId, UserId};
use common::{Clock, Fault};
use events::calls::users::EndSession;
use gateway::Gateway;
use secrecy::SecretString;
use subgraph::{Keys, Peers};

use clients::Clients;
pub use clients::WEB;
use codes::Codes;

/// Below the public URL.
const PATH: &str = "/oidc";
/// In whose name `users` is asked.
const CALLER: &str = "issuer";
/// A try at the log-in page counts like this field, which tries a password too.
const LIKE: &str = "sessionCreate";

/// The issuer. Cheap to clone.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    /// The issuer identifier: the public URL and [`PATH`].
    url: String,
    clients: Clients,
    codes: Codes,
    signer: IdTokenSigner,
    /// Signs ID tokens, and makes the issuer's own secrets.
    key: SigningKey,
    peers: Peers,
    clock: Clock,
}

impl Issuer {
    /// An issuer at this public URL.
    pub fn new(public_url: &str, keys: &Keys, peers: &Peers, clock: &Clock) -> Self {
        let base = public_url.trim_end_matches('/');
        let url = format!("{base}{PATH}");
        Self(Arc::new(Inner {
            clients: Clients::of(base, &keys.session),
            codes: Codes::new(&keys.session, clock.clone()),
            signer: IdTokenSigner::new(&keys.session, clock.clone(), &url),
            key: keys.session.clone(),
            peers: peers.clone(),
            clock: clock.clone(),
            url,
        }))
    }

    /// The issuer identifier.
    pub fn url(&self) -> &str {
        &self.0.url
    }

    /// The secret of the gateway's client, which both know by the key that both have.
    pub fn web_secret(&self) -> SecretString {
        self.0.clients.web_secret()
    }

    /// What clients ask by themselves.
    pub fn for_clients(&self) -> Router {
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(discovery::document))
            .route("/keys", get(discovery::keys))
            .route("/token", post(token::exchange));
        Router::new().nest(PATH, routes.with_state(self.clone()))
    }

    /// All routes, beside those of this gateway and counted by it.
    pub fn beside(&self, gateway: &Gateway) -> Router {
        let log_in = Router::new().route("/authorize", get(authorize::page).post(authorize::log_in));
        let log_out = Router::new().route("/logout", get(logout::log_out).post(logout::log_out));
        let below = |routes: Router<Self>| Router::new().nest(PATH, routes.with_state(self.clone()));
        gateway
            .counted(below(log_in), Some(LIKE))
            .merge(gateway.counted(below(log_out), None))
            .layer(map_response(page::instead_of_json))
            .merge(gateway.counted(self.for_clients(), None))
    }

    /// Ends a session; the gateways hear of that from `users`.
    async fn end(&self, user: UserId, session: SessionId) {
        if let Err(fault) = self.0.peers.ask(CALLER, &EndSession { user, session }).await {
            log(&fault);
        }
    }
}

fn log(fault: &Fault) {
    tracing::warn!(reason = fault.chain(), "the accounts do not answer the issuer");
}
