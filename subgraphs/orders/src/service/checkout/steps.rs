//! The steps forward. Each asks another subgraph, then stores what came of it in one transaction.

use std::time::Duration;

use common::{Failure, Fault};
use database::{ScopedFutureExt, Tx};
use events::calls::cart::{CartSnapshot, CompleteCart, FreezeCart, FreezeCartReply};
use events::calls::inventory::{CommitStock, CommitStockReply, ReserveLine, ReserveStock, ReserveStockReply};
use events::calls::payments::{AuthorizePayment, AuthorizePaymentReply, CapturePayment};
use events::orders::OrderChange;

use super::drive::{Halt, Lost, Next, Until, hold, pause_after};
use super::{Orders, Progress, WholeOrder};
use crate::domain::{self, CheckoutRefusal, CheckoutState, FinancialStatus, FulfillmentStatus, OrderStatus};
use crate::entity::{checkout_attempt, order, order_event, order_line};
use crate::service::payment;

/// How much longer stock is set aside than the attempt may take.
const STOCK_GRACE: Duration = Duration::from_mins(1);
/// How often to ask how a client action goes on; an event or a poll may do so before.
const ACTION_PAUSE: Duration = Duration::from_secs(15);

impl Orders {
    /// Freezes the cart and writes the order as a snapshot of it.
    pub(super) async fn freeze(&self, run: &mut Progress) -> Result<Next, Halt> {
        let attempt = &run.attempt;
        let reply = self
            .ask(&FreezeCart {
                cart: attempt.cart_id,
                buyer: attempt.buyer_id,
                attempt: attempt.id,
                version: attempt.cart_version,
                expected_total: attempt.expected_total(),
            })
            .await;
        let refusal = match reply {
            Ok(FreezeCartReply::Frozen(cart)) if cart.total != attempt.expected_total() => {
                let (current_total, current_version) = (cart.total, cart.version);
                let refusal = CheckoutRefusal::TotalMismatch { current_total, current_version };
                return self.compensate_for(run, refusal).await;
            }
            Ok(FreezeCartReply::Frozen(cart)) => return self.create_order(run, &cart).await,
            Ok(FreezeCartReply::NotFound) => CheckoutRefusal::CartNotFound,
            Ok(FreezeCartReply::Incomplete { message }) => CheckoutRefusal::CartIncomplete { message },
            Ok(FreezeCartReply::NotActive) => self.who_has_the_cart(attempt).await?,
            Ok(FreezeCartReply::VersionConflict { current_version }) => {
                CheckoutRefusal::CartChanged { current_version }
            }
            Ok(FreezeCartReply::TotalMismatch { current_total, current_version }) => {
                CheckoutRefusal::TotalMismatch { current_total, current_version }
            }
            Err(fault) => return self.give_up(run, fault).await,
        };
        self.refuse(run, &refusal).await
    }

    /// Whether the cart is busy with another attempt, or gone for good.
    async fn who_has_the_cart(&self, attempt: &checkout_attempt::Model) -> Result<CheckoutRefusal, Fault> {
        let others = checkout_attempt::of_carts(self.ports.database.schema(), vec![attempt.cart_id]).await?;
        let busy = others.iter().any(|other| other.id != attempt.id && !other.is_finished());
        Ok(if busy { CheckoutRefusal::CartBusy } else { CheckoutRefusal::CartGone })
    }

    async fn create_order(&self, run: &mut Progress, cart: &CartSnapshot) -> Result<Next, Halt> {
        let whole = self.order_of(&run.attempt, cart)?;
        let mut attempt = run.attempt.clone();
        attempt.state = CheckoutState::OrderCreated;
        attempt.tries = 0;
        hold(&mut attempt, &Until::Driving, self.ports.clock.now());
        let (new, stored) = (&whole, &attempt);
        self.ports
            .database
            .transaction(|tx| {
                async move {
                    keep_lease(tx, stored).await?;
                    order::insert(tx, new.order.clone()).await?;
                    order_line::insert(tx, new.lines.clone()).await?;
                    let created = order_event::New {
                        order: new.order.id,
                        at: new.order.created_at,
                        kind: "ORDER_CREATED".to_owned(),
                        change: None,
                        actor: stored.buyer_id.map(|buyer| buyer.to_string()),
                    };
                    order_event::insert(tx, vec![created]).await?;
                    Ok::<_, Halt>(())
                }
                .scope_boxed()
            })
            .await?;
        run.attempt = attempt;
        run.order = Some(whole);
        Ok(Next::Step)
    }

    fn order_of(&self, attempt: &checkout_attempt::Model, cart: &CartSnapshot) -> Result<WholeOrder, Fault> {
        let try_no = u32::try_from(attempt.tries).unwrap_or_default();
        let address = |address| serde_json::to_string(address).map_err(Fault::internal);
        let order = order::Model {
            id: attempt.order_id,
            number: domain::number(attempt.order_id, try_no),
            version: 1,
            status: OrderStatus::Pending,
            financial_status: FinancialStatus::Unpaid,
            fulfillment_status: FulfillmentStatus::Unfulfilled,
            cart_id: Some(cart.id),
            customer_id: attempt.buyer_id,
            email: cart.email.clone(),
            locale: cart.locale.clone(),
            currency: cart.currency,
            subtotal: cart.subtotal.minor,
            discount: cart.discount.minor,
            shipping: cart.shipping.minor,
            tax: cart.tax.minor,
            tax_included: cart.tax_included,
            total: cart.total.minor,
            delivery_option: cart.delivery_option.clone(),
            shipping_address: Some(address(&cart.shipping_address)?),
            billing_address: cart.billing_address.as_ref().map(address).transpose()?,
            guest_token_hash: attempt.buyer_id.is_none().then(|| self.guest_token_hash(attempt.id)),
            payment_state: None,
            payment_version: 0,
            authorized: 0,
            captured: 0,
            refunded: 0,
            cancel_reason: None,
            unwind_at: None,
            created_at: self.ports.clock.now(),
            placed_at: None,
        };
        let lines = cart.lines.iter().zip(0..).map(|(line, position)| order_line::Model {
            id: self.ports.ids.next(),
            order_id: order.id,
            position,
            cart_line_id: Some(line.id),
            variant_id: line.variant,
            product_id: line.product,
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            fulfilled: 0,
            returned: 0,
            cancelled: 0,
            currency: cart.currency,
            unit_price: line.unit_price.minor,
            discount: line.discount.minor,
            tax: line.tax.minor,
            total: line.total.minor,
        });
        Ok(WholeOrder { lines: lines.collect(), order })
    }

    /// Sets stock aside, all lines or none.
    pub(super) async fn reserve(&self, run: &mut Progress) -> Result<Next, Halt> {
        let whole = order_in(run)?;
        let address = whole.order.shipping_address.as_deref().unwrap_or("{}");
        let address: Country = serde_json::from_str(address).map_err(Fault::internal)?;
        let reply = self
            .ask(&ReserveStock {
                order: whole.order.id,
                lines: whole
                    .lines
                    .iter()
                    .map(|line| ReserveLine {
                        line: line.cart_line_id,
                        variant: line.variant_id,
                        quantity: line.quantity,
                    })
                    .collect(),
                country: address.country,
                expires_at: run.attempt.expires_at.plus(STOCK_GRACE),
            })
            .await;
        match reply {
            Ok(ReserveStockReply::Reserved { .. }) => {
                self.advance(run, CheckoutState::StockReserved, &Until::Driving).await
            }
            Ok(ReserveStockReply::Insufficient { variant, available }) => {
                let line = whole.lines.iter().find(|line| line.variant_id == variant);
                let refusal = CheckoutRefusal::InsufficientStock {
                    variant,
                    line: line.and_then(|line| line.cart_line_id),
                    title: line.map(|line| line.title.clone()),
                    available,
                };
                self.compensate_for(run, refusal).await
            }
            Ok(ReserveStockReply::Gone) => self.compensate_for(run, CheckoutRefusal::StockLost).await,
            Err(fault) => self.give_up(run, fault).await,
        }
    }

    /// Authorises the payment, or asks how it went on. The amount is the order's total.
    ///
    /// That it is authorised is stored with the confirmation, not before: a driver who dies in between leaves an attempt
    /// whose payment is asked about again, and `payments` answers the same for the same attempt. Until the order is
    /// confirmed nobody was promised anything, and an attempt that fails lets go of the money in whatever state it is.
    pub(super) async fn authorize(&self, run: &mut Progress) -> Result<Next, Halt> {
        let order = &order_in(run)?.order;
        if order.total == 0 {
            return Ok(authorized(run));
        }
        let reply = self
            .ask(&AuthorizePayment {
                attempt: run.attempt.id,
                order: order.id,
                customer: order.customer_id,
                amount: order.money(order.total),
                token: run.attempt.payment_token.clone().unwrap_or_default(),
                return_url: run.attempt.return_url.clone(),
            })
            .await;
        match reply {
            Ok(AuthorizePaymentReply::Authorized { .. }) => Ok(authorized(run)),
            Ok(AuthorizePaymentReply::ActionRequired { reason, .. }) => {
                run.attempt.action_reason = Some(reason);
                self.advance(run, CheckoutState::ActionRequired, &Until::Resting(ACTION_PAUSE)).await
            }
            Ok(AuthorizePaymentReply::Pending { .. }) => self.wait_for_payment(run).await,
            Ok(AuthorizePaymentReply::Declined { message, retryable, .. }) => {
                self.compensate_for(run, CheckoutRefusal::PaymentDeclined { message, retryable }).await
            }
            Ok(AuthorizePaymentReply::MethodInvalid) => {
                self.compensate_for(run, CheckoutRefusal::PaymentMethodInvalid).await
            }
            Err(fault) => {
                // Nobody knows whether the money is held: the order stays pending until somebody does.
                tracing::warn!(attempt.id = %run.attempt.id, reason = fault.chain(), "a payment has no answer yet");
                self.wait_for_payment(run).await
            }
        }
    }

    async fn wait_for_payment(&self, run: &mut Progress) -> Result<Next, Halt> {
        let tries = run.attempt.tries + 1;
        let mut attempt = run.attempt.clone();
        attempt.state = CheckoutState::PaymentPending;
        attempt.tries = tries;
        self.store(&mut run.attempt, attempt, &Until::Resting(pause_after(tries))).await?;
        Ok(Next::Rest)
    }

    /// Makes the stock the order's own and the order a promise.
    pub(super) async fn confirm(&self, run: &mut Progress) -> Result<Next, Halt> {
        match self.ask(&CommitStock { order: run.attempt.order_id }).await {
            Ok(CommitStockReply::Committed) => {}
            Ok(CommitStockReply::Expired) => {
                return self.compensate_for(run, CheckoutRefusal::StockLost).await;
            }
            Err(_) if self.has_expired(&run.attempt) => {
                return self.compensate_for(run, CheckoutRefusal::Unavailable).await;
            }
            Err(fault) => return Err(fault.into()),
        }
        let now = self.ports.clock.now();
        let mut whole = order_in(run)?.clone();
        let before = whole.order.status;
        whole.order.status = OrderStatus::Confirmed;
        whole.order.version += 1;
        whole.order.placed_at = Some(now);
        let mut attempt = run.attempt.clone();
        attempt.state = CheckoutState::Confirmed;
        attempt.tries = 0;
        hold(&mut attempt, &Until::Driving, now);
        let (confirmed, stored) = (&whole, &attempt);
        self.ports
            .database
            .transaction(|tx| {
                async move {
                    keep_lease(tx, stored).await?;
                    if !order::save(tx, &confirmed.order).await? {
                        return Err(Failure::Refused(Lost));
                    }
                    let happened = order_event::New {
                        order: confirmed.order.id,
                        at: now,
                        kind: "ORDER_CONFIRMED".to_owned(),
                        change: Some((before, OrderStatus::Confirmed)),
                        actor: None,
                    };
                    order_event::insert(tx, vec![happened]).await?;
                    self.publish(tx, OrderChange::Confirmed, confirmed, None).await?;
                    Ok::<_, Halt>(())
                }
                .scope_boxed()
            })
            .await?;
        run.attempt = attempt;
        self.order_changes.announce(whole.order.id);
        run.order = Some(whole);
        Ok(Next::Step)
    }

    /// Closes the cart and takes the money. The order is promised, so this is tried until it is done.
    ///
    /// What was taken is stored first, and then that nothing is left to do: two statements by themselves. A driver who
    /// dies in between leaves an attempt that is settled again, and the figures only grow, so writing them twice, or by
    /// two drivers, comes to the same.
    pub(super) async fn settle(&self, run: &mut Progress) -> Result<Next, Halt> {
        let close = CompleteCart { cart: run.attempt.cart_id, attempt: run.attempt.id };
        let take = CapturePayment { order: run.attempt.order_id };
        let owed = order_in(run)?.order.total > 0;
        let taking = async { if owed { self.ask(&take).await.map(Some) } else { Ok(None) } };
        let (closed, taken) = tokio::join!(self.ask(&close), taking);
        let () = closed?;
        let mut order = order_in(run)?.order.clone();
        match taken? {
            Some(standing) => order.take_figures(payment::figures(&standing)),
            None => order.financial_status = FinancialStatus::Paid,
        }
        let mut attempt = run.attempt.clone();
        hold(&mut attempt, &Until::Finished, self.ports.clock.now());
        let database = self.ports.database.schema();
        order::save_standing(database, &order).await?;
        if !checkout_attempt::save(database, &attempt).await? {
            return Err(Failure::Refused(Lost));
        }
        run.attempt = attempt;
        self.order_changes.announce(order.id);
        if let Some(whole) = &mut run.order {
            whole.order = order;
        }
        Ok(Next::Rest)
    }

    /// Stores that a step succeeded.
    async fn advance(&self, run: &mut Progress, state: CheckoutState, until: &Until) -> Result<Next, Halt> {
        let mut attempt = run.attempt.clone();
        attempt.state = state;
        attempt.tries = 0;
        self.store(&mut run.attempt, attempt, until).await?;
        Ok(if matches!(until, Until::Driving) { Next::Step } else { Next::Rest })
    }

    /// Nothing was charged and a part of the shop does not answer: better to tell a buyer who waits than to keep them
    /// waiting. Where nobody waits, as after a restart, it is tried again.
    async fn give_up(&self, run: &mut Progress, fault: Fault) -> Result<Next, Halt> {
        if !run.attended {
            return Err(fault.into());
        }
        tracing::warn!(
            attempt.id = %run.attempt.id, attempt.state = ?run.attempt.state, reason = fault.chain(),
            "a checkout was given up"
        );
        self.compensate_for(run, CheckoutRefusal::Unavailable).await
    }
}

/// The payment holds; the next step stores that.
fn authorized(run: &mut Progress) -> Next {
    run.attempt.state = CheckoutState::Authorized;
    run.attempt.tries = 0;
    Next::Step
}

/// Where the goods go.
#[derive(serde::Deserialize)]
struct Country {
    #[serde(default)]
    country: String,
}

/// The order of an attempt that is past its first step.
fn order_in(run: &Progress) -> Result<&WholeOrder, Fault> {
    run.order.as_ref().ok_or_else(|| Fault::internal("an attempt without its order"))
}

/// Stores the attempt in a transaction, which fails when somebody else has it.
pub(super) async fn keep_lease(tx: &Tx, attempt: &checkout_attempt::Model) -> Result<(), Halt> {
    if checkout_attempt::save(tx, attempt).await? { Ok(()) } else { Err(Failure::Refused(Lost)) }
}
