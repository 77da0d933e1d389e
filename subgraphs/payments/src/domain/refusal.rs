//! Why money is not moved.

/// Why a movement of money is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The amount is nothing or less.
    BadAmount,
    /// The reason is too long.
    BadReason,
    /// There is no such payment.
    NotFound,
    /// The payment is in another currency.
    CurrencyMismatch,
    /// More is to be taken than is held.
    ExceedsAuthorized,
    /// More is to be given back than was taken, what is being given back included.
    ExceedsCaptured {
        /// What may be given back, in minor units.
        refundable: i64,
    },
    /// The payment is in a state in which this is not done.
    IllegalTransition,
    /// The key was used for another request.
    KeyReused,
}
