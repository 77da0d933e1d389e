//! Running a compiled plan.

pub(crate) mod arena;
mod entities;
mod faults;
pub(crate) mod json;
mod project;
mod read;
mod read_local;
mod variables;
