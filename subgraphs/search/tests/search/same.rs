//! The engines find what the index in memory finds: the same products, the same counts, the same order where the order
//! is not a matter of scores.

use crate::bench::{Shop, shops};
use serde_json::{Value, json};

const SEARCH: &str = "query($q: String, $f: SearchFilterInput, $s: SearchSort) {
    search(query: $q, filter: $f, sort: $s, first: 100) {
        totalCount correctedQuery
        facets { key label buckets { value label count selected } }
        edges { product { id } matchedVariant { id } highlight }
    } }";

/// What is found; products of equal standing in the order of their ids where the order is by score.
async fn found(shop: &Shop, variables: &Value, by_score: bool) -> Value {
    let answer = shop.ask(SEARCH, variables.clone()).await;
    let mut search = answer["data"]["search"].clone();
    assert!(search.is_object(), "{} answers {variables} with {answer}", shop.on);
    if by_score && let Some(edges) = search["edges"].as_array_mut() {
        edges.sort_by_key(|edge| edge["product"]["id"].as_str().unwrap_or_default().to_owned());
    }
    search
}

fn questions() -> Vec<Value> {
    let oak = json!({ "facets": [{ "key": "material", "values": ["Oak", "Ceramic"] }] });
    let two = json!({ "facets": [
        { "key": "material", "values": ["Oak", "Walnut", "Linen"] },
        { "key": "origin", "values": ["Japan", "Portugal"] },
    ] });
    let twice = json!({ "facets": [
        { "key": "origin", "values": ["Japan", "Portugal"] }, { "key": "origin", "values": ["Japan"] },
    ] });
    let any = json!({ "facets": [{ "key": "colour", "values": [] }] });
    let unknown = json!({ "facets": [{ "key": "shape", "values": ["Round"] }] });
    let no_value = json!({ "facets": [{ "key": "brand", "values": ["Nobody"] }] });
    let filters = [
        json!({}),
        oak,
        two,
        twice,
        any,
        unknown,
        no_value,
        json!({ "price": { "minMinor": 5000, "maxMinor": 20000 } }),
        json!({ "price": { "minMinor": 12000 }, "inStockOnly": true }),
        json!({ "categoryId": crate::bench::SMALL.department_id(0) }),
        json!({ "categoryId": crate::bench::SMALL.category_id(1) }),
    ];
    let product = crate::bench::SMALL.product(7);
    let texts: Vec<Value> = [
        "oak",
        "OAK",
        "ceramic",
        "cer",
        "c",
        "leather japan",
        "ceramix",
        "lether",
        "xyzzyquux",
        "eichen",
        "طاولة",
        "  ",
        &product.brand.to_lowercase(),
        &product.texts[0].1,
        &product.texts[1].1,
        &product.texts[2].1,
        &product.variants[0].sku,
    ]
    .into_iter()
    .map(|text| json!({ "q": text }))
    .collect();
    let filtered = filters
        .iter()
        .flat_map(|filter| [Value::Null, json!("ceramic")].map(|text| json!({ "q": text, "f": filter })));
    texts.iter().cloned().chain(filtered).collect()
}

#[tokio::test]
async fn products_counts_and_corrections_are_the_same_everywhere() {
    let shops = shops().await;
    let (memory, engines) = shops.split_first().unwrap();
    let mut some = 0;
    for question in questions() {
        let expected = found(memory, &question, true).await;
        some += usize::from(expected["totalCount"] != 0);
        for engine in engines {
            assert_eq!(found(engine, &question, true).await, expected, "{} on {question}", engine.on);
        }
    }
    assert!(some > 25, "most questions find something: {some}");
}

#[tokio::test]
async fn an_order_that_is_not_by_score_is_the_same_everywhere() {
    let shops = shops().await;
    let (memory, engines) = shops.split_first().unwrap();
    for sort in ["PRICE_ASC", "PRICE_DESC", "NEWEST", "BEST_SELLING", "RATING"] {
        for text in [Value::Null, json!("ceramic")] {
            let question = json!({ "q": text, "s": sort });
            let expected = found(memory, &question, false).await;
            for engine in engines {
                assert_eq!(found(engine, &question, false).await, expected, "{} on {question}", engine.on);
            }
        }
    }
}

#[tokio::test]
async fn without_a_text_relevance_is_what_sells() {
    let shops = shops().await;
    let (memory, engines) = shops.split_first().unwrap();
    let expected = memory.ids("first: 100").await;
    for engine in engines {
        assert_eq!(engine.ids("first: 100").await, expected, "{}", engine.on);
    }
}

#[tokio::test]
async fn a_cursor_leads_on_wherever_it_was_made() {
    let shops = shops().await;
    let query = "query($s: SearchSort, $a: String) { search(first: 5, sort: $s, after: $a) {
        edges { product { id } } pageInfo { endCursor hasNextPage } } }";
    for sort in ["PRICE_ASC", "PRICE_DESC", "NEWEST", "BEST_SELLING", "RATING", "RELEVANCE"] {
        let first = shops[0].ask(query, json!({ "s": sort })).await;
        let after = &first["data"]["search"]["pageInfo"]["endCursor"];
        let expected = shops[0].ask(query, json!({ "s": sort, "a": after })).await;
        assert_eq!(expected["data"]["search"]["edges"].as_array().unwrap().len(), 5);
        for shop in &shops[1..] {
            assert_eq!(
                shop.ask(query, json!({ "s": sort, "a": after })).await,
                expected,
                "{} {sort}",
                shop.on
            );
        }
    }
}

#[tokio::test]
async fn the_same_categories_are_suggested_first() {
    let shops = shops().await;
    let query = "query($q: String!) { suggest(query: $q, first: 20) { text category { id } } }";
    for typed in ["l", "li", "light", "furn", "kitchen", "xyzzyquux", "ceramic ta"] {
        let categories = async |shop: &Shop| -> Vec<Value> {
            let answer = shop.ask(query, json!({ "q": typed })).await;
            let all = answer["data"]["suggest"].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
            all.into_iter().filter(|one| one["category"] != Value::Null).collect()
        };
        let expected = categories(&shops[0]).await;
        for shop in &shops[1..] {
            assert_eq!(categories(shop).await, expected, "{} on {typed}", shop.on);
        }
    }
}
