//! Roles, and what each may do.

use sea_orm::DeriveValueType;

/// A permission, as it stands in access tokens and in `@requiresScopes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    OrdersRead,
    OrdersWrite,
    CatalogWrite,
    InventoryRead,
    InventoryWrite,
    PaymentsRead,
    PaymentsWrite,
    WebhooksRead,
    WebhooksWrite,
    InsightsRead,
    UsersRead,
}

/// What a user is in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Customer,
    Support,
    CatalogManager,
    Warehouse,
    Finance,
    Admin,
}

use Scope::{
    CatalogWrite, InsightsRead, InventoryRead, InventoryWrite, OrdersRead, OrdersWrite, PaymentsRead,
    PaymentsWrite, UsersRead, WebhooksRead, WebhooksWrite,
};

/// Every role with its name and what it may.
const TABLE: [(Role, &str, &[Scope]); 6] = [
    (Role::Customer, "customer", &[]),
    (Role::Support, "support", &[OrdersRead, OrdersWrite, InventoryRead, PaymentsRead, UsersRead]),
    (Role::CatalogManager, "catalog_manager", &[CatalogWrite, InventoryRead, InsightsRead]),
    (Role::Warehouse, "warehouse", &[OrdersRead, OrdersWrite, InventoryRead, InventoryWrite]),
    (Role::Finance, "finance", &[OrdersRead, PaymentsRead, PaymentsWrite, InsightsRead]),
    (
        Role::Admin,
        "admin",
        &[
            OrdersRead,
            OrdersWrite,
            CatalogWrite,
            InventoryRead,
            InventoryWrite,
            PaymentsRead,
            PaymentsWrite,
            WebhooksRead,
            WebhooksWrite,
            InsightsRead,
            UsersRead,
        ],
    ),
];

impl Scope {
    /// As in tokens and in the schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            OrdersRead => "orders:read",
            OrdersWrite => "orders:write",
            CatalogWrite => "catalog:write",
            InventoryRead => "inventory:read",
            InventoryWrite => "inventory:write",
            PaymentsRead => "payments:read",
            PaymentsWrite => "payments:write",
            WebhooksRead => "webhooks:read",
            WebhooksWrite => "webhooks:write",
            InsightsRead => "insights:read",
            UsersRead => "users:read",
        }
    }
}

impl Role {
    /// All roles.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(role, _, _)| *role)
    }

    /// As stored and as shown.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// What it may.
    pub fn scopes(self) -> &'static [Scope] {
        self.row().2
    }

    fn row(self) -> &'static (Self, &'static str, &'static [Scope]) {
        TABLE.iter().find(|(role, _, _)| *role == self).expect("the table has a row for every role")
    }
}

/// The roles of a user, stored as their names with spaces between.
#[derive(Debug, Clone, PartialEq, Eq, DeriveValueType)]
pub struct Roles(String);

impl Roles {
    /// These roles.
    pub fn new(roles: &[Role]) -> Self {
        Self(roles.iter().map(|role| role.name()).collect::<Vec<_>>().join(" "))
    }

    /// Those of these names that are roles of the shop. Whoever has none buys.
    pub fn named(names: &[String]) -> Self {
        let roles: Vec<Role> =
            Role::all().filter(|role| names.iter().any(|name| name == role.name())).collect();
        if roles.is_empty() { Self::new(&[Role::Customer]) } else { Self::new(&roles) }
    }

    /// One after the other. A name that is no role any more grants nothing.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        self.0.split(' ').filter_map(|name| Role::all().find(|role| role.name() == name))
    }

    /// What they may together, each scope once, in order.
    pub fn scopes(&self) -> Vec<String> {
        let mut scopes: Vec<Scope> = self.iter().flat_map(|role| role.scopes().iter().copied()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes.into_iter().map(|scope| scope.as_str().to_owned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_survive_their_text_and_unknown_ones_grant_nothing() {
        let all: Vec<Role> = Role::all().collect();
        assert_eq!(Roles::new(&all).iter().collect::<Vec<_>>(), all);
        assert_eq!(Roles("root customer".into()).scopes(), Vec::<String>::new());
    }

    #[test]
    fn names_that_are_no_roles_grant_nothing() {
        let named = |names: &[&str]| Roles::named(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(named(&["offline_access", "Admin", "admin "]), Roles::new(&[Role::Customer]));
        assert_eq!(named(&["support", "customer", "support"]), Roles::new(&[Role::Customer, Role::Support]));
        assert_eq!(named(&[]), Roles::new(&[Role::Customer]));
    }

    #[test]
    fn scopes_of_several_roles_are_joined_without_repeats() {
        let scopes = Roles::new(&[Role::Warehouse, Role::Finance]).scopes();
        let expected = "orders:read orders:write inventory:read inventory:write payments:read payments:write insights:read";
        assert_eq!(scopes.join(" "), expected);
    }

    #[test]
    fn only_an_admin_may_touch_webhooks_and_a_customer_may_nothing() {
        for role in Role::all() {
            assert_eq!(role.scopes().contains(&WebhooksWrite), role == Role::Admin, "{role:?}");
        }
        assert!(Role::Customer.scopes().is_empty());
    }
}
