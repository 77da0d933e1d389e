//! Leases: which of many processes does what only one needs to do, written down in the database it is about.
//!
//! A lease keeps work from being done twice in vain. It is no lock: a process that was stopped for longer than its
//! lease goes on as if it still held it, and clocks of machines differ. What is done under a lease must bear that.

use std::time::Duration;

use common::{Clock, Fault, Timestamp};
use database::{Change, Database, Step, column, is_duplicate, table};
use sea_orm::ActiveValue::Set;
use sea_orm::Condition;
use sea_orm::entity::prelude::*;

/// Who does something until when.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "lease")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub owner: String,
    pub until: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) fn migrations() -> Vec<Step> {
    vec![Step {
        name: "k0007_lease",
        change: || {
            Change::table(
                table(Entity)
                    .col(column(Column::Name).string_len(40).not_null().primary_key())
                    .col(column(Column::Owner).string_len(64).not_null())
                    .col(column(Column::Until).big_integer().not_null()),
            )
        },
    }]
}

/// A claim to a lease.
#[derive(Debug)]
pub(crate) struct Lease {
    database: Database,
    clock: Clock,
    name: &'static str,
    owner: String,
    length: Duration,
    /// Until when it is ours, as far as we know.
    until: Timestamp,
}

impl Lease {
    /// `owner`'s claim to what `name` says, for `length` at a time. Nothing is taken yet.
    pub(crate) fn new(
        database: &Database,
        clock: &Clock,
        name: &'static str,
        owner: String,
        length: Duration,
    ) -> Self {
        Self { database: database.clone(), clock: clock.clone(), name, owner, length, until: Timestamp(0) }
    }

    /// Takes it where it is free, renews it where a third of it is gone; says whether it is ours.
    pub(crate) async fn hold(&mut self) -> Result<bool, Fault> {
        let now = self.clock.now();
        if now.plus(self.length * 2 / 3) < self.until {
            return Ok(true);
        }
        let until = now.plus(self.length);
        let held = self.update(until, now).await? || self.insert(until).await?;
        self.until = if held { until } else { Timestamp(0) };
        Ok(held)
    }

    /// Gives it back, so that another need not wait for its end.
    pub(crate) async fn release(&mut self) -> Result<(), Fault> {
        self.until = Timestamp(0);
        Entity::update_many()
            .col_expr(Column::Until, Expr::value(0_i64))
            .filter(Column::Name.eq(self.name))
            .filter(Column::Owner.eq(&self.owner))
            .exec(self.database.schema())
            .await?;
        Ok(())
    }

    /// One statement, so that of two who find it free one gets it.
    async fn update(&self, until: Timestamp, now: Timestamp) -> Result<bool, Fault> {
        let free = Condition::any().add(Column::Owner.eq(&self.owner)).add(Column::Until.lt(now));
        let updated = Entity::update_many()
            .col_expr(Column::Owner, Expr::value(self.owner.clone()))
            .col_expr(Column::Until, Expr::value(until))
            .filter(Column::Name.eq(self.name))
            .filter(free)
            .exec(self.database.schema())
            .await?;
        Ok(updated.rows_affected > 0)
    }

    async fn insert(&self, until: Timestamp) -> Result<bool, Fault> {
        if Entity::find_by_id(self.name).one(self.database.schema()).await?.is_some() {
            return Ok(false);
        }
        let row = ActiveModel {
            name: Set(self.name.to_owned()),
            owner: Set(self.owner.clone()),
            until: Set(until),
        };
        match Entity::insert(row).exec_without_returning(self.database.schema()).await {
            Ok(_) => Ok(true),
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn database(folder: &tempfile::TempDir) -> Database {
        let url = format!("sqlite:{}", folder.path().join("lease.sqlite").display());
        let database = Database::connect(&url).await.unwrap();
        database::migrate(&database, vec![migrations]).await.unwrap();
        database
    }

    #[tokio::test]
    async fn one_of_two_holds_it_until_its_end_or_until_it_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let database = database(&folder).await;
        let clock = Clock::manual(Timestamp::from_millis(1_000_000));
        let length = Duration::from_secs(6);
        let claim = |owner: &str| Lease::new(&database, &clock, "relay", owner.into(), length);
        let (mut one, mut two) = (claim("one"), claim("two"));
        assert!(one.hold().await.unwrap());
        assert!(!two.hold().await.unwrap(), "it is held");
        clock.advance(Duration::from_secs(4));
        assert!(one.hold().await.unwrap(), "it is renewed");
        clock.advance(Duration::from_secs(4));
        assert!(!two.hold().await.unwrap(), "it was renewed");
        clock.advance(Duration::from_secs(3));
        assert!(two.hold().await.unwrap(), "it was left to end");
        assert!(!one.hold().await.unwrap(), "another has it");
        two.release().await.unwrap();
        assert!(one.hold().await.unwrap(), "it was given back");
        two.release().await.unwrap();
        assert!(!two.hold().await.unwrap(), "what is another's is not given back");
    }
}
