//! The provider: its discovery document (OpenID Connect Discovery 1.0), read when it is first needed and kept.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::{StatusCode, header};
use common::{Clock, Timestamp};
use openidconnect::core::CoreResponseType;
use openidconnect::url::{self, Url};
use openidconnect::{AsyncHttpClient as _, HttpRequest, IssuerUrl, ProviderMetadataWithLogout};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Mutex;

use super::{LoginConfigError, LoginError, Transport};

/// After so long the document is read again, and the old one serves on where that fails.
const AGE: Duration = Duration::from_secs(60 * 60);
/// After a failure nobody tries again for so long.
const PAUSE: Duration = Duration::from_secs(5);

/// What the document says.
pub(super) struct Discovered {
    pub(super) metadata: ProviderMetadataWithLogout,
    /// Whether answers to the browser name the issuer (RFC 9207).
    pub(super) names_issuer: bool,
    read: Timestamp,
}

pub(super) struct Provider {
    issuer: IssuerUrl,
    pub(super) transport: Transport,
    known: RwLock<Option<Arc<Discovered>>>,
    /// Held by the one who reads, with the time of the last try.
    turn: Mutex<Option<Timestamp>>,
    clock: Clock,
}

impl Provider {
    pub(super) fn new(issuer: &str, transport: Transport, clock: Clock) -> Result<Self, LoginConfigError> {
        Ok(Self {
            issuer: issuer_url(issuer)?,
            transport,
            known: RwLock::default(),
            turn: Mutex::default(),
            clock,
        })
    }

    pub(super) fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// The document, read once however many ask for it.
    pub(super) async fn discovered(&self) -> Result<Arc<Discovered>, LoginError> {
        let within = |age, since: Timestamp| self.clock.now() < since.plus(age);
        let young = |known: &Arc<Discovered>| within(AGE, known.read);
        if let Some(known) = self.known().filter(young) {
            return Ok(known);
        }
        let mut tried = self.turn.lock().await;
        let known = self.known();
        let lately = tried.is_some_and(|tried| within(PAUSE, tried));
        match known {
            Some(known) if young(&known) || lately => return Ok(known),
            None if lately => return Err(LoginError::Unavailable),
            _ => {}
        }
        *tried = Some(self.clock.now());
        match self.discover().await {
            Ok(read) => {
                let read = Arc::new(read);
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(read.clone());
                Ok(read)
            }
            Err(reason) => {
                tracing::warn!(reason, "the identity provider's configuration cannot be read");
                known.ok_or(LoginError::Unavailable)
            }
        }
    }

    fn known(&self) -> Option<Arc<Discovered>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn discover(&self) -> Result<Discovered, String> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let document: Value = self.json(&url).await?;
        let names_issuer =
            document.get("authorization_response_iss_parameter_supported").and_then(Value::as_bool);
        let metadata: ProviderMetadataWithLogout =
            serde_json::from_value(document).map_err(|error| error.to_string())?;
        if metadata.issuer() != &self.issuer {
            return Err(format!("it speaks for {}", metadata.issuer().as_str()));
        }
        let endpoints = [
            Some(metadata.authorization_endpoint().url()),
            metadata.token_endpoint().map(|url| url.url()),
            Some(metadata.jwks_uri().url()),
        ];
        if let Some(exposed) = endpoints.into_iter().flatten().find(|url| !is_private_to_us(url)) {
            return Err(format!("{exposed} would be asked without TLS"));
        }
        let code_flow = metadata
            .response_types_supported()
            .iter()
            .any(|types| types.as_slice() == [CoreResponseType::Code]);
        if !code_flow {
            return Err("it does not support the code flow".to_owned());
        }
        Ok(Discovered { metadata, names_issuer: names_issuer.unwrap_or_default(), read: self.clock.now() })
    }

    /// A JSON document of the provider.
    pub(super) async fn json<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let mut request = HttpRequest::new(Vec::new());
        *request.uri_mut() = url.parse().map_err(|_| format!("{url} is no URL"))?;
        request
            .headers_mut()
            .insert(header::ACCEPT, axum::http::HeaderValue::from_static("application/json"));
        let answer = self.transport.call(request).await.map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("{url} answered {}", answer.status()));
        }
        serde_json::from_slice(answer.body()).map_err(|error| format!("{url}: {error}"))
    }
}

pub(super) fn issuer_url(text: &str) -> Result<IssuerUrl, LoginConfigError> {
    let refused = || LoginConfigError::Issuer(text.to_owned());
    let url = Url::parse(text).map_err(|_| refused())?;
    if !is_private_to_us(&url) || url.query().is_some() || url.fragment().is_some() {
        return Err(refused());
    }
    IssuerUrl::new(text.to_owned()).map_err(|_| refused())
}

/// Whether nobody on the way can read along: TLS, or no way at all.
pub(super) fn is_private_to_us(url: &Url) -> bool {
    let here = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    match url.scheme() {
        "https" => url.has_host(),
        "http" => here,
        _ => false,
    }
}
