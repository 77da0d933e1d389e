//! The projection of payments: what `payments` tells of an order's payment.

use common::Fault;
use database::Tx;
use events::calls::payments::PaymentStanding;
use events::payments::PaymentsEvent;

use super::Orders;
use crate::domain::{OrderStatus, PaymentFigures};
use crate::entity::{checkout_attempt, order, order_event};

impl Orders {
    /// Takes over how a payment stands, unless something newer is known. Money that turns up for an order that nobody
    /// will get is marked to be let go.
    pub(crate) async fn note_payment(&self, tx: &Tx, event: &PaymentsEvent) -> Result<(), Fault> {
        let Some(mut order) = order::lock(tx, event.order).await? else { return Ok(()) };
        if event.version <= order.payment_version {
            return Ok(());
        }
        let now = self.ports.clock.now();
        order.payment_version = event.version;
        order.payment_state = Some(event.state.clone());
        // What is taken and given back only grows: a call's answer may have told of more than this event knows.
        if event.captured.minor >= order.captured && event.refunded.minor >= order.refunded {
            order.take_figures(PaymentFigures {
                authorized: event.authorized.minor,
                captured: event.captured.minor,
                refunded: event.refunded.minor,
                voided: event.state == "VOIDED",
                disputed: event.state == "DISPUTED",
            });
        }
        if order.status.is_dead() && order.holds_money() {
            // Also where it is being let go already: that may have asked before the money was there.
            order.unwind_at = Some(now);
            self.wake_after_commit();
        }
        order::save_payment(tx, &order).await?;
        let happened = order_event::New {
            order: order.id,
            at: now,
            kind: format!("PAYMENT_{}", event.state),
            change: None,
            actor: None,
        };
        order_event::insert(tx, vec![happened]).await?;
        if order.status == OrderStatus::Pending {
            checkout_attempt::hurry(tx, order.id, now).await?;
            self.wake_after_commit();
        }
        Ok(())
    }
}

/// The figures of a payment as a call answered them.
pub(super) const fn figures(standing: &PaymentStanding) -> PaymentFigures {
    let (authorized, captured) = (standing.authorized.minor, standing.captured.minor);
    PaymentFigures {
        authorized,
        captured,
        refunded: standing.refunded.minor,
        voided: standing.payment.is_some() && authorized == 0 && captured == 0,
        disputed: false,
    }
}
