//! The tables of the catalogue, oldest change first. A released step is never changed.

use database::{Change, Step, column, table};
use sea_orm_migration::prelude::Index;

use crate::entity::{category, channel, product, purchase, review, variant};

/// All steps.
pub fn migrations() -> Vec<Step> {
    vec![
        Step { name: "m0001_category", change: category_table },
        Step { name: "m0002_channel", change: channel_table },
        Step { name: "m0003_product", change: product_table },
        Step {
            name: "m0004_product_category",
            change: || {
                Change::index("product_category", "product", &["category_id", "created_at", "id"], false)
            },
        },
        Step { name: "m0005_variant", change: variant_table },
        Step {
            name: "m0006_variant_product",
            change: || Change::index("variant_product", "variant", &["product_id", "position"], false),
        },
        Step { name: "m0007_review", change: review_table },
        Step {
            name: "m0008_review_product",
            change: || Change::index("review_product", "review", &["product_id", "created_at", "id"], false),
        },
        Step {
            name: "m0009_review_author",
            change: || Change::index("review_author", "review", &["author_id", "product_id"], true),
        },
        Step { name: "m0010_purchase", change: purchase_table },
    ]
}

fn category_table() -> Change {
    use category::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::ParentId).uuid())
            .col(column(Column::Slug).string_len(120).not_null().unique_key())
            .col(column(Column::Name).string_len(120).not_null())
            .col(column(Column::Position).integer().not_null()),
    )
}

fn channel_table() -> Change {
    use channel::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::Code).string_len(40).not_null().unique_key())
            .col(column(Column::DefaultCurrency).string_len(3).not_null())
            .col(column(Column::Currencies).text().not_null())
            .col(column(Column::Locales).text().not_null())
            .col(column(Column::Countries).text().not_null())
            .col(column(Column::PricesIncludeTax).boolean().not_null()),
    )
}

fn product_table() -> Change {
    use product::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::Version).integer().not_null())
            .col(column(Column::Slug).string_len(160).not_null().unique_key())
            .col(column(Column::Status).string_len(16).not_null())
            .col(column(Column::Brand).string_len(120))
            .col(column(Column::CategoryId).uuid())
            .col(column(Column::Details).text().not_null())
            .col(column(Column::RatingSum).big_integer().not_null())
            .col(column(Column::RatingCount).integer().not_null())
            .col(column(Column::CreatedAt).big_integer().not_null())
            .col(column(Column::UpdatedAt).big_integer().not_null()),
    )
}

fn variant_table() -> Change {
    use variant::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::ProductId).uuid().not_null())
            .col(column(Column::Sku).string_len(64).not_null().unique_key())
            .col(column(Column::Position).integer().not_null())
            .col(column(Column::TaxClass).string_len(16).not_null())
            .col(column(Column::WeightGrams).integer())
            .col(column(Column::Details).text().not_null()),
    )
}

fn review_table() -> Change {
    use review::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::Id).uuid().not_null().primary_key())
            .col(column(Column::ProductId).uuid().not_null())
            .col(column(Column::AuthorId).uuid().not_null())
            .col(column(Column::Rating).integer().not_null())
            .col(column(Column::Title).string_len(200))
            .col(column(Column::Body).text())
            .col(column(Column::Verified).boolean().not_null())
            .col(column(Column::CreatedAt).big_integer().not_null()),
    )
}

fn purchase_table() -> Change {
    use purchase::{Column, Entity};
    Change::table(
        table(Entity)
            .col(column(Column::UserId).uuid().not_null())
            .col(column(Column::ProductId).uuid().not_null())
            .primary_key(Index::create().col(Column::UserId).col(Column::ProductId)),
    )
}
