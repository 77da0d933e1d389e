//! The built-in provider: moves no money, keeps a durable book, and misbehaves in all the ways that real ones do,
//! chosen by the card's token.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_graphql::Enum;
use common::id::{CheckoutAttemptId, OrderId};
use common::{Currency, Fault};
use database::ScopedFutureExt as _;
use futures::future::BoxFuture;
use sea_orm::entity::prelude::*;
use subgraph::Ports;

use super::{Answer, AuthorizeRequest, MoveRequest, PaymentProvider, ProviderEvent, Unanswered, Webhook};
use crate::domain::TransactionKind;
use crate::entity::provider_charge;

/// How long the slow card takes.
const SLOW: Duration = Duration::from_secs(3);
/// How long a caller hangs whose call is never answered.
const HANGS: Duration = Duration::from_secs(30);
/// How often the broken card fails before it works.
const FAILURES: i32 = 2;

/// How a charge of the test provider stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(20))")]
pub enum ChargeOutcome {
    /// The money moved.
    #[sea_orm(string_value = "APPROVED")]
    Approved,
    /// It did not and will not.
    #[sea_orm(string_value = "DECLINED")]
    Declined,
    /// The buyer must do something first.
    #[sea_orm(string_value = "ACTION_REQUIRED")]
    ActionRequired,
    /// The provider was asked and failed: the money did not move yet.
    #[sea_orm(string_value = "UNAVAILABLE")]
    Unavailable,
    /// The money was held, or about to be, and was let go.
    #[sea_orm(string_value = "VOIDED")]
    Voided,
}

/// A card that the test provider knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Card {
    Approve,
    Decline,
    Insufficient,
    Expired,
    Action,
    ActionFail,
    Slow,
    TimeoutThenSuccess,
    Error,
    WebhookFirst,
}

impl Card {
    fn of(token: &str) -> Option<Self> {
        Some(match token {
            "tok_approve" => Self::Approve,
            "tok_decline" => Self::Decline,
            "tok_insufficient" => Self::Insufficient,
            "tok_expired" => Self::Expired,
            "tok_action" => Self::Action,
            "tok_action_fail" => Self::ActionFail,
            "tok_slow" => Self::Slow,
            "tok_timeout_then_success" => Self::TimeoutThenSuccess,
            "tok_error" => Self::Error,
            "tok_webhook_first" => Self::WebhookFirst,
            _ => return None,
        })
    }

    /// What is written into the book when it is first asked for.
    const fn first_outcome(self) -> ChargeOutcome {
        match self {
            Self::Approve | Self::Slow | Self::TimeoutThenSuccess | Self::WebhookFirst => {
                ChargeOutcome::Approved
            }
            Self::Decline | Self::Insufficient | Self::Expired => ChargeOutcome::Declined,
            Self::Action | Self::ActionFail => ChargeOutcome::ActionRequired,
            Self::Error => ChargeOutcome::Unavailable,
        }
    }

    /// Why it is declined, and whether trying again may help.
    const fn refusal(self) -> (&'static str, bool) {
        match self {
            Self::Insufficient => ("The card has not enough money on it.", false),
            Self::Expired => ("The card has expired.", false),
            Self::ActionFail => ("The bank could not make sure that it was you.", true),
            _ => ("The card was declined.", true),
        }
    }
}

/// The built-in provider. Clones share their book.
#[derive(Clone)]
pub struct TestProvider {
    ports: Ports,
    webhook: Arc<OnceLock<Webhook>>,
}

impl TestProvider {
    /// A provider that keeps its book in the database of `ports`.
    pub fn new(ports: &Ports) -> Self {
        Self { ports: ports.clone(), webhook: Arc::default() }
    }

    /// Says where events are told; the first one said stays.
    pub fn call_back(&self, webhook: Webhook) {
        // A second one would be a second set of books; the first is the one that is served.
        let _ = self.webhook.set(webhook);
    }

    /// The book of an order: every movement it was asked for, oldest first.
    pub async fn charges(&self, order: OrderId) -> Result<Vec<provider_charge::Model>, Fault> {
        Ok(provider_charge::of_order(self.ports.database.newest(), order).await?)
    }

    /// What the buyer's bank does when the buyer has done what was asked. Says whether there was such an action and the
    /// secret was right.
    pub async fn complete_action(&self, attempt: CheckoutAttemptId, secret: &str) -> Result<bool, Fault> {
        let db = self.ports.database.schema();
        let charge = provider_charge::of_attempt(db, attempt).await?;
        let Some(charge) = charge.filter(|charge| charge.client_secret.as_deref() == Some(secret)) else {
            return Ok(false);
        };
        let outcome = match Card::of(&charge.token) {
            Some(Card::ActionFail) => ChargeOutcome::Declined,
            _ => ChargeOutcome::Approved,
        };
        let key = charge.idempotency_key.clone();
        if provider_charge::turn(db, &key, ChargeOutcome::ActionRequired, outcome).await? {
            let answer = answer(&provider_charge::Model { outcome, ..charge });
            self.tell(ProviderEvent { id: format!("evt_action_{key}"), key, answer }).await?;
        }
        Ok(true)
    }

    async fn tell(&self, event: ProviderEvent) -> Result<(), Fault> {
        match self.webhook.get() {
            Some(webhook) => webhook(event).await,
            None => Ok(()),
        }
    }

    /// Writes into the book, or finds what was written under the key before.
    async fn book(&self, new: provider_charge::Model) -> Result<provider_charge::Model, Unanswered> {
        let database = &self.ports.database;
        let first = provider_charge::insert(database.schema(), new.clone()).await;
        if first.map_err(|error| failed(error.into()))? {
            return Ok(new);
        }
        let key = &new.idempotency_key;
        let booked: Result<_, Fault> = database
            .transaction(|tx| {
                async move { Ok(provider_charge::ask_again(tx, key.clone()).await?) }.scope_boxed()
            })
            .await;
        booked.map_err(failed)
    }

    fn line(
        &self,
        kind: TransactionKind,
        request: MoveRequest,
        outcome: ChargeOutcome,
    ) -> provider_charge::Model {
        let now = self.ports.clock.now();
        provider_charge::Model {
            idempotency_key: request.key,
            kind,
            order_id: request.order,
            attempt_id: None,
            token: String::new(),
            currency: request.amount.currency,
            amount: request.amount.minor,
            outcome,
            reference: request.reference,
            client_secret: None,
            calls: 1,
            answer_at: now,
            at: now,
        }
    }

    async fn hold(&self, request: AuthorizeRequest) -> Result<Answer, Unanswered> {
        let Some(card) = Card::of(&request.token) else { return Ok(Answer::InvalidMethod) };
        let reference = format!("ch_{}", request.key);
        let waits = card.first_outcome() == ChargeOutcome::ActionRequired;
        let secret = waits.then(|| format!("secret_{}", self.ports.ids.next::<common::id::Transaction>()));
        let to_move =
            MoveRequest { key: request.key, order: request.order, reference, amount: request.amount };
        let mut line = self.line(TransactionKind::Authorize, to_move, card.first_outcome());
        line.attempt_id = Some(request.attempt);
        line.token = request.token;
        line.client_secret = secret;
        if card == Card::Slow {
            line.answer_at = line.at.plus(SLOW);
        }
        let charge = self.book(line).await?;
        self.misbehave(card, charge).await
    }

    async fn misbehave(&self, card: Card, mut charge: provider_charge::Model) -> Result<Answer, Unanswered> {
        match card {
            Card::Slow => {
                let missing = charge.answer_at.0 - self.ports.clock.now().0;
                tokio::time::sleep(Duration::from_micros(u64::try_from(missing).unwrap_or(0))).await;
            }
            Card::TimeoutThenSuccess if charge.calls == 1 => {
                tokio::time::sleep(HANGS).await;
                return Err(Unanswered::Timeout);
            }
            Card::Error if charge.outcome == ChargeOutcome::Unavailable => {
                if charge.calls <= FAILURES {
                    return Err(Unanswered::Failed("503 Service Unavailable".to_owned()));
                }
                let (db, key) = (self.ports.database.schema(), &charge.idempotency_key);
                let (from, to) = (ChargeOutcome::Unavailable, ChargeOutcome::Approved);
                provider_charge::turn(db, key, from, to).await.map_err(|error| failed(error.into()))?;
                charge.outcome = to;
            }
            Card::WebhookFirst if charge.calls == 1 => {
                let key = charge.idempotency_key.clone();
                let event = ProviderEvent { id: format!("evt_{key}"), key, answer: answer(&charge) };
                self.tell(event).await.map_err(failed)?;
            }
            _ => {}
        }
        Ok(answer(&charge))
    }

    async fn shift(&self, kind: TransactionKind, request: MoveRequest) -> Result<Answer, Unanswered> {
        let reference = request.reference.clone();
        self.book(self.line(kind, request, ChargeOutcome::Approved)).await?;
        if kind == TransactionKind::Void {
            self.let_go(&reference).await.map_err(failed)?;
        }
        Ok(Answer::Done { reference, last4: None })
    }

    async fn let_go(&self, reference: &str) -> Result<(), Fault> {
        let db = self.ports.database.schema();
        if let Some(held) = provider_charge::authorization(db, reference).await? {
            for from in [ChargeOutcome::Approved, ChargeOutcome::ActionRequired] {
                provider_charge::turn(db, &held.idempotency_key, from, ChargeOutcome::Voided).await?;
            }
        }
        Ok(())
    }
}

impl PaymentProvider for TestProvider {
    fn name(&self) -> &'static str {
        "test"
    }

    fn supports(&self, _: Currency) -> bool {
        true
    }

    fn authorize(&self, request: AuthorizeRequest) -> BoxFuture<'_, Result<Answer, Unanswered>> {
        Box::pin(self.hold(request))
    }

    fn capture(&self, request: MoveRequest) -> BoxFuture<'_, Result<Answer, Unanswered>> {
        Box::pin(self.shift(TransactionKind::Capture, request))
    }

    fn void(&self, request: MoveRequest) -> BoxFuture<'_, Result<Answer, Unanswered>> {
        Box::pin(self.shift(TransactionKind::Void, request))
    }

    fn refund(&self, request: MoveRequest) -> BoxFuture<'_, Result<Answer, Unanswered>> {
        Box::pin(self.shift(TransactionKind::Refund, request))
    }
}

/// How a charge stands, as it is answered.
fn answer(charge: &provider_charge::Model) -> Answer {
    let reference = charge.reference.clone();
    let refusal =
        |(message, retryable): (&str, bool)| Answer::Declined { message: message.to_owned(), retryable };
    match charge.outcome {
        ChargeOutcome::Approved => Answer::Done { reference, last4: Some("4242".to_owned()) },
        ChargeOutcome::ActionRequired => Answer::ActionRequired {
            redirect_url: format!("https://bank.test-provider.invalid/confirm/{reference}"),
            reference,
            client_secret: charge.client_secret.clone().unwrap_or_default(),
            reason: "Your bank wants to make sure that it is you.".to_owned(),
        },
        ChargeOutcome::Declined => {
            refusal(Card::of(&charge.token).map_or(("Declined.", true), Card::refusal))
        }
        ChargeOutcome::Unavailable => refusal(("The bank did not answer.", true)),
        ChargeOutcome::Voided => refusal(("The payment was cancelled.", false)),
    }
}

fn failed(fault: Fault) -> Unanswered {
    Unanswered::Failed(fault.chain())
}
