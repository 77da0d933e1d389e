//! Payments as other rooms use them: GraphQL in, GraphQL and events out.

mod access;
mod bench;
mod checkout;
mod movements;
mod seeded;
