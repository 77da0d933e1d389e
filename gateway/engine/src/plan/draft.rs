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

/// A field that occurs under different conditions stands there once for each.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum PartKey {
    Field(Name, Condition),
    Fragment(TypeId),
}

#[derive(Debug)]
enum Part {
    Field { name: Name, field: Option<FieldId>, arguments: Vec<Node<Argument>>, below: SelectionId },
    Fragment { below: SelectionId },
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
    pub(super) fn field(&mut self, id: SelectionId, field: &SelectedField) -> SelectionId {
        let key = PartKey::Field(field.response_key.clone(), field.condition.clone());
        if let Some(Part::Field { below, .. }) = self.rows[id].get(&key) {
            return *below;
        }
        let below = self.start();
        let (name, arguments) = (field.name.clone(), field.arguments.clone());
        self.rows[id].insert(key, Part::Field { name, field: field.field, arguments, below });
        below
    }

    /// Whether a leaf is asked for in any case.
    pub(super) fn has_leaf(&self, id: SelectionId, field: &SelectedField) -> bool {
        let key = PartKey::Field(field.response_key.clone(), Condition::always());
        field.selection.is_empty() && self.rows[id].contains_key(&key)
    }

    /// Adds the type of the objects, to be found in this slot.
    pub(super) fn typename(&mut self, id: SelectionId, slot: &Name) {
        let key = PartKey::Field(slot.clone(), Condition::always());
        if !self.rows[id].contains_key(&key) {
            let below = self.start();
            let name = Name::new_unchecked("__typename");
            self.rows[id].insert(key, Part::Field { name, field: None, arguments: Vec::new(), below });
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
            let below = |part: &Part| match part {
                Part::Field { below, .. } | Part::Fragment { below } => *below,
            };
            match self.rows[into].get(&key) {
                Some(known) => {
                    let (known, new) = (below(known), below(&part));
                    self.absorb(known, new);
                }
                None => {
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
                (PartKey::Field(slot, condition), Part::Field { name, field, arguments, below }) => {
                    let definition = field.map(|field| supergraph.field(field));
                    let is_given = condition.is_implied_by(given);
                    selections.push(FetchSelection::Field(FetchField {
                        response_key: slot.clone(),
                        slot: slot.clone(),
                        name: name.clone(),
                        arguments: arguments.clone(),
                        ty: definition.map_or_else(typename_type, |definition| definition.ty.clone()),
                        inner: definition.map(|definition| definition.inner),
                        condition: if is_given { Condition::always() } else { condition.clone() },
                        selections: self.finish(supergraph, *below, &Condition::always()),
                    }));
                }
                (PartKey::Fragment(on), Part::Fragment { below }) if !self.is_empty(*below) => {
                    selections.push(FetchSelection::Fragment(FetchFragment {
                        on: supergraph.ty(*on).name.clone(),
                        types: TypeSet::new(supergraph.ty(*on).possible.iter().copied()),
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
