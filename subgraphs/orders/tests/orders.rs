//! The subgraph from outside: GraphQL in, JSON out, with the other subgraphs made up.

mod peers;

use std::time::Duration;

use auth::Viewer;
use common::id::CartId;
use futures::StreamExt as _;
use orders::NAME;
use peers::{Hold, Moment, Peers};
use serde_json::{Value, json};
use subgraph::testing::{self, Folder};
use subgraph::{Document, Ports, Subgraph};

const COMPLETE: &str = "mutation($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) {
  attempt { id state expiresAt order { id } outcome { __typename
    ... on CheckoutSucceeded { guestToken order { id number version } }
    ... on CheckoutProcessing { pollAfterMs }
    ... on CheckoutActionRequired { reason }
    ... on CheckoutFailed { code message retryable } } }
  userErrors { code message field currentVersion currentTotal { amountMinor currency } lineId } } }";

struct Bench {
    ports: Ports,
    subgraph: Subgraph,
    peers: Peers,
    folder: Folder,
}

impl Bench {
    async fn new(stock: i32) -> Self {
        let (ports, folder) = testing::ports(NAME, orders::migrations).await;
        let peers = Peers::new(&ports, stock);
        let subgraph = testing::work(orders::build(&ports), &ports);
        Self { ports, subgraph, peers, folder }
    }

    fn user(&self) -> Viewer {
        Viewer::user(self.ports.ids.next(), self.ports.ids.next())
    }

    async fn ask(&self, viewer: &Viewer, document: &str, variables: Value) -> Value {
        testing::run(&self.subgraph, viewer, document, variables).await
    }

    fn input(&self, cart: CartId, key: &str, token: &str) -> Value {
        let world = self.peers.world();
        json!({
            "idempotencyKey": key, "cartId": cart, "cartVersion": world.carts[&cart].version,
            "expectedTotal": { "amountMinor": world.carts[&cart].total, "currency": "USD" },
            "paymentMethodToken": token,
        })
    }

    async fn complete(&self, viewer: &Viewer, input: Value) -> Value {
        let answer = self.ask(viewer, COMPLETE, json!({ "input": input })).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"]["checkoutComplete"].clone()
    }

    /// The id and number of a new order of so many pieces.
    async fn order(&self, viewer: &Viewer, quantity: i32) -> (String, String) {
        let cart = self.peers.cart(quantity);
        let done = self
            .complete(viewer, self.input(cart, &format!("key of {cart}").replace(' ', "-"), "tok_approve"));
        let order = done.await["attempt"]["outcome"]["order"].clone();
        let text = |field: &str| order[field].as_str().expect("a placed order").to_owned();
        (text("id"), text("number"))
    }
}

#[tokio::test]
async fn a_guest_checks_out_and_reads_the_order_with_the_token_alone() {
    let bench = Bench::new(5).await;
    let guest = Viewer::anonymous();
    let cart = bench.peers.cart(2);
    let done = bench.complete(&guest, bench.input(cart, "key-of-a-guest", "tok_approve")).await;
    assert_eq!(done["userErrors"], json!([]));
    assert_eq!(done["attempt"]["state"], "CONFIRMED");
    assert_eq!(done["attempt"]["outcome"]["__typename"], "CheckoutSucceeded");
    let number = done["attempt"]["outcome"]["order"]["number"].as_str().unwrap();
    let token = done["attempt"]["outcome"]["guestToken"].as_str().unwrap();
    let document = "query($number: String!, $token: String) { order(number: $number, guestToken: $token) {
      status financialStatus fulfillmentStatus email totals { subtotal { amountMinor } total { amountMinor currency amount } }
      lines { title sku quantity unitPrice { amountMinor } total { amountMinor } }
      shippingAddress { recipient city countryCode } allowedTransitions timeline { type from to } customer { id } } }";
    let answer = bench.ask(&guest, document, json!({ "number": number, "token": token })).await;
    assert_eq!(
        answer["data"]["order"],
        json!({
            "status": "CONFIRMED", "financialStatus": "PAID", "fulfillmentStatus": "UNFULFILLED",
            "email": "ada@example.com", "customer": null,
            "totals": { "subtotal": { "amountMinor": 5000 },
                        "total": { "amount": "50.00", "amountMinor": 5000, "currency": "USD" } },
            "lines": [{ "title": "Oak table", "sku": "SKU-1", "quantity": 2, "unitPrice": { "amountMinor": 2500 },
                        "total": { "amountMinor": 5000 } }],
            "shippingAddress": { "recipient": "Ada Example", "city": "Springfield", "countryCode": "US" },
            "allowedTransitions": ["PROCESSING", "CANCELLED"],
            "timeline": [{ "type": "ORDER_CREATED", "from": null, "to": null },
                         { "type": "ORDER_CONFIRMED", "from": "PENDING", "to": "CONFIRMED" }],
        })
    );
    for token in [json!("wrong"), json!(""), Value::Null] {
        let answer = bench.ask(&guest, document, json!({ "number": number, "token": token })).await;
        assert_eq!(answer, json!({ "data": { "order": null } }), "{token}");
    }
    let (_, other) = bench.order(&guest, 1).await;
    let answer = bench.ask(&guest, document, json!({ "number": other, "token": token })).await;
    assert_eq!(answer["data"]["order"], Value::Null, "a token opens one order");
}

#[tokio::test]
async fn a_whole_checkout_takes_few_statements() {
    let bench = Bench::new(5).await;
    let cart = bench.peers.cart(2);
    let document =
        "mutation($input: CheckoutCompleteInput!) { checkoutComplete(input: $input) { attempt { state
      outcome { ... on CheckoutSucceeded { order { number financialStatus lines { title } } } } } } }";
    let input = bench.input(cart, "key-of-a-buyer", "tok_approve");
    let statements =
        testing::statements(&bench.subgraph, &bench.user(), document, json!({ "input": input })).await;
    assert_eq!(bench.peers.world().captured, 1);
    assert!(statements <= 13, "{statements} statements");
}

#[tokio::test]
async fn an_order_is_seen_by_its_buyer_staff_and_services_only() {
    let bench = Bench::new(9).await;
    let (buyer, other) = (bench.user(), bench.user());
    let (own, number) = bench.order(&buyer, 1).await;
    let (guests, _) = bench.order(&Viewer::anonymous(), 1).await;
    let staff = other.clone().with_scopes(&["orders:read"]);
    let service = Viewer::service("payments");
    let by_id = "query($id: ID!) { order(id: $id) { id } }";
    let by_number = "query($n: String!) { order(number: $n) { id } }";
    let entities = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Order { id } } }";
    for (viewer, sees_own, sees_guests) in
        [(&buyer, true, false), (&other, false, false), (&staff, true, true), (&service, true, true)]
    {
        for (id, sees) in [(&own, sees_own), (&guests, sees_guests)] {
            let wanted = if sees { json!({ "id": id }) } else { Value::Null };
            assert_eq!(bench.ask(viewer, by_id, json!({ "id": id })).await["data"]["order"], wanted);
            let reference = json!({ "r": [{ "__typename": "Order", "id": id }] });
            assert_eq!(bench.ask(viewer, entities, reference).await["data"]["_entities"], json!([wanted]));
        }
        let wanted = if sees_own { json!({ "id": own }) } else { Value::Null };
        let lower = number.to_lowercase();
        assert_eq!(bench.ask(viewer, by_number, json!({ "n": lower })).await["data"]["order"], wanted);
    }
    let all = "{ orders(first: 1) { nodes { id } pageInfo { hasNextPage endCursor } } }";
    let refused = bench.ask(&buyer, all, json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let page = bench.ask(&staff, all, json!({})).await;
    assert_eq!(page["data"]["orders"]["nodes"], json!([{ "id": guests }]), "newest first");
    let after = &page["data"]["orders"]["pageInfo"]["endCursor"];
    let next = "query($a: String) { orders(first: 1, after: $a, status: CONFIRMED) { nodes { id } pageInfo { hasNextPage } } }";
    let page = bench.ask(&staff, next, json!({ "a": after })).await;
    assert_eq!(page["data"]["orders"]["nodes"], json!([{ "id": own }]));
    assert_eq!(page["data"]["orders"]["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn buyers_page_through_their_own_orders() {
    let bench = Bench::new(9).await;
    let (buyer, other) = (bench.user(), bench.user());
    let mut placed = Vec::new();
    for _ in 0..3 {
        placed.push(bench.order(&buyer, 1).await.0);
        bench.ports.clock.advance(Duration::from_secs(60));
    }
    let cart = bench.peers.cart(1);
    bench.complete(&buyer, bench.input(cart, "key-declined", "tok_decline")).await;
    let document = "query($r: [_Any!]!, $after: String) { _entities(representations: $r) { ... on User {
      orders(first: 2, after: $after) { nodes { id status lines { sku } } pageInfo { hasNextPage endCursor } } } } }";
    let me = json!([{ "__typename": "User", "id": buyer.user_id() }]);
    let page = bench.ask(&buyer, document, json!({ "r": me })).await;
    let orders = &page["data"]["_entities"][0]["orders"];
    let ids: Vec<&str> =
        orders["nodes"].as_array().unwrap().iter().map(|n| n["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&placed[2], &placed[1]], "newest first, without what never came to be");
    assert_eq!(orders["pageInfo"]["hasNextPage"], true);
    let after = &orders["pageInfo"]["endCursor"];
    let page = bench.ask(&buyer, document, json!({ "r": me, "after": after })).await;
    let orders = &page["data"]["_entities"][0]["orders"];
    assert_eq!(orders["nodes"][0]["id"], json!(placed[0]));
    assert_eq!(orders["pageInfo"]["hasNextPage"], false);
    let foreign = bench.ask(&other, document, json!({ "r": me })).await;
    assert_eq!(foreign["data"]["_entities"], json!([{ "orders": null }]));
}

#[tokio::test]
async fn a_fetch_of_many_entities_takes_one_statement_a_type() {
    let bench = Bench::new(50).await;
    let service = Viewer::service("gateway");
    let mut orders = Vec::new();
    for _ in 0..10 {
        orders.push(bench.order(&bench.user(), 1).await);
    }
    let of = |kind: &str, ids: Vec<Value>| -> Vec<Value> {
        ids.into_iter().map(|id| json!({ "__typename": kind, "id": id })).collect()
    };
    let ids = || orders.iter().map(|(id, _)| json!(id)).collect::<Vec<_>>();
    let numbers: Vec<Value> =
        orders.iter().map(|(_, number)| json!({ "__typename": "Order", "number": number })).collect();
    let carts: Vec<Value> = bench.peers.world().carts.keys().map(|cart| json!(cart)).collect();
    let users: Vec<Value> = {
        let all = bench
            .ask(
                &service,
                "query($r: [_Any!]!) { _entities(representations: $r) { ... on Order { customer { id } } } }",
                json!({ "r": of("Order", ids()) }),
            )
            .await;
        all["data"]["_entities"]
            .as_array()
            .unwrap()
            .iter()
            .map(|order| order["customer"]["id"].clone())
            .collect()
    };
    for (fields, representations, statements) in [
        ("... on Order { number status }", of("Order", ids()), 1),
        ("... on Order { id }", numbers, 1),
        ("... on Order { lines { sku } allowedTransitions }", of("Order", ids()), 2),
        ("... on Order { timeline(first: 1) { type } }", of("Order", ids()), 2),
        ("... on Order { fulfillments { id } returns { id } }", of("Order", ids()), 3),
        ("... on User { orders(first: 3) { nodes { id } } }", of("User", users), 1),
        ("... on Cart { checkoutAttempt { state } }", of("Cart", carts), 1),
    ] {
        let document = format!("query($r: [_Any!]!) {{ _entities(representations: $r) {{ {fields} }} }}");
        let variables = json!({ "r": representations });
        let answer = bench.ask(&service, &document, variables.clone()).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        assert!(answer["data"]["_entities"].as_array().unwrap().iter().all(|one| !one.is_null()), "{answer}");
        assert_eq!(
            testing::statements(&bench.subgraph, &service, &document, variables).await,
            statements,
            "{fields}"
        );
    }
}

#[tokio::test]
async fn an_unknown_entity_is_null_and_the_others_are_there() {
    let bench = Bench::new(5).await;
    let buyer = bench.user();
    let (id, _) = bench.order(&buyer, 1).await;
    let unknown: common::id::OrderId = bench.ports.ids.next();
    let document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Order { id } } }";
    let order = |id: &dyn std::fmt::Display| json!({ "__typename": "Order", "id": id.to_string() });
    let variables = json!({ "r": [order(&unknown), order(&id), order(&"nonsense")] });
    let answer = bench.ask(&buyer, document, variables).await;
    assert_eq!(answer, json!({ "data": { "_entities": [null, { "id": id }, null] } }));
}

#[tokio::test]
async fn refusals_name_what_is_wrong_and_what_it_is_now() {
    let bench = Bench::new(1).await;
    let guest = Viewer::anonymous();
    let cart = bench.peers.cart(2);
    let with = |key: &str, field: &str, value: Value| {
        let mut input = bench.input(cart, key, "tok_approve");
        input[field] = value;
        input
    };
    let total = |minor: i64| json!({ "amountMinor": minor, "currency": "USD" });
    let unknown: CartId = bench.ports.ids.next();
    for (input, code, field) in [
        (with("key-version", "cartVersion", json!(1)), "CART_CHANGED", "cartVersion"),
        (with("key-total", "expectedTotal", total(1)), "TOTAL_MISMATCH", "expectedTotal"),
        (with("key-negative", "expectedTotal", total(-1)), "INVALID", "expectedTotal"),
        (with("key-unknown", "cartId", json!(unknown)), "NOT_FOUND", "cartId"),
        (with("key-token", "paymentMethodToken", json!(" ")), "INVALID", "paymentMethodToken"),
        (with("key-cards", "giftCardCodes", json!(["GIFT"])), "INVALID", "giftCardCodes"),
        (with("key-stock", "cartId", json!(cart)), "INSUFFICIENT_STOCK", "cartId"),
    ] {
        let done = bench.complete(&guest, input).await;
        assert_eq!(done["userErrors"][0]["code"], code, "{done}");
        assert_eq!(done["userErrors"][0]["field"], json!(["input", field]), "{done}");
        match code {
            "CART_CHANGED" => assert_eq!(done["userErrors"][0]["currentVersion"], 3),
            "TOTAL_MISMATCH" => assert_eq!(done["userErrors"][0]["currentTotal"]["amountMinor"], 5_000),
            "INSUFFICIENT_STOCK" => {
                let line = bench.peers.world().carts[&cart].line;
                assert_eq!(done["userErrors"][0]["lineId"], json!(line));
                assert_eq!(done["attempt"]["outcome"]["retryable"], false);
            }
            _ => {}
        }
        if !done["attempt"].is_null() {
            assert_eq!(done["attempt"]["outcome"]["code"], code, "{done}");
            assert_eq!(done["attempt"]["state"], "FAILED", "{done}");
        }
    }
    let broken = bench
        .ask(&guest, COMPLETE, json!({ "input": with("key-broken", "cartId", json!("nonsense")) }))
        .await;
    assert_eq!(broken["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
}

#[tokio::test]
async fn a_declined_card_is_told_in_both_places_and_its_attempt_can_be_read() {
    let bench = Bench::new(5).await;
    let buyer = bench.user();
    let cart = bench.peers.cart(1);
    let done = bench.complete(&buyer, bench.input(cart, "key-declined", "tok_decline")).await;
    assert_eq!(done["userErrors"][0]["code"], "PAYMENT_DECLINED");
    let outcome = json!({ "__typename": "CheckoutFailed", "code": "PAYMENT_DECLINED",
                          "message": "The card was declined.", "retryable": true });
    assert_eq!(done["attempt"]["outcome"], outcome);
    let document = "query($id: ID!) { checkoutAttempt(id: $id) { state order { status } } }";
    let variables = json!({ "id": done["attempt"]["id"] });
    let read = bench.ask(&buyer, document, variables.clone()).await;
    assert_eq!(
        read["data"]["checkoutAttempt"],
        json!({ "state": "FAILED", "order": { "status": "CANCELLED" } })
    );
    for other in [bench.user(), Viewer::anonymous()] {
        let read = bench.ask(&other, document, variables.clone()).await;
        assert_eq!(read["data"]["checkoutAttempt"], Value::Null);
    }
}

#[tokio::test]
async fn a_checkout_is_watched_from_the_action_to_its_end() {
    let bench = Bench::new(5).await;
    let buyer = bench.user();
    let cart = bench.peers.cart(1);
    let done = bench.complete(&buyer, bench.input(cart, "key-of-a-buyer", "tok_action")).await;
    assert_eq!(
        done["attempt"]["outcome"],
        json!({ "__typename": "CheckoutActionRequired", "reason": "Confirm at your bank." })
    );
    let id = done["attempt"]["id"].clone();
    let watch = Document::parse(
        "subscription($id: ID!) { checkoutProgress(attemptId: $id) { state order { status } } }",
    )
    .unwrap();
    let variables = |id: &Value| async_graphql::Variables::from_json(json!({ "id": id }));
    let mut progress = bench.subgraph.subscribe_to(&watch, variables(&id), buyer.clone());
    let next = async |progress: &mut futures::stream::BoxStream<'static, async_graphql::Response>| {
        let response = progress.next().await?;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        let data = response.data.into_json().unwrap();
        Some(data["checkoutProgress"]["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(next(&mut progress).await.as_deref(), Some("ACTION_REQUIRED"));
    bench.peers.world().settle_as = Some("AUTHORIZED");
    let polled = bench
        .ask(&buyer, "query($id: ID!) { checkoutAttempt(id: $id) { state } }", json!({ "id": id }))
        .await;
    assert_eq!(polled["data"]["checkoutAttempt"]["state"], "CONFIRMED");
    let mut last = String::new();
    while let Some(state) = next(&mut progress).await {
        last = state;
    }
    assert_eq!(last, "CONFIRMED", "and then the stream ends");
    let mut foreign = bench.subgraph.subscribe_to(&watch, variables(&id), bench.user());
    let refused = foreign.next().await.unwrap();
    assert_eq!(refused.errors.len(), 1);
}

#[tokio::test]
async fn a_buyer_who_hangs_up_gets_the_order_all_the_same() {
    let bench = Bench::new(5).await;
    let buyer = bench.user();
    let cart = bench.peers.cart(1);
    bench.peers.world().hanging = Some(("stockReserve", Moment::After));
    tokio::select! {
        done = bench.complete(&buyer, bench.input(cart, "key-of-a-buyer", "tok_approve")) => panic!("{done}"),
        () = bench.peers.hung() => {}
    }
    let document = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Cart { checkoutAttempt { id state } } } }";
    let reference = json!({ "r": [{ "__typename": "Cart", "id": cart }] });
    let answer = bench.ask(&buyer, document, reference.clone()).await;
    let attempt = &answer["data"]["_entities"][0]["checkoutAttempt"];
    assert_eq!(attempt["state"], "ORDER_CREATED");
    let watch =
        Document::parse("subscription($id: ID!) { checkoutProgress(attemptId: $id) { state } }").unwrap();
    let variables = async_graphql::Variables::from_json(json!({ "id": attempt["id"] }));
    let mut progress = bench.subgraph.subscribe_to(&watch, variables, buyer.clone());
    assert!(progress.next().await.unwrap().errors.is_empty());
    bench.peers.heal();
    let last =
        progress.map(|response| response.data.into_json().unwrap()).collect::<Vec<Value>>().await.pop();
    assert_eq!(last, Some(json!({ "checkoutProgress": { "state": "CONFIRMED" } })));
    let foreign = bench.ask(&bench.user(), document, reference).await;
    assert_eq!(foreign["data"]["_entities"][0]["checkoutAttempt"], Value::Null);
}

#[tokio::test]
async fn a_restarted_process_takes_up_what_another_one_left() {
    let bench = Bench::new(5).await;
    let buyer = bench.user();
    let cart = bench.peers.cart(1);
    bench.peers.world().failing.insert("paymentTake", 1);
    let done = bench.complete(&buyer, bench.input(cart, "key-of-a-buyer", "tok_approve")).await;
    assert_eq!(done["attempt"]["state"], "CONFIRMED");
    assert_eq!(bench.peers.world().captured, 0);
    bench.ports.tasks.stop();
    assert!(bench.ports.tasks.ended(Duration::from_secs(10)).await);
    bench.ports.clock.advance(Duration::from_secs(31));
    let restarted = Ports { tasks: runtime::Tasks::new(), ..bench.ports.clone() };
    let subgraph = testing::work(orders::build(&restarted), &restarted);
    let watch =
        Document::parse("subscription($id: ID!) { orderUpdated(id: $id) { financialStatus } }").unwrap();
    let id = &done["attempt"]["outcome"]["order"]["id"];
    let variables = async_graphql::Variables::from_json(json!({ "id": id }));
    let mut updates = subgraph.subscribe_to(&watch, variables, buyer);
    loop {
        let update = updates.next().await.unwrap().data.into_json().unwrap();
        if update["orderUpdated"]["financialStatus"] == "PAID" {
            break;
        }
    }
    assert_eq!(bench.peers.world().captured, 1);
    restarted.tasks.stop();
    assert!(restarted.tasks.ended(Duration::from_secs(10)).await);
    drop(bench.folder);
}

const CANCEL: &str = "mutation($input: OrderCancelInput!) { orderCancel(input: $input) {
  order { status version financialStatus lines { quantityCancelled } } userErrors { code currentVersion } } }";
const FULFILL: &str = "mutation($input: OrderFulfillInput!) { orderFulfill(input: $input) {
  order { status version fulfillmentStatus lines { id quantityFulfilled } fulfillments { status trackingNumber lines { id } } }
  userErrors { code currentVersion lineId } } }";
const RETURN: &str = "mutation($input: ReturnRequestInput!) { returnRequest(input: $input) {
  return { id status reason lines { id } } userErrors { code lineId } } }";

#[tokio::test]
async fn a_confirmed_order_is_cancelled_once_and_gives_everything_back() {
    let bench = Bench::new(5).await;
    let (buyer, other) = (bench.user(), bench.user());
    let (id, _) = bench.order(&buyer, 2).await;
    let input = |key: &str, version: i32| json!({ "input": { "idempotencyKey": key, "orderId": id, "expectedVersion": version } });
    for viewer in [&other, &Viewer::anonymous()] {
        let refused = bench.ask(viewer, CANCEL, input("key-foreign", 2)).await;
        assert_eq!(refused["data"]["orderCancel"]["userErrors"][0]["code"], "NOT_FOUND");
    }
    let stale = bench.ask(&buyer, CANCEL, input("key-stale", 1)).await;
    assert_eq!(
        stale["data"]["orderCancel"]["userErrors"],
        json!([{ "code": "VERSION_CONFLICT", "currentVersion": 2 }])
    );
    let wanted = json!({ "order": { "status": "CANCELLED", "version": 3, "financialStatus": "REFUNDED",
                                    "lines": [{ "quantityCancelled": 2 }] }, "userErrors": [] });
    let done = bench.ask(&buyer, CANCEL, input("key-cancel", 2)).await;
    assert_eq!(done["data"]["orderCancel"], wanted);
    let again = bench.ask(&buyer, CANCEL, input("key-cancel", 2)).await;
    assert_eq!(again["data"]["orderCancel"], wanted, "the same key, the same answer");
    let reused = bench.ask(&buyer, CANCEL, input("key-cancel", 3)).await;
    assert_eq!(reused["data"]["orderCancel"]["userErrors"][0]["code"], "IDEMPOTENCY_KEY_REUSED");
    let twice = bench.ask(&buyer, CANCEL, input("key-twice", 3)).await;
    assert_eq!(twice["data"]["orderCancel"]["userErrors"][0]["code"], "ILLEGAL_TRANSITION");
    let world = bench.peers.world();
    assert_eq!(world.stock, 5);
    assert_eq!(world.holds[&id.parse().unwrap()], Hold::Released);
    assert_eq!(world.calls["paymentCancel"], 1);
}

#[tokio::test]
async fn two_cancellations_at_once_are_one() {
    let bench = Bench::new(5).await;
    let buyer = bench.user();
    let (id, _) = bench.order(&buyer, 1).await;
    let input =
        |key: &str| json!({ "input": { "idempotencyKey": key, "orderId": id, "expectedVersion": 2 } });
    let (one, two) = tokio::join!(
        bench.ask(&buyer, CANCEL, input("key-number-one")),
        bench.ask(&buyer, CANCEL, input("key-number-two")),
    );
    let codes: Vec<&Value> = [&one, &two].map(|answer| &answer["data"]["orderCancel"]["userErrors"]).into();
    let refused = json!([{ "code": "VERSION_CONFLICT", "currentVersion": 3 }]);
    assert!(codes.contains(&&json!([])) && codes.contains(&&refused), "{codes:?}");
}

#[tokio::test]
async fn what_was_sent_cannot_be_cancelled_and_can_come_back_once() {
    let bench = Bench::new(5).await;
    let buyer = bench.user();
    let staff = bench.user().with_scopes(&["orders:read", "orders:write"]);
    let (id, _) = bench.order(&buyer, 3).await;
    let lines = "query($id: ID!) { order(id: $id) { lines { id } } }";
    let line = bench.ask(&buyer, lines, json!({ "id": id })).await["data"]["order"]["lines"][0]["id"].clone();
    let of = |quantity: i32| json!([{ "orderLineId": line, "quantity": quantity }]);
    let fulfill = |key: &str, version: i32, quantity: i32| {
        json!({ "input": { "idempotencyKey": key, "orderId": id, "expectedVersion": version,
                           "lines": of(quantity), "trackingNumber": "T1" } })
    };
    let back = |key: &str, quantity: i32| json!({ "input": { "idempotencyKey": key, "orderId": id, "lines": of(quantity), "reason": "Too small." } });
    let early = bench.ask(&buyer, RETURN, back("key-early", 1)).await;
    assert_eq!(early["data"]["returnRequest"]["userErrors"][0]["code"], "ILLEGAL_TRANSITION");
    let shopper = bench.ask(&buyer, FULFILL, fulfill("key-shopper", 2, 1)).await;
    assert_eq!(shopper["errors"][0]["extensions"]["code"], "FORBIDDEN");
    let much = bench.ask(&staff, FULFILL, fulfill("key-much", 2, 4)).await;
    assert_eq!(much["data"]["orderFulfill"]["userErrors"][0]["code"], "QUANTITY_EXCEEDS_ORDERED");

    let sent = bench.ask(&staff, FULFILL, fulfill("key-first", 2, 1)).await;
    assert_eq!(
        sent["data"]["orderFulfill"]["order"],
        json!({ "status": "PROCESSING", "version": 3, "fulfillmentStatus": "PARTIAL",
                "lines": [{ "id": line, "quantityFulfilled": 1 }],
                "fulfillments": [{ "status": "FULFILLED", "trackingNumber": "T1", "lines": [{ "id": line }] }] })
    );
    let cancel = json!({ "input": { "idempotencyKey": "key-cancel", "orderId": id, "expectedVersion": 3 } });
    let refused = bench.ask(&buyer, CANCEL, cancel).await;
    assert_eq!(refused["data"]["orderCancel"]["userErrors"][0]["code"], "ILLEGAL_TRANSITION");
    let rest = bench.ask(&staff, FULFILL, fulfill("key-rest", 3, 2)).await;
    assert_eq!(rest["data"]["orderFulfill"]["order"]["status"], "COMPLETED");
    assert_eq!(rest["data"]["orderFulfill"]["order"]["fulfillmentStatus"], "FULFILLED");

    let wanted = bench.ask(&buyer, RETURN, back("key-back", 2)).await;
    let requested = &wanted["data"]["returnRequest"]["return"];
    assert_eq!((&requested["status"], &requested["lines"]), (&json!("REQUESTED"), &json!([{ "id": line }])));
    let again = bench.ask(&buyer, RETURN, back("key-back", 2)).await;
    assert_eq!(
        again["data"]["returnRequest"]["return"]["id"], requested["id"],
        "the same key, the same return"
    );
    let more = bench.ask(&buyer, RETURN, back("key-more", 2)).await;
    assert_eq!(
        more["data"]["returnRequest"]["userErrors"],
        json!([{ "code": "QUANTITY_EXCEEDS_ORDERED", "lineId": line }])
    );
    let foreign = bench.ask(&bench.user(), RETURN, back("key-foreign", 1)).await;
    assert_eq!(foreign["data"]["returnRequest"]["userErrors"][0]["code"], "NOT_FOUND");
    let nobody = bench.ask(&Viewer::anonymous(), RETURN, back("key-nobody", 1)).await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn an_order_can_be_watched() {
    let bench = Bench::new(5).await;
    let buyer = bench.user();
    let (id, _) = bench.order(&buyer, 1).await;
    let watch =
        Document::parse("subscription($id: ID!) { orderUpdated(id: $id) { status version } }").unwrap();
    let variables = || async_graphql::Variables::from_json(json!({ "id": id }));
    let mut updates = bench.subgraph.subscribe_to(&watch, variables(), buyer.clone());
    let first = updates.next().await.unwrap().data.into_json().unwrap();
    assert_eq!(first, json!({ "orderUpdated": { "status": "CONFIRMED", "version": 2 } }));
    let input = json!({ "input": { "idempotencyKey": "key-cancel", "orderId": id, "expectedVersion": 2 } });
    bench.ask(&buyer, CANCEL, input).await;
    let next = updates.next().await.unwrap().data.into_json().unwrap();
    assert_eq!(next, json!({ "orderUpdated": { "status": "CANCELLED", "version": 3 } }));
    let mut foreign = bench.subgraph.subscribe_to(&watch, variables(), bench.user());
    assert_eq!(foreign.next().await.unwrap().errors.len(), 1);
}

#[tokio::test]
async fn the_seeded_orders_are_of_every_state_and_add_up() {
    let bench = Bench::new(0).await;
    let world = seed::World { orders: 120, users: 30, products: 40, ..seed::World::DEMO };
    let progress = subgraph::seeding::Progress::silent();
    for _ in 0..2 {
        orders::seed(&bench.ports, &world, &progress).await.unwrap();
    }
    let staff = bench.user().with_scopes(&["orders:read"]);
    let document = "{ orders(first: 100) { nodes { number status financialStatus fulfillmentStatus
      totals { subtotal { amountMinor } shipping { amountMinor } total { amountMinor } }
      lines { quantity quantityFulfilled quantityReturned total { amountMinor } }
      timeline { type } fulfillments { lines { id } } returns { status lines { id } } } } }";
    let answer = bench.ask(&staff, document, json!({})).await;
    let orders = answer["data"]["orders"]["nodes"].as_array().unwrap();
    assert_eq!(orders.len(), 100);
    let mut statuses: Vec<&str> = orders.iter().map(|order| order["status"].as_str().unwrap()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, ["CANCELLED", "COMPLETED", "CONFIRMED", "EXPIRED", "PENDING", "PROCESSING"]);
    for order in orders {
        let minor = |value: &Value| value["amountMinor"].as_i64().unwrap();
        let sum: i64 = order["lines"].as_array().unwrap().iter().map(|line| minor(&line["total"])).sum();
        assert_eq!(sum, minor(&order["totals"]["subtotal"]), "{order}");
        assert_eq!(sum + minor(&order["totals"]["shipping"]), minor(&order["totals"]["total"]), "{order}");
        let returned =
            order["fulfillmentStatus"] == "RETURNED" || order["financialStatus"] == "PARTIALLY_REFUNDED";
        assert!(
            !returned || order["returns"][0]["lines"].as_array().is_some_and(|lines| !lines.is_empty()),
            "{order}"
        );
    }
    let world = bench.peers.world();
    assert!(world.calls.is_empty(), "no worker takes seeded checkouts up: {:?}", world.calls);
}
