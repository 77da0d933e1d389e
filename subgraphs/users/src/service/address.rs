//! Keeping the address book.

use common::id::{AddressId, UserId};
use common::{Failure, Timestamp};
use database::{ScopedFutureExt as _, Tx};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait as _, EntityTrait as _, IntoActiveModel as _};

use super::Accounts;
use crate::domain::Refusal;
use crate::domain::address::{AddressKind, Draft, MOST_ADDRESSES, default_of};
use crate::entity::{address, user};

impl Accounts {
    /// Adds an address to the book of `owner`, or changes the one with this id. The first that serves a purpose becomes
    /// the default for it.
    pub async fn upsert_address(
        &self,
        owner: UserId,
        id: Option<AddressId>,
        draft: Draft,
    ) -> Result<address::Model, Failure<Refusal>> {
        let draft = draft.check().map_err(Failure::Refused)?;
        let database = &self.ports.database;
        let kept = database.transaction(|tx| self.keep_address(tx, owner, id, &draft).scope_boxed()).await;
        self.forget(owner);
        kept
    }

    async fn keep_address(
        &self,
        tx: &Tx,
        owner: UserId,
        id: Option<AddressId>,
        draft: &Draft,
    ) -> Result<address::Model, Failure<Refusal>> {
        // The owner's row is the lock of the whole book.
        let owner = user::lock(tx, owner).await?.ok_or(Failure::Refused(Refusal::AddressUnknown))?;
        let mut book = address::all_of(tx, owner.id).await?;
        let kept = match id {
            Some(id) => {
                let known = book.iter_mut().find(|address| address.id == id);
                let known = known.ok_or(Failure::Refused(Refusal::AddressUnknown))?;
                *known = written(draft, id, owner.id, known.created_at);
                let all = known.clone().into_active_model().reset_all();
                address::Entity::update(all).exec(tx).await?;
                known.clone()
            }
            None if book.len() >= MOST_ADDRESSES => return Err(Failure::Refused(Refusal::AddressBookFull)),
            None => {
                let new = written(draft, self.ports.ids.next(), owner.id, self.ports.clock.now());
                address::Entity::insert(new.clone().into_active_model()).exec_without_returning(tx).await?;
                book.push(new.clone());
                new
            }
        };
        choose_defaults(tx, &owner, &book).await?;
        Ok(kept)
    }
}

async fn choose_defaults(
    tx: &Tx,
    owner: &user::Model,
    book: &[address::Model],
) -> Result<(), Failure<Refusal>> {
    let book: Vec<(AddressId, AddressKind)> = book.iter().map(|address| (address.id, address.kind)).collect();
    let shipping = default_of(owner.default_shipping_address, &book, AddressKind::ships);
    let billing = default_of(owner.default_billing_address, &book, AddressKind::bills);
    if (shipping, billing) == (owner.default_shipping_address, owner.default_billing_address) {
        return Ok(());
    }
    let change = user::ActiveModel {
        id: Set(owner.id),
        version: Set(owner.version + 1),
        default_shipping_address: Set(shipping),
        default_billing_address: Set(billing),
        ..Default::default()
    };
    user::Entity::update(change).exec(tx).await?;
    Ok(())
}

fn written(draft: &Draft, id: AddressId, user_id: UserId, created_at: Timestamp) -> address::Model {
    let draft = draft.clone();
    address::Model {
        id,
        user_id,
        kind: draft.kind,
        recipient: draft.recipient,
        line1: draft.line1,
        line2: draft.line2,
        city: draft.city,
        region: draft.region,
        postal_code: draft.postal_code,
        country: draft.country,
        phone: draft.phone,
        created_at,
    }
}
