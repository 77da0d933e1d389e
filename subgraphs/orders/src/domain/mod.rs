//! The rules of orders and of the checkout, without I/O.

mod access;
mod checkout;
mod number;
mod quantity;
mod refusal;
mod status;

pub use access::may_see;
pub use checkout::{CheckoutRefusal, CheckoutState, RequestRefusal};
pub use number::number;
pub use quantity::{LineQuantities, fulfillment_status, open_quantities};
pub use refusal::OrderRefusal;
pub use status::{
    FinancialStatus, FulfillmentStatus, OrderStatus, PaymentFigures, ReturnStatus, allowed_transitions,
    financial_status,
};
