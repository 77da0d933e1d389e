//! Letting go of what an order holds: its stock and its money. Both calls do nothing where that is done, so they are
//! made again until both have answered.

use std::time::Duration;

use common::Fault;
use events::calls::inventory::ReleaseStock;
use events::calls::payments::{CancelPayment, PaymentStanding};

use super::{Orders, WholeOrder, payment};
use crate::entity::order;

/// How long one try may take before another one is made.
pub(super) const UNWINDING: Duration = Duration::from_secs(30);

impl Orders {
    /// Gives back the stock and cancels the payment of an order; `Err` when one of them did not answer.
    pub(super) async fn let_go(&self, id: common::id::OrderId) -> Result<PaymentStanding, Fault> {
        let (release, cancel) = (ReleaseStock { order: id }, CancelPayment { order: id });
        let (released, cancelled) = tokio::join!(self.ask(&release), self.ask(&cancel));
        let () = released?;
        cancelled
    }

    /// Lets go of what a dead order holds, if it is still marked for that. Failing that, a worker tries again when the
    /// mark is due.
    pub(super) async fn unwind(&self, mut whole: WholeOrder) -> WholeOrder {
        let order = &mut whole.order;
        match self.let_go(order.id).await {
            Ok(standing) => {
                order.take_figures(payment::figures(&standing));
                if let Err(fault) = self.unwound(order).await {
                    tracing::warn!(order.id = %order.id, reason = fault.chain(), "an order was let go, but not marked so");
                }
            }
            Err(fault) => {
                tracing::warn!(order.id = %order.id, reason = fault.chain(), "an order could not be let go yet");
            }
        }
        whole
    }

    async fn unwound(&self, order: &mut order::Model) -> Result<(), Fault> {
        let database = self.ports.database.schema();
        order::save_standing(database, order).await?;
        // Where the mark has moved, something turned up meanwhile and it is let go again.
        if order::move_unwind(database, order.id, order.unwind_at, None).await? {
            order.unwind_at = None;
        }
        self.order_changes.announce(order.id);
        Ok(())
    }

    /// Takes up an order that is due to be let go; says whether nobody else did before.
    pub(super) async fn claim_unwinding(&self, order: &mut order::Model) -> Result<bool, Fault> {
        let until = Some(self.ports.clock.now().plus(UNWINDING));
        let claimed =
            order::move_unwind(self.ports.database.schema(), order.id, order.unwind_at, until).await?;
        order.unwind_at = until;
        Ok(claimed)
    }
}
