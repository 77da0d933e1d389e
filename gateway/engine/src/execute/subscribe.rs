//! Subscriptions: the first fetch is a stream, and each of its events is a request of its own.

use std::sync::Arc;

use futures::StreamExt;
use futures::future::FutureExt;
use futures::stream::{self, BoxStream};
use tokio::time::Instant;

use super::arena::Arena;
use super::outgoing::{http_body, local_variables, prepared};
use super::run::{Run, stamp};
use crate::RequestContext;
use crate::engine::{Begun, Inner};
use crate::error::{ErrorCode, GraphQLError};
use crate::response::Response;
use crate::transport::{Answer, CallError, Transport};

type Events = BoxStream<'static, Result<Answer, CallError>>;

/// The responses to the events of a subscription.
pub(crate) fn events(
    engine: Arc<Inner>,
    begun: Begun,
    context: Arc<RequestContext>,
) -> BoxStream<'static, Response> {
    let begun = Arc::new(begun);
    async move {
        match open(&engine, &begun, &context).await {
            Err(error) => {
                let mut errors = [error];
                stamp(&mut errors, &context);
                stream::iter([Response::refused(&errors)]).boxed()
            }
            Ok(events) => events
                .then(move |answer| respond(engine.clone(), begun.clone(), context.clone(), answer))
                .boxed(),
        }
    }
    .flatten_stream()
    .boxed()
}

async fn respond(
    engine: Arc<Inner>,
    begun: Arc<Begun>,
    context: Arc<RequestContext>,
    answer: Result<Answer, CallError>,
) -> Response {
    let deadline = Some(Instant::now() + engine.options.event_timeout);
    let context = RequestContext { deadline, ..RequestContext::clone(&context) };
    let mut run = Run::new(begun.request(&engine, &context));
    run.land_event(answer);
    run.drive(deadline).await;
    run.respond()
}

/// Opens the stream of the first fetch.
async fn open(engine: &Inner, begun: &Begun, context: &Arc<RequestContext>) -> Result<Events, GraphQLError> {
    let request = begun.request(engine, context);
    let Some(fetch) = request.program.fetches.first() else {
        return Err(match request.program.projection.is_withheld() {
            Some(denial) => GraphQLError::new(denial.code(), denial.message()),
            None => GraphQLError::new(ErrorCode::Internal, "Internal error"),
        });
    };
    let failed =
        |error: CallError| GraphQLError::new(error.code(), format!("The subgraph {} {error}", fetch.name));
    match engine.subgraphs.transport(&fetch.name) {
        None => Err(failed(CallError::Unreachable)),
        Some(Transport::Local(subgraph)) => {
            let variables = local_variables(&request, fetch, &Arena::default(), &[]);
            let document = prepared(fetch, &**subgraph).clone();
            let events = subgraph.clone().subscribe(document, variables, context.clone());
            Ok(events.map(|response| Ok(Answer::Local(response))).boxed())
        }
        Some(Transport::Http(subgraph)) => {
            let body = http_body(&request, fetch, &[]);
            let opening = subgraph.subscribe(&fetch.name, body, context);
            let opened = match context.deadline {
                Some(deadline) => {
                    tokio::time::timeout_at(deadline, opening).await.unwrap_or(Err(CallError::Deadline))
                }
                None => opening.await,
            };
            let events = opened.map_err(failed)?;
            Ok(events.map(|event| event.map(|body| Answer::Json { status: 200, body })).boxed())
        }
    }
}
