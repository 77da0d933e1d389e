//! Running a compiled plan.
//!
//! `run` drives the fetches of one request; `outgoing` writes what they send, from objects that `entities`
//! finds; `land` reads what comes back (`read` from JSON, `read_local` from value trees) into the `arena`;
//! `project` writes the answer from it; `faults` keeps the errors.

pub(crate) mod arena;
mod entities;
mod faults;
pub(crate) mod introspect;
pub(crate) mod json;
mod land;
mod outgoing;
mod project;
mod read;
mod read_local;
mod run;
pub(crate) mod subscribe;
pub(crate) mod variables;

pub(crate) use run::{Request, Run, stamp};
