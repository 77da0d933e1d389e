//! An identity provider in the process that signs whatever it is told to, honest or not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use common::id::UserId;
use common::{Clock, Ids, Timestamp};
use data_encoding::BASE64URL_NOPAD as BASE64;
use ed25519_dalek::Signer as _;
use futures::future::BoxFuture;
use gateway::{Account, AccountError, Accounts, GatewayConfig, LoginConfig, Logins, Subject, Transport};
use serde_json::{Value, json};

use crate::door::Door;

pub const ISSUER: &str = "https://id.example";
pub const AUDIENCE: &str = "the-api";
pub const WEB: &str = "the-web";

/// What the provider knows and has been asked.
pub struct Provider {
    pub key: ed25519_dalek::SigningKey,
    pub keys: Mutex<Value>,
    /// How often its keys were read.
    pub reads: AtomicUsize,
    pub is_broken: AtomicBool,
    pub clock: Clock,
    /// The newest refresh token of each session that goes on, by the session's name.
    pub families: Mutex<HashMap<String, String>>,
    /// How often a token was refreshed, or was brought a second time.
    pub refreshes: AtomicUsize,
    pub reuses: AtomicUsize,
}

impl Provider {
    pub fn new() -> Arc<Self> {
        Self::with_key(&[7; 32])
    }

    pub fn with_key(key: &[u8; 32]) -> Arc<Self> {
        let key = ed25519_dalek::SigningKey::from_bytes(key);
        let keys = Mutex::new(json!([jwk("good", &key)]));
        Arc::new(Self {
            key,
            keys,
            reads: AtomicUsize::default(),
            is_broken: AtomicBool::default(),
            clock: Clock::manual(Timestamp(1_800_000_000_000_000)),
            families: Mutex::default(),
            refreshes: AtomicUsize::default(),
            reuses: AtomicUsize::default(),
        })
    }

    /// A gateway that trusts this provider.
    pub fn door(self: &Arc<Self>) -> Door {
        self.door_with(|_| {})
    }

    /// The same with a changed configuration.
    pub fn door_with(self: &Arc<Self>, change: impl FnOnce(&mut GatewayConfig)) -> Door {
        let config = LoginConfig {
            issuer: ISSUER.into(),
            public_url: "https://shop.example".into(),
            client_id: WEB.into(),
            client_secret: None,
            audience: AUDIENCE.into(),
            bearer_clients: vec!["the-app".into()],
        };
        let transport = Transport::Local(self.router());
        Door::at(&self.clock, None, change, |clock, tasks| {
            let people = Arc::new(People(Ids::counted().next()));
            Some(Logins::new(config, transport, people, clock.clone(), tasks).unwrap())
        })
    }

    fn router(self: &Arc<Self>) -> Router {
        let (documents, keys) = (self.clone(), self.clone());
        let discovery = move || {
            let provider = documents.clone();
            async move {
                provider.answer(json!({
                    "issuer": ISSUER,
                    "authorization_endpoint": format!("{ISSUER}/authorize"),
                    "token_endpoint": format!("{ISSUER}/token"),
                    "jwks_uri": format!("{ISSUER}/keys"),
                    "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["EdDSA"],
                }))
            }
        };
        let keys = move || {
            let provider = keys.clone();
            async move {
                provider.reads.fetch_add(1, Ordering::SeqCst);
                // Whoever else wants the keys asks in the meantime.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                let keys = provider.keys.lock().unwrap().clone();
                provider.answer(json!({ "keys": keys }))
            }
        };
        let tokens = self.clone();
        let token = move |Form(asked): Form<HashMap<String, String>>| {
            let provider = tokens.clone();
            async move {
                // Whoever else wants to refresh asks in the meantime.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                provider.exchange(&asked)
            }
        };
        Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/keys", get(keys))
            .route("/token", post(token))
    }

    /// A code is the nonce of the log-in that it ends. A refresh token works once; brought again it ends its session.
    fn exchange(&self, asked: &HashMap<String, String>) -> Response {
        if self.is_broken.load(Ordering::SeqCst) {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        let mut families = self.families.lock().unwrap();
        let (session, nonce) = match asked["grant_type"].as_str() {
            "authorization_code" => (format!("session-{}", families.len()), asked.get("code")),
            _ => {
                let token = &asked["refresh_token"];
                let (session, _) = token.split_once('/').unwrap();
                if families.get(session) != Some(token) {
                    self.reuses.fetch_add(1, Ordering::SeqCst);
                    families.remove(session);
                    let refused = Json(json!({ "error": "invalid_grant" }));
                    return (StatusCode::BAD_REQUEST, refused).into_response();
                }
                self.refreshes.fetch_add(1, Ordering::SeqCst);
                (session.to_owned(), None)
            }
        };
        let number = self.refreshes.load(Ordering::SeqCst);
        let refresh_token = format!("{session}/refresh-token-{number}");
        families.insert(session.clone(), refresh_token.clone());
        Json(json!({
            "access_token": self.access_token(&session),
            "token_type": "Bearer",
            "expires_in": 300,
            "refresh_token": refresh_token,
            "id_token": self.id_token(nonce),
        }))
        .into_response()
    }

    /// An access token of this session.
    pub fn access_token(&self, session: &str) -> String {
        let mut claims = claims(&self.clock);
        claims["sid"] = session.into();
        self.sign(&json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": "good" }).to_string(), &claims.to_string())
    }

    fn id_token(&self, nonce: Option<&String>) -> String {
        let now = self.clock.now().seconds();
        let claims = json!({
            "iss": ISSUER, "aud": [WEB], "sub": "somebody", "iat": now, "exp": now + 300, "nonce": nonce,
        });
        self.sign(&json!({ "alg": "EdDSA", "kid": "good" }).to_string(), &claims.to_string())
    }

    /// By which the provider says that a session has ended.
    pub fn logout_token(&self, session: &str) -> String {
        let now = self.clock.now().seconds();
        let claims = json!({
            "iss": ISSUER, "aud": [WEB], "iat": now, "exp": now + 60, "jti": session, "sid": session,
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        let header = json!({ "alg": "EdDSA", "typ": "logout+jwt", "kid": "good" });
        self.sign(&header.to_string(), &claims.to_string())
    }

    fn answer(&self, document: Value) -> Response {
        match self.is_broken.load(Ordering::SeqCst) {
            true => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            false => Json(document).into_response(),
        }
    }

    /// A token with this header and these claims, signed by the provider's key.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", BASE64.encode(header.as_bytes()), BASE64.encode(claims.as_bytes()));
        let signature = self.key.sign(signed.as_bytes()).to_bytes();
        format!("{signed}.{}", BASE64.encode(&signature))
    }

    /// A good token under this name of a key.
    pub fn token(&self, key: &str, clock: &Clock) -> String {
        let header = json!({ "alg": "EdDSA", "typ": "at+jwt", "kid": key });
        self.sign(&header.to_string(), &claims(clock).to_string())
    }

    pub fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

/// What a good access token says.
pub fn claims(clock: &Clock) -> Value {
    let now = clock.now().seconds();
    json!({
        "iss": ISSUER, "aud": [AUDIENCE], "sub": "somebody", "azp": WEB, "sid": "a-session",
        "iat": now, "exp": now + 300, "email": "some@body.example", "email_verified": true, "roles": ["clerk"],
    })
}

/// The public half of a key, under a name.
pub fn jwk(name: &str, key: &ed25519_dalek::SigningKey) -> Value {
    let x = BASE64.encode(key.verifying_key().as_bytes());
    json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": name, "x": x })
}

/// Accounts of people with a mail address; a clerk may read the ledger.
struct People(UserId);

impl Accounts for People {
    fn account<'a>(&'a self, subject: &'a Subject) -> BoxFuture<'a, Result<Account, AccountError>> {
        Box::pin(async move {
            match &subject.email {
                Some(_) if subject.roles.contains(&"clerk".to_owned()) => {
                    Ok(Account { user: self.0, scopes: vec!["ledger:read".into()] })
                }
                Some(_) => Ok(Account { user: self.0, scopes: Vec::new() }),
                None => Err(AccountError::Refused("There is no address.".into())),
            }
        })
    }
}
