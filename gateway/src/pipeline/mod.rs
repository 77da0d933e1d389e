//! What happens to every request, in order, whichever way it came in.
//!
//! | step           | what it does                                            | fails with                       |
//! |----------------|---------------------------------------------------------|----------------------------------|
//! | `limit`        | the shield: counts for the address, then for the user   | 429 `RATE_LIMITED`               |
//! | `authenticate` | token or cookie → viewer, headers → channel, currency…  | 401 `UNAUTHENTICATED`            |
//! | `document`     | the text, and whether it is small enough to look at     | 400 `GRAPHQL_VALIDATION_FAILED`  |
//! | `plan`         | parsed, checked, validated and planned, once per text   | 400 `GRAPHQL_…_FAILED`           |
//! | `validate`     | what this way in may carry, and the cost with variables | 405, 406, 400 `COST_EXCEEDED`    |
//! | `limit`        | all that the operation is charged, at once              | 429 `RATE_LIMITED`               |
//! |                | beside it, what the viewer wrote by other gateways      |                                  |
//! | `authorize`    | what the viewer may see; how subgraphs know the viewer  | field by field, in the answer    |
//! | `execute`      | the engine asks the subgraphs, within the deadline      | field by field, in the answer    |
//! | `limit`        | gives back what the answer cost less than was charged   |                                  |
//! | `respond`      | debug answer, metrics                                   |                                  |

pub(crate) mod authenticate;
mod authorize;
mod cost;
mod document;
mod execute;
pub(crate) mod limit;
mod measure;
mod plan;
mod respond;
mod validate;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderMap;
use engine::{Operation, Response};
use tokio::time::Instant;
use tracing::Span;

pub(crate) use authenticate::Identity;
pub(crate) use execute::Answer;
pub(crate) use limit::Allowance;
use limit::{Admitted, Cost};

use crate::Inner;
use crate::http::body::GraphqlRequest;
use crate::rejection::Rejection;
use crate::written::Writes;

/// A request as the way in hands it over.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) identity: Identity,
    /// Of the client, where it is known.
    pub(crate) address: Option<IpAddr>,
    /// What its viewer has written.
    pub(crate) writes: Writes,
    pub(crate) request: GraphqlRequest,
    pub(crate) request_id: Arc<str>,
    /// The client's headers; only what is named in `authorize` goes further.
    pub(crate) headers: Arc<HeaderMap>,
    pub(crate) received: Instant,
    pub(crate) carrier: Carrier,
}

/// What a way in can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Carrier {
    /// A GET changes nothing.
    pub(crate) mutations: bool,
    /// Answers can go on coming.
    pub(crate) events: bool,
}

impl Inner {
    /// Counts a request and learns who makes it. Looks at nothing but headers and address.
    pub(crate) async fn admit(
        &self,
        headers: &HeaderMap,
        address: Option<IpAddr>,
    ) -> Result<(Identity, Option<Allowance>), Rejection> {
        let by_address = self.admit_address(address)?;
        let identity = self.authenticator.identify(headers).await?;
        let allowance = self.admit_user(&identity, by_address)?;
        Ok((identity, allowance))
    }

    /// The first half of `admit`: before a signature is checked.
    pub(crate) fn admit_address(&self, address: Option<IpAddr>) -> Result<Option<Allowance>, Rejection> {
        match (&self.limiter, address) {
            (Some(limiter), Some(address)) => limiter.count_address(address).map(Some),
            _ => Ok(None),
        }
    }

    /// Counts a request for a route that is not the gateway's, and charges it like an operation with this field.
    pub(crate) async fn admit_outside(
        &self,
        address: Option<IpAddr>,
        field: Option<&str>,
    ) -> Result<(), Rejection> {
        self.admit_address(address)?;
        match (&self.limiter, address, field) {
            (Some(limiter), Some(address), Some(field)) => limiter.decide_like(field, address).await,
            _ => Ok(()),
        }
    }

    /// The second half of `admit`: once it is known who asks.
    pub(crate) fn admit_user(
        &self,
        identity: &Identity,
        by_address: Option<Allowance>,
    ) -> Result<Option<Allowance>, Rejection> {
        match (&self.limiter, identity.viewer.user_id()) {
            (Some(limiter), Some(user)) => Ok(Some(limiter.count_user(user)?.tighter(by_address))),
            _ => Ok(by_address),
        }
    }

    /// Answers an admitted request, and says what remains to the client.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        mut call: Call,
    ) -> Result<(Answer, Option<Allowance>), Rejection> {
        let engine = self.current.engine();
        let text = document::text(&call.request)?;
        let operation = plan::prepare(&engine, text, &call.request, &self.config.limits)?;
        if trace::is_on() {
            Span::current().record("graphql.operation.name", operation.name());
        }
        let series = self.operations.series(operation.name().unwrap_or_default());
        let admitted = self.let_through(&operation, &call).await;
        let Admitted { allowance, cost } =
            admitted.inspect_err(|_| respond::record_rejection(&series, &call))?;
        let context = authorize::context(self, &call, operation.kind());
        let answer = execute::run(&engine, &operation, &mut call, context).await;
        if let Answer::Single(response) = &answer {
            self.give_back(cost, response);
            self.written.tell(&call.writes).await;
        }
        Ok((respond::finish(answer, &engine, &operation, &call, &series), allowance))
    }

    /// Decides whether the operation may be asked, and hears meanwhile what its viewer has written elsewhere: two
    /// questions to one Redis, side by side.
    async fn let_through(&self, operation: &Operation, call: &Call) -> Result<Admitted, Rejection> {
        let cost = validate::check(operation, call, &self.config.limits)?;
        let viewer = &call.identity.viewer;
        let deciding = async {
            let Some(limiter) = &self.limiter else { return Ok(Admitted::default()) };
            limiter.decide(viewer.user_id(), call.address, operation, cost).await
        };
        let hearing = self.written.hear(&call.writes, viewer, call.address);
        let (admitted, ()) = tokio::join!(deciding, hearing);
        admitted
    }

    /// Gives back what an operation was charged beyond its answer; in Redis without its client waiting for that. An
    /// answer with errors says little of the work behind it.
    fn give_back(self: &Arc<Self>, cost: Option<Cost>, response: &Response) {
        let Some((limiter, cost)) = self.limiter.as_ref().zip(cost) else { return };
        if !response.is_executed() || response.error_count() > 0 {
            return;
        }
        if let Some(unused) = limiter.give_back(cost, response.object_count()) {
            let gateway = self.clone();
            self.tasks.spawn("what was not used", async move {
                if let Some(limiter) = &gateway.limiter {
                    limiter.give_back_together(unused).await;
                }
            });
        }
    }
}
