//! What is wanted of an object, without names, arguments and conditions: what the search depends on.
//!
//! Equal demands have equal numbers, so the search answers a thousand aliases of one field once.

use std::rc::Rc;

use apollo_compiler::Name;
use rustc_hash::FxHashMap;
use supergraph::{FieldSet, FieldSetSelection, Supergraph};

use super::{SelectedField, TypeSet};

/// The number of a demand; 0 is the demand for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DemandId(u32);

/// One field that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct DemandItem {
    pub(super) name: Name,
    /// What is wanted of its value.
    pub(super) of: DemandId,
    /// The concrete types of the object it is wanted for; `None` for all.
    pub(super) on: Option<TypeSet>,
}

/// All demands met so far.
#[derive(Default)]
pub(super) struct Demands {
    rows: Vec<Rc<[DemandItem]>>,
    ids: FxHashMap<Rc<[DemandItem]>, DemandId>,
}

impl DemandId {
    pub(super) const NOTHING: DemandId = DemandId(0);
}

impl Demands {
    pub(super) fn new() -> Demands {
        let mut demands = Demands::default();
        demands.intern(Vec::new());
        demands
    }

    /// The items of a demand, in a fixed order.
    pub(super) fn items(&self, id: DemandId) -> Rc<[DemandItem]> {
        self.rows[id.0 as usize].clone()
    }

    /// The demand for these items.
    pub(super) fn intern(&mut self, mut items: Vec<DemandItem>) -> DemandId {
        items.sort();
        items.dedup();
        let items: Rc<[DemandItem]> = items.into();
        if let Some(id) = self.ids.get(&items) {
            return *id;
        }
        let id = DemandId(self.rows.len() as u32);
        self.rows.push(items.clone());
        self.ids.insert(items, id);
        id
    }

    /// What these fields demand. Introspection demands nothing of subgraphs.
    pub(super) fn of_selection<'s>(
        &mut self,
        selection: impl IntoIterator<Item = &'s SelectedField>,
    ) -> DemandId {
        let items = selection.into_iter().filter_map(|field| self.item(field)).collect();
        self.intern(items)
    }

    /// What this field demands.
    pub(super) fn item(&mut self, field: &SelectedField) -> Option<DemandItem> {
        field.field?;
        let of = self.of_selection(&field.selection);
        Some(DemandItem { name: field.name.clone(), of, on: field.on.clone() })
    }

    /// What the selections of directives demand together.
    pub(super) fn of_sets(&mut self, supergraph: &Supergraph, sets: &[&FieldSet]) -> DemandId {
        let mut items = Vec::new();
        for set in sets {
            self.add_set(supergraph, set, None, &mut items);
        }
        self.intern(items)
    }

    fn add_set(
        &mut self,
        supergraph: &Supergraph,
        set: &FieldSet,
        on: Option<&TypeSet>,
        items: &mut Vec<DemandItem>,
    ) {
        for selection in &set.selections {
            match selection {
                FieldSetSelection::Typename => {}
                FieldSetSelection::Fragment { on: narrower, set } => {
                    let types = fragment_types(supergraph, on, *narrower);
                    self.add_set(supergraph, set, Some(&types), items);
                }
                FieldSetSelection::Field(field) => {
                    let of = self.of_sets(supergraph, &[&field.set]);
                    items.push(DemandItem { name: field.name.clone(), of, on: on.cloned() });
                }
            }
        }
    }
}

/// The concrete types under a type condition inside other type conditions.
pub(super) fn fragment_types(
    supergraph: &Supergraph,
    outer: Option<&TypeSet>,
    on: supergraph::TypeId,
) -> TypeSet {
    let types = TypeSet::new(supergraph.ty(on).possible.iter().copied());
    outer.map_or(types.clone(), |outer| outer.intersection(&types))
}
