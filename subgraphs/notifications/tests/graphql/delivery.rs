//! How messages get to people, and what happens when they do not.

use std::sync::Arc;
use std::time::Duration;

use common::id::UserId;
use events::orders::OrderChange::Confirmed;
use events::users::UsersEvent;
use notifications::channel::{Folder, SendError};
use serde_json::json;
use subgraph::testing;

use crate::{Bench, LATER, order};

const INBOX: &str = "query E($r: [_Any!]!) { _entities(representations: $r) { ... on User {
    notifications { nodes { title body } } } } }";

#[tokio::test]
async fn a_password_token_goes_by_mail_alone_and_is_wiped_when_it_is_sent() {
    let bench = Bench::new().await;
    let ada = bench.person("ada@example.com", "en").await;
    let user = ada.user_id().unwrap();
    let event = UsersEvent::PasswordResetRequested {
        user,
        email: "ada@example.com".into(),
        locale: "de".into(),
        token: "s3cret-token".into(),
        expires_at: bench.ports.clock.now(),
    };
    bench.hear(&event).await;
    let mail = bench.mail().await;
    assert_eq!(mail.title, "Neues Passwort setzen");
    assert!(mail.body.ends_with("\ns3cret-token"), "{}", mail.body);
    bench.settled().await;
    let kept =
        "SELECT COUNT(*) AS n FROM notification WHERE confidential IS NOT NULL OR body LIKE '%s3cret%'";
    assert_eq!(bench.count(kept).await, 0);
    let own = json!({ "r": [{ "__typename": "User", "id": user }] });
    let inbox = bench.run(&ada, INBOX, own).await;
    let titles = &inbox["data"]["_entities"][0]["notifications"]["nodes"];
    assert_eq!(titles.as_array().unwrap().len(), 1, "only the welcome is shown: {titles}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_tried_again_after_a_pause_and_sent() {
    let bench = Bench::new().await;
    bench.answers.lock().unwrap().push(SendError::Temporary("busy".into()));
    let event = bench.hear(&order(&bench, bench.ports.ids.next(), None, Confirmed, 1)).await;
    let first = bench.mail().await;
    bench.until_tried(1).await;
    assert_eq!(bench.states("EMAIL").await, ["QUEUED"]);
    bench.ports.clock.advance(Duration::from_secs(30));
    // Anything that is heard wakes the worker.
    bench.hear_again(&event).await;
    assert_eq!(bench.mail().await.id, first.id, "a repetition has the same id");
    bench.settled().await;
    assert_eq!(bench.states("EMAIL").await, ["SENT"]);
}

#[tokio::test]
async fn what_fails_five_times_is_given_up() {
    let bench = Bench::new().await;
    bench.answers.lock().unwrap().extend(vec![SendError::Temporary("busy".into()); 10]);
    let event = bench.hear(&order(&bench, bench.ports.ids.next(), None, Confirmed, 1)).await;
    for (tries, pause) in [(1, 30), (2, 120), (3, 600), (4, 3_600)] {
        bench.mail().await;
        bench.until_tried(tries).await;
        bench.ports.clock.advance(Duration::from_secs(pause));
        bench.hear_again(&event).await;
    }
    bench.mail().await;
    bench.settled().await;
    assert_eq!(bench.states("EMAIL").await, ["FAILED"]);
    bench.ports.clock.advance(Duration::from_secs(86_400));
    bench.hear_again(&event).await;
    bench.settled().await;
    bench.no_more_mail().await;
}

#[tokio::test]
async fn what_is_refused_for_good_is_not_tried_again() {
    let bench = Bench::new().await;
    bench.answers.lock().unwrap().push(SendError::Permanent("no such box".into()));
    bench.hear(&order(&bench, bench.ports.ids.next(), None, Confirmed, 1)).await;
    bench.mail().await;
    bench.settled().await;
    assert_eq!(bench.states("EMAIL").await, ["BOUNCED"]);
}

#[tokio::test]
async fn the_worker_ends_when_it_is_told_to() {
    let bench = Bench::new().await;
    bench.ports.tasks.stop();
    assert!(bench.ports.tasks.ended(crate::PATIENCE).await);
    bench.hear(&order(&bench, bench.ports.ids.next(), None, Confirmed, 1)).await;
    assert_eq!(bench.states("EMAIL").await, ["QUEUED"]);
}

#[tokio::test]
async fn what_another_process_left_behind_is_sent_by_the_next_worker() {
    let bench = Bench::new().await;
    bench.ports.tasks.stop();
    assert!(bench.ports.tasks.ended(crate::PATIENCE).await);
    bench.hear(&order(&bench, bench.ports.ids.next(), None, Confirmed, 1)).await;
    let mut next = bench.ports.clone();
    next.tasks = runtime::Tasks::new();
    let folder = bench.ports.folder.join("mail");
    testing::work(notifications::build_with(&next, vec![Arc::new(Folder::new(&folder))]), &next);
    bench.settled().await;
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].extension().unwrap(), "eml");
    let mail = std::fs::read_to_string(&files[0]).unwrap().replace("\r\n", "\n");
    // Whoever works takes ids as well, so which one the message has depends on who was quicker.
    let (id, rest) = mail.split_once('\n').unwrap();
    assert!(id.starts_with("Message-ID: <ntf_") && id.ends_with("@techpotli.dev>"), "{id}");
    insta::assert_snapshot!(rest);
}

#[tokio::test]
async fn the_shop_as_it_is_built_writes_mail_into_its_folder() {
    let (ports, _folder) = testing::ports(notifications::NAME, notifications::migrations).await;
    let subgraph = testing::work(notifications::build(&ports), &ports);
    let user: UserId = ports.ids.next();
    let event = UsersEvent::UserRegistered { user, email: "ada@example.com".into(), locale: "en".into() };
    let envelope = messaging::Envelope {
        id: ports.ids.next(),
        topic: "users".into(),
        key: user.to_string(),
        at: ports.clock.now(),
        payload: serde_json::to_string(&event).unwrap(),
        cause: Default::default(),
    };
    subgraph.receiver.as_ref().unwrap().accept(&[envelope]).await.unwrap();
    let waited = tokio::time::timeout(crate::PATIENCE, async {
        loop {
            let files = std::fs::read_dir(ports.folder.join("mail")).into_iter().flatten();
            let mut whole = files.filter_map(|file| Some(file.ok()?.path()));
            if whole.any(|path| path.extension().is_some_and(|ending| ending == "eml")) {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    waited.await.unwrap();
}

impl Bench {
    /// Waits until the only mail has been tried so often and its next try is set.
    async fn until_tried(&self, tries: u32) {
        let now = self.ports.clock.now();
        // Between a claim and its outcome the next try stands at the end of the lease.
        let lease = now.plus(Duration::from_secs(60)).0;
        let tried = format!(
            "SELECT COUNT(*) AS n FROM notification WHERE attempts = {tries} AND next_try_at <> {lease}
             AND next_try_at > {} AND next_try_at < {}",
            now.0, LATER.0
        );
        let waited = tokio::time::timeout(crate::PATIENCE, async {
            while self.count(&tried).await == 0 {
                tokio::task::yield_now().await;
            }
        });
        waited.await.unwrap();
    }
}
