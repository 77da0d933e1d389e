//! The tables of the projection, oldest change first. A released step is never changed.

use database::{Change, Step};
use sea_orm_migration::prelude::{Alias, ColumnDef, Iden, Index, Table};

use crate::entity::{co_purchase, document, index_state, revision, sales_point, stock, view, word};

/// All steps.
pub fn migrations() -> Vec<Step> {
    vec![
        Step { name: "m0001_document", change: document_table },
        Step { name: "m0002_stock", change: stock_table },
        Step {
            name: "m0003_stock_product",
            change: || Change::index("stock_product", "stock", &["product_id"], false),
        },
        Step { name: "m0004_co_purchase", change: co_purchase_table },
        Step { name: "m0005_sales_point", change: sales_point_table },
        Step { name: "m0006_view", change: view_table },
        Step {
            name: "m0007_view_user",
            change: || Change::index("view_user", "product_view", &["user_id", "viewed_at"], false),
        },
        Step { name: "m0008_revision", change: revision_table },
        Step {
            name: "m0009_revision_pending",
            change: || Change::index("revision_pending", "revision", &["pending", "product_id"], false),
        },
        Step { name: "m0010_index_state", change: index_state_table },
        Step { name: "m0011_word", change: word_table },
        Step {
            name: "m0012_word_product",
            change: || Change::index("word_product", "word", &["product_id"], false),
        },
    ]
}

fn column(name: impl Iden) -> ColumnDef {
    ColumnDef::new(name)
}

fn document_table() -> Change {
    use document::{Column, Entity};
    Change::table(
        Table::create()
            .table(Entity)
            .col(column(Column::ProductId).uuid().not_null().primary_key())
            .col(column(Column::Version).integer().not_null())
            .col(column(Column::Product).custom(Alias::new("longtext")).not_null())
            .col(column(Column::AverageHundredths).integer().not_null())
            .col(column(Column::RatingCount).integer().not_null())
            .col(column(Column::UnitsSold).big_integer().not_null())
            .col(column(Column::Views).big_integer().not_null()),
    )
}

fn stock_table() -> Change {
    use stock::{Column, Entity};
    Change::table(
        Table::create()
            .table(Entity)
            .col(column(Column::VariantId).uuid().not_null().primary_key())
            .col(column(Column::ProductId).uuid().not_null())
            .col(column(Column::Available).boolean().not_null())
            .col(column(Column::AsOf).big_integer().not_null()),
    )
}

fn co_purchase_table() -> Change {
    use co_purchase::{Column, Entity};
    Change::table(
        Table::create()
            .table(Entity)
            .col(column(Column::ProductId).uuid().not_null())
            .col(column(Column::OtherId).uuid().not_null())
            .col(column(Column::Times).big_integer().not_null())
            .primary_key(Index::create().col(Column::ProductId).col(Column::OtherId)),
    )
}

fn sales_point_table() -> Change {
    use sales_point::{Column, Entity};
    Change::table(
        Table::create()
            .table(Entity)
            .col(column(Column::Hour).big_integer().not_null())
            .col(column(Column::Currency).string_len(3).not_null())
            .col(column(Column::Orders).big_integer().not_null())
            .col(column(Column::Units).big_integer().not_null())
            .col(column(Column::GrossMinor).big_integer().not_null())
            .primary_key(Index::create().col(Column::Hour).col(Column::Currency)),
    )
}

fn view_table() -> Change {
    use view::{Column, Entity};
    Change::table(
        Table::create()
            .table(Entity)
            .col(column(Column::UserId).uuid().not_null())
            .col(column(Column::ProductId).uuid().not_null())
            .col(column(Column::ViewedAt).big_integer().not_null())
            .primary_key(Index::create().col(Column::UserId).col(Column::ProductId)),
    )
}

fn revision_table() -> Change {
    use revision::{Column, Entity};
    Change::table(
        Table::create()
            .table(Entity)
            .col(column(Column::ProductId).uuid().not_null().primary_key())
            .col(column(Column::Revision).big_integer().not_null())
            .col(column(Column::Pending).boolean().not_null()),
    )
}

fn index_state_table() -> Change {
    use index_state::{Column, Entity};
    Change::table(
        Table::create()
            .table(Entity)
            .col(column(Column::Name).string_len(20).not_null().primary_key())
            .col(column(Column::Value).string_len(200).not_null()),
    )
}

fn word_table() -> Change {
    use word::{Column, Entity};
    Change::table(
        Table::create()
            .table(Entity)
            .col(column(Column::Word).string_len(word::LONGEST as u32).not_null())
            .col(column(Column::ProductId).uuid().not_null())
            .primary_key(Index::create().col(Column::Word).col(Column::ProductId)),
    )
}
