//! Idempotency keys: the same request sent twice has one effect and gets the same answer.
//!
//! The row is written in the transaction of the use case: a rollback forgets it, so faults are never remembered, and a
//! second request waits for the first one's commit.

use common::{Fault, Timestamp};
use database::{Change, Database, Step, Tx, column, is_duplicate, table};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub scope: String,
    pub request_hash: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub response: Option<String>,
    pub created_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) fn migrations() -> Vec<Step> {
    vec![
        Step {
            name: "k0005_idempotency",
            change: || {
                Change::table(
                    table(Entity)
                        .col(column(Column::Scope).string_len(64).not_null().primary_key())
                        .col(column(Column::RequestHash).string_len(64).not_null())
                        .col(column(Column::Response).text())
                        .col(column(Column::CreatedAt).big_integer().not_null()),
                )
            },
        },
        Step {
            name: "k0011_idempotency_age",
            change: || Change::index("idempotency_age", "idempotency", &["created_at"], false),
        },
    ]
}

/// Forgets some keys that were used before `before`; says how many. A request under one of them is new again.
pub(crate) async fn forget(database: &Database, before: Timestamp, limit: u64) -> Result<u64, Fault> {
    let old: Vec<String> = Entity::find()
        .select_only()
        .column(Column::Scope)
        .filter(Column::CreatedAt.lt(before))
        .order_by_asc(Column::CreatedAt)
        .limit(limit)
        .into_tuple()
        .all(database.newest())
        .await?;
    if old.is_empty() {
        return Ok(0);
    }
    let gone = Entity::delete_many().filter(Column::Scope.is_in(old)).exec(database.schema()).await?;
    Ok(gone.rows_affected)
}

/// A request under an idempotency key: who asks for what, and what exactly.
pub struct Key {
    scope: String,
    request_hash: String,
}

/// What is known of a request.
pub enum Replay<T> {
    /// It is new: do it, then call [`Key::remember`].
    New,
    /// It was done; this was the answer.
    Done(T),
    /// The key was used for another request.
    Reused,
}

impl Key {
    /// The key `key` of `actor` for `operation`, with the request that it stands for.
    pub fn new(operation: &str, actor: &str, key: &str, request: &impl Serialize) -> Result<Self, Fault> {
        let request = serde_json::to_vec(request).map_err(Fault::internal)?;
        let scope = format!("{}:{operation}{}:{actor}{key}", operation.len(), actor.len());
        Ok(Self { scope: digest(scope.as_bytes()), request_hash: digest(&request) })
    }

    /// Claims the key in `tx`, or says what came of it before.
    pub async fn claim<T: DeserializeOwned>(&self, tx: &Tx, now: Timestamp) -> Result<Replay<T>, Fault> {
        self.claim_as(tx, now, None).await
    }

    /// Claims the key in `tx` for a request whose answer is known before it is done, so that there is nothing left to
    /// remember, or says what came of it before.
    pub async fn claim_with<T>(&self, tx: &Tx, now: Timestamp, response: &T) -> Result<Replay<T>, Fault>
    where
        T: Serialize + DeserializeOwned,
    {
        let response = serde_json::to_string(response).map_err(Fault::internal)?;
        self.claim_as(tx, now, Some(response)).await
    }

    async fn claim_as<T: DeserializeOwned>(
        &self,
        tx: &Tx,
        now: Timestamp,
        response: Option<String>,
    ) -> Result<Replay<T>, Fault> {
        let row = ActiveModel {
            scope: Set(self.scope.clone()),
            request_hash: Set(self.request_hash.clone()),
            response: Set(response),
            created_at: Set(now),
        };
        // Not ON CONFLICT DO NOTHING: MariaDB counts the row that was there as one that was found.
        match Entity::insert(row).exec_without_returning(tx).await {
            Ok(_) => return Ok(Replay::New),
            Err(error) if is_duplicate(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let known = Entity::find_by_id(self.scope.clone()).one(tx).await?;
        match known {
            Some(row) if row.request_hash != self.request_hash => Ok(Replay::Reused),
            Some(Model { response: Some(response), .. }) => {
                serde_json::from_str(&response).map(Replay::Done).map_err(Fault::internal)
            }
            // Claimed in this very transaction by an earlier step of the same use case.
            Some(_) | None => Ok(Replay::New),
        }
    }

    /// Keeps the answer, in the transaction that claimed the key.
    pub async fn remember(&self, tx: &Tx, response: &impl Serialize) -> Result<(), Fault> {
        let response = serde_json::to_string(response).map_err(Fault::internal)?;
        Entity::update_many()
            .col_expr(Column::Response, Expr::value(response))
            .filter(Column::Scope.eq(self.scope.clone()))
            .exec(tx)
            .await?;
        Ok(())
    }
}

fn digest(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}
