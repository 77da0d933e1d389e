//! The accounts through their schema: GraphQL in, JSON out, on a database of their own.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it is made of")]

mod address;
mod entity;
mod identity;
mod password_reset;
mod register;
mod seeded;
mod session;

use std::sync::Arc;

use auth::{ShopContext, TokenVerifier, Viewer};
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use subgraph::testing::{self, Folder};
use subgraph::{Ports, Subgraph};
use users::PasswordCost;

/// A password that is good enough.
const PASSWORD: &str = "correct horse battery";

/// The subgraph on a bench.
struct Bench {
    ports: Ports,
    subgraph: Subgraph,
    verifier: TokenVerifier,
    _folder: Folder,
}

/// A log-in.
struct Login {
    viewer: Viewer,
    refresh_token: String,
}

impl Bench {
    async fn new() -> Self {
        let (ports, folder) = testing::ports(users::NAME, users::migrations).await;
        let subgraph = users::build_with(&ports, PasswordCost::CHEAPEST);
        let verifier = TokenVerifier::new(&ports.keys.session.verifying(), ports.clock.clone());
        Self { ports, subgraph, verifier, _folder: folder }
    }

    async fn run(&self, viewer: &Viewer, document: &str, variables: Value) -> Value {
        testing::run(&self.subgraph, viewer, document, variables).await
    }

    /// The answer to a mutation `field(input: …)` without its top-level wrapping.
    async fn mutate(&self, viewer: &Viewer, field: &str, selection: &str, input: Value) -> Value {
        let kind = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let document = format!("mutation M($i: {kind}!) {{ {field}(input: $i) {{ {selection} }} }}");
        let answer = self.run(viewer, &document, json!({ "i": input })).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"][field].clone()
    }

    async fn register(&self, email: &str) -> Value {
        let input = json!({ "email": email, "password": PASSWORD });
        let selection = "user { id email } userErrors { code field message }";
        self.mutate(&Viewer::anonymous(), "userRegister", selection, input).await
    }

    async fn try_login(&self, email: &str, password: &str) -> Value {
        let selection =
            "result { __typename ... on Session { accessToken refreshToken expiresAt user { email } } }
            userErrors { code field message }";
        let input = json!({ "email": email, "password": password });
        self.mutate(&Viewer::anonymous(), "sessionCreate", selection, input).await
    }

    async fn login(&self, email: &str) -> Login {
        let answer = self.try_login(email, PASSWORD).await;
        self.read_login(&answer).unwrap_or_else(|| panic!("no session: {answer}"))
    }

    /// Registers and logs in.
    async fn newcomer(&self, email: &str) -> Login {
        self.register(email).await;
        self.login(email).await
    }

    /// Registers, grants roles and logs in.
    async fn staff(&self, email: &str, roles: &str) -> Login {
        self.register(email).await;
        let grant = format!("UPDATE user SET roles = '{roles}' WHERE email = '{email}'");
        self.ports.database.schema().execute_unprepared(&grant).await.unwrap();
        self.login(email).await
    }

    async fn try_refresh(&self, token: &str) -> Value {
        let selection =
            "result { __typename ... on Session { accessToken refreshToken expiresAt user { email } } }
            userErrors { code field message }";
        let input = json!({ "refreshToken": token });
        self.mutate(&Viewer::anonymous(), "sessionRefresh", selection, input).await
    }

    /// The log-in in a session payload, its access token verified as the gateway does.
    fn read_login(&self, payload: &Value) -> Option<Login> {
        let session = &payload["result"];
        let access_token = session["accessToken"].as_str()?;
        let (viewer, ends) = self.verifier.verify(access_token, ShopContext::default()).unwrap();
        assert_eq!(session["expiresAt"], json!(ends.to_string()));
        Some(Login { viewer, refresh_token: session["refreshToken"].as_str()?.to_owned() })
    }
}

/// Does `work` so many times at once, on all threads of the runtime.
async fn at_once<T, F>(bench: &Arc<Bench>, times: usize, work: impl Fn(Arc<Bench>, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let runtime = tokio::runtime::Handle::current();
    let begun: Vec<_> = (0..times).map(|turn| runtime.spawn(work(Arc::clone(bench), turn))).collect();
    futures::future::join_all(begun).await.into_iter().map(Result::unwrap).collect()
}

/// The only code among the user errors of a payload.
fn code(payload: &Value) -> &str {
    match payload["userErrors"].as_array().map(Vec::as_slice) {
        Some([error]) => error["code"].as_str().unwrap_or_default(),
        _ => panic!("not one user error: {payload}"),
    }
}
