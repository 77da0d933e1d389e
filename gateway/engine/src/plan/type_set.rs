//! Sets of concrete object types.

use std::sync::Arc;

use supergraph::TypeId;

/// A set of object types, ascending, cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeSet(Arc<[TypeId]>);

impl TypeSet {
    /// The set of these types.
    pub fn new(types: impl IntoIterator<Item = TypeId>) -> TypeSet {
        let mut types: Vec<TypeId> = types.into_iter().collect();
        types.sort();
        types.dedup();
        TypeSet(types.into())
    }

    /// Whether the type is in the set.
    pub fn contains(&self, id: TypeId) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    /// The types, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TypeId> + '_ {
        self.0.iter().copied()
    }

    /// How many types there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no type.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only type, if there is exactly one.
    pub fn single(&self) -> Option<TypeId> {
        match self.0[..] {
            [id] => Some(id),
            _ => None,
        }
    }

    /// The types in both sets.
    pub fn intersection(&self, other: &TypeSet) -> TypeSet {
        if self == other {
            return self.clone();
        }
        TypeSet(self.iter().filter(|id| other.contains(*id)).collect())
    }

    /// The types in this set but not in the other.
    pub fn difference(&self, other: &TypeSet) -> TypeSet {
        TypeSet(self.iter().filter(|id| !other.contains(*id)).collect())
    }

    /// The types in either set.
    pub fn union(&self, other: &TypeSet) -> TypeSet {
        TypeSet::new(self.iter().chain(other.iter()))
    }

    /// Whether every type is in the other set, too.
    pub fn is_subset(&self, other: &TypeSet) -> bool {
        self.iter().all(|id| other.contains(id))
    }
}
