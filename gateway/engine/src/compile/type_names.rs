//! The names of object types, by id and back.

use rustc_hash::FxHashMap;
use supergraph::{Supergraph, TypeId, TypeKind};

/// The object types of a supergraph.
#[derive(Debug, Default)]
pub(crate) struct TypeNames {
    by_name: FxHashMap<Box<[u8]>, TypeId>,
    /// By the row of the type, in quotes.
    quoted: Vec<Box<[u8]>>,
}

impl TypeNames {
    pub(crate) fn of(supergraph: &Supergraph) -> Self {
        let objects = supergraph.types().iter().filter(|ty| ty.kind == TypeKind::Object);
        TypeNames {
            by_name: objects.map(|ty| (ty.name.as_bytes().into(), ty.id)).collect(),
            quoted: supergraph
                .types()
                .iter()
                .map(|ty| format!("\"{}\"", ty.name).into_bytes().into())
                .collect(),
        }
    }

    /// The object type of this name.
    pub(crate) fn find(&self, name: &[u8]) -> Option<TypeId> {
        self.by_name.get(name).copied()
    }

    /// The name as a JSON string.
    pub(crate) fn quoted(&self, id: TypeId) -> &[u8] {
        &self.quoted[id.index()]
    }
}
