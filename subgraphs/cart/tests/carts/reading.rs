//! Reading: who sees which cart, references in batches, buyer prices, live carts.

use common::Currency;
use futures::StreamExt as _;
use serde_json::{Value, json};
use subgraph::testing::{run, statements};

use crate::bench::{SMALL, Shop, european, guest, plain, user};

#[tokio::test]
async fn a_customers_cart_is_seen_by_its_owner_only() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&user(0), &[(plain(0).0, 1)]).await;
    assert_eq!(shop.cart(&user(0), &cart["id"]).await["id"], cart["id"]);
    assert_eq!(shop.cart(&user(0), &Value::Null).await["id"], cart["id"]);
    for other in [guest(), user(1)] {
        assert_eq!(shop.cart(&other, &cart["id"]).await, Value::Null);
        assert_eq!(shop.cart(&other, &Value::Null).await, Value::Null);
        let edit = json!({ "cartId": cart["id"], "email": "eve@example.com" });
        let refused = shop.change(&other, "cartBuyerSet", edit).await;
        assert_eq!(refused["userErrors"][0]["code"], "NOT_FOUND");
        assert_eq!(refused["cart"], Value::Null);
    }
    let query =
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on User { cart { id owner { id } } } } }";
    let representation = json!({ "r": [{ "__typename": "User", "id": SMALL.user_id(0) }] });
    let own = run(&shop.subgraph, &user(0), query, representation.clone()).await;
    assert_eq!(own["data"]["_entities"][0]["cart"]["owner"]["id"], SMALL.user_id(0).to_string());
    let foreign = run(&shop.subgraph, &user(1), query, representation).await;
    assert_eq!(foreign["data"]["_entities"][0]["cart"], Value::Null);
}

#[tokio::test]
async fn a_cart_tells_other_subgraphs_which_products_are_in_it() {
    let shop = Shop::open().await;
    let (first, second) = (SMALL.variant_id(12, 0), SMALL.variant_id(13, 0));
    let cart = shop.cart_with(&guest(), &[(second, 2), (first, 1), (SMALL.variant_id(12, 1), 1)]).await;
    let query = "query($id: ID) { cart(id: $id) { productIds } }";
    let answer = run(&shop.subgraph, &guest(), query, json!({ "id": cart["id"] })).await;
    let products = [13, 12].map(|number| SMALL.product_id(number).to_string());
    assert_eq!(answer["data"]["cart"]["productIds"], json!(products));
}

#[tokio::test]
async fn many_references_take_one_statement_per_type() {
    let shop = Shop::open().await;
    let (mut representations, mut lines) = (Vec::new(), Vec::new());
    for number in 0..20 {
        let cart = shop.cart_with(&guest(), &[(plain(number % 3).0, 2), (plain(3).0, 1)]).await;
        representations.push(json!({ "__typename": "Cart", "id": cart["id"] }));
        lines.push(json!({ "__typename": "CartLine", "id": cart["lines"]["nodes"][1]["id"] }));
    }
    representations.push(json!({ "__typename": "Cart", "id": "cart_00000000000000000000000000" }));
    let query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Cart { version totalQuantity
        cost { total { amountMinor } } } ... on CartLine { quantity total { amountMinor } } } }";
    let variables = json!({ "r": representations });
    assert_eq!(
        statements(&shop.subgraph, &guest(), query, variables.clone()).await,
        2,
        "carts, lines with offers"
    );
    let answer = run(&shop.subgraph, &guest(), query, variables).await;
    let entities = answer["data"]["_entities"].as_array().unwrap();
    assert!(entities[..20].iter().all(|cart| cart["totalQuantity"] == 3), "{answer}");
    assert_eq!(entities[20], Value::Null);
    let variables = json!({ "r": lines });
    assert_eq!(
        statements(&shop.subgraph, &guest(), query, variables.clone()).await,
        3,
        "their carts come first"
    );
    let answer = run(&shop.subgraph, &guest(), query, variables).await;
    assert!(
        answer["data"]["_entities"].as_array().unwrap().iter().all(|line| line["quantity"] == 1),
        "{answer}"
    );
}

#[tokio::test]
async fn a_cart_view_takes_two_statements() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1), (plain(1).0, 1)]).await;
    let query = "query($id: ID) { cart(id: $id) { id lines { nodes { id unitPrice { amountMinor } } }
        cost { total { amountMinor } tax { amountMinor } } promotions { code } } }";
    assert_eq!(statements(&shop.subgraph, &guest(), query, json!({ "id": cart["id"] })).await, 2);
}

#[tokio::test]
async fn lines_come_in_pages() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1), (plain(1).0, 1), (plain(2).0, 1)]).await;
    let query = "query($id: ID, $after: String) { cart(id: $id) { lines(first: 2, after: $after) {
        nodes { id } pageInfo { hasNextPage endCursor } } } }";
    let first = run(&shop.subgraph, &guest(), query, json!({ "id": cart["id"] })).await;
    let first = &first["data"]["cart"]["lines"];
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let after = json!({ "id": cart["id"], "after": first["pageInfo"]["endCursor"] });
    let second = run(&shop.subgraph, &guest(), query, after).await;
    assert_eq!(second["data"]["cart"]["lines"]["nodes"], json!([{ "id": cart["lines"]["nodes"][2]["id"] }]));
}

const PRICES: &str = "query($r: [_Any!]!, $q: Int) { _entities(representations: $r) { ... on ProductVariant {
    buyerPrice(quantity: $q) { unit { amountMinor currency } compareAt { amountMinor } tax { amountMinor } taxIncluded
    promotions { title } } } } }";

fn variant(product: u32, number: u32, currency: Currency) -> Value {
    let price = SMALL.price(product, number, currency).list.minor;
    let class = SMALL.product(product).variants[0].tax_class;
    json!({ "__typename": "ProductVariant", "id": SMALL.variant_id(product, number), "taxClass": class,
        "listPrice": { "__typename": "Money", "amountMinor": price, "currency": currency } })
}

#[tokio::test]
async fn a_buyers_price_follows_promotions_country_and_quantity() {
    let shop = Shop::open().await;
    let euro = |product: u32| SMALL.price(product, 0, Currency::EUR).list.minor;
    let representations: Vec<Value> = [0, 4, 10].map(|product| variant(product, 0, Currency::EUR)).into();
    let answer = run(&shop.subgraph, &european(), PRICES, json!({ "r": representations, "q": 3 })).await;
    let prices: Vec<&Value> =
        answer["data"]["_entities"].as_array().unwrap().iter().map(|entity| &entity["buyerPrice"]).collect();
    assert_eq!(prices[0]["unit"], json!({ "amountMinor": euro(0), "currency": "EUR" }));
    assert_eq!(prices[0]["compareAt"], Value::Null);
    assert_eq!(prices[0]["taxIncluded"], true);
    assert_eq!(prices[1]["compareAt"]["amountMinor"], euro(4));
    assert_eq!(prices[1]["promotions"], json!([{ "title": "Autumn sale" }, { "title": "Kitchen days" }]));
    let third = common::Money::new(euro(10) * 2, Currency::EUR).fraction(1, 3).unwrap().minor;
    assert_eq!(prices[2]["unit"]["amountMinor"], third);
}

#[tokio::test]
async fn fifty_buyers_prices_take_one_statement_and_then_none() {
    let shop = Shop::open().await;
    let representations: Vec<Value> = (0..40).map(|product| variant(product, 0, Currency::USD)).collect();
    shop.cart_with(&guest(), &[]).await;
    let variables = json!({ "r": representations });
    assert_eq!(statements(&shop.subgraph, &guest(), PRICES, variables.clone()).await, 1);
    assert_eq!(statements(&shop.subgraph, &guest(), PRICES, variables.clone()).await, 0);
    // Where memory does not count: the promotions, and where the variants stand.
    let afresh = cache::afresh(statements(&shop.subgraph, &guest(), PRICES, variables)).await;
    assert_eq!(afresh, 2);
    let nothing = json!({ "r": [{ "__typename": "ProductVariant", "id": SMALL.variant_id(0, 0) }] });
    let answer = run(&shop.subgraph, &guest(), PRICES, nothing).await;
    assert_eq!(answer["data"]["_entities"][0]["buyerPrice"], Value::Null);
}

#[tokio::test]
async fn a_watcher_sees_each_change_and_strangers_see_nothing() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&user(0), &[(plain(0).0, 1)]).await;
    let watch = |viewer| {
        let request = async_graphql::Request::new(
            "subscription($id: ID!) { cartUpdated(id: $id) { version totalQuantity } }",
        );
        let variables = async_graphql::Variables::from_json(json!({ "id": cart["id"] }));
        shop.subgraph.subscribe(request.variables(variables), viewer)
    };
    let stranger = watch(guest()).next().await.unwrap();
    assert_eq!(stranger.errors.len(), 1);
    let mut changes = watch(user(0));
    let line = json!({ "id": cart["lines"]["nodes"][0]["id"], "quantity": 7 });
    let update = json!({ "cartId": cart["id"], "lines": [line] });
    let owner = user(0);
    let (change, _) = tokio::join!(changes.next(), shop.change(&owner, "cartLinesUpdate", update));
    let data = serde_json::to_value(change.unwrap().data).unwrap();
    assert_eq!(data["cartUpdated"], json!({ "version": 2, "totalQuantity": 7 }));
}
