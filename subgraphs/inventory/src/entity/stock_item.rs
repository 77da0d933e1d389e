//! What is stocked: a variant, its product and its rules.

use common::id::{ProductId, VariantId};
use common::{Fault, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::{FromQueryResult, Statement, Value};

use crate::domain::{BackorderPolicy, Policy};

/// A variant's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_item")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub tracked: bool,
    pub backorder: BackorderPolicy,
    pub out_of_stock_threshold: i32,
    pub restock_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The rules for it.
    pub fn policy(&self) -> Policy {
        Policy {
            tracked: self.tracked,
            backorder: self.backorder,
            out_of_stock_threshold: self.out_of_stock_threshold,
            restock_at: self.restock_at,
        }
    }
}

/// An item with how many of it are free in the locations that ship to a country.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Counted {
    pub variant_id: VariantId,
    pub product_id: ProductId,
    pub tracked: bool,
    pub backorder: BackorderPolicy,
    pub out_of_stock_threshold: i32,
    pub restock_at: Option<Timestamp>,
    /// On hand, neither allocated nor reserved; what is reserved by a reservation that has expired counts.
    pub free: i64,
    /// When the first reservation of it expires, or has, in whichever location.
    pub first_expiry: Option<Timestamp>,
}

impl Counted {
    /// The rules for it.
    pub fn policy(&self) -> Policy {
        Policy {
            tracked: self.tracked,
            backorder: self.backorder,
            out_of_stock_threshold: self.out_of_stock_threshold,
            restock_at: self.restock_at,
        }
    }
}

/// Which items to count.
pub enum Counting {
    /// These variants.
    Variants(Vec<VariantId>),
    /// All variants of these products.
    Products(Vec<ProductId>),
}

/// What is free of the items, in one statement. The time decides which reservations have expired.
pub async fn count(
    db: &impl ConnectionTrait,
    which: Counting,
    country: &str,
    now: Timestamp,
) -> Result<Vec<Counted>, Fault> {
    let (column, ids): (&str, Vec<Value>) = match which {
        Counting::Variants(ids) => ("variant_id", ids.into_iter().map(Value::from).collect()),
        Counting::Products(ids) => ("product_id", ids.into_iter().map(Value::from).collect()),
    };
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places = vec!["?"; ids.len()].join(", ");
    // CAST, because MySQL sums integers to decimals.
    let sql = format!(
        "SELECT i.variant_id, i.product_id, i.tracked, i.backorder, i.out_of_stock_threshold, i.restock_at, \
         CAST(COALESCE((SELECT SUM(l.on_hand - l.allocated - l.reserved) FROM stock_level l \
         JOIN stock_location s ON s.id = l.location_id \
         WHERE l.variant_id = i.variant_id AND (s.ships_abroad OR s.country_code = ?)), 0) \
         + COALESCE((SELECT SUM(r.quantity) FROM reservation r \
         JOIN stock_location s ON s.id = r.location_id \
         WHERE r.variant_id = i.variant_id AND r.state = 'ACTIVE' AND r.expires_at <= ? \
         AND (s.ships_abroad OR s.country_code = ?)), 0) AS SIGNED) AS free, \
         (SELECT MIN(r.expires_at) FROM reservation r WHERE r.variant_id = i.variant_id AND r.state = 'ACTIVE') \
         AS first_expiry \
         FROM stock_item i WHERE i.{column} IN ({places})"
    );
    let mut values: Vec<Value> = vec![country.into(), now.0.into(), country.into()];
    values.extend(ids);
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    Ok(Counted::find_by_statement(statement).all(db).await?)
}
