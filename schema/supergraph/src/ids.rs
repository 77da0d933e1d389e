//! Small integers that stand for the rows of a supergraph's tables.

use std::fmt;

/// A subgraph, in the order of the `join__Graph` enum.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubgraphId(pub u16);

/// A type of the supergraph.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

/// A field of an object or interface type of the supergraph; fields of different types differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldId(pub u32);

impl SubgraphId {
    /// The row of this subgraph in [`Supergraph::subgraphs`](crate::Supergraph::subgraphs).
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl TypeId {
    /// The row of this type in [`Supergraph::types`](crate::Supergraph::types).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl FieldId {
    /// The row of this field in [`Supergraph::fields`](crate::Supergraph::fields).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for SubgraphId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "subgraph {}", self.0)
    }
}

impl fmt::Debug for TypeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "type {}", self.0)
    }
}

impl fmt::Debug for FieldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field {}", self.0)
    }
}
