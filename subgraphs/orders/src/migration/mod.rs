//! The tables of orders, oldest change first. A released step is never changed.

use database::{Change, Step, column, table};
use sea_orm_migration::prelude::Index;

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

fn order_table() -> Change {
    use order::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::Number).string_len(20).not_null().unique_key())
            .col(column(Column::Version).integer().not_null())
            .col(column(Column::Status).string_len(20).not_null())
            .col(column(Column::FinancialStatus).string_len(20).not_null())
            .col(column(Column::FulfillmentStatus).string_len(20).not_null())
            .col(column(Column::CartId).uuid())
            .col(column(Column::CustomerId).uuid())
            .col(column(Column::Email).string_len(254).not_null())
            .col(column(Column::Locale).string_len(35).not_null())
            .col(column(Column::Currency).string_len(3).not_null())
            .col(column(Column::Subtotal).big_integer().not_null())
            .col(column(Column::Discount).big_integer().not_null())
            .col(column(Column::Shipping).big_integer().not_null())
            .col(column(Column::Tax).big_integer().not_null())
            .col(column(Column::TaxIncluded).boolean().not_null())
            .col(column(Column::Total).big_integer().not_null())
            .col(column(Column::DeliveryOption).string_len(120).not_null())
            .col(column(Column::ShippingAddress).text())
            .col(column(Column::BillingAddress).text())
            .col(column(Column::GuestTokenHash).string_len(64))
            .col(column(Column::PaymentState).string_len(24))
            .col(column(Column::PaymentVersion).integer().not_null())
            .col(column(Column::Authorized).big_integer().not_null())
            .col(column(Column::Captured).big_integer().not_null())
            .col(column(Column::Refunded).big_integer().not_null())
            .col(column(Column::CancelReason).string_len(500))
            .col(column(Column::UnwindAt).big_integer())
            .col(column(Column::CreatedAt).big_integer().not_null())
            .col(column(Column::PlacedAt).big_integer()),
    )
}

fn order_line_table() -> Change {
    use order_line::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::OrderId).uuid().not_null())
            .col(column(Column::Position).integer().not_null())
            .col(column(Column::CartLineId).uuid())
            .col(column(Column::VariantId).uuid().not_null())
            .col(column(Column::ProductId).uuid().not_null())
            .col(column(Column::Sku).string_len(64).not_null())
            .col(column(Column::Title).string_len(255).not_null())
            .col(column(Column::Quantity).integer().not_null())
            .col(column(Column::Fulfilled).integer().not_null())
            .col(column(Column::Returned).integer().not_null())
            .col(column(Column::Cancelled).integer().not_null())
            .col(column(Column::Currency).string_len(3).not_null())
            .col(column(Column::UnitPrice).big_integer().not_null())
            .col(column(Column::Discount).big_integer().not_null())
            .col(column(Column::Tax).big_integer().not_null())
            .col(column(Column::Total).big_integer().not_null()),
    )
}

fn order_event_table() -> Change {
    use order_event::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Seq).big_integer().not_null().auto_increment().primary_key())
            .col(column(Column::OrderId).uuid().not_null())
            .col(column(Column::HappenedAt).big_integer().not_null())
            .col(column(Column::Kind).string_len(40).not_null())
            .col(column(Column::FromStatus).string_len(20))
            .col(column(Column::ToStatus).string_len(20))
            .col(column(Column::Actor).string_len(64)),
    )
}

fn fulfillment_table() -> Change {
    use fulfillment::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::OrderId).uuid().not_null())
            .col(column(Column::Status).string_len(20).not_null())
            .col(column(Column::Carrier).string_len(60))
            .col(column(Column::TrackingNumber).string_len(100))
            .col(column(Column::TrackingUrl).string_len(500))
            .col(column(Column::ShippedAt).big_integer()),
    )
}

fn fulfillment_line_table() -> Change {
    use fulfillment_line::{Column, Entity};

    Change::table(
        table(Entity)
            .col(column(Column::FulfillmentId).uuid().not_null())
            .col(column(Column::OrderLineId).uuid().not_null())
            .col(column(Column::Quantity).integer().not_null())
            .primary_key(Index::create().col(Column::FulfillmentId).col(Column::OrderLineId)),
    )
}

fn return_table() -> Change {
    use order_return::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::OrderId).uuid().not_null())
            .col(column(Column::Status).string_len(20).not_null())
            .col(column(Column::Reason).string_len(500))
            .col(column(Column::CreatedAt).big_integer().not_null()),
    )
}

fn return_line_table() -> Change {
    use return_line::{Column, Entity};

    Change::table(
        table(Entity)
            .col(column(Column::ReturnId).uuid().not_null())
            .col(column(Column::OrderLineId).uuid().not_null())
            .col(column(Column::Quantity).integer().not_null())
            .primary_key(Index::create().col(Column::ReturnId).col(Column::OrderLineId)),
    )
}

fn checkout_attempt_table() -> Change {
    use checkout_attempt::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::Scope).string_len(64).not_null().unique_key())
            .col(column(Column::RequestHash).string_len(64).not_null())
            .col(column(Column::CartId).uuid().not_null())
            .col(column(Column::BuyerId).uuid())
            .col(column(Column::OrderId).uuid().not_null())
            .col(column(Column::State).string_len(20).not_null())
            .col(column(Column::Version).integer().not_null())
            .col(column(Column::Driven).boolean().not_null())
            .col(column(Column::DueAt).big_integer())
            .col(column(Column::Tries).integer().not_null())
            .col(column(Column::CartVersion).integer().not_null())
            .col(column(Column::Currency).string_len(3).not_null())
            .col(column(Column::ExpectedTotal).big_integer().not_null())
            .col(column(Column::PaymentToken).string_len(200))
            .col(column(Column::ReturnUrl).text())
            .col(column(Column::ActionReason).text())
            .col(column(Column::Refusal).text())
            .col(column(Column::CreatedAt).big_integer().not_null())
            .col(column(Column::ExpiresAt).big_integer().not_null()),
    )
}
