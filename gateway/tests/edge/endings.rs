//! Sessions that end before their tokens: every gateway refuses those from then on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::id::SessionId;
use common::{Clock, Ids, Timestamp};
use futures::future::BoxFuture;
use gateway::{Ending, Endings, EndingsUnavailable};
use serde_json::json;
use tower::ServiceExt as _;

use crate::door::{Door, post};

/// Who issues the tokens, and is away at times.
#[derive(Default)]
struct Issuer {
    ended: Mutex<Vec<Ending>>,
    is_away: AtomicBool,
    asked: AtomicUsize,
}

impl Endings for Issuer {
    fn since(&self, since: Timestamp) -> BoxFuture<'_, Result<Vec<Ending>, EndingsUnavailable>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if self.is_away.load(Ordering::SeqCst) {
                return Err(EndingsUnavailable("it is away".into()));
            }
            Ok(self.ended.lock().unwrap().iter().filter(|ended| ended.at >= since).copied().collect())
        })
    }
}

impl Issuer {
    fn end(&self, session: SessionId, at: Timestamp) {
        self.ended.lock().unwrap().push(Ending { session, at });
    }
}

fn clock() -> Clock {
    Clock::manual(Timestamp(1_800_000_000_000_000))
}

fn door(issuer: &Arc<Issuer>, clock: &Clock) -> Door {
    Door::at(clock, Some(issuer.clone()), |config| config.rates = None, |_, _| None)
}

async fn refused(door: &Door, token: &str) {
    for _ in 0..3_000 {
        let reply = door.query_as(token, "{ hello }").await;
        if reply.status == 401 {
            assert_eq!(reply.refusal(), (401, "UNAUTHENTICATED".to_owned()));
            return;
        }
        assert_eq!(reply.status, 200, "{}", reply.text);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the token of an ended session holds");
}

#[tokio::test]
async fn a_token_of_an_ended_session_is_refused_by_every_gateway_and_others_are_not() {
    let (issuer, clock, ids) = (Arc::<Issuer>::default(), clock(), Ids::counted());
    let doors = [door(&issuer, &clock), door(&issuer, &clock)];
    let (session, other): (SessionId, SessionId) = (ids.next(), ids.next());
    for door in &doors {
        assert_eq!(door.query_as(&door.token_of(session), "{ hello }").await.status, 200);
    }
    issuer.end(session, clock.now());
    for door in &doors {
        refused(door, &door.token_of(session)).await;
        assert_eq!(door.query_as(&door.token_of(other), "{ hello }").await.status, 200);
        assert_eq!(door.query("{ hello }").await.status, 200);
    }
    // A gateway that starts now knows of it from its first request on.
    let third = door(&issuer, &clock);
    assert_eq!(third.query_as(&third.token_of(session), "{ hello }").await.status, 401);
}

#[tokio::test]
async fn while_the_issuer_is_away_what_is_known_stays_refused_and_what_is_not_is_heard_afterwards() {
    let (issuer, clock, ids) = (Arc::<Issuer>::default(), clock(), Ids::counted());
    let (known, unheard): (SessionId, SessionId) = (ids.next(), ids.next());
    issuer.end(known, clock.now());
    let door = door(&issuer, &clock);
    assert_eq!(door.query_as(&door.token_of(known), "{ hello }").await.status, 401);
    issuer.is_away.store(true, Ordering::SeqCst);
    // Its transaction is over later than those that were heard since, as slow ones are.
    issuer.end(unheard, clock.now().minus(Duration::from_secs(20)));
    let asked = issuer.asked.load(Ordering::SeqCst);
    while issuer.asked.load(Ordering::SeqCst) < asked + 2 {
        assert_eq!(door.query_as(&door.token_of(known), "{ hello }").await.status, 401);
        assert_eq!(door.query_as(&door.token_of(unheard), "{ hello }").await.status, 200);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    issuer.is_away.store(false, Ordering::SeqCst);
    refused(&door, &door.token_of(unheard)).await;
    // A gateway that starts while the issuer is away lets tokens through, and waits for it no longer than a look.
    issuer.is_away.store(true, Ordering::SeqCst);
    let late = self::door(&issuer, &clock);
    assert_eq!(late.query_as(&late.token_of(unheard), "{ hello }").await.status, 200);
}

#[tokio::test]
async fn a_stream_ends_with_the_session_of_whoever_opened_it() {
    let (issuer, clock, ids) = (Arc::<Issuer>::default(), clock(), Ids::counted());
    let door = door(&issuer, &clock);
    let session: SessionId = ids.next();
    let body = json!({ "query": "subscription { forever }" }).to_string();
    let token = door.token_of(session);
    let headers = [("accept", "text/event-stream"), ("authorization", token.as_str())];
    let response = door.router.clone().oneshot(post(&headers, &body)).await.unwrap();
    assert_eq!(response.status(), 200);
    issuer.end(session, clock.now());
    let last = http_body_util::BodyExt::collect(response.into_body()).await.unwrap().to_bytes();
    let last = String::from_utf8(last.to_vec()).unwrap();
    assert!(last.contains("UNAUTHENTICATED"), "{last}");
    door.comes_to_run(0).await;
}
