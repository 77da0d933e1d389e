//! Renames response keys where a subgraph would refuse them.
//!
//! Under fragments on different types one key may stand for fields of different types, as long as these
//! look alike in the supergraph. In a subgraph they may differ (one may be non-null there), and then the
//! subgraph refuses the document: the later one is sent under another key and put into the same slot.

use apollo_compiler::Name;
use apollo_compiler::ast::Type as TypeReference;
use indexmap::IndexMap;
use supergraph::{SubgraphId, Supergraph, TypeId};

use super::{FetchField, FetchSelection};

/// A field with its type in the subgraph, and the named type inside if that has fields.
struct Sent<'f> {
    field: &'f mut FetchField,
    ty: TypeReference,
    inner: Option<TypeId>,
}

/// Makes the selections on a type fit to be sent to a subgraph.
pub(super) fn disambiguate(
    supergraph: &Supergraph,
    subgraph: SubgraphId,
    parent: TypeId,
    selections: &mut [FetchSelection],
) {
    let mut fields = Vec::new();
    collect(supergraph, subgraph, parent, selections, &mut fields);
    resolve(supergraph, subgraph, fields);
}

fn collect<'f>(
    supergraph: &Supergraph,
    subgraph: SubgraphId,
    parent: TypeId,
    selections: &'f mut [FetchSelection],
    fields: &mut Vec<Sent<'f>>,
) {
    for selection in selections {
        match selection {
            FetchSelection::Fragment(fragment) => {
                let on = supergraph.type_named(&fragment.on).map_or(parent, |on| on.id);
                collect(supergraph, subgraph, on, &mut fragment.selections, fields);
            }
            FetchSelection::Field(field) => {
                let own = supergraph.field_named(parent, &field.name);
                let join = own.and_then(|own| own.join(subgraph));
                let ty = join.map_or_else(|| field.ty.clone(), |join| join.ty.clone());
                let inner = supergraph.type_named(ty.inner_named_type());
                let inner = inner.filter(|inner| inner.is_composite()).map(|inner| inner.id);
                fields.push(Sent { field, ty, inner });
            }
        }
    }
}

fn resolve(supergraph: &Supergraph, subgraph: SubgraphId, fields: Vec<Sent<'_>>) {
    let mut by_key: IndexMap<Name, Vec<Sent<'_>>> = IndexMap::new();
    for sent in fields {
        let mut attempt = 0;
        let mut key = sent.field.response_key.clone();
        while by_key.get(&key).is_some_and(|known| !looks_alike(&known[0], &sent)) {
            attempt += 1;
            key = Name::new_unchecked(&format!("{}__{attempt}", sent.field.slot));
        }
        sent.field.response_key = key.clone();
        by_key.entry(key).or_default().push(sent);
    }
    for same_key in by_key.into_values() {
        let mut below = Vec::new();
        for sent in same_key {
            if let Some(inner) = sent.inner {
                collect(supergraph, subgraph, inner, &mut sent.field.selections, &mut below);
            }
        }
        if !below.is_empty() {
            resolve(supergraph, subgraph, below);
        }
    }
}

/// Whether a subgraph accepts both under one key. Fields below them are looked at on their own.
fn looks_alike(left: &Sent<'_>, right: &Sent<'_>) -> bool {
    let same_field = left.field.name == right.field.name && left.field.arguments == right.field.arguments;
    let same_leaf = match (left.inner, right.inner) {
        (Some(_), Some(_)) => true,
        (None, None) => left.ty.inner_named_type() == right.ty.inner_named_type(),
        _ => false,
    };
    (same_field && left.ty == right.ty) || (same_leaf && same_wrapping(&left.ty, &right.ty))
}

fn same_wrapping(left: &TypeReference, right: &TypeReference) -> bool {
    left.is_non_null() == right.is_non_null()
        && match (left, right) {
            (
                TypeReference::List(left) | TypeReference::NonNullList(left),
                TypeReference::List(right) | TypeReference::NonNullList(right),
            ) => same_wrapping(left, right),
            _ => left.is_list() == right.is_list(),
        }
}
