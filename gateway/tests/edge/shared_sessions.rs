//! Browsers' sessions that gateways share in a real Redis: begun at one, known to all, renewed once, ended everywhere.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::http::header;
use gateway::GatewayConfig;
use serde_json::json;
use tokio::task::JoinSet;

use crate::door::{Door, Reply, post, request};
use crate::place::{Place, redis_is_here};
use crate::provider::Provider;

const SESSION: &str = "__Host-techpotli-session";

/// Two gateways with sessions in one place, and the provider that both trust.
fn two_gateways(place: &Place) -> (Arc<Provider>, [Arc<Door>; 2]) {
    let provider = Provider::new();
    let shared = |config: &mut GatewayConfig| {
        config.rates = None;
        config.sessions = Some(place.remote());
    };
    let doors = [0, 1].map(|_| Arc::new(provider.door_with(shared)));
    (provider, doors)
}

fn parameter(url: &str, name: &str) -> String {
    let query = url.split_once('?').unwrap().1;
    form_urlencoded::parse(query.as_bytes()).find(|(found, _)| found == name).unwrap().1.into_owned()
}

/// The first pair of a `Set-Cookie` that begins so.
fn cookie(reply: &Reply, name: &str) -> String {
    let cookies = reply.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    let found = cookies.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.starts_with(name));
    found.unwrap_or_else(|| panic!("no {name}: {} {}", reply.status, reply.text)).to_owned()
}

/// Begins a log-in at one gateway and ends it at another; what the browser comes back to.
async fn come_back(begin: &Door, end: &Door) -> Reply {
    let sent = begin.get("/auth/login?return_to=/cart", &[]).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let (there, pending) = (sent.header("location"), cookie(&sent, "__Host-techpotli-login-"));
    let back = form_urlencoded::Serializer::new(String::new())
        .append_pair("state", &parameter(there, "state"))
        .append_pair("code", &parameter(there, "nonce"))
        .finish();
    end.get(&format!("/auth/callback?{back}"), &[("cookie", &pending)]).await
}

async fn log_in(begin: &Door, end: &Door) -> String {
    let done = come_back(begin, end).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "https://shop.example/cart"));
    cookie(&done, SESSION)
}

async fn ask(door: &Door, cookie: &str) -> Reply {
    let own = [("cookie", cookie), ("origin", "https://shop.example"), ("sec-fetch-site", "same-origin")];
    door.send(post(&own, &json!({ "query": "{ whoami }" }).to_string())).await
}

async fn assert_logged_in(door: &Door, cookie: &str) {
    let reply = ask(door, cookie).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.json()["data"]["whoami"], "user us USD US en");
}

/// Asks until the session is over there, and says how long that took.
async fn over(what: &str, door: &Door, cookie: &str) {
    let begun = Instant::now();
    for _ in 0..3_000 {
        let reply = ask(door, cookie).await;
        if reply.status == 401 {
            assert!(cookie_is_taken(&reply), "the dead cookie stays");
            println!("{what}: refused by the other gateway after {:.1} s", begun.elapsed().as_secs_f64());
            return;
        }
        assert_eq!(reply.status, 200, "{}", reply.text);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: the session goes on");
}

fn cookie_is_taken(reply: &Reply) -> bool {
    let mut cookies =
        reply.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies.any(|cookie| cookie.starts_with(&format!("{SESSION}=;")) && cookie.contains("Max-Age=0"))
}

/// The provider says at this gateway that a session has ended.
async fn back_channel(door: &Door, provider: &Provider, session: &str) {
    let body = format!("logout_token={}", provider.logout_token(session));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let reply = door.send(request("POST", "/auth/backchannel-logout", &headers, &body)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_known_to_every_gateway_of_one_redis() {
    if redis_is_here() {
        sessions_are_shared(&Place::one_server()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_known_to_every_gateway_of_a_redis_cluster() {
    if redis_is_here() {
        sessions_are_shared(&Place::cluster()).await;
    }
}

async fn sessions_are_shared(place: &Place) {
    let (provider, [one, other]) = two_gateways(place);
    let browser = log_in(&one, &other).await;
    assert_logged_in(&one, &browser).await;
    assert_logged_in(&other, &browser).await;
    assert_eq!(ask(&one, &format!("{SESSION}=made-up")).await.status, 401);

    let all = place.dump().await;
    assert!(all.contains("techpotli:session.1:{"), "{all}");
    assert!(all.lines().filter(|line| line.contains(":session")).all(|line| line.starts_with("techpotli:")));
    let secret = browser.split_once('=').unwrap().1;
    for hidden in [secret, "refresh-token", "session-0", "somebody", "ledger:read"] {
        assert!(!all.contains(hidden), "{hidden} can be read in Redis: {all}");
    }

    is_renewed_once(&provider, &one, &other, &browser).await;

    // Logged out at one, and at the other what it remembers is soon over.
    assert_logged_in(&other, &browser).await;
    let out = one.get("/auth/logout", &[("cookie", &browser), ("sec-fetch-site", "same-origin")]).await;
    assert_eq!(out.status, 303, "{}", out.text);
    assert_eq!(ask(&one, &browser).await.status, 401);
    over("a log-out", &other, &browser).await;

    // The provider tells one gateway; a token of the same session that the app has is refused by the other too.
    let browser = log_in(&other, &one).await;
    let session = "session-1";
    let bearer = format!("Bearer {}", provider.access_token(session));
    assert_logged_in(&other, &browser).await;
    assert_eq!(other.query_as(&bearer, "{ hello }").await.status, 200);
    back_channel(&one, &provider, session).await;
    assert_eq!(ask(&one, &browser).await.status, 401);
    over("a back-channel log-out", &other, &browser).await;
    assert_eq!(other.query_as(&bearer, "{ hello }").await.refusal(), (401, "UNAUTHENTICATED".to_owned()));
    // A gateway that starts now knows of it from its first request on.
    let third = provider.door_with(|config| config.sessions = Some(place.remote()));
    assert_eq!(third.query_as(&bearer, "{ hello }").await.status, 401);
    assert_eq!(ask(&third, &browser).await.status, 401);

    // Who logs in anew is in, and not in another shop on the same Redis.
    let browser = log_in(&one, &one).await;
    assert_logged_in(&other, &browser).await;
    let elsewhere = provider.door_with(|config| config.sessions = Some(place.remote().for_tenant("another")));
    assert_eq!(ask(&elsewhere, &browser).await.status, 401);
}

/// The provider ends the session of whoever brings a refresh token twice.
async fn is_renewed_once(provider: &Provider, one: &Arc<Door>, other: &Arc<Door>, browser: &str) {
    for (round, pause) in [285, 400, 285, 285, 1_000].into_iter().enumerate() {
        provider.clock.advance(Duration::from_secs(pause));
        let asked = (0..40).map(|number| {
            let door = [one, other][number % 2].clone();
            let browser = browser.to_owned();
            async move { ask(&door, &browser).await.status.as_u16() }
        });
        let answers = asked.collect::<JoinSet<_>>().join_all().await;
        assert_eq!(answers, vec![200; 40], "round {round}");
        // Within the margin whoever finds another gateway at it goes on with what still holds.
        assert_logged_in(one, browser).await;
        assert_logged_in(other, browser).await;
        assert_eq!(provider.refreshes.load(Ordering::SeqCst), round + 1);
    }
    assert_eq!(provider.reuses.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_nobody_is_somebody_else_and_afterwards_all_are_who_they_were() {
    if !redis_is_here() {
        return;
    }
    let place = Place::one_server();
    let (provider, [one, other]) = two_gateways(&place);
    let browser = log_in(&one, &other).await;
    let second = log_in(&one, &one).await;
    assert_logged_in(&one, &browser).await;
    assert_logged_in(&one, &second).await;
    place.servers[0].kill().unwrap();

    // What a gateway knows works on, as an access token does; what it does not is nobody's, and no guest's either.
    for _ in 0..400 {
        assert_logged_in(&one, &browser).await;
        let unknown = ask(&other, &browser).await;
        assert_eq!(unknown.refusal(), (503, "LOGIN_UNAVAILABLE".to_owned()));
        assert!(!cookie_is_taken(&unknown));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    provider.clock.advance(Duration::from_secs(290));
    assert_logged_in(&one, &browser).await;
    provider.clock.advance(Duration::from_secs(20));
    assert_eq!(ask(&one, &browser).await.refusal(), (503, "LOGIN_UNAVAILABLE".to_owned()));
    assert_eq!(provider.refreshes.load(Ordering::SeqCst), 0, "a renewal that could not be written down");
    // Nobody gets in or out.
    assert_eq!(come_back(&one, &one).await.refusal(), (503, "LOGIN_UNAVAILABLE".to_owned()));
    let out = one.get("/auth/logout", &[("cookie", &browser), ("sec-fetch-site", "same-origin")]).await;
    assert_eq!(out.refusal(), (503, "LOGIN_UNAVAILABLE".to_owned()));
    assert!(!cookie_is_taken(&out));
    assert_eq!(one.query("{ hello }").await.status, 200, "guests do not notice");
    let bearer = format!("Bearer {}", provider.access_token("session-1"));
    assert_eq!(one.query_as(&bearer, "{ hello }").await.status, 200, "nor do tokens");
    // What the provider says now is heard here at once.
    back_channel(&one, &provider, "session-1").await;
    assert_eq!(one.query_as(&bearer, "{ hello }").await.status, 401);

    place.servers[0].start().unwrap();
    let mut back = ask(&one, &browser).await;
    for _ in 0..3_000 {
        if back.status == 200 {
            break;
        }
        assert_eq!(back.refusal(), (503, "LOGIN_UNAVAILABLE".to_owned()));
        tokio::time::sleep(Duration::from_millis(10)).await;
        back = ask(&one, &browser).await;
    }
    assert_logged_in(&one, &browser).await;
    // And the other gateway hears of what ended meanwhile.
    for _ in 0..3_000 {
        if other.query_as(&bearer, "{ hello }").await.status == 401 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(other.query_as(&bearer, "{ hello }").await.status, 401);
    assert_eq!(ask(&other, &second).await.status, 401);
    let out = one.get("/auth/logout", &[("cookie", &browser), ("sec-fetch-site", "same-origin")]).await;
    assert_eq!(out.status, 303);
    over("a log-out", &other, &browser).await;
}
