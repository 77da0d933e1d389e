//! The vocabulary every room speaks: ids, money, time, pages, faults. No I/O, no async.

pub mod clock;
pub mod fault;
pub mod id;
mod json_schema;
pub mod money;
pub mod page;

pub use clock::{Clock, Timestamp};
pub use fault::{Failure, Fault, FaultCode, settle};
pub use id::{Entity, Id, Ids};
pub use money::{Currency, Money};
pub use page::{Cursor, PageArgs, PageInfo};
