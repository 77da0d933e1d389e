//! The conditions of a plan, numbered, so that a request decides each of them once.

use crate::plan::Condition;

/// The row of a condition in [`Conditions`].
pub(crate) type ConditionId = u16;

/// The condition that always holds.
pub(crate) const ALWAYS: ConditionId = 0;

/// The different conditions of a plan.
#[derive(Debug)]
pub(crate) struct Conditions {
    rows: Vec<Condition>,
}

impl Conditions {
    pub(crate) fn new() -> Self {
        Conditions { rows: vec![Condition::always()] }
    }

    /// The number of a condition. Past 65,535 different ones, more than a document can have under any sane
    /// limit, the rest count as always holding.
    pub(crate) fn number(&mut self, condition: &Condition) -> ConditionId {
        if condition.is_always() {
            return ALWAYS;
        }
        let row = self.rows.iter().position(|known| known == condition).unwrap_or_else(|| {
            self.rows.push(condition.clone());
            self.rows.len() - 1
        });
        ConditionId::try_from(row).unwrap_or(ALWAYS)
    }

    /// Which of them hold, by number.
    pub(crate) fn decide(&self, is_true: impl Fn(&str) -> bool) -> Vec<bool> {
        self.rows.iter().map(|condition| condition.holds(&is_true)).collect()
    }
}
