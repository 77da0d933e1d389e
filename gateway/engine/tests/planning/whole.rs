//! The same documents once more, through the whole engine: subgraphs get the texts it writes, answer with
//! typed values, and the answer it prints must be what the document asks.

use std::sync::{Arc, Mutex};

use apollo_compiler::ast::{self, Definition, Document, Selection, Value as Literal};
use async_graphql_value::{ConstValue, Variables};
use engine::plan::SelectedField;
use engine::{
    Engine, EngineOptions, Grant, LocalResponse, LocalSubgraph, Prepared, RequestContext, Subgraphs,
    Transport,
};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use serde_json::{Map, Value, json};
use supergraph::{Authorization, FieldSet, FieldSetSelection, Subgraph, Supergraph, TypeId, TypeKind};

use super::world::{Made, Object, World, print};

/// A value of the kind that the named type has, made from the text that stands for it.
fn typed(supergraph: &Supergraph, inner: TypeId, text: &str) -> Value {
    let number = text.bytes().fold(7u32, |number, byte| number.wrapping_mul(31).wrapping_add(byte.into()));
    let ty = supergraph.ty(inner);
    match ty.name.as_str() {
        "Int" => json!(number as i32),
        "Float" => json!(f64::from(number) + 0.5),
        "Boolean" => json!(number.is_multiple_of(2)),
        _ if ty.kind == TypeKind::Enum => {
            let values = &supergraph.api_schema().get_enum(&ty.name).unwrap().values;
            json!(values.get_index(number as usize % values.len()).unwrap().0.as_str())
        }
        _ => json!(text),
    }
}

/// One subgraph of a made-up world.
struct MadeUp {
    supergraph: Arc<Supergraph>,
    subgraph: Subgraph,
    /// All objects that any subgraph has handed out, by which representations are understood.
    known: Arc<Mutex<Vec<Object>>>,
}

impl LocalSubgraph for MadeUp {
    fn prepare(&self, document: &str) -> Prepared {
        match Document::parse(document, "fetch.graphql") {
            Ok(document) => Arc::new(document),
            Err(refused) => panic!("{document}\n{}", refused.errors),
        }
    }

    fn call<'a>(
        &'a self,
        prepared: &'a Prepared,
        variables: Variables,
        _context: &'a RequestContext,
    ) -> BoxFuture<'a, LocalResponse> {
        let document = prepared.downcast_ref::<Document>().unwrap();
        let data = ConstValue::from_json(self.execute(document, &variables)).unwrap();
        Box::pin(std::future::ready(LocalResponse { data, ..LocalResponse::default() }))
    }

    fn subscribe(
        self: Arc<Self>,
        _prepared: Prepared,
        _variables: Variables,
        _context: Arc<RequestContext>,
    ) -> BoxStream<'static, LocalResponse> {
        unreachable!("documents by chance do not subscribe")
    }
}

impl MadeUp {
    fn execute(&self, document: &Document, variables: &Variables) -> Value {
        let mut operations = document.definitions.iter().filter_map(|definition| match definition {
            Definition::OperationDefinition(operation) => Some(operation),
            _ => None,
        });
        let operation = operations.next().unwrap();
        let is_true = |name: &str| variables.get(name) == Some(&ConstValue::Boolean(true));
        let truths: Vec<&str> = ["x", "y"].into_iter().filter(|name| is_true(name)).collect();
        let world = World { supergraph: &self.supergraph, truths: &truths };
        let root = world.root(self.supergraph.root(operation.operation_type).unwrap());
        let execution = Execution { subgraph: self, world: &world, variables };
        execution.object(&root, &[&operation.selection_set], None)
    }
}

struct Execution<'a> {
    subgraph: &'a MadeUp,
    world: &'a World<'a>,
    variables: &'a Variables,
}

impl Execution<'_> {
    fn object(&self, object: &Object, sets: &[&Vec<Selection>], sent: Option<&Value>) -> Value {
        self.subgraph.known.lock().unwrap().push(object.clone());
        let mut grouped: Vec<(&str, Vec<&ast::Field>)> = Vec::new();
        for set in sets {
            self.collect(object, set, &mut grouped);
        }
        let mut answer = Map::new();
        for (key, fields) in grouped {
            let below: Vec<&Vec<Selection>> = fields.iter().map(|field| &field.selection_set).collect();
            let value = match fields[0].name.as_str() {
                "__typename" => json!(self.typename(object)),
                "_entities" => self.entities(fields[0], &below),
                _ => self.field(object, fields[0], &below, sent),
            };
            answer.insert(key.to_owned(), value);
        }
        // Order is nothing that the engine may rely on.
        answer.into_iter().rev().collect()
    }

    fn collect<'d>(
        &self,
        object: &Object,
        set: &'d [Selection],
        grouped: &mut Vec<(&'d str, Vec<&'d ast::Field>)>,
    ) {
        for selection in set {
            match selection {
                Selection::Field(field) => {
                    if self.is_wanted(&field.directives) {
                        let key = field.response_name().as_str();
                        match grouped.iter_mut().find(|(known, _)| *known == key) {
                            Some((_, fields)) => fields.push(field),
                            None => grouped.push((key, vec![field])),
                        }
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let is_for = fragment.type_condition.as_ref().is_none_or(|on| {
                        self.world.supergraph.type_named(on).unwrap().possible.contains(&object.ty)
                    });
                    if is_for && self.is_wanted(&fragment.directives) {
                        self.collect(object, &fragment.selection_set, grouped);
                    }
                }
                Selection::FragmentSpread(_) => panic!("fetches have no named fragments"),
            }
        }
    }

    fn is_wanted(&self, directives: &ast::DirectiveList) -> bool {
        directives.iter().all(|directive| {
            let condition = directive.specified_argument_by_name("if").unwrap();
            let Literal::Variable(name) = &**condition else { panic!("constants are resolved before") };
            (self.variables.get(name.as_str()) == Some(&ConstValue::Boolean(true)))
                == (directive.name == "include")
        })
    }

    /// The name by which this subgraph knows the type of an object.
    fn typename(&self, object: &Object) -> &str {
        let ty = self.world.supergraph.ty(object.ty);
        let id = self.subgraph.subgraph.id;
        let stands = ty.interfaces.iter().map(|interface| self.world.supergraph.ty(*interface));
        let mut stands = stands.filter(|it| it.join(id).is_some_and(|join| join.is_interface_object));
        match ty.join(id) {
            Some(_) => &ty.name,
            None => stands.next().map_or(&ty.name, |interface| &interface.name),
        }
    }

    fn field(
        &self,
        object: &Object,
        field: &ast::Field,
        below: &[&Vec<Selection>],
        sent: Option<&Value>,
    ) -> Value {
        let definition = self.world.field(object, &field.name);
        let interfaces = self.world.supergraph.ty(object.ty).interfaces.iter();
        let stands_for = interfaces.filter_map(|it| self.world.supergraph.field_named(*it, &field.name));
        let mut definitions = std::iter::once(definition).chain(stands_for);
        let join = definitions.find_map(|it| it.join(self.subgraph.subgraph.id));
        let given = join.and_then(|join| join.requires.as_ref()).map(|set| {
            let wanted = self.true_selection(object, set);
            let sent = sent.unwrap_or_else(|| panic!("{} was not given what it requires", field.name));
            assert!(contains(sent, &wanted), "{sent} has not all of {wanted}");
            self.world.select(object, set)
        });
        let made = self.world.value(object, &field.name, &print(&field.arguments), given.as_ref());
        self.made(made, definition.inner, &|object| self.object(object, below, None))
    }

    fn made(&self, made: Made, inner: TypeId, of: &dyn Fn(&Object) -> Value) -> Value {
        match made {
            Made::Null => Value::Null,
            Made::Leaf(text) => typed(self.world.supergraph, inner, &text),
            Made::Object(object) => of(&object),
            Made::List(items) => items.into_iter().map(|item| self.made(item, inner, of)).collect(),
        }
    }

    fn entities(&self, field: &ast::Field, below: &[&Vec<Selection>]) -> Value {
        let Literal::Variable(name) = &*field.arguments[0].value else { panic!("{field:?}") };
        let sent = self.variables[name.as_str()].clone().into_json().unwrap();
        let entities = sent.as_array().unwrap().iter();
        let distinct: std::collections::HashSet<String> = entities.clone().map(Value::to_string).collect();
        assert_eq!(distinct.len(), entities.len(), "a representation is sent twice");
        entities.map(|sent| self.object(&self.entity(sent), below, Some(sent))).collect()
    }

    /// The object that a representation was made of.
    fn entity(&self, sent: &Value) -> Object {
        let ty = self.world.supergraph.type_named(sent["__typename"].as_str().unwrap()).unwrap();
        let keys = &ty.join(self.subgraph.subgraph.id).unwrap().keys;
        let known = self.subgraph.known.lock().unwrap().clone();
        let candidates = known.into_iter().filter(|object| ty.possible.contains(&object.ty));
        let mut fitting = candidates.filter(|object| {
            let mut keys = keys.iter().filter(|key| key.resolvable);
            keys.any(|key| contains(sent, &self.true_selection(object, &key.selection)))
        });
        fitting.next().unwrap_or_else(|| panic!("{sent} leads to no object"))
    }

    /// What a directive's selection comes to on an object, with typed values.
    fn true_selection(&self, object: &Object, set: &FieldSet) -> Value {
        let mut fields = Map::new();
        for selection in &set.selections {
            match selection {
                FieldSetSelection::Typename => {}
                FieldSetSelection::Fragment { on, set } => {
                    if self.world.supergraph.ty(*on).possible.contains(&object.ty)
                        && let Value::Object(more) = self.true_selection(object, set)
                    {
                        fields.extend(more);
                    }
                }
                FieldSetSelection::Field(part) => {
                    let made = self.world.true_value(object, &part.name, &print(&part.arguments));
                    let inner = self.world.field(object, &part.name).inner;
                    let value = self.made(made, inner, &|object| self.true_selection(object, &part.set));
                    fields.insert(part.name.to_string(), value);
                }
            }
        }
        Value::Object(fields)
    }
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

/// The engine over a made-up world.
pub struct Whole {
    engine: Engine,
    runtime: tokio::runtime::Runtime,
    known: Arc<Mutex<Vec<Object>>>,
    context: RequestContext,
}

impl Whole {
    pub fn new(supergraph: &Arc<Supergraph>) -> Self {
        let known = Arc::new(Mutex::new(Vec::new()));
        let mut subgraphs = Subgraphs::new();
        for subgraph in supergraph.subgraphs() {
            let made_up =
                MadeUp { supergraph: supergraph.clone(), subgraph: subgraph.clone(), known: known.clone() };
            subgraphs = subgraphs.with(subgraph.name.clone(), Transport::Local(Arc::new(made_up)));
        }
        let engine = Engine::new(supergraph.clone(), subgraphs, EngineOptions::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let context = RequestContext { grant: all_of(supergraph), ..RequestContext::default() };
        Whole { engine, runtime, known, context }
    }

    /// Executes a document and compares its answer with what was made of the same values as texts.
    pub fn compare(&self, text: &str, expected: &Value, truths: &[&str]) {
        let operation = self.engine.prepare(text, None, &|_| Ok(())).unwrap();
        let fields: Vec<&SelectedField> = operation.selection().iter().collect();
        // A made-up world sometimes has no object where there must be one.
        let Some(expected) = self.as_typed(expected, &fields, None) else { return };
        self.known.lock().unwrap().clear();
        let variables = ["x", "y"].map(|name| (name.to_owned(), truths.contains(&name).into()));
        let execution = self.engine.execute(&operation, variables.into_iter().collect(), &self.context);
        let response = self.runtime.block_on(execution);
        let found: Value = serde_json::from_slice(response.body()).unwrap();
        let plan = operation.plan().explain(self.engine.supergraph()).to_string();
        assert_eq!(found, json!({"data": expected}), "true {truths:?}: {text}\n{plan}");
    }

    fn as_typed(&self, value: &Value, fields: &[&SelectedField], ty: Option<&ast::Type>) -> Option<Value> {
        let supergraph = self.engine.supergraph();
        match value {
            Value::Null => (!ty.is_some_and(ast::Type::is_non_null)).then_some(Value::Null),
            Value::Array(items) => {
                let item = ty.map(ast::Type::item_type);
                items.iter().map(|it| self.as_typed(it, fields, item)).collect()
            }
            Value::Object(object) => {
                let below = |key: &String| {
                    let fields = fields.iter().filter(|field| *field.response_key == **key);
                    fields.collect::<Vec<_>>()
                };
                let typed_field = |(key, value): (&String, &Value)| {
                    let fields = below(key);
                    let Some(inner) = fields[0].inner else { return Some((key.clone(), value.clone())) };
                    let value = match supergraph.ty(inner).is_composite() {
                        true => {
                            let below: Vec<&SelectedField> =
                                fields.iter().flat_map(|field| &field.selection).collect();
                            self.as_typed(value, &below, Some(&fields[0].ty))?
                        }
                        false => leaf(supergraph, inner, value),
                    };
                    Some((key.clone(), value))
                };
                object.iter().map(typed_field).collect::<Option<Map<_, _>>>().map(Value::Object)
            }
            _ => unreachable!("leaves are taken care of at their fields"),
        }
    }
}

fn leaf(supergraph: &Supergraph, inner: TypeId, value: &Value) -> Value {
    match value {
        Value::String(text) => typed(supergraph, inner, text),
        Value::Array(items) => items.iter().map(|item| leaf(supergraph, inner, item)).collect(),
        value => value.clone(),
    }
}

/// A caller who may see all.
fn all_of(supergraph: &Supergraph) -> Grant {
    let mut grant = Grant { authenticated: true, ..Grant::default() };
    for Authorization { scopes, policies, .. } in supergraph.fields().iter().map(|it| &it.authorization) {
        grant.scopes.extend(scopes.iter().flatten().flatten().cloned());
        grant.policies.extend(policies.iter().flatten().flatten().cloned());
    }
    grant
}
