//! Alerts for what is sold out.

use std::collections::BTreeMap;

use auth::Viewer;
use common::id::VariantId;
use common::{Failure, Fault};
use database::{ScopedFutureExt as _, Tx};

use super::{Notifications, Telling};
use crate::domain::template::Occasion;
use crate::domain::{Refusal, Topic, alert};
use crate::entity::{article, contact, stock_alert};

/// Alerts that are told with one statement.
const BATCH: u64 = 500;

impl Notifications {
    /// Has somebody told when a variant can be bought again: at this address, or at that of their account. Asking twice
    /// is asking once.
    pub async fn create_alert(
        &self,
        viewer: &Viewer,
        variant: VariantId,
        email: Option<&str>,
    ) -> Result<(), Failure<Refusal>> {
        let database = &self.ports.database;
        let contact = match viewer.user_id() {
            Some(user) => contact::of(database.read(), user).await?,
            None => None,
        };
        let email = match (email, &contact) {
            (Some(email), _) => alert::email(email).map_err(Failure::Refused)?,
            (None, Some(contact)) => contact.email.clone(),
            (None, None) => return Err(Failure::Refused(Refusal::EmailMissing)),
        };
        if article::of(database.read(), variant).await?.is_none() {
            return Err(Failure::Refused(Refusal::VariantUnknown));
        }
        if stock_alert::waiting_for(database.read(), &email).await? >= alert::MOST_WAITING {
            return Err(Failure::Refused(Refusal::TooManyAlerts));
        }
        let row = stock_alert::Model {
            variant_id: variant,
            // An alert to another address than the account's is no part of the account.
            user_id: contact.as_ref().filter(|contact| contact.email == email).map(|contact| contact.user_id),
            email,
            locale: contact.map_or_else(|| viewer.context.locale.clone(), |contact| contact.locale),
            created_at: self.ports.clock.now(),
        };
        database
            .transaction(|tx| {
                let row = row.clone();
                async move { Ok(stock_alert::keep(tx, row).await?) }.scope_boxed()
            })
            .await
    }

    /// Tells everybody who waits for a variant. Each is told once: the alert goes with the telling.
    pub async fn tell_waiting(&self, tx: &Tx, variant: VariantId) -> Result<(), Fault> {
        let mut waiting = stock_alert::take(tx, variant, BATCH).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let titles: BTreeMap<String, String> = match article::of(tx, variant).await? {
            Some(article) => serde_json::from_str(&article.titles).map_err(Fault::internal)?,
            None => BTreeMap::new(),
        };
        while !waiting.is_empty() {
            let tellings = waiting.into_iter().map(|alert| Telling {
                user: alert.user_id,
                topic: Topic::BackInStock,
                cause: format!("stock:{variant}:{}", alert.created_at.0),
                occasion: Occasion::BackInStock { title: title_in(&titles, &alert.locale) },
                order: None,
                variant: Some(variant),
                confidential: None,
                email: alert.email,
                locale: alert.locale,
            });
            self.tell(tx, tellings.collect()).await?;
            waiting = stock_alert::take(tx, variant, BATCH).await?;
        }
        Ok(())
    }
}

/// The name in the language of a locale, or in English.
fn title_in<'t>(titles: &'t BTreeMap<String, String>, locale: &str) -> &'t str {
    let language = locale.split('-').next().unwrap_or_default();
    let found = titles.get(locale).or_else(|| titles.get(language)).or_else(|| titles.get("en"));
    found.map_or("TechPotli", String::as_str)
}
