//! What composes but may surprise: differences that were levelled, directives without effect.

use std::fmt;

use crate::error::{Location, screaming_snake};

/// Something that a subgraph's author may want to know although composition succeeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The class of the hint, named as in Apollo's list of composition hints.
    pub code: HintCode,
    /// A sentence for the person who wrote the subgraph.
    pub message: String,
    /// The places concerned, in the order of the subgraphs' names.
    pub locations: Vec<Location>,
}

impl Hint {
    pub(crate) fn new(code: HintCode, message: impl Into<String>, locations: Vec<Location>) -> Self {
        Self { code, message: message.into(), locations }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// The codes of Apollo's composition hints that this composer can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HintCode {
    FromSubgraphDoesNotExist,
    InconsistentArgumentPresence,
    InconsistentButCompatibleArgumentType,
    InconsistentButCompatibleFieldType,
    InconsistentDefaultValuePresence,
    InconsistentDescription,
    InconsistentEntity,
    InconsistentEnumValueForInputEnum,
    InconsistentEnumValueForOutputEnum,
    InconsistentExecutableDirectiveLocations,
    InconsistentExecutableDirectivePresence,
    InconsistentInputObjectField,
    InconsistentInterfaceValueTypeField,
    InconsistentNonRepeatableDirectiveArguments,
    InconsistentObjectValueTypeField,
    InconsistentRuntimeTypesForShareableReturn,
    InconsistentUnionMember,
    MergedNonRepeatableDirectiveArguments,
    NoExecutableDirectiveIntersection,
    OverriddenFieldCanBeRemoved,
    OverrideDirectiveCanBeRemoved,
    OverrideMigrationInProgress,
    UnusedEnumType,
}

impl fmt::Display for HintCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&screaming_snake(&format!("{self:?}")))
    }
}
