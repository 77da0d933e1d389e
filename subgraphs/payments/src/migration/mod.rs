//! The tables of payments, oldest change first. A released step is never changed.

use database::{Change, Step};
use sea_orm_migration::prelude::{
    ColumnDef, Expr, ExprTrait as _, Iden, Index, IntoIden, Table, TableCreateStatement,
};

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

fn table(entity: impl IntoIden, columns: &mut [ColumnDef]) -> TableCreateStatement {
    let mut statement: TableCreateStatement = Table::create().table(entity.into_iden()).take();
    for column in columns {
        statement.col(column.take());
    }
    statement
}

fn column(name: impl Iden) -> ColumnDef {
    ColumnDef::new(name)
}

fn payment_table() -> Change {
    use payment::{Column, Entity};
    let mut statement = table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::Version).integer().not_null().take(),
            column(Column::AttemptId).uuid().not_null().unique_key().take(),
            column(Column::OrderId).uuid().not_null().take(),
            column(Column::CustomerId).uuid().take(),
            column(Column::State).string_len(20).not_null().take(),
            column(Column::Currency).string_len(3).not_null().take(),
            column(Column::Amount).big_integer().not_null().take(),
            column(Column::Authorized).big_integer().not_null().take(),
            column(Column::Captured).big_integer().not_null().take(),
            column(Column::Refunded).big_integer().not_null().take(),
            column(Column::CapturePending).big_integer().not_null().take(),
            column(Column::RefundPending).big_integer().not_null().take(),
            column(Column::Cancelled).boolean().not_null().take(),
            column(Column::Method).string_len(40).not_null().take(),
            column(Column::Last4).string_len(4).take(),
            column(Column::Token).string_len(200).not_null().take(),
            column(Column::ReturnUrl).text().take(),
            column(Column::Reference).string_len(120).take(),
            column(Column::ActionReason).string_len(200).take(),
            column(Column::ClientSecret).string_len(120).take(),
            column(Column::RedirectUrl).text().take(),
            column(Column::Failure).string_len(200).take(),
            column(Column::FailureRetryable).boolean().not_null().take(),
            column(Column::MethodInvalid).boolean().not_null().take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
            column(Column::UpdatedAt).big_integer().not_null().take(),
        ],
    );
    let given_back = || Expr::col(Column::Refunded).add(Expr::col(Column::RefundPending));
    let taken = || Expr::col(Column::Captured).add(Expr::col(Column::CapturePending));
    statement
        .check(Expr::col(Column::Captured).gte(given_back()))
        .check(Expr::col(Column::Authorized).gte(taken()))
        .check(Expr::col(Column::Refunded).gte(0))
        .check(Expr::col(Column::RefundPending).gte(0))
        .check(Expr::col(Column::CapturePending).gte(0));
    Change::table(&mut statement)
}

fn transaction_table() -> Change {
    use transaction::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::PaymentId).uuid().not_null().take(),
            column(Column::Kind).string_len(16).not_null().take(),
            column(Column::State).string_len(16).not_null().take(),
            column(Column::Amount).big_integer().not_null().take(),
            column(Column::IdempotencyKey).string_len(80).not_null().take(),
            column(Column::RequestHash).string_len(64).not_null().take(),
            column(Column::RefundId).uuid().take(),
            column(Column::Reference).string_len(120).take(),
            column(Column::DueAt).big_integer().take(),
            column(Column::Tries).integer().not_null().take(),
            column(Column::At).big_integer().not_null().take(),
        ],
    ))
}

fn refund_table() -> Change {
    use refund::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::PaymentId).uuid().not_null().take(),
            column(Column::CustomerId).uuid().take(),
            column(Column::ReturnId).uuid().take(),
            column(Column::State).string_len(16).not_null().take(),
            column(Column::Amount).big_integer().not_null().take(),
            column(Column::Currency).string_len(3).not_null().take(),
            column(Column::Reason).string_len(200).take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
        ],
    ))
}

fn payable_order_table() -> Change {
    use payable_order::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::OrderId).uuid().not_null().primary_key().take(),
            column(Column::Cancelled).boolean().not_null().take(),
        ],
    ))
}

fn payment_method_table() -> Change {
    use payment_method::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::UserId).uuid().not_null().take(),
            column(Column::Kind).string_len(40).not_null().take(),
            column(Column::Brand).string_len(40).take(),
            column(Column::Last4).string_len(4).take(),
            column(Column::ExpMonth).integer().take(),
            column(Column::ExpYear).integer().take(),
            column(Column::Token).string_len(200).not_null().take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
        ],
    ))
}

fn gift_card_table() -> Change {
    use gift_card::{Column, Entity};
    let mut statement = table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::CodeDigest).string_len(64).not_null().unique_key().take(),
            column(Column::Last4).string_len(4).not_null().take(),
            column(Column::UserId).uuid().take(),
            column(Column::Currency).string_len(3).not_null().take(),
            column(Column::Balance).big_integer().not_null().take(),
            column(Column::ExpiresAt).big_integer().take(),
        ],
    );
    statement.check(Expr::col(Column::Balance).gte(0));
    Change::table(&mut statement)
}

fn provider_event_table() -> Change {
    use provider_event::{Column, Entity};
    let mut statement = table(
        Entity,
        &mut [
            column(Column::Provider).string_len(40).not_null().take(),
            column(Column::EventId).string_len(120).not_null().take(),
            column(Column::At).big_integer().not_null().take(),
        ],
    );
    statement.primary_key(Index::create().col(Column::Provider).col(Column::EventId));
    Change::table(&mut statement)
}

fn provider_charge_table() -> Change {
    use provider_charge::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::IdempotencyKey).string_len(80).not_null().primary_key().take(),
            column(Column::Kind).string_len(16).not_null().take(),
            column(Column::OrderId).uuid().not_null().take(),
            column(Column::AttemptId).uuid().take(),
            column(Column::Token).string_len(200).not_null().take(),
            column(Column::Currency).string_len(3).not_null().take(),
            column(Column::Amount).big_integer().not_null().take(),
            column(Column::Outcome).string_len(20).not_null().take(),
            column(Column::Reference).string_len(120).not_null().take(),
            column(Column::ClientSecret).string_len(120).take(),
            column(Column::Calls).integer().not_null().take(),
            column(Column::AnswerAt).big_integer().not_null().take(),
            column(Column::At).big_integer().not_null().take(),
        ],
    ))
}
