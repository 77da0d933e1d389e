//! The tables of `notifications`, one change a step.

use database::{Change, Step};
use sea_orm_migration::prelude::{Alias, ColumnDef, Index, Table};

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
                use notification::Column;
                Change::table(
                    Table::create()
                        .table(Alias::new("notification"))
                        .col(ColumnDef::new(Column::Id).uuid().not_null().primary_key())
                        .col(ColumnDef::new(Column::UserId).uuid())
                        .col(ColumnDef::new(Column::OrderId).uuid())
                        .col(ColumnDef::new(Column::VariantId).uuid())
                        .col(ColumnDef::new(Column::Topic).string_len(16).not_null())
                        .col(ColumnDef::new(Column::Channel).string_len(8).not_null())
                        .col(ColumnDef::new(Column::Cause).string_len(120).not_null())
                        .col(ColumnDef::new(Column::Recipient).string_len(254).not_null())
                        .col(ColumnDef::new(Column::Locale).string_len(35).not_null())
                        .col(ColumnDef::new(Column::Title).string_len(200).not_null())
                        .col(ColumnDef::new(Column::Body).text().not_null())
                        .col(ColumnDef::new(Column::Confidential).text())
                        .col(ColumnDef::new(Column::State).string_len(12).not_null())
                        .col(ColumnDef::new(Column::Attempts).integer().not_null())
                        .col(ColumnDef::new(Column::NextTryAt).big_integer().not_null())
                        .col(ColumnDef::new(Column::ReadAt).big_integer())
                        .col(ColumnDef::new(Column::CreatedAt).big_integer().not_null()),
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
                use contact::Column;
                Change::table(
                    Table::create()
                        .table(Alias::new("contact"))
                        .col(ColumnDef::new(Column::UserId).uuid().not_null().primary_key())
                        .col(ColumnDef::new(Column::Email).string_len(254).not_null())
                        .col(ColumnDef::new(Column::Locale).string_len(35).not_null()),
                )
            },
        },
        Step {
            name: "m0007_preference",
            change: || {
                use preference::Column;
                Change::table(
                    Table::create()
                        .table(Alias::new("preference"))
                        .col(ColumnDef::new(Column::UserId).uuid().not_null())
                        .col(ColumnDef::new(Column::Topic).string_len(16).not_null())
                        .col(ColumnDef::new(Column::Channels).string_len(40).not_null())
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
                use article::Column;
                Change::table(
                    Table::create()
                        .table(Alias::new("article"))
                        .col(ColumnDef::new(Column::VariantId).uuid().not_null().primary_key())
                        .col(ColumnDef::new(Column::Version).integer().not_null())
                        .col(ColumnDef::new(Column::Titles).text().not_null()),
                )
            },
        },
        Step {
            name: "m0009_stock_alert",
            change: || {
                use stock_alert::Column;
                Change::table(
                    Table::create()
                        .table(Alias::new("stock_alert"))
                        .col(ColumnDef::new(Column::VariantId).uuid().not_null())
                        .col(ColumnDef::new(Column::Email).string_len(254).not_null())
                        .col(ColumnDef::new(Column::UserId).uuid())
                        .col(ColumnDef::new(Column::Locale).string_len(35).not_null())
                        .col(ColumnDef::new(Column::CreatedAt).big_integer().not_null())
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
                use webhook::Column;
                Change::table(
                    Table::create()
                        .table(Alias::new("webhook"))
                        .col(ColumnDef::new(Column::Id).uuid().not_null().primary_key())
                        .col(ColumnDef::new(Column::Url).string_len(2000).not_null())
                        .col(ColumnDef::new(Column::Events).text().not_null())
                        .col(ColumnDef::new(Column::Secret).string_len(64).not_null())
                        .col(ColumnDef::new(Column::Active).boolean().not_null())
                        .col(ColumnDef::new(Column::CreatedAt).big_integer().not_null()),
                )
            },
        },
        Step {
            name: "m0012_webhook_delivery",
            change: || {
                use crate::entity::webhook_delivery::Column;
                Change::table(
                    Table::create()
                        .table(Alias::new("webhook_delivery"))
                        .col(
                            ColumnDef::new(Column::Id)
                                .big_integer()
                                .not_null()
                                .auto_increment()
                                .primary_key(),
                        )
                        .col(ColumnDef::new(Column::WebhookId).uuid().not_null())
                        .col(ColumnDef::new(Column::EventId).uuid().not_null())
                        .col(ColumnDef::new(Column::Attempt).integer().not_null())
                        .col(ColumnDef::new(Column::Status).integer())
                        .col(ColumnDef::new(Column::At).big_integer().not_null()),
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
