//! A real Keycloak with the shop's realm, and its administration.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use serde_json::{Value, json};
use services::{Ground, Service, keycloak};
use tokio::task::spawn_blocking;

use crate::client::{Answer, Client};
use crate::visitor::Visitor;

/// Everybody's password there.
pub const PASSWORD: &str = "a-long-enough-secret";

/// A Keycloak.
pub struct Keycloak {
    running: Arc<keycloak::Keycloak>,
    client: Client,
}

impl Keycloak {
    /// Starts it; `Err` within says why there is none here.
    pub async fn start() -> anyhow::Result<Result<Self, String>> {
        let started = spawn_blocking(|| {
            if let Err(unavailable) = Service::Keycloak.install() {
                return anyhow::Ok(Err(unavailable.to_string()));
            }
            Ok(Ok(keycloak::start(&Ground::temporary()?, Path::new(&keycloak::realm()))?))
        });
        Ok(started.await??.map(|running| Self::of(Arc::new(running))))
    }

    /// One that runs already.
    pub fn of(running: Arc<keycloak::Keycloak>) -> Self {
        Self { running, client: Client::guest("") }
    }

    pub fn issuer(&self) -> String {
        self.running.issuer()
    }

    pub const fn secret() -> &'static str {
        keycloak::CLIENT_SECRET
    }

    /// Ends it as in a power cut.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.running.server.kill()
    }

    /// Lets the web client come back to this gateway, as its realm file does with the public URL.
    pub async fn know_gateway(&self, base: &str) -> anyhow::Result<()> {
        let change = |client: &mut Value| {
            client["redirectUris"] = json!([format!("{base}/auth/callback")]);
            client["attributes"]["post.logout.redirect.uris"] = json!(format!("{base}/"));
        };
        self.change_web_client(change).await?;
        self.tell_of_log_outs(base).await
    }

    /// Has this gateway told of sessions that end.
    pub async fn tell_of_log_outs(&self, base: &str) -> anyhow::Result<()> {
        let url = format!("{base}/auth/backchannel-logout");
        self.change_web_client(|client| client["attributes"]["backchannel.logout.url"] = json!(url)).await
    }

    async fn change_web_client(&self, change: impl FnOnce(&mut Value)) -> anyhow::Result<()> {
        let found = self.admin("GET", "/clients?clientId=techpotli-web", None).await?.json()?;
        let mut client = found[0].clone();
        let id = client["id"].as_str().context("the client has an id")?.to_owned();
        change(&mut client);
        self.admin("PUT", &format!("/clients/{id}"), Some(client)).await.map(drop)
    }

    /// Makes a user; returns their id.
    pub async fn add_user(&self, email: &str, verified: bool, roles: &[&str]) -> anyhow::Result<String> {
        let user = json!({
            "username": email, "email": email, "emailVerified": verified, "enabled": true,
            "firstName": "Some", "lastName": "Body", "requiredActions": [],
            "credentials": [{ "type": "password", "value": PASSWORD, "temporary": false }],
        });
        let made = self.admin("POST", "/users", Some(user)).await?;
        let at = made.headers.get(header::LOCATION).context("a user has an address")?.to_str()?;
        let id = at.rsplit('/').next().context("an id")?.to_owned();
        for role in roles {
            let role = self.admin("GET", &format!("/roles/{role}"), None).await?.json()?;
            let path = format!("/users/{id}/role-mappings/realm");
            self.admin("POST", &path, Some(json!([role]))).await?;
        }
        Ok(id)
    }

    /// Ends all sessions of a user, as support does.
    pub async fn log_out(&self, user: &str) -> anyhow::Result<()> {
        self.admin("POST", &format!("/users/{user}/logout"), None).await.map(drop)
    }

    /// Has a user do something at the next log-in.
    pub async fn require(&self, user: &str, action: &str) -> anyhow::Result<()> {
        let path = format!("/users/{user}");
        let mut changed = self.admin("GET", &path, None).await?.json()?;
        changed["requiredActions"] = json!([action]);
        self.admin("PUT", &path, Some(changed)).await.map(drop)
    }

    /// Whether wrong passwords have locked a user.
    pub async fn is_locked(&self, user: &str) -> anyhow::Result<bool> {
        let path = format!("/attack-detection/brute-force/users/{user}");
        let state = self.admin("GET", &path, None).await?.json()?;
        state["disabled"].as_bool().with_context(|| format!("locked or not: {state}"))
    }

    /// Ends such a lock, as support does.
    pub async fn unlock(&self, user: &str) -> anyhow::Result<()> {
        let path = format!("/attack-detection/brute-force/users/{user}");
        self.admin("DELETE", &path, None).await.map(drop)
    }

    /// One call of the administration of the realm.
    async fn admin(&self, method: &str, path: &str, body: Option<Value>) -> anyhow::Result<Answer> {
        let base = self.running.server.url();
        let realm = &self.running.realm;
        let fields = [
            ("grant_type", "password"),
            ("client_id", "admin-cli"),
            ("username", "admin"),
            ("password", &self.running.admin_password),
        ];
        let token = format!("{base}/realms/master/protocol/openid-connect/token");
        let token = Visitor::new().post(&token, &fields).await?.json()?;
        let token = token["access_token"].as_str().context("the administrator has a token")?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{base}/admin/realms/{realm}{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json");
        let body = body.map_or_else(Bytes::new, |body| body.to_string().into());
        let answer = self.client.send(request.body(Full::new(body))?).await?;
        ensure!((200..300).contains(&answer.status), "{method} {path}: {} {}", answer.status, answer.text);
        Ok(answer)
    }
}
