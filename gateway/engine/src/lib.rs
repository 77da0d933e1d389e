//! The federation engine: plans a client's operation over subgraphs and runs the plan.

pub mod plan;
