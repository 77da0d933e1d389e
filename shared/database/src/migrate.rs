//! Migrations as data: a name and one change each, safe to run again after a kill.

use common::Fault;
use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;

use crate::Database;
use crate::access::WriteBy;

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
    /// Makes an index, named as given, on a table, unless it is there.
    Index(&'static str, &'static str, Box<IndexCreateStatement>),
}

impl Change {
    /// A table; `if_not_exists` is added here.
    pub fn table(statement: &mut TableCreateStatement) -> Self {
        Self::Table(Box::new(statement.if_not_exists().take()))
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

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match (self.change)() {
            Change::Table(statement) => manager.create_table(*statement).await,
            Change::Index(name, table, statement) => {
                if manager.has_index(table, name).await? {
                    return Ok(());
                }
                manager.create_index(*statement).await
            }
        }
    }
}

/// Lists of steps, run one after the other.
struct Migrations(Vec<fn() -> Vec<Step>>);

impl MigratorTraitSelf for Migrations {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let steps = self.0.iter().flat_map(|steps| steps());
        steps.map(|step| Box::new(step) as Box<dyn MigrationTrait>).collect()
    }
}

/// Brings a database to the newest version of these lists of steps; what is done already is left alone.
pub async fn migrate(database: &Database, steps: Vec<fn() -> Vec<Step>>) -> Result<(), Fault> {
    let migrations = Migrations(steps);
    match &database.write.0 {
        WriteBy::Kept(writing) => migrations.up(&*writing.turn().await?, None).await?,
        WriteBy::Pool(pool) => migrations.up(pool, None).await?,
    }
    Ok(())
}
