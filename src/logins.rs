//! How people log in: at the identity provider of the settings, or at the shop itself.

use std::net::SocketAddr;
use std::sync::Arc;

use auth::TokenVerifier;
use axum::Router;
use common::Clock;
use gateway::{Gateway, LoginConfig, Logins, Transport};
use runtime::Tasks;
use subgraph::{Keys, Peers};

use crate::accounts::LinkedAccounts;
use crate::issuer::{self, Issuer};
use crate::settings::Settings;

/// Log-ins, and where they lead to.
#[derive(Default)]
pub struct LogIn {
    /// For the gateway.
    pub logins: Option<Logins>,
    /// The provider, where it is the shop itself.
    pub issuer: Option<Issuer>,
}

impl LogIn {
    /// At the identity provider of the settings, or at the shop itself. Accounts are in `users`, which the peers know.
    pub fn open(
        settings: &Settings,
        address: SocketAddr,
        keys: &Keys,
        peers: &Peers,
        tasks: &Tasks,
    ) -> anyhow::Result<Self> {
        let clock = Clock::system();
        if let Some(config) = settings.identity_provider(address) {
            let accounts = Arc::new(LinkedAccounts::new(peers.clone()));
            let logins = Logins::new(config, Transport::network()?, accounts, clock, tasks)?;
            return Ok(Self { logins: Some(logins), issuer: None });
        }
        let public_url = settings.public_url(address);
        let issuer = Issuer::new(&public_url, keys, peers, &clock);
        let config = LoginConfig {
            issuer: issuer.url().to_owned(),
            public_url,
            client_id: issuer::WEB.to_owned(),
            client_secret: Some(issuer.web_secret()),
            audience: String::new(),
            bearer_clients: Vec::new(),
        };
        if let Err(error) = config.check() {
            // Nobody has asked for it: the API and its log-in by `sessionCreate` go on without.
            tracing::warn!(reason = %error, "there is no log-in page: TECHPOTLI_PUBLIC_URL says where browsers find it");
            return Ok(Self::default());
        }
        let verifier = TokenVerifier::new(&keys.session.verifying(), clock.clone());
        let way = Transport::Local(issuer.for_clients());
        let logins = Logins::own(config, way, verifier, clock, tasks)?;
        Ok(Self { logins: Some(logins), issuer: Some(issuer) })
    }
}

/// The routes of a gateway, and of the issuer beside it.
pub fn router(issuer: Option<&Issuer>, gateway: &Gateway) -> Router {
    let own = issuer.map(|issuer| issuer.beside(gateway)).unwrap_or_default();
    gateway.router().merge(own)
}
