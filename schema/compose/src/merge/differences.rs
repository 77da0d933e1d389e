//! Hints about types that differ between subgraphs in ways that compose.

use std::collections::BTreeSet;

use apollo_compiler::Name;
use apollo_compiler::schema::ExtendedType;

use super::fields::FieldSource;
use super::{Kind, Merger, Sources};
use crate::error::{CompositionError, ErrorCode};
use crate::hint::{Hint, HintCode};
use crate::subgraph::{Graph, fields, interfaces};

impl<'a> Merger<'a> {
    /// A value type that has not the same fields everywhere composes, but cannot be asked everywhere.
    pub(super) fn hint_missing(
        &mut self,
        ty: &Name,
        kind: Kind,
        name: &Name,
        type_sources: &Sources<'a>,
        sources: &[FieldSource<'a>],
    ) {
        let has_identity = ["Query", "Mutation", "Subscription"].contains(&ty.as_str())
            || type_sources.iter().any(|(graph, _)| self.graphs[*graph].facts.keys(ty).next().is_some());
        let has = |graph: &usize| sources.iter().any(|source| source.graph == *graph);
        // A subgraph that only mentions fields of others (to require or provide them) misses none.
        let mentions = |graph: &usize, ty: &ExtendedType| {
            fields(ty).any(|field| self.graphs[*graph].facts.is_external(ty.name(), &field.name))
        };
        let missing: Vec<usize> = type_sources
            .iter()
            .filter(|(graph, ty)| !has(graph) && !mentions(graph, ty))
            .map(|(graph, _)| *graph)
            .collect();
        if has_identity || missing.is_empty() {
            return;
        }
        let (code, noun) = match kind {
            Kind::Interface => (HintCode::InconsistentInterfaceValueTypeField, "interface"),
            _ => (HintCode::InconsistentObjectValueTypeField, "non-entity object type"),
        };
        let missing = self.named(missing);
        let message = format!(
            "field \"{ty}.{name}\" of {noun} \"{ty}\" is defined in some but not all subgraphs that define \"{ty}\": \
             it is missing in {missing}"
        );
        let places = self.places(sources.iter().map(|source| source.graph), format!("{ty}.{name}"));
        self.hints.push(Hint::new(code, message, places));
    }

    /// A type that has a key in some subgraphs only can be found by it only there.
    pub(super) fn hint_partial_entity(&mut self, name: &Name, sources: &Sources<'a>) {
        if !sources.iter().any(|(_, ty)| ty.is_object()) {
            return;
        }
        let (with, without): (Vec<usize>, Vec<usize>) = sources
            .iter()
            .map(|(graph, _)| *graph)
            .partition(|graph| self.graphs[*graph].facts.keys(name).next().is_some());
        if with.is_empty() || without.is_empty() {
            return;
        }
        let message = format!(
            "type \"{name}\" is declared as an entity (has a @key applied) in some but not all defining subgraphs: \
             it has no @key in {} but has some in {}",
            self.named(without.iter().copied()),
            self.named(with)
        );
        let places = self.places(without.into_iter(), name);
        self.hints.push(Hint::new(HintCode::InconsistentEntity, message, places));
    }

    /// Subgraphs that share a field of an abstract type should be able to answer with the same objects.
    pub(super) fn check_runtime_types(&mut self, coordinate: &str, sharing: &[&FieldSource<'a>]) {
        let possible: Vec<(usize, BTreeSet<&Name>)> = sharing
            .iter()
            .map(|source| {
                (source.graph, possible(&self.graphs[source.graph], source.field.ty.inner_named_type()))
            })
            .collect();
        let named = sharing.iter().map(|source| source.field.ty.inner_named_type());
        let told_already = named.collect::<BTreeSet<_>>().len() > 1;
        let leaf = possible.iter().any(|(_, types)| types.is_empty());
        let common = |name: &&&Name| possible.iter().all(|(_, types)| types.contains(*name));
        let some_in_common =
            possible.first().is_some_and(|(_, types)| types.iter().any(|name| common(&name)));
        if some_in_common && told_already {
            return;
        }
        if leaf || possible.iter().all(|(_, types)| *types == possible[0].1) {
            return;
        }
        let told = self.told("types", &possible, |types| crate::error::enumerate(types.iter()));
        let places = self.places(sharing.iter().map(|source| source.graph), coordinate);
        let start = format!(
            "shared field \"{coordinate}\" can be of different object types in different subgraphs: it has {told}"
        );
        if some_in_common {
            let message = format!("{start}; which of them clients see may depend on the plan");
            self.hints.push(Hint::new(HintCode::InconsistentRuntimeTypesForShareableReturn, message, places));
        } else {
            let message = format!("{start}; subgraphs that share a field must have some of them in common");
            let code = ErrorCode::ShareableHasMismatchedRuntimeTypes;
            self.errors.push(CompositionError::new(code, message).at(places));
        }
    }
}

/// The object types that a composite type can be in one subgraph; none for leaves.
fn possible<'a>(graph: &'a Graph, name: &Name) -> BTreeSet<&'a Name> {
    match graph.get(name) {
        Some(ExtendedType::Object(object)) => [&object.name].into(),
        Some(ExtendedType::Union(union)) => union.members.iter().map(|member| &member.name).collect(),
        Some(ExtendedType::Interface(_)) => {
            let implements =
                |ty: &ExtendedType| ty.is_object() && interfaces(ty).any(|interface| interface == name);
            graph.schema.types.iter().filter(|(_, ty)| implements(ty)).map(|(object, _)| object).collect()
        }
        _ => BTreeSet::new(),
    }
}
