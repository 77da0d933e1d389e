//! Log-ins: each is the family of the refresh tokens that follow one another.

use common::id::{SessionId, UserId};
use common::{Fault, Timestamp};
use events::calls::users::EndedSession;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use super::refresh_token;

/// A log-in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    pub user_id: UserId,
    pub created_at: Timestamp,
    /// Moves on with every refresh.
    pub expires_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// One session, locked against other writers until the transaction ends.
pub async fn lock(tx: &database::Tx, id: SessionId) -> Result<Option<Model>, Fault> {
    Ok(Entity::find_by_id(id).lock_exclusive().one(tx).await?)
}

/// Moves the end of a session.
pub async fn prolong(tx: &database::Tx, id: SessionId, expires_at: Timestamp) -> Result<(), Fault> {
    Entity::update_many()
        .col_expr(Column::ExpiresAt, Expr::value(expires_at))
        .filter(Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Ends one session of a user.
pub async fn revoke(tx: &database::Tx, user: UserId, id: SessionId, now: Timestamp) -> Result<(), Fault> {
    revoke_where(tx, Column::UserId.eq(user).and(Column::Id.eq(id)), now).await
}

/// Ends all sessions of a user.
pub async fn revoke_all(tx: &database::Tx, user: UserId, now: Timestamp) -> Result<(), Fault> {
    revoke_where(tx, Column::UserId.eq(user), now).await
}

async fn revoke_where(tx: &database::Tx, which: Expr, now: Timestamp) -> Result<(), Fault> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(which)
        .filter(Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Sessions that were ended since then, the earliest first; of those of that very time what comes after `after`.
pub async fn ended(
    connection: &impl ConnectionTrait,
    since: Timestamp,
    after: Option<SessionId>,
    limit: u64,
) -> Result<Vec<EndedSession>, Fault> {
    let from = match after {
        None => Column::RevokedAt.gte(since),
        Some(after) => Column::RevokedAt.gt(since).or(Column::RevokedAt.eq(since).and(Column::Id.gt(after))),
    };
    let ended: Vec<(SessionId, Timestamp)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::RevokedAt])
        .filter(from)
        .order_by_asc(Column::RevokedAt)
        .order_by_asc(Column::Id)
        .limit(limit)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(ended.into_iter().map(|(session, at)| EndedSession { session, at }).collect())
}

/// Forgets sessions that ended before `before`, with their tokens; says how many.
pub async fn forget(tx: &database::Tx, before: Timestamp, limit: u64) -> Result<usize, Fault> {
    let ended: Vec<SessionId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ExpiresAt.lt(before))
        .order_by_asc(Column::ExpiresAt)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    if ended.is_empty() {
        return Ok(0);
    }
    let count = ended.len();
    refresh_token::Entity::delete_many()
        .filter(refresh_token::Column::SessionId.is_in(ended.iter().copied()))
        .exec(tx)
        .await?;
    Entity::delete_many().filter(Column::Id.is_in(ended)).exec(tx).await?;
    Ok(count)
}
