//! Inlines fragments and merges equal response keys, so that a plan sees one tree of fields.
//!
//! At an abstract position each field says for which concrete types it is. Two fields of one response key
//! whose types overlap are split until they are equal or disjoint, in the order in which the client would
//! see their keys.

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveList, Type as TypeReference, Value};
use apollo_compiler::executable::{self, ExecutableDocument, Operation, Selection, SelectionSet};
use rustc_hash::{FxHashMap, FxHashSet};
use supergraph::{Supergraph, TypeId};

use super::budget::Budget;
use super::{Condition, PlanError, SelectedField, TypeSet};

/// Brings an operation of a valid document into its normal form.
pub(super) fn normalise(
    supergraph: &Supergraph,
    document: &ExecutableDocument,
    operation: &Operation,
    budget: &mut Budget<'_>,
) -> Result<Vec<SelectedField>, PlanError> {
    let mut sizes = FxHashMap::default();
    budget.admit(expanded_size(document, &operation.selection_set, &mut sizes))?;
    let root = supergraph.root(operation.operation_type).ok_or(PlanError::NoRootType)?;
    let mut normaliser = Normaliser { supergraph, document, budget };
    let always = Condition::always();
    normaliser.level(&[(&operation.selection_set, always)], Some(&TypeSet::new([root])), 1)
}

/// How many fields a selection has once fragments are inlined; each fragment is counted once.
fn expanded_size<'d>(
    document: &'d ExecutableDocument,
    set: &'d SelectionSet,
    sizes: &mut FxHashMap<&'d Name, usize>,
) -> usize {
    let mut size: usize = 0;
    for selection in &set.selections {
        size = size.saturating_add(match selection {
            Selection::Field(field) => 1 + expanded_size(document, &field.selection_set, sizes),
            Selection::InlineFragment(fragment) => expanded_size(document, &fragment.selection_set, sizes),
            Selection::FragmentSpread(spread) => match sizes.get(&spread.fragment_name) {
                Some(known) => *known,
                None => {
                    let fragment = spread.fragment_def(document);
                    let size = fragment.map_or(0, |it| expanded_size(document, &it.selection_set, sizes));
                    sizes.insert(&spread.fragment_name, size);
                    size
                }
            },
        });
    }
    size
}

struct Normaliser<'a, 'd, 'b, 'c> {
    supergraph: &'a Supergraph,
    document: &'d ExecutableDocument,
    budget: &'b mut Budget<'c>,
}

/// The fields gathered at one position.
#[derive(Default)]
struct Level<'d> {
    fields: Vec<Gathered<'d>>,
    by_key: FxHashMap<&'d Name, Vec<usize>>,
    spread: FxHashSet<(&'d Name, Option<TypeSet>, Condition)>,
}

/// One field with all that the document selects of it.
struct Gathered<'d> {
    field: &'d executable::Field,
    /// The place of its response key among those of the position.
    rank: usize,
    /// Absent at positions of introspection types.
    types: Option<TypeSet>,
    parts: Vec<(&'d SelectionSet, Condition)>,
}

impl<'d> Normaliser<'_, 'd, '_, '_> {
    fn level(
        &mut self,
        parts: &[(&'d SelectionSet, Condition)],
        universe: Option<&TypeSet>,
        depth: usize,
    ) -> Result<Vec<SelectedField>, PlanError> {
        let mut level = Level::default();
        for (set, condition) in parts {
            self.gather(&mut level, set, universe.cloned(), condition)?;
        }
        level.fields.sort_by_key(|field| field.rank);
        let mut selection = Vec::with_capacity(level.fields.len());
        for gathered in level.fields {
            self.budget.field(depth)?;
            selection.push(self.selected(gathered, universe, depth)?);
        }
        Ok(selection)
    }

    fn gather(
        &mut self,
        level: &mut Level<'d>,
        set: &'d SelectionSet,
        types: Option<TypeSet>,
        condition: &Condition,
    ) -> Result<(), PlanError> {
        for selection in &set.selections {
            self.budget.step()?;
            match selection {
                Selection::Field(field) => {
                    let condition = condition.and(&directive_condition(&field.directives));
                    if !condition.is_never() {
                        self.insert(level, field, types.clone(), condition);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = condition.and(&directive_condition(&fragment.directives));
                    let types = self.narrow(types.clone(), fragment.type_condition.as_ref());
                    if !condition.is_never() && !is_impossible(&types) {
                        self.gather(level, &fragment.selection_set, types, &condition)?;
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = spread.fragment_def(self.document) else { continue };
                    let condition = condition.and(&directive_condition(&spread.directives));
                    let types = self.narrow(types.clone(), Some(fragment.type_condition()));
                    let seen = (&spread.fragment_name, types.clone(), condition.clone());
                    if !condition.is_never() && !is_impossible(&types) && level.spread.insert(seen) {
                        self.gather(level, &fragment.selection_set, types, &condition)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// What is left of the types under a type condition.
    fn narrow(&self, types: Option<TypeSet>, on: Option<&Name>) -> Option<TypeSet> {
        let types = types?;
        match on.and_then(|on| self.supergraph.type_named(on)) {
            Some(on) => Some(TypeSet::new(types.iter().filter(|ty| on.possible.contains(ty)))),
            None => Some(types),
        }
    }

    fn insert(
        &self,
        level: &mut Level<'d>,
        field: &'d executable::Field,
        types: Option<TypeSet>,
        condition: Condition,
    ) {
        let rows = level.by_key.entry(field.response_key()).or_default();
        let part = (&field.selection_set, condition);
        let Some(mut types) = types else {
            match rows.first() {
                Some(row) => level.fields[*row].parts.push(part),
                None => {
                    let rank = level.fields.len();
                    rows.push(rank);
                    level.fields.push(Gathered { field, rank, types: None, parts: vec![part] });
                }
            }
            return;
        };
        for row in rows.clone() {
            let known = &mut level.fields[row];
            let Some(known_types) = known.types.clone() else { continue };
            let both = known_types.intersection(&types);
            if both.is_empty() {
                continue;
            }
            types = types.difference(&both);
            let rest = known_types.difference(&both);
            if !rest.is_empty() {
                let (field, rank, parts) = (known.field, known.rank, known.parts.clone());
                known.types = Some(both);
                rows.push(level.fields.len());
                level.fields.push(Gathered { field, rank, types: Some(rest), parts });
            }
            level.fields[row].parts.push(part.clone());
        }
        let rank = level.fields.len();
        for types in self.alike(&types, &field.name) {
            rows.push(level.fields.len());
            level.fields.push(Gathered { field, rank, types: Some(types), parts: vec![part.clone()] });
        }
    }

    /// Parts the types by what their field is: its type and what it demands of the client.
    fn alike(&self, types: &TypeSet, field: &str) -> Vec<TypeSet> {
        let definition = |ty| self.supergraph.field_named(ty, field);
        let mut groups: Vec<Vec<TypeId>> = Vec::new();
        for ty in types.iter() {
            let own = definition(ty);
            let group = groups.iter_mut().find(|group| match (own, definition(group[0])) {
                (Some(own), Some(other)) => own.ty == other.ty && own.authorization == other.authorization,
                (own, other) => own.is_none() && other.is_none(),
            });
            match group {
                Some(group) => group.push(ty),
                None => groups.push(vec![ty]),
            }
        }
        groups.into_iter().map(TypeSet::new).collect()
    }

    fn selected(
        &mut self,
        gathered: Gathered<'d>,
        universe: Option<&TypeSet>,
        depth: usize,
    ) -> Result<SelectedField, PlanError> {
        let Gathered { field, types, mut parts, .. } = gathered;
        // Each clause is compared with all others.
        self.budget.steps((parts.len() * parts.len() / 16) as u64)?;
        let condition = Condition::any(parts.iter().map(|(_, part)| part));
        for (_, part) in &mut parts {
            if part.is_implied_by(&condition) {
                *part = Condition::always();
            }
        }
        let first = types.as_ref().and_then(|types| types.iter().next());
        let definition = first.and_then(|ty| self.supergraph.field_named(ty, &field.name));
        let inner = definition.map(|definition| self.supergraph.ty(definition.inner));
        let selection = match inner {
            Some(inner) if inner.is_composite() => {
                self.level(&parts, Some(&TypeSet::new(inner.possible.iter().copied())), depth + 1)?
            }
            Some(_) => Vec::new(),
            None => self.level(&parts, None, depth + 1)?,
        };
        Ok(SelectedField {
            response_key: field.response_key().clone(),
            name: field.name.clone(),
            field: definition.map(|definition| definition.id),
            ty: definition.map_or_else(|| introspection_type(field), |definition| definition.ty.clone()),
            inner: inner.map(|inner| inner.id),
            arguments: field.arguments.clone(),
            on: types.filter(|types| Some(types) != universe),
            condition,
            selection,
        })
    }
}

fn introspection_type(field: &executable::Field) -> TypeReference {
    field.definition.ty.clone()
}

fn is_impossible(types: &Option<TypeSet>) -> bool {
    types.as_ref().is_some_and(TypeSet::is_empty)
}

/// What `@skip` and `@include` say; other directives say nothing here.
fn directive_condition(directives: &DirectiveList) -> Condition {
    let mut condition = Condition::always();
    for directive in directives.iter() {
        let negated = match directive.name.as_str() {
            "skip" => true,
            "include" => false,
            _ => continue,
        };
        let one = match directive.specified_argument_by_name("if").map(|value| &**value) {
            Some(Value::Boolean(value)) if *value != negated => Condition::always(),
            Some(Value::Variable(variable)) => Condition::literal(variable.clone(), negated),
            _ => Condition::never(),
        };
        condition = condition.and(&one);
    }
    condition
}
