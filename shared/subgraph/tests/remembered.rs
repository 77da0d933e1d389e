//! Which answers are given again, and until when.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_graphql::{Context, EmptySubscription, Object, Schema, Variables};
use auth::{Caller, Viewer};
use axum::body::Bytes;
use cache::Cache;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use subgraph::graphql::{shop, viewer};
use subgraph::testing::{Folder, START};
use subgraph::{Document, Ports, Subgraph};

/// How often resolvers ran, and what they look into.
#[derive(Clone)]
struct Shelf {
    ran: Arc<AtomicU32>,
    prices: Cache<u8, i32>,
    ports: Ports,
}

impl Shelf {
    fn runs(context: &Context<'_>) -> Self {
        let shelf = context.data_unchecked::<Self>().clone();
        shelf.ran.fetch_add(1, Ordering::Relaxed);
        shelf
    }
}

struct Query;

#[Object]
impl Query {
    async fn price(&self, context: &Context<'_>, number: u8) -> Option<i32> {
        Shelf::runs(context).prices.get(&number)
    }

    /// Low for half a second.
    async fn bargain(&self, context: &Context<'_>) -> i32 {
        let end = START.plus(Duration::from_millis(500));
        let is_on = Shelf::runs(context).ports.clock.now() < end;
        if is_on {
            cache::good_until(end);
        }
        if is_on { 5 } else { 50 }
    }

    async fn stored(&self, context: &Context<'_>) -> bool {
        let shelf = Shelf::runs(context);
        shelf.ports.database.read().execute_unprepared("SELECT 1").await.is_ok()
    }

    async fn others(&self, context: &Context<'_>) -> bool {
        let shelf = Shelf::runs(context);
        shelf.ports.peers.call::<Value>("shelf", "nobody", "{ it }", ()).await.is_err()
    }

    async fn name(&self, context: &Context<'_>) -> String {
        Shelf::runs(context);
        viewer(context).actor_name()
    }

    async fn language(&self, context: &Context<'_>) -> String {
        Shelf::runs(context);
        shop(context).locale.clone()
    }

    async fn broken(&self, context: &Context<'_>) -> async_graphql::Result<i32> {
        Shelf::runs(context);
        Err("it is broken".into())
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn touch(&self, context: &Context<'_>) -> bool {
        Shelf::runs(context);
        true
    }
}

struct Bench {
    subgraph: Subgraph,
    shelf: Shelf,
    _folder: Folder,
}

impl Bench {
    async fn new() -> Self {
        let (ports, folder) = subgraph::testing::ports("shelf", Vec::new).await;
        let prices = Cache::new(10, Duration::from_secs(60));
        prices.insert(prices.epoch(), 1, 100);
        let shelf = Shelf { ran: Arc::default(), prices, ports: ports.clone() };
        let schema = Schema::build(Query, Mutation, EmptySubscription).data(shelf.clone()).finish();
        let sdl = schema.sdl();
        Self { subgraph: Subgraph::new(&ports, schema, sdl, |request| request), shelf, _folder: folder }
    }

    /// Asks as a gateway does: the data, and whether resolvers ran for it.
    async fn ask(&self, document: &str, variables: Value, caller: impl Into<Caller>) -> (Value, bool) {
        let caller = caller.into();
        let body = Bytes::from(json!({ "query": document, "variables": variables }).to_string());
        if let Some(known) = self.subgraph.known(&body, &caller) {
            return (
                serde_json::from_slice::<Value>(&known).expect("an answer is JSON")["data"].clone(),
                false,
            );
        }
        let before = self.shelf.ran.load(Ordering::Relaxed);
        let parsed = Document::parse(document).expect("the test's document parses");
        let variables = Variables::from_json(variables);
        let answer = self.subgraph.run(&parsed, variables, Some(body), caller, false).await;
        assert!(self.shelf.ran.load(Ordering::Relaxed) > before, "somebody must have answered");
        (answer.response.data.into_json().expect("data is JSON"), true)
    }

    /// Whether each of these times resolvers ran.
    async fn ran(&self, document: &str, times: usize, caller: impl Into<Caller>) -> Vec<bool> {
        let caller = caller.into();
        let mut ran = Vec::new();
        for _ in 0..times {
            ran.push(self.ask(document, json!({}), caller.clone()).await.1);
        }
        ran
    }
}

fn anybody() -> Arc<Viewer> {
    Arc::new(Viewer::anonymous())
}

const PRICE: &str = "query($n: Int!) { price(number: $n) }";

#[tokio::test]
async fn who_asks_a_third_time_is_given_the_same_answer() {
    let bench = Bench::new().await;
    let asked = || bench.ask(PRICE, json!({ "n": 1 }), anybody());
    let price = json!({ "price": 100 });
    assert_eq!(asked().await, (price.clone(), true), "nobody knows yet whether it is asked again");
    assert_eq!(asked().await, (price.clone(), true));
    for _ in 0..3 {
        assert_eq!(asked().await, (price.clone(), false));
    }
    let other = bench.ask(PRICE, json!({ "n": 2 }), anybody()).await;
    assert_eq!(other, (json!({ "price": null }), true), "another question");
}

#[tokio::test]
async fn a_change_is_seen_at_once_and_others_changes_after_a_moment() {
    let bench = Bench::new().await;
    let asked = async || {
        for _ in 0..2 {
            bench.ask(PRICE, json!({ "n": 1 }), anybody()).await;
        }
        bench.ask(PRICE, json!({ "n": 1 }), anybody()).await
    };
    assert_eq!(asked().await, (json!({ "price": 100 }), false));
    let Shelf { prices, ports, .. } = &bench.shelf;
    prices.invalidate(&1);
    assert_eq!(bench.ask(PRICE, json!({ "n": 1 }), anybody()).await, (json!({ "price": null }), true));
    prices.insert(prices.epoch(), 1, 90);
    prices.invalidate(&2);
    assert_eq!(asked().await, (json!({ "price": 90 }), false));
    ports.clock.advance(Duration::from_millis(999));
    assert!(!bench.ask(PRICE, json!({ "n": 1 }), anybody()).await.1);
    ports.clock.advance(Duration::from_millis(1));
    assert!(bench.ask(PRICE, json!({ "n": 1 }), anybody()).await.1);
}

#[tokio::test]
async fn what_ends_by_itself_is_not_given_after_its_end() {
    let bench = Bench::new().await;
    let asked = || bench.ask("{ bargain price(number: 1) }", json!({}), anybody());
    let said = |bargain| json!({ "bargain": bargain, "price": 100 });
    assert_eq!(asked().await, (said(5), true));
    assert_eq!(asked().await, (said(5), true));
    bench.shelf.ports.clock.advance(Duration::from_millis(499));
    assert_eq!(asked().await, (said(5), false));
    bench.shelf.ports.clock.advance(Duration::from_millis(1));
    assert_eq!(asked().await, (said(50), true));
}

#[tokio::test]
async fn answers_are_kept_apart_by_where_whoever_asks_stands() {
    let bench = Bench::new().await;
    let mut german = Viewer::anonymous();
    german.context.locale = "de".into();
    let german = Arc::new(german);
    for (viewer, language) in [(anybody(), "en"), (german, "de")] {
        let asked = async || bench.ask("{ language }", json!({}), Arc::clone(&viewer)).await;
        let language = json!({ "language": language });
        assert_eq!(asked().await, (language.clone(), true));
        assert_eq!(asked().await, (language.clone(), true));
        assert_eq!(asked().await, (language, false));
    }
}

#[tokio::test]
async fn what_looks_at_who_asks_is_answered_for_each_and_the_rest_for_all() {
    let bench = Bench::new().await;
    let ids = &bench.shelf.ports.ids;
    let users = [(); 2].map(|()| Arc::new(Viewer::user(ids.next(), ids.next())));
    for document in ["{ name }", "{ price(number: 1) name }"] {
        for viewer in users.iter().chain(&users) {
            let (data, ran) = bench.ask(document, json!({}), Arc::clone(viewer)).await;
            assert_eq!((&data["name"], ran), (&json!(viewer.actor_name()), true));
        }
    }
    let price = "{ price(number: 1) }";
    assert_eq!(bench.ran(price, 3, anybody()).await, [true, true, false]);
    for viewer in users {
        assert_eq!(bench.ran(price, 1, viewer).await, [false]);
    }
    let written = Caller { viewer: anybody(), mark: Some("1-1".parse().unwrap()) };
    assert_eq!(bench.ran(price, 4, written).await, [true; 4], "the writer's own");
}

#[tokio::test]
async fn what_is_not_in_memory_is_asked_for_each_time() {
    let bench = Bench::new().await;
    for document in [
        "{ stored }",
        "{ price(number: 1) stored }",
        "{ others }",
        "{ price(number: 1) broken }",
        "mutation { touch }",
    ] {
        assert_eq!(bench.ran(document, 4, anybody()).await, [true; 4], "{document}");
    }
}
