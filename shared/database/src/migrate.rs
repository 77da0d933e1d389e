//! Migrations as data: a name and one change each, safe to run again after a kill.
//!
//! A change is made unless it is there already, and noted afterwards: whatever moment a run ends at, the next one goes on
//! from there. One runs at a time. What is noted and unknown here was made by a newer version, which is to leave
//! everything that this one needs.

use std::collections::HashSet;

use common::{Fault, FaultCode};
use sea_orm::{ActiveValue::Set, DatabaseConnection, EntityTrait as _, Statement};
use sea_orm_migration::prelude::*;
use sea_orm_migration::{IntoSchemaManagerConnection, seaql_migrations};

use crate::Database;
use crate::access::WriteBy;

/// How long to wait for whoever migrates the same database, in seconds.
const PATIENCE_S: u32 = 120;
/// Locks are named for the whole server; a name has at most 64 characters.
const LOCK: &str = "CONCAT('migrate_', MD5(DATABASE()))";

/// One migration: one DDL statement, because MySQL commits each by itself.
pub struct Step {
    /// Sortable and never changed once released, such as `m0001_product`.
    pub name: &'static str,
    /// What it does.
    pub change: fn() -> Change,
}

/// What a migration does.
pub enum Change {
    /// Makes a table unless it is there.
    Table(Box<TableCreateStatement>),
    /// Adds a column to a table unless it is there.
    Column(&'static str, Box<ColumnDef>),
    /// Makes an index, named as given, on a table, unless it is there.
    Index(&'static str, &'static str, Box<IndexCreateStatement>),
}

impl Change {
    /// A table; `if_not_exists` is added here.
    pub fn table(statement: &mut TableCreateStatement) -> Self {
        Self::Table(Box::new(statement.if_not_exists().take()))
    }

    /// A column that is added to `table`. The version before goes on writing rows that do not know it: it must have a
    /// default or take null.
    pub fn column(table: &'static str, column: &mut ColumnDef) -> Self {
        Self::Column(table, Box::new(column.take()))
    }

    /// An index on `columns` of `table`, called `name`.
    pub fn index(name: &'static str, table: &'static str, columns: &[&'static str], unique: bool) -> Self {
        let mut statement = Index::create();
        statement.name(name).table(Alias::new(table));
        for column in columns {
            statement.col(Alias::new(*column));
        }
        if unique {
            statement.unique();
        }
        Self::Index(name, table, Box::new(statement))
    }
}

/// A table without columns yet, for [`Change::table`].
pub fn table(entity: impl IntoIden) -> TableCreateStatement {
    Table::create().table(entity.into_iden()).take()
}

/// A column without a type yet, for [`table`].
pub fn column(name: impl IntoIden) -> ColumnDef {
    ColumnDef::new(name)
}

impl Step {
    async fn make(&self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        match (self.change)() {
            Change::Table(statement) => manager.create_table(*statement).await,
            Change::Column(table, column) => {
                if manager.has_column(table, column.get_column_name()).await? {
                    return Ok(());
                }
                let mut statement = Table::alter();
                manager.alter_table(statement.table(Alias::new(table)).add_column(*column).take()).await
            }
            Change::Index(name, table, statement) => {
                if manager.has_index(table, name).await? {
                    return Ok(());
                }
                manager.create_index(*statement).await
            }
        }
    }
}

/// Brings a database to the newest version of these lists of steps; what is done already is left alone.
pub async fn migrate(database: &Database, steps: Vec<fn() -> Vec<Step>>) -> Result<(), Fault> {
    match &database.write.0 {
        WriteBy::Kept(writing) => make_missing(&*writing.turn().await?, &steps).await?,
        WriteBy::Pool(_) => {
            let alone = database.alone().await?;
            lock(&alone).await?;
            let made = make_missing(&alone, &steps).await;
            // The lock ends with its connection.
            alone.close().await?;
            made?;
        }
    }
    Ok(())
}

/// The steps of these lists that the database lacks, by name. Changes nothing.
pub async fn missing(database: &Database, steps: Vec<fn() -> Vec<Step>>) -> Result<Vec<&'static str>, Fault> {
    Ok(match &database.write.0 {
        WriteBy::Kept(writing) => lacking(&SchemaManager::new(&*writing.turn().await?), &steps).await?,
        WriteBy::Pool(primary) => lacking(&SchemaManager::new(primary.pool()), &steps).await?,
    }
    .into_iter()
    .map(|step| step.name)
    .collect())
}

async fn lacking(manager: &SchemaManager<'_>, steps: &[fn() -> Vec<Step>]) -> Result<Vec<Step>, DbErr> {
    let made: HashSet<String> = if manager.has_table("seaql_migrations").await? {
        let made = seaql_migrations::Entity::find().all(manager.get_connection()).await?;
        made.into_iter().map(|row| row.version).collect()
    } else {
        HashSet::new()
    };
    let all = steps.iter().flat_map(|steps| steps());
    Ok(all.filter(|step| !made.contains(step.name)).collect())
}

async fn make_missing<'c>(
    connection: impl IntoSchemaManagerConnection<'c>,
    steps: &[fn() -> Vec<Step>],
) -> Result<(), DbErr> {
    let manager = SchemaManager::new(connection);
    let noted = table(seaql_migrations::Entity)
        .col(column(seaql_migrations::Column::Version).string_len(255).not_null().primary_key())
        .col(column(seaql_migrations::Column::AppliedAt).big_integer().not_null())
        .if_not_exists()
        .take();
    manager.create_table(noted).await?;
    for step in lacking(&manager, steps).await? {
        step.make(&manager).await?;
        // Nobody reads the time.
        let row = seaql_migrations::ActiveModel { version: Set(step.name.to_owned()), applied_at: Set(0) };
        seaql_migrations::Entity::insert(row).exec_without_returning(manager.get_connection()).await?;
    }
    Ok(())
}

async fn lock(alone: &DatabaseConnection) -> Result<(), Fault> {
    let ask = format!("SELECT COALESCE(GET_LOCK({LOCK}, {PATIENCE_S}), 0) = 1 AS locked");
    let ask = Statement::from_string(alone.get_database_backend(), ask);
    let answer = alone.query_one_raw(ask).await?;
    let locked: bool = answer.map(|row| row.try_get("", "locked")).transpose()?.unwrap_or_default();
    if locked {
        return Ok(());
    }
    Err(Fault::new(FaultCode::Unavailable, "somebody else migrates the same database, and does not end"))
}
