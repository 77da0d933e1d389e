//! What the directives of a subgraph say about each field, worked out once.

use apollo_compiler::schema::{Component, ComponentOrigin, ExtendedType, FieldDefinition};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Schema};
use rustc_hash::FxHashSet;

use super::Coordinate;
use super::field_sets::{self, FieldSetUse, Purpose};
use crate::federation;
use crate::link::{Links, Version};

/// The facts of one subgraph.
pub(crate) struct Facts {
    pub field_sets: Vec<FieldSetUse>,
    /// Fields that the subgraph mentions but does not resolve.
    external: FxHashSet<Coordinate>,
    /// Fields that more than one subgraph may resolve as far as this one is concerned.
    shareable: FxHashSet<Coordinate>,
    /// Fields that some field set selects.
    selected: FxHashSet<Coordinate>,
    /// Fields that some `@provides` selects.
    provided: FxHashSet<Coordinate>,
}

impl Facts {
    pub fn of(schema: &Valid<Schema>, links: &Links) -> Self {
        let field_sets = field_sets::collect(schema, links);
        let version_1 = links.version == Version::One;
        // Their mark means nothing: they are resolved here.
        let keys_of_extensions = extension_keys(&field_sets);
        let mut facts = Facts {
            external: FxHashSet::default(),
            shareable: FxHashSet::default(),
            selected: FxHashSet::default(),
            provided: FxHashSet::default(),
            field_sets,
        };
        for (name, ty) in &schema.types {
            if federation::is_machinery(name) {
                continue;
            }
            for field in components(ty) {
                let coordinate = (name.clone(), field.name.clone());
                if version_1 || marked(ty, field, federation::SHAREABLE) {
                    facts.shareable.insert(coordinate.clone());
                }
                let ignored = keys_of_extensions.contains(&coordinate) || (version_1 && ty.is_interface());
                if marked(ty, field, federation::EXTERNAL) && !ignored {
                    facts.external.insert(coordinate);
                }
            }
        }
        if version_1 {
            facts.drop_own_selections();
        }
        facts.collect_selected(schema);
        facts
    }

    /// Federation 1 let `@requires` and `@provides` name fields that the subgraph resolves anyway.
    fn drop_own_selections(&mut self) {
        let external = &self.external;
        self.field_sets.retain_mut(|used| {
            let Ok(selection) = &mut used.selection else { return true };
            if used.purpose == Purpose::Key {
                return true;
            }
            let before = selection.selections.len();
            field_sets::retain_fields(selection, &|parent, field| {
                external.contains(&(parent.clone(), field.clone()))
            });
            if selection.selections.len() < before {
                used.text = field_sets::printed(selection);
            }
            !selection.selections.is_empty()
        });
    }

    fn collect_selected(&mut self, schema: &Schema) {
        let implementers = schema.implementers_map();
        for used in &self.field_sets {
            let Ok(selection) = &used.selection else { continue };
            field_sets::each_field(selection, &mut |parent, field| {
                let concrete = implementers.get(parent).into_iter().flat_map(|found| found.iter());
                for ty in concrete.chain([parent]) {
                    let coordinate = (ty.clone(), field.name.clone());
                    let provided = used.purpose == Purpose::Provides && self.external.contains(&coordinate);
                    // Whoever provides a field knows that others resolve it.
                    if used.purpose == Purpose::Key || provided {
                        self.shareable.insert(coordinate.clone());
                    }
                    if provided {
                        self.provided.insert(coordinate.clone());
                    }
                    self.selected.insert(coordinate);
                }
            });
        }
    }

    pub fn is_external(&self, ty: &Name, field: &Name) -> bool {
        self.external.contains(&(ty.clone(), field.clone()))
    }

    pub fn is_shareable(&self, ty: &Name, field: &Name) -> bool {
        self.shareable.contains(&(ty.clone(), field.clone()))
    }

    /// Does a `@key`, `@requires` or `@provides` of this subgraph select the field?
    pub fn is_selected(&self, ty: &Name, field: &Name) -> bool {
        self.selected.contains(&(ty.clone(), field.clone()))
    }

    /// Does the subgraph resolve the field in some places only?
    pub fn is_provided(&self, ty: &Name, field: &Name) -> bool {
        self.provided.contains(&(ty.clone(), field.clone()))
    }

    pub fn keys<'a>(&'a self, ty: &'a Name) -> impl Iterator<Item = &'a FieldSetUse> {
        self.field_sets.iter().filter(move |used| used.purpose == Purpose::Key && used.on_type == *ty)
    }

    /// The field set of `purpose` on a field, as text.
    pub fn on_field(&self, purpose: Purpose, ty: &Name, field: &Name) -> Option<&str> {
        self.field_sets
            .iter()
            .find(|used| {
                used.purpose == purpose && used.on_type == *ty && used.on_field.as_ref() == Some(field)
            })
            .map(|used| used.text.as_str())
    }
}

/// Fields in the keys of type extensions: federation 1 demanded `@external` there, though the
/// subgraph does resolve them.
fn extension_keys(field_sets: &[FieldSetUse]) -> FxHashSet<Coordinate> {
    let mut found = FxHashSet::default();
    for used in field_sets.iter().filter(|used| used.purpose == Purpose::Key && used.on_extension) {
        if let Ok(selection) = &used.selection {
            field_sets::each_field(selection, &mut |parent, field| {
                found.insert((parent.clone(), field.name.clone()));
            });
        }
    }
    found
}

/// Does the field carry the directive, or the declaration of its type that it stands in?
fn marked(ty: &ExtendedType, field: &Component<FieldDefinition>, directive: &str) -> bool {
    let same = |origin: &ComponentOrigin| *origin == field.origin;
    field.directives.has(directive) || ty.directives().get_all(directive).any(|found| same(&found.origin))
}

fn components(ty: &ExtendedType) -> impl Iterator<Item = &Component<FieldDefinition>> {
    let fields = match ty {
        ExtendedType::Object(object) => Some(&object.fields),
        ExtendedType::Interface(interface) => Some(&interface.fields),
        _ => None,
    };
    fields.into_iter().flat_map(|fields| fields.values())
}
