//! Whose personal data a viewer may read.

use auth::Viewer;
use common::id::UserId;

use super::role::Scope;

/// Whose personal data a viewer may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Everybody's: support, and other subgraphs.
    Everybody,
    /// Their own.
    Own(UserId),
    /// Nobody's.
    Nobody,
}

impl Reach {
    /// How far this viewer reaches.
    pub fn of(viewer: &Viewer) -> Self {
        if viewer.is_service() || viewer.has_scope(Scope::UsersRead.as_str()) {
            return Self::Everybody;
        }
        viewer.user_id().map_or(Self::Nobody, Self::Own)
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
    fn personal_data_is_reached_by_its_owner_support_and_services() {
        let ids = Ids::counted();
        let (ada, bob) = (ids.next::<common::id::User>(), ids.next::<common::id::User>());
        let cases = [
            (Viewer::anonymous(), false),
            (Viewer::user(ada, ids.next()), true),
            (Viewer::user(bob, ids.next()), false),
            (Viewer::user(bob, ids.next()).with_scopes(&["orders:read"]), false),
            (Viewer::user(bob, ids.next()).with_scopes(&["users:read"]), true),
            (Viewer::service("notifications"), true),
        ];
        for (viewer, reached) in cases {
            assert_eq!(Reach::of(&viewer).covers(ada), reached, "{viewer:?}");
        }
    }
}
