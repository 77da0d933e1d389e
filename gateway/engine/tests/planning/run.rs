//! Made-up subgraphs that run a plan, and check that they are asked only what they can answer.

use std::collections::{BTreeMap, BTreeSet};

use apollo_compiler::Name;
use engine::plan::{
    EntityTarget, Fetch, FetchId, FetchKind, FetchSelection, PathStep, QueryPlan, RepresentationField,
    SelectedField,
};
use serde_json::{Map, Value, json};
use supergraph::{FieldSet, FieldSetSelection, SubgraphId, Supergraph, TypeId};

use super::world::{Made, Object, World, print};

/// A slot's value, and the fetches that filled it.
#[derive(Debug)]
struct Slot {
    value: Held,
    by: BTreeSet<FetchId>,
}

#[derive(Clone, Debug, PartialEq)]
enum Held {
    Null,
    Leaf(Value),
    Row(usize),
    List(Vec<Held>),
}

#[derive(Debug)]
struct Row {
    object: Object,
    slots: BTreeMap<Name, Slot>,
}

/// Runs a plan.
pub struct Run<'a> {
    world: &'a World<'a>,
    plan: &'a QueryPlan,
    rows: Vec<Row>,
    /// For each fetch all that are over before it.
    before: Vec<BTreeSet<FetchId>>,
}

impl<'a> Run<'a> {
    /// The answer of a plan.
    pub fn answer(world: &'a World<'a>, plan: &'a QueryPlan) -> Value {
        let root = Row { object: world.root(plan.root), slots: BTreeMap::new() };
        let mut run = Run { world, plan, rows: vec![root], before: Vec::new() };
        for fetch in &plan.fetches {
            let mut before: BTreeSet<FetchId> = fetch.after.iter().copied().collect();
            for id in &fetch.after {
                assert!(*id < fetch.id, "fetch {:?} waits for a later one", fetch.id);
                before.extend(run.before[id.index()].iter().copied());
            }
            run.before.push(before);
            if fetch.condition.holds(|name| world.truths.contains(&name)) {
                run.fetch(fetch);
            }
        }
        run.project(0, &plan.selection)
    }

    fn fetch(&mut self, fetch: &Fetch) {
        match &fetch.kind {
            FetchKind::Root { path, selections, .. } => {
                for row in self.follow(fetch.id, path) {
                    self.fill(fetch, row, selections, &FieldSet::default(), None);
                }
            }
            FetchKind::Entities { groups } => {
                for group in groups {
                    if !group.condition.holds(|name| self.world.truths.contains(&name)) {
                        continue;
                    }
                    for target in &group.targets {
                        for row in self.follow(fetch.id, &target.path) {
                            if target.types.contains(self.rows[row].object.ty) {
                                let sent = self.represent(fetch.id, row, &target.representation);
                                self.check_key(fetch.subgraph, row, target, &sent);
                                self.fill(fetch, row, &group.selections, &FieldSet::default(), Some(&sent));
                            }
                        }
                    }
                }
            }
        }
    }

    fn slot(&self, fetch: FetchId, row: usize, slot: &Name) -> &Held {
        let Some(found) = self.rows[row].slots.get(slot) else {
            panic!("fetch {fetch:?} reads {slot} of {:?}, which nobody filled", self.rows[row].object);
        };
        let is_over = found.by.iter().any(|by| self.before[fetch.index()].contains(by));
        assert!(is_over, "fetch {fetch:?} reads {slot} without waiting for it");
        &found.value
    }

    /// The objects at the end of a path.
    fn follow(&self, fetch: FetchId, path: &[PathStep]) -> Vec<usize> {
        let mut rows = vec![0];
        for step in path {
            let mut next = Vec::new();
            for row in rows {
                // A field that is not wanted under its condition was not fetched.
                if self.rows[row].slots.contains_key(&step.slot) {
                    gather(self.slot(fetch, row, &step.slot), step.lists, &mut next);
                }
            }
            let is_for =
                |row: &usize| step.types.as_ref().is_none_or(|it| it.contains(self.rows[*row].object.ty));
            rows = next.into_iter().filter(is_for).collect();
        }
        rows
    }

    fn represent(&self, fetch: FetchId, row: usize, fields: &[RepresentationField]) -> Map<String, Value> {
        let ty = self.rows[row].object.ty;
        let mut sent = Map::new();
        for field in fields.iter().filter(|field| field.on.as_ref().is_none_or(|on| on.contains(ty))) {
            let value = match field.name == "__typename" {
                true => json!(self.world.supergraph.ty(ty).name.as_str()),
                false => self.represent_value(fetch, self.slot(fetch, row, &field.slot), &field.fields),
            };
            let before = sent.insert(field.name.to_string(), value);
            assert!(before.is_none(), "{} stands twice in a representation", field.name);
        }
        sent
    }

    fn represent_value(&self, fetch: FetchId, held: &Held, fields: &[RepresentationField]) -> Value {
        match held {
            Held::Null => Value::Null,
            Held::Leaf(value) => value.clone(),
            Held::Row(row) => Value::Object(self.represent(fetch, *row, fields)),
            Held::List(items) => {
                Value::Array(items.iter().map(|item| self.represent_value(fetch, item, fields)).collect())
            }
        }
    }

    /// A representation must hold a key that the subgraph resolves, and lead to the object it was made of.
    fn check_key(&self, subgraph: SubgraphId, row: usize, target: &EntityTarget, sent: &Map<String, Value>) {
        let object = &self.rows[row].object;
        let ty = self.world.supergraph.type_named(&target.typename).expect("the type exists");
        let keys = &ty.join(subgraph).expect("the subgraph has the type").keys;
        let is_key = |set: &FieldSet| {
            let whole = self.world.select(object, set);
            let whole = whole.as_object().expect("a selection is an object");
            whole.iter().all(|(name, value)| sent.get(name).is_some_and(|sent| contains(sent, value)))
        };
        let fits = keys.iter().any(|key| key.resolvable && is_key(&key.selection));
        assert!(fits, "{} cannot be entered with {sent:?}", target.typename);
    }

    fn fill(
        &mut self,
        fetch: &Fetch,
        row: usize,
        selections: &[FetchSelection],
        provided: &FieldSet,
        sent: Option<&Map<String, Value>>,
    ) {
        assert!(!selections.is_empty(), "fetch {:?} selects nothing of an object", fetch.id);
        for selection in selections {
            let object = self.rows[row].object.clone();
            match selection {
                FetchSelection::Fragment(fragment) => {
                    let on = self.world.supergraph.type_named(&fragment.on).expect("the type exists");
                    assert!(on.join(fetch.subgraph).is_some(), "the subgraph does not have {}", on.name);
                    if fragment.types.contains(object.ty) {
                        self.fill(fetch, row, &fragment.selections, provided, sent);
                    }
                }
                FetchSelection::Field(field) => {
                    if !field.condition.holds(|name| self.world.truths.contains(&name)) {
                        continue;
                    }
                    if field.name == "__typename" {
                        let ty = self.world.supergraph.ty(object.ty);
                        // A subgraph that has an interface object knows no other type.
                        if ty.join(fetch.subgraph).is_some() {
                            self.put(fetch.id, row, &field.slot, Made::Leaf(json!(ty.name.as_str())));
                        }
                        continue;
                    }
                    let (given, below) =
                        resolve(self.world, fetch.subgraph, &object, &field.name, provided, sent);
                    let made =
                        self.world.value(&object, &field.name, &print(&field.arguments), given.as_ref());
                    let rows = self.put(fetch.id, row, &field.slot, made);
                    for row in rows {
                        self.fill(fetch, row, &field.selections, &below, None);
                    }
                }
            }
        }
    }

    /// Puts a value into a slot; returns the rows of the objects in it.
    fn put(&mut self, fetch: FetchId, row: usize, slot: &Name, made: Made) -> Vec<usize> {
        let known = self.rows[row].slots.get(slot).map(|slot| slot.value.clone());
        let value = self.hold(made, known.as_ref());
        if let Some(known) = known {
            assert_eq!(known, value, "two fetches disagree about {slot}");
        }
        let mut rows = Vec::new();
        gather_all(&value, &mut rows);
        let entry = self.rows[row].slots.entry(slot.clone());
        entry.or_insert(Slot { value, by: BTreeSet::new() }).by.insert(fetch);
        rows
    }

    fn hold(&mut self, made: Made, known: Option<&Held>) -> Held {
        match made {
            Made::Null => Held::Null,
            Made::Leaf(value) => Held::Leaf(value),
            Made::List(items) => {
                let known = |row: usize| match known {
                    Some(Held::List(items)) => items.get(row).cloned(),
                    _ => None,
                };
                Held::List(
                    items
                        .into_iter()
                        .enumerate()
                        .map(|(row, item)| self.hold(item, known(row).as_ref()))
                        .collect(),
                )
            }
            Made::Object(object) => match known {
                Some(Held::Row(row)) => {
                    assert_eq!(self.rows[*row].object, object);
                    Held::Row(*row)
                }
                _ => {
                    self.rows.push(Row { object, slots: BTreeMap::new() });
                    Held::Row(self.rows.len() - 1)
                }
            },
        }
    }

    fn project(&self, row: usize, selection: &[SelectedField]) -> Value {
        let found = &self.rows[row];
        let mut answer = Map::new();
        for field in selection {
            let is_for = field.on.as_ref().is_none_or(|on| on.contains(found.object.ty));
            if !is_for || !field.condition.holds(|name| self.world.truths.contains(&name)) {
                continue;
            }
            let value = match field.name.as_str() {
                "__typename" => json!(self.world.supergraph.ty(found.object.ty).name.as_str()),
                _ => match found.slots.get(&field.response_key) {
                    Some(slot) => self.project_value(&slot.value, field),
                    None => panic!("{} of {:?} was not fetched", field.response_key, found.object),
                },
            };
            let before = answer.insert(field.response_key.to_string(), value);
            assert!(before.is_none(), "{} stands twice", field.response_key);
        }
        Value::Object(answer)
    }

    fn project_value(&self, held: &Held, field: &SelectedField) -> Value {
        match held {
            Held::Null => Value::Null,
            Held::Leaf(value) => value.clone(),
            Held::List(items) => items.iter().map(|item| self.project_value(item, field)).collect(),
            Held::Row(row) => {
                let is_abstract =
                    field.inner.is_some_and(|inner| self.world.supergraph.ty(inner).is_abstract());
                let is_known = self.rows[*row].slots.contains_key(&self.plan.typename);
                let matters = |field: &SelectedField| field.on.is_some() || field.name == "__typename";
                let is_needed = is_abstract && field.selection.iter().any(matters);
                assert!(is_known || !is_needed, "the type of {} is not known", field.response_key);
                self.project(*row, &field.selection)
            }
        }
    }
}

fn gather(held: &Held, lists: u8, rows: &mut Vec<usize>) {
    match held {
        Held::Row(row) if lists == 0 => rows.push(*row),
        Held::List(items) if lists > 0 => items.iter().for_each(|item| gather(item, lists - 1, rows)),
        Held::Null => {}
        other => panic!("a path leads to {other:?} with {lists} lists to go"),
    }
}

fn gather_all(held: &Held, rows: &mut Vec<usize>) {
    match held {
        Held::Row(row) => rows.push(*row),
        Held::List(items) => items.iter().for_each(|item| gather_all(item, rows)),
        Held::Null | Held::Leaf(_) => {}
    }
}

/// Whether the subgraph resolves a field here, with what it was sent for it, and what it provides below.
pub fn resolve(
    world: &World<'_>,
    subgraph: SubgraphId,
    object: &Object,
    name: &str,
    provided: &FieldSet,
    sent: Option<&Map<String, Value>>,
) -> (Option<Value>, FieldSet) {
    let field = world.field(object, name);
    let coordinate = format!("{}.{name}", world.supergraph.ty(object.ty).name);
    // An interface object has the fields of all implementations.
    let stands_for = world.supergraph.ty(object.ty).interfaces.iter().find_map(|interface| {
        let interface = world.supergraph.ty(*interface);
        let stands = interface.join(subgraph).is_some_and(|join| join.is_interface_object);
        world.supergraph.field_named(interface.id, name).filter(|_| stands)?.join(subgraph)
    });
    let join = field.join(subgraph).or(stands_for);
    let join = join.unwrap_or_else(|| panic!("{subgraph:?} does not have {coordinate}"));
    let mut below = FieldSet::default();
    let is_provided = given(world.supergraph, provided, object.ty, name, &mut below);
    let keys = world.supergraph.ty(object.ty).join(subgraph).map(|join| &join.keys[..]);
    let in_key = keys.unwrap_or_default().iter().any(|key| {
        let mut parts = key.selection.selections.iter();
        parts.any(|part| matches!(part, FieldSetSelection::Field(part) if part.name == *name))
    });
    let is_taken = field.joins.iter().filter_map(|join| join.overrides.as_ref());
    let is_taken = is_taken.into_iter().any(|by| by.from == Some(subgraph) && by.label.is_none());
    assert!(is_provided || in_key || !join.external, "{coordinate} is external to {subgraph:?}");
    assert!(!is_taken, "{coordinate} was taken from {subgraph:?}");
    below.selections.extend(join.provides.iter().flat_map(|set| set.selections.clone()));
    let requirement = join.requires.as_ref().map(|set| {
        let sent = sent.unwrap_or_else(|| panic!("{coordinate} was not given what it requires"));
        shaped(world, set, object, sent)
    });
    (requirement, below)
}

/// Whether a value that was sent has all of another.
fn contains(sent: &Value, wanted: &Value) -> bool {
    match (sent, wanted) {
        (Value::Object(sent), Value::Object(wanted)) => {
            wanted.iter().all(|(name, value)| sent.get(name).is_some_and(|sent| contains(sent, value)))
        }
        (Value::Array(sent), Value::Array(wanted)) => {
            sent.len() == wanted.len() && sent.iter().zip(wanted).all(|(sent, wanted)| contains(sent, wanted))
        }
        (sent, wanted) => sent == wanted,
    }
}

/// What is provided of a field of an object, if it is.
fn given(supergraph: &Supergraph, set: &FieldSet, ty: TypeId, name: &str, below: &mut FieldSet) -> bool {
    let mut found = false;
    for selection in &set.selections {
        match selection {
            FieldSetSelection::Typename => {}
            FieldSetSelection::Fragment { on, set } => {
                let applies = supergraph.ty(*on).possible.contains(&ty);
                found |= applies && given(supergraph, set, ty, name, below);
            }
            FieldSetSelection::Field(field) if field.name == *name => {
                below.selections.extend(field.set.selections.clone());
                found = true;
            }
            FieldSetSelection::Field(_) => {}
        }
    }
    found
}

/// What a requirement names, taken from what was sent.
fn shaped(world: &World<'_>, set: &FieldSet, object: &Object, sent: &Map<String, Value>) -> Value {
    let whole = world.select(object, set);
    let mut shaped = Map::new();
    for (name, wanted) in whole.as_object().expect("a selection is an object") {
        let sent = sent.get(name).unwrap_or_else(|| panic!("{name} is required and was not sent"));
        shaped.insert(name.clone(), cut(sent, wanted));
    }
    Value::Object(shaped)
}

/// A value that was sent, without what the wanted one does not have.
fn cut(sent: &Value, wanted: &Value) -> Value {
    match (sent, wanted) {
        (Value::Object(sent), Value::Object(wanted)) => {
            let part = |(name, wanted): (&String, &Value)| (name.clone(), cut(&sent[name], wanted));
            Value::Object(wanted.iter().map(part).collect())
        }
        (Value::Array(sent), Value::Array(wanted)) => {
            Value::Array(sent.iter().zip(wanted).map(|(sent, wanted)| cut(sent, wanted)).collect())
        }
        (sent, _) => sent.clone(),
    }
}
