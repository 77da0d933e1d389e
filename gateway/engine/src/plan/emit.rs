//! Turns choices into fetches: walks the client's selection and puts each field where it was chosen to be.

use std::borrow::Cow;
use std::collections::BTreeSet;

use apollo_compiler::Name;
use apollo_compiler::ast::OperationType;
use indexmap::IndexMap;
use rustc_hash::FxHashMap;
use supergraph::query_graph::{Entry, NodeId, QueryGraph};
use supergraph::{FieldSet, FieldSetSelection, Supergraph, TypeId};

use super::choose::{self, Offer};
use super::demand::{DemandId, DemandItem, fragment_types};
use super::draft::{Draft, DraftId, DraftKind, SelectionId, Selections};
use super::position::{PositionId, Positions};
use super::search::{Choice, Search};
use super::{Condition, PathStep, PlanError, RepresentationField, SelectedField, TypeSet};

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
    /// Several drafts only where they need the same field with different arguments.
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

    /// Drafts the fetches of an operation.
    pub(super) fn operation(
        &mut self,
        operation: OperationType,
        selection: &[SelectedField],
    ) -> Result<(), PlanError> {
        match operation {
            OperationType::Mutation => self.series(operation, selection),
            OperationType::Query | OperationType::Subscription => {
                self.roots(operation, selection, &BTreeSet::new(), None).map(drop)
            }
        }
    }

    /// What was drafted.
    pub(super) fn finish(self) -> (Vec<Draft>, Selections) {
        (self.drafts, self.selections)
    }

    /// The fields of a mutation, one after the other, each with all that follows from it.
    fn series(&mut self, operation: OperationType, selection: &[SelectedField]) -> Result<(), PlanError> {
        let mut before = BTreeSet::new();
        let mut reusable = None;
        for field in selection {
            let known = self.drafts.len();
            let Some(root) = self.roots(operation, std::slice::from_ref(field), &before, reusable)? else {
                continue;
            };
            // A subgraph keeps the order of the fields it is sent together, but what follows from one of
            // them must be over before the next is sent.
            reusable = (self.drafts.len() == root + 1).then_some(root);
            if known < self.drafts.len() {
                before = (known.min(root)..self.drafts.len()).collect();
            }
        }
        Ok(())
    }

    /// Fetches fields of a root type; returns the last root fetch used.
    fn roots(
        &mut self,
        operation: OperationType,
        selection: &[SelectedField],
        after: &BTreeSet<DraftId>,
        reusable: Option<DraftId>,
    ) -> Result<Option<DraftId>, PlanError> {
        let roots = self.graph.roots(self.supergraph, operation);
        let mut parts: Vec<(Cow<'_, SelectedField>, Vec<Offer>)> = Vec::new();
        for field in selection {
            let Some(item) = self.search.demands.item(field) else { continue };
            parts.extend(self.root_offers(&roots, field, &item)?);
        }
        let offers: Vec<&[Offer]> = parts.iter().map(|(_, offers)| &offers[..]).collect();
        let taken = choose::choose(&offers, &mut self.search.budget)?;
        let mut drafts: FxHashMap<NodeId, DraftId> = FxHashMap::default();
        let mut last = None;
        for ((field, offers), row) in parts.iter().zip(taken) {
            let Choice::Go { entry } = offers[row].choice else { continue };
            let node = roots[entry];
            let subgraph = self.graph.node(node).subgraph;
            let draft = *drafts.entry(node).or_insert_with(|| {
                let reused = reusable.filter(|draft| self.drafts[*draft].subgraph == subgraph);
                reused.unwrap_or_else(|| {
                    let selection = self.selections.start();
                    self.drafts.push(Draft {
                        subgraph,
                        kind: DraftKind::Root(operation),
                        path: Vec::new(),
                        selection,
                        after: after.clone(),
                        condition: Condition::never(),
                    });
                    self.drafts.len() - 1
                })
            });
            let known = &mut self.drafts[draft];
            known.condition = known.condition.or(&field.condition);
            let place = Place {
                draft,
                selection: known.selection,
                around: None,
                position: Positions::ROOT,
                path: Vec::new(),
                node,
                condition: Condition::always(),
            };
            last = Some(draft);
            self.stay(&place, field, &mut BTreeSet::new())?;
        }
        Ok(last)
    }

    /// The subgraphs that can be asked for a root field. If none has all of it, it is asked for in parts.
    fn root_offers<'s>(
        &mut self,
        roots: &[NodeId],
        field: &'s SelectedField,
        item: &DemandItem,
    ) -> Result<Vec<(Cow<'s, SelectedField>, Vec<Offer>)>, PlanError> {
        let whole = self.root_offers_of(roots, item)?;
        if !whole.is_empty() {
            return Ok(vec![(Cow::Borrowed(field), whole)]);
        }
        let mut parts = Vec::new();
        for part in self.search.leaf_paths(item.of)? {
            let offers = self.root_offers_of(roots, &DemandItem { of: part, ..item.clone() })?;
            if offers.is_empty() {
                return Err(self.search.unreachable());
            }
            parts.push((Cow::Owned(self.restrict(field, part)), offers));
        }
        match parts.is_empty() {
            true => Err(self.search.unreachable()),
            false => Ok(parts),
        }
    }

    fn root_offers_of(&mut self, roots: &[NodeId], item: &DemandItem) -> Result<Vec<Offer>, PlanError> {
        let mut offers = Vec::new();
        for (row, node) in roots.iter().enumerate() {
            self.search.budget.step()?;
            let Some(edge) = self.search.edge(*node, &item.name) else { continue };
            if let Some(below) = self.search.below(edge, item.of)? {
                offers.push(Offer::root(row, self.graph.node(*node).subgraph, &below));
            }
        }
        Ok(offers)
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
        if is_abstract {
            self.selections.typename(place.selection, &self.typename);
        }
        if self.search.is_split_by_type(place.node) {
            self.abstract_position(place, selection, filled)?;
        } else {
            let ty = self.graph.node(place.node).ty;
            let place = if is_abstract { only(place, ty) } else { place.clone() };
            let own: Vec<&SelectedField> = selection.iter().filter(|field| is_for(field, ty)).collect();
            self.object(&place, ty, &own, filled)?;
        }
        if self.selections.is_empty(place.selection) {
            self.selections.typename(place.selection, &self.typename);
        }
        Ok(())
    }

    /// Adds fields for all concrete types at once where the subgraph can serve them so, the others for each
    /// type.
    fn abstract_position(
        &mut self,
        place: &Place,
        selection: &[SelectedField],
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
        let demand = self.search.demands.of_selection(selection.iter().copied());
        let demand = self.search.narrow(demand, ty);
        let Some(solution) = self.search.solve(place.node, demand)? else {
            return Err(self.search.unreachable());
        };
        let choices: FxHashMap<&DemandItem, &Choice> =
            solution.choices.iter().map(|(item, choice)| (item, choice)).collect();
        let mut going = Going::new();
        for field in selection {
            let Some(item) = self.search.demands.item(field).filter(|_| is_for(field, ty)) else { continue };
            match choices.get(&DemandItem { on: None, ..item }) {
                Some(Choice::Split(parts)) => {
                    for (part, choice) in parts {
                        let part = Cow::Owned(self.restrict(field, *part));
                        self.choose(place, part, choice, &mut going, filled)?;
                    }
                }
                Some(choice) => {
                    self.choose(place, Cow::Borrowed(*field), choice, &mut going, filled)?;
                }
                None => return Err(self.search.unreachable()),
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
            Choice::Split(_) => Err(self.search.unreachable()),
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
            return Err(self.search.unreachable());
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
            condition: place.condition.and(&field.condition),
        };
        self.position(&below, declared, &field.selection, filled)
    }

    /// Gets fields of an object through an entry: first what the entry needs, then the fields.
    fn go(
        &mut self,
        place: &Place,
        ty: TypeId,
        entry: &'a Entry,
        fields: Vec<Cow<'_, SelectedField>>,
        filled: &mut BTreeSet<DraftId>,
    ) -> Result<(), PlanError> {
        let mut by_need: Vec<(Option<&'a FieldSet>, Vec<&SelectedField>)> = Vec::new();
        for field in &fields {
            let edge = self.search.edge(entry.node, &field.name);
            let need = edge.and_then(|edge| edge.requires.as_ref());
            match by_need.iter_mut().find(|(known, _)| *known == need) {
                Some((_, fields)) => fields.push(field),
                None => by_need.push((need, vec![field])),
            }
        }
        for (requires, fields) in by_need {
            let mut condition = Condition::never();
            for field in &fields {
                condition = condition.or(&field.condition);
            }
            let mut needed = Vec::new();
            let mut representation = Vec::new();
            for set in entry.key.iter().chain(requires) {
                self.need(place.position, ty, set, None, &condition, &mut needed, &mut representation);
            }
            let mut after = BTreeSet::from([place.draft]);
            self.object(place, ty, &needed.iter().collect::<Vec<_>>(), &mut after)?;
            let draft = self.entered(place, ty, entry, after, representation);
            let known = &mut self.drafts[draft];
            known.condition = known.condition.or(&place.condition.and(&condition));
            let selection = known.selection;
            let inner = Place { draft, selection, around: None, node: entry.node, ..place.clone() };
            for field in fields {
                self.stay(&inner, field, filled)?;
            }
        }
        Ok(())
    }

    /// The draft of a fetch that enters a subgraph for the objects of a place.
    fn entered(
        &mut self,
        place: &Place,
        ty: TypeId,
        entry: &Entry,
        after: BTreeSet<DraftId>,
        representation: Vec<RepresentationField>,
    ) -> DraftId {
        let key = DraftKey { path: place.path.clone(), ty, entered: entry.node, after: after.clone() };
        let same_need = self.keyed.entry(key).or_default();
        for draft in same_need.iter() {
            match &mut self.drafts[*draft].kind {
                DraftKind::Entity { representation: known, .. } if !conflicts(known, &representation) => {
                    merge_representation(known, representation);
                    return *draft;
                }
                DraftKind::Entity { .. } => {}
                DraftKind::Root(_) => return *draft,
            }
        }
        same_need.push(self.drafts.len());
        let mut merged = Vec::new();
        merge_representation(&mut merged, representation);
        let known_as = self.graph.node(entry.node).ty;
        let kind = match entry.key {
            Some(_) => DraftKind::Entity { ty, known_as, representation: merged },
            None => DraftKind::Root(OperationType::Query),
        };
        let selection = self.selections.start();
        let (path, condition) = (place.path.clone(), Condition::never());
        self.drafts.push(Draft { subgraph: entry.subgraph, kind, path, selection, after, condition });
        self.drafts.len() - 1
    }

    /// Finds slots for what a directive's selection names, as fields to fetch and as fields to send.
    #[expect(clippy::too_many_arguments, reason = "two outputs of one walk")]
    fn need(
        &mut self,
        position: PositionId,
        ty: TypeId,
        set: &FieldSet,
        on: Option<&TypeSet>,
        condition: &Condition,
        needed: &mut Vec<SelectedField>,
        representation: &mut Vec<RepresentationField>,
    ) {
        for selection in &set.selections {
            let part = match selection {
                FieldSetSelection::Field(part) => part,
                FieldSetSelection::Typename => continue,
                FieldSetSelection::Fragment { on: narrower, set } => {
                    let types = fragment_types(self.supergraph, on, *narrower);
                    self.need(position, ty, set, Some(&types), condition, needed, representation);
                    continue;
                }
            };
            let own = self.supergraph.field_named(ty, &part.name);
            let definition = own.unwrap_or_else(|| self.supergraph.field(part.field));
            let slot = self.positions.slot(position, &part.name, &part.arguments);
            let inner = self.supergraph.ty(definition.inner);
            let (mut below_needed, mut below_sent) = (Vec::new(), Vec::new());
            if inner.is_composite() {
                let below = self.positions.below(position, &slot);
                let always = Condition::always();
                if inner.is_abstract() {
                    below_sent.push(typename_field(&self.typename));
                }
                self.need(below, inner.id, &part.set, None, &always, &mut below_needed, &mut below_sent);
            }
            representation.push(RepresentationField {
                name: part.name.clone(),
                slot: slot.clone(),
                ty: definition.ty.clone(),
                on: on.cloned(),
                fields: below_sent,
            });
            needed.push(SelectedField {
                response_key: slot,
                name: part.name.clone(),
                field: Some(definition.id),
                ty: definition.ty.clone(),
                inner: Some(inner.id),
                arguments: part.arguments.clone(),
                on: on.cloned(),
                condition: condition.clone(),
                selection: below_needed,
            });
        }
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

fn typename_field(slot: &Name) -> RepresentationField {
    RepresentationField {
        name: Name::new_unchecked("__typename"),
        slot: slot.clone(),
        ty: apollo_compiler::ast::Type::NonNullNamed(Name::new_unchecked("String")),
        on: None,
        fields: Vec::new(),
    }
}

/// Adds fields to a representation; a field that both have stands there once.
pub(super) fn merge_representation(into: &mut Vec<RepresentationField>, from: Vec<RepresentationField>) {
    for field in from {
        let same = |known: &&mut RepresentationField| {
            (&known.name, &known.slot, &known.on) == (&field.name, &field.slot, &field.on)
        };
        match into.iter_mut().find(same) {
            Some(known) => merge_representation(&mut known.fields, field.fields),
            None => into.push(field),
        }
    }
}

/// Whether one representation cannot hold both: a field of one name would have to come from two slots.
pub(super) fn conflicts(left: &[RepresentationField], right: &[RepresentationField]) -> bool {
    left.iter().any(|left| {
        let same_name = right.iter().filter(|right| right.name == left.name && right.on == left.on);
        same_name.into_iter().any(|right| right.slot != left.slot || conflicts(&left.fields, &right.fields))
    })
}
