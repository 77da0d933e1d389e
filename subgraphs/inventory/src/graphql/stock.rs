//! Locations, levels and reservations in the schema.

use async_graphql::{Context, ID, Interface, Object, Result, SimpleObject};
use common::Fault;
use subgraph::graphql::{CountryCode, DateTime};

use super::loader::Loaders;
use super::shown;
use crate::domain::ReservationState;
use crate::entity::{reservation, stock_level, stock_location};

/// Anything that has an id.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "&ID",
    desc = "The id: opaque, unique in the whole shop, and naming its type."
))]
pub enum Node {
    StockLocation(StockLocation),
    Reservation(Reservation),
}

/// Where stock lies: a warehouse or a shop.
#[derive(SimpleObject)]
pub struct StockLocation {
    /// The location's id.
    pub id: ID,
    /// Its unique short name.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The country it stands in: orders from there are served from it first.
    pub country_code: CountryCode,
}

/// What is set aside for a checkout under way.
#[derive(SimpleObject)]
pub struct Reservation {
    /// The reservation's id.
    pub id: ID,
    /// Where it is in its life.
    pub state: ReservationState,
    /// How many are set aside.
    pub quantity: i32,
    /// When it is free again unless the order goes through; null where that does not matter any more.
    pub expires_at: Option<DateTime>,
}

/// The stock of a variant in a location.
pub struct StockLevel(pub stock_level::Model);

/// The stock of a variant in a location.
#[Object]
impl StockLevel {
    /// Where.
    async fn location(&self, context: &Context<'_>) -> Result<StockLocation> {
        let location = Loaders::of(context)?.locations.load(self.0.location_id).await?;
        Ok(location.ok_or_else(|| Fault::internal("a level without a location"))?.into())
    }

    /// How many lie there.
    async fn on_hand(&self) -> i32 {
        self.0.on_hand
    }

    /// How many of them are set aside for checkouts under way.
    async fn reserved(&self) -> i32 {
        self.0.reserved
    }

    /// How many are promised to orders that were not sent yet.
    async fn allocated(&self) -> i32 {
        self.0.allocated
    }

    /// How many are neither set aside nor promised; below zero where more is promised than lies there.
    async fn available(&self) -> i32 {
        shown(self.0.free())
    }

    /// Rises with every change.
    async fn version(&self) -> i32 {
        self.0.version
    }
}

impl From<stock_location::Model> for StockLocation {
    fn from(row: stock_location::Model) -> Self {
        let country_code = CountryCode(row.country_code);
        Self { id: row.id.into(), code: row.code, name: row.name, country_code }
    }
}

impl From<reservation::Model> for Reservation {
    fn from(row: reservation::Model) -> Self {
        let expires = row.state == ReservationState::Active;
        let expires_at = expires.then_some(row.expires_at.into());
        Self { id: row.id.into(), state: row.state, quantity: row.quantity, expires_at }
    }
}
