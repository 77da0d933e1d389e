//! Made-up data, and a direct evaluation of documents over it.
//!
//! An object is known by the path on which it was first met, and every value is made from that path, the
//! field and its arguments. So all subgraphs agree on every value, a key leads back to its object, and a
//! value with a requirement carries what it was given: one that was sent too little or wrong shows.

use std::hash::{DefaultHasher, Hash, Hasher};

use apollo_compiler::ast::{Argument, Type as TypeReference, Value as Literal};
use apollo_compiler::executable::{ExecutableDocument, Operation, Selection, SelectionSet};
use apollo_compiler::{Name, Node};
use serde_json::{Map, Value, json};
use supergraph::{Field, FieldSet, FieldSetSelection, Supergraph, TypeId};

/// The variables that are true; all others are false.
pub type Truths<'a> = &'a [&'a str];

/// An object, known by where it was first met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub ty: TypeId,
    pub path: String,
}

/// A value of a field.
pub enum Made {
    Null,
    Leaf(Value),
    Object(Object),
    List(Vec<Made>),
}

/// What all subgraphs together know.
pub struct World<'a> {
    pub supergraph: &'a Supergraph,
    pub truths: Truths<'a>,
}

impl World<'_> {
    /// The root object of this type.
    pub fn root(&self, ty: TypeId) -> Object {
        Object { ty, path: String::new() }
    }

    /// The field of an object's type.
    pub fn field(&self, object: &Object, name: &str) -> &Field {
        let name_of = &self.supergraph.ty(object.ty).name;
        self.supergraph.field_named(object.ty, name).unwrap_or_else(|| panic!("{name_of} has no {name}"))
    }

    /// The value of a field; `given` is what its requirement was met with.
    pub fn value(&self, object: &Object, name: &str, arguments: &str, given: Option<&Value>) -> Made {
        let field = self.field(object, name);
        let mut path = format!("{}/{name}({arguments})", object.path);
        if let Some(given) = given {
            path.push_str(&format!("<{given}>"));
        }
        let is_key = self.supergraph.ty(object.ty).joins.iter().flat_map(|join| &join.keys).any(|key| {
            let parts = &key.selection.selections;
            parts.iter().any(|part| matches!(part, FieldSetSelection::Field(part) if part.name == *name))
        });
        self.make(&field.ty, field, &path, !is_key)
    }

    fn make(&self, ty: &TypeReference, field: &Field, path: &str, may_be_null: bool) -> Made {
        let chance = hash(path);
        if may_be_null && !ty.is_non_null() && chance.is_multiple_of(7) {
            return Made::Null;
        }
        if ty.is_list() {
            let item = |row| self.make(ty.item_type(), field, &format!("{path}[{row}]"), may_be_null);
            return Made::List((0..chance / 7 % 4).map(item).collect());
        }
        let inner = self.supergraph.ty(field.inner);
        if !inner.is_composite() {
            return Made::Leaf(self.leaf(&inner.name, path));
        }
        if self.supergraph.root(apollo_compiler::ast::OperationType::Query) == Some(inner.id) {
            return Made::Object(self.root(inner.id));
        }
        // Only types that every subgraph with this field could answer with.
        let resolvers = field.joins.iter().filter(|join| !join.external && !join.used_overridden);
        let knows = |ty: &TypeId| {
            resolvers.clone().all(|join| {
                let own = self
                    .supergraph
                    .type_named(join.ty.inner_named_type())
                    .and_then(|own| own.join(join.subgraph));
                own.is_some_and(|own| own.is_interface_object || own.possible.contains(ty))
            })
        };
        let turns = 0..inner.possible.len() as u64;
        let mut types = turns.map(|turn| self.type_at(inner, path, turn));
        match types.find(knows) {
            Some(ty) => Made::Object(Object { ty, path: path.to_owned() }),
            None => Made::Null,
        }
    }

    /// The object type at a path that has a type; the first turn counts, if it is known to all.
    pub fn type_at(&self, ty: &supergraph::Type, path: &str, turn: u64) -> TypeId {
        ty.possible[((hash(path) / 28 + turn) % ty.possible.len() as u64) as usize]
    }

    /// A value of a scalar or enum. Texts are the path itself, so that keys lead back to their objects.
    fn leaf(&self, ty: &str, path: &str) -> Value {
        let chance = hash(path);
        match ty {
            "Int" => json!(chance % 1_000_000),
            "Float" => json!((chance % 1_000) as f64 / 8.0),
            "Boolean" => json!(chance.is_multiple_of(2)),
            _ => match self.supergraph.api_schema().get_enum(ty) {
                Some(known) => json!(known.values[chance as usize % known.values.len()].value.as_str()),
                None => json!(path),
            },
        }
    }

    /// What a directive's selection comes to on an object.
    pub fn select(&self, object: &Object, set: &FieldSet) -> Value {
        let mut fields = Map::new();
        for selection in &set.selections {
            match selection {
                FieldSetSelection::Typename => {}
                FieldSetSelection::Fragment { on, set } => {
                    if self.supergraph.ty(*on).possible.contains(&object.ty)
                        && let Value::Object(more) = self.select(object, set)
                    {
                        fields.extend(more);
                    }
                }
                FieldSetSelection::Field(part) => {
                    let made = self.true_value(object, &part.name, &print(&part.arguments));
                    fields.insert(
                        part.name.to_string(),
                        self.to_json(made, &|object| self.select(object, &part.set)),
                    );
                }
            }
        }
        Value::Object(fields)
    }

    /// The value of a field with its requirement met.
    pub fn true_value(&self, object: &Object, name: &str, arguments: &str) -> Made {
        let interfaces = self.supergraph.ty(object.ty).interfaces.iter();
        let of_interfaces = interfaces.filter_map(|interface| self.supergraph.field_named(*interface, name));
        let joins =
            std::iter::once(self.field(object, name)).chain(of_interfaces).flat_map(|field| &field.joins);
        let requires = joins.into_iter().find_map(|join| join.requires.as_ref());
        let given = requires.map(|set| self.select(object, set));
        self.value(object, name, arguments, given.as_ref())
    }

    /// A value as JSON, given what its objects come to.
    pub fn to_json(&self, made: Made, of: &dyn Fn(&Object) -> Value) -> Value {
        match made {
            Made::Null => Value::Null,
            Made::Leaf(value) => value,
            Made::Object(object) => of(&object),
            Made::List(items) => Value::Array(items.into_iter().map(|item| self.to_json(item, of)).collect()),
        }
    }

    /// What the specification says the answer is.
    pub fn evaluate(&self, document: &ExecutableDocument, operation: &Operation) -> Value {
        let root = self.supergraph.root(operation.operation_type).expect("the root type is there");
        self.evaluate_sets(document, &[&operation.selection_set], &self.root(root))
    }

    fn evaluate_sets(&self, document: &ExecutableDocument, sets: &[&SelectionSet], object: &Object) -> Value {
        let mut grouped: Vec<(Name, Vec<&apollo_compiler::executable::Field>)> = Vec::new();
        for set in sets {
            self.collect(document, set, object, &mut grouped);
        }
        let mut answer = Map::new();
        for (key, fields) in grouped {
            let first = fields[0];
            if first.name == "__typename" {
                answer.insert(key.to_string(), json!(self.supergraph.ty(object.ty).name.as_str()));
                continue;
            }
            let below: Vec<&SelectionSet> = fields.iter().map(|field| &field.selection_set).collect();
            let made = self.true_value(object, &first.name, &print(&first.arguments));
            let value = self.to_json(made, &|object| self.evaluate_sets(document, &below, object));
            answer.insert(key.to_string(), value);
        }
        Value::Object(answer)
    }

    /// The fields that apply to an object, by response key in order.
    pub fn collect<'d>(
        &self,
        document: &'d ExecutableDocument,
        set: &'d SelectionSet,
        object: &Object,
        grouped: &mut Vec<(Name, Vec<&'d apollo_compiler::executable::Field>)>,
    ) {
        for selection in &set.selections {
            if !self.is_included(selection.directives()) {
                continue;
            }
            let is_for = |on: &Name| {
                self.supergraph
                    .type_named(on)
                    .is_some_and(|on| on.id == object.ty || on.possible.contains(&object.ty))
            };
            match selection {
                Selection::Field(field) => {
                    match grouped.iter_mut().find(|(key, _)| key == field.response_key()) {
                        Some((_, fields)) => fields.push(field),
                        None => grouped.push((field.response_key().clone(), vec![field])),
                    }
                }
                Selection::InlineFragment(fragment) => {
                    if fragment.type_condition.as_ref().is_none_or(is_for) {
                        self.collect(document, &fragment.selection_set, object, grouped);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = &document.fragments[&spread.fragment_name];
                    if is_for(fragment.type_condition()) {
                        self.collect(document, &fragment.selection_set, object, grouped);
                    }
                }
            }
        }
    }

    fn is_included(&self, directives: &apollo_compiler::ast::DirectiveList) -> bool {
        directives.iter().all(|directive| {
            let is_true = match directive.specified_argument_by_name("if").map(|value| &**value) {
                Some(Literal::Boolean(value)) => *value,
                Some(Literal::Variable(name)) => self.truths.contains(&name.as_str()),
                _ => panic!("a condition is a constant or a variable"),
            };
            is_true == (directive.name == "include")
        })
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish() >> 8
}

/// Arguments as they are told apart.
pub fn print(arguments: &[Node<Argument>]) -> String {
    let argument = |it: &Node<Argument>| format!("{}:{}", it.name, it.value.serialize().no_indent());
    arguments.iter().map(argument).collect::<Vec<_>>().join(",")
}
