//! Keeping the endpoints of partners.

use common::id::WebhookId;
use common::{Failure, Fault};
use data_encoding::BASE64URL_NOPAD;
use database::{ScopedFutureExt as _, Tx};
use rand::RngCore as _;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait as _;

use super::Notifications;
use crate::domain::{Refusal, webhook as rules};
use crate::entity::webhook;

impl Notifications {
    /// Makes an endpoint and its secret, or changes the one with this id, whose secret stays and is not told again.
    pub async fn upsert_webhook(
        &self,
        id: Option<WebhookId>,
        url: &str,
        events: &[String],
    ) -> Result<(webhook::Model, Option<String>), Failure<Refusal>> {
        let url = rules::url(url).map_err(Failure::Refused)?;
        let events = rules::events(events).map_err(Failure::Refused)?;
        let events = serde_json::to_string(&events).map_err(Fault::internal)?;
        self.ports.database.transaction(|tx| self.keep_webhook(tx, id, &url, &events).scope_boxed()).await
    }

    async fn keep_webhook(
        &self,
        tx: &Tx,
        id: Option<WebhookId>,
        url: &str,
        events: &str,
    ) -> Result<(webhook::Model, Option<String>), Failure<Refusal>> {
        let (url, events) = (url.to_owned(), events.to_owned());
        let Some(id) = id else {
            let secret = fresh_secret();
            let made = webhook::Model {
                id: self.ports.ids.next(),
                url,
                events,
                secret: secret.clone(),
                active: true,
                created_at: self.ports.clock.now(),
            };
            let row = webhook::ActiveModel::from(made.clone());
            webhook::Entity::insert(row).exec_without_returning(tx).await?;
            return Ok((made, Some(secret)));
        };
        let known = webhook::lock(tx, id).await?.ok_or(Failure::Refused(Refusal::EndpointUnknown))?;
        let change = webhook::ActiveModel {
            id: Set(id),
            url: Set(url.clone()),
            events: Set(events.clone()),
            ..Default::default()
        };
        webhook::Entity::update(change).exec(tx).await?;
        Ok((webhook::Model { url, events, ..known }, None))
    }

    /// Refuses to send events again: they are not sent at all yet.
    pub async fn replay_webhook(&self, id: WebhookId) -> Result<Refusal, Fault> {
        let known = webhook::by_ids(self.ports.database.read(), vec![id]).await?;
        Ok(if known.is_empty() { Refusal::EndpointUnknown } else { Refusal::ReplayNotOffered })
    }
}

fn fresh_secret() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("whsec_{}", BASE64URL_NOPAD.encode(&bytes))
}
