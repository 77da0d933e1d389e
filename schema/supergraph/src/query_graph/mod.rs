//! What can be reached from where: the types of each subgraph as nodes, and the moves between them.
//!
//! A node is a composite type in a subgraph. From it one can go
//!
//! - along a **field** that the subgraph resolves ([`QueryGraph::field`]), to a node of the same subgraph;
//! - **down** from an abstract type to an object type it can be ([`QueryGraph::downcasts`]);
//! - **sideways** to another subgraph that resolves the same entity by a key ([`QueryGraph::entries`]), once
//!   the key's selection is in hand, wherever it comes from. A root query type is entered without a key,
//!   an interface object by the key of the interface it stands for.
//!
//! A field with `@requires` is resolved only on entering its subgraph with the required selection in hand,
//! also when one is there already.
//!
//! Where a field `@provides` part of its value, its edge leads to a copy of the node that has the provided
//! fields as well.

mod build;

use apollo_compiler::ast::OperationType;
use rustc_hash::FxHashMap;

use crate::{FieldId, FieldSet, SubgraphId, Supergraph, TypeId};

/// A node of a [`QueryGraph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// The nodes and edges of a supergraph.
#[derive(Debug)]
pub struct QueryGraph {
    nodes: Vec<GraphNode>,
    /// The node of a type in a subgraph, without anything provided.
    plain: FxHashMap<(SubgraphId, TypeId), NodeId>,
    /// By type: how an object of the type can be entered.
    entries: Vec<Vec<Entry>>,
}

/// A composite type in a subgraph.
#[derive(Debug)]
pub struct GraphNode {
    pub subgraph: SubgraphId,
    pub ty: TypeId,
    /// What is resolved here beyond what the type has in this subgraph.
    pub provided: FieldSet,
    fields: FxHashMap<FieldId, FieldEdge>,
    downcasts: Vec<(TypeId, NodeId)>,
}

/// A field that a subgraph resolves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldEdge {
    pub field: FieldId,
    /// Where it leads; `None` if the value is a scalar or an enum.
    pub to: Option<NodeId>,
    /// What must be sent along on entering the subgraph.
    pub requires: Option<FieldSet>,
    /// The edge exists only for some requests.
    pub only_if: Option<OverrideState>,
}

/// Progressive `@override`: for which requests a field is resolved here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideState {
    pub label: String,
    /// Whether the label must be set on the request, or must not.
    pub is_set: bool,
}

/// A way into a subgraph for an object that is known elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub subgraph: SubgraphId,
    /// The node one comes to. Its type is the object's, or an interface that the subgraph has as an
    /// interface object.
    pub node: NodeId,
    /// What must be in hand, a selection on the type of `node`; `None` for a root query type, which needs
    /// nothing.
    pub key: Option<FieldSet>,
}

impl QueryGraph {
    /// Builds the graph of a supergraph.
    pub fn new(supergraph: &Supergraph) -> QueryGraph {
        build::build(supergraph)
    }

    /// The node with this id.
    pub fn node(&self, id: NodeId) -> &GraphNode {
        &self.nodes[id.0 as usize]
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node of a type in a subgraph, if the subgraph has the type.
    pub fn node_of(&self, subgraph: SubgraphId, ty: TypeId) -> Option<NodeId> {
        self.plain.get(&(subgraph, ty)).copied()
    }

    /// The nodes of an operation's root type, ascending by subgraph.
    pub fn roots(&self, supergraph: &Supergraph, operation: OperationType) -> Vec<NodeId> {
        let Some(root) = supergraph.root(operation) else { return Vec::new() };
        supergraph.subgraphs().iter().filter_map(|subgraph| self.node_of(subgraph.id, root)).collect()
    }

    /// The edge of a field at a node, if it is resolved there. A `requires` on it must be heeded.
    pub fn field(&self, node: NodeId, field: FieldId) -> Option<&FieldEdge> {
        self.node(node).fields.get(&field)
    }

    /// The object types that a node of abstract type can be in its subgraph, ascending.
    pub fn downcasts(&self, node: NodeId) -> &[(TypeId, NodeId)] {
        &self.node(node).downcasts
    }

    /// The node for an object type that a node of abstract type can be.
    pub fn downcast(&self, node: NodeId, to: TypeId) -> Option<NodeId> {
        let downcasts = self.downcasts(node);
        downcasts.binary_search_by_key(&to, |(ty, _)| *ty).ok().map(|row| downcasts[row].1)
    }

    /// The ways into subgraphs for an object of this type, ascending by subgraph; keys in the order of the
    /// schema.
    pub fn entries(&self, ty: TypeId) -> &[Entry] {
        &self.entries[ty.index()]
    }
}

impl GraphNode {
    /// The fields resolved at this node, ascending.
    pub fn fields(&self) -> Vec<&FieldEdge> {
        let mut edges: Vec<&FieldEdge> = self.fields.values().collect();
        edges.sort_by_key(|edge| edge.field);
        edges
    }
}
