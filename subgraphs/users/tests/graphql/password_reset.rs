//! Forgotten passwords.

use std::sync::Arc;
use std::time::Duration;

use auth::Viewer;
use events::users::UsersEvent;
use serde_json::{Value, json};

use crate::{Bench, PASSWORD, at_once, code};

const EMAIL: &str = "ada@example.com";
const NEW: &str = "another horse entirely";

impl Bench {
    async fn request_reset(&self, email: &str) -> Value {
        let input = json!({ "email": email });
        self.mutate(&Viewer::anonymous(), "passwordResetRequest", "ok userErrors { code }", input).await
    }

    async fn reset(&self, token: &str, password: &str) -> Value {
        let input = json!({ "token": token, "newPassword": password });
        self.mutate(&Viewer::anonymous(), "passwordReset", "ok userErrors { code field }", input).await
    }

    /// The tokens that were announced to be mailed.
    async fn mailed(&self) -> Vec<String> {
        let events = messaging::pending(&self.ports.database).await.unwrap();
        let token = |event: UsersEvent| match event {
            UsersEvent::PasswordResetRequested { token, email, .. } => {
                assert_eq!(email, EMAIL);
                Some(token)
            }
            UsersEvent::UserRegistered { .. } => None,
        };
        events.iter().filter_map(|event| token(event.open().unwrap())).collect()
    }
}

#[tokio::test]
async fn a_mailed_token_sets_a_new_password_once_and_ends_all_sessions() {
    let bench = Bench::new().await;
    let before = bench.newcomer(EMAIL).await;
    assert_eq!(bench.request_reset("Ada@Example.com").await, json!({ "ok": true, "userErrors": [] }));
    let token = bench.mailed().await.remove(0);
    assert_eq!(bench.reset(&token, NEW).await, json!({ "ok": true, "userErrors": [] }));
    assert_eq!(code(&bench.try_refresh(&before.refresh_token).await), "TOKEN_EXPIRED");
    assert_eq!(code(&bench.try_login(EMAIL, PASSWORD).await), "INVALID");
    let login = bench.read_login(&bench.try_login(EMAIL, NEW).await).unwrap();
    let me = bench.run(&login.viewer, "{ me { emailVerified version } }", json!({})).await;
    assert_eq!(me["data"]["me"], json!({ "emailVerified": true, "version": 2 }));
    let again = bench.reset(&token, PASSWORD).await;
    assert_eq!((code(&again), &again["ok"]), ("TOKEN_EXPIRED", &json!(false)));
}

#[tokio::test]
async fn whether_an_address_has_an_account_is_not_told() {
    let bench = Bench::new().await;
    bench.register(EMAIL).await;
    let known = bench.request_reset(EMAIL).await;
    assert_eq!(bench.request_reset("nobody@example.com").await, known);
    assert_eq!(bench.request_reset("no address").await, known);
    assert_eq!(bench.mailed().await.len(), 1);
}

#[tokio::test]
async fn three_mails_an_hour_are_enough() {
    let bench = Bench::new().await;
    bench.register(EMAIL).await;
    for _ in 0..5 {
        assert_eq!(bench.request_reset(EMAIL).await["ok"], true);
    }
    assert_eq!(bench.mailed().await.len(), 3);
    bench.ports.clock.advance(Duration::from_secs(3_600));
    bench.request_reset(EMAIL).await;
    assert_eq!(bench.mailed().await.len(), 4);
}

#[tokio::test]
async fn a_token_ends_after_an_hour_and_one_new_password_ends_them_all() {
    let bench = Bench::new().await;
    bench.register(EMAIL).await;
    bench.request_reset(EMAIL).await;
    bench.ports.clock.advance(Duration::from_secs(3_600));
    bench.request_reset(EMAIL).await;
    bench.request_reset(EMAIL).await;
    let tokens = bench.mailed().await;
    assert_eq!(code(&bench.reset(&tokens[0], NEW).await), "TOKEN_EXPIRED");
    let weak = bench.reset(&tokens[1], "short").await;
    assert_eq!(
        (code(&weak), &weak["userErrors"][0]["field"]),
        ("WEAK_PASSWORD", &json!(["input", "newPassword"]))
    );
    assert_eq!(bench.reset(&tokens[1], NEW).await["ok"], true);
    assert_eq!(code(&bench.reset(&tokens[2], NEW).await), "TOKEN_EXPIRED");
    assert_eq!(code(&bench.reset("never a token", NEW).await), "TOKEN_EXPIRED");
}

#[tokio::test]
async fn a_new_password_opens_an_account_that_guesses_had_closed() {
    let bench = Bench::new().await;
    bench.register(EMAIL).await;
    for _ in 0..10 {
        bench.try_login(EMAIL, "wrong horse battery").await;
    }
    bench.request_reset(EMAIL).await;
    bench.reset(&bench.mailed().await[0], NEW).await;
    assert_eq!(bench.try_login(EMAIL, NEW).await["userErrors"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_use_a_token_at_once_one_sets_the_password() {
    let bench = Arc::new(Bench::new().await);
    bench.register(EMAIL).await;
    bench.request_reset(EMAIL).await;
    let token: Arc<str> = bench.mailed().await.remove(0).into();
    let answers = at_once(&bench, 8, |bench, turn| {
        let token = Arc::clone(&token);
        async move { (turn, bench.reset(&token, &format!("horse number {turn}")).await) }
    });
    let set: Vec<usize> =
        answers.await.into_iter().filter(|(_, answer)| answer["ok"] == true).map(|(turn, _)| turn).collect();
    assert_eq!(set.len(), 1);
    assert_eq!(bench.try_login(EMAIL, &format!("horse number {}", set[0])).await["userErrors"], json!([]));
}
