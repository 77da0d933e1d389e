//! Notifications through their schema and their events: what comes in is an event or GraphQL, what comes out is a mail
//! or JSON.

#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what it is made of")]

mod alert;
mod delivery;
mod order;
mod preference;
mod seeded;
mod webhook;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth::Viewer;
use common::id::{OrderId, UserId, VariantId};
use common::{Currency, Money, Timestamp};
use database::ScopedFutureExt as _;
use events::orders::{OrderChange, OrderSnapshot, OrdersEvent};
use events::products::{Localised, ProductSnapshot, ProductsEvent, VariantSnapshot};
use events::users::UsersEvent;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use messaging::Envelope;
use notifications::channel::{Carrier, Channel, Message, SendError};
use serde_json::{Value, json};
use subgraph::testing::{self, Folder};
use subgraph::{Ports, Subgraph};
use tokio::sync::mpsc;

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// The subgraph on a bench, with a carrier that hands mail to the test.
struct Bench {
    ports: Ports,
    subgraph: Subgraph,
    mails: tokio::sync::Mutex<mpsc::UnboundedReceiver<Message>>,
    /// What the carrier answers to the next mails; then it carries them.
    answers: Arc<Mutex<Vec<SendError>>>,
    _folder: Folder,
}

struct Hand {
    mails: mpsc::UnboundedSender<Message>,
    answers: Arc<Mutex<Vec<SendError>>>,
}

impl Carrier for Hand {
    fn channel(&self) -> Channel {
        Channel::Email
    }

    fn carry<'a>(&'a self, message: &'a Message) -> BoxFuture<'a, Result<(), SendError>> {
        async move {
            let answer = self.answers.lock().unwrap().pop();
            self.mails.send(message.clone()).map_err(|error| SendError::Temporary(error.to_string()))?;
            answer.map_or(Ok(()), Err)
        }
        .boxed()
    }
}

impl Bench {
    async fn new() -> Self {
        let (ports, folder) = testing::ports(notifications::NAME, notifications::migrations).await;
        let (sender, mails) = mpsc::unbounded_channel();
        let answers: Arc<Mutex<Vec<SendError>>> = Arc::default();
        let hand = Hand { mails: sender, answers: Arc::clone(&answers) };
        let subgraph = testing::work(notifications::build_with(&ports, vec![Arc::new(hand)]), &ports);
        Self { ports, subgraph, mails: tokio::sync::Mutex::new(mails), answers, _folder: folder }
    }

    async fn run(&self, viewer: &Viewer, document: &str, variables: Value) -> Value {
        testing::run(&self.subgraph, viewer, document, variables).await
    }

    /// The answer to a mutation without its top-level wrapping.
    async fn mutate(&self, viewer: &Viewer, field: &str, call: &str, kind: &str, input: Value) -> Value {
        let document = format!("mutation M($i: {kind}) {{ {field}(input: $i) {call} }}");
        let answer = self.run(viewer, &document, json!({ "i": input })).await;
        assert_eq!(answer.get("errors"), None, "{answer}");
        answer["data"][field].clone()
    }

    /// Delivers an event and returns it, so that it can be delivered again.
    async fn hear<E: events::Event>(&self, event: &E) -> Envelope {
        let envelope = Envelope {
            id: self.ports.ids.next(),
            topic: E::TOPIC.to_owned(),
            key: event.key(),
            at: self.ports.clock.now(),
            payload: serde_json::to_string(event).unwrap(),
            cause: Default::default(),
        };
        self.hear_again(&envelope).await;
        envelope
    }

    async fn hear_again(&self, envelope: &Envelope) {
        let receiver = self.subgraph.receiver.as_ref().unwrap();
        receiver.accept(std::slice::from_ref(envelope)).await.unwrap();
        let letters: u64 = self.count("SELECT COUNT(*) AS n FROM dead_letter").await;
        assert_eq!(letters, 0, "the event became a dead letter");
    }

    /// The next mail.
    async fn mail(&self) -> Message {
        let mut mails = self.mails.lock().await;
        tokio::time::timeout(PATIENCE, mails.recv()).await.unwrap().unwrap()
    }

    async fn no_more_mail(&self) {
        assert!(self.mails.lock().await.try_recv().is_err());
    }

    /// Waits until nothing is queued any more whose time has come.
    async fn settled(&self) {
        let due = format!(
            "SELECT COUNT(*) AS n FROM notification WHERE state = 'QUEUED' AND next_try_at <= {}",
            self.ports.clock.now().plus(Duration::from_secs(60)).0
        );
        let waited = tokio::time::timeout(PATIENCE, async {
            while self.count(&due).await > 0 {
                tokio::task::yield_now().await;
            }
        });
        waited.await.unwrap();
    }

    /// The states of everything written, oldest first, by channel.
    async fn states(&self, channel: &str) -> Vec<String> {
        use sea_orm::ConnectionTrait as _;
        let text = format!("SELECT state FROM notification WHERE channel = '{channel}' ORDER BY id");
        let statement = sea_orm::Statement::from_string(self.ports.database.backend(), text);
        let rows = self.ports.database.schema().query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get("", "state").unwrap()).collect()
    }

    async fn count(&self, text: &str) -> u64 {
        use sea_orm::ConnectionTrait as _;
        let statement = sea_orm::Statement::from_string(self.ports.database.backend(), text.to_owned());
        let row = self.ports.database.schema().query_one_raw(statement).await.unwrap().unwrap();
        row.try_get::<i64>("", "n").unwrap().unsigned_abs()
    }

    /// A user of whom `users` has told, their welcome read.
    async fn person(&self, email: &str, locale: &str) -> Viewer {
        let user: UserId = self.ports.ids.next();
        let event = UsersEvent::UserRegistered { user, email: email.into(), locale: locale.into() };
        self.hear(&event).await;
        assert_eq!(self.mail().await.recipient, email);
        self.settled().await;
        Viewer::user(user, self.ports.ids.next())
    }

    async fn article(&self) -> VariantId {
        let variant: VariantId = self.ports.ids.next();
        self.hear(&product(self, variant, 1, "Oak Bowl", "Eichenschale")).await;
        variant
    }
}

fn product(bench: &Bench, variant: VariantId, version: i32, english: &str, german: &str) -> ProductsEvent {
    let title = |locale: &str, text: &str| Localised { locale: locale.into(), text: text.into() };
    ProductsEvent::ProductChanged(Box::new(ProductSnapshot {
        id: bench.ports.ids.next(),
        version,
        slug: "oak-bowl".into(),
        titles: vec![title("en", english), title("de", german)],
        description: String::new(),
        brand: None,
        active: true,
        category: None,
        hidden_in: Vec::new(),
        attributes: Vec::new(),
        image_url: None,
        average_hundredths: 0,
        rating_count: 0,
        created_at: bench.ports.clock.now(),
        variants: vec![VariantSnapshot {
            id: variant,
            sku: "OAK-1".into(),
            title: "Small".into(),
            options: Vec::new(),
            tax_class: "standard".into(),
            weight_grams: None,
            prices: Vec::new(),
        }],
    }))
}

/// An event of an order over 19.99 EUR.
fn order(
    bench: &Bench,
    id: OrderId,
    customer: Option<UserId>,
    change: OrderChange,
    version: i32,
) -> OrdersEvent {
    let order = OrderSnapshot {
        id,
        number: "TP-1001".into(),
        version,
        customer,
        email: "ada@example.com".into(),
        locale: "en".into(),
        total: Money::new(1_999, Currency::EUR),
        placed_at: bench.ports.clock.now(),
        tracking_url: Some("https://parcel.example/1".into()),
        lines: Vec::new(),
    };
    OrdersEvent { change, order }
}

/// The only code among the user errors of a payload.
fn code(payload: &Value) -> &str {
    match payload["userErrors"].as_array().map(Vec::as_slice) {
        Some([error]) => error["code"].as_str().unwrap_or_default(),
        _ => panic!("not one user error: {payload}"),
    }
}

/// Keeps a row or more by hand.
async fn write(bench: &Bench, text: &str) {
    use sea_orm::ConnectionTrait as _;
    let done: Result<(), common::Fault> = bench
        .ports
        .database
        .transaction(|tx| async move { Ok(tx.execute_unprepared(text).await.map(drop)?) }.scope_boxed())
        .await;
    done.unwrap();
}

/// A moment later than all others in a test.
const LATER: Timestamp = Timestamp(i64::MAX / 2);
