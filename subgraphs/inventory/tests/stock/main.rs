//! The stock as other rooms use it: GraphQL and events in, GraphQL and events out.

mod adjusting;
mod availability;
mod bench;
mod reservations;
mod seeded;
