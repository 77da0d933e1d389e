//! The life of a cart.

use common::Fault;

/// Where a cart is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartState {
    /// The buyer fills it.
    Active,
    /// A checkout is under way; nothing in it changes.
    Frozen,
    /// Its lines went into another cart.
    Merged,
    /// It became an order.
    Ordered,
    /// Nobody came back for it.
    Abandoned,
}

impl CartState {
    /// Whether a cart in this state may come into the next. The one place that says so.
    pub const fn may_become(self, next: Self) -> bool {
        use CartState::{Abandoned, Active, Frozen, Merged, Ordered};
        matches!(
            (self, next),
            (Active, Frozen | Merged | Abandoned)
                | (Frozen, Active | Ordered)
                // Somebody came back after all.
                | (Abandoned, Active | Frozen | Merged)
        )
    }

    /// Whether its buyer may change it: of one that was abandoned, nobody knows whether they come back.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Active | Self::Abandoned)
    }

    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Frozen => "FROZEN",
            Self::Merged => "MERGED",
            Self::Ordered => "ORDERED",
            Self::Abandoned => "ABANDONED",
        }
    }

    /// From what is stored.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        [Self::Active, Self::Frozen, Self::Merged, Self::Ordered, Self::Abandoned]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| Fault::internal(format!("unknown cart state {text}")))
    }
}

#[cfg(test)]
mod tests {
    use super::CartState::{self, Abandoned, Active, Frozen, Merged, Ordered};

    #[test]
    fn a_cart_is_ordered_only_from_frozen_and_ends_merged_or_ordered() {
        let all = [Active, Frozen, Merged, Ordered, Abandoned];
        let allowed = [
            (Active, Frozen),
            (Active, Merged),
            (Active, Abandoned),
            (Frozen, Active),
            (Frozen, Ordered),
            (Abandoned, Active),
            (Abandoned, Frozen),
            (Abandoned, Merged),
        ];
        for from in all {
            for to in all {
                assert_eq!(from.may_become(to), allowed.contains(&(from, to)), "{from:?} → {to:?}");
            }
        }
    }

    #[test]
    fn a_state_survives_its_text() {
        for state in [Active, Frozen, Merged, Ordered, Abandoned] {
            assert_eq!(CartState::parse(state.as_str()).unwrap(), state);
        }
        assert!(CartState::parse("LOST").is_err());
    }
}
