//! The tables of the carts, oldest change first. A released step is never changed.

use database::{Change, Step};
use sea_orm_migration::prelude::{ColumnDef, Iden, IntoIden, Table, TableCreateStatement};
use sea_orm_migration::sea_query::Index;

use crate::entity::{cart, line, offer, promotion, shopper, wishlist, wishlist_item};

/// All steps.
pub fn migrations() -> Vec<Step> {
    vec![
        Step { name: "m0001_offer", change: offer_table },
        Step {
            name: "m0002_offer_product",
            change: || Change::index("offer_product", "offer", &["product_id"], false),
        },
        Step { name: "m0003_cart", change: cart_table },
        Step {
            name: "m0004_cart_owner",
            change: || Change::index("cart_owner", "cart", &["owner_id", "state", "updated_at"], false),
        },
        Step { name: "m0005_cart_line", change: line_table },
        Step {
            name: "m0006_cart_line_variant",
            change: || Change::index("cart_line_variant", "cart_line", &["cart_id", "variant_id"], true),
        },
        Step { name: "m0007_promotion", change: promotion_table },
        Step { name: "m0008_shopper", change: shopper_table },
        Step { name: "m0009_wishlist", change: wishlist_table },
        Step {
            name: "m0010_wishlist_owner",
            change: || Change::index("wishlist_owner", "wishlist", &["owner_id", "created_at"], false),
        },
        Step { name: "m0011_wishlist_item", change: wishlist_item_table },
    ]
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

fn offer_table() -> Change {
    use offer::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::VariantId).uuid().not_null().primary_key().take(),
            column(Column::ProductId).uuid().not_null().take(),
            column(Column::Version).integer().not_null().take(),
            column(Column::Sku).string_len(80).not_null().take(),
            column(Column::TaxClass).string_len(16).not_null().take(),
            column(Column::Active).boolean().not_null().take(),
            column(Column::WeightGrams).integer().not_null().take(),
            column(Column::Details).text().not_null().take(),
        ],
    ))
}

fn cart_table() -> Change {
    use cart::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::Version).integer().not_null().take(),
            column(Column::State).string_len(16).not_null().take(),
            column(Column::OwnerId).uuid().take(),
            column(Column::Channel).string_len(40).not_null().take(),
            column(Column::Currency).string_len(3).not_null().take(),
            column(Column::Country).string_len(2).not_null().take(),
            column(Column::Locale).string_len(35).not_null().take(),
            column(Column::Email).string_len(254).take(),
            column(Column::ShippingAddress).text().take(),
            column(Column::BillingAddress).text().take(),
            column(Column::Codes).text().not_null().take(),
            column(Column::DeliveryOption).string_len(40).take(),
            column(Column::AttemptId).uuid().take(),
            column(Column::Frozen).custom("MEDIUMTEXT").take(),
            column(Column::MergedInto).uuid().take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
            column(Column::UpdatedAt).big_integer().not_null().take(),
        ],
    ))
}

fn line_table() -> Change {
    use line::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::CartId).uuid().not_null().take(),
            column(Column::Position).integer().not_null().take(),
            column(Column::VariantId).uuid().not_null().take(),
            column(Column::Quantity).integer().not_null().take(),
            column(Column::LockedMinor).big_integer().not_null().take(),
            column(Column::LockedUntil).big_integer().not_null().take(),
        ],
    ))
}

fn promotion_table() -> Change {
    use promotion::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::Code).string_len(40).unique_key().take(),
            column(Column::Priority).integer().not_null().take(),
            column(Column::Exclusive).boolean().not_null().take(),
            column(Column::StartsAt).big_integer().not_null().take(),
            column(Column::EndsAt).big_integer().take(),
            column(Column::UsageLimit).integer().take(),
            column(Column::Used).integer().not_null().take(),
            column(Column::Terms).text().not_null().take(),
        ],
    ))
}

fn shopper_table() -> Change {
    use shopper::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::UserId).uuid().not_null().primary_key().take(),
            column(Column::Email).string_len(254).take(),
        ],
    ))
}

fn wishlist_table() -> Change {
    use wishlist::{Column, Entity};
    Change::table(&mut table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::OwnerId).uuid().not_null().take(),
            column(Column::Name).string_len(120).not_null().take(),
            column(Column::ShareToken).string_len(64).unique_key().take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
        ],
    ))
}

fn wishlist_item_table() -> Change {
    use wishlist_item::{Column, Entity};
    let mut statement = table(
        Entity,
        &mut [
            column(Column::WishlistId).uuid().not_null().take(),
            column(Column::VariantId).uuid().not_null().take(),
            column(Column::AddedAt).big_integer().not_null().take(),
        ],
    );
    statement.primary_key(
        Index::create().name("wishlist_item_key").col(Column::WishlistId).col(Column::VariantId),
    );
    Change::table(&mut statement)
}
