//! The fetches that enter a subgraph for objects found elsewhere.

use std::borrow::Cow;
use std::collections::BTreeSet;

use apollo_compiler::Name;
use apollo_compiler::ast::OperationType;
use supergraph::query_graph::Entry;
use supergraph::{FieldSet, FieldSetSelection, TypeId};

use super::{DraftKey, Emission, Place};
use crate::plan::demand::fragment_types;
use crate::plan::draft::{Draft, DraftId, DraftKind};
use crate::plan::need::{Need, merged};
use crate::plan::position::PositionId;
use crate::plan::{Condition, PlanError, RepresentationField, SelectedField, TypeSet};

/// What a directive's selection names: to be fetched under a condition, and to be sent.
struct Needed {
    condition: Condition,
    fields: Vec<SelectedField>,
    representation: Vec<RepresentationField>,
}

impl Needed {
    fn under(condition: Condition) -> Needed {
        Needed { condition, fields: Vec::new(), representation: Vec::new() }
    }
}

impl<'a> Emission<'a, '_> {
    /// Gets fields of an object through an entry: first what the entry needs, then the fields.
    pub(super) fn go(
        &mut self,
        place: &Place,
        ty: TypeId,
        entry: &'a Entry,
        fields: Vec<Cow<'_, SelectedField>>,
        filled: &mut BTreeSet<DraftId>,
    ) -> Result<(), PlanError> {
        let fields: Vec<&SelectedField> = fields.iter().map(|field| &**field).collect();
        if self.search.is_split_by_type(entry.node) {
            let inner = self.enter(place, ty, entry, None, &fields)?;
            filled.insert(inner.draft);
            self.selections.typename(inner.selection, &self.typename);
            return self.abstract_position(&inner, &fields, filled);
        }
        let mut by_need: Vec<(Option<&'a FieldSet>, Vec<&SelectedField>)> = Vec::new();
        for field in fields {
            let edge = self.search.edge(entry.node, &field.name);
            let need = edge.and_then(|edge| edge.requires.as_ref());
            match by_need.iter_mut().find(|(known, _)| *known == need) {
                Some((_, fields)) => fields.push(field),
                None => by_need.push((need, vec![field])),
            }
        }
        for (requires, fields) in by_need {
            let inner = self.enter(place, ty, entry, requires, &fields)?;
            for field in fields {
                self.stay(&inner, field, filled)?;
            }
        }
        Ok(())
    }

    /// Fetches what an entry needs and enters it for these fields; returns the place behind it.
    fn enter(
        &mut self,
        place: &Place,
        ty: TypeId,
        entry: &'a Entry,
        requires: Option<&FieldSet>,
        fields: &[&SelectedField],
    ) -> Result<Place, PlanError> {
        let mut condition = Condition::never();
        for field in fields {
            condition = condition.or_loosely(&field.condition);
        }
        let mut needed = Needed::under(condition);
        for set in entry.key.iter().chain(requires) {
            self.need(place.position, ty, set, None, &mut needed);
        }
        let mut after = BTreeSet::from([place.draft]);
        self.object(place, ty, &needed.fields.iter().collect::<Vec<_>>(), &mut after)?;
        let condition = place.condition.and_loosely(&needed.condition);
        let need = Need { representation: merged(needed.representation), condition };
        let draft = self.entered(place, ty, entry, after, need);
        let selection = self.drafts[draft].selection;
        Ok(Place { draft, selection, around: None, node: entry.node, ..place.clone() })
    }

    /// The draft of a fetch that enters a subgraph for the objects of a place.
    fn entered(
        &mut self,
        place: &Place,
        ty: TypeId,
        entry: &Entry,
        after: BTreeSet<DraftId>,
        need: Need,
    ) -> DraftId {
        let key = DraftKey { path: place.path.clone(), ty, entered: entry.node, after: after.clone() };
        let same_place = self.keyed.entry(key).or_default();
        for draft in same_place.iter() {
            let known = &mut self.drafts[*draft];
            if need.fits(known) {
                need.join(known);
                return *draft;
            }
        }
        same_place.push(self.drafts.len());
        let known_as = self.graph.node(entry.node).ty;
        let kind = match entry.key {
            Some(_) => DraftKind::Entity { ty, known_as, representation: need.representation },
            None => DraftKind::Root(OperationType::Query),
        };
        self.drafts.push(Draft {
            subgraph: entry.subgraph,
            kind,
            path: place.path.clone(),
            selection: self.selections.start(),
            after,
            condition: need.condition,
        });
        self.drafts.len() - 1
    }

    /// Finds slots for what a directive's selection names, as fields to fetch and as fields to send.
    fn need(
        &mut self,
        position: PositionId,
        ty: TypeId,
        set: &FieldSet,
        on: Option<&TypeSet>,
        needed: &mut Needed,
    ) {
        for selection in &set.selections {
            let part = match selection {
                FieldSetSelection::Field(part) => part,
                FieldSetSelection::Typename => continue,
                FieldSetSelection::Fragment { on: narrower, set } => {
                    let types = fragment_types(self.supergraph, on, *narrower);
                    self.need(position, ty, set, Some(&types), needed);
                    continue;
                }
            };
            let own = self.supergraph.field_named(ty, &part.name);
            let definition = own.unwrap_or_else(|| self.supergraph.field(part.field));
            let slot = self.positions.slot(position, &part.name, &part.arguments);
            let inner = self.supergraph.ty(definition.inner);
            let mut below = Needed::under(Condition::always());
            if inner.is_composite() {
                let position = self.positions.below(position, &slot);
                if inner.is_abstract() {
                    below.representation.push(typename_field(&self.typename));
                }
                self.need(position, inner.id, &part.set, None, &mut below);
            }
            needed.representation.push(RepresentationField {
                name: part.name.clone(),
                slot: slot.clone(),
                ty: definition.ty.clone(),
                on: on.cloned(),
                fields: below.representation,
            });
            needed.fields.push(SelectedField {
                response_key: slot,
                name: part.name.clone(),
                field: Some(definition.id),
                ty: definition.ty.clone(),
                inner: Some(inner.id),
                arguments: part.arguments.clone(),
                on: on.cloned(),
                condition: needed.condition.clone(),
                selection: below.fields,
            });
        }
    }
}

fn typename_field(slot: &Name) -> RepresentationField {
    RepresentationField {
        name: Name::new_unchecked("__typename"),
        slot: slot.clone(),
        ty: apollo_compiler::ast::Type::NonNullNamed(Name::new_unchecked("String")),
        on: None,
        fields: Vec::new(),
    }
}
