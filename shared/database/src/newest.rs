//! The newest rows of a table, whose keys begin with the time.

use sea_orm::sea_query::{Order, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, TryGetable, Value};

/// Up to `limit` different values of a column of ids, the newest first: those that are older than `last`, where there is
/// one.
pub async fn newest<C, K>(
    db: &impl ConnectionTrait,
    column: C,
    last: Option<K>,
    limit: u64,
) -> Result<Vec<K>, DbErr>
where
    C: ColumnTrait,
    K: Into<Value> + TryGetable,
{
    let mut query = Query::select();
    query.distinct().column(column).from(column.entity_name()).order_by(column, Order::Desc).limit(limit);
    if let Some(last) = last {
        query.and_where(column.lt(last));
    }
    let rows = db.query_all(&query).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}
