//! Messages to people: one row for each channel that a message goes through.

use common::id::{NotificationId, OrderId, UserId, VariantId};
use common::{Fault, PageArgs, Timestamp};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ExprTrait as _, OnConflict};
use sea_orm::{QueryOrder as _, QuerySelect as _};

use crate::domain::access::Reach;
use crate::domain::{Channel, DeliveryState, Topic};

/// A message to somebody through one channel.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notification")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: NotificationId,
    /// Whose; nobody's for a guest.
    pub user_id: Option<UserId>,
    pub order_id: Option<OrderId>,
    pub variant_id: Option<VariantId>,
    pub topic: Topic,
    pub channel: Channel,
    /// What happened, so that the same is told once.
    pub cause: String,
    /// A mail address; empty where the channel needs none.
    pub recipient: String,
    pub locale: String,
    pub title: String,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    /// What only the recipient may read, such as a token. Sent after the body, never shown, and wiped when it is sent.
    #[sea_orm(column_type = "Text", nullable)]
    pub confidential: Option<String>,
    pub state: DeliveryState,
    /// Tries begun.
    pub attempts: i32,
    /// When it may be tried: while it is queued.
    pub next_try_at: Timestamp,
    pub read_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

fn within(reach: Reach) -> Option<Select<Entity>> {
    match reach {
        Reach::Everybody => Some(Entity::find()),
        Reach::Own(user) => Some(Entity::find().filter(Column::UserId.eq(user))),
        Reach::Nobody => None,
    }
}

/// Those of these notifications that lie within the viewer's reach.
pub async fn by_ids(
    db: &impl ConnectionTrait,
    reach: Reach,
    ids: Vec<NotificationId>,
) -> Result<Vec<Model>, Fault> {
    let Some(found) = within(reach) else { return Ok(Vec::new()) };
    Ok(found.filter(Column::Id.is_in(ids)).all(db).await?)
}

/// What was written about these orders, oldest first, within the viewer's reach.
pub async fn of_orders(
    db: &impl ConnectionTrait,
    reach: Reach,
    orders: Vec<OrderId>,
) -> Result<Vec<Model>, Fault> {
    let Some(found) = within(reach) else { return Ok(Vec::new()) };
    Ok(found.filter(Column::OrderId.is_in(orders)).order_by_asc(Column::Id).all(db).await?)
}

/// A page of what a user is shown in the shop, newest first. The user is the viewer.
pub async fn inbox(db: &impl ConnectionTrait, user: UserId, page: &PageArgs) -> Result<Vec<Model>, Fault> {
    let mut found = Entity::find().filter(Column::UserId.eq(user)).filter(Column::Channel.eq(Channel::InApp));
    if let Some(after) = &page.after {
        found = found.filter(Column::Id.lt(after.key::<NotificationId>(0, 1)?));
    }
    Ok(found.order_by_desc(Column::Id).limit(page.limit()).all(db).await?)
}

/// How many of those the user has not read.
pub async fn unread(db: &impl ConnectionTrait, user: UserId) -> Result<u64, Fault> {
    let found = Entity::find().filter(Column::UserId.eq(user)).filter(Column::Channel.eq(Channel::InApp));
    Ok(found.filter(Column::ReadAt.is_null()).count(db).await?)
}

/// Writes notifications; one that tells the same person the same through the same channel again is left out.
pub async fn write(tx: &database::Tx, rows: Vec<Model>) -> Result<(), Fault> {
    if rows.is_empty() {
        return Ok(());
    }
    let key = [Column::Cause, Column::Channel, Column::Recipient];
    let written = Entity::insert_many(rows.into_iter().map(ActiveModel::from))
        .on_conflict(OnConflict::columns(key).do_nothing_on([Column::Id]).to_owned())
        .exec_without_returning(tx)
        .await;
    match written {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether anything is to be sent now.
pub async fn any_due(db: &impl ConnectionTrait, now: Timestamp) -> Result<bool, Fault> {
    let due = Entity::find().select_only().column(Column::Id).filter(is_due(now));
    Ok(due.into_tuple::<NotificationId>().one(db).await?.is_some())
}

/// Takes what is to be sent now, at most `limit`: nobody else gets it before `lease`.
pub async fn claim(
    tx: &database::Tx,
    now: Timestamp,
    lease: Timestamp,
    limit: u64,
) -> Result<Vec<Model>, Fault> {
    let mut due = Entity::find()
        .filter(is_due(now))
        .order_by_asc(Column::NextTryAt)
        .limit(limit)
        .lock_exclusive()
        .all(tx)
        .await?;
    if due.is_empty() {
        return Ok(due);
    }
    due.sort_by_key(|row| row.id);
    Entity::update_many()
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .col_expr(Column::NextTryAt, Expr::value(lease))
        .filter(Column::Id.is_in(due.iter().map(|row| row.id)))
        .exec(tx)
        .await?;
    for row in &mut due {
        row.attempts += 1;
    }
    Ok(due)
}

fn is_due(now: Timestamp) -> Expr {
    Column::State.eq(DeliveryState::Queued).and(Column::NextTryAt.lte(now))
}

/// Marks queued ones as being in a final state, and wipes what was confidential.
pub async fn settle(tx: &database::Tx, ids: Vec<NotificationId>, state: DeliveryState) -> Result<(), Fault> {
    if ids.is_empty() {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::State, Expr::value(state))
        .col_expr(Column::Confidential, Expr::value(Option::<String>::None))
        .filter(Column::Id.is_in(ids))
        .filter(Column::State.eq(DeliveryState::Queued))
        .exec(tx)
        .await?;
    Ok(())
}

/// Has a queued one tried again at `at`.
pub async fn postpone(tx: &database::Tx, id: NotificationId, at: Timestamp) -> Result<(), Fault> {
    Entity::update_many()
        .col_expr(Column::NextTryAt, Expr::value(at))
        .filter(Column::Id.eq(id))
        .filter(Column::State.eq(DeliveryState::Queued))
        .exec(tx)
        .await?;
    Ok(())
}
