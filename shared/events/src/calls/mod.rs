//! Contracts of the calls that a use case of one subgraph makes to another while it runs. Each is a field of the called
//! subgraph's schema that the gateway hides (`@inaccessible`) and that only services may use; request and reply travel
//! as one scalar, `ServiceCall`. Every call may be made again after a crash: it names what it is done for.

pub mod cart;
pub mod inventory;
pub mod payments;
pub mod users;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A request to another subgraph.
pub trait Call: Serialize + DeserializeOwned + Send + Sync {
    /// Who is called.
    const SUBGRAPH: &'static str;
    /// The document that calls: `mutation($request: ServiceCall!) { field(request: $request) }`, the answer under the
    /// key `reply`.
    const DOCUMENT: &'static str;
    /// What is answered.
    type Reply: Serialize + DeserializeOwned + Send + Sync;
}
