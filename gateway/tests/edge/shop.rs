//! A subgraph with a bit of everything, in the process. It answers whole objects and lets the engine pick.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql_value::{ConstValue, Variables};
use auth::{Actor, Asker, Viewer};
use engine::{LocalError, LocalRequest, LocalResponse, LocalSubgraph, Prepared, RequestContext};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use serde_json::{Value, json};

pub const SDL: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5",
        import: ["@authenticated", "@requiresScopes"])
    type Query {
        hello: String
        product: Product
        products(first: Int = 10): [Product!]!
        whoami: String!
        orders: String @authenticated
        ledger: String @requiresScopes(scopes: [["ledger:read"]])
        slow: String
        broken: String
        panics: String
        echo(text: String!, n: Int): String
    }
    type Product { id: ID! title: String! similar(first: Int = 10): [Product!]! parent: Product }
    type Mutation { add(n: Int!): Int! }
    type Subscription { ticks: Int! forever: Int! mine: Int @authenticated }
"#;

/// Counts subscriptions that are running.
#[derive(Default)]
pub struct Shop {
    pub running: Arc<AtomicUsize>,
    pub calls: Arc<AtomicUsize>,
}

impl LocalSubgraph for Shop {
    fn prepare(&self, document: &str) -> Prepared {
        Arc::new(document.to_owned())
    }

    fn call<'a>(
        &'a self,
        request: LocalRequest<'a>,
        context: &'a RequestContext,
    ) -> BoxFuture<'a, LocalResponse> {
        let LocalRequest { prepared, variables, .. } = request;
        self.calls.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            let document = prepared.downcast_ref::<String>().unwrap();
            if document.contains("slow") {
                std::future::pending::<()>().await;
            }
            assert!(!document.contains("panics"), "the subgraph has a bug");
            let product = json!({ "id": "p1", "title": "Chair", "similar": [], "parent": null });
            let viewer = &context.local::<Asker>().expect("the gateway hands the viewer over").viewer;
            let echo =
                variables.values().next().map_or(Value::Null, |text| text.clone().into_json().unwrap());
            let data = json!({
                "hello": "world",
                "product": product,
                "products": [product, product],
                "whoami": describe(viewer),
                "orders": "two",
                "ledger": "balanced",
                "broken": null,
                "echo": echo,
                "add": 3,
            });
            let errors = if document.contains("broken") { vec![fault()] } else { Vec::new() };
            LocalResponse {
                data: value(data),
                errors,
                extensions: value(json!({ "sql": 1, "statements": ["SELECT 1"] })),
            }
        })
    }

    fn subscribe(
        self: Arc<Self>,
        prepared: Prepared,
        _: Variables,
        _: Arc<RequestContext>,
    ) -> BoxStream<'static, LocalResponse> {
        let running = Running::begin(self.running.clone());
        let event = |field: &str, n: u64| LocalResponse {
            data: value(json!({ field: n })),
            ..LocalResponse::default()
        };
        if prepared.downcast_ref::<String>().unwrap().contains("ticks") {
            return stream::iter(1..=3).map(move |n| event("ticks", n)).boxed();
        }
        let first = stream::iter([event("forever", 0)]);
        let rest = stream::once(async move {
            let _running = running;
            std::future::pending::<LocalResponse>().await
        });
        first.chain(rest).boxed()
    }
}

/// One more running subscription as long as it lives.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn begin(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn describe(viewer: &Viewer) -> String {
    let context = &viewer.context;
    let who = match &viewer.actor {
        Actor::Anonymous => "guest",
        Actor::User { .. } => "user",
        Actor::Service(_) => "service",
    };
    format!("{who} {} {} {} {}", context.channel, context.currency, context.country, context.locale)
}

fn fault() -> LocalError {
    LocalError { message: "password=hunter2 at db.internal".into(), ..LocalError::default() }
}

fn value(json: Value) -> ConstValue {
    ConstValue::from_json(json).unwrap()
}
