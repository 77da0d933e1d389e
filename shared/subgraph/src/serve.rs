//! A subgraph's door: GraphQL and events, for holders of a passport alone, and its health, for anybody.

use std::sync::Arc;

use async_graphql_axum::GraphQLResponse;
use auth::{Caller, PASSPORT_HEADER, PassportVerifier};
use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use database::Database;
use futures::StreamExt as _;
use messaging::{Bus, Destination, Envelope};
use runtime::Tasks;
use sea_orm::ConnectionTrait as _;
use serde_json::json;
use trace::Cause;

use crate::documents::Documents;
use crate::{Peers, Ports, Subgraph};

/// The largest request that is read, in bytes: a gateway may ask for many entities at once.
const LARGEST_REQUEST: usize = 8 << 20;

#[derive(Clone)]
struct Door {
    subgraph: Subgraph,
    verifier: Arc<PassportVerifier>,
    database: Database,
    documents: Documents,
    tasks: Tasks,
}

/// The routes of a subgraph that runs as a process of its own.
pub fn router(subgraph: Subgraph, ports: &Ports) -> Router {
    let verifier = PassportVerifier::new(&ports.keys.passport, ports.clock.clone(), subgraph.name);
    let door = Door {
        subgraph,
        verifier: Arc::new(verifier),
        database: ports.database.clone(),
        documents: Documents::new(),
        tasks: ports.tasks.clone(),
    };
    Router::new()
        .route("/graphql", post(graphql))
        .route("/events", post(events))
        .route("/sdl", get(sdl))
        .route("/health", get(|| async { Json(json!({ "status": "ok" })) }))
        .route("/ready", get(ready))
        .route("/metrics", get(|| async { runtime::telemetry::metrics().render() }))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(door)
}

impl Door {
    fn let_in(&self, headers: &HeaderMap, body: &[u8]) -> Result<Caller, Refused> {
        let passport = headers.get(PASSPORT_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
        self.verifier.verify(passport, body).map_err(|_| Refused::NoPassport)
    }
}

enum Refused {
    NoPassport,
    BadBody,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, message, code) = match self {
            Self::NoPassport => (
                StatusCode::UNAUTHORIZED,
                "This service is reached through the gateway only.",
                "UNAUTHENTICATED",
            ),
            Self::BadBody => {
                (StatusCode::BAD_REQUEST, "The body is not what belongs here.", "BAD_USER_INPUT")
            }
        };
        (status, Json(json!({ "errors": [{ "message": message, "extensions": { "code": code } }] })))
            .into_response()
    }
}

async fn graphql(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    let caller = door.let_in(&headers, &body)?;
    // Believed now that the passport has shown who calls.
    let cause = Cause::of(&headers);
    let span = || {
        tracing::info_span!(
            target: trace::ROOT, "graphql", otel.kind = "server",
            otel.name = format!("graphql {}", door.subgraph.name), subgraph.name = door.subgraph.name
        )
    };
    cause.carry(span, answer(&door, caller, &headers, body)).await
}

async fn answer(door: &Door, caller: Caller, headers: &HeaderMap, body: Bytes) -> Result<Response, Refused> {
    let streamed =
        headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"text/event-stream"));
    let debugged = headers.contains_key(trace::DEBUG);
    let may_repeat = !streamed && !debugged;
    if let Some(known) =
        Some(&body).filter(|_| may_repeat).and_then(|body| door.subgraph.known(body, &caller))
    {
        return Ok(([(header::CONTENT_TYPE, "application/graphql-response+json")], known).into_response());
    }
    let mut request: async_graphql::Request = serde_json::from_slice(&body).map_err(|_| Refused::BadBody)?;
    door.documents.prepare(&mut request);
    if streamed {
        return Ok(stream(door, request, caller));
    }
    let answer = door.subgraph.answer(request, Some(body), caller, debugged).await;
    tracing::debug!(
        subgraph.name = door.subgraph.name,
        sql.statements = answer.statements.count,
        errors = answer.response.errors.len(),
        "answered"
    );
    Ok(GraphQLResponse::from(answer.explained()).into_response())
}

/// Server-sent events in the distinct-connection mode of the GraphQL over SSE protocol.
fn stream(door: &Door, request: async_graphql::Request, caller: Caller) -> Response {
    let answers = trace::carry_stream(door.subgraph.subscribe(request, caller.viewer));
    let next = door
        .tasks
        .apart("events of a subscription", answers)
        .map(|response| Event::default().event("next").json_data(response));
    let complete = futures::stream::once(async { Ok(Event::default().event("complete").data("")) });
    Sse::new(next.chain(complete)).keep_alive(KeepAlive::default()).into_response()
}

async fn events(State(door): State<Door>, headers: HeaderMap, body: Bytes) -> Result<Response, Refused> {
    let caller = door.let_in(&headers, &body)?;
    caller.viewer.require_service().map_err(|_| Refused::NoPassport)?;
    let events: Vec<Envelope> = serde_json::from_slice(&body).map_err(|_| Refused::BadBody)?;
    let Some(receiver) = &door.subgraph.receiver else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    Ok(match receiver.accept(&events).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(fault) => {
            tracing::error!(
                subgraph = door.subgraph.name,
                reason = fault.chain(),
                "events could not be applied"
            );
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    })
}

async fn sdl(State(door): State<Door>) -> String {
    door.subgraph.sdl.to_string()
}

async fn ready(State(door): State<Door>) -> Response {
    if door.tasks.is_draining() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "draining" }))).into_response();
    }
    match door.database.read().execute_unprepared("SELECT 1").await {
        Ok(_) => Json(json!({ "status": "ready" })).into_response(),
        Err(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "the database does not answer" })))
                .into_response()
        }
    }
}

/// Has the events of this process delivered to a subgraph behind a URL.
pub fn listen_to(bus: &Bus, peers: &Peers, publisher: &'static str, subgraph: &str, url: &str) {
    let (peers, name, url) = (peers.clone(), subgraph.to_owned(), url.to_owned());
    bus.join(Destination::new(subgraph, move |events| {
        let (peers, name, url) = (peers.clone(), name.clone(), url.clone());
        Box::pin(async move { peers.post(&url, "/events", &name, publisher, &&*events).await.map(drop) })
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema};
    use auth::{PassportSigner, Viewer};
    use axum::body::Body;
    use axum::http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    struct Query;

    #[Object]
    impl Query {
        async fn double(&self, number: i32) -> i32 {
            number * 2
        }
    }

    #[tokio::test]
    async fn one_document_is_answered_for_each_of_its_variables_and_a_broken_one_explained() {
        let (ports, _folder) = crate::testing::ports("numbers", Vec::new).await;
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let sdl = schema.sdl();
        let router = router(Subgraph::new(&ports, schema, sdl, |request| request), &ports);
        let signer = PassportSigner::new(&ports.keys.passport, ports.clock.clone());
        let ask = async |query: &str, number: i32| {
            let body = json!({ "query": query, "variables": { "n": number } }).to_string();
            let passport = signer.sign("numbers", body.as_bytes(), Viewer::anonymous()).unwrap();
            let request = Request::post("/graphql").header(PASSPORT_HEADER, passport);
            let response = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            serde_json::from_slice::<serde_json::Value>(&body).unwrap()
        };
        for number in [1, 2, 3] {
            let answer = ask("query($n: Int!) { double(number: $n) }", number).await;
            assert_eq!(answer["data"], json!({ "double": 2 * number }), "{answer}");
        }
        for _ in 0..2 {
            let answer = ask("{ double(number: ", 1).await;
            assert_eq!(answer["data"], json!(null), "{answer}");
            assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
            assert!(answer["errors"][0]["locations"].is_array(), "{answer}");
        }
    }
}
