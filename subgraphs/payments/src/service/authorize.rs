//! Holding money for an attempt to check out.

use common::id::PaymentMethodId;
use common::{Failure, Fault, FaultCode, Timestamp, settle};
use database::{ScopedFutureExt, Tx};
use events::calls::payments::{AuthorizePayment, AuthorizePaymentReply};
use sea_orm::EntityTrait as _;

use super::{HEAD_START, PATIENCE, Payments};
use crate::domain::{Balance, PaymentState, TransactionKind, TransactionState};
use crate::entity::{payable_order, payment, payment_method, transaction};

/// Longest token, in bytes.
const LONGEST_TOKEN: usize = 200;

/// Somebody began to pay for the order before, or called it off.
struct BegunBefore;

/// A way to pay, found.
struct Method {
    token: String,
    last4: Option<String>,
}

impl Payments {
    /// Holds money for an attempt, or says how that goes on. The same attempt is charged once.
    pub async fn authorize(&self, request: &AuthorizePayment) -> Result<AuthorizePaymentReply, Fault> {
        if request.amount.minor <= 0 {
            return Err(Fault::bad_input("An amount to pay is more than nothing."));
        }
        let Some(method) = &self.method(request).await? else {
            return Ok(AuthorizePaymentReply::MethodInvalid);
        };
        let database = &self.ports.database;
        let begun =
            settle(database.transaction(|tx| self.begin_first(tx, request, method).scope_boxed()).await)?;
        let (payment, transaction) = match begun {
            Ok((payment, transaction)) => (payment, Some(transaction)),
            Err(BegunBefore) => {
                database.transaction(|tx| self.begin_again(tx, request, method).scope_boxed()).await?
            }
        };
        let waiting = matches!(payment.state, PaymentState::Created | PaymentState::RequiresAction);
        let payment = match transaction {
            Some(transaction) if waiting => self.perform(payment, transaction, PATIENCE).await?.0,
            _ => payment,
        };
        Ok(reply(payment))
    }

    /// A token as it is, or what stands behind one of the customer's stored methods.
    async fn method(&self, request: &AuthorizePayment) -> Result<Option<Method>, Fault> {
        let token = &request.token;
        let Ok(stored) = token.parse::<PaymentMethodId>() else {
            let fits = (1..=LONGEST_TOKEN).contains(&token.len());
            return Ok(fits.then(|| Method { token: token.clone(), last4: None }));
        };
        let Some(customer) = request.customer else { return Ok(None) };
        let method = payment_method::owned(self.ports.database.newest(), stored, customer).await?;
        Ok(method.map(|method| Method { token: method.token, last4: method.last4 }))
    }

    async fn begin_first(
        &self,
        tx: &Tx,
        request: &AuthorizePayment,
        method: &Method,
    ) -> Result<(payment::Model, transaction::Model), Failure<BegunBefore>> {
        if !payable_order::insert(tx, request.order, false).await? {
            return Err(Failure::Refused(BegunBefore));
        }
        Ok(self.write_new(tx, request, method).await?)
    }

    async fn begin_again(
        &self,
        tx: &Tx,
        request: &AuthorizePayment,
        method: &Method,
    ) -> Result<(payment::Model, Option<transaction::Model>), Fault> {
        let order = payable_order::lock(tx, request.order).await?;
        if order.is_none() && !payable_order::insert(tx, request.order, false).await? {
            // Whoever wrote it has rolled back, and somebody else writes it now: tried anew, it is there.
            return Err(Fault::new(FaultCode::Conflict, "The order was begun at the same moment."));
        }
        // In this order: if it is settled between the two, the payment is read as it is after that, never before.
        let transaction = transaction::by_key(tx, TransactionKind::Authorize, &key(request)).await?;
        if let Some(known) = payment::of_attempts(tx, vec![request.attempt]).await?.pop() {
            return Ok((known, transaction));
        }
        if order.is_some_and(|order| order.cancelled) {
            let mut payment = self.new_payment(request, method);
            payment.state = PaymentState::Failed;
            payment.failure = Some("The order was cancelled.".to_owned());
            payment::Entity::insert(payment::ActiveModel::from(payment.clone()))
                .exec_without_returning(tx)
                .await?;
            return Ok((payment, None));
        }
        let (payment, transaction) = self.write_new(tx, request, method).await?;
        Ok((payment, Some(transaction)))
    }

    /// Writes a payment and that it is to be authorised.
    async fn write_new(
        &self,
        tx: &Tx,
        request: &AuthorizePayment,
        method: &Method,
    ) -> Result<(payment::Model, transaction::Model), Fault> {
        let payment = self.new_payment(request, method);
        payment::Entity::insert(payment::ActiveModel::from(payment.clone()))
            .exec_without_returning(tx)
            .await?;
        let now = self.ports.clock.now();
        let transaction = transaction::Model {
            id: self.ports.ids.next(),
            payment_id: payment.id,
            kind: TransactionKind::Authorize,
            state: TransactionState::Pending,
            amount: payment.amount,
            idempotency_key: key(request),
            request_hash: String::new(),
            refund_id: None,
            reference: None,
            due_at: Some(now.plus(HEAD_START)),
            tries: 0,
            at: now,
        };
        let row = transaction::ActiveModel::from(transaction.clone());
        transaction::Entity::insert(row).exec_without_returning(tx).await?;
        Ok((payment, transaction))
    }

    fn new_payment(&self, request: &AuthorizePayment, method: &Method) -> payment::Model {
        let now: Timestamp = self.ports.clock.now();
        let Balance { state, amount, authorized, captured, refunded, capture_pending, refund_pending } =
            Balance::new(request.amount.minor);
        payment::Model {
            id: self.ports.ids.next(),
            version: 1,
            attempt_id: request.attempt,
            order_id: request.order,
            customer_id: request.customer,
            state,
            currency: request.amount.currency,
            amount,
            authorized,
            captured,
            refunded,
            capture_pending,
            refund_pending,
            cancelled: false,
            method: "card".to_owned(),
            last4: method.last4.clone(),
            token: method.token.clone(),
            return_url: request.return_url.clone(),
            reference: None,
            action_reason: None,
            client_secret: None,
            redirect_url: None,
            failure: None,
            failure_retryable: false,
            method_invalid: false,
            created_at: now,
            updated_at: now,
        }
    }
}

/// An attempt is authorised once.
fn key(request: &AuthorizePayment) -> String {
    format!("attempt:{}", request.attempt)
}

fn reply(payment: payment::Model) -> AuthorizePaymentReply {
    let id = payment.id;
    match payment.state {
        PaymentState::Created => AuthorizePaymentReply::Pending { payment: id },
        PaymentState::RequiresAction => AuthorizePaymentReply::ActionRequired {
            payment: id,
            reason: payment.action_reason.unwrap_or_default(),
        },
        PaymentState::Failed if payment.method_invalid => AuthorizePaymentReply::MethodInvalid,
        PaymentState::Failed | PaymentState::Voided => AuthorizePaymentReply::Declined {
            payment: id,
            message: payment.failure.unwrap_or_else(|| "The payment was cancelled.".to_owned()),
            retryable: payment.failure_retryable,
        },
        PaymentState::Authorized
        | PaymentState::PartiallyCaptured
        | PaymentState::Captured
        | PaymentState::Disputed => AuthorizePaymentReply::Authorized { payment: id },
    }
}
