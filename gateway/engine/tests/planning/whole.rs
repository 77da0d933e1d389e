//! The whole engine over made-up subgraphs: what it answers to documents made by chance, by a call and by
//! HTTP. The documents it sends must be valid in the subgraph's own schema.

use std::convert::Infallible;
use std::sync::Arc;

use apollo_compiler::executable::{Field, SelectionSet};
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use async_graphql_value::{ConstValue, Variables};
use bytes::Bytes;
use engine::{
    Engine, EngineOptions, Grant, HttpClient, HttpOptions, LocalRequest, LocalResponse, LocalSubgraph,
    Prepared, RequestContext, Subgraphs,
};
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use supergraph::{FieldSet, FieldSetSelection, SubgraphId, Supergraph};

use super::chance::document;
use super::run::resolve;
use super::world::{Object, World, print};
use super::{EVERY_FEATURE, planner, planner_of};

/// A subgraph that answers from the made-up world what it resolves by itself, and nothing else.
struct MadeUp {
    supergraph: Arc<Supergraph>,
    subgraph: SubgraphId,
    /// What the documents it is sent must be valid in.
    schema: Valid<Schema>,
}

impl MadeUp {
    fn new(supergraph: &Arc<Supergraph>, subgraph: SubgraphId, sdl: Option<&str>) -> MadeUp {
        let schema = match sdl {
            Some(sdl) => own_schema(supergraph, subgraph, sdl),
            None => with_entities(supergraph.api_schema()),
        };
        MadeUp { supergraph: supergraph.clone(), subgraph, schema }
    }

    fn answer(&self, text: &str, variables: &Value) -> Value {
        let document = ExecutableDocument::parse_and_validate(&self.schema, text, "fetch.graphql");
        let document = document.unwrap_or_else(|refused| panic!("{}\n{text}", refused.errors));
        let operation = document.operations.get(None).expect("one operation");
        let truths: Vec<&str> =
            ["x", "y"].into_iter().filter(|name| variables[*name] == Value::Bool(true)).collect();
        let world = World { supergraph: &self.supergraph, truths: &truths };
        let asked = Asked { world: &world, subgraph: self.subgraph, document: &document, variables };
        let root = self.supergraph.root(operation.operation_type).expect("the root type is there");
        let data = asked.select(&[&operation.selection_set], &world.root(root), &FieldSet::default(), None);
        json!({ "data": data })
    }
}

/// The schema against which a subgraph checks what it is sent.
fn own_schema(supergraph: &Supergraph, subgraph: SubgraphId, sdl: &str) -> Valid<Schema> {
    let is_entity = |ty: &&supergraph::Type| {
        let keys = ty.join(subgraph).map(|join| &join.keys[..]).unwrap_or_default();
        let is_object = ty.kind == supergraph::TypeKind::Object
            || ty.join(subgraph).is_some_and(|it| it.is_interface_object);
        is_object && keys.iter().any(|key| key.resolvable)
    };
    let entities: Vec<&str> =
        supergraph.types().iter().filter(is_entity).map(|ty| ty.name.as_str()).collect();
    let entities = match entities.is_empty() {
        true => String::new(),
        false => format!(
            "scalar _Any union _Entity = {} extend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}",
            entities.join(" | ")
        ),
    };
    let text = format!("{FEDERATION} {entities} {sdl}");
    Schema::parse_and_validate(text, "subgraph.graphql")
        .unwrap_or_else(|refused| panic!("{}", refused.errors))
}

const FEDERATION: &str = "
    directive @key(fields: String!, resolvable: Boolean = true) repeatable on OBJECT | INTERFACE
    directive @external on FIELD_DEFINITION | OBJECT
    directive @requires(fields: String!) on FIELD_DEFINITION
    directive @provides(fields: String!) on FIELD_DEFINITION
    directive @shareable repeatable on FIELD_DEFINITION | OBJECT
    directive @override(from: String!) on FIELD_DEFINITION
    directive @interfaceObject on OBJECT
";

/// The API schema with a field for entities of any type.
fn with_entities(api: &Valid<Schema>) -> Valid<Schema> {
    let entities: Vec<String> = api
        .types
        .values()
        .filter(|ty| ty.is_object() && !ty.is_built_in())
        .map(|ty| ty.name().to_string())
        .collect();
    let text = format!(
        "{api} scalar _Any union _Entity = {} extend type Query {{ _entities(representations: [_Any!]!): [_Entity]! }}",
        entities.join(" | ")
    );
    Schema::parse_and_validate(text, "api.graphql").unwrap_or_else(|refused| panic!("{}", refused.errors))
}

/// One request to a made-up subgraph.
struct Asked<'a> {
    world: &'a World<'a>,
    subgraph: SubgraphId,
    document: &'a ExecutableDocument,
    variables: &'a Value,
}

impl Asked<'_> {
    fn select(
        &self,
        sets: &[&SelectionSet],
        object: &Object,
        provided: &FieldSet,
        sent: Option<&Map<String, Value>>,
    ) -> Value {
        let mut grouped = Vec::new();
        for set in sets {
            self.world.collect(self.document, set, object, &mut grouped);
        }
        let mut answer = Map::new();
        for (key, fields) in grouped {
            let value = match fields[0].name.as_str() {
                "__typename" => json!(self.typename(object)),
                "_entities" => self.entities(&fields),
                name => {
                    let (given, provided) = resolve(self.world, self.subgraph, object, name, provided, sent);
                    let below: Vec<&SelectionSet> = fields.iter().map(|field| &field.selection_set).collect();
                    let made = self.world.value(object, name, &print(&fields[0].arguments), given.as_ref());
                    self.world.to_json(made, &|object| self.select(&below, object, &provided, None))
                }
            };
            answer.insert(key.to_string(), value);
        }
        Value::Object(answer)
    }

    /// The type of an object as this subgraph knows it.
    fn typename(&self, object: &Object) -> &str {
        let ty = self.world.supergraph.ty(object.ty);
        if ty.join(self.subgraph).is_some() {
            return &ty.name;
        }
        let interfaces = ty.interfaces.iter().map(|interface| self.world.supergraph.ty(*interface));
        let stands_for =
            |ty: &&supergraph::Type| ty.join(self.subgraph).is_some_and(|it| it.is_interface_object);
        &interfaces
            .into_iter()
            .find(stands_for)
            .expect("the subgraph has the type or an interface object")
            .name
    }

    fn entities(&self, fields: &[&Field]) -> Value {
        let argument = fields[0].specified_argument_by_name("representations").expect("it is sent");
        let variable = argument.as_variable().expect("it is a variable");
        let sent = self.variables[variable.as_str()].as_array().expect("representations are a list");
        let below: Vec<&SelectionSet> = fields.iter().map(|field| &field.selection_set).collect();
        let entity = |sent: &Value| {
            let sent = sent.as_object().expect("a representation is an object");
            self.select(&below, &self.find(sent), &FieldSet::default(), Some(sent))
        };
        sent.iter().map(entity).collect()
    }

    /// The object that a representation was made of.
    fn find(&self, sent: &Map<String, Value>) -> Object {
        let name = sent["__typename"].as_str().expect("a name");
        let ty = self.world.supergraph.type_named(name).expect("the type exists");
        let keys = &ty.join(self.subgraph).unwrap_or_else(|| panic!("{name} is not known here")).keys;
        let is_sent = |set: &FieldSet| has_all(set, sent);
        let key = keys.iter().find(|key| key.resolvable && is_sent(&key.selection));
        let key = key.unwrap_or_else(|| panic!("{sent:?} holds no key of {name}"));
        let (value, suffix) = first_text(&key.selection, sent).expect("a key holds a text");
        let path = value.strip_suffix(&suffix).unwrap_or_else(|| panic!("{value} is no {suffix}"));
        let concrete =
            match ty.is_abstract() && !ty.join(self.subgraph).is_some_and(|it| it.is_interface_object) {
                true => self.world.type_at(ty, path, 0),
                false => ty.id,
            };
        Object { ty: concrete, path: path.to_owned() }
    }
}

fn has_all(set: &FieldSet, sent: &Map<String, Value>) -> bool {
    set.selections.iter().all(|part| match part {
        FieldSetSelection::Field(field) => match sent.get(field.name.as_str()) {
            Some(Value::Object(below)) => has_all(&field.set, below),
            Some(_) => field.set.is_empty(),
            None => false,
        },
        _ => true,
    })
}

/// The first text in a key, and what its path ends with.
fn first_text<'v>(set: &FieldSet, sent: &'v Map<String, Value>) -> Option<(&'v str, String)> {
    set.selections.iter().find_map(|part| match part {
        FieldSetSelection::Field(field) => match &sent[field.name.as_str()] {
            Value::String(text) => Some((text.as_str(), format!("/{}()", field.name))),
            Value::Object(below) => {
                let (text, suffix) = first_text(&field.set, below)?;
                Some((text, format!("/{}(){suffix}", field.name)))
            }
            _ => None,
        },
        _ => None,
    })
}

impl LocalSubgraph for MadeUp {
    fn prepare(&self, document: &str) -> Prepared {
        Arc::new(document.to_owned())
    }

    fn call<'a>(&'a self, request: LocalRequest<'a>, _: &'a RequestContext) -> BoxFuture<'a, LocalResponse> {
        let LocalRequest { prepared, variables, .. } = request;
        let text = prepared.downcast_ref::<String>().expect("prepared here");
        let variables = serde_json::to_value(&variables).expect("variables are JSON");
        let data = reversed(self.answer(text, &variables)["data"].take());
        let data = ConstValue::from_json(data).expect("JSON is a value");
        Box::pin(async move { LocalResponse { data, ..LocalResponse::default() } })
    }

    fn subscribe(
        self: Arc<Self>,
        _: Prepared,
        _: Variables,
        _: Arc<RequestContext>,
    ) -> BoxStream<'static, LocalResponse> {
        Box::pin(futures::stream::empty())
    }
}

/// The same with the keys of all objects in another order, which the engine may not rely on.
fn reversed(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            Value::Object(fields.into_iter().rev().map(|(name, value)| (name, reversed(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(reversed).collect(),
        other => other,
    }
}

/// Serves a made-up subgraph at a port of the system's choice.
async fn serve(subgraph: Arc<MadeUp>) -> http::Uri {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::runtime::Handle::current().spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let subgraph = subgraph.clone();
            connections.spawn(async move {
                let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let subgraph = subgraph.clone();
                    async move {
                        let body = request.into_body().collect().await.expect("a body").to_bytes();
                        let body: Value = serde_json::from_slice(&body).expect("JSON");
                        let query = body["query"].as_str().expect("a document");
                        let answer = subgraph.answer(query, &body["variables"]).to_string();
                        let response = hyper::Response::new(Full::new(Bytes::from(answer)));
                        Ok::<_, Infallible>(response)
                    }
                });
                // The client may hang up at any time.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    format!("http://{address}/graphql").parse().expect("a URL")
}

/// Asks the engine for documents made by chance; returns how many it took.
async fn ask(engine: &Engine, seeds: std::ops::Range<u64>, keyword: &str) -> usize {
    let supergraph = engine.supergraph().clone();
    let mut scopes = std::collections::BTreeSet::new();
    for field in supergraph.fields() {
        scopes.extend(field.authorization.scopes.iter().flatten().flatten().cloned());
    }
    let grant = Grant { authenticated: true, scopes, ..Grant::default() };
    let context = RequestContext { grant, ..RequestContext::default() };
    let mut asked = 0;
    for seed in seeds {
        let text = document(&supergraph, seed, keyword);
        let Ok(operation) = engine.prepare(&text, None, &|_| Ok(())) else { continue };
        for truths in [&[][..], &["x"], &["y"], &["x", "y"]] {
            let world = World { supergraph: &supergraph, truths };
            let expected = world.evaluate(operation.document(), operation.definition());
            let mut variables = Map::new();
            variables.insert("x".to_owned(), json!(truths.contains(&"x")));
            variables.insert("y".to_owned(), json!(truths.contains(&"y")));
            let response = engine.execute(&operation, variables, &context).await;
            let found: Value = serde_json::from_slice(response.body()).expect("the answer is JSON");
            let plan = operation.plan().explain(&supergraph);
            assert_eq!(found, json!({ "data": expected }), "seed {seed}, true {truths:?}: {text}\n{plan}");
        }
        asked += 1;
    }
    asked
}

fn local(supergraph: &Arc<Supergraph>, sdl: impl Fn(&str) -> Option<&'static str>) -> Engine {
    let subgraphs = supergraph.subgraphs().iter().fold(Subgraphs::new(), |subgraphs, subgraph| {
        let made_up = MadeUp::new(supergraph, subgraph.id, sdl(&subgraph.name));
        subgraphs.with_local(subgraph.name.clone(), Arc::new(made_up))
    });
    Engine::new(supergraph.clone(), subgraphs, EngineOptions::default()).expect("all subgraphs are there")
}

fn feature(name: &str) -> Option<&'static str> {
    EVERY_FEATURE.iter().find(|(known, _)| *known == name).map(|(_, sdl)| *sdl)
}

#[tokio::test]
async fn documents_over_every_feature_are_answered_by_calls() {
    let engine = local(planner_of(&EVERY_FEATURE).supergraph(), feature);
    assert!(ask(&engine, 1000..1200, "query").await > 60);
    assert!(ask(&engine, 1000..1050, "mutation").await > 10);
}

#[tokio::test]
async fn documents_over_every_feature_are_answered_over_http() {
    let planner = planner_of(&EVERY_FEATURE);
    let supergraph = planner.supergraph();
    let client = HttpClient::new(HttpOptions::default());
    let mut subgraphs = Subgraphs::new();
    for subgraph in supergraph.subgraphs() {
        let made_up = Arc::new(MadeUp::new(supergraph, subgraph.id, feature(&subgraph.name)));
        subgraphs = subgraphs.with_http(subgraph.name.clone(), client.subgraph(serve(made_up).await));
    }
    let engine = Engine::new(supergraph.clone(), subgraphs, EngineOptions::default()).expect("all are there");
    assert!(ask(&engine, 2000..2150, "query").await > 40);
}

#[tokio::test]
async fn documents_over_the_shop_are_answered_by_calls() {
    let planner = planner(include_str!("../../../../schema/supergraph/tests/fixtures/shop.graphql"));
    let engine = local(planner.supergraph(), |_| None);
    assert!(ask(&engine, 3000..3060, "query").await > 20);
    assert!(ask(&engine, 3000..3030, "mutation").await > 8);
}
