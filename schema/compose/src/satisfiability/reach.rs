//! What can be reached from some nodes of the query graph: other subgraphs by key, fields, values.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};
use supergraph::query_graph::{FieldEdge, NodeId, OverrideState, QueryGraph};
use supergraph::{FieldSet, FieldSetSelection, Supergraph, TypeId};

/// Nodes at any of which an object may be at hand.
pub(super) type Nodes = BTreeSet<NodeId>;

/// Answers what is reachable, and remembers it.
pub(super) struct Reach<'a> {
    pub supergraph: &'a Supergraph,
    pub graph: &'a QueryGraph,
    closures: FxHashMap<(TypeId, Nodes), Nodes>,
    /// The labels of progressive overrides that the request has.
    labels: BTreeSet<&'a str>,
    /// Requirements being looked into, so that one that needs itself is not taken for met.
    open: FxHashSet<(NodeId, String)>,
}

impl<'a> Reach<'a> {
    pub fn new(supergraph: &'a Supergraph, graph: &'a QueryGraph, labels: BTreeSet<&'a str>) -> Self {
        Self { supergraph, graph, closures: FxHashMap::default(), labels, open: FxHashSet::default() }
    }

    /// `nodes` and all that an object of type `ty` can move to from there.
    pub fn closure(&mut self, ty: TypeId, nodes: Nodes) -> Nodes {
        let question = (ty, nodes);
        if let Some(known) = self.closures.get(&question) {
            return known.clone();
        }
        let graph = self.graph;
        let mut reached = question.1.clone();
        loop {
            let before = reached.len();
            for entry in graph.entries(ty) {
                if reached.contains(&entry.node) {
                    continue;
                }
                if entry.key.as_ref().is_none_or(|key| self.can_select(ty, &reached, key)) {
                    reached.insert(entry.node);
                }
            }
            if reached.len() == before {
                break;
            }
        }
        // What was found while a requirement was open may be less than there is.
        if self.open.is_empty() {
            self.closures.insert(question, reached.clone());
        }
        reached
    }

    /// Can all of `selection` be had of an object of type `ty` at hand at `nodes`?
    pub fn can_select(&mut self, ty: TypeId, nodes: &Nodes, selection: &FieldSet) -> bool {
        selection.selections.iter().all(|selected| match selected {
            FieldSetSelection::Typename => true,
            FieldSetSelection::Fragment { on, set } => {
                let applies = *on == ty || self.supergraph.ty(*on).possible.contains(&ty);
                !applies || self.can_select(ty, nodes, set)
            }
            FieldSetSelection::Field(field) => {
                let Some(values) = self.values(ty, nodes, &field.name) else { return false };
                let inner = self.supergraph.ty(self.supergraph.field(field.field).inner);
                let by_type = if inner.is_composite() { self.objects(inner.id, values) } else { Vec::new() };
                field.set.is_empty()
                    || by_type.into_iter().all(|(object, nodes)| {
                        let nodes = self.closure(object, nodes);
                        self.can_select(object, &nodes, &field.set)
                    })
            }
        })
    }

    /// The nodes to which a field leads; `None` if no node resolves it. A scalar leads nowhere.
    pub fn values(&mut self, ty: TypeId, nodes: &Nodes, field: &str) -> Option<Nodes> {
        let mut resolved = false;
        let mut values = Nodes::new();
        for node in nodes {
            if let Some(edge) = self.edge(*node, field)
                && self.is_met(ty, nodes, *node, field, edge)
            {
                resolved = true;
                values.extend(edge.to);
            }
        }
        resolved.then_some(values)
    }

    /// The edge of a field, by name: the node's type may be an interface that stands for the object's.
    ///
    /// The planner takes an external key field for resolved, since whoever knows an entity knows its key.
    /// A schema should not rely on that: here it is resolved only where it is provided.
    pub fn edge(&self, node: NodeId, field: &str) -> Option<&'a FieldEdge> {
        let at = self.graph.node(node);
        let field = self.supergraph.field_named(at.ty, field)?;
        let provided = |selected: &FieldSetSelection| matches!(selected, FieldSetSelection::Field(given) if given.name == field.name);
        let external = field.join(at.subgraph).is_some_and(|join| join.external);
        if external && !at.provided.selections.iter().any(provided) {
            return None;
        }
        let edge = self.graph.field(node, field.id)?;
        let there = |only_if: &OverrideState| self.labels.contains(only_if.label.as_str()) == only_if.is_set;
        edge.only_if.as_ref().is_none_or(there).then_some(edge)
    }

    /// Can what the field requires be had elsewhere, and its subgraph be entered with it?
    fn is_met(&mut self, ty: TypeId, nodes: &Nodes, node: NodeId, field: &str, edge: &FieldEdge) -> bool {
        let Some(requires) = &edge.requires else { return true };
        let open = (node, field.to_owned());
        if !self.open.insert(open.clone()) {
            return false;
        }
        let met = self.can_select(ty, nodes, requires) && self.can_enter(ty, nodes, node);
        self.open.remove(&open);
        met
    }

    fn can_enter(&mut self, ty: TypeId, nodes: &Nodes, node: NodeId) -> bool {
        let (graph, subgraph) = (self.graph, self.graph.node(node).subgraph);
        graph
            .entries(ty)
            .iter()
            .filter(|entry| entry.subgraph == subgraph)
            .any(|entry| entry.key.as_ref().is_none_or(|key| self.can_select(ty, nodes, key)))
    }

    /// The object types that a value can have, with the nodes for each.
    pub fn objects(&mut self, ty: TypeId, nodes: Nodes) -> Vec<(TypeId, Nodes)> {
        if !self.supergraph.ty(ty).is_abstract() {
            return vec![(ty, nodes)];
        }
        let mut objects: FxHashMap<TypeId, Nodes> = FxHashMap::default();
        for node in nodes {
            if !self.is_interface_object(node) {
                self.add_downcasts(node, None, &mut objects);
                continue;
            }
            // Only a subgraph that has the interface as such knows which object it is.
            let interface = self.graph.node(node).ty;
            for other in self.closure(interface, [node].into()) {
                self.add_downcasts(other, Some(node), &mut objects);
            }
        }
        let mut objects: Vec<(TypeId, Nodes)> = objects.into_iter().collect();
        objects.sort_by_key(|(ty, _)| *ty);
        objects
    }

    fn add_downcasts(&self, node: NodeId, beside: Option<NodeId>, objects: &mut FxHashMap<TypeId, Nodes>) {
        for (object, downcast) in self.graph.downcasts(node) {
            let nodes = objects.entry(*object).or_default();
            nodes.insert(*downcast);
            nodes.extend(beside);
        }
    }

    pub fn is_interface_object(&self, node: NodeId) -> bool {
        let node = self.graph.node(node);
        self.supergraph.ty(node.ty).join(node.subgraph).is_some_and(|join| join.is_interface_object)
    }
}
