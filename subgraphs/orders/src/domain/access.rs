//! Who may see what a buyer ordered.

use auth::Viewer;
use common::id::UserId;

/// The scope of staff who may read every order.
const READ: &str = "orders:read";

/// Whether the viewer may see what `buyer` ordered by nothing but its id. What a guest ordered has no owner whom we
/// could recognise: only staff and services see it so, and everybody else needs the guest's token.
pub fn may_see(viewer: &Viewer, buyer: Option<UserId>) -> bool {
    viewer.is_service() || viewer.has_scope(READ) || (buyer.is_some() && buyer == viewer.user_id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Ids;

    #[test]
    fn an_order_is_seen_by_its_buyer_staff_and_services() {
        let ids = Ids::counted();
        let (buyer, other): (UserId, UserId) = (ids.next(), ids.next());
        let of = |user| Viewer::user(user, ids.next());
        for (viewer, own, guest) in [
            (of(buyer), true, false),
            (of(other), false, false),
            (of(other).with_scopes(&["orders:read"]), true, true),
            (of(other).with_scopes(&["orders:write"]), false, false),
            (Viewer::anonymous(), false, false),
            (Viewer::service("payments"), true, true),
        ] {
            assert_eq!(may_see(&viewer, Some(buyer)), own, "{viewer:?}");
            assert_eq!(may_see(&viewer, None), guest, "{viewer:?}");
        }
    }
}
