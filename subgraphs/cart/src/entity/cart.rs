//! Carts. A cart with an owner is found by its owner and by other subgraphs alone; a guest's by whoever knows its id.

use auth::Viewer;
use common::id::{CartId, CheckoutAttemptId, UserId};
use common::{Currency, Fault, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::{Cart, CartState};

/// A cart's row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cart")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CartId,
    pub version: i32,
    pub state: String,
    pub owner_id: Option<UserId>,
    pub channel: String,
    pub currency: Currency,
    pub country: String,
    pub locale: String,
    pub email: Option<String>,
    /// `domain::Address` as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub shipping_address: Option<String>,
    /// `domain::Address` as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub billing_address: Option<String>,
    /// Promotion codes as a JSON list.
    #[sea_orm(column_type = "Text")]
    pub codes: String,
    pub delivery_option: Option<String>,
    pub attempt_id: Option<CheckoutAttemptId>,
    /// `domain::Frozen` as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub frozen: Option<String>,
    pub merged_into: Option<CartId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(super) fn visible_to(viewer: &Viewer) -> Condition {
    match viewer.user_id() {
        _ if viewer.is_service() => Condition::all(),
        Some(user) => Condition::any().add(Column::OwnerId.is_null()).add(Column::OwnerId.eq(user)),
        None => Condition::all().add(Column::OwnerId.is_null()),
    }
}

/// Those with these ids that the viewer may see.
pub async fn by_ids(
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    ids: Vec<CartId>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find().filter(Column::Id.is_in(ids)).filter(visible_to(viewer)).all(db).await
}

/// The cart that the user fills or is checking out, or else has left: the one being filled, then the newest.
pub async fn current_of(db: &impl ConnectionTrait, user: UserId) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::OwnerId.eq(user))
        .filter(
            Column::State
                .is_in([CartState::Active, CartState::Frozen, CartState::Abandoned].map(CartState::as_str)),
        )
        .order_by_asc(Column::State.eq(CartState::Abandoned.as_str()))
        .order_by_asc(Column::State)
        .order_by_desc(Column::UpdatedAt)
        .order_by_desc(Column::Id)
        .limit(1)
        .one(db)
        .await
}

/// A cart that is about to be changed in `tx` by the viewer, locked.
pub async fn lock(tx: &database::Tx, viewer: &Viewer, id: CartId) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).filter(visible_to(viewer)).lock_exclusive().one(tx).await
}

/// Some carts that are about to be changed in `tx`, locked in the order of their ids.
pub async fn lock_all(tx: &database::Tx, ids: &[CartId]) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(tx)
        .await
}

/// Writes a new cart.
pub async fn insert(tx: &database::Tx, cart: &Cart) -> Result<(), Fault> {
    Entity::insert(ActiveModel::from(row(cart)?)).exec_without_returning(tx).await?;
    Ok(())
}

/// Writes what differs between a cart that was locked in `tx` and what became of it.
pub async fn update(tx: &database::Tx, before: &Cart, after: &Cart) -> Result<(), Fault> {
    Entity::update_many().set(changes(before, after)?).filter(Column::Id.eq(before.id)).exec(tx).await?;
    Ok(())
}

/// Writes what differs between a cart that was read without a lock and what became of it, if it still is what was read;
/// says whether it was. Whatever changes a cart or its lines raises the version or leaves the state.
pub async fn replace(db: &impl ConnectionTrait, before: &Cart, after: &Cart) -> Result<bool, Fault> {
    let written = Entity::update_many()
        .set(changes(before, after)?)
        .filter(Column::Id.eq(before.id))
        .filter(Column::Version.eq(before.version))
        .filter(Column::State.eq(before.state.as_str()))
        .exec(db)
        .await?;
    Ok(written.rows_affected > 0)
}

/// Brings a cart that is frozen for an attempt into another state; says whether it was frozen for it.
pub async fn leave_frozen(
    db: &impl ConnectionTrait,
    id: CartId,
    attempt: CheckoutAttemptId,
    to: CartState,
) -> Result<bool, DbErr> {
    let left = Entity::update_many()
        .col_expr(Column::State, Expr::value(to.as_str()))
        .filter(Column::Id.eq(id))
        .filter(Column::AttemptId.eq(attempt))
        .filter(Column::State.eq(CartState::Frozen.as_str()))
        .exec(db)
        .await?;
    Ok(left.rows_affected > 0)
}

/// Marks some that were filled and not touched since `before` as abandoned, the longest first; says which.
pub async fn abandon(db: &impl ConnectionTrait, before: Timestamp, limit: u64) -> Result<Vec<CartId>, DbErr> {
    let untouched =
        Condition::all().add(Column::State.eq(CartState::Active.as_str())).add(Column::UpdatedAt.lt(before));
    let ids: Vec<CartId> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(untouched.clone())
        .order_by_asc(Column::UpdatedAt)
        .limit(limit)
        .into_tuple()
        .all(db)
        .await?;
    if !ids.is_empty() {
        Entity::update_many()
            .col_expr(Column::State, Expr::value(CartState::Abandoned.as_str()))
            .filter(Column::Id.is_in(ids.iter().copied()))
            .filter(untouched)
            .exec(db)
            .await?;
    }
    Ok(ids)
}

fn changes(before: &Cart, after: &Cart) -> Result<ActiveModel, Fault> {
    let (old, new) = (row(before)?, row(after)?);
    let mut changed = <ActiveModel as ActiveModelTrait>::default();
    changed.version = Set(new.version);
    set_changed(&old, new, &mut changed);
    Ok(changed)
}

fn set_changed(old: &Model, new: Model, changed: &mut ActiveModel) {
    set_if(&old.state, new.state, &mut changed.state);
    set_if(&old.channel, new.channel, &mut changed.channel);
    set_if(&old.currency, new.currency, &mut changed.currency);
    set_if(&old.country, new.country, &mut changed.country);
    set_if(&old.email, new.email, &mut changed.email);
    set_if(&old.shipping_address, new.shipping_address, &mut changed.shipping_address);
    set_if(&old.billing_address, new.billing_address, &mut changed.billing_address);
    set_if(&old.codes, new.codes, &mut changed.codes);
    set_if(&old.delivery_option, new.delivery_option, &mut changed.delivery_option);
    set_if(&old.attempt_id, new.attempt_id, &mut changed.attempt_id);
    set_if(&old.frozen, new.frozen, &mut changed.frozen);
    set_if(&old.merged_into, new.merged_into, &mut changed.merged_into);
    set_if(&old.updated_at, new.updated_at, &mut changed.updated_at);
}

fn set_if<V>(old: &V, new: V, column: &mut sea_orm::ActiveValue<V>)
where
    V: PartialEq + Into<sea_orm::Value>,
{
    if *old != new {
        *column = Set(new);
    }
}

fn row(cart: &Cart) -> Result<Model, Fault> {
    Ok(Model {
        id: cart.id,
        version: cart.version,
        state: cart.state.as_str().to_owned(),
        owner_id: cart.owner,
        channel: cart.channel.clone(),
        currency: cart.currency,
        country: cart.country.clone(),
        locale: cart.locale.clone(),
        email: cart.email.clone(),
        shipping_address: cart.shipping_address.as_ref().map(write).transpose()?,
        billing_address: cart.billing_address.as_ref().map(write).transpose()?,
        codes: write(&cart.codes)?,
        delivery_option: cart.delivery_option.clone(),
        attempt_id: cart.attempt,
        frozen: cart.frozen.as_ref().map(write).transpose()?,
        merged_into: cart.merged_into,
        created_at: cart.created_at,
        updated_at: cart.updated_at,
    })
}

impl TryFrom<Model> for Cart {
    type Error = Fault;

    fn try_from(row: Model) -> Result<Self, Fault> {
        Ok(Self {
            id: row.id,
            version: row.version,
            state: CartState::parse(&row.state)?,
            owner: row.owner_id,
            channel: row.channel,
            currency: row.currency,
            country: row.country,
            locale: row.locale,
            email: row.email,
            shipping_address: row.shipping_address.as_deref().map(read).transpose()?,
            billing_address: row.billing_address.as_deref().map(read).transpose()?,
            codes: read(&row.codes)?,
            delivery_option: row.delivery_option,
            attempt: row.attempt_id,
            frozen: row.frozen.as_deref().map(read).transpose()?,
            merged_into: row.merged_into,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn write(document: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(document).map_err(Fault::internal)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(Fault::internal)
}
