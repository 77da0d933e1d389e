//! Whose messages a viewer may read.

use auth::Viewer;
use common::id::UserId;

/// Whose messages a viewer may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Everybody's: other subgraphs.
    Everybody,
    /// Their own.
    Own(UserId),
    /// Nobody's.
    Nobody,
}

impl Reach {
    /// How far this viewer reaches.
    pub fn of(viewer: &Viewer) -> Self {
        if viewer.is_service() {
            return Self::Everybody;
        }
        viewer.user_id().map_or(Self::Nobody, Self::Own)
    }

    /// How far this viewer reaches among messages about orders: support sees those of all.
    pub fn into_orders(viewer: &Viewer) -> Self {
        if viewer.has_scope("orders:read") { Self::Everybody } else { Self::of(viewer) }
    }

    /// Whether this user's data lies within.
    pub fn covers(self, user: UserId) -> bool {
        match self {
            Self::Everybody => true,
            Self::Own(own) => own == user,
            Self::Nobody => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    #[test]
    fn support_reaches_messages_about_orders_and_no_others() {
        let ids = Ids::counted();
        let ada = ids.next();
        let support = Viewer::user(ids.next(), ids.next()).with_scopes(&["orders:read"]);
        assert!(Reach::into_orders(&support).covers(ada) && !Reach::of(&support).covers(ada));
        let own = Viewer::user(ada, ids.next());
        assert!(Reach::into_orders(&own).covers(ada) && Reach::of(&own).covers(ada));
        assert_eq!(Reach::into_orders(&Viewer::anonymous()), Reach::Nobody);
        assert_eq!(Reach::of(&Viewer::service("orders")), Reach::Everybody);
    }
}
