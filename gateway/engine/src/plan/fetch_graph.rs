//! The logical plan: the client's selection, and the fetches that fill it.
//!
//! Everything that is fetched lands at a *position*: the root, or an object found by following slots.
//! Positions have *slots*, named by response key. All fetches that put something at a position share its
//! slots, so a slot filled by one subgraph is read by the client's selection, by the representation of an
//! entity that another subgraph is asked for, or by both. A value that only the engine needs (a key, a
//! requirement) uses the client's slot when the client asked for the same, and otherwise a slot whose name
//! no client's key at that position has.
//!
//! Several fetches may fill one slot: a leaf with the same value, an object or a list of objects each with
//! fields of its own, which add up. In one selection a response key may occur more than once, under
//! different conditions or inside and outside of a fragment; these add up, too. Objects found through an
//! interface object have no type until a later fetch brings it, if anything depends on it.
//!
//! ```text
//! client      { product { title price { amount } } }
//! fetch 0     products   { product { title __typename id } }            root
//! fetch 1     pricing    _entities → { price { amount } }               after 0
//!             target     path product, type Product, representation { __typename id }
//! ```

use apollo_compiler::ast::{Argument, OperationType, Type as TypeReference, VariableDefinition};
use apollo_compiler::{Name, Node};
use supergraph::{FieldId, SubgraphId, TypeId};

use super::{Condition, TypeSet};

/// How an operation is answered. Nothing in it depends on the values of variables.
#[derive(Clone, Debug)]
pub struct QueryPlan {
    pub operation: OperationType,
    /// The root type of the operation.
    pub root: TypeId,
    /// What the client asked for, in its order.
    pub selection: Vec<SelectedField>,
    /// The variables of the operation as declared.
    pub variables: Vec<Node<VariableDefinition>>,
    /// The fetches; each comes after all that it waits for. In a subscription the first is the stream and
    /// the others run for each event. Empty when the operation is answered without subgraphs.
    pub fetches: Vec<Fetch>,
    /// The slot of the internal `__typename` at every position whose type is abstract. It is
    /// `__typename`, unless a client gave that alias to another field.
    pub typename: Name,
}

/// A field of the client's normalised selection: fragments are inlined, equal response keys merged.
///
/// At a position of abstract type the entries of one response key are for disjoint sets of types, so for an
/// object of concrete type `T` the answer consists of the entries with `on` absent or containing `T`, in
/// order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedField {
    /// The key in the answer, and the name of the slot that is read.
    pub response_key: Name,
    /// The field's name. `__typename` is read from the type of the position; `__schema` and `__type` at
    /// the root are answered from the API schema; no fetch contains them.
    pub name: Name,
    /// The field in the supergraph; `None` for `__typename`, `__schema` and `__type`.
    pub field: Option<FieldId>,
    /// The type in the API schema, with lists and nullability.
    pub ty: TypeReference,
    /// The named type inside `ty`; `None` for introspection types, which the supergraph does not list.
    pub inner: Option<TypeId>,
    pub arguments: Vec<Node<Argument>>,
    /// The concrete types of the parent that this is for; `None` for all that the position can have.
    pub on: Option<TypeSet>,
    /// Wanted only if this holds. The conditions of the fields above are not repeated.
    pub condition: Condition,
    /// What is selected of the value; empty for scalars and enums, and for an object of which every field is
    /// excluded by a constant condition.
    pub selection: Vec<SelectedField>,
}

/// The row of a fetch in [`QueryPlan::fetches`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub u32);

impl FetchId {
    /// The row as an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// One request to one subgraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    pub id: FetchId,
    pub subgraph: SubgraphId,
    pub kind: FetchKind,
    /// The fetches that must be over before this one starts, ascending; none is implied by another. Its
    /// data may come from these or from any before them. One that failed does not stop this one: what it
    /// left null has no representations. One that was left out counts as over.
    pub after: Vec<FetchId>,
    /// If this does not hold the fetch is left out.
    pub condition: Condition,
    /// The client's variables that arguments and conditions inside use, in the order of declaration.
    pub variables: Vec<Name>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchKind {
    /// Fields of a root type.
    Root {
        operation: OperationType,
        /// Where the answer's `data` lands: at the root when empty. Otherwise at an object whose type is
        /// the query type, reached through the data of another fetch (a payload's `query: Query`); the
        /// same answer then fills all objects there.
        path: Vec<PathStep>,
        selections: Vec<FetchSelection>,
    },
    /// `_entities`, once for each group.
    Entities { groups: Vec<EntityGroup> },
}

/// One `_entities` field: the same selection for all its targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityGroup {
    /// The response key of the `_entities` field.
    pub alias: Name,
    /// The variable that carries the representations; no variable of the client has this name.
    pub variable: Name,
    /// A selection on `_Entity`: fragments, one for each type.
    pub selections: Vec<FetchSelection>,
    /// Where representations come from and answers go to. Equal representations may be sent once.
    pub targets: Vec<EntityTarget>,
    /// The group has something to ask only if this holds; else its list of representations is empty.
    pub condition: Condition,
}

/// Objects of one type at one position that a fetch adds to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTarget {
    /// How to find the objects, from the root.
    pub path: Vec<PathStep>,
    /// The concrete types of the objects at the end of the path that take part.
    pub types: TypeSet,
    /// The `__typename` of the representation: the entity type as the subgraph knows it. It differs from
    /// the object's type when the subgraph has an interface object.
    pub typename: Name,
    /// The fields of the representation beside `__typename`, read from the slots at the path. An object
    /// for which one of them is missing (its fetch failed, or null stands where the field is non-null)
    /// has no representation; a null of a nullable field is sent as null.
    pub representation: Vec<RepresentationField>,
}

/// One step of a path: into the value of a slot, through its lists, to objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathStep {
    /// The slot to follow.
    pub slot: Name,
    /// How many list levels lie between the slot and the objects.
    pub lists: u8,
    /// Go on only with objects of these concrete types; `None` for all.
    pub types: Option<TypeSet>,
}

/// One field of a representation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RepresentationField {
    /// The name in the representation.
    pub name: Name,
    /// The slot it is read from. For `__typename` the type of the object is written.
    pub slot: Name,
    /// The field's type in the supergraph; lists are written as lists.
    pub ty: TypeReference,
    /// Only for objects of these concrete types; `None` for all.
    pub on: Option<TypeSet>,
    /// The fields of the value; empty for scalars and enums.
    pub fields: Vec<RepresentationField>,
}

/// One part of what a subgraph is asked for at a position.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FetchSelection {
    Field(FetchField),
    Fragment(FetchFragment),
}

/// A field sent to a subgraph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FetchField {
    /// The key in the subgraph's answer: sent as an alias when it differs from `name`.
    pub response_key: Name,
    /// The slot that the value fills. It is `response_key`, except where a subgraph would refuse the
    /// client's key because of another type's field with the same key and another type.
    pub slot: Name,
    /// The field's name; `__typename` is possible.
    pub name: Name,
    pub arguments: Vec<Node<Argument>>,
    /// The type in the supergraph.
    pub ty: TypeReference,
    /// The named type inside `ty`; `None` for `__typename`.
    pub inner: Option<TypeId>,
    /// Asked for only if this holds. The conditions of the fields and fragments above are not repeated.
    pub condition: Condition,
    /// Empty for scalars and enums.
    pub selections: Vec<FetchSelection>,
}

/// `... on T { … }` sent to a subgraph.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FetchFragment {
    /// The type condition to send.
    pub on: Name,
    /// The concrete types it stands for.
    pub types: TypeSet,
    pub selections: Vec<FetchSelection>,
}

impl QueryPlan {
    /// The fetch with this id.
    pub fn fetch(&self, id: FetchId) -> &Fetch {
        &self.fetches[id.index()]
    }

    /// How many fetches wait for one another in the longest chain.
    pub fn stages(&self) -> usize {
        let mut depths: Vec<usize> = Vec::with_capacity(self.fetches.len());
        for fetch in &self.fetches {
            let before = fetch.after.iter().map(|id| depths[id.index()]).max().unwrap_or(0);
            depths.push(before + 1);
        }
        depths.into_iter().max().unwrap_or(0)
    }
}
