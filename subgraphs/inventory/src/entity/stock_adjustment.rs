//! Who changed stock by hand, and why.

use common::Timestamp;
use common::id::{StockLocationId, VariantId};
use sea_orm::entity::prelude::*;

/// A change of stock by a member of staff.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_adjustment")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub variant_id: VariantId,
    pub location_id: StockLocationId,
    pub delta: i32,
    /// What was there afterwards.
    pub on_hand: i32,
    pub reason: String,
    pub actor: String,
    pub at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
