//! What the provider tells us by itself.

use common::Fault;
use common::id::TransactionId;
use database::{ScopedFutureExt, Tx};
use std::sync::Arc;

use super::Payments;
use crate::entity::provider_event;
use crate::provider::{ProviderEvent, Webhook};

impl Payments {
    /// Where the provider tells us something.
    pub fn webhook(&self) -> Webhook {
        let payments = self.clone();
        Arc::new(move |event| {
            let payments = payments.clone();
            Box::pin(async move { payments.hear(&event).await })
        })
    }

    /// Applies an event once.
    async fn hear(&self, event: &ProviderEvent) -> Result<(), Fault> {
        let heard: Result<bool, Fault> =
            self.ports.database.transaction(|tx| self.hear_in(tx, event).scope_boxed()).await;
        if heard? {
            self.work.nudge();
        }
        Ok(())
    }

    async fn hear_in(&self, tx: &Tx, event: &ProviderEvent) -> Result<bool, Fault> {
        let row = provider_event::Model {
            provider: self.provider.name().to_owned(),
            event_id: event.id.clone(),
            at: self.ports.clock.now(),
        };
        if !provider_event::first_time(tx, row).await? {
            return Ok(false);
        }
        let transaction: TransactionId = event.key.parse().map_err(Fault::internal)?;
        let (payment, _) = self.settle_in(tx, transaction, &event.answer).await?;
        Ok(payment.cancelled)
    }
}
