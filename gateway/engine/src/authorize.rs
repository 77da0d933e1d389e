//! Field authorisation: what a caller may not see is never asked for, and is null with an error.

use apollo_compiler::Name;
use apollo_compiler::ast::Type;
use rustc_hash::FxHashMap;
use supergraph::{Authorization, FieldId, FieldSet, FieldSetSelection, Supergraph, TypeId};

use crate::context::Grant;
use crate::error::ErrorCode;
use crate::plan::{Condition, SelectedField};

/// Why a field is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Denial {
    /// The caller is unknown; who they are would have to be shown first.
    Unauthenticated,
    /// The caller is known and may not see it.
    Forbidden,
}

impl Denial {
    pub(crate) fn code(self) -> ErrorCode {
        match self {
            Denial::Unauthenticated => ErrorCode::Unauthenticated,
            Denial::Forbidden => ErrorCode::Forbidden,
        }
    }

    pub(crate) fn message(self) -> &'static str {
        match self {
            Denial::Unauthenticated => "You must be signed in to see this",
            Denial::Forbidden => "You may not see this",
        }
    }
}

/// The fields of an operation that ask something of the caller.
#[derive(Debug, Default)]
pub(crate) struct Guards {
    fields: Vec<(FieldId, Authorization)>,
}

/// The fields of an operation that one caller may not see, ascending. Callers of whom it is equal share a
/// plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Denials {
    fields: Vec<(FieldId, Denial)>,
}

impl Guards {
    /// What the fields of a normalised selection ask.
    pub(crate) fn of(selection: &[SelectedField], root: TypeId, supergraph: &Supergraph) -> Self {
        let mut found = FxHashMap::default();
        gather(selection, &[root], supergraph, &mut found);
        let mut fields: Vec<(FieldId, Authorization)> = found.into_iter().collect();
        fields.sort_by_key(|(id, _)| *id);
        Guards { fields }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// What of it the caller does not fulfil.
    pub(crate) fn denials(&self, grant: &Grant) -> Denials {
        let denied = self.fields.iter().filter(|(_, authorization)| !grant.satisfies(authorization));
        let denial = if grant.authenticated { Denial::Forbidden } else { Denial::Unauthenticated };
        Denials { fields: denied.map(|(id, _)| (*id, denial)).collect() }
    }
}

impl Denials {
    pub(crate) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Whether this field is withheld.
    pub(crate) fn of(&self, field: &SelectedField) -> Option<Denial> {
        let id = field.field?;
        let row = self.fields.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        Some(self.fields[row].1)
    }

    /// The selection without what is withheld.
    pub(crate) fn prune(&self, selection: &[SelectedField]) -> Vec<SelectedField> {
        let kept = selection.iter().filter(|field| self.of(field).is_none());
        kept.map(|field| {
            let mut field = field.clone();
            if !field.selection.is_empty() {
                field.selection = self.prune(&field.selection);
                if field.selection.is_empty() {
                    field.selection.push(typename());
                }
            }
            field
        })
        .collect()
    }
}

/// Stands where nothing else is left of a selection.
fn typename() -> SelectedField {
    const TYPENAME: Name = Name::new_static_unchecked("__typename");
    const STRING: Name = Name::new_static_unchecked("String");
    SelectedField {
        response_key: TYPENAME,
        name: TYPENAME,
        field: None,
        ty: Type::NonNullNamed(STRING),
        inner: None,
        arguments: Vec::new(),
        on: None,
        condition: Condition::always(),
        selection: Vec::new(),
    }
}

fn gather(
    selection: &[SelectedField],
    parents: &[TypeId],
    supergraph: &Supergraph,
    found: &mut FxHashMap<FieldId, Authorization>,
) {
    for field in selection {
        let Some(id) = field.field else { continue };
        if let std::collections::hash_map::Entry::Vacant(entry) = found.entry(id) {
            let mut asked = Authorization::default();
            for parent in parents {
                if field.on.as_ref().is_none_or(|on| on.contains(*parent))
                    && let Some(definition) = supergraph.field_named(*parent, &field.name)
                {
                    demand(definition.id, supergraph, &mut asked);
                }
            }
            entry.insert(asked);
        }
        if let Some(inner) = field.inner {
            gather(&field.selection, &supergraph.ty(inner).possible, supergraph, found);
        }
    }
    found.retain(|_, asked| !asked.is_open());
}

/// What a field asks of the caller, with all that it is computed from.
fn demand(id: FieldId, supergraph: &Supergraph, asked: &mut Authorization) {
    let field = supergraph.field(id);
    asked.and(&field.authorization);
    for required in field.joins.iter().filter_map(|join| join.requires.as_ref()) {
        demand_set(required, supergraph, asked);
    }
}

fn demand_set(set: &FieldSet, supergraph: &Supergraph, asked: &mut Authorization) {
    for selection in &set.selections {
        match selection {
            FieldSetSelection::Typename => {}
            FieldSetSelection::Fragment { set, .. } => demand_set(set, supergraph, asked),
            FieldSetSelection::Field(field) => {
                asked.and(&supergraph.field(field.field).authorization);
                demand_set(&field.set, supergraph, asked);
            }
        }
    }
}
