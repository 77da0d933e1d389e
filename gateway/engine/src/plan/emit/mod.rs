//! Turns choices into fetches: walks the client's selection and puts each field where it was chosen to be.

mod entries;
mod roots;

use std::borrow::Cow;
use std::collections::BTreeSet;

use apollo_compiler::Name;
use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use supergraph::query_graph::{NodeId, QueryGraph};
use supergraph::{Supergraph, TypeId};

use super::demand::{DemandId, DemandItem};
use super::draft::{Draft, DraftId, SelectionId, Selections};
use super::position::{PositionId, Positions};
use super::search::{Choice, Search};
use super::{Condition, PathStep, PlanError, SelectedField, TypeSet};

/// Where fields are being added.
#[derive(Clone)]
struct Place {
    draft: DraftId,
    selection: SelectionId,
    /// The selection around `selection` if that is for one concrete type only.
    around: Option<SelectionId>,
    position: PositionId,
    path: Vec<PathStep>,
    /// Where in the query graph the objects at this place are.
    node: NodeId,
    /// When this place is reached.
    condition: Condition,
}

/// What makes two needs of an object of one type share a fetch.
#[derive(PartialEq, Eq, Hash)]
struct DraftKey {
    path: Vec<PathStep>,
    ty: TypeId,
    entered: NodeId,
    after: BTreeSet<DraftId>,
}

/// Fields to be fetched through one entry, with the choice they share.
type Going<'s> = IndexMap<usize, Vec<Cow<'s, SelectedField>>>;

pub(super) struct Emission<'a, 'b> {
    supergraph: &'a Supergraph,
    graph: &'a QueryGraph,
    search: Search<'a, 'b>,
    positions: Positions,
    typename: Name,
    selections: Selections,
    drafts: Vec<Draft>,
    /// Several drafts where what they need does not go together.
    keyed: FxHashMap<DraftKey, Vec<DraftId>>,
}

impl<'a, 'b> Emission<'a, 'b> {
    pub(super) fn new(
        supergraph: &'a Supergraph,
        graph: &'a QueryGraph,
        search: Search<'a, 'b>,
        positions: Positions,
        typename: Name,
    ) -> Self {
        Emission {
            supergraph,
            graph,
            search,
            positions,
            typename,
            selections: Selections::default(),
            drafts: Vec::new(),
            keyed: FxHashMap::default(),
        }
    }

    /// What was drafted.
    pub(super) fn finish(self) -> (Vec<Draft>, Selections) {
        (self.drafts, self.selections)
    }

    /// Adds what is selected at a position; `declared` is the type of the position in the supergraph.
    fn position(
        &mut self,
        place: &Place,
        declared: TypeId,
        selection: &[SelectedField],
        filled: &mut BTreeSet<DraftId>,
    ) -> Result<(), PlanError> {
        let is_abstract = self.supergraph.ty(declared).is_abstract();
        let ty = self.graph.node(place.node).ty;
        let selection: Vec<&SelectedField> = selection.iter().collect();
        if self.search.is_interface_object(place.node) {
            self.interface_object(place, &selection, filled)?;
        } else {
            if is_abstract {
                self.selections.typename(place.selection, &self.typename);
            }
            if self.search.is_split_by_type(place.node) {
                self.abstract_position(place, &selection, filled)?;
            } else {
                let place = if is_abstract { only(place, ty) } else { place.clone() };
                self.object(&place, ty, &selection, filled)?;
            }
        }
        if self.selections.is_empty(place.selection) {
            self.selections.typename(place.selection, &self.typename);
        }
        Ok(())
    }

    /// Adds fields of objects whose concrete type the subgraph does not know. It is asked of another where
    /// the answer depends on it.
    fn interface_object(
        &mut self,
        place: &Place,
        selection: &[&SelectedField],
        filled: &mut BTreeSet<DraftId>,
    ) -> Result<(), PlanError> {
        let graph = self.graph;
        let ty = graph.node(place.node).ty;
        self.object(place, ty, selection, filled)?;
        let typenames = selection.iter().filter(|field| field.name == "__typename");
        let typenames: Vec<Cow<'_, SelectedField>> = typenames.map(|field| Cow::Borrowed(*field)).collect();
        if typenames.is_empty() {
            return Ok(());
        }
        match self.search.identification(place.node)? {
            Some(row) => self.go(place, ty, &graph.entries(ty)[row], typenames, filled),
            None => Err(self.search.unreachable(ty, "__typename")),
        }
    }

    /// Adds fields for all concrete types at once where the subgraph can serve them so, the others for each
    /// type.
    fn abstract_position(
        &mut self,
        place: &Place,
        selection: &[&SelectedField],
        filled: &mut BTreeSet<DraftId>,
    ) -> Result<(), PlanError> {
        let downcasts = self.graph.downcasts(place.node);
        let mut left: Vec<&SelectedField> = Vec::new();
        for field in selection {
            match self.is_served_for_all(place.node, field)? {
                true => self.stay(place, field, filled)?,
                false => left.push(field),
            }
        }
        for (ty, node) in downcasts {
            let own: Vec<&SelectedField> = left.iter().copied().filter(|field| is_for(field, *ty)).collect();
            if self.search.demands.of_selection(own.iter().copied()) == DemandId::NOTHING {
                continue;
            }
            let mut inner = only(place, *ty);
            inner.selection = self.selections.fragment(place.selection, *ty);
            inner.around = Some(place.selection);
            inner.node = *node;
            self.object(&inner, *ty, &own, filled)?;
        }
        Ok(())
    }

    /// Whether the subgraph has a field on its abstract type, and each object type would take it from there.
    fn is_served_for_all(&mut self, node: NodeId, field: &SelectedField) -> Result<bool, PlanError> {
        let Some(item) = self.search.demands.item(field) else { return Ok(false) };
        let edge = self.search.edge(node, &field.name).filter(|edge| edge.requires.is_none());
        let Some(edge) = edge else { return Ok(false) };
        if self.search.below(edge, item.of)?.is_none() {
            return Ok(false);
        }
        let item = DemandItem { on: None, ..item };
        let demand = self.search.demands.intern(vec![item]);
        for (ty, node) in self.graph.downcasts(node) {
            if !is_for(field, *ty) {
                return Ok(false);
            }
            let solution = self.search.solve(*node, demand)?;
            let stays = |choices: &[(DemandItem, Choice)]| matches!(choices, [(_, Choice::Stay)]);
            if !solution.is_some_and(|solution| stays(&solution.choices)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds fields of an object of a known type.
    fn object(
        &mut self,
        place: &Place,
        ty: TypeId,
        selection: &[&SelectedField],
        filled: &mut BTreeSet<DraftId>,
    ) -> Result<(), PlanError> {
        // Of an interface object the type is not known: its fields stay apart by the types they are for.
        let is_known = !self.search.is_interface_object(place.node);
        let mut demand = self.search.demands.of_selection(selection.iter().copied());
        if is_known {
            demand = self.search.narrow(demand, ty);
        }
        let Some(solution) = self.search.solve(place.node, demand)? else {
            return Err(self.search.unreachable(ty, selection.first().map_or("", |field| &field.name)));
        };
        let choices: FxHashMap<&DemandItem, &Choice> =
            solution.choices.iter().map(|(item, choice)| (item, choice)).collect();
        let mut going = Going::new();
        for field in selection {
            let Some(mut item) = self.search.demands.item(field) else { continue };
            if is_known {
                if !is_for(field, ty) {
                    continue;
                }
                item.on = None;
            }
            match choices.get(&item) {
                Some(choice) => self.choose(place, Cow::Borrowed(*field), choice, &mut going, filled)?,
                None => return Err(self.search.unreachable(ty, &field.name)),
            }
        }
        let graph = self.graph;
        let entries = graph.entries(graph.node(place.node).ty);
        for (entry, fields) in going {
            self.go(place, ty, &entries[entry], fields, filled)?;
        }
        Ok(())
    }

    fn choose<'s>(
        &mut self,
        place: &Place,
        field: Cow<'s, SelectedField>,
        choice: &Choice,
        going: &mut Going<'s>,
        filled: &mut BTreeSet<DraftId>,
    ) -> Result<(), PlanError> {
        match choice {
            Choice::Stay => self.stay(place, &field, filled),
            Choice::Go { entry } => {
                going.entry(*entry).or_default().push(field);
                Ok(())
            }
            Choice::Split(parts) => {
                for (part, choice) in parts {
                    let part = Cow::Owned(self.restrict(&field, *part));
                    self.choose(place, part, choice, going, filled)?;
                }
                Ok(())
            }
        }
    }

    /// Adds a field to the fetch of the place, and what is selected of its value.
    fn stay(
        &mut self,
        place: &Place,
        field: &SelectedField,
        filled: &mut BTreeSet<DraftId>,
    ) -> Result<(), PlanError> {
        self.search.budget.step()?;
        self.search.budget.fetches(self.drafts.len())?;
        filled.insert(place.draft);
        let Some(edge) = self.search.edge(place.node, &field.name) else {
            return Err(self.search.unreachable(self.graph.node(place.node).ty, &field.name));
        };
        let is_around = |around| self.selections.has_leaf(around, &field.response_key, &field.condition);
        if edge.to.is_none() && place.around.is_some_and(is_around) {
            return Ok(());
        }
        let selection = self.selections.field(place.selection, field, edge.to.is_none());
        let (Some(to), Some(declared)) = (edge.to, field.inner) else { return Ok(()) };
        let mut path = place.path.clone();
        path.push(PathStep { slot: field.response_key.clone(), lists: list_depth(&field.ty), types: None });
        let below = Place {
            draft: place.draft,
            selection,
            around: None,
            position: self.positions.below(place.position, &field.response_key),
            path,
            node: to,
            condition: place.condition.and_loosely(&field.condition),
        };
        self.position(&below, declared, &field.selection, filled)
    }

    /// The field with only those parts of its selection that a demand names.
    fn restrict(&mut self, field: &SelectedField, to: DemandId) -> SelectedField {
        let items = self.search.demands.items(to);
        let mut selection = Vec::new();
        for below in &field.selection {
            let parts = items.iter().filter(|item| item.name == below.name && item.on == below.on);
            let parts: Vec<DemandId> = parts.map(|item| item.of).collect();
            match below.selection.is_empty() {
                true if !parts.is_empty() => selection.push(below.clone()),
                true => {}
                false => selection.extend(parts.into_iter().filter_map(|part| {
                    let restricted = self.restrict(below, part);
                    (!restricted.selection.is_empty()).then_some(restricted)
                })),
            }
        }
        SelectedField { selection, ..field.clone() }
    }
}

/// The place, narrowed to objects of one concrete type.
fn only(place: &Place, ty: TypeId) -> Place {
    let mut place = place.clone();
    if let Some(step) = place.path.last_mut() {
        step.types = Some(TypeSet::new([ty]));
    }
    place
}

fn is_for(field: &SelectedField, ty: TypeId) -> bool {
    field.on.as_ref().is_none_or(|on| on.contains(ty))
}

fn list_depth(ty: &apollo_compiler::ast::Type) -> u8 {
    let mut depth = 0;
    let mut ty = ty;
    while ty.is_list() {
        depth += 1;
        ty = ty.item_type();
    }
    depth
}
