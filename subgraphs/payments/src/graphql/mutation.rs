//! Movements of money: by staff, and by checkouts under way.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use events::calls::payments::{AuthorizePayment, CancelPayment, CapturePayment};
use subgraph::graphql::{IdempotencyKey, MoneyInput, Scope, ServiceCall, ServiceOnly, parse_id, viewer};

use super::part;
use super::payment::{Payment, Refund};
use super::refusal::{PaymentErrorCode, PaymentUserError};
use crate::domain::{RefundState, TransactionState};
use crate::provider::TestProvider;
use crate::service::{Capture, NewRefund, Payments};

/// Where changing begins.
pub struct Mutation;

/// A wish to take what is held.
#[derive(InputObject)]
pub struct PaymentCaptureInput {
    /// Makes sending it again harmless.
    pub idempotency_key: IdempotencyKey,
    /// Of which payment.
    pub payment_id: ID,
    /// How much; all that is held where missing.
    pub amount: Option<MoneyInput>,
}

/// A wish to give back what was taken.
#[derive(InputObject)]
pub struct RefundCreateInput {
    /// Makes sending it again harmless.
    pub idempotency_key: IdempotencyKey,
    /// Of which payment.
    pub payment_id: ID,
    /// How much.
    pub amount: MoneyInput,
    /// For which return.
    pub return_id: Option<ID>,
    /// Why; at most 200 characters.
    pub reason: Option<String>,
}

/// What comes of taking.
#[derive(SimpleObject)]
pub struct PaymentPayload {
    /// The payment after it; null where it is refused.
    pub payment: Option<Payment>,
    /// Why it is refused, or not done yet.
    pub user_errors: Vec<PaymentUserError>,
}

/// What comes of giving back.
#[derive(SimpleObject)]
pub struct RefundPayload {
    /// The refund, PENDING while the provider has not answered; null where it is refused.
    pub refund: Option<Refund>,
    /// The payment after it; null where it is refused.
    pub payment: Option<Payment>,
    /// Why it is refused.
    pub user_errors: Vec<PaymentUserError>,
}

/// Where changing begins.
#[Object]
impl Mutation {
    /// Takes what a payment holds, or a part of it.
    #[graphql(guard = "Scope(\"payments:write\")", requires_scopes = "payments:write")]
    async fn payment_capture(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to take.")] input: PaymentCaptureInput,
    ) -> Result<PaymentPayload> {
        let amount = input.amount.map(common::Money::from);
        let wish = Capture { payment: parse_id(&input.payment_id)?, amount };
        let actor = viewer(context).actor_name();
        let captured = part::<Payments>(context)?.capture(&actor, &input.idempotency_key.0, &wish).await?;
        Ok(match captured {
            Ok((payment, state)) => {
                let error = match state {
                    TransactionState::Succeeded => None,
                    TransactionState::Pending => Some(unanswered()),
                    TransactionState::Failed => Some(declined()),
                };
                PaymentPayload { payment: Some(payment.into()), user_errors: error.into_iter().collect() }
            }
            Err(refusal) => {
                let error = PaymentUserError::refused(refusal, amount.map(|amount| amount.currency));
                PaymentPayload { payment: None, user_errors: vec![error] }
            }
        })
    }

    /// Gives back what a payment took, or a part of it. What is being given back counts as given back, so that no two
    /// refunds together exceed what was taken.
    #[graphql(guard = "Scope(\"payments:write\")", requires_scopes = "payments:write")]
    async fn refund_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to give back.")] input: RefundCreateInput,
    ) -> Result<RefundPayload> {
        let wish = NewRefund {
            payment: parse_id(&input.payment_id)?,
            amount: input.amount.into(),
            returned: input.return_id.as_ref().map(parse_id).transpose()?,
            reason: input.reason,
        };
        let actor = viewer(context).actor_name();
        let refunded = part::<Payments>(context)?.refund(&actor, &input.idempotency_key.0, &wish).await?;
        Ok(match refunded {
            Ok(refunded) => {
                let failed = refunded.refund.state == RefundState::Failed;
                RefundPayload {
                    refund: Some(refunded.refund.into()),
                    payment: Some(refunded.payment.into()),
                    user_errors: failed.then(declined).into_iter().collect(),
                }
            }
            Err(refusal) => {
                let error = PaymentUserError::refused(refusal, Some(wish.amount.currency));
                RefundPayload { refund: None, payment: None, user_errors: vec![error] }
            }
        })
    }

    /// Of the test provider: does what the buyer's bank does when the buyer has confirmed a payment with a card that
    /// asks for it (`tok_action`, `tok_action_fail`). False where no action waits or the secret is wrong, and always with
    /// another provider.
    async fn test_payment_action_complete(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The attempt to check out whose payment waits.")] attempt_id: ID,
        #[graphql(desc = "The secret of its client action.", secret)] client_secret: String,
    ) -> Result<bool> {
        match part::<Option<TestProvider>>(context)? {
            Some(test) => Ok(test.complete_action(parse_id(&attempt_id)?, &client_secret).await?),
            None => Ok(false),
        }
    }

    /// Holds money for an attempt to check out. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn payment_authorize(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "An `AuthorizePayment`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let reply = part::<Payments>(context)?.authorize(&request.read()?).await?;
        Ok(ServiceCall::reply::<AuthorizePayment>(&reply)?)
    }

    /// Takes the held money of an order. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn payment_take(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `CapturePayment`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: CapturePayment = request.read()?;
        let reply = part::<Payments>(context)?.take(request.order).await?;
        Ok(ServiceCall::reply::<CapturePayment>(&reply)?)
    }

    /// Gives up the payments of an order. For services.
    #[graphql(guard = "ServiceOnly", inaccessible)]
    async fn payment_cancel(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A `CancelPayment`.")] request: ServiceCall,
    ) -> Result<ServiceCall> {
        let request: CancelPayment = request.read()?;
        let reply = part::<Payments>(context)?.cancel(request.order).await?;
        Ok(ServiceCall::reply::<CancelPayment>(&reply)?)
    }
}

fn unanswered() -> PaymentUserError {
    let message = "The provider has not answered yet; it is asked again.";
    PaymentUserError::new(PaymentErrorCode::ProviderUnavailable, message)
}

fn declined() -> PaymentUserError {
    PaymentUserError::new(PaymentErrorCode::Declined, "The provider says no.")
}
