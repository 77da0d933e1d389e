//! What engines do beyond the index in memory: languages, synonyms, versions, and indices built anew under way.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::bench::{SMALL, Shop, on_engines};
use common::Timestamp;
use database::ScopedFutureExt;
use elasticsearch::http::headers::HeaderMap;
use elasticsearch::http::transport::Transport;
use elasticsearch::http::{Method, StatusCode};
use events::inventory::InventoryEvent;
use events::products::{Localised, ProductSnapshot, ProductsEvent};
use serde_json::{Value, json};
use subgraph::SearchUrl;
use subgraph::testing;

impl Shop {
    async fn publish(&self, event: &impl events::Event) {
        let told = self.ports.database.transaction(|tx| self.ports.publish(tx, event).scope_boxed());
        told.await.expect("the outbox takes an event");
    }

    /// Sells a product with these titles.
    async fn sell(&self, version: i32, titles: &[(&str, &str)]) -> ProductSnapshot {
        let product = ProductSnapshot {
            id: self.ports.ids.next(),
            version,
            slug: "made-for-this-test".into(),
            titles: titles
                .iter()
                .map(|(locale, text)| Localised { locale: (*locale).into(), text: (*text).into() })
                .collect(),
            description: String::new(),
            brand: None,
            active: true,
            category: None,
            hidden_in: Vec::new(),
            attributes: Vec::new(),
            image_url: None,
            average_hundredths: 0,
            rating_count: 0,
            created_at: testing::START,
            variants: Vec::new(),
        };
        self.publish(&ProductsEvent::ProductChanged(Box::new(product.clone()))).await;
        self.deliver().await;
        product
    }

    async fn finds(&self, text: &str, product: &ProductSnapshot) -> bool {
        self.ids(&format!("query: {text:?}, first: 100")).await.contains(&product.id.to_string())
    }

    /// What the engine itself answers to a request on this shop's index.
    async fn engine(&self, method: Method, rest: &str, body: Option<Value>) -> (StatusCode, Value) {
        let SearchUrl::Engine(url) = &self.ports.search else { panic!("{} is no engine", self.on) };
        let transport = Transport::single_node(&url.base).expect("the URL is one");
        let (path, none) = (format!("/{}{rest}", url.index), None::<&()>);
        let body = body.map(|body| body.to_string());
        let sent = transport.send(method, &path, HeaderMap::new(), none, body, None).await;
        let response = sent.expect("the engine answers");
        (response.status_code(), response.json().await.expect("it answers with JSON"))
    }
}

#[tokio::test]
async fn words_are_found_in_their_other_forms_in_each_language_and_by_their_synonyms() {
    for shop in on_engines().await {
        let product = shop
            .sell(
                1,
                &[("en", "Velvet Sofas"), ("de", "Grüne Häuser"), ("ar", "مدرسة الأطفال"), ("fr", "Canapé")],
            )
            .await;
        for text in [
            "sofa",
            "sofas",
            "velvet sofa",
            "couch",
            "settee",
            "haus",
            "Hauser",
            "grün",
            "grun",
            "canape",
            "canapé",
            "اطفال",
            "مدرسة",
            "velv",
        ] {
            assert!(shop.finds(text, &product).await, "{text} on {}", shop.on);
        }
        for text in ["armchair", "velvet table", "haut", "سجادة"] {
            assert!(!shop.finds(text, &product).await, "{text} on {}", shop.on);
        }
    }
}

#[tokio::test]
async fn a_title_counts_more_than_a_description_and_what_sells_comes_first_among_equals() {
    for shop in on_engines().await {
        let mut beside = shop.sell(1, &[("en", "Something else")]).await;
        beside.version = 2;
        beside.description = "Goes with a zebrano shelf.".into();
        shop.publish(&ProductsEvent::ProductChanged(Box::new(beside.clone()))).await;
        let named = shop.sell(1, &[("en", "Zebrano shelf")]).await;
        let ids = shop.ids("query: \"zebrano\"").await;
        assert_eq!(ids, [named.id.to_string(), beside.id.to_string()], "{}", shop.on);
        // All of these titles have the word: the order is that of the sales.
        let sold = shop.ids("sort: BEST_SELLING, query: \"ceramic\", first: 100").await;
        assert_eq!(shop.ids("query: \"ceramic\", first: 100").await[0], sold[0], "{}", shop.on);
    }
}

#[tokio::test]
async fn an_older_revision_never_replaces_a_newer_one() {
    for shop in on_engines().await {
        let mut product = shop.sell(1, &[("en", "First title")]).await;
        product.version = 3;
        product.titles[0].text = "Third title".into();
        shop.publish(&ProductsEvent::ProductChanged(Box::new(product.clone()))).await;
        shop.deliver().await;
        // An event that comes late.
        product.version = 2;
        product.titles[0].text = "Second title".into();
        shop.publish(&ProductsEvent::ProductChanged(Box::new(product.clone()))).await;
        shop.deliver().await;
        assert!(shop.finds("third", &product).await && !shop.finds("second", &product).await);
        // A process that sends now what it read long ago.
        let id = product.id;
        let (_, known) = shop.engine(Method::Get, &format!("/_doc/{id}"), None).await;
        let version = known["_version"].as_i64().unwrap();
        assert!(version > 1, "revisions are versions: {known}");
        for late in [version - 1, version] {
            let path = format!("/_doc/{id}?version={late}&version_type=external");
            let (status, said) = shop.engine(Method::Put, &path, Some(json!({ "id": id }))).await;
            assert_eq!(status, StatusCode::CONFLICT, "{said}");
        }
        // Taken off sale it stays as a document, so that no late event finds its place empty.
        product.version = 4;
        product.active = false;
        shop.publish(&ProductsEvent::ProductChanged(Box::new(product.clone()))).await;
        shop.deliver().await;
        assert!(!shop.finds("third", &product).await);
        let (_, known) = shop.engine(Method::Get, &format!("/_doc/{id}"), None).await;
        assert!(known["_version"].as_i64().unwrap() > version, "{known}");
    }
}

#[tokio::test]
async fn an_index_built_anew_has_the_events_that_came_meanwhile_and_is_never_missing() {
    for shop in on_engines().await {
        let before = shop.engine(Method::Get, "-*/_alias", None).await.1;
        assert_eq!(before.as_object().unwrap().len(), 1, "{before}");
        let over = AtomicBool::new(false);
        let rebuild = async {
            for _ in 0..3 {
                search::reindex(&shop.ports, |_| {}).await.unwrap();
            }
            over.store(true, Ordering::Relaxed);
        };
        let read = async {
            while !over.load(Ordering::Relaxed) {
                let answer = shop.ask("{ search(first: 1) { totalCount } }", Value::Null).await;
                assert_eq!(answer["data"]["search"]["totalCount"], SMALL.products, "{answer}");
                assert!(answer["extensions"]["client"].is_null(), "{answer}");
            }
        };
        let write = async {
            let mut round = 0;
            while !over.load(Ordering::Relaxed) {
                round += 1;
                for number in 0..SMALL.products {
                    let product = SMALL.product(number);
                    let event = InventoryEvent {
                        variant: product.variants[0].id,
                        product: product.id,
                        available: (number + round) % 2 == 0,
                        quantity: 0,
                        as_of: Timestamp(testing::START.0 + i64::from(round)),
                    };
                    shop.publish(&event).await;
                }
                testing::deliver(&shop.ports, &shop.subgraph).await.unwrap();
            }
            round
        };
        let ((), (), rounds) = futures::join!(rebuild, read, write);
        assert!(rounds > 1, "events came while indices were built");
        shop.caught_up().await;
        let after = shop.engine(Method::Get, "-*/_alias", None).await.1;
        assert_eq!(after.as_object().unwrap().len(), 1, "the old ones are gone: {after}");
        assert_ne!(after.as_object().unwrap().keys().next(), before.as_object().unwrap().keys().next());
        let (_, found) = shop
            .engine(Method::Get, "/_search?size=100&_source=stored.available,id&version=true", None)
            .await;
        let hits = found["hits"]["hits"].as_array().unwrap();
        assert_eq!(hits.len(), SMALL.products as usize);
        for number in 0..SMALL.products {
            let product = SMALL.product(number);
            let hit = hits.iter().find(|hit| hit["_id"] == json!(product.id)).unwrap();
            let available = hit["_source"]["stored"]["available"].as_array().unwrap();
            let is = available.contains(&json!(product.variants[0].id));
            assert_eq!(is, (number + rounds) % 2 == 0, "{number} on {}", shop.on);
        }
    }
}
