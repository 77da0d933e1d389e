//! Which type of several can stand for all: the most general for outputs, the strictest for inputs.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use apollo_compiler::schema::ExtendedType;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::subgraph::{Graph, interfaces};

/// Abstract type → the types that are one of it, in any subgraph.
#[derive(Default)]
pub(crate) struct Hierarchy(FxHashMap<Name, FxHashSet<Name>>);

impl Hierarchy {
    pub fn of(graphs: &[Graph]) -> Self {
        let mut below: FxHashMap<Name, FxHashSet<Name>> = FxHashMap::default();
        for graph in graphs {
            for (name, ty) in &graph.schema.types {
                for interface in interfaces(ty) {
                    below.entry(interface.clone()).or_default().insert(name.clone());
                }
                if let ExtendedType::Union(union) = ty {
                    below
                        .entry(name.clone())
                        .or_default()
                        .extend(union.members.iter().map(|m| m.name.clone()));
                }
            }
        }
        Self(below)
    }

    fn contains(&self, general: &Name, special: &Name) -> bool {
        self.0.get(general).is_some_and(|below| below.contains(special))
    }

    /// May a value of type `special` stand where `general` is promised?
    pub fn is_subtype(&self, special: &Type, general: &Type) -> bool {
        match (special, general) {
            (Type::Named(a), Type::Named(b))
            | (Type::NonNullNamed(a), Type::Named(b) | Type::NonNullNamed(b)) => {
                a == b || self.contains(b, a)
            }
            (Type::List(a), Type::List(b)) | (Type::NonNullList(a), Type::List(b) | Type::NonNullList(b)) => {
                self.is_subtype(a, b)
            }
            _ => false,
        }
    }

    /// Are the types equal, but for a named type that may be a special case of the general one?
    pub fn is_same_shape(&self, special: &Type, general: &Type) -> bool {
        match (special, general) {
            (Type::Named(a), Type::Named(b)) | (Type::NonNullNamed(a), Type::NonNullNamed(b)) => {
                a == b || self.contains(b, a)
            }
            (Type::List(a), Type::List(b)) | (Type::NonNullList(a), Type::NonNullList(b)) => {
                self.is_same_shape(a, b)
            }
            _ => false,
        }
    }

    /// The type among `types` that every other can stand for.
    pub fn most_general<'a>(&self, types: &[&'a Type]) -> Option<&'a Type> {
        types.iter().find(|general| types.iter().all(|special| self.is_subtype(special, general))).copied()
    }

    /// The type among `types` that can stand for every other.
    pub fn strictest<'a>(&self, types: &[&'a Type]) -> Option<&'a Type> {
        types.iter().find(|special| types.iter().all(|general| self.is_subtype(special, general))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Type {
        Type::parse(text, "type").unwrap()
    }

    fn hierarchy() -> Hierarchy {
        let mut below = FxHashMap::default();
        below.insert(
            Name::new_static("Node").unwrap(),
            [Name::new_static("User").unwrap()].into_iter().collect(),
        );
        Hierarchy(below)
    }

    #[test]
    fn nullable_is_more_general_and_an_interface_than_its_implementation() {
        let (a, b, c) = (parse("[User!]!"), parse("[User]"), parse("[Node]"));
        assert_eq!(hierarchy().most_general(&[&a, &b, &c]), Some(&c));
        assert_eq!(hierarchy().strictest(&[&a, &b, &c]), Some(&a));
    }

    #[test]
    fn the_same_shape_has_the_same_nulls() {
        let (a, b, c) = (parse("[User]!"), parse("[Node]!"), parse("[User!]!"));
        assert!(hierarchy().is_same_shape(&a, &b));
        assert!(!hierarchy().is_same_shape(&b, &a));
        assert!(!hierarchy().is_same_shape(&c, &b));
    }

    #[test]
    fn there_need_not_be_one_type_for_all() {
        let (a, b) = (parse("[User!]"), parse("[User]!"));
        assert_eq!(hierarchy().most_general(&[&a, &b]), None);
        assert_eq!(hierarchy().strictest(&[&a, &b]), None);
        let (a, b) = (parse("Int"), parse("String"));
        assert_eq!(hierarchy().most_general(&[&a, &b]), None);
    }
}
