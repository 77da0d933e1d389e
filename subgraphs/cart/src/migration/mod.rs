//! The tables of the carts, oldest change first. A released step is never changed.

use database::{Change, Step, column, table};
use sea_orm_migration::prelude::Index;

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
        Step {
            name: "m0012_cart_age",
            change: || Change::index("cart_age", "cart", &["state", "updated_at"], false),
        },
    ]
}

fn offer_table() -> Change {
    use offer::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::VariantId).uuid().not_null().primary_key())
            .col(column(Column::ProductId).uuid().not_null())
            .col(column(Column::Version).integer().not_null())
            .col(column(Column::Sku).string_len(80).not_null())
            .col(column(Column::TaxClass).string_len(16).not_null())
            .col(column(Column::Active).boolean().not_null())
            .col(column(Column::WeightGrams).integer().not_null())
            .col(column(Column::Details).text().not_null()),
    )
}

fn cart_table() -> Change {
    use cart::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::Version).integer().not_null())
            .col(column(Column::State).string_len(16).not_null())
            .col(column(Column::OwnerId).uuid())
            .col(column(Column::Channel).string_len(40).not_null())
            .col(column(Column::Currency).string_len(3).not_null())
            .col(column(Column::Country).string_len(2).not_null())
            .col(column(Column::Locale).string_len(35).not_null())
            .col(column(Column::Email).string_len(254))
            .col(column(Column::ShippingAddress).text())
            .col(column(Column::BillingAddress).text())
            .col(column(Column::Codes).text().not_null())
            .col(column(Column::DeliveryOption).string_len(40))
            .col(column(Column::AttemptId).uuid())
            .col(column(Column::Frozen).custom("MEDIUMTEXT"))
            .col(column(Column::MergedInto).uuid())
            .col(column(Column::CreatedAt).big_integer().not_null())
            .col(column(Column::UpdatedAt).big_integer().not_null()),
    )
}

fn line_table() -> Change {
    use line::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::CartId).uuid().not_null())
            .col(column(Column::Position).integer().not_null())
            .col(column(Column::VariantId).uuid().not_null())
            .col(column(Column::Quantity).integer().not_null())
            .col(column(Column::LockedMinor).big_integer().not_null())
            .col(column(Column::LockedUntil).big_integer().not_null()),
    )
}

fn promotion_table() -> Change {
    use promotion::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::Code).string_len(40).unique_key())
            .col(column(Column::Priority).integer().not_null())
            .col(column(Column::Exclusive).boolean().not_null())
            .col(column(Column::StartsAt).big_integer().not_null())
            .col(column(Column::EndsAt).big_integer())
            .col(column(Column::UsageLimit).integer())
            .col(column(Column::Used).integer().not_null())
            .col(column(Column::Terms).text().not_null()),
    )
}

fn shopper_table() -> Change {
    use shopper::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::UserId).uuid().not_null().primary_key())
            .col(column(Column::Email).string_len(254)),
    )
}

fn wishlist_table() -> Change {
    use wishlist::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::OwnerId).uuid().not_null())
            .col(column(Column::Name).string_len(120).not_null())
            .col(column(Column::ShareToken).string_len(64).unique_key())
            .col(column(Column::CreatedAt).big_integer().not_null()),
    )
}

fn wishlist_item_table() -> Change {
    use wishlist_item::{Column, Entity};

    Change::table(
        table(Entity)
            .col(column(Column::WishlistId).uuid().not_null())
            .col(column(Column::VariantId).uuid().not_null())
            .col(column(Column::AddedAt).big_integer().not_null())
            .primary_key(
                Index::create().name("wishlist_item_key").col(Column::WishlistId).col(Column::VariantId),
            ),
    )
}
