//! The tables of the catalogue, oldest change first. A released step is never changed.

use database::{Change, Step};
use sea_orm_migration::prelude::{ColumnDef, Iden, IntoIden, Table, TableCreateStatement};

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

fn table(entity: impl IntoIden, columns: &mut [ColumnDef]) -> Change {
    let mut statement: TableCreateStatement = Table::create().table(entity.into_iden()).take();
    for column in columns {
        statement.col(column.take());
    }
    Change::table(&mut statement)
}

fn column(name: impl Iden) -> ColumnDef {
    ColumnDef::new(name)
}

fn category_table() -> Change {
    use category::{Column, Entity};
    table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::ParentId).uuid().take(),
            column(Column::Slug).string_len(120).not_null().unique_key().take(),
            column(Column::Name).string_len(120).not_null().take(),
            column(Column::Position).integer().not_null().take(),
        ],
    )
}

fn channel_table() -> Change {
    use channel::{Column, Entity};
    table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::Code).string_len(40).not_null().unique_key().take(),
            column(Column::DefaultCurrency).string_len(3).not_null().take(),
            column(Column::Currencies).text().not_null().take(),
            column(Column::Locales).text().not_null().take(),
            column(Column::Countries).text().not_null().take(),
            column(Column::PricesIncludeTax).boolean().not_null().take(),
        ],
    )
}

fn product_table() -> Change {
    use product::{Column, Entity};
    table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::Version).integer().not_null().take(),
            column(Column::Slug).string_len(160).not_null().unique_key().take(),
            column(Column::Status).string_len(16).not_null().take(),
            column(Column::Brand).string_len(120).take(),
            column(Column::CategoryId).uuid().take(),
            column(Column::Details).text().not_null().take(),
            column(Column::RatingSum).big_integer().not_null().take(),
            column(Column::RatingCount).integer().not_null().take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
            column(Column::UpdatedAt).big_integer().not_null().take(),
        ],
    )
}

fn variant_table() -> Change {
    use variant::{Column, Entity};
    table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::ProductId).uuid().not_null().take(),
            column(Column::Sku).string_len(64).not_null().unique_key().take(),
            column(Column::Position).integer().not_null().take(),
            column(Column::TaxClass).string_len(16).not_null().take(),
            column(Column::WeightGrams).integer().take(),
            column(Column::Details).text().not_null().take(),
        ],
    )
}

fn review_table() -> Change {
    use review::{Column, Entity};
    table(
        Entity,
        &mut [
            column(Column::Id).uuid().not_null().primary_key().take(),
            column(Column::ProductId).uuid().not_null().take(),
            column(Column::AuthorId).uuid().not_null().take(),
            column(Column::Rating).integer().not_null().take(),
            column(Column::Title).string_len(200).take(),
            column(Column::Body).text().take(),
            column(Column::Verified).boolean().not_null().take(),
            column(Column::CreatedAt).big_integer().not_null().take(),
        ],
    )
}

fn purchase_table() -> Change {
    use purchase::{Column, Entity};
    use sea_orm_migration::prelude::Index;
    let mut statement = Table::create()
        .table(Entity.into_iden())
        .col(column(Column::UserId).uuid().not_null())
        .col(column(Column::ProductId).uuid().not_null())
        .primary_key(Index::create().col(Column::UserId).col(Column::ProductId))
        .take();
    Change::table(&mut statement)
}
