//! The tables: subgraphs, types, fields, and what each subgraph knows of each type and field.

use apollo_compiler::ast::{InputValueDefinition, OperationType, Type as TypeReference};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;
use rustc_hash::FxHashMap;

use crate::{Authorization, FieldId, FieldSet, SubgraphId, TypeId};

/// A supergraph, read from SDL and never changed.
#[derive(Debug)]
pub struct Supergraph {
    pub(crate) subgraphs: Vec<Subgraph>,
    pub(crate) types: Vec<Type>,
    pub(crate) fields: Vec<Field>,
    pub(crate) type_ids: FxHashMap<Name, TypeId>,
    pub(crate) query: TypeId,
    pub(crate) mutation: Option<TypeId>,
    pub(crate) subscription: Option<TypeId>,
    pub(crate) api_schema: Valid<Schema>,
}

/// One subgraph of the supergraph.
#[derive(Clone, Debug)]
pub struct Subgraph {
    pub id: SubgraphId,
    /// The value of `join__Graph`, such as `PRODUCTS`.
    pub graph: Name,
    /// The name the subgraph was published under, such as `products`.
    pub name: String,
    /// Where it can be reached; may be empty when the transport is configured elsewhere.
    pub url: String,
}

/// The kinds of named types in GraphQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    InputObject,
}

/// A type of the supergraph.
#[derive(Clone, Debug)]
pub struct Type {
    pub id: TypeId,
    pub name: Name,
    pub kind: TypeKind,
    /// Fields of an object or interface, in the order of the schema. Inaccessible ones are among them.
    pub fields: IndexMap<Name, FieldId>,
    /// The object types a value of this type can have, ascending; an object type has itself.
    pub possible: Vec<TypeId>,
    /// The interfaces an object or interface implements, ascending.
    pub interfaces: Vec<TypeId>,
    /// What each subgraph that has this type knows of it, ascending by subgraph.
    pub joins: Vec<TypeJoin>,
    /// What a client must show to see anything of this type.
    pub authorization: Authorization,
    /// Hidden from clients, but usable in keys and requirements.
    pub inaccessible: bool,
}

/// What one subgraph knows of a type.
#[derive(Clone, Debug)]
pub struct TypeJoin {
    pub subgraph: SubgraphId,
    /// The `@key`s of the type in this subgraph, in the order of the schema.
    pub keys: Vec<Key>,
    /// Here the type is an object type that stands for every implementation of an interface.
    pub is_interface_object: bool,
    /// The object types that this subgraph itself can answer with at this type, ascending.
    pub possible: Vec<TypeId>,
    /// The interfaces that the type implements in this subgraph, ascending.
    pub interfaces: Vec<TypeId>,
}

/// A `@key` of a type in a subgraph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub selection: FieldSet,
    /// Whether the subgraph resolves an entity from this key; it can hand out the key in any case.
    pub resolvable: bool,
}

/// A field of an object or interface type.
#[derive(Clone, Debug)]
pub struct Field {
    pub id: FieldId,
    pub parent: TypeId,
    pub name: Name,
    /// The type in the supergraph.
    pub ty: TypeReference,
    /// The named type inside `ty`.
    pub inner: TypeId,
    pub arguments: Vec<Node<InputValueDefinition>>,
    /// What each subgraph that mentions this field knows of it, ascending by subgraph.
    pub joins: Vec<FieldJoin>,
    /// What a client must show to see this field: its own directives, those of its type and of its parent.
    pub authorization: Authorization,
    pub inaccessible: bool,
}

/// What one subgraph knows of a field.
#[derive(Clone, Debug)]
pub struct FieldJoin {
    pub subgraph: SubgraphId,
    /// The type of the field in this subgraph.
    pub ty: TypeReference,
    /// What of the parent must be sent along for the field to be resolved.
    pub requires: Option<FieldSet>,
    /// What of the value this subgraph resolves here although it does not elsewhere.
    pub provides: Option<FieldSet>,
    /// The subgraph mentions the field, but resolves it only where a `@provides` says so.
    pub external: bool,
    /// The field was taken over from another subgraph.
    pub overrides: Option<Override>,
    /// The field was taken over by another subgraph and stays only for interfaces and keys.
    pub used_overridden: bool,
}

/// A field taken over from another subgraph (`@override`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The subgraph that had the field; `None` if the supergraph no longer knows it.
    pub from: Option<SubgraphId>,
    /// The take-over holds only for requests with this label; without one it always holds.
    pub label: Option<String>,
}

/// Why a text is not a supergraph.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SupergraphError {
    #[error("the supergraph is not valid GraphQL:\n{0}")]
    Invalid(String),
    #[error("the text is GraphQL but no supergraph: {0}")]
    NotASupergraph(&'static str),
    #[error("the supergraph uses {url}, which is not supported")]
    UnsupportedFeature { url: String },
    #[error("{place}: {message}")]
    Malformed { place: String, message: String },
    #[error("the API schema made from the supergraph is not valid:\n{0}")]
    InvalidApiSchema(String),
}

impl Supergraph {
    /// All subgraphs; the row is the id.
    pub fn subgraphs(&self) -> &[Subgraph] {
        &self.subgraphs
    }

    /// All types, without those of the join and link specifications; the row is the id.
    pub fn types(&self) -> &[Type] {
        &self.types
    }

    /// All fields of object and interface types; the row is the id.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The subgraph with this id.
    pub fn subgraph(&self, id: SubgraphId) -> &Subgraph {
        &self.subgraphs[id.index()]
    }

    /// The subgraph published under this name.
    pub fn subgraph_named(&self, name: &str) -> Option<&Subgraph> {
        self.subgraphs.iter().find(|subgraph| subgraph.name == name)
    }

    /// The type with this id.
    pub fn ty(&self, id: TypeId) -> &Type {
        &self.types[id.index()]
    }

    /// The type with this name.
    pub fn type_named(&self, name: &str) -> Option<&Type> {
        self.type_ids.get(name).map(|id| self.ty(*id))
    }

    /// The field with this id.
    pub fn field(&self, id: FieldId) -> &Field {
        &self.fields[id.index()]
    }

    /// The field of this name on an object or interface type.
    pub fn field_named(&self, parent: TypeId, name: &str) -> Option<&Field> {
        self.ty(parent).fields.get(name).map(|id| self.field(*id))
    }

    /// The root type of an operation.
    pub fn root(&self, operation: OperationType) -> Option<TypeId> {
        match operation {
            OperationType::Query => Some(self.query),
            OperationType::Mutation => self.mutation,
            OperationType::Subscription => self.subscription,
        }
    }

    /// The schema that clients see: no join machinery, nothing inaccessible.
    pub fn api_schema(&self) -> &Valid<Schema> {
        &self.api_schema
    }
}

impl Type {
    /// Whether a value of this type has fields of its own.
    pub fn is_composite(&self) -> bool {
        self.is_abstract() || self.kind == TypeKind::Object
    }

    /// Whether a value of this type has another, concrete type.
    pub fn is_abstract(&self) -> bool {
        matches!(self.kind, TypeKind::Interface | TypeKind::Union)
    }

    /// What the subgraph knows of this type, if it has it.
    pub fn join(&self, subgraph: SubgraphId) -> Option<&TypeJoin> {
        self.joins.binary_search_by_key(&subgraph, |join| join.subgraph).ok().map(|row| &self.joins[row])
    }
}

impl Field {
    /// What the subgraph knows of this field, if it mentions it.
    pub fn join(&self, subgraph: SubgraphId) -> Option<&FieldJoin> {
        self.joins.binary_search_by_key(&subgraph, |join| join.subgraph).ok().map(|row| &self.joins[row])
    }
}
