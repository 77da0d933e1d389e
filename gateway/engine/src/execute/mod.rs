//! Running a compiled plan.

pub(crate) mod arena;
pub(crate) mod json;
