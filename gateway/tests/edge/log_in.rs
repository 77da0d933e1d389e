//! Who logs in by an operation is the viewer of what follows in it; only the gateway decides that.

use std::sync::Arc;

use async_graphql_value::{ConstValue, Variables};
use auth::Asker;
use compose::Subgraph;
use engine::{Engine, LocalRequest, LocalResponse, LocalSubgraph, Prepared, RequestContext, Subgraphs};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use gateway::GatewayConfig;
use serde_json::{Value, json};
use supergraph::Supergraph;

use crate::door::{Door, post};

const ACCOUNTS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
    type Query { account(token: String!): Account }
    type Mutation { logIn(token: String!): Account }
    type Account @key(fields: "id") { id: ID! }
"#;

const LETTERS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@authenticated"])
    type Mutation { write: String }
    type Account @key(fields: "id") { id: ID! letters: String drafts: String @authenticated }
"#;

/// Passes on as the new session whatever the client sends, as a subgraph would that is not to be trusted.
struct Accounts;

/// Tells everybody who they are.
struct Letters;

impl LocalSubgraph for Accounts {
    fn prepare(&self, _: &str) -> Prepared {
        Arc::new(())
    }

    fn call<'a>(&'a self, request: LocalRequest<'a>, _: &'a RequestContext) -> BoxFuture<'a, LocalResponse> {
        let LocalRequest { variables, .. } = request;
        let token = variables.values().next().map(|token| token.clone().into_json().unwrap());
        let account = json!({ "id": "1", "__typename": "Account" });
        let answer = LocalResponse {
            data: value(json!({ "logIn": account, "account": account })),
            errors: Vec::new(),
            extensions: value(json!({ "session": token })),
        };
        Box::pin(async { answer })
    }

    fn subscribe(
        self: Arc<Self>,
        _: Prepared,
        _: Variables,
        _: Arc<RequestContext>,
    ) -> BoxStream<'static, LocalResponse> {
        Box::pin(stream::empty())
    }
}

impl LocalSubgraph for Letters {
    fn prepare(&self, _: &str) -> Prepared {
        Arc::new(())
    }

    fn call<'a>(&'a self, _: LocalRequest<'a>, context: &'a RequestContext) -> BoxFuture<'a, LocalResponse> {
        let viewer = context.local::<Asker>().unwrap().viewer.clone();
        let of = match viewer.user_id() {
            Some(_) => format!("a user's, in {}", viewer.context.currency),
            None => "a guest's".to_owned(),
        };
        let account = json!({ "__typename": "Account", "letters": of, "drafts": of });
        let data = value(json!({ "_entities": [account], "write": of }));
        Box::pin(async { LocalResponse { data, ..LocalResponse::default() } })
    }

    fn subscribe(
        self: Arc<Self>,
        _: Prepared,
        _: Variables,
        _: Arc<RequestContext>,
    ) -> BoxStream<'static, LocalResponse> {
        Box::pin(stream::empty())
    }
}

fn value(json: Value) -> ConstValue {
    ConstValue::from_json(json).unwrap()
}

fn door() -> Door {
    let door = Door::new();
    let published = [("accounts", ACCOUNTS), ("letters", LETTERS)].map(|(name, sdl)| Subgraph {
        name: name.into(),
        url: String::new(),
        sdl: sdl.into(),
    });
    let composed = compose::compose(&published).unwrap_or_else(|errors| panic!("{errors:?}"));
    let supergraph = Arc::new(Supergraph::parse(&composed.supergraph_sdl).unwrap());
    let subgraphs =
        Subgraphs::new().with_local("accounts", Arc::new(Accounts)).with_local("letters", Arc::new(Letters));
    let options = GatewayConfig::default().engine_options();
    door.gateway.replace_engine(Engine::new(supergraph, subgraphs, options).unwrap());
    door
}

async fn log_in(door: &Door, token: &str, selection: &str) -> Value {
    let query = format!("mutation LogIn($token: String!) {{ logIn(token: $token) {{ {selection} }} }}");
    let body = json!({ "query": query, "variables": { "token": token } }).to_string();
    door.send(post(&[("x-currency", "EUR")], &body)).await.json()
}

#[tokio::test]
async fn what_follows_a_log_in_is_asked_as_its_user_in_the_same_shop() {
    let door = door();
    let bearer = door.token(&[]);
    let token = bearer.strip_prefix("Bearer ").unwrap();
    let answer = log_in(&door, token, "letters").await;
    assert_eq!(answer, json!({ "data": { "logIn": { "letters": "a user's, in EUR" } } }));
    let query = "mutation LogIn($token: String!) { logIn(token: $token) { id } write }";
    let body = json!({ "query": query, "variables": { "token": token } }).to_string();
    let answer = door.send(post(&[], &body)).await.json();
    assert_eq!(answer["data"]["write"], "a user's, in USD");
    // The next request is a guest's again.
    assert_eq!(door.query("mutation { write }").await.json()["data"]["write"], "a guest's");
}

#[tokio::test]
async fn a_subgraph_cannot_make_a_viewer() {
    let door = door();
    let bearer = door.token(&[]);
    let good = bearer.strip_prefix("Bearer ").unwrap();
    let forged = Door::new().token(&[]);
    for token in [forged.strip_prefix("Bearer ").unwrap(), &good[..good.len() - 4], bearer.as_str(), ""] {
        let answer = log_in(&door, token, "letters").await;
        assert_eq!(answer, json!({ "data": { "logIn": { "letters": "a guest's" } } }), "{token}");
    }
    // Only mutations log in.
    let query = "query Ask($token: String!) { account(token: $token) { letters } }";
    let body = json!({ "query": query, "variables": { "token": good } }).to_string();
    let answer = door.send(post(&[], &body)).await.json();
    assert_eq!(answer, json!({ "data": { "account": { "letters": "a guest's" } } }));
}

#[tokio::test]
async fn which_fields_an_operation_sees_is_decided_for_whoever_sent_it() {
    let door = door();
    let bearer = door.token(&[]);
    let answer = log_in(&door, bearer.strip_prefix("Bearer ").unwrap(), "letters drafts").await;
    assert_eq!(answer["data"]["logIn"], json!({ "letters": "a user's, in EUR", "drafts": null }));
    assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}
