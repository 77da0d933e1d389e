//! Engines over fake subgraphs, reached in this process or over HTTP.

use std::sync::Arc;

use engine::{
    Engine, EngineOptions, HttpClient, HttpOptions, RequestContext, Response, Subgraphs, Transport,
};
use serde_json::{Map, Value};
use supergraph::Supergraph;

use crate::fake::Fake;
use crate::server;

const LINK: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: [
    "@key", "@requires", "@provides", "@external", "@shareable", "@inaccessible", "@authenticated",
    "@requiresScopes", "@interfaceObject"])
"#;

/// A supergraph of subgraphs by name and schema.
pub fn supergraph(subgraphs: &[(&str, &str)]) -> Arc<Supergraph> {
    let subgraphs: Vec<compose::Subgraph> = subgraphs
        .iter()
        .map(|(name, sdl)| compose::Subgraph {
            name: (*name).to_owned(),
            url: String::new(),
            sdl: format!("{LINK}{sdl}"),
        })
        .collect();
    let composed = compose::compose(&subgraphs).unwrap_or_else(|errors| panic!("{errors:#?}"));
    Arc::new(Supergraph::parse(&composed.supergraph_sdl).unwrap_or_else(|error| panic!("{error}")))
}

/// An engine that calls its subgraphs in this process.
pub fn local(supergraph: &Arc<Supergraph>, fakes: &[&Arc<Fake>]) -> Engine {
    let subgraphs = fakes.iter().fold(Subgraphs::new(), |subgraphs, fake| {
        subgraphs.with(fake.name.clone(), Transport::Local((*fake).clone()))
    });
    Engine::new(supergraph.clone(), subgraphs, EngineOptions::default()).unwrap()
}

/// An engine that calls its subgraphs over HTTP, each served at a port of its own.
pub async fn remote(supergraph: &Arc<Supergraph>, fakes: &[&Arc<Fake>]) -> Engine {
    let client = HttpClient::new(HttpOptions::default());
    let mut subgraphs = Subgraphs::new();
    for fake in fakes {
        let url = server::serve_fake((*fake).clone()).await;
        subgraphs = subgraphs.with_http(fake.name.clone(), client.subgraph(url));
    }
    Engine::new(supergraph.clone(), subgraphs, EngineOptions::default()).unwrap()
}

/// Executes an operation with variables in a context; the whole response as text.
pub async fn text(engine: &Engine, query: &str, variables: Value, context: &RequestContext) -> String {
    let response = response(engine, query, variables, context).await;
    String::from_utf8(response.into_body().to_vec()).unwrap()
}

pub async fn response(engine: &Engine, query: &str, variables: Value, context: &RequestContext) -> Response {
    let operation = engine.prepare(query, None, &|_| Ok(())).unwrap_or_else(|error| panic!("{error:#?}"));
    engine.execute(&operation, object(variables), context).await
}

/// Executes an operation without variables; the whole response as text.
pub async fn run(engine: &Engine, query: &str) -> String {
    text(engine, query, Value::Null, &RequestContext::default()).await
}

/// The same, as JSON.
pub async fn json(engine: &Engine, query: &str) -> Value {
    serde_json::from_str(&run(engine, query).await).unwrap()
}

pub fn object(variables: Value) -> Map<String, Value> {
    match variables {
        Value::Object(variables) => variables,
        _ => Map::new(),
    }
}
