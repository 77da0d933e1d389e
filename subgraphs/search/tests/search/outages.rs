//! The engine is killed, paused and started again while the shop searches and changes. Needs OpenSearch, which is
//! started here; skipped where the environment does not say that it can be had.

use std::io::Write as _;

use crate::bench::{SMALL, Shop, shop};
use common::Timestamp;
use database::ScopedFutureExt;
use events::inventory::InventoryEvent;
use serde_json::{Value, json};
use services::{Ground, Server};
use subgraph::testing;

const SEARCH: &str = "query($q: String, $f: SearchFilterInput, $s: SearchSort) {
    search(query: $q, filter: $f, sort: $s, first: 100) {
        totalCount facets { key buckets { value count selected } } edges { product { id } } } }";

/// An engine of this test's own.
fn engine() -> Option<Server> {
    if std::env::var("TECHPOTLI_TEST_OPENSEARCH").is_err() {
        let why = "TECHPOTLI_TEST_OPENSEARCH is not set";
        // Not eprintln!, which the test harness keeps to itself.
        let _ = writeln!(std::io::stderr(), "SKIPPED: outages of the search engine: {why}");
        return None;
    }
    let ground = Ground::temporary().expect("the temporary folder can be written");
    Some(services::opensearch::start(&ground).expect("OpenSearch can be had, says the environment"))
}

fn is_degraded(answer: &Value) -> bool {
    answer["extensions"]["client"]["search"]["degraded"] == true
}

impl Shop {
    /// Says that a product is in stock or not, and applies that.
    async fn stock(&self, number: u32, available: bool, later: i64) {
        let product = SMALL.product(number);
        for variant in &product.variants {
            let event = InventoryEvent {
                variant: variant.id,
                product: product.id,
                available,
                quantity: 0,
                as_of: Timestamp(testing::START.0 + later),
            };
            let told = self.ports.database.transaction(|tx| self.ports.publish(tx, &event).scope_boxed());
            told.await.expect("the outbox takes an event");
        }
        testing::deliver(&self.ports, &self.subgraph).await.expect("events are taken without an engine");
    }

    async fn in_stock(&self) -> (bool, Vec<Value>) {
        let answer = self.ask_in_an_outage(SEARCH, json!({ "f": { "inStockOnly": true } })).await;
        let edges = answer["data"]["search"]["edges"].as_array().unwrap_or_else(|| panic!("{answer}"));
        (is_degraded(&answer), edges.iter().map(|edge| edge["product"]["id"].clone()).collect())
    }

    /// Searches until the engine answers again. Each search is one that a shopper makes; none may fail.
    async fn until_whole(&self) {
        while is_degraded(&self.ask_in_an_outage(SEARCH, json!({ "q": "oak" })).await) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn while_the_engine_is_away_the_database_answers_and_says_so_and_nothing_is_lost() {
    let Some(server) = engine() else { return };
    let memory = shop("memory", "embedded").await;
    let shop = shop("OpenSearch", server.url()).await;
    shop.stock(20, true, 1).await;
    shop.stock(21, true, 1).await;
    shop.caught_up().await;
    for outage in 0..3 {
        let later = 10 * (outage + 1);
        let whole = shop.ask_in_an_outage(SEARCH, json!({ "q": "ceramic" })).await;
        assert!(!is_degraded(&whole), "{whole}");
        match outage {
            1 => server.pause().unwrap(),
            _ => server.kill().unwrap(),
        }
        for question in [
            json!({}),
            json!({ "q": "cer", "s": "PRICE_ASC" }),
            json!({ "q": "ceramic", "s": "NEWEST" }),
            json!({ "s": "RATING", "f": { "facets": [{ "key": "material", "values": ["Oak", "Linen"] }] } }),
        ] {
            let expected = memory.ask(SEARCH, question.clone()).await;
            let answer = shop.ask_in_an_outage(SEARCH, question.clone()).await;
            assert!(is_degraded(&answer), "{answer}");
            assert_eq!(answer["data"], expected["data"], "{question}");
        }
        let suggested = shop
            .ask_in_an_outage("{ suggest(query: \"light\") { text category { id } } }", Value::Null)
            .await;
        assert!(is_degraded(&suggested));
        assert_eq!(suggested["data"]["suggest"][0]["text"], "Lighting");
        // What happens meanwhile is seen at once, and by the engine later.
        shop.stock(20, false, later).await;
        shop.stock(21, true, later).await;
        let (degraded, ids) = shop.in_stock().await;
        assert!(degraded);
        assert!(!ids.contains(&json!(SMALL.product_id(20))) && ids.contains(&json!(SMALL.product_id(21))));
        match outage {
            1 => server.resume().unwrap(),
            _ => drop(server.start().unwrap()),
        }
        shop.caught_up().await;
        shop.until_whole().await;
        let (degraded, ids) = shop.in_stock().await;
        assert!(!degraded);
        assert!(!ids.contains(&json!(SMALL.product_id(20))) && ids.contains(&json!(SMALL.product_id(21))));
        shop.stock(20, true, later + 5).await;
        shop.caught_up().await;
    }
}

#[tokio::test]
async fn an_engine_that_lost_its_data_gets_it_again() {
    let Some(server) = engine() else { return };
    let shop = shop("OpenSearch", server.url()).await;
    let before = shop.ask_in_an_outage(SEARCH, json!({ "q": "oak", "s": "NEWEST" })).await;
    server.kill().unwrap();
    std::fs::remove_dir_all(server.folder().join("data")).unwrap();
    server.start().unwrap();
    // An event that came before the loss is noticed, and one that came after it.
    shop.stock(20, true, 1).await;
    shop.until_whole().await;
    shop.caught_up().await;
    assert_eq!(
        shop.ask_in_an_outage(SEARCH, json!({ "q": "oak", "s": "NEWEST" })).await["data"],
        before["data"]
    );
}
