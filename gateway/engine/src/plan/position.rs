//! The positions of an answer and the names of their slots.
//!
//! A position is the root or what one finds by following slots from it. Clients name slots by their response
//! keys; what only the engine needs gets the field's own name, unless a client's key there means something
//! else, and then a name with a prefix that none of the client's keys has.

use apollo_compiler::ast::Argument;
use apollo_compiler::{Name, Node};
use rustc_hash::FxHashMap;

use super::SelectedField;

/// The row of a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PositionId(usize);

/// What a slot holds: a field with arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    name: Name,
    arguments: Vec<Node<Argument>>,
}

#[derive(Debug, Default)]
struct Position {
    /// By slot; several fields only where they are for different concrete types.
    slots: FxHashMap<Name, Vec<Held>>,
    below: FxHashMap<Name, PositionId>,
}

/// All positions of one answer.
#[derive(Debug)]
pub(super) struct Positions {
    rows: Vec<Position>,
    /// No response key of the client begins with this.
    prefix: String,
}

impl Positions {
    pub(super) const ROOT: PositionId = PositionId(0);

    /// The positions of a client's selection.
    pub(super) fn new(selection: &[SelectedField]) -> Positions {
        let mut positions = Positions { rows: vec![Position::default()], prefix: "_k".to_owned() };
        while has_key_with(&positions.prefix, selection) {
            positions.prefix.push('k');
        }
        positions.prefix.push('_');
        positions.add(Positions::ROOT, selection);
        positions
    }

    fn add(&mut self, position: PositionId, selection: &[SelectedField]) {
        for field in selection {
            let held = Held { name: field.name.clone(), arguments: field.arguments.clone() };
            let slot = self.rows[position.0].slots.entry(field.response_key.clone()).or_default();
            if !slot.contains(&held) {
                slot.push(held);
            }
            if !field.selection.is_empty() {
                let below = self.below(position, &field.response_key);
                self.add(below, &field.selection);
            }
        }
    }

    /// The position of the value in a slot.
    pub(super) fn below(&mut self, position: PositionId, slot: &Name) -> PositionId {
        if let Some(below) = self.rows[position.0].below.get(slot) {
            return *below;
        }
        let below = PositionId(self.rows.len());
        self.rows.push(Position::default());
        self.rows[position.0].below.insert(slot.clone(), below);
        below
    }

    /// A slot for a field that the engine needs, and that the client need not have asked for.
    pub(super) fn slot(&mut self, position: PositionId, name: &Name, arguments: &[Node<Argument>]) -> Name {
        let held = Held { name: name.clone(), arguments: arguments.to_vec() };
        let slots = &mut self.rows[position.0].slots;
        let mut slot = name.clone();
        let mut attempt = 0;
        loop {
            let known = slots.entry(slot.clone()).or_default();
            if known.is_empty() {
                known.push(held);
                return slot;
            }
            if *known == [held.clone()] {
                return slot;
            }
            let number = if attempt > 0 { format!("{attempt}_") } else { String::new() };
            slot = Name::new_unchecked(&format!("{}{number}{name}", self.prefix));
            attempt += 1;
        }
    }
}

fn has_key_with(prefix: &str, selection: &[SelectedField]) -> bool {
    selection
        .iter()
        .any(|field| field.response_key.starts_with(prefix) || has_key_with(prefix, &field.selection))
}

/// The slot for `__typename`: that name, unless the client uses it for another field.
pub(super) fn typename_slot(selection: &[SelectedField]) -> Name {
    fn is_taken(slot: &str, selection: &[SelectedField]) -> bool {
        let clashes = |field: &SelectedField| field.response_key == *slot && field.name != "__typename";
        selection.iter().any(|field| clashes(field) || is_taken(slot, &field.selection))
    }
    let mut slot = "__typename".to_owned();
    while is_taken(&slot, selection) {
        slot.push('_');
    }
    Name::new_unchecked(&slot)
}
