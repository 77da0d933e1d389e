//! Who wants to hear when a variant can be bought again. A row goes away when they are told.

use common::id::{UserId, VariantId};
use common::{Fault, Timestamp};
use sea_orm::QuerySelect as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// Somebody who wants to hear of a variant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "stock_alert")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub variant_id: VariantId,
    #[sea_orm(primary_key, auto_increment = false)]
    pub email: String,
    pub user_id: Option<UserId>,
    pub locale: String,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// How many alerts wait for an address.
pub async fn waiting_for(db: &impl ConnectionTrait, email: &str) -> Result<u64, Fault> {
    Ok(Entity::find().filter(Column::Email.eq(email)).count(db).await?)
}

/// Keeps an alert; the same again changes nothing.
pub async fn keep(tx: &database::Tx, alert: Model) -> Result<(), Fault> {
    let key = OnConflict::columns([Column::VariantId, Column::Email])
        .do_nothing_on([Column::VariantId, Column::Email])
        .to_owned();
    let kept = Entity::insert(ActiveModel::from(alert)).on_conflict(key).exec_without_returning(tx).await;
    match kept {
        Ok(_) | Err(DbErr::RecordNotInserted) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Takes some of the alerts of a variant out of the table: whoever gets them tells them.
pub async fn take(tx: &database::Tx, variant: VariantId, limit: u64) -> Result<Vec<Model>, Fault> {
    let waiting =
        Entity::find().filter(Column::VariantId.eq(variant)).limit(limit).lock_exclusive().all(tx).await?;
    if !waiting.is_empty() {
        let emails: Vec<&str> = waiting.iter().map(|alert| alert.email.as_str()).collect();
        Entity::delete_many()
            .filter(Column::VariantId.eq(variant))
            .filter(Column::Email.is_in(emails))
            .exec(tx)
            .await?;
    }
    Ok(waiting)
}
