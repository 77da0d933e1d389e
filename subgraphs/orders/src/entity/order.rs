//! Orders: a snapshot of the cart as it was bought, with the projections of payment and shipment.

use common::id::{CartId, OrderId, UserId};
use common::{Currency, Money, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query, SelectStatement};
use sea_orm::{Condition, FromQueryResult as _, Iterable as _, QueryOrder as _, QuerySelect as _};

use crate::domain::{FinancialStatus, FulfillmentStatus, OrderStatus, PaymentFigures, financial_status};

/// An order's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: OrderId,
    pub number: String,
    /// Rises with every change of the order itself; not with the projection of its payment.
    pub version: i32,
    pub status: OrderStatus,
    pub financial_status: FinancialStatus,
    pub fulfillment_status: FulfillmentStatus,
    pub cart_id: Option<CartId>,
    /// Nobody for a guest.
    pub customer_id: Option<UserId>,
    pub email: String,
    pub locale: String,
    pub currency: Currency,
    pub subtotal: i64,
    pub discount: i64,
    pub shipping: i64,
    pub tax: i64,
    pub tax_included: bool,
    pub total: i64,
    pub delivery_option: String,
    /// `events::calls::cart::PostalAddress` as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub shipping_address: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub billing_address: Option<String>,
    /// SHA-256 of the token by which a guest reads the order.
    pub guest_token_hash: Option<String>,
    /// The payment's state and figures, and the version that they are of.
    pub payment_state: Option<String>,
    pub payment_version: i32,
    pub authorized: i64,
    pub captured: i64,
    pub refunded: i64,
    pub cancel_reason: Option<String>,
    /// When a worker should let go of the order's money and stock; null where nothing is to be let go.
    pub unwind_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When the checkout went through; null before and if it never did.
    pub placed_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// An amount in the order's currency.
    pub const fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// Takes over the figures of its payment, and what follows from them.
    pub const fn take_figures(&mut self, figures: PaymentFigures) {
        (self.authorized, self.captured, self.refunded) =
            (figures.authorized, figures.captured, figures.refunded);
        self.financial_status = financial_status(self.total, figures);
    }

    /// Whether money is held or kept for it.
    pub const fn holds_money(&self) -> bool {
        self.authorized > 0 || self.captured > self.refunded
    }
}

/// Those with these ids.
pub async fn by_ids(db: &impl ConnectionTrait, ids: Vec<OrderId>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).all(db).await
}

/// Those with these numbers.
pub async fn by_numbers(db: &impl ConnectionTrait, numbers: Vec<String>) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Number.is_in(numbers)).all(db).await
}

/// One that is about to be changed in `tx`, locked.
pub async fn lock(tx: &database::Tx, id: OrderId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).lock_exclusive().one(tx).await
}

/// Writes a new one.
pub async fn insert(tx: &database::Tx, row: Model) -> Result<(), DbErr> {
    Entity::insert(ActiveModel::from(row)).exec_without_returning(tx).await.map(drop)
}

/// Writes what a change of the order itself may change, over the version right below; says whether it was. What is
/// known of the payment is left alone.
pub async fn save(tx: &database::Tx, row: &Model) -> Result<bool, DbErr> {
    let changed = Entity::update_many()
        .col_expr(Column::Version, Expr::value(row.version))
        .col_expr(Column::Status, Expr::value(row.status))
        .col_expr(Column::FulfillmentStatus, Expr::value(row.fulfillment_status))
        .col_expr(Column::CancelReason, Expr::value(row.cancel_reason.clone()))
        .col_expr(Column::UnwindAt, Expr::value(row.unwind_at))
        .col_expr(Column::PlacedAt, Expr::value(row.placed_at))
        .filter(Column::Id.eq(row.id))
        .filter(Column::Version.eq(row.version - 1))
        .exec(tx)
        .await?;
    Ok(changed.rows_affected > 0)
}

/// Writes what is known of the payment of an order that is locked in `tx`, and when to let go of it.
pub async fn save_payment(tx: &database::Tx, row: &Model) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::FinancialStatus, Expr::value(row.financial_status))
        .col_expr(Column::PaymentState, Expr::value(row.payment_state.clone()))
        .col_expr(Column::PaymentVersion, Expr::value(row.payment_version))
        .col_expr(Column::Authorized, Expr::value(row.authorized))
        .col_expr(Column::Captured, Expr::value(row.captured))
        .col_expr(Column::Refunded, Expr::value(row.refunded))
        .col_expr(Column::UnwindAt, Expr::value(row.unwind_at))
        .filter(Column::Id.eq(row.id))
        .exec(tx)
        .await
        .map(drop)
}

/// Writes the figures that a call to `payments` answered, unless later ones are known: what is taken and given back
/// only grows.
pub async fn save_standing(db: &impl ConnectionTrait, row: &Model) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::FinancialStatus, Expr::value(row.financial_status))
        .col_expr(Column::Authorized, Expr::value(row.authorized))
        .col_expr(Column::Captured, Expr::value(row.captured))
        .col_expr(Column::Refunded, Expr::value(row.refunded))
        .filter(Column::Id.eq(row.id))
        .filter(Column::Captured.lte(row.captured))
        .filter(Column::Refunded.lte(row.refunded))
        .exec(db)
        .await
        .map(drop)
}

/// The newest placed orders of each of these customers, at most `limit` each, after a place in that order; in one
/// statement.
pub async fn of_customers(
    db: &impl ConnectionTrait,
    customers: Vec<UserId>,
    after: Option<(Timestamp, OrderId)>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut wanted =
        Condition::all().add(Column::CustomerId.is_in(customers)).add(Column::PlacedAt.is_not_null());
    if let Some((at, id)) = after {
        let same_time = Condition::all().add(Column::PlacedAt.eq(at)).add(Column::Id.lt(id));
        wanted = wanted.add(Condition::any().add(Column::PlacedAt.lt(at)).add(same_time));
    }
    let place = Expr::cust("ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY placed_at DESC, id DESC)");
    let ranked: SelectStatement = Query::select()
        .columns(Column::iter())
        .expr_as(place, Alias::new("place"))
        .from(Entity)
        .cond_where(wanted)
        .take();
    let newest = Query::select()
        .columns(Column::iter())
        .from_subquery(ranked, Alias::new("ranked"))
        .and_where(Expr::col(Alias::new("place")).lte(limit))
        .order_by(Column::PlacedAt, sea_orm::Order::Desc)
        .order_by(Column::Id, sea_orm::Order::Desc)
        .take();
    Model::find_by_statement(db.get_database_backend().build(&newest)).all(db).await
}

/// All orders, newest first (ids rise with time), after one of them.
pub async fn newest(
    db: &impl ConnectionTrait,
    status: Option<OrderStatus>,
    after: Option<OrderId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let mut query = Entity::find().order_by_desc(Column::Id).limit(limit);
    if let Some(status) = status {
        query = query.filter(Column::Status.eq(status));
    }
    if let Some(after) = after {
        query = query.filter(Column::Id.lt(after));
    }
    query.all(db).await
}

/// Those whose money and stock should be let go by now.
pub async fn to_unwind(db: &impl ConnectionTrait, now: Timestamp, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::UnwindAt.lte(now)).order_by_asc(Column::UnwindAt).limit(limit).all(db).await
}

/// Moves the time at which an order is unwound; says whether it was still `before`.
pub async fn move_unwind(
    db: &impl ConnectionTrait,
    id: OrderId,
    before: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<bool, DbErr> {
    let moved = Entity::update_many()
        .col_expr(Column::UnwindAt, Expr::value(to))
        .filter(Column::Id.eq(id))
        .filter(Column::UnwindAt.eq(before))
        .exec(db)
        .await?;
    Ok(moved.rows_affected > 0)
}
