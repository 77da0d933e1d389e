//! The selections inside `@key`, `@requires` and `@provides`, with names resolved to ids.

use std::fmt;

use apollo_compiler::executable::{self, Argument};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};
use rustc_hash::FxHashMap;

use crate::{FieldId, TypeId};

/// A selection on one type, as written in a directive.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldSet {
    pub selections: Vec<FieldSetSelection>,
}

/// One part of a [`FieldSet`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FieldSetSelection {
    Field(FieldSetField),
    /// `__typename`.
    Typename,
    /// `... on T { … }`
    Fragment {
        on: TypeId,
        set: FieldSet,
    },
}

/// A field of a [`FieldSet`] with what is selected of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldSetField {
    pub name: Name,
    pub field: FieldId,
    pub arguments: Vec<Node<Argument>>,
    pub set: FieldSet,
}

impl FieldSet {
    /// Whether nothing is selected.
    pub fn is_empty(&self) -> bool {
        self.selections.is_empty()
    }

    /// Reads the text of a directive's `fields` argument, which selects on `parent`.
    pub(crate) fn parse(
        text: &str,
        parent: &Name,
        schema: &Schema,
        fields: &FxHashMap<(Name, Name), FieldId>,
        types: &FxHashMap<Name, TypeId>,
    ) -> Result<FieldSet, String> {
        let schema = Valid::assume_valid_ref(schema);
        let parsed = executable::FieldSet::parse(schema, parent.clone(), text, "field set")
            .map_err(|refused| refused.errors.to_string())?;
        resolve(&parsed.selection_set, fields, types)
    }
}

fn resolve(
    set: &executable::SelectionSet,
    fields: &FxHashMap<(Name, Name), FieldId>,
    types: &FxHashMap<Name, TypeId>,
) -> Result<FieldSet, String> {
    let mut selections = Vec::with_capacity(set.selections.len());
    for selection in &set.selections {
        selections.push(match selection {
            executable::Selection::Field(field) if field.name == "__typename" => FieldSetSelection::Typename,
            executable::Selection::Field(field) => {
                let id = fields
                    .get(&(set.ty.clone(), field.name.clone()))
                    .ok_or_else(|| format!("{} has no field {}", set.ty, field.name))?;
                FieldSetSelection::Field(FieldSetField {
                    name: field.name.clone(),
                    field: *id,
                    arguments: field.arguments.clone(),
                    set: resolve(&field.selection_set, fields, types)?,
                })
            }
            executable::Selection::InlineFragment(fragment) => {
                let on = fragment.type_condition.as_ref().unwrap_or(&set.ty);
                FieldSetSelection::Fragment {
                    on: *types.get(on).ok_or_else(|| format!("there is no type {on}"))?,
                    set: resolve(&fragment.selection_set, fields, types)?,
                }
            }
            executable::Selection::FragmentSpread(_) => return Err("fragment spreads are not allowed".into()),
        });
    }
    Ok(FieldSet { selections })
}

impl fmt::Display for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, selection) in self.selections.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            match selection {
                FieldSetSelection::Typename => f.write_str("__typename")?,
                FieldSetSelection::Fragment { set, .. } => write!(f, "... {{ {set} }}")?,
                FieldSetSelection::Field(field) => {
                    f.write_str(&field.name)?;
                    if !field.set.is_empty() {
                        write!(f, " {{ {} }}", field.set)?;
                    }
                }
            }
        }
        Ok(())
    }
}
