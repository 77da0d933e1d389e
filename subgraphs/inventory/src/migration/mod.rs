//! The tables of stock, oldest change first. A released step is never changed.

use database::{Change, Step, column, table};
use sea_orm_migration::prelude::{Expr, ExprTrait as _, Index};

use crate::entity::{order_hold, reservation, stock_adjustment, stock_item, stock_level, stock_location};

/// All steps.
pub fn migrations() -> Vec<Step> {
    vec![
        Step { name: "m0001_stock_location", change: location_table },
        Step { name: "m0002_stock_item", change: item_table },
        Step {
            name: "m0003_stock_item_product",
            change: || Change::index("stock_item_product", "stock_item", &["product_id"], false),
        },
        Step { name: "m0004_stock_level", change: level_table },
        Step { name: "m0005_order_hold", change: hold_table },
        Step { name: "m0006_reservation", change: reservation_table },
        Step {
            name: "m0007_reservation_order",
            change: || Change::index("reservation_order", "reservation", &["order_id"], false),
        },
        Step {
            name: "m0008_reservation_variant",
            change: || {
                let columns = &["variant_id", "state", "expires_at"];
                Change::index("reservation_variant", "reservation", columns, false)
            },
        },
        Step {
            name: "m0009_reservation_expiry",
            change: || Change::index("reservation_expiry", "reservation", &["state", "expires_at"], false),
        },
        Step {
            name: "m0010_reservation_line",
            change: || Change::index("reservation_line", "reservation", &["cart_line_id"], false),
        },
        Step { name: "m0011_stock_adjustment", change: adjustment_table },
    ]
}

fn location_table() -> Change {
    use stock_location::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::Code).string_len(40).not_null().unique_key())
            .col(column(Column::Name).string_len(120).not_null())
            .col(column(Column::CountryCode).string_len(2).not_null())
            .col(column(Column::ShipsAbroad).boolean().not_null()),
    )
}

fn item_table() -> Change {
    use stock_item::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::VariantId).uuid().not_null().primary_key())
            .col(column(Column::ProductId).uuid().not_null())
            .col(column(Column::Tracked).boolean().not_null())
            .col(column(Column::Backorder).string_len(16).not_null())
            .col(column(Column::OutOfStockThreshold).integer().not_null())
            .col(column(Column::RestockAt).big_integer()),
    )
}

fn level_table() -> Change {
    use stock_level::{Column, Entity};
    let promised = || Expr::col(Column::Allocated).add(Expr::col(Column::Reserved));
    Change::table(
        table(Entity)
            .col(column(Column::VariantId).uuid().not_null())
            .col(column(Column::LocationId).uuid().not_null())
            .col(column(Column::OnHand).integer().not_null())
            .col(column(Column::Reserved).integer().not_null())
            .col(column(Column::Allocated).integer().not_null())
            .col(column(Column::Oversell).boolean().not_null())
            .col(column(Column::Version).integer().not_null())
            .primary_key(Index::create().col(Column::VariantId).col(Column::LocationId))
            .check(Expr::col(Column::OnHand).gte(0))
            .check(Expr::col(Column::Reserved).gte(0))
            .check(Expr::col(Column::Allocated).gte(0))
            .check(Expr::col(Column::Oversell).or(Expr::col(Column::OnHand).gte(promised()))),
    )
}

fn hold_table() -> Change {
    use order_hold::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::OrderId).uuid().not_null().primary_key())
            .col(column(Column::State).string_len(16).not_null())
            .col(column(Column::ExpiresAt).big_integer().not_null()),
    )
}

fn reservation_table() -> Change {
    use reservation::{Column, Entity};

    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::OrderId).uuid().not_null())
            .col(column(Column::CartLineId).uuid())
            .col(column(Column::VariantId).uuid().not_null())
            .col(column(Column::LocationId).uuid())
            .col(column(Column::Quantity).integer().not_null())
            .col(column(Column::State).string_len(16).not_null())
            .col(column(Column::ExpiresAt).big_integer().not_null())
            .check(Expr::col(Column::Quantity).gt(0)),
    )
}

fn adjustment_table() -> Change {
    use stock_adjustment::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Seq).big_integer().not_null().auto_increment().primary_key())
            .col(column(Column::VariantId).uuid().not_null())
            .col(column(Column::LocationId).uuid().not_null())
            .col(column(Column::Delta).integer().not_null())
            .col(column(Column::OnHand).integer().not_null())
            .col(column(Column::Reason).string_len(200).not_null())
            .col(column(Column::Actor).string_len(64).not_null())
            .col(column(Column::At).big_integer().not_null()),
    )
}
