//! Setting aside, committing, giving back: alone and against each other.

use std::time::Duration;

use crate::bench::{Bench, shopper};
use common::id::{CartLineId, OrderId, VariantId};
use events::calls::inventory::{CommitStockReply, ReserveLine, ReserveStockReply};
use events::orders::OrderChange;
use serde_json::json;
use subgraph::testing;
use tokio::task::JoinSet;

fn is_reserved(reply: &ReserveStockReply) -> bool {
    matches!(reply, ReserveStockReply::Reserved { .. })
}

#[tokio::test]
async fn an_order_asked_for_twice_holds_stock_once() {
    let (bench, variant, _) = Bench::with_one(10).await;
    let order = bench.order();
    let ReserveStockReply::Reserved { reservations } = bench.reserve(order, &[(variant, 4)]).await else {
        panic!("there is enough");
    };
    let ReserveStockReply::Reserved { reservations: again } = bench.reserve(order, &[(variant, 4)]).await
    else {
        panic!("it was reserved before");
    };
    assert_eq!(reservations, again);
    assert_eq!(bench.quantity(variant).await, 6);
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 10, 4, 0)]);
}

#[tokio::test]
async fn the_same_variant_twice_in_one_order_counts_twice() {
    let (bench, variant, _) = Bench::with_one(3).await;
    let reply = bench.reserve(bench.order(), &[(variant, 2), (variant, 2)]).await;
    assert!(
        matches!(reply, ReserveStockReply::Insufficient { variant: short, available: 3 } if short == variant),
        "{reply:?}"
    );
    assert!(is_reserved(&bench.reserve(bench.order(), &[(variant, 2), (variant, 1)]).await));
    assert_eq!(bench.quantity(variant).await, 0);
}

fn line(bench: &Bench, variant: VariantId, quantity: i32) -> (CartLineId, ReserveLine) {
    let id = bench.ports.ids.next();
    (id, ReserveLine { line: Some(id), variant, quantity })
}

#[tokio::test]
async fn a_line_shows_what_is_set_aside_for_it() {
    let bench = Bench::new().await;
    let (_, variants) = bench.product(2).await;
    for (code, country) in [("berlin", "DE"), ("newark", "US")] {
        let location = bench.location(code, country, true).await;
        bench.put(variants[0], location, 3).await;
        bench.put(variants[1], location, 9).await;
    }
    let ((split, first), (shared, second), (other, third)) =
        (line(&bench, variants[0], 4), line(&bench, variants[0], 1), line(&bench, variants[1], 2));
    let (unknown, _) = line(&bench, variants[1], 1);
    let lines = [split, shared, other, unknown];
    let nothing = vec![json!(null); 4];
    assert_eq!(bench.reservations(&lines).await, nothing);

    let order = bench.order();
    let wanted = vec![first.clone(), second, third];
    assert!(is_reserved(&bench.reserve_lines("US", order, wanted).await));
    let held = |state: &str, quantity: i32| {
        let until = (state == "ACTIVE").then_some("2026-11-01T12:15:00.000Z");
        json!({ "state": state, "quantity": quantity, "expiresAt": until })
    };
    let shown = bench.reservations(&lines).await;
    assert_eq!(shown, [held("ACTIVE", 4), held("ACTIVE", 1), held("ACTIVE", 2), json!(null)]);
    assert_eq!(bench.commit(order).await, CommitStockReply::Committed);
    let shown = bench.reservations(&lines).await;
    assert_eq!(shown, [held("COMMITTED", 4), held("COMMITTED", 1), held("COMMITTED", 2), json!(null)]);
    bench.release(order).await;
    assert_eq!(bench.reservations(&lines).await, nothing);

    // A second try with the same cart.
    assert!(is_reserved(&bench.reserve_lines("US", bench.order(), vec![first.clone()]).await));
    bench.ports.clock.advance(Duration::from_micros(crate::bench::HOLD as u64));
    assert_eq!(bench.reservations(&[split]).await, [held("EXPIRED", 4)]);
    assert!(is_reserved(&bench.reserve_lines("US", bench.order(), vec![first]).await));
    assert_eq!(bench.reservations(&[split]).await[0]["state"], "ACTIVE");
}

#[tokio::test]
async fn all_lines_are_reserved_or_none() {
    let bench = Bench::new().await;
    let location = bench.location("us-east", "US", true).await;
    let (_, variants) = bench.product(2).await;
    bench.put(variants[0], location, 5).await;
    let order = bench.order();
    let reply = bench.reserve(order, &[(variants[0], 1), (variants[1], 1)]).await;
    assert!(matches!(reply, ReserveStockReply::Insufficient { available: 0, .. }), "{reply:?}");
    assert_eq!(bench.levels(variants[0]).await, [("us-east".into(), 5, 0, 0)]);
    // What was refused is not remembered: there may be enough the next time.
    bench.put(variants[1], location, 1).await;
    assert!(is_reserved(&bench.reserve(order, &[(variants[0], 1), (variants[1], 1)]).await));
}

#[tokio::test]
async fn goods_are_taken_from_the_country_they_are_sent_to_and_then_from_elsewhere() {
    let bench = Bench::new().await;
    let berlin = bench.location("berlin", "DE", true).await;
    let newark = bench.location("newark", "US", true).await;
    let osaka = bench.location("osaka", "JP", false).await;
    let (_, variants) = bench.product(1).await;
    for (location, quantity) in [(berlin, 2), (newark, 5), (osaka, 9)] {
        bench.put(variants[0], location, quantity).await;
    }
    assert!(is_reserved(&bench.reserve_to("DE", bench.order(), &[(variants[0], 3)]).await));
    assert_eq!(
        bench.levels(variants[0]).await,
        [("berlin".into(), 2, 2, 0), ("newark".into(), 5, 1, 0), ("osaka".into(), 9, 0, 0)]
    );
    // What is left in Newark and nothing of Osaka, which sends nothing abroad.
    let reply = bench.reserve_to("DE", bench.order(), &[(variants[0], 5)]).await;
    assert!(matches!(reply, ReserveStockReply::Insufficient { available: 4, .. }), "{reply:?}");
}

#[tokio::test]
async fn what_expired_is_free_at_once_and_cannot_be_committed() {
    let (bench, variant, _) = Bench::with_one(1).await;
    let (late, next) = (bench.order(), bench.order());
    assert!(is_reserved(&bench.reserve(late, &[(variant, 1)]).await));
    assert!(!is_reserved(&bench.reserve(next, &[(variant, 1)]).await));
    bench.ports.clock.advance(Duration::from_micros(crate::bench::HOLD as u64));
    // Nobody swept.
    assert_eq!(bench.quantity(variant).await, 1);
    assert_eq!(bench.commit(late).await, CommitStockReply::Expired);
    assert!(matches!(bench.reserve(late, &[(variant, 1)]).await, ReserveStockReply::Gone));
    assert!(is_reserved(&bench.reserve(next, &[(variant, 1)]).await));
    assert_eq!(bench.commit(next).await, CommitStockReply::Committed);
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 1, 0, 1)]);
    bench.release(late).await;
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 1, 0, 1)]);
}

#[tokio::test]
async fn what_is_committed_stays_until_it_is_released_or_sent() {
    let (bench, variant, _) = Bench::with_one(5).await;
    let (sent, cancelled) = (bench.order(), bench.order());
    for order in [sent, cancelled] {
        assert!(is_reserved(&bench.reserve(order, &[(variant, 2)]).await));
        assert_eq!(bench.commit(order).await, CommitStockReply::Committed);
        assert_eq!(bench.commit(order).await, CommitStockReply::Committed);
    }
    bench.ports.clock.advance(Duration::from_secs(86_400));
    assert_eq!(inventory::sweep(&bench.ports).await.unwrap(), 0);
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 5, 0, 4)]);
    bench.tell_order(OrderChange::Completed, sent, variant).await;
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 3, 0, 2)]);
    bench.tell_order(OrderChange::Cancelled, cancelled, variant).await;
    bench.release(cancelled).await;
    bench.release(sent).await;
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 3, 0, 0)]);
    assert_eq!(bench.quantity(variant).await, 3);
}

#[tokio::test]
async fn a_release_that_overtakes_its_reservation_wins() {
    let (bench, variant, _) = Bench::with_one(5).await;
    let order = bench.order();
    bench.release(order).await;
    assert!(matches!(bench.reserve(order, &[(variant, 1)]).await, ReserveStockReply::Gone));
    assert_eq!(bench.commit(order).await, CommitStockReply::Expired);
    assert_eq!(bench.quantity(variant).await, 5);
}

#[tokio::test]
async fn what_may_be_sold_before_it_is_there_can_be_reserved_below_zero() {
    let (bench, variant, _) = Bench::with_one(1).await;
    bench.sql("UPDATE stock_item SET backorder = 'ALLOW', restock_at = 1793620800000000", vec![]).await;
    bench.sql("UPDATE stock_level SET oversell = ?", vec![true.into()]).await;
    assert!(is_reserved(&bench.reserve(bench.order(), &[(variant, 3)]).await));
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 1, 3, 0)]);
    let told = bench.availability("ProductVariant", &variant.to_string()).await;
    assert_eq!(told["status"], "BACKORDER");
    assert_eq!(told["restockAt"], "2026-11-02T12:00:00.000Z");
}

#[tokio::test]
async fn what_nobody_counts_is_always_there() {
    let (bench, variant, _) = Bench::with_one(1).await;
    bench.sql("UPDATE stock_item SET tracked = ?", vec![false.into()]).await;
    let order = bench.order();
    assert!(is_reserved(&bench.reserve(order, &[(variant, 50)]).await));
    assert_eq!(bench.commit(order).await, CommitStockReply::Committed);
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 1, 0, 0)]);
    let told = bench.availability("ProductVariant", &variant.to_string()).await;
    assert_eq!((&told["status"], &told["quantity"]), (&json!("IN_STOCK"), &json!(null)));
}

#[tokio::test]
async fn the_tables_themselves_refuse_to_promise_what_is_not_there() {
    let (bench, _, _) = Bench::with_one(2).await;
    use sea_orm::ConnectionTrait as _;
    for broken in ["reserved = 3", "allocated = 3", "on_hand = -1", "reserved = -1", "allocated = -1"] {
        let sql = format!("UPDATE stock_level SET {broken}");
        assert!(bench.ports.database.schema().execute_unprepared(&sql).await.is_err(), "{broken}");
    }
}

#[tokio::test]
async fn only_services_set_stock_aside() {
    let (bench, variant, _) = Bench::with_one(2).await;
    let document = "mutation($request: ServiceCall!) { reply: stockReserve(request: $request) }";
    let request = json!({
        "order": bench.order(), "lines": [{ "variant": variant, "quantity": 1 }], "country": "US",
        "expires_at": "2026-11-01T13:00:00.000Z",
    });
    let answer = testing::run(&bench.subgraph, &shopper(), document, json!({ "request": request })).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(bench.quantity(variant).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_who_want_one_of_ten_exactly_ten_get_it() {
    let (bench, variant, _) = Bench::with_one(10).await;
    let mut buyers = JoinSet::new();
    for _ in 0..50 {
        let bench = bench.clone();
        buyers.spawn(async move {
            let order = bench.order();
            let reserved = is_reserved(&bench.reserve(order, &[(variant, 1)]).await);
            if reserved {
                assert_eq!(bench.commit(order).await, CommitStockReply::Committed);
            }
            reserved
        });
    }
    let got = buyers.join_all().await.into_iter().filter(|reserved| *reserved).count();
    assert_eq!(got, 10);
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 10, 0, 10)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_for_the_same_goods_in_any_order_do_not_block_each_other() {
    let bench = Bench::new().await;
    let location = bench.location("us-east", "US", true).await;
    let (_, variants) = bench.product(4).await;
    for variant in &variants {
        bench.put(*variant, location, 20).await;
    }
    let mut buyers = JoinSet::new();
    for turn in 0..24 {
        let (bench, mut wanted) = (bench.clone(), variants.clone());
        wanted.rotate_left(turn % 4);
        buyers.spawn(async move {
            let lines: Vec<_> = wanted.iter().map(|variant| (*variant, 1)).collect();
            is_reserved(&bench.reserve(bench.order(), &lines).await)
        });
    }
    let got = buyers.join_all().await.into_iter().filter(|reserved| *reserved).count();
    assert_eq!(got, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_reserves_while_others_expire_and_are_swept_gets_what_there_is_and_no_more() {
    let (bench, variant, _) = Bench::with_one(5).await;
    let late: Vec<OrderId> = (0..5).map(|_| bench.order()).collect();
    for order in &late {
        assert!(is_reserved(&bench.reserve(*order, &[(variant, 1)]).await));
    }
    bench.ports.clock.advance(Duration::from_secs(3_600));
    let mut buyers = JoinSet::new();
    for turn in 0..20 {
        let bench = bench.clone();
        let late = late[turn % 5];
        buyers.spawn(async move {
            match turn % 4 {
                0 => drop(inventory::sweep(&bench.ports).await.unwrap()),
                1 => assert_eq!(bench.commit(late).await, CommitStockReply::Expired),
                2 => bench.release(late).await,
                _ => {}
            }
            is_reserved(&bench.reserve(bench.order(), &[(variant, 1)]).await)
        });
    }
    let got = buyers.join_all().await.into_iter().filter(|reserved| *reserved).count();
    assert_eq!(got, 5);
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 5, 5, 0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_order_from_many_sides_holds_stock_once() {
    let (bench, variant, _) = Bench::with_one(10).await;
    let order = bench.order();
    let mut sides = JoinSet::new();
    for _ in 0..12 {
        let bench = bench.clone();
        sides.spawn(async move { is_reserved(&bench.reserve(order, &[(variant, 3)]).await) });
    }
    assert!(sides.join_all().await.into_iter().all(|reserved| reserved));
    assert_eq!(bench.levels(variant).await, [("us-east".into(), 10, 3, 0)]);
}
