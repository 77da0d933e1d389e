//! What a join of 1,000 entities costs: CPU of the engine's thread and allocations on it, against a plain
//! proxy of the same bytes (the floor) and against a merge through `serde_json` trees.
//!
//! Two subgraphs answer prepared bytes over HTTP from another thread, so that only this side is measured:
//! `cargo run --release -p engine --example thousand_entities`. Ratios count; absolute times drift.

use std::collections::HashMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use cpu_time::ThreadTime;
use engine::{Engine, EngineOptions, HttpClient, HttpOptions, RequestContext, Subgraphs};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Map, Value, json};
use supergraph::Supergraph;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

type Failure = Box<dyn Error + Send + Sync>;
type Http = Client<HttpConnector, Full<Bytes>>;

const ENTITIES: usize = 1_000;
const WARM_UP: usize = 50;
const ROUNDS: usize = 300;

const QUERY: &str = "{ products { id title descriptionHtml listPrice { amountMinor currency } \
    availability { status quantity asOf } } }";

const PRODUCTS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
    type Query { products: [Product!]! }
    type Product @key(fields: "id") { id: ID! title: String! descriptionHtml: String! listPrice: Money! }
    type Money { amountMinor: Int! currency: String! }
"#;

const INVENTORY: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
    type Product @key(fields: "id") { id: ID! availability: Availability }
    type Availability { status: Status! quantity: Int asOf: String! }
    enum Status { IN_STOCK LOW OUT }
"#;

fn main() -> Result<(), Failure> {
    let products = serve_apart(products_body())?;
    let inventory = serve_apart(inventory_body())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    compare(&runtime, products, inventory)
}

fn compare(runtime: &Runtime, products: SocketAddr, inventory: SocketAddr) -> Result<(), Failure> {
    let engine = engine(products, inventory)?;
    let operation = engine.prepare(QUERY, None, &|_| Ok(()))?;
    let context = RequestContext::default();
    let http: Http = Client::builder(TokioExecutor::new()).build_http();
    let (products, inventory) = (&format!("http://{products}/"), &format!("http://{inventory}/"));

    let ours = runtime.block_on(engine.execute(&operation, Map::new(), &context));
    let theirs = runtime.block_on(through_trees(&http, products, inventory))?;
    assert_eq!(serde_json::from_slice::<Value>(ours.body())?, serde_json::from_slice::<Value>(&theirs)?);
    let answered = ours.body().len();

    let floor = measure(runtime, || async { Ok(proxy(&http, products, inventory).await?.len()) })?;
    let merged = measure(runtime, || async { Ok(through_trees(&http, products, inventory).await?.len()) })?;
    let run = measure(runtime, || async {
        Ok(engine.execute(&operation, Map::new(), &context).await.body().len())
    })?;

    println!("{ENTITIES} entities of two subgraphs, {answered} bytes answered, {ROUNDS} rounds");
    println!("{:<24}{:>12}{:>14}{:>14}{:>18}", "", "CPU µs", "over floor", "allocations", "bytes allocated");
    for (name, cost) in [("plain proxy (floor)", &floor), ("serde_json trees", &merged), ("engine", &run)] {
        let over = cost.micros - floor.micros;
        println!("{name:<24}{:>12.0}{over:>14.0}{:>14}{:>18}", cost.micros, cost.allocations, cost.bytes);
    }
    let times = (merged.micros - floor.micros) / (run.micros - floor.micros);
    println!("the engine's own part is {times:.1} times cheaper than trees");
    Ok(())
}

struct Cost {
    micros: f64,
    allocations: u64,
    bytes: u64,
}

/// The mean CPU of this thread for a round, and the allocations of one round.
fn measure<F, R>(runtime: &Runtime, round: F) -> Result<Cost, Failure>
where
    F: Fn() -> R,
    R: Future<Output = Result<usize, Failure>>,
{
    let rounds = |count: usize| {
        runtime.block_on(async {
            for _ in 0..count {
                round().await?;
            }
            Ok::<(), Failure>(())
        })
    };
    rounds(WARM_UP)?;
    let start = ThreadTime::now();
    rounds(ROUNDS)?;
    let micros = start.elapsed().as_secs_f64() * 1e6 / ROUNDS as f64;
    let mut outcome = Ok(());
    let counted = allocation_counter::measure(|| outcome = rounds(1));
    outcome?;
    Ok(Cost { micros, allocations: counted.count_total, bytes: counted.bytes_total })
}

fn engine(products: SocketAddr, inventory: SocketAddr) -> Result<Engine, Failure> {
    let subgraph = |name: &str, sdl: &str| compose::Subgraph {
        name: name.to_owned(),
        url: String::new(),
        sdl: sdl.to_owned(),
    };
    let subgraphs = [subgraph("products", PRODUCTS), subgraph("inventory", INVENTORY)];
    let composed = compose::compose(&subgraphs).map_err(|errors| format!("{errors:?}"))?;
    let supergraph = Arc::new(Supergraph::parse(&composed.supergraph_sdl)?);
    let client = HttpClient::new(HttpOptions::default());
    let subgraphs = Subgraphs::new()
        .with_http("products", client.subgraph(format!("http://{products}/").parse()?))
        .with_http("inventory", client.subgraph(format!("http://{inventory}/").parse()?));
    Ok(Engine::new(supergraph, subgraphs, EngineOptions::default())?)
}

/// The floor: both answers are fetched, with requests as long as ours, and passed on as they are.
async fn proxy(http: &Http, products: &str, inventory: &str) -> Result<Bytes, Failure> {
    let first = post(http, products, Bytes::from_static(b"{}")).await?;
    let second = post(http, inventory, Bytes::from(vec![b' '; 46 * ENTITIES])).await?;
    Ok(Bytes::from([first, second].concat()))
}

/// What many gateways do: trees of owned strings, merged and printed.
async fn through_trees(http: &Http, products: &str, inventory: &str) -> Result<Vec<u8>, Failure> {
    let first = post(http, products, Bytes::from_static(b"{}")).await?;
    let mut first: Value = serde_json::from_slice(&first)?;
    let rows = first["data"]["products"].as_array().ok_or("no products")?;
    let mut known = HashMap::new();
    let mut representations = Vec::new();
    let mut of_row = Vec::new();
    for row in rows {
        let representation = json!({"__typename": "Product", "id": row["id"]});
        let next = representations.len();
        let number = *known.entry(representation.to_string()).or_insert(next);
        if number == next {
            representations.push(representation);
        }
        of_row.push(number);
    }
    let body = serde_json::to_vec(&json!({"query": "", "variables": {"representations": representations}}))?;
    let second = post(http, inventory, Bytes::from(body)).await?;
    let second: Value = serde_json::from_slice(&second)?;
    let rows = first["data"]["products"].as_array_mut().ok_or("no products")?;
    for (row, number) in rows.iter_mut().zip(of_row) {
        row["availability"] = second["data"]["_entities"][number]["availability"].clone();
    }
    let projected: Vec<Value> = rows.iter().map(projected).collect();
    Ok(serde_json::to_vec(&json!({"data": {"products": projected}}))?)
}

fn projected(row: &Value) -> Value {
    let mut out = Map::new();
    for key in ["id", "title", "descriptionHtml", "listPrice", "availability"] {
        out.insert(key.to_owned(), row[key].clone());
    }
    Value::Object(out)
}

async fn post(http: &Http, url: &str, body: Bytes) -> Result<Bytes, Failure> {
    let request = Request::post(url).header("content-type", "application/json").body(Full::new(body))?;
    Ok(http.request(request).await?.into_body().collect().await?.to_bytes())
}

fn products_body() -> String {
    let mut body = String::from("{\"data\":{\"products\":[");
    for id in 0..ENTITIES {
        let comma = if id > 0 { "," } else { "" };
        let description = "Made of oak, oiled by hand; \\\"sits\\\" well. ".repeat(3);
        let _ = write!(
            body,
            "{comma}{{\"id\":\"prod_{id:026}\",\"title\":\"Oak chair {id}\",\"descriptionHtml\":\"<p>{description}</p>\",\
             \"listPrice\":{{\"amountMinor\":{},\"currency\":\"EUR\"}}}}",
            id * 100 + 99
        );
    }
    body.push_str("]}}");
    body
}

fn inventory_body() -> String {
    let mut body = String::from("{\"data\":{\"_entities\":[");
    for id in 0..ENTITIES {
        let comma = if id > 0 { "," } else { "" };
        let _ = write!(
            body,
            "{comma}{{\"availability\":{{\"status\":\"IN_STOCK\",\"quantity\":{id},\"asOf\":\"2026-01-01T00:00:00Z\"}}}}"
        );
    }
    body.push_str("]}}");
    body
}

/// Serves one body for every request from a thread of its own, so that it is not measured.
fn serve_apart(body: String) -> Result<SocketAddr, Failure> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let body = Bytes::from(body);
    std::thread::spawn(move || -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move {
            let listener = TcpListener::from_std(listener)?;
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                let body = body.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let body = body.clone();
                    async move {
                        let _ = request.into_body().collect().await;
                        let response = Response::builder().header("content-type", "application/json");
                        Ok::<_, Infallible>(response.body(Full::new(body)).unwrap_or_default())
                    }
                });
                connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        })
    });
    Ok(address)
}
