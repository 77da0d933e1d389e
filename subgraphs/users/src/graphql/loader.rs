//! Loaders: the look-ups of one request, in batches. Made anew for each request.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Context;
use common::Fault;
use common::id::{AddressId, UserId};
use database::Loader;

use super::part;
use crate::domain::access::Reach;
use crate::entity::{address, user};
use crate::service::Accounts;

/// The loaders of one request.
pub struct Loaders {
    /// Users; which of their fields are shown is decided at the field.
    pub users: Loader<UserId, Arc<user::Model>>,
    /// Addresses within a reach.
    pub addresses: Loader<(Reach, AddressId), address::Model>,
}

impl Loaders {
    /// Fresh loaders over the accounts.
    pub fn new(accounts: &Accounts) -> Self {
        let (users, known, addresses) = (accounts.clone(), accounts.clone(), accounts.ports.database.clone());
        Self {
            users: Loader::new(move |ids| {
                let accounts = users.clone();
                async move { accounts.users(ids).await }
            })
            .knowing(move |id| known.known(id)),
            addresses: Loader::new(move |keys: Vec<(Reach, AddressId)>| {
                let database = addresses.clone();
                async move {
                    let mut by_reach: HashMap<Reach, Vec<AddressId>> = HashMap::new();
                    for (reach, id) in keys {
                        by_reach.entry(reach).or_default().push(id);
                    }
                    let mut found = HashMap::new();
                    for (reach, ids) in by_reach {
                        let rows = address::within(database.read(), reach, ids).await?;
                        found.extend(rows.into_iter().map(|row| ((reach, row.id), row)));
                    }
                    Ok(found)
                }
            }),
        }
    }

    /// The loaders of the request under way.
    pub fn of<'c>(context: &Context<'c>) -> Result<&'c Self, Fault> {
        part::<Self>(context)
    }
}
