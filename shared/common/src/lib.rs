//! The vocabulary every room speaks: ids, money, time, pages, faults. No I/O, no async.

pub mod breaker;
pub mod clock;
pub mod fault;
pub mod id;
mod json_schema;
pub mod mark;
pub mod money;
pub mod page;

pub use breaker::Breaker;
pub use clock::{Clock, Timestamp};
pub use fault::{Failure, Fault, FaultCode, is_away, is_out_of_reach, settle};
pub use id::{Entity, Id, Ids};
pub use mark::{Mark, Marks, NoMark, Position};
pub use money::{Currency, Money};
pub use page::{Cursor, PageArgs, PageInfo};
