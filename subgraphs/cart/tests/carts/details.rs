//! Buyer, addresses and delivery.

use async_graphql::{EmptyMutation, EmptySubscription};
use auth::Viewer;
use common::Ids;
use common::id::UserId;
use events::calls::cart::PostalAddress;
use events::calls::users::{ReadAddress, ReadEmail};
use serde_json::{Value, json};
use subgraph::graphql::ServiceCall;
use subgraph::testing::run;
use subgraph::{Peer, Subgraph};

use crate::bench::{SMALL, Shop, address, cheap, guest, plain, user};

#[tokio::test]
async fn a_buyers_email_address_is_checked() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1)]).await;
    let set = |email: &str| json!({ "cartId": cart["id"], "email": email });
    let refused = shop.change(&guest(), "cartBuyerSet", set("ada")).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    assert_eq!(refused["userErrors"][0]["field"], json!(["input", "email"]));
    let done = shop.change(&guest(), "cartBuyerSet", set("ada@example.com")).await;
    assert_eq!(done["cart"]["buyerEmail"], "ada@example.com");
}

#[tokio::test]
async fn a_customers_cart_knows_the_email_address_from_the_account() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&user(0), &[(plain(0).0, 1)]).await;
    assert_eq!(cart["buyerEmail"], crate::bench::SMALL.user(0).email.as_str());
}

#[tokio::test]
async fn tax_and_delivery_follow_the_address() {
    let shop = Shop::open().await;
    // A cheap one: dear ones travel free at home.
    let (variant, price, class) = cheap();
    let cart = shop.cart_with(&guest(), &[(variant, 1)]).await;
    let set = |address: Value| json!({ "cartId": cart["id"], "address": address });
    let taxed = shop.change(&guest(), "cartAddressSet", set(address("US", "CA"))).await;
    let untaxed = shop.change(&guest(), "cartAddressSet", set(address("US", "OR"))).await;
    let abroad = shop.change(&guest(), "cartAddressSet", set(address("DE", "BY"))).await;
    let rate = if class == "standard" { 825 } else { 0 };
    let tax = common::Money::new(price, common::Currency::USD).share(rate).unwrap().minor;
    assert_eq!(taxed["cart"]["cost"]["tax"]["amountMinor"], tax);
    assert_eq!(taxed["cart"]["cost"]["total"]["amountMinor"], price + tax);
    assert_eq!(untaxed["cart"]["cost"]["tax"]["amountMinor"], 0);
    let cost =
        |payload: &Value| payload["cart"]["deliveryOptions"][0]["cost"]["amountMinor"].as_i64().unwrap();
    assert_eq!(cost(&abroad), 3 * cost(&taxed));
    assert_eq!(abroad["cart"]["version"], 4);
}

#[tokio::test]
async fn an_address_may_come_in_parts_and_says_whether_it_is_complete() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1)]).await;
    let document = "mutation($i: CartAddressInput!) { cartAddressSet(input: $i) {
        cart { countryCode shippingAddress { line1 city countryCode complete } billingAddress { city } }
        userErrors { code field } } }";
    let set = async |input: Value| {
        let answer = run(&shop.subgraph, &guest(), document, json!({ "i": input })).await;
        answer["data"]["cartAddressSet"].clone()
    };
    let part =
        set(json!({ "cartId": cart["id"], "address": { "countryCode": "FR", "city": "Paris" } })).await;
    assert_eq!(
        part["cart"]["shippingAddress"],
        json!({ "line1": null, "city": "Paris", "countryCode": "FR", "complete": false })
    );
    assert_eq!(part["cart"]["countryCode"], "FR");
    let whole =
        set(json!({ "cartId": cart["id"], "address": address("US", "NY"), "billing": address("US", "OR") }))
            .await;
    assert_eq!(whole["cart"]["shippingAddress"]["complete"], true);
    assert_eq!(whole["cart"]["billingAddress"]["city"], "Springfield");
    let nothing = set(json!({ "cartId": cart["id"] })).await;
    assert_eq!(nothing["userErrors"][0]["code"], "INVALID");
    let foreign = set(json!({ "cartId": cart["id"], "addressId": "addr_00000000000000000000000000" })).await;
    assert_eq!(foreign["userErrors"][0], json!({ "code": "NOT_FOUND", "field": ["input", "addressId"] }));
}

/// What `users` answers, as far as carts ask.
struct AddressBook;

#[async_graphql::Object]
impl AddressBook {
    async fn address_read(&self, request: ServiceCall) -> async_graphql::Result<ServiceCall> {
        let asked: ReadAddress = request.read()?;
        let found = (asked.user == SMALL.user_id(0)).then(|| PostalAddress {
            recipient: "Ada".into(),
            line1: "Mill Lane 1".into(),
            line2: None,
            city: "Vienna".into(),
            region: None,
            postal_code: "1010".into(),
            country: "AT".into(),
            phone: None,
        });
        Ok(ServiceCall::reply::<ReadAddress>(&found)?)
    }

    async fn email_read(&self, request: ServiceCall) -> async_graphql::Result<ServiceCall> {
        let asked: ReadEmail = request.read()?;
        let found = (asked.user == late()).then(|| "late@example.com".to_owned());
        Ok(ServiceCall::reply::<ReadEmail>(&found)?)
    }
}

/// Whom `users` has registered, and carts have not heard of.
fn late() -> UserId {
    "usr_0000000000000000000000000g".parse().expect("this is an id")
}

fn know_users(shop: &Shop) {
    let schema = async_graphql::Schema::new(AddressBook, EmptyMutation, EmptySubscription);
    let users = Subgraph::new(&shop.ports, schema, String::new(), |request| request);
    shop.ports.peers.know("users", Peer::Local(users.into()));
}

#[tokio::test]
async fn who_registered_a_moment_ago_can_check_out() {
    let shop = Shop::open().await;
    know_users(&shop);
    let nobody = "usr_00000000000000000000000004".parse().unwrap();
    for (id, outcome) in [(late(), "frozen"), (nobody, "incomplete")] {
        let ids = Ids::counted();
        let viewer = Viewer::user(id, ids.next());
        let cart = shop.cart_with(&viewer, &[(plain(0).0, 1)]).await["id"].clone();
        shop.change(&viewer, "cartAddressSet", json!({ "cartId": cart, "address": address("US", "CA") }))
            .await;
        let delivery = json!({ "cartId": cart, "deliveryOptionId": "standard" });
        let cart = shop.change(&viewer, "cartDeliverySelect", delivery).await["cart"].clone();
        assert_eq!(cart["buyerEmail"], json!(null));
        let mut freeze = shop.freeze(&cart, ids.next());
        freeze["buyer"] = json!(id);
        let reply = shop.call("cartFreeze", freeze).await;
        assert_eq!(reply["outcome"], outcome, "{reply}");
        let another = shop.cart_with(&viewer, &[]).await;
        let known = if outcome == "frozen" { json!("late@example.com") } else { json!(null) };
        assert_eq!(another["buyerEmail"], known, "what was asked for is kept");
    }
}

#[tokio::test]
async fn an_address_of_the_buyers_own_book_can_be_named() {
    let shop = Shop::open().await;
    know_users(&shop);
    for (number, found) in [(0, true), (1, false)] {
        let cart = shop.cart_with(&user(number), &[(plain(0).0, 1)]).await;
        let named = json!({ "cartId": cart["id"], "addressId": "addr_00000000000000000000000000" });
        let payload = shop.change(&user(number), "cartAddressSet", named).await;
        if found {
            assert_eq!(payload["userErrors"], json!([]));
            let query = "query($id: ID) { cart(id: $id) { shippingAddress { city complete } countryCode } }";
            let seen = run(&shop.subgraph, &user(number), query, json!({ "id": cart["id"] })).await;
            let expected =
                json!({ "shippingAddress": { "city": "Vienna", "complete": true }, "countryCode": "AT" });
            assert_eq!(seen["data"]["cart"], expected);
        } else {
            assert_eq!(payload["userErrors"][0]["code"], "NOT_FOUND");
        }
    }
}

#[tokio::test]
async fn delivery_is_one_of_the_options_and_makes_the_total_final() {
    let shop = Shop::open().await;
    let cart = shop.cart_with(&guest(), &[(plain(0).0, 1)]).await;
    let select = |option: &str| json!({ "cartId": cart["id"], "deliveryOptionId": option });
    let refused = shop.change(&guest(), "cartDeliverySelect", select("pigeon")).await;
    assert_eq!(refused["userErrors"][0]["code"], "INVALID");
    let chosen = shop.change(&guest(), "cartDeliverySelect", select("express")).await;
    assert_eq!(chosen["cart"]["selectedDeliveryOptionId"], "express");
    assert_eq!(chosen["cart"]["cost"]["shipping"], chosen["cart"]["deliveryOptions"][1]["cost"]);
    assert_eq!(chosen["cart"]["cost"]["estimated"], true, "the address is missing");
    let set = json!({ "cartId": cart["id"], "address": address("US", "CA") });
    assert_eq!(shop.change(&guest(), "cartAddressSet", set).await["cart"]["cost"]["estimated"], false);
}
