//! Changes to notifications.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use common::settle;
use subgraph::graphql::{Authenticated, Scope, authenticated, parse_id, viewer};

use super::part;
use super::refusal::NotificationUserError;
use super::user::{NotificationPreference, NotificationPreferenceInput};
use super::webhook::{WebhookEndpoint, WebhookUpsertInput};
use crate::service::{Choice, Notifications};

/// Where changing begins.
pub struct Mutation;

/// What comes of choosing what to hear.
#[derive(SimpleObject)]
pub struct NotificationPreferencePayload {
    /// What the user hears now, topic by topic; null where a choice is refused.
    pub preferences: Option<Vec<NotificationPreference>>,
    /// Why a choice is refused.
    pub user_errors: Vec<NotificationUserError>,
}

/// What to wait for, and where to write.
#[derive(InputObject)]
pub struct StockAlertInput {
    /// Which variant is waited for.
    pub variant_id: ID,
    /// Where to write; that of the account where missing. A guest must say it.
    pub email: Option<String>,
}

/// What comes of asking for an alert.
#[derive(SimpleObject)]
pub struct StockAlertPayload {
    /// Whether an alert waits now.
    pub ok: bool,
    /// Why it is refused.
    pub user_errors: Vec<NotificationUserError>,
}

/// What comes of changing an endpoint.
#[derive(SimpleObject)]
pub struct WebhookPayload {
    /// The endpoint; null where the change is refused.
    pub endpoint: Option<WebhookEndpoint>,
    /// What signs the events that are sent there. Shown once, when the endpoint is made: keep it.
    pub signing_secret: Option<String>,
    /// Why it is refused.
    pub user_errors: Vec<NotificationUserError>,
}

impl WebhookPayload {
    fn refused(error: impl Into<NotificationUserError>) -> Self {
        Self { endpoint: None, signing_secret: None, user_errors: vec![error.into()] }
    }
}

/// Where changing begins.
#[Object]
impl Mutation {
    /// Chooses what the viewer hears, and how. Topics that are not named stay as they are.
    #[graphql(guard = "Authenticated", directive = authenticated::apply())]
    async fn notification_preferences_set(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The choices, each topic once.")] input: Vec<NotificationPreferenceInput>,
    ) -> Result<NotificationPreferencePayload> {
        let user = viewer(context).require_user()?;
        let choices: Vec<Choice> = input.into_iter().map(Choice::from).collect();
        Ok(match settle(part::<Notifications>(context)?.choose(user, &choices).await)? {
            Ok(preferences) => NotificationPreferencePayload {
                preferences: Some(preferences.into_iter().map(NotificationPreference::from).collect()),
                user_errors: Vec::new(),
            },
            Err(refusal) => {
                NotificationPreferencePayload { preferences: None, user_errors: vec![refusal.into()] }
            }
        })
    }

    /// Has somebody told, once, when a variant can be bought again.
    async fn stock_alert_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What to wait for, and where to write.")] input: StockAlertInput,
    ) -> Result<StockAlertPayload> {
        let variant = parse_id(&input.variant_id)?;
        let created = part::<Notifications>(context)?
            .create_alert(viewer(context), variant, input.email.as_deref())
            .await;
        Ok(match settle(created)? {
            Ok(()) => StockAlertPayload { ok: true, user_errors: Vec::new() },
            Err(refusal) => StockAlertPayload { ok: false, user_errors: vec![refusal.into()] },
        })
    }

    /// Makes an endpoint or changes one. The secret of a new one is shown now and never again.
    #[graphql(guard = "Scope(\"webhooks:write\")", requires_scopes = "webhooks:write")]
    async fn webhook_upsert(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The endpoint.")] input: WebhookUpsertInput,
    ) -> Result<WebhookPayload> {
        let id = input.id.as_ref().map(parse_id).transpose()?;
        let kept = part::<Notifications>(context)?.upsert_webhook(id, &input.url, &input.events).await;
        Ok(match settle(kept)? {
            Ok((endpoint, signing_secret)) => {
                WebhookPayload { endpoint: Some(endpoint.into()), signing_secret, user_errors: Vec::new() }
            }
            Err(refusal) => WebhookPayload::refused(refusal),
        })
    }

    /// Sends an endpoint the events from one on again. Events are not sent to endpoints yet, so this is refused.
    #[graphql(guard = "Scope(\"webhooks:write\")", requires_scopes = "webhooks:write")]
    async fn webhook_replay(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which endpoint.")] endpoint_id: ID,
        #[graphql(desc = "The first event to send again.")] from_event_id: ID,
    ) -> Result<WebhookPayload> {
        parse_id::<common::id::Event>(&from_event_id)?;
        let refusal = part::<Notifications>(context)?.replay_webhook(parse_id(&endpoint_id)?).await?;
        Ok(WebhookPayload::refused(refusal))
    }
}
