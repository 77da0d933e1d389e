//! What `cart` asks of `users`.

use common::id::{AddressId, UserId};
use serde::{Deserialize, Serialize};

use super::Call;
use super::cart::PostalAddress;

/// Reads an address of a user's address book. Answers nothing where there is no such address or it is another's.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadAddress {
    /// Which address.
    pub address: AddressId,
    /// Whose address book.
    pub user: UserId,
}

impl Call for ReadAddress {
    const SUBGRAPH: &'static str = "users";
    const DOCUMENT: &'static str =
        "query AddressRead($request: ServiceCall!) { reply: addressRead(request: $request) }";
    type Reply = Option<PostalAddress>;
}
