//! Who may have people logged in here. The same two clients as in the realm for Keycloak.

use auth::SigningKey;
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

/// The gateway.
pub const WEB: &str = "techpotli-web";

/// A client.
pub(super) struct Client {
    pub(super) id: &'static str,
    /// None for a client that cannot keep one.
    secret: Option<SecretString>,
    /// Where codes may be sent, letter by letter.
    pub(super) redirect_uri: String,
    /// Where people may be sent after they have logged out.
    pub(super) after_logout: String,
    /// What a page's form may lead to, for its policy.
    pub(super) form_action: &'static str,
}

pub(super) struct Clients {
    web: Client,
    mobile: Client,
    web_secret: SecretString,
}

impl Clients {
    /// With a web site at this base.
    pub(super) fn of(base: &str, key: &SigningKey) -> Self {
        let secret = key.secret_for("oidc client", WEB.as_bytes());
        let web_secret = SecretString::from(BASE64URL_NOPAD.encode(&secret));
        let web = Client {
            id: WEB,
            secret: Some(web_secret.clone()),
            redirect_uri: format!("{base}/auth/callback"),
            after_logout: format!("{base}/"),
            form_action: "'self'",
        };
        let mobile = Client {
            id: "techpotli-mobile",
            secret: None,
            redirect_uri: "com.techpotli.app:/callback".into(),
            after_logout: "com.techpotli.app:/signed-out".into(),
            form_action: "'self' com.techpotli.app:",
        };
        Self { web, mobile, web_secret }
    }

    pub(super) fn find(&self, id: &str) -> Option<&Client> {
        [&self.web, &self.mobile].into_iter().find(|client| client.id == id)
    }

    pub(super) fn web_secret(&self) -> SecretString {
        self.web_secret.clone()
    }
}

impl Client {
    /// Whether this is the client's secret; a client without one sends none.
    pub(super) fn is_secret(&self, sent: Option<&str>) -> bool {
        match (&self.secret, sent) {
            (Some(secret), Some(sent)) => secret.expose_secret().as_bytes().ct_eq(sent.as_bytes()).into(),
            (None, None | Some("")) => true,
            _ => false,
        }
    }
}
