//! The states of what is set aside.

use async_graphql::Enum;
use common::Timestamp;
use sea_orm::entity::prelude::*;

/// Where a reservation is in its life: ACTIVE → COMMITTED, RELEASED or EXPIRED; COMMITTED → RELEASED when the order is
/// cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum, Enum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum ReservationState {
    /// It holds stock until it expires.
    #[sea_orm(string_value = "ACTIVE")]
    Active,
    /// It became an allocation, which does not expire.
    #[sea_orm(string_value = "COMMITTED")]
    Committed,
    /// It was given back.
    #[sea_orm(string_value = "RELEASED")]
    Released,
    /// Its time ran out.
    #[sea_orm(string_value = "EXPIRED")]
    Expired,
}

impl ReservationState {
    /// What a stored state means now: expiry holds from its moment on, whether somebody tidied up or not.
    pub fn at(self, expires_at: Timestamp, now: Timestamp) -> Self {
        if self == Self::Active && expires_at <= now { Self::Expired } else { self }
    }
}

/// What an order holds as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
pub enum HoldState {
    /// Its reservations hold stock until they expire.
    #[sea_orm(string_value = "ACTIVE")]
    Active,
    /// Stock is allocated to it.
    #[sea_orm(string_value = "COMMITTED")]
    Committed,
    /// It was given back, or is never to be set aside.
    #[sea_orm(string_value = "RELEASED")]
    Released,
    /// The goods have left.
    #[sea_orm(string_value = "SHIPPED")]
    Shipped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_active_reservation_expires_and_at_its_very_moment() {
        use ReservationState::{Active, Committed, Expired, Released};
        for (state, now, is) in [
            (Active, 9, Active),
            (Active, 10, Expired),
            (Active, 11, Expired),
            (Committed, 11, Committed),
            (Released, 11, Released),
        ] {
            assert_eq!(state.at(Timestamp(10), Timestamp(now)), is);
        }
    }
}
