//! The tables of `notifications`, one change a step.

use database::{Change, Step, column, table};
use sea_orm_migration::prelude::Index;

use crate::entity::{article, contact, notification, preference, stock_alert, webhook};

/// All steps, oldest first. A released step is never changed.
pub fn migrations() -> Vec<Step> {
    [notification_steps(), recipient_steps(), alert_steps(), webhook_steps()].into_iter().flatten().collect()
}

fn notification_steps() -> Vec<Step> {
    vec![
        Step {
            name: "m0001_notification",
            change: || {
                use notification::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Id).uuid().not_null().primary_key())
                        .col(column(Column::UserId).uuid())
                        .col(column(Column::OrderId).uuid())
                        .col(column(Column::VariantId).uuid())
                        .col(column(Column::Topic).string_len(16).not_null())
                        .col(column(Column::Channel).string_len(8).not_null())
                        .col(column(Column::Cause).string_len(120).not_null())
                        .col(column(Column::Recipient).string_len(254).not_null())
                        .col(column(Column::Locale).string_len(35).not_null())
                        .col(column(Column::Title).string_len(200).not_null())
                        .col(column(Column::Body).text().not_null())
                        .col(column(Column::Confidential).text())
                        .col(column(Column::State).string_len(12).not_null())
                        .col(column(Column::Attempts).integer().not_null())
                        .col(column(Column::NextTryAt).big_integer().not_null())
                        .col(column(Column::ReadAt).big_integer())
                        .col(column(Column::CreatedAt).big_integer().not_null()),
                )
            },
        },
        Step {
            name: "m0002_notification_cause",
            change: || {
                Change::index("notification_cause", "notification", &["cause", "channel", "recipient"], true)
            },
        },
        Step {
            name: "m0003_notification_of_user",
            change: || {
                Change::index("notification_of_user", "notification", &["user_id", "channel", "id"], false)
            },
        },
        Step {
            name: "m0004_notification_of_order",
            change: || Change::index("notification_of_order", "notification", &["order_id"], false),
        },
        Step {
            name: "m0005_notification_due",
            change: || Change::index("notification_due", "notification", &["state", "next_try_at"], false),
        },
    ]
}

fn recipient_steps() -> Vec<Step> {
    vec![
        Step {
            name: "m0006_contact",
            change: || {
                use contact::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::UserId).uuid().not_null().primary_key())
                        .col(column(Column::Email).string_len(254).not_null())
                        .col(column(Column::Locale).string_len(35).not_null()),
                )
            },
        },
        Step {
            name: "m0007_preference",
            change: || {
                use preference::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::UserId).uuid().not_null())
                        .col(column(Column::Topic).string_len(16).not_null())
                        .col(column(Column::Channels).string_len(40).not_null())
                        .primary_key(Index::create().col(Column::UserId).col(Column::Topic)),
                )
            },
        },
    ]
}

fn alert_steps() -> Vec<Step> {
    vec![
        Step {
            name: "m0008_article",
            change: || {
                use article::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::VariantId).uuid().not_null().primary_key())
                        .col(column(Column::Version).integer().not_null())
                        .col(column(Column::Titles).text().not_null()),
                )
            },
        },
        Step {
            name: "m0009_stock_alert",
            change: || {
                use stock_alert::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::VariantId).uuid().not_null())
                        .col(column(Column::Email).string_len(254).not_null())
                        .col(column(Column::UserId).uuid())
                        .col(column(Column::Locale).string_len(35).not_null())
                        .col(column(Column::CreatedAt).big_integer().not_null())
                        .primary_key(Index::create().col(Column::VariantId).col(Column::Email)),
                )
            },
        },
        Step {
            name: "m0010_stock_alert_of_email",
            change: || Change::index("stock_alert_of_email", "stock_alert", &["email"], false),
        },
    ]
}

fn webhook_steps() -> Vec<Step> {
    vec![
        Step {
            name: "m0011_webhook",
            change: || {
                use webhook::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Id).uuid().not_null().primary_key())
                        .col(column(Column::Url).string_len(2000).not_null())
                        .col(column(Column::Events).text().not_null())
                        .col(column(Column::Secret).string_len(64).not_null())
                        .col(column(Column::Active).boolean().not_null())
                        .col(column(Column::CreatedAt).big_integer().not_null()),
                )
            },
        },
        Step {
            name: "m0012_webhook_delivery",
            change: || {
                use crate::entity::webhook_delivery::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Id).big_integer().not_null().auto_increment().primary_key())
                        .col(column(Column::WebhookId).uuid().not_null())
                        .col(column(Column::EventId).uuid().not_null())
                        .col(column(Column::Attempt).integer().not_null())
                        .col(column(Column::Status).integer())
                        .col(column(Column::At).big_integer().not_null()),
                )
            },
        },
        Step {
            name: "m0013_webhook_delivery_of_webhook",
            change: || {
                Change::index("webhook_delivery_of_webhook", "webhook_delivery", &["webhook_id", "id"], false)
            },
        },
    ]
}
