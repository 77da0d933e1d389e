//! Reading users, through the process's memory: names under reviews are read on every product page and hardly change.

use std::collections::HashMap;
use std::sync::Arc;

use common::Fault;
use common::id::UserId;

use super::{Accounts, CHUNK, WARM};
use crate::entity::user;

impl Accounts {
    /// Begins to read who came last.
    pub fn warm_up(&self) {
        let accounts = self.clone();
        self.ports.warm_up(user::Column::Id, WARM, CHUNK, move |ids| {
            let accounts = accounts.clone();
            async move { accounts.users(ids).await.map(drop) }
        });
    }

    /// These users, without their password hashes: from memory, and the others in one statement.
    pub async fn users(&self, ids: Vec<UserId>) -> Result<HashMap<UserId, Arc<user::Model>>, Fault> {
        let epoch = self.seen.epoch();
        let mut found = HashMap::with_capacity(ids.len());
        let mut missing = Vec::new();
        for id in ids {
            match self.seen.get(&id) {
                Some(user) => drop(found.insert(id, user)),
                None => missing.push(id),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        for user in user::by_ids(self.ports.database.read_since(self.seen.changed()), missing).await? {
            let user = Arc::new(user::Model { password_hash: None, ..user });
            self.seen.insert(epoch, user.id, Arc::clone(&user));
            found.insert(user.id, user);
        }
        Ok(found)
    }

    /// The user, where it is in memory.
    pub fn known(&self, id: &UserId) -> Option<Arc<user::Model>> {
        self.seen.get(id)
    }

    /// Forgets a user who was changed. To be called after the commit.
    pub(super) fn forget(&self, user: UserId) {
        self.seen.invalidate(&user);
    }
}
