//! Lines of a cart.

use std::sync::Arc;

use async_graphql::{ID, Object, Union};
use common::{Money as Amount, id::VariantId};
use subgraph::graphql::{DateTime, Money};

use super::variant::ProductVariant;
use crate::domain::{Line, Priced, QuotedLine};

/// A line of a cart that was priced.
#[derive(Clone)]
pub struct CartLine {
    pub priced: Arc<Priced>,
    /// Its place among the lines.
    pub place: usize,
}

/// What can be put into a cart.
#[derive(Union)]
pub enum Merchandise {
    Variant(ProductVariant),
}

impl CartLine {
    /// The line.
    pub fn line(&self) -> &Line {
        &self.priced.basket.lines[self.place]
    }

    fn quoted(&self) -> &QuotedLine {
        &self.priced.quote.lines[self.place]
    }

    fn money(&self, minor: i64) -> Money {
        Amount::new(minor, self.priced.quote.currency).into()
    }

    fn variant(&self) -> VariantId {
        self.line().variant
    }
}

/// A line of a cart.
#[Object]
impl CartLine {
    /// The line's id.
    pub async fn id(&self) -> ID {
        self.line().id.into()
    }

    /// How many.
    async fn quantity(&self) -> i32 {
        self.line().quantity
    }

    /// What is to be bought.
    async fn merchandise(&self) -> Merchandise {
        Merchandise::Variant(ProductVariant::reference(self.variant()))
    }

    /// The price of one.
    async fn unit_price(&self) -> Money {
        self.money(self.quoted().unit)
    }

    /// What promotions take off the line, as a positive amount.
    async fn discount(&self) -> Money {
        self.money(self.quoted().discount)
    }

    /// Price times quantity less discount.
    async fn total(&self) -> Money {
        self.money(self.quoted().total)
    }

    /// Until when the price holds; null where it follows the list price.
    async fn price_locked_until(&self) -> Option<DateTime> {
        self.quoted().locked_until.map(DateTime::from)
    }
}
