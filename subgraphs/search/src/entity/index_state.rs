//! What is known of the search engine's indices: which one is whole, and how far a new one came.

use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;

/// The index that has everything, by its name. Taken away while searches go to memory, because it is not told then.
pub const WHOLE: &str = "whole";
/// Whether the words of all products are in the database (`entity::word`).
pub const WORDS: &str = "words";
/// The number of the index that is being built.
pub const BUILDING: &str = "building";
/// The last product that it has.
pub const COPIED: &str = "copied";

/// A search has missed the index since it was last looked for.
pub const MISSED: &str = "missed";

/// What no longer holds once products change without an engine being followed.
pub const OUTDATED: [&str; 2] = [WHOLE, WORDS];

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "index_state")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub value: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// A value, if there is one.
pub async fn read(db: &impl ConnectionTrait, name: &str) -> Result<Option<String>, DbErr> {
    Ok(Entity::find_by_id(name.to_owned()).one(db).await?.map(|row| row.value))
}

/// Whether there is any of these values.
pub async fn any(db: &impl ConnectionTrait, names: &[&str]) -> Result<bool, DbErr> {
    let found = Entity::find().filter(Column::Name.is_in(names.iter().copied())).one(db).await?;
    Ok(found.is_some())
}

/// Keeps a value.
pub async fn write(db: &impl ConnectionTrait, name: &str, value: &str) -> Result<(), DbErr> {
    let row = ActiveModel { name: Set(name.to_owned()), value: Set(value.to_owned()) };
    let known = OnConflict::column(Column::Name).update_column(Column::Value).to_owned();
    Entity::insert(row).on_conflict(known).exec_without_returning(db).await.map(drop)
}

/// Takes values away.
pub async fn forget(db: &impl ConnectionTrait, names: &[&str]) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::Name.is_in(names.iter().copied())).exec(db).await.map(drop)
}
