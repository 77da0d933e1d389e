//! The tables of orders, oldest change first. A released step is never changed.

use database::{Change, Step};
use sea_orm_migration::prelude::{ColumnDef, Iden, Index, IntoIden, Table, TableCreateStatement};

use crate::entity::{
    checkout_attempt, fulfillment, fulfillment_line, order, order_event, order_line, order_return,
    return_line,
};

/// All steps.
pub fn migrations() -> Vec<Step> {
    vec![
        Step { name: "m0001_orders", change: order_table },
        Step {
            name: "m0002_orders_customer",
            change: || Change::index("orders_customer", "orders", &["customer_id", "placed_at", "id"], false),
        },
        Step {
            name: "m0003_orders_status",
            change: || Change::index("orders_status", "orders", &["status", "id"], false),
        },
        Step {
            name: "m0004_orders_unwind",
            change: || Change::index("orders_unwind", "orders", &["unwind_at"], false),
        },
        Step { name: "m0005_order_line", change: order_line_table },
        Step {
            name: "m0006_order_line_order",
            change: || Change::index("order_line_order", "order_line", &["order_id", "position"], false),
        },
        Step { name: "m0007_order_event", change: order_event_table },
        Step {
            name: "m0008_order_event_order",
            change: || Change::index("order_event_order", "order_event", &["order_id", "seq"], false),
        },
        Step { name: "m0009_fulfillment", change: fulfillment_table },
        Step {
            name: "m0010_fulfillment_order",
            change: || Change::index("fulfillment_order", "fulfillment", &["order_id", "id"], false),
        },
        Step { name: "m0011_fulfillment_line", change: fulfillment_line_table },
        Step { name: "m0012_order_return", change: return_table },
        Step {
            name: "m0013_order_return_order",
            change: || Change::index("order_return_order", "order_return", &["order_id", "id"], false),
        },
        Step { name: "m0014_return_line", change: return_line_table },
        Step { name: "m0015_checkout_attempt", change: checkout_attempt_table },
        Step {
            name: "m0016_checkout_attempt_due",
            change: || Change::index("checkout_attempt_due", "checkout_attempt", &["due_at"], false),
        },
        Step {
            name: "m0017_checkout_attempt_cart",
            change: || Change::index("checkout_attempt_cart", "checkout_attempt", &["cart_id", "id"], false),
        },
        Step {
            name: "m0018_checkout_attempt_order",
            change: || Change::index("checkout_attempt_order", "checkout_attempt", &["order_id"], false),
        },
    ]
}

fn table(entity: impl IntoIden, columns: &mut [ColumnDef]) -> TableCreateStatement {
    let mut statement = Table::create().table(entity.into_iden()).take();
    for column in columns {
        statement.col(column.take());
    }
    statement
}

fn column(name: impl Iden) -> ColumnDef {
    ColumnDef::new(name)
}

fn order_table() -> Change {
    use order::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::Number).string_len(20).not_null().unique_key().take(),
            column(Column::Version).integer().not_null().take(),
            column(Column::Status).string_len(20).not_null().take(),
            column(Column::FinancialStatus).string_len(20).not_null().take(),
            column(Column::FulfillmentStatus).string_len(20).not_null().take(),
            column(Column::CartId).uuid().take(),
            column(Column::CustomerId).uuid().take(),
            column(Column::Email).string_len(254).not_null().take(),
            column(Column::Locale).string_len(35).not_null().take(),
            column(Column::Currency).string_len(3).not_null().take(),
            column(Column::Subtotal).big_integer().not_null().take(),
            column(Column::Discount).big_integer().not_null().take(),
            column(Column::Shipping).big_integer().not_null().take(),
            column(Column::Tax).big_integer().not_null().take(),
            column(Column::TaxIncluded).boolean().not_null().take(),
            column(Column::Total).big_integer().not_null().take(),
            column(Column::DeliveryOption).string_len(120).not_null().take(),
            column(Column::ShippingAddress).text().take(),
            column(Column::BillingAddress).text().take(),
            column(Column::GuestTokenHash).string_len(64).take(),
            column(Column::PaymentState).string_len(24).take(),
            column(Column::PaymentVersion).integer().not_null().take(),
            column(Column::Authorized).big_integer().not_null().take(),
            column(Column::Captured).big_integer().not_null().take(),
            column(Column::Refunded).big_integer().not_null().take(),
            column(Column::CancelReason).string_len(500).take(),
            column(Column::UnwindAt).big_integer().take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
            column(Column::PlacedAt).big_integer().take(),
        ],
    ))
}

fn order_line_table() -> Change {
    use order_line::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::OrderId).uuid().not_null().take(),
            column(Column::Position).integer().not_null().take(),
            column(Column::CartLineId).uuid().take(),
            column(Column::VariantId).uuid().not_null().take(),
            column(Column::ProductId).uuid().not_null().take(),
            column(Column::Sku).string_len(64).not_null().take(),
            column(Column::Title).string_len(255).not_null().take(),
            column(Column::Quantity).integer().not_null().take(),
            column(Column::Fulfilled).integer().not_null().take(),
            column(Column::Returned).integer().not_null().take(),
            column(Column::Cancelled).integer().not_null().take(),
            column(Column::Currency).string_len(3).not_null().take(),
            column(Column::UnitPrice).big_integer().not_null().take(),
            column(Column::Discount).big_integer().not_null().take(),
            column(Column::Tax).big_integer().not_null().take(),
            column(Column::Total).big_integer().not_null().take(),
        ],
    ))
}

fn order_event_table() -> Change {
    use order_event::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Seq).big_integer().not_null().auto_increment().primary_key().take(),
            column(Column::OrderId).uuid().not_null().take(),
            column(Column::HappenedAt).big_integer().not_null().take(),
            column(Column::Kind).string_len(40).not_null().take(),
            column(Column::FromStatus).string_len(20).take(),
            column(Column::ToStatus).string_len(20).take(),
            column(Column::Actor).string_len(64).take(),
        ],
    ))
}

fn fulfillment_table() -> Change {
    use fulfillment::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::OrderId).uuid().not_null().take(),
            column(Column::Status).string_len(20).not_null().take(),
            column(Column::Carrier).string_len(60).take(),
            column(Column::TrackingNumber).string_len(100).take(),
            column(Column::TrackingUrl).string_len(500).take(),
            column(Column::ShippedAt).big_integer().take(),
        ],
    ))
}

fn fulfillment_line_table() -> Change {
    use fulfillment_line::{Column, Entity};
    let mut statement = table(
        Entity,
        &mut [
            column(Column::FulfillmentId).uuid().not_null().take(),
            column(Column::OrderLineId).uuid().not_null().take(),
            column(Column::Quantity).integer().not_null().take(),
        ],
    );
    statement.primary_key(Index::create().col(Column::FulfillmentId).col(Column::OrderLineId));
    Change::table(&mut statement)
}

fn return_table() -> Change {
    use order_return::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::OrderId).uuid().not_null().take(),
            column(Column::Status).string_len(20).not_null().take(),
            column(Column::Reason).string_len(500).take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
        ],
    ))
}

fn return_line_table() -> Change {
    use return_line::{Column, Entity};
    let mut statement = table(
        Entity,
        &mut [
            column(Column::ReturnId).uuid().not_null().take(),
            column(Column::OrderLineId).uuid().not_null().take(),
            column(Column::Quantity).integer().not_null().take(),
        ],
    );
    statement.primary_key(Index::create().col(Column::ReturnId).col(Column::OrderLineId));
    Change::table(&mut statement)
}

fn checkout_attempt_table() -> Change {
    use checkout_attempt::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::Scope).string_len(64).not_null().unique_key().take(),
            column(Column::RequestHash).string_len(64).not_null().take(),
            column(Column::CartId).uuid().not_null().take(),
            column(Column::BuyerId).uuid().take(),
            column(Column::OrderId).uuid().not_null().take(),
            column(Column::State).string_len(20).not_null().take(),
            column(Column::Version).integer().not_null().take(),
            column(Column::Driven).boolean().not_null().take(),
            column(Column::DueAt).big_integer().take(),
            column(Column::Tries).integer().not_null().take(),
            column(Column::CartVersion).integer().not_null().take(),
            column(Column::Currency).string_len(3).not_null().take(),
            column(Column::ExpectedTotal).big_integer().not_null().take(),
            column(Column::PaymentToken).string_len(200).take(),
            column(Column::ReturnUrl).text().take(),
            column(Column::ActionReason).text().take(),
            column(Column::Refusal).text().take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
            column(Column::ExpiresAt).big_integer().not_null().take(),
        ],
    ))
}
