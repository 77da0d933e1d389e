//! Subgraphs made of JSON: they execute the documents that they get on values, check nothing away, and
//! remember every call, so that tests can look at each byte that was sent.

use std::sync::{Arc, Mutex};

use apollo_compiler::ast::{self, Definition, Document, Selection, Value as Literal};
use async_graphql_value::{ConstValue, Variables};
use engine::{LocalError, LocalRequest, LocalResponse, LocalSubgraph, PathSegment, Prepared, RequestContext};
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::{Map, Value, json};
use tokio::sync::{Semaphore, mpsc};

type Resolve = dyn Fn(&Value) -> Value + Send + Sync;

/// One subgraph.
pub struct Fake {
    pub name: String,
    roots: Value,
    entity: Box<Resolve>,
    calls: Mutex<Vec<Call>>,
    /// Answers every request with these errors alone.
    refusal: Option<Value>,
    /// Leaves the index behind `_entities` out of error paths, as async-graphql does.
    without_index: bool,
    /// Calls wait here for a permit.
    gate: Option<Arc<Semaphore>>,
    /// Hears the name when a call begins.
    begun: Option<mpsc::UnboundedSender<String>>,
}

/// What a subgraph was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub document: String,
    pub variables: Value,
}

impl Fake {
    /// A subgraph whose root fields have these values, by `query`, `mutation` and `subscription`.
    pub fn new(name: &str, roots: Value) -> Self {
        Fake {
            name: name.to_owned(),
            roots,
            entity: Box::new(|_| Value::Null),
            calls: Mutex::default(),
            refusal: None,
            without_index: false,
            gate: None,
            begun: None,
        }
    }

    /// Resolves entities: from a representation to the object, which must have its `__typename`.
    pub fn entities(mut self, entity: impl Fn(&Value) -> Value + Send + Sync + 'static) -> Self {
        self.entity = Box::new(entity);
        self
    }

    pub fn refusing(mut self, errors: Value) -> Self {
        self.refusal = Some(errors);
        self
    }

    pub fn without_entity_index(mut self) -> Self {
        self.without_index = true;
        self
    }

    pub fn gated(mut self, gate: Arc<Semaphore>) -> Self {
        self.gate = Some(gate);
        self
    }

    pub fn telling(mut self, begun: mpsc::UnboundedSender<String>) -> Self {
        self.begun = Some(begun);
        self
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The representations of all calls, in order.
    pub fn representations(&self) -> Vec<Value> {
        let calls = self.calls();
        let lists = calls.iter().filter_map(|call| call.variables.as_object());
        let lists = lists.flat_map(|variables| variables.iter());
        let lists = lists.filter(|(name, _)| name.starts_with("representations"));
        lists.flat_map(|(_, list)| list.as_array().unwrap().clone()).collect()
    }

    /// Executes a request as a server would: the whole response.
    pub async fn respond(&self, document: &str, variables: Value) -> Value {
        self.calls.lock().unwrap().push(Call { document: document.to_owned(), variables: variables.clone() });
        if let Some(begun) = &self.begun {
            begun.send(self.name.clone()).unwrap();
        }
        if let Some(gate) = &self.gate {
            gate.acquire().await.unwrap().forget();
        }
        match &self.refusal {
            Some(errors) => json!({"data": null, "errors": errors}),
            None => self.execute(document, &variables, &self.roots),
        }
    }

    /// The responses to the events of a subscription: the root value is a list for each field.
    pub fn events(&self, document: &str, variables: &Value) -> Vec<Value> {
        self.calls.lock().unwrap().push(Call { document: document.to_owned(), variables: variables.clone() });
        let fields = self.roots["subscription"].as_object().unwrap();
        let (name, values) = fields.iter().next().unwrap();
        let events = values.as_array().unwrap().iter();
        events
            .map(|event| self.execute(document, variables, &json!({"subscription": {name: event}})))
            .collect()
    }

    fn execute(&self, document: &str, variables: &Value, roots: &Value) -> Value {
        let parsed = Document::parse(document, "fetch.graphql").unwrap_or_else(|refused| panic!("{refused}"));
        let operation = parsed
            .definitions
            .iter()
            .find_map(|definition| match definition {
                Definition::OperationDefinition(operation) => Some(operation),
                _ => None,
            })
            .unwrap();
        let mut execution = Execution { fake: self, variables, errors: Vec::new() };
        let mut data = Map::new();
        let root = &roots[operation.operation_type.name()];
        execution.select(&operation.selection_set, root, &mut Vec::new(), &mut data);
        match execution.errors.is_empty() {
            true => json!({"data": data}),
            false => json!({"data": data, "errors": execution.errors}),
        }
    }
}

struct Execution<'a> {
    fake: &'a Fake,
    variables: &'a Value,
    errors: Vec<Value>,
}

impl Execution<'_> {
    fn select(
        &mut self,
        set: &[Selection],
        object: &Value,
        path: &mut Vec<Value>,
        out: &mut Map<String, Value>,
    ) {
        for selection in set {
            let directives = match selection {
                Selection::Field(field) => &field.directives,
                Selection::InlineFragment(fragment) => &fragment.directives,
                Selection::FragmentSpread(_) => panic!("fetches have no named fragments"),
            };
            if !self.wanted(directives) {
                continue;
            }
            match selection {
                Selection::InlineFragment(fragment) => {
                    let concerned = match &fragment.type_condition {
                        None => true,
                        Some(on) => {
                            let is = |name: &Value| name.as_str() == Some(on.as_str());
                            let interfaces = object["__interfaces"].as_array();
                            is(&object["__typename"]) || interfaces.is_some_and(|all| all.iter().any(is))
                        }
                    };
                    if concerned {
                        self.select(&fragment.selection_set, object, path, out);
                    }
                }
                Selection::Field(field) => {
                    let key = field.response_name().to_string();
                    path.push(Value::from(key.clone()));
                    let value = self.resolve(field, object);
                    let value = self.complete(&value, &field.selection_set, path);
                    path.pop();
                    merge(out, key, value);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn resolve(&self, field: &ast::Field, object: &Value) -> Value {
        if field.name == "_entities" {
            let representations = self.literal(&field.arguments[0].value);
            let representations = representations.as_array().unwrap();
            return representations.iter().map(|representation| (self.fake.entity)(representation)).collect();
        }
        let arguments = field.arguments.iter();
        let arguments: Map<String, Value> =
            arguments.map(|argument| (argument.name.to_string(), self.literal(&argument.value))).collect();
        let with_arguments = format!("{}{}", field.name, Value::Object(arguments));
        object.get(with_arguments).or_else(|| object.get(field.name.as_str())).cloned().unwrap_or(Value::Null)
    }

    fn complete(&mut self, value: &Value, set: &[Selection], path: &mut Vec<Value>) -> Value {
        match value {
            Value::Object(object) if object.contains_key("__error") => {
                let mut path = path.clone();
                if self.fake.without_index && path[0] == "_entities" {
                    path.remove(1);
                }
                let mut error = json!({"message": object["__error"], "path": path});
                if let Some(extensions) = object.get("extensions") {
                    error["extensions"] = extensions.clone();
                }
                self.errors.push(error);
                Value::Null
            }
            Value::Array(elements) => {
                let mut list = Vec::new();
                for (position, element) in elements.iter().enumerate() {
                    path.push(position.into());
                    list.push(self.complete(element, set, path));
                    path.pop();
                }
                Value::Array(list)
            }
            Value::Object(_) if !set.is_empty() => {
                let mut out = Map::new();
                self.select(set, value, path, &mut out);
                Value::Object(out)
            }
            value => value.clone(),
        }
    }

    fn wanted(&self, directives: &ast::DirectiveList) -> bool {
        directives.iter().all(|directive| {
            let condition = self.literal(directive.specified_argument_by_name("if").unwrap());
            condition.as_bool().unwrap() == (directive.name == "include")
        })
    }

    fn literal(&self, literal: &Literal) -> Value {
        match literal {
            Literal::Variable(name) => self.variables[name.as_str()].clone(),
            Literal::Null => Value::Null,
            Literal::Enum(name) => json!(name.as_str()),
            Literal::String(text) => json!(text),
            Literal::Boolean(value) => json!(value),
            Literal::Int(number) => serde_json::from_str(number.as_str()).unwrap(),
            Literal::Float(number) => serde_json::from_str(number.as_str()).unwrap(),
            Literal::List(elements) => elements.iter().map(|element| self.literal(element)).collect(),
            Literal::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.to_string(), self.literal(value)));
                Value::Object(fields.collect())
            }
        }
    }
}

/// Equal keys of two fragments are one field.
fn merge(out: &mut Map<String, Value>, key: String, value: Value) {
    match (out.get_mut(&key), value) {
        (Some(Value::Object(known)), Value::Object(more)) => {
            more.into_iter().for_each(|(key, value)| merge(known, key, value));
        }
        (Some(Value::Array(known)), Value::Array(more)) => {
            for (known, more) in known.iter_mut().zip(more) {
                if let (Value::Object(known), Value::Object(more)) = (known, more) {
                    more.into_iter().for_each(|(key, value)| merge(known, key, value));
                }
            }
        }
        (_, value) => {
            out.insert(key, value);
        }
    }
}

impl LocalSubgraph for Fake {
    fn prepare(&self, document: &str) -> Prepared {
        Arc::new(document.to_owned())
    }

    fn call<'a>(
        &'a self,
        request: LocalRequest<'a>,
        _context: &'a RequestContext,
    ) -> BoxFuture<'a, LocalResponse> {
        let LocalRequest { prepared, variables, .. } = request;
        Box::pin(async move {
            let document = prepared.downcast_ref::<String>().unwrap();
            local(self.respond(document, to_json(variables)).await)
        })
    }

    fn subscribe(
        self: Arc<Self>,
        prepared: Prepared,
        variables: Variables,
        _context: Arc<RequestContext>,
    ) -> BoxStream<'static, LocalResponse> {
        let document = prepared.downcast_ref::<String>().unwrap();
        stream::iter(self.events(document, &to_json(variables))).map(local).boxed()
    }
}

fn to_json(variables: Variables) -> Value {
    variables.into_value().into_json().unwrap()
}

fn local(mut response: Value) -> LocalResponse {
    let errors = match response["errors"].take() {
        Value::Array(errors) => errors,
        _ => Vec::new(),
    };
    LocalResponse {
        data: ConstValue::from_json(response["data"].take()).unwrap(),
        errors: errors.into_iter().map(local_error).collect(),
        extensions: ConstValue::Null,
    }
}

fn local_error(mut error: Value) -> LocalError {
    let path = error["path"].as_array().cloned().unwrap_or_default();
    let segment = |segment: Value| match segment {
        Value::String(key) => PathSegment::Key(key),
        index => PathSegment::Index(index.as_u64().unwrap() as usize),
    };
    LocalError {
        message: error["message"].as_str().unwrap().to_owned(),
        path: path.into_iter().map(segment).collect(),
        extensions: match error["extensions"].take() {
            Value::Object(extensions) => extensions,
            _ => Map::new(),
        },
    }
}
