//! Partial results: nulls, the errors beside them, and who is to blame.

use std::sync::Arc;

use engine::{Engine, RequestContext};
use serde_json::{Value, json};
use supergraph::Supergraph;

use crate::fake::Fake;
use crate::shop;
use crate::support::{json, local, remote, supergraph, text};

fn nullable(ty: &str) -> Arc<Supergraph> {
    let sdl =
        format!("type Query {{ a: A list: {ty} }} type A {{ b: B! maybe: B }} type B {{ c: Int! d: Int }}");
    supergraph(&[("one", &sdl)])
}

async fn answer(schema: &Arc<Supergraph>, roots: Value, query: &str) -> Value {
    let fake = Arc::new(Fake::new("one", json!({"query": roots})));
    json(&local(schema, &[&fake]), query).await
}

#[tokio::test]
async fn a_null_rises_to_the_nearest_place_that_can_be_null() {
    let cases = [
        (json!({"b": {"c": 1}}), json!({"b": {"c": 1}}), None),
        (json!({"b": {"c": null}}), json!(null), Some(json!(["a", "b", "c"]))),
        (json!({"b": null}), json!(null), Some(json!(["a", "b"]))),
        (json!({"b": "text"}), json!(null), Some(json!(["a", "b"]))),
        (json!({"b": {"c": 1.5}}), json!(null), Some(json!(["a", "b", "c"]))),
        (json!({"b": {"c": 2147483648u64}}), json!(null), Some(json!(["a", "b", "c"]))),
        (json!({"b": {"c": -2147483648i64}}), json!({"b": {"c": -2147483648i64}}), None),
        (json!(null), json!(null), None),
    ];
    let schema = nullable("[Int]");
    for (given, expected, path) in cases {
        let answer = answer(&schema, json!({"a": given}), "{ a { b { c } } }").await;
        assert_eq!(answer["data"]["a"], expected, "{given}");
        match path {
            None => assert!(answer.get("errors").is_none(), "{answer}"),
            Some(path) => {
                assert_eq!(answer["errors"][0]["path"], path, "{given}");
                assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL");
                assert_eq!(answer["errors"].as_array().unwrap().len(), 1);
            }
        }
    }
}

#[tokio::test]
async fn a_null_element_does_to_its_list_what_the_type_says() {
    let cases = [
        ("[Int]", json!([1, null]), json!({"list": [1, null]})),
        ("[Int!]", json!([1, null]), json!({"list": null})),
        ("[Int!]!", json!([1, null]), json!(null)),
        ("[[Int!]]", json!([[1], [null], [2]]), json!({"list": [[1], null, [2]]})),
        ("[[Int]!]!", json!([[1], [null]]), json!({"list": [[1], [null]]})),
        ("[[Int!]!]", json!([[1], [null]]), json!({"list": null})),
        ("[Int]", json!(7), json!({"list": null})),
        ("[Boolean]", json!([true, "x"]), json!({"list": [true, null]})),
        ("[ID]", json!(["x", 7]), json!({"list": ["x", "7"]})),
        ("[Float]", json!([1, 2.50, "x"]), json!({"list": [1, 2.5, null]})),
    ];
    for (ty, given, expected) in cases {
        let answer = answer(&nullable(ty), json!({"list": given}), "{ list }").await;
        assert_eq!(answer["data"], expected, "{ty}");
    }
}

#[tokio::test]
async fn enum_values_that_clients_may_not_see_become_null() {
    let mut secret = shop::product(1);
    secret["kind"] = json!("SECRET");
    let mut unknown = shop::product(2);
    unknown["kind"] = json!("HUGE");
    let fake = Arc::new(Fake::new("products", json!({"query": {"products": [secret, unknown]}})));
    let rest = [Arc::new(shop::inventory()), Arc::new(shop::reviews())];
    let answer = json(&local(&shop::schema(), &[&fake, &rest[0], &rest[1]]), "{ products { kind } }").await;
    assert_eq!(answer["data"]["products"], json!([{"kind": null}, {"kind": null}]));
    assert_eq!(answer["errors"][1]["path"], json!(["products", 1, "kind"]));
}

fn with_inventory(inventory: Fake) -> [Arc<Fake>; 3] {
    [Arc::new(shop::products()), Arc::new(inventory), Arc::new(shop::reviews())]
}

async fn both(fakes: [Arc<Fake>; 3]) -> [Engine; 2] {
    let fakes: Vec<&Arc<Fake>> = fakes.iter().collect();
    [local(&shop::schema(), &fakes), remote(&shop::schema(), &fakes).await]
}

#[tokio::test]
async fn an_error_of_an_entity_is_told_at_each_place_that_shares_it() {
    let inventory =
        Fake::new("inventory", json!({})).entities(|representation| match representation["id"].as_str() {
            Some("1") => json!({
                "__typename": "Product",
                "stock": {"__error": "sold out", "extensions": {"code": "CONFLICT", "hint": 1}},
            }),
            _ => json!({"__typename": "Product", "stock": 7}),
        });
    for engine in both(with_inventory(inventory)).await {
        let answer = json(&engine, "{ products { amount: stock } }").await;
        assert_eq!(answer["data"]["products"], json!([{"amount": null}, {"amount": 7}, {"amount": null}]));
        let error = |index: usize| {
            json!({
                "message": "sold out", "path": ["products", index, "amount"],
                "extensions": {"code": "CONFLICT", "hint": 1},
            })
        };
        assert_eq!(answer["errors"], json!([error(0), error(2)]));
    }
}

#[tokio::test]
async fn an_error_path_without_the_index_of_its_entity_means_those_without_a_value() {
    let inventory =
        Fake::new("inventory", json!({})).entities(|representation| match representation["id"].as_str() {
            Some("2") => {
                json!({"__typename": "Product", "stock": {"__error": "x", "extensions": {"code": "C"}}})
            }
            _ => json!({"__typename": "Product", "stock": 7}),
        });
    let inventory = inventory.without_entity_index();
    for engine in both(with_inventory(inventory)).await {
        let answer = json(&engine, "{ products { stock } }").await;
        assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{answer}");
        assert_eq!(answer["errors"][0]["path"], json!(["products", 1, "stock"]));
    }
}

#[tokio::test]
async fn messages_without_a_code_stay_inside() {
    let inventory = Fake::new("inventory", json!({}))
        .entities(|_| json!({"__typename": "Product", "stock": {"__error": "SELECT * FROM secret"}}));
    for engine in both(with_inventory(inventory)).await {
        let answer = json(&engine, "{ top { stock name } }").await;
        assert_eq!(answer["data"]["top"]["name"], "Product \"1\" é\n");
        assert_eq!(answer["errors"][0]["message"], "Internal error");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "INTERNAL");
        assert!(!answer.to_string().contains("secret"));
    }
}

#[tokio::test]
async fn a_null_in_a_contributed_non_null_field_takes_only_its_entity() {
    let inventory =
        Fake::new("inventory", json!({})).entities(|representation| match representation["id"].as_str() {
            Some("1") => {
                json!({"__typename": "Product", "place": {"__error": "no", "extensions": {"code": "C"}}})
            }
            _ => json!({"__typename": "Product", "place": {"name": "Bonn"}}),
        });
    for engine in both(with_inventory(inventory)).await {
        let answer = json(&engine, "{ latest { body of { place { name } } } }").await;
        assert_eq!(
            answer["data"]["latest"],
            json!([{"body": "about 2", "of": {"place": {"name": "Bonn"}}}, {"body": "about 1", "of": null}])
        );
        assert_eq!(answer["errors"].as_array().unwrap().len(), 1, "{answer}");
        assert_eq!(answer["errors"][0]["path"], json!(["latest", 1, "of", "place"]));
    }
}

#[tokio::test]
async fn an_entity_that_is_unknown_is_null_without_an_error() {
    let inventory = Fake::new("inventory", json!({})).entities(|_| Value::Null);
    for engine in both(with_inventory(inventory)).await {
        let answer = json(&engine, "{ products { id stock } }").await;
        assert_eq!(answer["data"]["products"][1], json!({"id": "2", "stock": null}));
        assert!(answer.get("errors").is_none(), "{answer}");
    }
}

#[tokio::test]
async fn an_object_without_its_key_is_asked_for_nowhere() {
    let mut keyless = shop::product(1);
    keyless["id"] = Value::Null;
    keyless["sku"] = Value::Null;
    let products = Fake::new("products", json!({"query": {"products": [keyless, shop::product(2)]}}));
    let fakes = [Arc::new(products), Arc::new(shop::inventory()), Arc::new(shop::reviews())];
    let inventory = fakes[1].clone();
    let engine = local(&shop::schema(), &fakes.iter().collect::<Vec<_>>());
    let answer = json(&engine, "{ products { stock } }").await;
    assert_eq!(answer["data"]["products"], json!([{"stock": null}, {"stock": 5}]));
    assert_eq!(inventory.representations(), [json!({"__typename": "Product", "id": "2"})]);
}

#[tokio::test]
async fn an_error_of_a_whole_request_is_told_at_what_it_leaves_null() {
    let fakes = with_inventory(shop::inventory().refusing(json!([
        {"message": "no", "extensions": {"code": "FORBIDDEN"}},
    ])));
    for engine in both(fakes).await {
        let answer = json(&engine, "{ products { stock name } }").await;
        let paths: Vec<&Value> = answer["errors"].as_array().unwrap().iter().map(|it| &it["path"]).collect();
        assert_eq!(
            paths,
            [
                &json!(["products", 0, "stock"]),
                &json!(["products", 1, "stock"]),
                &json!(["products", 2, "stock"])
            ]
        );
        assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    }
}

#[tokio::test]
async fn every_error_names_the_request() {
    let fakes = with_inventory(shop::inventory().refusing(json!([{"message": "no"}])));
    let engine = local(&shop::schema(), &fakes.iter().collect::<Vec<_>>());
    let context = RequestContext { request_id: Some("r-1".into()), ..RequestContext::default() };
    let answer = text(&engine, "{ top { stock } }", Value::Null, &context).await;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["errors"][0]["extensions"]["requestId"], "r-1");
}

#[tokio::test]
async fn a_panic_in_a_subgraph_of_this_process_takes_only_its_fetch() {
    let inventory = Fake::new("inventory", json!({})).entities(|_| panic!("a bug in a resolver"));
    let fakes = with_inventory(inventory);
    let engine = local(&shop::schema(), &fakes.iter().collect::<Vec<_>>());
    let answer = json(&engine, "{ top { name stock } }").await;
    assert_eq!(answer["data"]["top"], json!({"name": "Product \"1\" é\n", "stock": null}));
    assert_eq!(answer["errors"][0]["extensions"], json!({"code": "INTERNAL"}));
    assert_eq!(answer["errors"][0]["path"], json!(["top", "stock"]));
}
