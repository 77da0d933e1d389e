//! The tables of payments, oldest change first. A released step is never changed.

use database::{Change, Step, column, table};
use sea_orm_migration::prelude::{Expr, ExprTrait as _, Index};

use crate::entity::{
    gift_card, payable_order, payment, payment_method, provider_charge, provider_event, refund, transaction,
};

/// All steps.
pub fn migrations() -> Vec<Step> {
    vec![
        Step { name: "m0001_payment", change: payment_table },
        index("m0002_payment_order", || Change::index("payment_order", "payment", &["order_id"], false)),
        Step { name: "m0003_payment_transaction", change: transaction_table },
        index("m0004_transaction_key", || {
            let columns = &["kind", "idempotency_key"];
            Change::index("transaction_key", "payment_transaction", columns, true)
        }),
        index("m0005_transaction_payment", || {
            Change::index("transaction_payment", "payment_transaction", &["payment_id", "at"], false)
        }),
        index("m0006_transaction_due", || {
            Change::index("transaction_due", "payment_transaction", &["state", "due_at"], false)
        }),
        Step { name: "m0007_refund", change: refund_table },
        index("m0008_refund_payment", || Change::index("refund_payment", "refund", &["payment_id"], false)),
        index("m0009_refund_return", || Change::index("refund_return", "refund", &["return_id"], false)),
        Step { name: "m0010_payable_order", change: payable_order_table },
        Step { name: "m0011_payment_method", change: payment_method_table },
        index("m0012_payment_method_user", || {
            Change::index("payment_method_user", "payment_method", &["user_id"], false)
        }),
        Step { name: "m0013_gift_card", change: gift_card_table },
        index("m0014_gift_card_user", || Change::index("gift_card_user", "gift_card", &["user_id"], false)),
        Step { name: "m0015_provider_event", change: provider_event_table },
        Step { name: "m0016_provider_charge", change: provider_charge_table },
        index("m0017_provider_charge_order", || {
            Change::index("provider_charge_order", "provider_charge", &["order_id"], false)
        }),
        index("m0018_provider_charge_attempt", || {
            Change::index("provider_charge_attempt", "provider_charge", &["attempt_id"], false)
        }),
        index("m0019_provider_charge_reference", || {
            Change::index("provider_charge_reference", "provider_charge", &["reference"], false)
        }),
    ]
}

fn index(name: &'static str, change: fn() -> Change) -> Step {
    Step { name, change }
}

fn payment_table() -> Change {
    use payment::{Column, Entity};
    let given_back = || Expr::col(Column::Refunded).add(Expr::col(Column::RefundPending));
    let taken = || Expr::col(Column::Captured).add(Expr::col(Column::CapturePending));
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::Version).integer().not_null())
            .col(column(Column::AttemptId).uuid().not_null().unique_key())
            .col(column(Column::OrderId).uuid().not_null())
            .col(column(Column::CustomerId).uuid())
            .col(column(Column::State).string_len(20).not_null())
            .col(column(Column::Currency).string_len(3).not_null())
            .col(column(Column::Amount).big_integer().not_null())
            .col(column(Column::Authorized).big_integer().not_null())
            .col(column(Column::Captured).big_integer().not_null())
            .col(column(Column::Refunded).big_integer().not_null())
            .col(column(Column::CapturePending).big_integer().not_null())
            .col(column(Column::RefundPending).big_integer().not_null())
            .col(column(Column::Cancelled).boolean().not_null())
            .col(column(Column::Method).string_len(40).not_null())
            .col(column(Column::Last4).string_len(4))
            .col(column(Column::Token).string_len(200).not_null())
            .col(column(Column::ReturnUrl).text())
            .col(column(Column::Reference).string_len(120))
            .col(column(Column::ActionReason).string_len(200))
            .col(column(Column::ClientSecret).string_len(120))
            .col(column(Column::RedirectUrl).text())
            .col(column(Column::Failure).string_len(200))
            .col(column(Column::FailureRetryable).boolean().not_null())
            .col(column(Column::MethodInvalid).boolean().not_null())
            .col(column(Column::CreatedAt).big_integer().not_null())
            .col(column(Column::UpdatedAt).big_integer().not_null())
            .check(Expr::col(Column::Captured).gte(given_back()))
            .check(Expr::col(Column::Authorized).gte(taken()))
            .check(Expr::col(Column::Refunded).gte(0))
            .check(Expr::col(Column::RefundPending).gte(0))
            .check(Expr::col(Column::CapturePending).gte(0)),
    )
}

fn transaction_table() -> Change {
    use transaction::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::PaymentId).uuid().not_null())
            .col(column(Column::Kind).string_len(16).not_null())
            .col(column(Column::State).string_len(16).not_null())
            .col(column(Column::Amount).big_integer().not_null())
            .col(column(Column::IdempotencyKey).string_len(80).not_null())
            .col(column(Column::RequestHash).string_len(64).not_null())
            .col(column(Column::RefundId).uuid())
            .col(column(Column::Reference).string_len(120))
            .col(column(Column::DueAt).big_integer())
            .col(column(Column::Tries).integer().not_null())
            .col(column(Column::At).big_integer().not_null()),
    )
}

fn refund_table() -> Change {
    use refund::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::PaymentId).uuid().not_null())
            .col(column(Column::CustomerId).uuid())
            .col(column(Column::ReturnId).uuid())
            .col(column(Column::State).string_len(16).not_null())
            .col(column(Column::Amount).big_integer().not_null())
            .col(column(Column::Currency).string_len(3).not_null())
            .col(column(Column::Reason).string_len(200))
            .col(column(Column::CreatedAt).big_integer().not_null()),
    )
}

fn payable_order_table() -> Change {
    use payable_order::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::OrderId).uuid().not_null().primary_key())
            .col(column(Column::Cancelled).boolean().not_null()),
    )
}

fn payment_method_table() -> Change {
    use payment_method::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::UserId).uuid().not_null())
            .col(column(Column::Kind).string_len(40).not_null())
            .col(column(Column::Brand).string_len(40))
            .col(column(Column::Last4).string_len(4))
            .col(column(Column::ExpMonth).integer())
            .col(column(Column::ExpYear).integer())
            .col(column(Column::Token).string_len(200).not_null())
            .col(column(Column::CreatedAt).big_integer().not_null()),
    )
}

fn gift_card_table() -> Change {
    use gift_card::{Column, Entity};

    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::CodeDigest).string_len(64).not_null().unique_key())
            .col(column(Column::Last4).string_len(4).not_null())
            .col(column(Column::UserId).uuid())
            .col(column(Column::Currency).string_len(3).not_null())
            .col(column(Column::Balance).big_integer().not_null())
            .col(column(Column::ExpiresAt).big_integer())
            .check(Expr::col(Column::Balance).gte(0)),
    )
}

fn provider_event_table() -> Change {
    use provider_event::{Column, Entity};

    Change::table(
        table(Entity)
            .col(column(Column::Provider).string_len(40).not_null())
            .col(column(Column::EventId).string_len(120).not_null())
            .col(column(Column::At).big_integer().not_null())
            .primary_key(Index::create().col(Column::Provider).col(Column::EventId)),
    )
}

fn provider_charge_table() -> Change {
    use provider_charge::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::IdempotencyKey).string_len(80).not_null().primary_key())
            .col(column(Column::Kind).string_len(16).not_null())
            .col(column(Column::OrderId).uuid().not_null())
            .col(column(Column::AttemptId).uuid())
            .col(column(Column::Token).string_len(200).not_null())
            .col(column(Column::Currency).string_len(3).not_null())
            .col(column(Column::Amount).big_integer().not_null())
            .col(column(Column::Outcome).string_len(20).not_null())
            .col(column(Column::Reference).string_len(120).not_null())
            .col(column(Column::ClientSecret).string_len(120))
            .col(column(Column::Calls).integer().not_null())
            .col(column(Column::AnswerAt).big_integer().not_null())
            .col(column(Column::At).big_integer().not_null()),
    )
}
