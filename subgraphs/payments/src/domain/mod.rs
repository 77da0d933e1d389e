//! The rules of payments, without I/O.

mod balance;
mod refusal;
mod state;

pub use balance::{Balance, Outcome};
pub use refusal::Refusal;
pub use state::{IllegalTransition, PaymentState, RefundState, TransactionKind, TransactionState};
