//! Fills the accounts with the seeded world: people with an address each. Only the demo users can log in.

use ::seed::{DEMO_PASSWORD, DEMO_USERS, SeedUser, World};
use common::Fault;
use database::Tx;
use subgraph::Ports;
use subgraph::seeding::{Progress, insert, part};

use crate::domain::address::AddressKind;
use crate::domain::role::{Role, Roles};
use crate::entity::{address, user};
use crate::service::{PasswordCost, hash};

/// Rows that [`seed`] tells of in all.
pub fn rows(world: &World) -> u64 {
    u64::from(world.users)
}

/// Writes what is not there yet.
pub async fn seed(ports: &Ports, world: &World, progress: &Progress) -> Result<(), Fault> {
    let world = *world;
    part(ports, "users", world.users, 500, progress, move |tx, rows| {
        Box::pin(async move {
            let demo = (rows.start as usize) < DEMO_USERS.len();
            let password_hash = if demo { Some(demo_hash().await?) } else { None };
            let people: Vec<SeedUser> = rows.map(|number| world.user(number)).collect();
            write(tx, people, password_hash.as_deref()).await
        })
    })
    .await
}

/// The one hash that all demo users share.
async fn demo_hash() -> Result<String, Fault> {
    let hashed = tokio::task::spawn_blocking(|| hash(DEMO_PASSWORD, PasswordCost::default())).await;
    hashed.map_err(Fault::internal)?
}

async fn write(tx: &Tx, people: Vec<SeedUser>, password_hash: Option<&str>) -> Result<(), Fault> {
    let (mut users, mut addresses) = (Vec::new(), Vec::new());
    for one in people {
        let demo = (one.number as usize) < DEMO_USERS.len();
        addresses.push(address::ActiveModel::from(address::Model {
            id: one.address.id,
            user_id: one.id,
            kind: AddressKind::Both,
            recipient: one.address.recipient,
            line1: one.address.line1,
            line2: None,
            city: one.address.city.to_owned(),
            region: one.address.region.map(str::to_owned),
            postal_code: Some(one.address.postal_code.to_owned()),
            country: one.address.country.to_owned(),
            phone: None,
            created_at: one.created_at,
        }));
        let role = Role::all().find(|role| role.name() == one.role).unwrap_or(Role::Customer);
        users.push(user::ActiveModel::from(user::Model {
            id: one.id,
            version: 1,
            email: one.email,
            email_verified: true,
            phone: None,
            display_name: Some(one.display_name),
            locale: one.locale.to_owned(),
            roles: Roles::new(&[role]),
            password_hash: password_hash.filter(|_| demo).map(str::to_owned),
            default_shipping_address: Some(one.address.id),
            default_billing_address: Some(one.address.id),
            created_at: one.created_at,
        }));
    }
    insert(tx, users).await?;
    insert(tx, addresses).await
}
