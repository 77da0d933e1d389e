//! Logging in, staying logged in, logging out.

use std::sync::Arc;
use std::time::Duration;

use auth::{ShopContext, TokenError, Viewer};
use common::Timestamp;
use common::id::SessionId;
use events::calls::Call as _;
use events::calls::users::{EndedSession, EndedSessions};
use serde_json::json;

use crate::{Bench, Login, PASSWORD, at_once, code};

const EMAIL: &str = "ada@example.com";
const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_log_in_gives_a_token_that_the_gateway_accepts_for_a_quarter_of_an_hour() {
    let bench = Bench::new().await;
    let id = bench.register(EMAIL).await["user"]["id"].clone();
    let answer = bench.try_login("ADA@example.com ", PASSWORD).await;
    assert_eq!(answer["result"]["__typename"], "Session");
    assert_eq!(answer["result"]["user"]["email"], EMAIL);
    let login = bench.read_login(&answer).unwrap();
    assert_eq!(json!(login.viewer.user_id().unwrap().to_string()), id);
    assert!(login.viewer.scopes.is_empty());
    let token = answer["result"]["accessToken"].as_str().unwrap();
    bench.ports.clock.advance(16 * MINUTE);
    assert_eq!(bench.verifier.verify(token, ShopContext::default()), Err(TokenError::Expired));
}

#[tokio::test]
async fn the_token_carries_the_scopes_of_all_roles() {
    let bench = Bench::new().await;
    let login = bench.staff("finance@example.com", "customer finance warehouse").await;
    let expected = [
        "orders:read",
        "orders:write",
        "inventory:read",
        "inventory:write",
        "payments:read",
        "payments:write",
        "insights:read",
    ];
    assert_eq!(login.viewer.scopes, expected);
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_are_answered_alike() {
    let bench = Bench::new().await;
    bench.register(EMAIL).await;
    let wrong = bench.try_login(EMAIL, "wrong horse battery").await;
    assert_eq!((code(&wrong), &wrong["result"]), ("INVALID", &json!(null)));
    assert_eq!(bench.try_login("nobody@example.com", PASSWORD).await, wrong);
    assert_eq!(bench.try_login("no address", PASSWORD).await, wrong);
    assert_eq!(bench.try_login(EMAIL, &"x".repeat(100_000)).await, wrong);
}

#[tokio::test]
async fn ten_failed_tries_close_an_account_known_or_not_until_the_window_is_over() {
    let bench = Bench::new().await;
    bench.register(EMAIL).await;
    bench.register("bob@example.com").await;
    for email in [EMAIL, "nobody@example.com"] {
        for _ in 0..10 {
            assert_eq!(code(&bench.try_login(email, "wrong horse battery").await), "INVALID");
        }
        assert_eq!(code(&bench.try_login(email, PASSWORD).await), "RATE_LIMITED", "{email}");
    }
    bench.login("bob@example.com").await;
    bench.ports.clock.advance(14 * MINUTE);
    assert_eq!(code(&bench.try_login(EMAIL, PASSWORD).await), "RATE_LIMITED");
    bench.ports.clock.advance(MINUTE);
    bench.login(EMAIL).await;
}

#[tokio::test]
async fn a_log_in_forgives_the_failed_tries_before_it() {
    let bench = Bench::new().await;
    bench.register(EMAIL).await;
    for _ in 0..3 {
        for _ in 0..9 {
            assert_eq!(code(&bench.try_login(EMAIL, "wrong horse battery").await), "INVALID");
        }
        bench.login(EMAIL).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_guesses_at_once_ten_are_answered() {
    let bench = Arc::new(Bench::new().await);
    bench.register(EMAIL).await;
    let guesses = at_once(&bench, 40, |bench, turn| async move {
        bench.try_login(EMAIL, &format!("wrong horse {turn}")).await
    });
    let codes: Vec<String> = guesses.await.iter().map(|answer| code(answer).to_owned()).collect();
    assert_eq!(codes.iter().filter(|code| *code == "INVALID").count(), 10);
    assert_eq!(codes.iter().filter(|code| *code == "RATE_LIMITED").count(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_right_log_ins_at_once_all_succeed() {
    let bench = Arc::new(Bench::new().await);
    bench.register(EMAIL).await;
    for answer in at_once(&bench, 40, |bench, _| async move { bench.try_login(EMAIL, PASSWORD).await }).await
    {
        assert_eq!(answer["userErrors"], json!([]));
    }
}

#[tokio::test]
async fn a_refresh_token_works_once_and_bringing_it_again_ends_the_session() {
    let bench = Bench::new().await;
    let first = bench.newcomer(EMAIL).await;
    let other = bench.login(EMAIL).await;
    let second = bench.read_login(&bench.try_refresh(&first.refresh_token).await).unwrap();
    assert_eq!(second.viewer.session_id(), first.viewer.session_id());
    let third = bench.read_login(&bench.try_refresh(&second.refresh_token).await).unwrap();
    let again = bench.try_refresh(&first.refresh_token).await;
    assert_eq!((code(&again), &again["result"]), ("TOKEN_EXPIRED", &json!(null)));
    assert_eq!(code(&bench.try_refresh(&third.refresh_token).await), "TOKEN_EXPIRED");
    // A log-in on another device is another family.
    assert!(bench.read_login(&bench.try_refresh(&other.refresh_token).await).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_refreshes_at_once_end_the_session() {
    for _ in 0..5 {
        let bench = Arc::new(Bench::new().await);
        let token: Arc<str> = bench.newcomer(EMAIL).await.refresh_token.into();
        let answers = at_once(&bench, 2, |bench, _| {
            let token = Arc::clone(&token);
            async move { bench.try_refresh(&token).await }
        });
        let won: Vec<_> = answers.await.iter().filter_map(|answer| bench.read_login(answer)).collect();
        assert_eq!(won.len(), 1);
        assert_eq!(code(&bench.try_refresh(&won[0].refresh_token).await), "TOKEN_EXPIRED");
    }
}

#[tokio::test]
async fn what_is_no_refresh_token_is_refused() {
    let bench = Bench::new().await;
    bench.newcomer(EMAIL).await;
    for token in ["", "x", "' OR 1=1 --", &"x".repeat(100_000)] {
        assert_eq!(code(&bench.try_refresh(token).await), "TOKEN_EXPIRED");
    }
}

#[tokio::test]
async fn a_session_ends_when_nobody_refreshes_it_and_lives_while_somebody_does() {
    let bench = Bench::new().await;
    let day = 24 * 60 * MINUTE;
    let idle = bench.newcomer(EMAIL).await;
    let mut kept = bench.login(EMAIL).await;
    for _ in 0..2 {
        bench.ports.clock.advance(20 * day);
        kept = bench.read_login(&bench.try_refresh(&kept.refresh_token).await).unwrap();
    }
    assert_eq!(code(&bench.try_refresh(&idle.refresh_token).await), "TOKEN_EXPIRED");
    for _ in 0..6 {
        bench.ports.clock.advance(20 * day);
        kept = bench.read_login(&bench.try_refresh(&kept.refresh_token).await).unwrap();
    }
    bench.ports.clock.advance(20 * day);
    assert_eq!(code(&bench.try_refresh(&kept.refresh_token).await), "TOKEN_EXPIRED");
}

#[tokio::test]
async fn logging_out_ends_this_session_or_all_of_ones_own() {
    let bench = Bench::new().await;
    let bob = bench.newcomer("bob@example.com").await;
    bench.register(EMAIL).await;
    let mut ada = [bench.login(EMAIL).await, bench.login(EMAIL).await, bench.login(EMAIL).await];
    let end = "mutation { sessionEnd { ok } }";
    assert_eq!(bench.run(&ada[0].viewer, end, json!({})).await["data"]["sessionEnd"]["ok"], true);
    assert_eq!(code(&bench.try_refresh(&ada[0].refresh_token).await), "TOKEN_EXPIRED");
    ada[1] = bench.read_login(&bench.try_refresh(&ada[1].refresh_token).await).unwrap();
    bench.run(&ada[1].viewer, "mutation { sessionEnd(everywhere: true) { ok } }", json!({})).await;
    for login in &ada[1..] {
        assert_eq!(code(&bench.try_refresh(&login.refresh_token).await), "TOKEN_EXPIRED");
    }
    assert!(bench.read_login(&bench.try_refresh(&bob.refresh_token).await).is_some());
    let nobody = bench.run(&Viewer::anonymous(), end, json!({})).await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
}

#[tokio::test]
async fn what_is_not_offered_yet_is_refused_and_says_so() {
    let bench = Bench::new().await;
    let selection = "result { __typename } userErrors { code field message }";
    let nobody = Viewer::anonymous();
    let input = json!({ "authorizationCode": "code", "codeVerifier": "verifier" });
    let answer = bench.mutate(&nobody, "sessionCreate", selection, input).await;
    assert_eq!((code(&answer), &answer["result"]), ("INVALID", &json!(null)));
    let answer = bench.mutate(&nobody, "sessionCreate", selection, json!({ "email": EMAIL })).await;
    assert_eq!(code(&answer), "INVALID");
    let input = json!({ "challengeId": "mfa_1", "method": "TOTP", "response": "123456" });
    let answer = bench.mutate(&nobody, "mfaVerify", selection, input).await;
    assert_eq!((code(&answer), &answer["result"]), ("MFA_INVALID", &json!(null)));
}

#[tokio::test]
async fn whatever_ends_a_session_is_told_to_services_and_to_nobody_else() {
    let bench = Bench::new().await;
    let began = bench.ports.clock.now();
    let reused = bench.newcomer("bob@example.com").await;
    bench.register(EMAIL).await;
    let [alone, one, other] = [bench.login(EMAIL).await, bench.login(EMAIL).await, bench.login(EMAIL).await];
    assert_eq!(ended(&bench, began, None).await, []);

    bench.run(&alone.viewer, "mutation { sessionEnd { ok } }", json!({})).await;
    bench.ports.clock.advance(MINUTE);
    bench.try_refresh(&reused.refresh_token).await;
    bench.try_refresh(&reused.refresh_token).await;
    bench.ports.clock.advance(MINUTE);
    let everywhere = bench.ports.clock.now();
    bench.run(&one.viewer, "mutation { sessionEnd(everywhere: true) { ok } }", json!({})).await;
    let session = |login: &Login| login.viewer.session_id().unwrap();
    let all = ended(&bench, began, None).await;
    assert_eq!(all[..2], [session(&alone), session(&reused)]);
    let mut both = [session(&one), session(&other)];
    both.sort();
    assert_eq!(all[2..], both);
    assert_eq!(ended(&bench, everywhere, None).await, both);
    assert_eq!(ended(&bench, everywhere, Some(both[0])).await, both[1..]);
    assert_eq!(ended(&bench, everywhere, Some(both[1])).await, []);

    let asked = json!({ "request": { "since": began, "after": null } });
    let answer = bench.run(&one.viewer, EndedSessions::DOCUMENT, asked).await;
    assert_eq!(answer["errors"][0]["extensions"]["code"], "FORBIDDEN", "{answer}");
}

/// What the gateway hears, the earliest first.
async fn ended(bench: &Bench, since: Timestamp, after: Option<SessionId>) -> Vec<SessionId> {
    let asked = json!({ "request": EndedSessions { since, after } });
    let answer = bench.run(&Viewer::service("gateway"), EndedSessions::DOCUMENT, asked).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let reply: Vec<EndedSession> = serde_json::from_value(answer["data"]["reply"].clone()).unwrap();
    reply.into_iter().map(|ended| ended.session).collect()
}
