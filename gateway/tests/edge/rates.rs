//! Who asks too often is told when to come back.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::ConnectInfo;
use gateway::{GatewayConfig, Rate, RateLimits};
use serde_json::json;

use crate::door::{Door, Reply, post};

fn tight(address: u32, user: u32) -> impl FnOnce(&mut GatewayConfig) {
    let rate = |requests| Rate { requests, window: Duration::from_secs(3_600) };
    move |config| {
        config.rates =
            Some(RateLimits { per_address: rate(address), per_user: rate(user), ..RateLimits::default() })
    }
}

async fn from(door: &Door, peer: &str, headers: &[(&str, &str)]) -> Reply {
    let mut request = post(headers, &json!({ "query": "{ hello }" }).to_string());
    request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
    door.send(request).await
}

#[tokio::test]
async fn an_address_that_asks_too_often_is_throttled() {
    let door = Door::with(tight(2, 100));
    let first = from(&door, "203.0.113.7:1000", &[]).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.header("ratelimit-policy"), "\"address\";q=2;w=3600");
    assert_eq!(first.header("ratelimit"), "\"address\";r=1;t=1800");
    assert_eq!(from(&door, "203.0.113.7:1001", &[]).await.status, 200);

    let refused = from(&door, "203.0.113.7:1002", &[]).await;
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED".to_owned()));
    let after: u64 = refused.header("retry-after").parse().unwrap();
    let extensions = &refused.json()["errors"][0]["extensions"];
    assert!((1..=1_800).contains(&after));
    assert_eq!(extensions["retryable"], true);
    assert!(extensions["retryAfterMs"].as_u64().unwrap() <= 1_800_000);
    assert!(refused.header("ratelimit").contains("r=0"));
    assert_eq!(from(&door, "203.0.113.8:1000", &[]).await.status, 200, "others are not throttled");
}

#[tokio::test]
async fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
    let door = Door::with(|config| {
        tight(1, 100)(config);
        config.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    });
    assert_eq!(from(&door, "10.0.0.1:1", &[("x-forwarded-for", "1.1.1.1")]).await.status, 200);
    assert_eq!(from(&door, "10.0.0.2:1", &[("x-forwarded-for", "1.1.1.1")]).await.status, 429);
    assert_eq!(from(&door, "10.0.0.1:1", &[("x-forwarded-for", "2.2.2.2")]).await.status, 200);
    // Somebody else makes it up.
    assert_eq!(from(&door, "203.0.113.7:1", &[("x-forwarded-for", "3.3.3.3")]).await.status, 200);
    assert_eq!(from(&door, "203.0.113.7:1", &[("x-forwarded-for", "4.4.4.4")]).await.status, 429);
}

#[tokio::test]
async fn a_user_is_throttled_from_wherever() {
    let door = Door::with(tight(100, 2));
    let token = door.token(&[]);
    let user = [("authorization", token.as_str())];
    assert_eq!(from(&door, "203.0.113.1:1", &user).await.header("ratelimit-policy"), "\"user\";q=2;w=3600");
    assert_eq!(from(&door, "203.0.113.2:1", &user).await.status, 200);
    let refused = from(&door, "203.0.113.3:1", &user).await;
    assert_eq!(refused.refusal(), (429, "RATE_LIMITED".to_owned()));
    assert_eq!(from(&door, "203.0.113.1:1", &[]).await.status, 200);
}

#[tokio::test]
async fn bad_tokens_are_counted_before_they_are_checked() {
    let door = Door::with(tight(2, 100));
    let forged = [("authorization", "Bearer x.y.z")];
    for expected in [401, 401, 429] {
        assert_eq!(from(&door, "203.0.113.7:1", &forged).await.status, expected);
    }
}

#[tokio::test]
async fn what_an_answer_has_less_than_was_asked_for_is_given_back() {
    let door = Door::with(|config| {
        let cost = Some(Rate { requests: 150, window: Duration::from_secs(3_600) });
        config.rates = Some(RateLimits { cost, ..RateLimits::default() });
    });
    let ask = async |document: &str| {
        let mut request = post(&[], &json!({ "query": document }).to_string());
        request.extensions_mut().insert(ConnectInfo("203.0.113.7:1".parse::<SocketAddr>().unwrap()));
        door.send(request).await
    };
    for _ in 0..20 {
        let reply = ask("{ products(first: 100) { id } }").await;
        assert_eq!(reply.json()["data"]["products"].as_array().unwrap().len(), 2);
    }
    let left = ask("{ product { id } }").await;
    assert_eq!(left.header("ratelimit-policy"), "\"cost\";q=150;w=3600");
    assert!(left.header("ratelimit").starts_with("\"cost\";r=109;"), "{}", left.header("ratelimit"));
    // Of an answer with errors nobody knows what went into it.
    assert_eq!(ask("{ products(first: 100) { id } broken }").await.status, 200);
    assert_eq!(ask("{ products(first: 100) { id } }").await.refusal(), (429, "RATE_LIMITED".to_owned()));
}

#[tokio::test]
async fn the_limiter_can_be_off() {
    let door = Door::with(|config| config.rates = None);
    let reply = from(&door, "203.0.113.7:1", &[]).await;
    assert_eq!((reply.status.as_u16(), reply.header("ratelimit")), (200, ""));
}
