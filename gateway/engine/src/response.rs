//! The answer to a request, complete and ready to be sent, and the trace of how it came about.

use bytes::Bytes;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::GraphQLError;

/// A complete GraphQL response.
#[derive(Clone, Debug)]
pub struct Response {
    body: Vec<u8>,
    objects: u64,
    errors: usize,
    executed: bool,
    /// Boxed, because almost no response has it.
    said: Option<Box<Map<String, Value>>>,
    trace: Option<Trace>,
}

impl Response {
    pub(crate) fn executed(
        body: Vec<u8>,
        objects: u64,
        errors: usize,
        said: Option<Box<Map<String, Value>>>,
        trace: Option<Trace>,
    ) -> Self {
        Response { body, objects, errors, executed: true, said, trace }
    }

    /// The response to a request that was refused before execution: errors and no `data`.
    pub fn refused(errors: &[GraphQLError]) -> Self {
        let mut body = Vec::with_capacity(256);
        body.push(b'{');
        write_errors(&mut body, errors);
        body.push(b'}');
        Response { body, objects: 0, errors: errors.len(), executed: false, said: None, trace: None }
    }

    /// How many objects `data` has, itself aside; those are counted as well that a null below them has taken away.
    pub fn object_count(&self) -> u64 {
        self.objects
    }

    /// How many entries `errors` has.
    pub fn error_count(&self) -> usize {
        self.errors
    }

    /// Whether there is `data`, even null. If not, the request itself was at fault, such as its variables.
    pub fn is_executed(&self) -> bool {
        self.executed
    }

    /// What subgraphs say to the client beside data and errors: the members of `extensions.client` of each. It is not
    /// in the body until it is added to it.
    pub fn said(&self) -> Option<&Map<String, Value>> {
        self.said.as_deref()
    }

    /// What was fetched, if the context asked for it.
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }

    /// The JSON text `{"data":…,"errors":…}`.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body, without copying it.
    pub fn into_body(self) -> Bytes {
        Bytes::from(self.body)
    }

    /// Adds `extensions`, which must be a JSON object. To be called once at most.
    pub fn add_extensions(&mut self, extensions: &RawValue) {
        self.body.pop();
        if self.body.len() > 1 {
            self.body.push(b',');
        }
        self.body.extend_from_slice(b"\"extensions\":");
        self.body.extend_from_slice(extensions.get().as_bytes());
        self.body.push(b'}');
    }
}

/// Appends `"errors":[…]`.
pub(crate) fn write_errors(out: &mut Vec<u8>, errors: &[GraphQLError]) {
    out.extend_from_slice(b"\"errors\":[");
    for (position, error) in errors.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        error.write_json(out);
    }
    out.push(b']');
}

/// How an answer came about.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Time between the first fetch and the finished body, in microseconds.
    pub duration_us: u64,
    /// The longest chain of fetches in the plan that waited for one another.
    pub stages: usize,
    /// One entry for each fetch that was sent, in the order of their ends.
    pub fetches: Vec<FetchTrace>,
}

/// One call of a subgraph.
#[derive(Clone, Debug)]
pub struct FetchTrace {
    /// The row of the fetch in the plan.
    pub fetch: usize,
    pub subgraph: String,
    /// When it was sent, in microseconds after the request began.
    pub start_us: u64,
    pub duration_us: u64,
    /// Bytes sent; for a subgraph in this process, of the representations alone.
    pub sent_bytes: usize,
    /// Bytes received; for a subgraph in this process, of the strings and numbers it answered with.
    pub received_bytes: usize,
    /// How many different representations were sent.
    pub entities: usize,
    /// The HTTP status, or 0 where none was received; 200 for a subgraph in this process.
    pub status: u16,
    /// How many errors the subgraph reported.
    pub errors: usize,
    /// The `extensions` of the subgraph's answer.
    pub extensions: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    #[test]
    fn extensions_are_added_to_a_finished_body() {
        let mut response = Response::refused(&[GraphQLError::new(ErrorCode::BadUserInput, "no \"id\"")]);
        response.add_extensions(&RawValue::from_string("{\"a\":1}".to_owned()).unwrap());
        let body: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "errors": [{"message": "no \"id\"", "extensions": {"code": "BAD_USER_INPUT"}}],
                "extensions": {"a": 1},
            })
        );
        assert!(!response.is_executed());
    }
}
