//! HTTP servers for tests, on ports of the system's choice.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::fake::Fake;

pub type Body = BoxBody<Bytes, Infallible>;

/// Serves `answer` until the test's runtime ends.
pub async fn serve<A, F>(answer: A) -> Uri
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let answer = answer.clone();
            connections.spawn(async move {
                let service = service_fn(move |request| {
                    let answer = answer(request);
                    async move { Ok::<_, Infallible>(answer.await) }
                });
                // The client may hang up at any time.
                let _ =
                    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
            });
        }
    };
    tokio::runtime::Handle::current().spawn(serving);
    format!("http://{address}/graphql").parse().unwrap()
}

pub fn full(text: impl Into<Bytes>) -> Body {
    Full::new(text.into()).boxed()
}

/// Serves a fake subgraph: queries as JSON, subscriptions as server-sent events.
pub async fn serve_fake(fake: Arc<Fake>) -> Uri {
    serve(move |request| {
        let fake = fake.clone();
        async move {
            let events = request.headers()["accept"] == "text/event-stream";
            let body = request.into_body().collect().await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap();
            let (document, variables) = (body["query"].as_str().unwrap(), body["variables"].clone());
            if !events {
                let response = fake.respond(document, variables).await;
                return answer("application/json", response.to_string());
            }
            let events = fake.events(document, &variables);
            let mut text: String = events.iter().map(|it| format!("event: next\ndata: {it}\n\n")).collect();
            text.push_str("event: complete\ndata:\n\n");
            answer("text/event-stream", text)
        }
    })
    .await
}

pub fn answer(media_type: &str, text: impl Into<Bytes>) -> Response<Body> {
    Response::builder().header("content-type", media_type).body(full(text)).unwrap()
}
