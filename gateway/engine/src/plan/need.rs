//! What an entity fetch needs, and when two needs can be one.

use super::draft::{Draft, DraftKind};
use super::{Condition, RepresentationField};

/// What is sent to enter a subgraph, and when.
#[derive(Clone, Debug)]
pub(super) struct Need {
    pub(super) representation: Vec<RepresentationField>,
    pub(super) condition: Condition,
}

impl Need {
    /// Whether a draft for the same objects can serve this need as well. Each representation is in hand only
    /// under its own condition, so neither may bring a field into a case in which it was not fetched.
    pub(super) fn fits(&self, draft: &Draft) -> bool {
        let known = match &draft.kind {
            DraftKind::Root(_) => return true,
            DraftKind::Entity { representation, .. } => representation,
        };
        !conflicts(known, &self.representation)
            && (has_all(&self.representation, known) || draft.condition.is_implied_by(&self.condition))
            && (has_all(known, &self.representation) || self.condition.is_implied_by(&draft.condition))
    }

    /// Adds this need to a draft that it fits.
    pub(super) fn join(self, draft: &mut Draft) {
        draft.condition = draft.condition.or_loosely(&self.condition);
        if let DraftKind::Entity { representation: known, .. } = &mut draft.kind {
            merge(known, self.representation);
        }
    }
}

/// The fields, each once.
pub(super) fn merged(fields: Vec<RepresentationField>) -> Vec<RepresentationField> {
    let mut once = Vec::with_capacity(fields.len());
    merge(&mut once, fields);
    once
}

fn merge(into: &mut Vec<RepresentationField>, from: Vec<RepresentationField>) {
    for field in from {
        match into.iter_mut().find(|known| is_same(known, &field)) {
            Some(known) => merge(&mut known.fields, field.fields),
            None => into.push(field),
        }
    }
}

fn is_same(left: &RepresentationField, right: &RepresentationField) -> bool {
    (&left.name, &left.slot, &left.on) == (&right.name, &right.slot, &right.on)
}

/// Whether the first representation has every field of the second.
fn has_all(fields: &[RepresentationField], wanted: &[RepresentationField]) -> bool {
    let has = |wanted: &RepresentationField| {
        fields.iter().any(|known| is_same(known, wanted) && has_all(&known.fields, &wanted.fields))
    };
    wanted.iter().all(has)
}

/// Whether one representation cannot hold both: a field of one name would have to come from two slots.
fn conflicts(left: &[RepresentationField], right: &[RepresentationField]) -> bool {
    left.iter().any(|left| {
        let same_name = right.iter().filter(|right| right.name == left.name && right.on == left.on);
        same_name.into_iter().any(|right| right.slot != left.slot || conflicts(&left.fields, &right.fields))
    })
}
