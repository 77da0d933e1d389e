//! Gateways that count together in a real Redis, and alone while it is away.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::extract::ConnectInfo;
use gateway::{Rate, RateLimits};
use serde_json::json;

use crate::door::{Door, Reply, post};
use crate::place::{Place, redis_is_here};

fn per_hour(requests: u32) -> Rate {
    Rate { requests, window: Duration::from_secs(3_600) }
}

/// Two gateways that count together: ten requests an hour for an address, four for a user, three `add`s for each.
fn two_gateways(place: &Place) -> [Door; 2] {
    [0, 1].map(|_| {
        Door::with(|config| {
            config.rates = Some(RateLimits {
                per_address: per_hour(10),
                per_user: per_hour(4),
                cost: Some(per_hour(1_000)),
                per_field: vec![("add".into(), per_hour(3))],
                shared: Some(place.remote()),
                replicas: NonZeroU32::new(2).unwrap(),
            });
        })
    })
}

async fn ask(door: &Door, address: &str, headers: &[(&str, &str)], document: &str) -> Reply {
    let mut request = post(headers, &json!({ "query": document }).to_string());
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(address.parse().unwrap(), 1)));
    door.send(request).await
}

async fn admitted(door: &Door, address: &str, times: usize) -> usize {
    let mut admitted = 0;
    for _ in 0..times {
        let status = ask(door, address, &[], "{ hello }").await.status.as_u16();
        assert!(matches!(status, 200 | 429), "{status}");
        admitted += usize::from(status == 200);
    }
    admitted
}

/// Asks from one address after the other until the gateway has heard of its Redis: of a shared quota of ten, nine
/// remain after the first request, of a share of five, four.
async fn hears(door: &Door, network: &str) {
    for host in 1..=60_000 {
        let address = format!("{network}.{}.{}", host / 250, host % 250 + 1);
        if ask(door, &address, &[], "{ hello }").await.header("ratelimit").contains("r=9") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("Redis is never heard of");
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_count_together_in_one_redis() {
    if redis_is_here() {
        count_together(&Place::one_server()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_count_together_in_a_redis_cluster() {
    if redis_is_here() {
        count_together(&Place::cluster()).await;
    }
}

async fn count_together(place: &Place) {
    let [one, other] = two_gateways(place);
    hears(&one, "10.1").await;
    hears(&other, "10.2").await;

    // Ten for an address, whichever gateway it asks.
    assert_eq!(admitted(&one, "203.0.113.1", 6).await, 6);
    assert_eq!(admitted(&other, "203.0.113.1", 6).await, 4);
    assert_eq!(admitted(&one, "203.0.113.1", 3).await, 0);
    let refused = ask(&other, "203.0.113.1", &[], "{ hello }").await;
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED".to_owned()));
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=360).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit").starts_with("\"address\";r=0"), "{}", refused.header("ratelimit"));

    // Four for a user, from wherever and at whichever; the doors give their first user the same id.
    let tokens = [one.token(&[]), other.token(&[])];
    for (place, expected) in [200, 200, 200, 200, 429, 429].into_iter().enumerate() {
        let door = [&one, &other][place % 2];
        let headers = [("authorization", tokens[place % 2].as_str())];
        let reply = ask(door, &format!("203.0.113.{}", 100 + place), &headers, "{ hello }").await;
        assert_eq!(reply.status.as_u16(), expected, "request {place}: {}", reply.text);
    }

    // Each alias counts; what is refused is charged for nothing; what can never be admitted is told at once.
    let from = "203.0.113.50";
    let twice = "mutation { a: add(n: 1) b: add(n: 2) }";
    assert_eq!(ask(&one, from, &[], twice).await.status, 200);
    let refused = ask(&other, from, &[], twice).await;
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED".to_owned()));
    assert!(refused.header("ratelimit-policy").starts_with("\"add\";q=3"));
    assert_eq!(ask(&other, from, &[], "mutation { add(n: 1) }").await.status, 200);
    assert_eq!(ask(&one, from, &[], "mutation { add(n: 1) }").await.status, 429);
    assert_eq!(admitted(&one, from, 9).await, 8, "two of the address's ten are spent");
    let never = "mutation { a: add(n: 1) b: add(n: 1) c: add(n: 1) d: add(n: 1) }";
    assert_eq!(ask(&one, "203.0.113.51", &[], never).await.refusal(), (400, "COST_EXCEEDED".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_has_less_than_was_asked_for_is_given_back_in_one_redis() {
    if redis_is_here() {
        give_back(&Place::one_server()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_has_less_than_was_asked_for_is_given_back_in_a_redis_cluster() {
    if redis_is_here() {
        give_back(&Place::cluster()).await;
    }
}

async fn give_back(place: &Place) {
    let doors = [0, 1].map(|_| {
        Door::with(|config| {
            config.rates = Some(RateLimits {
                per_address: per_hour(100_000),
                cost: Some(per_hour(1_000)),
                shared: Some(place.remote()),
                replicas: NonZeroU32::new(2).unwrap(),
                ..RateLimits::default()
            });
        })
    });
    let left = async |door: &Door, address: &str| -> u32 {
        let reply = ask(door, address, &[], "{ product { id } }").await;
        let text = reply.header("ratelimit").strip_prefix("\"cost\";r=").unwrap();
        text.split(';').next().unwrap().parse().unwrap()
    };
    // A gateway connects when it is first asked, and until then counts its share: others' addresses.
    for (number, door) in doors.iter().enumerate() {
        for host in 1.. {
            if left(door, &format!("10.3.{number}.{host}")).await == 999 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let address = "203.0.113.1";
    for number in 0..40 {
        let reply = ask(&doors[number % 2], address, &[], "{ products(first: 100) { id } }").await;
        assert_eq!(reply.status, 200, "request {number}: {}", reply.text);
    }
    // What is given back is so after the answer. Each look costs one.
    for look in 1..=200 {
        if left(&doors[0], address).await == 1_000 - 40 * 2 - look {
            assert_eq!(left(&doors[1], address).await, 1_000 - 40 * 2 - look - 1);
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("what was not used is not given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_cluster_a_refusal_in_one_slot_is_charged_in_none() {
    if !redis_is_here() {
        return;
    }
    let place = Place::cluster();
    let [one, other] = two_gateways(&place);
    hears(&one, "10.1").await;
    hears(&other, "10.2").await;
    let address = "203.0.113.9";
    assert_eq!(admitted(&other, address, 9).await, 9);
    let token = one.token(&[]);
    let user = [("authorization", token.as_str())];
    // The user's account and the address's lie in different slots: the last of the address's ten, then its refusals.
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(ask(&one, address, &user, "{ hello }").await.status.as_u16());
    }
    assert_eq!(seen, [200, 429, 429, 429]);
    // Of the user's four only one was charged. The other gateway's own shield has not seen the user yet.
    let token = other.token(&[]);
    let user = [("authorization", token.as_str())];
    for expected in [200, 200, 200, 429] {
        let reply = ask(&other, "203.0.113.10", &user, "{ hello }").await;
        assert_eq!(reply.status.as_u16(), expected, "{}", reply.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_each_gateway_lets_its_share_through() {
    if !redis_is_here() {
        return;
    }
    let place = Place::one_server();
    let [one, other] = two_gateways(&place);
    hears(&one, "10.1").await;
    hears(&other, "10.2").await;
    place.servers[0].kill().unwrap();
    assert_eq!(admitted(&one, "203.0.113.1", 8).await, 5);
    assert_eq!(admitted(&other, "203.0.113.1", 8).await, 5);
    assert_eq!(admitted(&other, "203.0.113.2", 2).await, 2);
    // What can never fit into a share is refused as well, and not with a 5xx.
    let thrice = "mutation { a: add(n: 1) b: add(n: 1) c: add(n: 1) }";
    assert_eq!(ask(&one, "203.0.113.3", &[], thrice).await.status, 429);
    place.servers[0].start().unwrap();
    hears(&one, "10.3").await;
    hears(&other, "10.4").await;
    assert_eq!(admitted(&one, "203.0.113.4", 8).await, 8);
    assert_eq!(admitted(&other, "203.0.113.4", 8).await, 2);
}
