//! Who is asking: the viewer, the access token that a client brings, and the passport that the gateway signs for a
//! subgraph. Ed25519 throughout (RFC 8037).

mod caller;
mod id_token;
mod key;
mod passport;
mod token;
mod viewer;

pub use caller::{Asker, Caller};
pub use id_token::{Hint, IdTokenSigner, access_token_hash};
pub use key::{KeyError, SigningKey, VerifyingKey};
pub use passport::{Passport, PassportError, PassportSigner, PassportVerifier};
pub use token::{TokenError, TokenIssuer, TokenVerifier};
pub use viewer::{Actor, ShopContext, Viewer};

/// The header in which the gateway hands its passport to a subgraph.
pub const PASSPORT_HEADER: &str = "x-techpotli-passport";

/// The entry in the `extensions` of a subgraph's response that carries the access token of a log-in to the gateway.
pub const SESSION_EXTENSION: &str = "session";

/// The entry in the `extensions` of a subgraph's response that tells the gateway, after a write, how far the databases
/// have come that were written to.
pub const WRITTEN_EXTENSION: &str = "written";
