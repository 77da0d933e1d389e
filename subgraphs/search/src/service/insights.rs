//! What was sold, by hour, day, week or month.

use std::collections::BTreeMap;

use common::{Currency, Fault, Money, Timestamp};

use super::Finder;
use crate::entity::sales_point;

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// The longest span that is summed up: two years.
const LONGEST_US: i64 = 731 * DAY_US;

/// How long a point lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grain {
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
    /// Seven days, from Monday.
    Week,
    /// Thirty days, counted from the epoch.
    Month,
}

/// What was sold in one span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SalesPoint {
    /// When the span begins.
    pub at: Timestamp,
    /// How many orders.
    pub orders: i64,
    /// How many units.
    pub units: i64,
    /// What they came to.
    pub gross: Money,
}

impl Grain {
    fn begin(self, at: Timestamp) -> Timestamp {
        let (length, shift) = match self {
            Self::Hour => (HOUR_US, 0),
            Self::Day => (DAY_US, 0),
            // The epoch was a Thursday: weeks begin three days before it.
            Self::Week => (7 * DAY_US, 3 * DAY_US),
            Self::Month => (30 * DAY_US, 0),
        };
        Timestamp((at.0 + shift).div_euclid(length) * length - shift)
    }
}

impl Finder {
    /// What was sold in a currency from one time until before another; spans without sales are left out.
    pub async fn sales(
        &self,
        currency: Currency,
        from: Timestamp,
        to: Timestamp,
        grain: Grain,
    ) -> Result<Vec<SalesPoint>, Fault> {
        if to <= from || to.0 - from.0 > LONGEST_US {
            return Err(Fault::bad_input("'to' must be after 'from', by at most two years."));
        }
        let hours = sales_point::between(self.ports.database.read(), currency, from, to).await?;
        let mut points: BTreeMap<Timestamp, SalesPoint> = BTreeMap::new();
        for hour in hours {
            let at = grain.begin(hour.hour);
            let point = points.entry(at).or_insert(SalesPoint {
                at,
                orders: 0,
                units: 0,
                gross: Money::zero(currency),
            });
            point.orders += hour.orders;
            point.units += hour.units;
            point.gross.minor += hour.gross_minor;
        }
        Ok(points.into_values().collect())
    }
}
