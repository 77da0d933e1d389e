//! Failed log-ins, counted per account that was tried, whether it exists or not.

use common::{Fault, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

use crate::domain::secret::Digest;
use crate::domain::throttle::Tries;

/// How often log-in to an account failed of late.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_throttle")]
pub struct Model {
    /// SHA-256 of the mail address, in hex.
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: String,
    pub failures: i32,
    /// When the count began.
    pub since: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<Model> for Tries {
    fn from(row: Model) -> Self {
        Self { failures: row.failures, since: row.since }
    }
}

/// The tries counted for an account.
pub async fn tries(db: &impl ConnectionTrait, account: &Digest) -> Result<Option<Tries>, Fault> {
    let row = Entity::find_by_id(account.as_str().to_owned()).one(db).await?;
    Ok(row.map(Tries::from))
}

/// The tries counted for an account, locked against other writers until the transaction ends.
pub async fn lock(tx: &database::Tx, account: &Digest) -> Result<Option<Tries>, Fault> {
    let row = Entity::find_by_id(account.as_str().to_owned()).lock_exclusive().one(tx).await?;
    Ok(row.map(Tries::from))
}

/// The same, with a row made where there was none, so that there is something to lock.
pub async fn lock_or_begin(tx: &database::Tx, account: &Digest, now: Timestamp) -> Result<Tries, Fault> {
    let row = ActiveModel { account: Set(account.as_str().to_owned()), failures: Set(0), since: Set(now) };
    let begun = Entity::insert(row)
        .on_conflict(OnConflict::column(Column::Account).do_nothing_on([Column::Account]).to_owned())
        .exec_without_returning(tx)
        .await;
    match begun {
        Ok(_) | Err(DbErr::RecordNotInserted) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(lock(tx, account).await?.unwrap_or(Tries { failures: 0, since: now }))
}

/// Writes the tries of an account whose row is locked.
pub async fn write(tx: &database::Tx, account: &Digest, tries: Tries) -> Result<(), Fault> {
    Entity::update_many()
        .col_expr(Column::Failures, Expr::value(tries.failures))
        .col_expr(Column::Since, Expr::value(tries.since))
        .filter(Column::Account.eq(account.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Forgets the tries of an account.
pub async fn clear(tx: &database::Tx, account: &Digest) -> Result<(), Fault> {
    Entity::delete_by_id(account.as_str().to_owned()).exec(tx).await?;
    Ok(())
}

/// Forgets counts that began before `before`.
pub async fn forget(tx: &database::Tx, before: Timestamp) -> Result<(), Fault> {
    Entity::delete_many().filter(Column::Since.lt(before)).exec(tx).await?;
    Ok(())
}
