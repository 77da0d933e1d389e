//! Jobs: what is done later, or again and again, by one process at a time, and tried again where it fails.
//!
//! A job is a row in the database it is about. One that is asked for is written in the transaction that wants it; one
//! that comes round has one row for good, which says when its next tick is. Whoever runs a job has claimed its row for a
//! while by a conditional update, and renews the claim while it works; what a dead process has claimed another takes
//! over. What is done under a claim must bear being done again, or end in the transaction that ends the job
//! ([`Run::settle`]).

mod desk;
mod job;
mod queue;
mod row;
mod run;

pub use desk::{Listed, State, drop_job, find, list, retry};
pub use job::{Job, Nudge};
pub use queue::{Asked, Queue};
pub use row::migrations;
pub use run::Run;
