//! Fetches while they are put together: the selections as trees that can still be added to.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Argument, OperationType};
use apollo_compiler::{Name, Node};
use indexmap::IndexMap;
use supergraph::{FieldId, SubgraphId, Supergraph, TypeId};

use super::{
    Condition, FetchField, FetchFragment, FetchSelection, PathStep, RepresentationField, SelectedField,
    TypeSet,
};

/// The row of a draft; it waits only for drafts of lower rows.
pub(super) type DraftId = usize;

/// The row of a selection that can still be added to.
pub(super) type SelectionId = usize;

/// A fetch with one place to put its answer.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) subgraph: SubgraphId,
    pub(super) kind: DraftKind,
    pub(super) path: Vec<PathStep>,
    pub(super) selection: SelectionId,
    pub(super) after: BTreeSet<DraftId>,
    pub(super) condition: Condition,
}

#[derive(Clone, Debug)]
pub(super) enum DraftKind {
    Root(OperationType),
    Entity {
        /// The concrete type of the objects.
        ty: TypeId,
        /// The type as the subgraph knows it.
        known_as: TypeId,
        representation: Vec<RepresentationField>,
    },
}

/// The selections of all drafts.
#[derive(Debug, Default)]
pub(super) struct Selections {
    rows: Vec<IndexMap<PartKey, Part>>,
}

/// An object field that occurs under different conditions stands there once for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum PartKey {
    Leaf(Name),
    Object(Name, Condition),
    Fragment(TypeId),
}

#[derive(Debug)]
enum Part {
    Field(PartField),
    Fragment { below: SelectionId },
}

#[derive(Debug)]
struct PartField {
    name: Name,
    field: Option<FieldId>,
    arguments: Vec<Node<Argument>>,
    condition: Condition,
    below: SelectionId,
}

impl Selections {
    /// A selection with nothing in it.
    pub(super) fn start(&mut self) -> SelectionId {
        self.rows.push(IndexMap::new());
        self.rows.len() - 1
    }

    pub(super) fn is_empty(&self, id: SelectionId) -> bool {
        self.rows[id].is_empty()
    }

    /// Adds a field, whose slot is its response key; returns the selection on its value.
    pub(super) fn field(&mut self, id: SelectionId, field: &SelectedField, is_leaf: bool) -> SelectionId {
        let (slot, condition) = (field.response_key.clone(), &field.condition);
        let key = if is_leaf { PartKey::Leaf(slot) } else { PartKey::Object(slot, condition.clone()) };
        if let Some(Part::Field(known)) = self.rows[id].get_mut(&key) {
            known.condition = known.condition.or_loosely(condition);
            return known.below;
        }
        let part = PartField {
            name: field.name.clone(),
            field: field.field,
            arguments: field.arguments.clone(),
            condition: condition.clone(),
            below: self.start(),
        };
        let below = part.below;
        self.rows[id].insert(key, Part::Field(part));
        below
    }

    /// Whether a leaf is asked for whenever this condition holds.
    pub(super) fn has_leaf(&self, id: SelectionId, slot: &Name, condition: &Condition) -> bool {
        match self.rows[id].get(&PartKey::Leaf(slot.clone())) {
            Some(Part::Field(known)) => known.condition.is_implied_by(condition),
            _ => false,
        }
    }

    /// Adds the type of the objects, to be found in this slot.
    pub(super) fn typename(&mut self, id: SelectionId, slot: &Name) {
        let key = PartKey::Leaf(slot.clone());
        if !self.rows[id].contains_key(&key) {
            let part = PartField {
                name: Name::new_unchecked("__typename"),
                field: None,
                arguments: Vec::new(),
                condition: Condition::always(),
                below: self.start(),
            };
            self.rows[id].insert(key, Part::Field(part));
        }
    }

    /// The selection on the objects of one concrete type.
    pub(super) fn fragment(&mut self, id: SelectionId, on: TypeId) -> SelectionId {
        if let Some(Part::Fragment { below }) = self.rows[id].get(&PartKey::Fragment(on)) {
            return *below;
        }
        let below = self.start();
        self.rows[id].insert(PartKey::Fragment(on), Part::Fragment { below });
        below
    }

    /// Moves everything of one selection into another.
    pub(super) fn absorb(&mut self, into: SelectionId, from: SelectionId) {
        for (key, part) in std::mem::take(&mut self.rows[from]) {
            match (self.rows[into].get_mut(&key), part) {
                (Some(Part::Field(known)), Part::Field(new)) => {
                    known.condition = known.condition.or_loosely(&new.condition);
                    let known = known.below;
                    self.absorb(known, new.below);
                }
                (Some(Part::Fragment { below: known }), Part::Fragment { below: new }) => {
                    let known = *known;
                    self.absorb(known, new);
                }
                (_, part) => {
                    self.rows[into].insert(key, part);
                }
            }
        }
    }

    /// The selection as it is sent. Conditions that `given` implies are left out.
    pub(super) fn finish(
        &self,
        supergraph: &Supergraph,
        id: SelectionId,
        given: &Condition,
    ) -> Vec<FetchSelection> {
        let mut selections = Vec::with_capacity(self.rows[id].len());
        for (key, part) in &self.rows[id] {
            match (key, part) {
                (PartKey::Leaf(slot) | PartKey::Object(slot, _), Part::Field(part)) => {
                    let definition = part.field.map(|field| supergraph.field(field));
                    let is_given = part.condition.is_implied_by(given);
                    selections.push(FetchSelection::Field(FetchField {
                        response_key: slot.clone(),
                        slot: slot.clone(),
                        name: part.name.clone(),
                        arguments: part.arguments.clone(),
                        ty: definition.map_or_else(typename_type, |definition| definition.ty.clone()),
                        inner: definition.map(|definition| definition.inner),
                        condition: if is_given { Condition::always() } else { part.condition.clone() },
                        selections: self.finish(supergraph, part.below, &Condition::always()),
                    }));
                }
                (PartKey::Fragment(on), Part::Fragment { below }) if !self.is_empty(*below) => {
                    let on = supergraph.ty(*on);
                    selections.push(FetchSelection::Fragment(FetchFragment {
                        on: on.name.clone(),
                        types: TypeSet::new(on.possible.iter().copied()),
                        selections: self.finish(supergraph, *below, given),
                    }));
                }
                _ => {}
            }
        }
        selections
    }
}

fn typename_type() -> apollo_compiler::ast::Type {
    apollo_compiler::ast::Type::NonNullNamed(Name::new_unchecked("String"))
}
