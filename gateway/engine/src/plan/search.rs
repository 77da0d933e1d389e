//! Decides, for what is wanted of an object, which subgraphs to ask.
//!
//! A solution is for a node of the query graph (where the object was found) and a demand, and it is
//! remembered under both. It says of each wanted field whether to take it here or to go elsewhere for it.
//! Going elsewhere needs a key and perhaps a requirement in hand; these are demands on the same object and
//! solved in the same way.

use std::rc::Rc;

use apollo_compiler::Name;
use rustc_hash::FxHashMap;
use supergraph::query_graph::{Entry, FieldEdge, NodeId, QueryGraph};
use supergraph::{FieldSet, Supergraph, TypeId};

use super::budget::Budget;
use super::choose::{self, Cost, MoveSet, Offer};
use super::demand::{DemandId, DemandItem, Demands};
use super::{PlanError, PlanOptions};

/// How a wanted field is got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// From the fetch that found the object.
    Stay,
    /// From another fetch, through the entry in this row of the type's entries.
    Go { entry: usize },
    /// Parts of its value from different places, each part with what it is demanded for.
    Split(Vec<(DemandId, Choice)>),
}

/// The best way found to get what is wanted of an object.
#[derive(Debug)]
pub(super) struct Solution {
    pub(super) cost: Cost,
    /// For each item of the demand.
    pub(super) choices: Vec<(DemandItem, Choice)>,
}

pub(super) struct Search<'a, 'b> {
    supergraph: &'a Supergraph,
    graph: &'a QueryGraph,
    options: &'a PlanOptions,
    pub(super) demands: Demands,
    pub(super) budget: Budget<'b>,
    memo: FxHashMap<(NodeId, DemandId), Option<Rc<Solution>>>,
    /// What is being solved, from the outermost inwards.
    open: Vec<(NodeId, DemandId)>,
    /// The outermost of `open` that an inner one came back to. What lies within depends on being there.
    came_back_to: usize,
    /// The field that no subgraph could be found for, if there is one.
    unreachable: Option<(TypeId, Name)>,
}

impl<'a, 'b> Search<'a, 'b> {
    pub(super) fn new(
        supergraph: &'a Supergraph,
        graph: &'a QueryGraph,
        options: &'a PlanOptions,
        budget: Budget<'b>,
    ) -> Self {
        Search {
            supergraph,
            graph,
            options,
            demands: Demands::new(),
            budget,
            memo: FxHashMap::default(),
            open: Vec::new(),
            came_back_to: usize::MAX,
            unreachable: None,
        }
    }

    /// The error for a field that cannot be had; the cause may lie in a field below it.
    pub(super) fn unreachable(&self, ty: TypeId, field: &str) -> PlanError {
        let (ty, field) = match &self.unreachable {
            Some((ty, field)) => (*ty, field.as_str()),
            None => (ty, field),
        };
        PlanError::Unreachable { field: format!("{}.{field}", self.supergraph.ty(ty).name) }
    }

    /// The best way to meet a demand on the objects at a node of any composite type.
    pub(super) fn cost(&mut self, node: NodeId, demand: DemandId) -> Result<Option<Cost>, PlanError> {
        if demand == DemandId::NOTHING {
            return Ok(Some(Cost::default()));
        }
        if !self.is_split_by_type(node) {
            return Ok(self.solve(node, demand)?.map(|solution| solution.cost.clone()));
        }
        let mut sum = Cost::default();
        for (ty, node) in self.graph.downcasts(node) {
            let demand = self.narrow(demand, *ty);
            match self.solve(*node, demand)? {
                Some(solution) => sum.add_beside(&solution.cost),
                None => return Ok(None),
            }
        }
        Ok(Some(sum))
    }

    /// Whether objects at a node are told apart by their concrete types.
    pub(super) fn is_split_by_type(&self, node: NodeId) -> bool {
        self.supergraph.ty(self.graph.node(node).ty).is_abstract() && !self.is_interface_object(node)
    }

    /// Whether a node stands for all implementations of an interface without knowing which one it has.
    pub(super) fn is_interface_object(&self, node: NodeId) -> bool {
        let node = self.graph.node(node);
        self.supergraph.ty(node.ty).join(node.subgraph).is_some_and(|join| join.is_interface_object)
    }

    /// The entry through which it is cheapest to learn the concrete type of an interface object.
    pub(super) fn identification(&mut self, node: NodeId) -> Result<Option<usize>, PlanError> {
        let mut best: Option<(Rc<Solution>, usize)> = None;
        for (row, entry) in self.graph.entries(self.graph.node(node).ty).iter().enumerate() {
            if !self.is_split_by_type(entry.node) {
                continue;
            }
            let Some(before) = self.way_in(node, entry, None)? else { continue };
            if best.as_ref().is_none_or(|(known, _)| before.cost.is_less(&known.cost)) {
                best = Some((before, row));
            }
        }
        Ok(best.map(|(_, row)| row))
    }

    /// What of a demand is for one concrete type.
    pub(super) fn narrow(&mut self, demand: DemandId, ty: TypeId) -> DemandId {
        let items = self.demands.items(demand);
        if items.iter().all(|item| item.on.is_none()) {
            return demand;
        }
        let is_for = |item: &&DemandItem| item.on.as_ref().is_none_or(|on| on.contains(ty));
        let own = items.iter().filter(is_for).map(|item| DemandItem { on: None, ..item.clone() });
        self.demands.intern(own.collect())
    }

    /// The best way to meet a demand on an object whose type is that of the node.
    pub(super) fn solve(
        &mut self,
        node: NodeId,
        demand: DemandId,
    ) -> Result<Option<Rc<Solution>>, PlanError> {
        let key = (node, demand);
        if let Some(known) = self.memo.get(&key) {
            return Ok(known.clone());
        }
        if let Some(depth) = self.open.iter().position(|open| *open == key) {
            self.came_back_to = self.came_back_to.min(depth);
            return Ok(None);
        }
        let depth = self.open.len();
        self.open.push(key);
        let solution = self.solve_unseen(node, demand);
        self.open.pop();
        let solution = solution?.map(Rc::new);
        if self.came_back_to >= depth {
            self.came_back_to = usize::MAX;
            self.memo.insert(key, solution.clone());
        }
        Ok(solution)
    }

    fn solve_unseen(&mut self, node: NodeId, demand: DemandId) -> Result<Option<Solution>, PlanError> {
        let mut wanted = Vec::new();
        let mut choices = Vec::new();
        let mut cost = Cost::default();
        for item in self.demands.items(demand).iter() {
            self.budget.step()?;
            let offers = self.offers(node, item)?;
            if let Some(here) = offers.iter().find(|offer| offer.is_free()) {
                cost.fields += here.cost.fields;
                choices.push((item.clone(), Choice::Stay));
                continue;
            }
            if !offers.is_empty() {
                wanted.push((item.clone(), vec![(item.of, offers)]));
                continue;
            }
            let mut parts = Vec::new();
            for part in self.leaf_paths(item.of)? {
                let offers = self.offers(node, &DemandItem { of: part, ..item.clone() })?;
                parts.push((part, offers));
            }
            if parts.is_empty() || parts.iter().any(|(_, offers)| offers.is_empty()) {
                self.unreachable = Some((self.graph.node(node).ty, item.name.clone()));
                return Ok(None);
            }
            wanted.push((item.clone(), parts));
        }
        let offers: Vec<&[Offer]> =
            wanted.iter().flat_map(|(_, parts)| parts.iter().map(|(_, offers)| &offers[..])).collect();
        let taken = choose::choose(&offers, &mut self.budget)?;
        let mut moves = MoveSet::default();
        let mut taken = taken.into_iter();
        for (item, parts) in &wanted {
            let mut ways = Vec::with_capacity(parts.len());
            for ((part, offers), row) in parts.iter().zip(&mut taken) {
                cost.add_offer(&offers[row], &mut moves);
                ways.push((*part, offers[row].choice.clone()));
            }
            let choice = match ways.len() {
                1 => ways.remove(0).1,
                _ => self.join_parts(ways),
            };
            choices.push((item.clone(), choice));
        }
        cost.moves = moves;
        Ok(Some(Solution { cost, choices }))
    }

    /// The ways to get one wanted field, none if there is no way.
    fn offers(&mut self, node: NodeId, item: &DemandItem) -> Result<Vec<Offer>, PlanError> {
        let graph = self.graph;
        let here = graph.node(node);
        let mut offers = Vec::new();
        let own = self.edge(node, &item.name).filter(|edge| edge.requires.is_none() && item.on.is_none());
        if let Some(edge) = own
            && let Some(below) = self.below(edge, item.of)?
        {
            let is_free = below.fetches() == 0;
            offers.push(Offer::stay(&below));
            if is_free {
                return Ok(offers);
            }
        }
        for (row, entry) in graph.entries(here.ty).iter().enumerate() {
            self.budget.step()?;
            let Some((requires, below)) = self.behind(entry, item)? else { continue };
            if entry.subgraph == here.subgraph && requires.is_none() {
                continue;
            }
            let Some(before) = self.way_in(node, entry, requires)? else { continue };
            let offer = Offer::go(row, entry.subgraph, &before, &below);
            // Of several keys into one subgraph the cheapest counts, the first among equals.
            match offers.iter_mut().find(|known| known.enters == Some(entry.subgraph)) {
                Some(known) if offer.cost.is_less(&known.cost) => *known = offer,
                Some(_) => {}
                None => offers.push(offer),
            }
        }
        Ok(offers)
    }

    /// What a field requires behind an entry, and what it costs from there; `None` if it is not there.
    fn behind(
        &mut self,
        entry: &'a Entry,
        item: &DemandItem,
    ) -> Result<Option<(Option<&'a FieldSet>, Cost)>, PlanError> {
        if self.is_split_by_type(entry.node) {
            let demand = self.demands.intern(vec![item.clone()]);
            return Ok(self.cost(entry.node, demand)?.map(|cost| (None, cost)));
        }
        match self.edge(entry.node, &item.name).filter(|_| item.on.is_none()) {
            Some(edge) => Ok(self.below(edge, item.of)?.map(|cost| (edge.requires.as_ref(), cost))),
            None => Ok(None),
        }
    }

    /// The cost of having in hand what an entry asks for.
    fn way_in(
        &mut self,
        node: NodeId,
        entry: &Entry,
        requires: Option<&FieldSet>,
    ) -> Result<Option<Rc<Solution>>, PlanError> {
        let sets: Vec<&FieldSet> = entry.key.iter().chain(requires).collect();
        let demand = self.demands.of_sets(self.supergraph, &sets);
        self.solve(node, demand)
    }

    /// The cost of what is wanted of a field's value.
    pub(super) fn below(&mut self, edge: &FieldEdge, of: DemandId) -> Result<Option<Cost>, PlanError> {
        match edge.to {
            Some(to) => self.cost(to, of),
            None => Ok(Some(Cost::default())),
        }
    }

    /// The edge of a field at a node, if this request may take it.
    pub(super) fn edge(&self, node: NodeId, name: &str) -> Option<&'a FieldEdge> {
        let ty = self.graph.node(node).ty;
        let field = self.supergraph.field_named(ty, name)?;
        let edge = self.graph.field(node, field.id)?;
        let is_open = |state: &supergraph::query_graph::OverrideState| {
            self.options.override_labels.contains(&state.label) == state.is_set
        };
        edge.only_if.as_ref().is_none_or(is_open).then_some(edge)
    }

    /// The demand as one demand for each leaf, each with only the fields that lead to it.
    pub(super) fn leaf_paths(&mut self, demand: DemandId) -> Result<Vec<DemandId>, PlanError> {
        let mut paths = Vec::new();
        for item in self.demands.items(demand).iter() {
            if item.of == DemandId::NOTHING {
                self.budget.step()?;
                paths.push(self.demands.intern(vec![item.clone()]));
            }
            for below in self.leaf_paths(item.of)? {
                paths.push(self.demands.intern(vec![DemandItem { of: below, ..item.clone() }]));
            }
        }
        Ok(paths)
    }

    /// Puts parts that are got in the same way together again.
    fn join_parts(&mut self, ways: Vec<(DemandId, Choice)>) -> Choice {
        let mut joined: Vec<(DemandId, Choice)> = Vec::new();
        for (part, choice) in ways {
            match joined.iter_mut().find(|(_, known)| *known == choice) {
                Some((known, _)) => *known = self.union(*known, part),
                None => joined.push((part, choice)),
            }
        }
        match joined.len() {
            1 => joined.remove(0).1,
            _ => Choice::Split(joined),
        }
    }

    fn union(&mut self, left: DemandId, right: DemandId) -> DemandId {
        let mut items: Vec<DemandItem> = self.demands.items(left).to_vec();
        for item in self.demands.items(right).iter() {
            let same = items.iter().position(|known| known.name == item.name && known.on == item.on);
            match same {
                Some(row) => items[row].of = self.union(items[row].of, item.of),
                None => items.push(item.clone()),
            }
        }
        self.demands.intern(items)
    }
}
