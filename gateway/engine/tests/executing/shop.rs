//! Joins over subgraphs: what is sent, what comes out, in which order.

use std::sync::Arc;

use engine::Engine;
use serde_json::{Value, json};
use supergraph::Supergraph;

use crate::fake::Fake;
use crate::support::{json, local, remote, run, supergraph};

const PRODUCTS: &str = r#"
    type Query { products: [Product!]! top: Product media: [Media!]! node(id: ID!): Node }
    interface Node { id: ID! }
    union Media = Book | Film
    type Book @key(fields: "id") { id: ID! title: String! pages: Int }
    type Film @key(fields: "id") { id: ID! title: String! minutes: Int }
    type Size @shareable { w: Int! h: Int! }
    enum Kind { SMALL LARGE SECRET @inaccessible }
    type Product implements Node @key(fields: "id") @key(fields: "sku { code }") {
        id: ID! sku: Sku! name: String! size: Size kind: Kind meta: Json tags: [String!] price: Int
    }
    type Sku { code: String! }
    scalar Json
"#;

const INVENTORY: &str = r#"
    type Size @shareable { w: Int! h: Int! }
    type Product @key(fields: "id") {
        id: ID! size: Size @external price: Int @external
        stock: Int shipping: Int @requires(fields: "price size { w h }")
        place: Place!
    }
    type Place { name: String! }
    type Book @key(fields: "id") { id: ID! copies: Int! }
"#;

const REVIEWS: &str = r#"
    type Query { latest: [Review!]! }
    type Mutation { review(id: ID!): Review }
    type Review { body: String! of: Product author: Author }
    type Author { name: String! }
    type Product @key(fields: "id") { id: ID! reviews: [Review!] rating: Float }
"#;

pub fn schema() -> Arc<Supergraph> {
    supergraph(&[("products", PRODUCTS), ("inventory", INVENTORY), ("reviews", REVIEWS)])
}

pub fn product(id: u64) -> Value {
    json!({
        "__typename": "Product", "__interfaces": ["Node"], "id": id.to_string(), "sku": {"code": format!("s{id}")},
        "name": format!("Product \"{id}\" é\n"), "size": {"w": id, "h": 2}, "kind": "SMALL",
        "meta": {"a": [1, {"b": null}]}, "tags": ["x", "y"], "price": 10 * id,
    })
}

pub fn products() -> Fake {
    let first = product(1);
    Fake::new(
        "products",
        json!({"query": {
            "products": [product(1), product(2), product(1)],
            "top": first,
            "node": first,
            "media": [
                {"__typename": "Book", "id": "b1", "title": "B", "pages": 10},
                {"__typename": "Film", "id": "f1", "title": "F", "minutes": 90},
            ],
        }}),
    )
    .entities(|representation| match representation["id"].as_str() {
        Some(id) => product(id.parse().unwrap()),
        None => Value::Null,
    })
}

pub fn inventory() -> Fake {
    Fake::new("inventory", json!({})).entities(|representation| match representation["__typename"].as_str() {
        Some("Book") => json!({"__typename": "Book", "copies": 3}),
        _ => {
            let number = |value: &Value| value.as_u64().unwrap_or(0);
            let shipping = number(&representation["price"])
                + number(&representation["size"]["w"]) * number(&representation["size"]["h"]);
            json!({
                "__typename": "Product", "id": representation["id"], "stock": 5, "shipping": shipping,
                "place": {"name": "Bonn"},
            })
        }
    })
}

pub fn reviews() -> Fake {
    let review = |of: &Value| {
        let body = format!("about {}", of["id"].as_str().unwrap());
        json!({"body": body, "of": {"__typename": "Product", "id": of["id"]}, "author": {"name": "Ann"}})
    };
    Fake::new(
        "reviews",
        json!({
            "query": {"latest": [review(&json!({"id": "2"})), review(&json!({"id": "1"}))]},
            "mutation": {"review": review(&json!({"id": "2"}))},
        }),
    )
    .entities(move |representation| {
        json!({
            "__typename": "Product", "id": representation["id"], "rating": 4.50,
            "reviews": [review(representation)],
        })
    })
}

struct Shop {
    products: Arc<Fake>,
    inventory: Arc<Fake>,
    reviews: Arc<Fake>,
    engine: Engine,
}

fn shop() -> Shop {
    let (products, inventory, reviews) = (Arc::new(products()), Arc::new(inventory()), Arc::new(reviews()));
    let engine = local(&schema(), &[&products, &inventory, &reviews]);
    Shop { products, inventory, reviews, engine }
}

async fn remote_shop() -> Shop {
    let (products, inventory, reviews) = (Arc::new(products()), Arc::new(inventory()), Arc::new(reviews()));
    let engine = remote(&schema(), &[&products, &inventory, &reviews]).await;
    Shop { products, inventory, reviews, engine }
}

const JOINED: &str = "{ products { stock name id reviews { body of { name stock } } } }";

#[tokio::test]
async fn an_entity_is_joined_over_three_subgraphs_in_the_clients_order() {
    let expected = |id: u64| {
        format!(
            r#"{{"stock":5,"name":"Product \"{id}\" é\n","id":"{id}","reviews":[{{"body":"about {id}","of":{{"name":"Product \"{id}\" é\n","stock":5}}}}]}}"#
        )
    };
    let expected = format!(r#"{{"data":{{"products":[{},{},{}]}}}}"#, expected(1), expected(2), expected(1));
    for shop in [shop(), remote_shop().await] {
        assert_eq!(run(&shop.engine, JOINED).await, expected);
    }
}

#[tokio::test]
async fn equal_representations_are_sent_once_and_hold_nothing_but_the_key() {
    for shop in [shop(), remote_shop().await] {
        json(&shop.engine, "{ products { stock reviews { body } } }").await;
        let expected =
            [json!({"__typename": "Product", "id": "1"}), json!({"__typename": "Product", "id": "2"})];
        assert_eq!(shop.inventory.representations(), expected);
        assert_eq!(shop.reviews.representations(), expected);
        assert_eq!(shop.products.calls().len(), 1);
    }
}

#[tokio::test]
async fn what_a_field_requires_is_sent_along_and_hidden_from_the_client() {
    for shop in [shop(), remote_shop().await] {
        let response = run(&shop.engine, "{ top { shipping } }").await;
        assert_eq!(response, r#"{"data":{"top":{"shipping":12}}}"#);
        let sent = shop.inventory.representations();
        assert_eq!(
            sent,
            [json!({"__typename": "Product", "id": "1", "price": 10, "size": {"w": 1, "h": 2}})]
        );
    }
}

#[tokio::test]
async fn aliases_of_key_fields_do_not_disturb_the_join() {
    let shop = shop();
    let response = run(&shop.engine, "{ top { id: name __typename: stock key: id } }").await;
    assert_eq!(response, r#"{"data":{"top":{"id":"Product \"1\" é\n","__typename":5,"key":"1"}}}"#);
    assert_eq!(shop.inventory.representations(), [json!({"__typename": "Product", "id": "1"})]);
}

#[tokio::test]
async fn members_of_a_union_are_written_by_their_type() {
    for shop in [shop(), remote_shop().await] {
        let query = "{ media { __typename ... on Book { pages copies } ... on Film { x: minutes title } } }";
        let response = run(&shop.engine, query).await;
        assert_eq!(
            response,
            r#"{"data":{"media":[{"__typename":"Book","pages":10,"copies":3},{"__typename":"Film","x":90,"title":"F"}]}}"#
        );
        assert_eq!(shop.inventory.representations(), [json!({"__typename": "Book", "id": "b1"})]);
    }
}

#[tokio::test]
async fn fragments_on_an_interface_reach_other_subgraphs() {
    let shop = shop();
    let response =
        run(&shop.engine, r#"{ node(id: "1") { id ... on Product { kind: __typename stock } } }"#).await;
    assert_eq!(response, r#"{"data":{"node":{"id":"1","kind":"Product","stock":5}}}"#);
}

#[tokio::test]
async fn scalars_keep_their_text_and_custom_ones_their_structure() {
    let shop = remote_shop().await;
    let response = run(&shop.engine, "{ top { meta tags kind rating } __typename }").await;
    assert_eq!(
        response,
        r#"{"data":{"top":{"meta":{"a":[1,{"b":null}]},"tags":["x","y"],"kind":"SMALL","rating":4.5},"__typename":"Query"}}"#
    );
}

#[tokio::test]
async fn conditions_on_variables_leave_fields_and_fetches_out() {
    let query = "query($with: Boolean!) { top { name @skip(if: $with) stock @include(if: $with) } }";
    for (with, expected, calls) in
        [(true, json!({"stock": 5}), 1), (false, json!({"name": "Product \"1\" é\n"}), 0)]
    {
        let shop = shop();
        let variables = json!({"with": with});
        let text = crate::support::text(&shop.engine, query, variables, &Default::default()).await;
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), json!({"data": {"top": expected}}));
        assert_eq!(shop.inventory.calls().len(), calls);
    }
}

#[tokio::test]
async fn a_mutation_is_followed_into_other_subgraphs() {
    for shop in [shop(), remote_shop().await] {
        let query = r#"mutation { a: review(id: "2") { of { stock } } b: review(id: "2") { body } }"#;
        let response = run(&shop.engine, query).await;
        assert_eq!(response, r#"{"data":{"a":{"of":{"stock":5}},"b":{"body":"about 2"}}}"#);
    }
}

#[tokio::test]
async fn introspection_stands_beside_data() {
    let shop = shop();
    let query =
        r#"{ top { name } t: __type(name: "Kind") { enumValues { name } } __schema { queryType { name } } }"#;
    let response = run(&shop.engine, query).await;
    assert_eq!(
        response,
        r#"{"data":{"top":{"name":"Product \"1\" é\n"},"t":{"enumValues":[{"name":"SMALL"},{"name":"LARGE"}]},"__schema":{"queryType":{"name":"Query"}}}}"#
    );
}

#[tokio::test]
async fn a_prepared_operation_is_kept() {
    let shop = shop();
    let first = shop.engine.prepare(JOINED, None, &|_| Ok(())).unwrap();
    let again = shop.engine.prepare(JOINED, None, &|_| panic!("known documents are not checked")).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
}

#[tokio::test]
async fn an_interface_object_is_joined_without_its_type_and_learns_it_elsewhere() {
    let catalog = r#"
        type Query { media: [Media!]! }
        interface Media @key(fields: "id") { id: ID! title: String }
        type Book implements Media @key(fields: "id") { id: ID! title: String pages: Int }
        type Film implements Media @key(fields: "id") { id: ID! title: String minutes: Int }
    "#;
    let votes = r#"
        type Query { top: [Media!]! }
        type Media @key(fields: "id") @interfaceObject { id: ID! votes: Int }
    "#;
    let item = |id: &str| match id {
        "b" => json!({"__typename": "Book", "__interfaces": ["Media"], "id": "b", "title": "B", "pages": 3}),
        _ => json!({"__typename": "Film", "__interfaces": ["Media"], "id": "f", "title": "F", "minutes": 9}),
    };
    let catalog_fake = Fake::new("catalog", json!({"query": {"media": [item("b"), item("f")]}}))
        .entities(move |representation| item(representation["id"].as_str().unwrap()));
    let voted = |id: &str| json!({"__typename": "Media", "id": id, "votes": 7});
    let votes_fake = Fake::new("votes", json!({"query": {"top": [voted("f"), voted("b")]}}))
        .entities(move |representation| voted(representation["id"].as_str().unwrap()));
    let (catalog_fake, votes_fake) = (Arc::new(catalog_fake), Arc::new(votes_fake));
    let schema = supergraph(&[("catalog", catalog), ("votes", votes)]);
    for engine in
        [local(&schema, &[&catalog_fake, &votes_fake]), remote(&schema, &[&catalog_fake, &votes_fake]).await]
    {
        let response = run(&engine, "{ media { __typename votes } }").await;
        assert_eq!(
            response,
            r#"{"data":{"media":[{"__typename":"Book","votes":7},{"__typename":"Film","votes":7}]}}"#
        );
        let sent = votes_fake.representations();
        assert_eq!(
            sent[sent.len() - 2..],
            [json!({"__typename": "Media", "id": "b"}), json!({"__typename": "Media", "id": "f"})]
        );
        let response = run(&engine, "{ top { votes title __typename ... on Book { pages } } }").await;
        assert_eq!(
            response,
            r#"{"data":{"top":[{"votes":7,"title":"F","__typename":"Film"},{"votes":7,"title":"B","__typename":"Book","pages":3}]}}"#
        );
        let response = run(&engine, "{ top { votes id } }").await;
        assert_eq!(response, r#"{"data":{"top":[{"votes":7,"id":"f"},{"votes":7,"id":"b"}]}}"#);
    }
}

#[tokio::test]
async fn the_query_type_inside_a_payload_reaches_all_subgraphs() {
    let schema = supergraph(&[
        (
            "a",
            "type Query { one: Int } type Mutation { change: Payload } type Payload { ok: Boolean query: Query! }",
        ),
        ("b", "type Query { two: Int }"),
    ]);
    let a = json!({"mutation": {"change": {"ok": true, "query": {"one": 1}}}, "query": {"one": 1}});
    let (a, b) = (Arc::new(Fake::new("a", a)), Arc::new(Fake::new("b", json!({"query": {"two": 2}}))));
    for engine in [local(&schema, &[&a, &b]), remote(&schema, &[&a, &b]).await] {
        let response = run(&engine, "mutation { change { ok query { two one } } }").await;
        assert_eq!(response, r#"{"data":{"change":{"ok":true,"query":{"two":2,"one":1}}}}"#);
    }
}

#[tokio::test]
async fn members_with_one_key_and_different_fields_do_not_leak_into_each_other() {
    let shop = shop();
    let query = "{ media { ... on Film { n: minutes s: title } ... on Book { s: title n: pages copies } } }";
    let response = run(&shop.engine, query).await;
    assert_eq!(response, r#"{"data":{"media":[{"s":"B","n":10,"copies":3},{"n":90,"s":"F"}]}}"#);
}
