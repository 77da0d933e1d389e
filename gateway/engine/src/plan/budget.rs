//! How much planning one operation may cost.

use std::sync::atomic::{AtomicBool, Ordering};

use super::PlanError;

/// Bounds on planning, so that no document can hold a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanLimits {
    /// Fields of the operation once its fragments are inlined.
    pub fields: usize,
    /// How deep fields may be nested.
    pub depth: usize,
    /// Requests to subgraphs, before those of one stage are joined.
    pub fetches: usize,
    /// Steps of the search and of all that follows; a step is well under a microsecond.
    pub work: u64,
}

impl Default for PlanLimits {
    fn default() -> Self {
        PlanLimits { fields: 20_000, depth: 100, fetches: 2_000, work: 2_000_000 }
    }
}

/// Counts what one planning has cost so far.
pub(super) struct Budget<'a> {
    limits: PlanLimits,
    fields: usize,
    work: u64,
    cancelled: Option<&'a AtomicBool>,
}

/// Steps between two looks at the cancellation flag.
const LOOK_EVERY: u64 = 256;

impl<'a> Budget<'a> {
    pub(super) fn new(limits: PlanLimits, cancelled: Option<&'a AtomicBool>) -> Self {
        Budget { limits, fields: 0, work: 0, cancelled }
    }

    /// Refuses a document by the size it would have, before it is expanded.
    pub(super) fn admit(&self, expanded_fields: usize) -> Result<(), PlanError> {
        match expanded_fields > self.limits.fields {
            true => Err(PlanError::TooManyFields { limit: self.limits.fields }),
            false => Ok(()),
        }
    }

    /// Takes one step.
    pub(super) fn step(&mut self) -> Result<(), PlanError> {
        self.steps(1)
    }

    /// Takes several steps.
    pub(super) fn steps(&mut self, count: u64) -> Result<(), PlanError> {
        let looked = self.work / LOOK_EVERY;
        self.work += count;
        if self.work > self.limits.work {
            return Err(PlanError::TooMuchWork { limit: self.limits.work });
        }
        let looks = self.work == 1 || self.work / LOOK_EVERY != looked;
        if looks && self.cancelled.is_some_and(|flag| flag.load(Ordering::Relaxed)) {
            return Err(PlanError::Cancelled);
        }
        Ok(())
    }

    /// Refuses to draft more fetches than allowed.
    pub(super) fn fetches(&self, drafted: usize) -> Result<(), PlanError> {
        match drafted > self.limits.fetches {
            true => Err(PlanError::TooManyFetches { limit: self.limits.fetches }),
            false => Ok(()),
        }
    }

    /// Counts one more field of the normalised operation.
    pub(super) fn field(&mut self, depth: usize) -> Result<(), PlanError> {
        self.fields += 1;
        self.admit(self.fields)?;
        if depth > self.limits.depth {
            return Err(PlanError::TooDeep { limit: self.limits.depth });
        }
        self.step()
    }
}
