//! Lines of carts. They are read with their offers, in one statement for any number of carts.

use std::sync::Arc;

use auth::Viewer;
use common::id::{CartId, CartLineId, ProductId, VariantId};
use common::{Fault, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, ExprTrait as _, JoinType, OnConflict, Query, SelectStatement, UnionType};
use sea_orm::{FromQueryResult, Iterable as _, Order, QuerySelect as _};

use super::{cart, offer};
use crate::domain::{Cart, Line, Offer};

/// A line's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cart_line")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CartLineId,
    pub cart_id: CartId,
    pub position: i32,
    pub variant_id: VariantId,
    pub quantity: i32,
    pub locked_minor: i64,
    pub locked_until: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A line with its offer. The offer is missing if the catalogue never told of it; the line, if only the offer was
/// asked for.
#[derive(Debug, FromQueryResult)]
struct Found {
    line_id: Option<CartLineId>,
    cart_id: Option<CartId>,
    position: Option<i32>,
    line_variant: Option<VariantId>,
    quantity: Option<i32>,
    locked_minor: Option<i64>,
    locked_until: Option<Timestamp>,
    offer_variant: Option<VariantId>,
    product_id: Option<ProductId>,
    version: Option<i32>,
    sku: Option<String>,
    tax_class: Option<String>,
    active: Option<bool>,
    weight_grams: Option<i32>,
    details: Option<String>,
}

/// Stands before the names of a cart's columns where there are others.
const CART: &str = "c_";

const LINE_COLUMNS: [(Column, &str); 7] = [
    (Column::Id, "line_id"),
    (Column::CartId, "cart_id"),
    (Column::Position, "position"),
    (Column::VariantId, "line_variant"),
    (Column::Quantity, "quantity"),
    (Column::LockedMinor, "locked_minor"),
    (Column::LockedUntil, "locked_until"),
];

const OFFER_COLUMNS: [(offer::Column, &str); 8] = [
    (offer::Column::VariantId, "offer_variant"),
    (offer::Column::ProductId, "product_id"),
    (offer::Column::Version, "version"),
    (offer::Column::Sku, "sku"),
    (offer::Column::TaxClass, "tax_class"),
    (offer::Column::Active, "active"),
    (offer::Column::WeightGrams, "weight_grams"),
    (offer::Column::Details, "details"),
];

fn with_offers() -> SelectStatement {
    let mut select = Query::select();
    for (column, name) in LINE_COLUMNS {
        select.expr_as(column.into_expr(), Alias::new(name));
    }
    for (column, name) in OFFER_COLUMNS {
        select.expr_as(column.into_expr(), Alias::new(name));
    }
    select.from(Entity).join(
        JoinType::LeftJoin,
        offer::Entity,
        Expr::col(Column::VariantId.as_column_ref()).equals(offer::Column::VariantId.as_column_ref()),
    );
    select
}

/// The lines of these carts, oldest first.
pub async fn of_carts(db: &impl ConnectionTrait, carts: &[CartId]) -> Result<Vec<(CartId, Line)>, Fault> {
    let mut select = with_offers();
    select
        .and_where(Column::CartId.is_in(carts.iter().copied()))
        .order_by(Column::Position.as_column_ref(), Order::Asc);
    let found = Found::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    found.into_iter().filter_map(|found| found.line().transpose()).collect()
}

/// Where these lines are: their carts.
pub async fn carts_of(
    db: &impl ConnectionTrait,
    lines: Vec<CartLineId>,
) -> Result<Vec<(CartLineId, CartId)>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::Id, Column::CartId])
        .filter(Column::Id.is_in(lines))
        .into_tuple()
        .all(db)
        .await
}

/// The lines of a cart, oldest first, and the offers of these variants, in one statement.
pub async fn of_cart_and_offers(
    tx: &database::Tx,
    cart: CartId,
    variants: &[VariantId],
) -> Result<(Vec<Line>, Vec<Arc<Offer>>), Fault> {
    let mut select = with_offers();
    select.and_where(Column::CartId.eq(cart));
    if !variants.is_empty() {
        select.union(UnionType::All, only_offers(&mut Query::select(), variants));
    }
    let found = Found::find_by_statement(tx.get_database_backend().build(&select)).all(tx).await?;
    let (mut lines, mut offers) = (Vec::new(), Vec::new());
    for found in found {
        match found.line_id {
            Some(_) => lines.extend(found.line()?.map(|(_, line)| line)),
            None => offers.extend(found.offer()?),
        }
    }
    lines.sort_by_key(|line: &Line| line.position);
    Ok((lines, offers))
}

/// A cart that the viewer may see with its lines, oldest first, and the offers of these variants: all in one statement
/// that locks nothing.
pub async fn whole_cart(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    id: CartId,
    variants: &[VariantId],
) -> Result<Option<(Cart, Vec<Line>, Vec<Arc<Offer>>)>, Fault> {
    let mut select = Query::select();
    for column in cart::Column::iter() {
        select.expr_as(column.into_expr(), Alias::new(format!("{CART}{}", column.as_str())));
    }
    for (column, name) in LINE_COLUMNS {
        select.expr_as(column.into_expr(), Alias::new(name));
    }
    for (column, name) in OFFER_COLUMNS {
        select.expr_as(column.into_expr(), Alias::new(name));
    }
    let of_cart = Expr::col(Column::CartId.as_column_ref()).equals(cart::Column::Id.as_column_ref());
    let of_line =
        Expr::col(Column::VariantId.as_column_ref()).equals(offer::Column::VariantId.as_column_ref());
    select
        .from(cart::Entity)
        .join(JoinType::LeftJoin, Entity, of_cart)
        .join(JoinType::LeftJoin, offer::Entity, of_line)
        .and_where(cart::Column::Id.eq(id))
        .cond_where(cart::visible_to(viewer));
    if !variants.is_empty() {
        let mut offers = Query::select();
        for column in cart::Column::iter() {
            offers.expr_as(Expr::cust("NULL"), Alias::new(format!("{CART}{}", column.as_str())));
        }
        select.union(UnionType::All, only_offers(&mut offers, variants));
    }
    let (mut cart, mut lines, mut offers) = (None, Vec::new(), Vec::new());
    for row in db.query_all(&select).await? {
        let found = Found::from_query_result(&row, "")?;
        match row.try_get::<Option<CartId>>(CART, cart::Column::Id.as_str())? {
            Some(_) if cart.is_none() => {
                cart = Some(Cart::try_from(cart::Model::from_query_result(&row, CART)?)?)
            }
            Some(_) => {}
            None => {
                offers.extend(found.offer()?);
                continue;
            }
        }
        lines.extend(found.line()?.map(|(_, line)| line));
    }
    lines.sort_by_key(|line: &Line| line.position);
    Ok(cart.map(|cart| (cart, lines, offers)))
}

/// Completes a select of offers that stands below a select of lines.
fn only_offers(select: &mut SelectStatement, variants: &[VariantId]) -> SelectStatement {
    for (_, name) in LINE_COLUMNS {
        select.expr_as(Expr::cust("NULL"), Alias::new(name));
    }
    for (column, name) in OFFER_COLUMNS {
        select.expr_as(column.into_expr(), Alias::new(name));
    }
    select.from(offer::Entity).and_where(offer::Column::VariantId.is_in(variants.iter().copied())).take()
}

/// Writes lines: new ones, and what became of old ones.
pub async fn put(tx: &database::Tx, cart: CartId, lines: &[&Line]) -> Result<(), DbErr> {
    if lines.is_empty() {
        return Ok(());
    }
    let rows = lines.iter().map(|line| ActiveModel {
        id: Set(line.id),
        cart_id: Set(cart),
        position: Set(line.position),
        variant_id: Set(line.variant),
        quantity: Set(line.quantity),
        locked_minor: Set(line.locked_minor),
        locked_until: Set(line.locked_until),
    });
    let known = OnConflict::columns([Column::CartId, Column::VariantId])
        .update_columns([Column::Quantity, Column::LockedMinor, Column::LockedUntil])
        .to_owned();
    Entity::insert_many(rows).on_conflict(known).exec_without_returning(tx).await?;
    Ok(())
}

/// Removes lines of a cart.
pub async fn remove(tx: &database::Tx, cart: CartId, lines: Vec<CartLineId>) -> Result<(), DbErr> {
    if lines.is_empty() {
        return Ok(());
    }
    Entity::delete_many().filter(Column::CartId.eq(cart)).filter(Column::Id.is_in(lines)).exec(tx).await?;
    Ok(())
}

impl Found {
    fn line(self) -> Result<Option<(CartId, Line)>, Fault> {
        let place = (self.line_id, self.cart_id, self.position);
        let wanted = (self.line_variant, self.quantity);
        let price = (self.locked_minor, self.locked_until);
        let (
            (Some(id), Some(cart), Some(position)),
            (Some(variant), Some(quantity)),
            (Some(locked_minor), Some(locked_until)),
        ) = (place, wanted, price)
        else {
            return Ok(None);
        };
        let offer = self.offer()?;
        Ok(Some((cart, Line { id, position, variant, quantity, locked_minor, locked_until, offer })))
    }

    fn offer(self) -> Result<Option<Arc<Offer>>, Fault> {
        let (Some(variant_id), Some(product_id)) = (self.offer_variant, self.product_id) else {
            return Ok(None);
        };
        let row = offer::Model {
            variant_id,
            product_id,
            version: self.version.unwrap_or_default(),
            sku: self.sku.unwrap_or_default(),
            tax_class: self.tax_class.unwrap_or_default(),
            active: self.active.unwrap_or_default(),
            weight_grams: self.weight_grams.unwrap_or_default(),
            details: self.details.unwrap_or_default(),
        };
        Offer::try_from(row).map(|offer| Some(Arc::new(offer)))
    }
}
