//! The tables of `users`, one change a step.

use database::{Change, Step, column, table};
use sea_orm_migration::prelude::Index;

use crate::entity::{address, identity, login_throttle, password_reset, refresh_token, session, user};

/// All steps, oldest first. A released step is never changed.
pub fn migrations() -> Vec<Step> {
    [user_steps(), address_steps(), session_steps(), guard_steps(), identity_steps()]
        .into_iter()
        .flatten()
        .collect()
}

fn user_steps() -> Vec<Step> {
    vec![
        Step {
            name: "m0001_user",
            change: || {
                use user::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Id).uuid().not_null().primary_key())
                        .col(column(Column::Version).integer().not_null())
                        .col(column(Column::Email).string_len(254).not_null())
                        .col(column(Column::EmailVerified).boolean().not_null())
                        .col(column(Column::Phone).string_len(32))
                        .col(column(Column::DisplayName).string_len(100))
                        .col(column(Column::Locale).string_len(35).not_null())
                        .col(column(Column::Roles).string_len(200).not_null())
                        .col(column(Column::PasswordHash).string_len(255))
                        .col(column(Column::DefaultShippingAddress).uuid())
                        .col(column(Column::DefaultBillingAddress).uuid())
                        .col(column(Column::CreatedAt).big_integer().not_null()),
                )
            },
        },
        Step { name: "m0002_user_email", change: || Change::index("user_email", "user", &["email"], true) },
    ]
}

fn address_steps() -> Vec<Step> {
    vec![
        Step {
            name: "m0003_address",
            change: || {
                use address::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Id).uuid().not_null().primary_key())
                        .col(column(Column::UserId).uuid().not_null())
                        .col(column(Column::Kind).string_len(8).not_null())
                        .col(column(Column::Recipient).string_len(200).not_null())
                        .col(column(Column::Line1).string_len(200).not_null())
                        .col(column(Column::Line2).string_len(200))
                        .col(column(Column::City).string_len(100).not_null())
                        .col(column(Column::Region).string_len(100))
                        .col(column(Column::PostalCode).string_len(20))
                        .col(column(Column::Country).string_len(2).not_null())
                        .col(column(Column::Phone).string_len(32))
                        .col(column(Column::CreatedAt).big_integer().not_null()),
                )
            },
        },
        Step {
            name: "m0004_address_of_user",
            change: || Change::index("address_of_user", "address", &["user_id", "id"], false),
        },
    ]
}

fn session_steps() -> Vec<Step> {
    vec![
        Step {
            name: "m0005_session",
            change: || {
                use session::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Id).uuid().not_null().primary_key())
                        .col(column(Column::UserId).uuid().not_null())
                        .col(column(Column::CreatedAt).big_integer().not_null())
                        .col(column(Column::ExpiresAt).big_integer().not_null())
                        .col(column(Column::RevokedAt).big_integer()),
                )
            },
        },
        Step {
            name: "m0006_session_of_user",
            change: || Change::index("session_of_user", "session", &["user_id"], false),
        },
        Step {
            name: "m0007_session_expires",
            change: || Change::index("session_expires", "session", &["expires_at"], false),
        },
        Step {
            name: "m0008_refresh_token",
            change: || {
                use refresh_token::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Digest).string_len(64).not_null().primary_key())
                        .col(column(Column::SessionId).uuid().not_null())
                        .col(column(Column::IssuedAt).big_integer().not_null())
                        .col(column(Column::UsedAt).big_integer()),
                )
            },
        },
        Step {
            name: "m0009_refresh_token_of_session",
            change: || Change::index("refresh_token_of_session", "refresh_token", &["session_id"], false),
        },
    ]
}

fn guard_steps() -> Vec<Step> {
    vec![
        Step {
            name: "m0010_login_throttle",
            change: || {
                use login_throttle::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Account).string_len(64).not_null())
                        .col(column(Column::Failures).integer().not_null())
                        .col(column(Column::Since).big_integer().not_null())
                        .primary_key(Index::create().col(Column::Account)),
                )
            },
        },
        Step {
            name: "m0011_login_throttle_since",
            change: || Change::index("login_throttle_since", "login_throttle", &["since"], false),
        },
        Step {
            name: "m0012_password_reset",
            change: || {
                use password_reset::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Digest).string_len(64).not_null().primary_key())
                        .col(column(Column::UserId).uuid().not_null())
                        .col(column(Column::CreatedAt).big_integer().not_null())
                        .col(column(Column::ExpiresAt).big_integer().not_null())
                        .col(column(Column::UsedAt).big_integer()),
                )
            },
        },
        Step {
            name: "m0013_password_reset_of_user",
            change: || {
                Change::index("password_reset_of_user", "password_reset", &["user_id", "created_at"], false)
            },
        },
        Step {
            name: "m0014_password_reset_expires",
            change: || Change::index("password_reset_expires", "password_reset", &["expires_at"], false),
        },
    ]
}

fn identity_steps() -> Vec<Step> {
    vec![
        Step {
            name: "m0015_identity",
            change: || {
                use identity::{Column, Entity};
                Change::table(
                    table(Entity)
                        .col(column(Column::Digest).string_len(64).not_null().primary_key())
                        .col(column(Column::UserId).uuid().not_null())
                        .col(column(Column::Issuer).string_len(255).not_null())
                        .col(column(Column::Subject).string_len(255).not_null())
                        .col(column(Column::LinkedAt).big_integer().not_null()),
                )
            },
        },
        Step {
            name: "m0016_identity_of_user",
            change: || Change::index("identity_of_user", "identity", &["user_id"], false),
        },
        Step {
            name: "m0017_session_revoked",
            change: || Change::index("session_revoked", "session", &["revoked_at", "id"], false),
        },
    ]
}
