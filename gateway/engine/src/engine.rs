//! The engine as its callers see it: prepare an operation once, execute it many times.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use apollo_compiler::Name;
use apollo_compiler::collections::HashMap;
use apollo_compiler::schema::Implementers;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::BoxStream;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};
use serde_json::{Map, Value};
use supergraph::Supergraph;

use crate::compile::Program;
use crate::compile::type_names::TypeNames;
use crate::error::{EngineError, GraphQLError, PrepareError, Refusal};
use crate::execute::introspect::introspect;
use crate::execute::variables::{Coerced, coerce, is_true};
use crate::execute::{Request, Run, stamp, subscribe};
use crate::operation::{Operation, ParsedOperation, Plan};
use crate::plan::{PlanLimits, PlanOptions, Planner};
use crate::transport::{Sharing, Subgraphs};
use crate::{RequestContext, Response};

/// Bounds and switches of an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineOptions {
    /// Operations kept prepared; one longer than 8 kB counts as several.
    pub plan_cache_size: usize,
    /// What planning one operation may take.
    pub plan_limits: PlanLimits,
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
    /// What follows an event of a subscription may take this long.
    pub event_timeout: Duration,
    /// Whether `__schema` and `__type` are answered.
    pub introspection: bool,
    /// Whether identical queries that are in flight at once, for the same audience, are sent once.
    pub dedupe: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        EngineOptions {
            plan_cache_size: 1_000,
            plan_limits: PlanLimits::default(),
            parse_recursion_limit: 64,
            parse_token_limit: 5_000,
            max_validation_errors: 5,
            max_errors: 100,
            max_response_bytes: 16 << 20,
            event_timeout: Duration::from_secs(30),
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
    pub(crate) planner: Planner,
    operations: Cache<CacheKey, Arc<Operation>, Length>,
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
            planner: Planner::new(supergraph.clone()),
            operations: Cache::with_weighter(options.plan_cache_size, options.plan_cache_size as u64, Length),
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
    /// Where several ask for the same one at once, one does the work and the others wait for it.
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
        let known = CacheKeyRef { query, operation_name };
        if let Some(operation) = self.inner.operations.get(&known) {
            return Ok(operation);
        }
        let key = CacheKey { query: query.into(), operation_name: operation_name.map(Into::into) };
        self.inner.operations.get_or_insert_with(&key, || {
            Operation::prepare(&self.inner, query, operation_name, check).map(Arc::new)
        })
    }

    /// Executes a query or mutation. Faults are in the response; dropping the future cancels all fetches.
    pub async fn execute(
        &self,
        operation: &Operation,
        variables: Map<String, Value>,
        context: &RequestContext,
    ) -> Response {
        let begun = match Begun::new(&self.inner, operation, variables, context) {
            Ok(begun) => begun,
            Err(response) => return response,
        };
        let mut run = Run::new(begun.request(&self.inner, context));
        run.drive(context.deadline).await;
        run.respond()
    }

    /// Executes a subscription: one response for each event. Dropping the stream ends it at the subgraph.
    /// The context's deadline bounds the opening; each event then has [`EngineOptions::event_timeout`].
    pub fn subscribe(
        &self,
        operation: &Operation,
        variables: Map<String, Value>,
        context: Arc<RequestContext>,
    ) -> BoxStream<'static, Response> {
        match Begun::new(&self.inner, operation, variables, &context) {
            Ok(begun) => subscribe::events(self.inner.clone(), begun, context),
            Err(response) => futures::stream::iter([response]).boxed(),
        }
    }
}

/// A request that may run: its plan, and what its variables decide.
pub(crate) struct Begun {
    pub(crate) plan: Arc<Plan>,
    variables: Coerced,
    conditions: Vec<bool>,
    introspected: Vec<Bytes>,
}

impl Begun {
    fn new(
        engine: &Inner,
        operation: &Operation,
        variables: Map<String, Value>,
        context: &RequestContext,
    ) -> Result<Begun, Response> {
        let refuse = |mut errors: Vec<GraphQLError>| {
            stamp(&mut errors, context);
            Response::refused(&errors)
        };
        let declared = &operation.definition().variables;
        let schema = engine.supergraph.api_schema();
        let variables = coerce(declared, variables, schema).map_err(|error| refuse(vec![*error]))?;
        let plan = operation.plan_for(engine, &context.grant).map_err(|error| refuse(error.to_graphql()))?;
        let conditions = plan.program.conditions.decide(|name| is_true(declared, &variables, name));
        let introspected = introspected(engine, operation, &plan.program, &variables);
        Ok(Begun { plan, variables, conditions, introspected })
    }

    pub(crate) fn request<'a>(&'a self, engine: &'a Inner, context: &'a RequestContext) -> Request<'a> {
        Request {
            engine,
            program: &self.plan.program,
            variables: &self.variables,
            conditions: &self.conditions,
            context,
            introspected: &self.introspected,
        }
    }
}

/// What `__schema` and `__type` are; computed once where no variable has a say.
fn introspected(engine: &Inner, operation: &Operation, program: &Program, variables: &Coerced) -> Vec<Bytes> {
    if program.introspection.is_empty() {
        return Vec::new();
    }
    let compute = || {
        introspect(
            engine.supergraph.api_schema(),
            &engine.implementers,
            operation.document(),
            operation.definition(),
            variables,
            program.introspection.iter().map(|(key, _)| key.as_str()),
        )
    };
    match variables.is_empty() {
        true => operation.introspected.get_or_init(compute).clone(),
        false => compute(),
    }
}

impl Inner {
    pub(crate) fn plan_options(&self) -> PlanOptions {
        PlanOptions { limits: self.options.plan_limits, ..PlanOptions::default() }
    }
}

/// Under which an operation is kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey {
    query: Box<str>,
    operation_name: Option<Box<str>>,
}

/// Long documents take the place of several.
#[derive(Clone)]
struct Length;

impl Weighter<CacheKey, Arc<Operation>> for Length {
    fn weight(&self, key: &CacheKey, _: &Arc<Operation>) -> u64 {
        1 + key.query.len() as u64 / 8_192
    }
}

/// The same, borrowed for a look-up.
#[derive(Hash)]
struct CacheKeyRef<'a> {
    query: &'a str,
    operation_name: Option<&'a str>,
}

impl Equivalent<CacheKey> for CacheKeyRef<'_> {
    fn equivalent(&self, key: &CacheKey) -> bool {
        self.query == &*key.query && self.operation_name == key.operation_name.as_deref()
    }
}
