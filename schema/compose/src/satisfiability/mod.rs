//! Can every field be reached from every place that offers it?
//!
//! Walks the query graph that the planner plans on, from the root types, with the set of nodes at which
//! the object may be at hand; wherever the API schema offers a field, one of the nodes must resolve it.

mod explain;
mod reach;

use std::collections::{BTreeSet, VecDeque};

use apollo_compiler::ast::OperationType;
use rustc_hash::FxHashSet;
use supergraph::query_graph::QueryGraph;
use supergraph::{Field, FieldId, Supergraph, TypeId};

use self::reach::{Nodes, Reach};
use crate::error::CompositionError;

/// Checks all fields of the API schema; an error for each that cannot be reached somewhere, with the
/// shortest query that shows it.
pub(crate) fn check(supergraph: &Supergraph) -> Result<(), Vec<CompositionError>> {
    let graph = QueryGraph::new(supergraph);
    let mut told = FxHashSet::default();
    let mut errors = Vec::new();
    for labels in label_sets(supergraph) {
        let mut walk = Walk {
            supergraph,
            reach: Reach::new(supergraph, &graph, labels),
            steps: Vec::new(),
            queue: VecDeque::new(),
            seen: FxHashSet::default(),
            told: &mut told,
            errors: &mut errors,
        };
        for operation in [OperationType::Query, OperationType::Mutation, OperationType::Subscription] {
            if let Some(root) = supergraph.root(operation) {
                let step = walk.step(None, Step::Root(operation));
                walk.meet(root, graph.roots(supergraph, operation).into_iter().collect(), step);
            }
        }
        while let Some(place) = walk.queue.pop_front() {
            walk.visit(place);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

/// Requests to check for: with none of the labels of progressive overrides, with all of them, and with all
/// but one and only one, which finds what two labels spoil for each other.
fn label_sets(supergraph: &Supergraph) -> Vec<BTreeSet<&str>> {
    let joins = supergraph.fields().iter().flat_map(|field| &field.joins);
    let all: BTreeSet<&str> = joins.filter_map(|join| join.overrides.as_ref()?.label.as_deref()).collect();
    let mut sets = vec![BTreeSet::new(), all.clone()];
    for label in &all {
        sets.push([*label].into());
        sets.push(all.iter().copied().filter(|other| other != label).collect());
    }
    sets.sort();
    sets.dedup();
    sets
}

/// One step of the way to a place.
enum Step {
    Root(OperationType),
    Field(FieldId),
    /// `... on T`
    On(TypeId),
}

/// An object of some type, at hand at some nodes, and how one came there.
struct Place {
    ty: TypeId,
    nodes: Nodes,
    step: usize,
}

struct Walk<'a> {
    supergraph: &'a Supergraph,
    reach: Reach<'a>,
    /// Each with the step before it.
    steps: Vec<(Option<usize>, Step)>,
    queue: VecDeque<Place>,
    seen: FxHashSet<(TypeId, Nodes)>,
    /// Fields whose error is told: one way to show it is enough.
    told: &'a mut FxHashSet<FieldId>,
    errors: &'a mut Vec<CompositionError>,
}

impl Walk<'_> {
    fn step(&mut self, before: Option<usize>, step: Step) -> usize {
        self.steps.push((before, step));
        self.steps.len() - 1
    }

    /// Notes a place to visit, unless it was.
    fn meet(&mut self, ty: TypeId, nodes: Nodes, step: usize) {
        let nodes = self.reach.closure(ty, nodes);
        if self.seen.insert((ty, nodes.clone())) {
            self.queue.push_back(Place { ty, nodes, step });
        }
    }

    fn visit(&mut self, place: Place) {
        let supergraph = self.supergraph;
        let ty = supergraph.ty(place.ty);
        let visible = ty.fields.values().map(|id| supergraph.field(*id)).filter(|field| !field.inaccessible);
        for field in visible {
            match self.reach.values(place.ty, &place.nodes, &field.name) {
                Some(values) => self.follow(field, values, place.step),
                None if self.told.insert(field.id) => {
                    let error = explain::unreachable(&mut self.reach, &self.steps, &place, field);
                    self.errors.push(error);
                }
                None => {}
            }
        }
    }

    fn follow(&mut self, field: &Field, values: Nodes, before: usize) {
        let inner = self.supergraph.ty(field.inner);
        if !inner.is_composite() || inner.inaccessible {
            return;
        }
        let step = self.step(Some(before), Step::Field(field.id));
        let untyped = values.iter().any(|node| self.reach.is_interface_object(*node));
        let objects = self.reach.objects(inner.id, values);
        if untyped && objects.is_empty() && !inner.possible.is_empty() && self.told.insert(field.id) {
            self.errors.push(explain::untyped(&self.reach, &self.steps, before, field));
        }
        for (object, nodes) in objects {
            if self.supergraph.ty(object).inaccessible {
                continue;
            }
            let step = if inner.is_abstract() { self.step(Some(step), Step::On(object)) } else { step };
            self.meet(object, nodes, step);
        }
    }
}
