//! Runs an operation: once for a query or mutation, for every event of a subscription.

use std::sync::Arc;
use std::time::Duration;

use apollo_compiler::ast::OperationType;
use engine::{Engine, ErrorCode, GraphQLError, Operation, RequestContext, Response};
use futures::stream::BoxStream;

use super::Call;

/// The engine keeps the deadline itself and answers with what it has; this much later nobody waits for it any more.
const GRACE: Duration = Duration::from_secs(1);

/// What an operation is answered with.
pub(crate) enum Answer {
    Single(Response),
    Events(BoxStream<'static, Response>),
}

pub(crate) async fn run(
    engine: &Engine,
    operation: &Operation,
    call: &mut Call,
    context: RequestContext,
) -> Answer {
    let variables = call.request.variables.take().unwrap_or_default();
    if operation.kind() == OperationType::Subscription {
        // The deadline holds for the opening; a subscription lasts, and the engine gives each event its time.
        let events = engine.subscribe(operation, variables, Arc::new(context));
        return Answer::Events(Box::pin(trace::carry_stream(events)));
    }
    let execution = engine.execute(operation, variables, &context);
    let response = match context.deadline {
        None => execution.await,
        Some(deadline) => match tokio::time::timeout_at(deadline + GRACE, execution).await {
            Ok(response) => response,
            Err(_) => {
                tracing::error!("the engine has not kept the deadline");
                too_late(call)
            }
        },
    };
    Answer::Single(response)
}

fn too_late(call: &Call) -> Response {
    let mut error = GraphQLError::new(ErrorCode::DeadlineExceeded, "The answer took too long.");
    error.extensions.insert("requestId".into(), (&*call.request_id).into());
    Response::refused(&[error])
}
