//! An operation that is ready to run: parsed, checked, validated and planned.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use apollo_compiler::ast::{self, OperationType};
use apollo_compiler::executable;
use apollo_compiler::introspection::check_max_depth;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Node};
use bytes::Bytes;

use crate::authorize::{Denials, Guards};
use crate::compile::Program;
use crate::context::Grant;
use crate::engine::Inner;
use crate::error::{ErrorCode, GraphQLError, Location, PrepareError, Refusal};
use crate::plan::{NormalisedOperation, PlanError, QueryPlan, SelectedField};

/// A document that can be parsed, before it is validated.
#[derive(Clone, Copy, Debug)]
pub struct ParsedOperation<'a> {
    /// The text as the client sent it.
    pub text: &'a str,
    pub document: &'a ast::Document,
    /// The operation that will be executed.
    pub operation: &'a Node<ast::OperationDefinition>,
}

/// An operation that is ready to run.
#[derive(Debug)]
pub struct Operation {
    document: Valid<ExecutableDocument>,
    definition: Node<executable::Operation>,
    normalised: NormalisedOperation,
    guards: Guards,
    /// For callers who may see all of it.
    open: Arc<Plan>,
    /// For those who may not.
    withheld: Mutex<Vec<(Denials, Arc<Plan>)>>,
    /// The answers to `__schema` and `__type`, where they are the same for all requests.
    pub(crate) introspected: OnceLock<Vec<Bytes>>,
}

/// A plan and what became of it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) plan: QueryPlan,
    pub(crate) program: Program,
}

/// So many plans are kept for callers who may not see all of one operation.
const MAX_WITHHELD: usize = 32;

impl Operation {
    /// Query, mutation or subscription.
    pub fn kind(&self) -> OperationType {
        self.definition.operation_type
    }

    /// The operation's name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.definition.name.as_deref()
    }

    /// The whole document, valid against the API schema.
    pub fn document(&self) -> &Valid<ExecutableDocument> {
        &self.document
    }

    /// The operation itself.
    pub fn definition(&self) -> &Node<executable::Operation> {
        &self.definition
    }

    /// The client's selection without fragments, with the fields of the supergraph.
    pub fn selection(&self) -> &[SelectedField] {
        &self.normalised.selection
    }

    /// The plan for callers who may see all that is asked for.
    pub fn plan(&self) -> &QueryPlan {
        &self.open.plan
    }

    /// Whether what a caller gets depends on who they are, by the directives on its fields.
    pub fn is_guarded(&self) -> bool {
        !self.guards.is_empty()
    }

    pub(crate) fn prepare(
        engine: &Inner,
        text: &str,
        name: Option<&str>,
        check: &dyn Fn(&ParsedOperation<'_>) -> Result<(), Refusal>,
    ) -> Result<Operation, PrepareError> {
        let document = parse(engine, text, name, check)?;
        let unknown = |_| PrepareError::UnknownOperation("There is no such operation".to_owned());
        let definition = document.operations.get(name).map_err(unknown)?.clone();
        check_introspection(&document, &definition, engine.options.introspection)?;
        let options = engine.plan_options();
        let normalised = engine.planner.normalise(&document, name, &options).map_err(refused)?;
        let root = engine.supergraph.root(definition.operation_type);
        let root = root.ok_or_else(|| refused(PlanError::NoRootType))?;
        let guards = Guards::of(&normalised.selection, root, &engine.supergraph);
        let open = Plan::of(engine, &normalised, &Denials::default())?;
        Ok(Operation {
            document,
            definition,
            normalised,
            guards,
            open: Arc::new(open),
            withheld: Mutex::default(),
            introspected: OnceLock::new(),
        })
    }

    /// The plan for this caller.
    pub(crate) fn plan_for(&self, engine: &Inner, grant: &Grant) -> Result<Arc<Plan>, PrepareError> {
        let denials = self.guards.denials(grant);
        if denials.is_empty() {
            return Ok(self.open.clone());
        }
        let mut withheld = self.withheld.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plan)) = withheld.iter().find(|(known, _)| *known == denials) {
            return Ok(plan.clone());
        }
        let plan = Arc::new(Plan::of(engine, &self.normalised, &denials)?);
        if withheld.len() >= MAX_WITHHELD {
            withheld.remove(0);
        }
        withheld.push((denials, plan.clone()));
        Ok(plan)
    }
}

impl Plan {
    fn of(engine: &Inner, operation: &NormalisedOperation, denials: &Denials) -> Result<Plan, PrepareError> {
        let mut kept = operation.clone();
        if !denials.is_empty() {
            kept.selection = denials.prune(&operation.selection);
        }
        let plan = engine.planner.plan_normalised(kept, &engine.plan_options()).map_err(refused)?;
        let program = Program::compile(&plan, &operation.selection, denials, &engine.supergraph)
            .map_err(|fault| PrepareError::Internal(fault.to_string()))?;
        Ok(Plan { plan, program })
    }
}

fn parse(
    engine: &Inner,
    text: &str,
    name: Option<&str>,
    check: &dyn Fn(&ParsedOperation<'_>) -> Result<(), Refusal>,
) -> Result<Valid<ExecutableDocument>, PrepareError> {
    let options = &engine.options;
    let limit = options.max_validation_errors;
    let mut parser =
        Parser::new().recursion_limit(options.parse_recursion_limit).token_limit(options.parse_token_limit);
    let parsed = parser
        .parse_ast(text, "query")
        .map_err(|refused| PrepareError::Parse(located(&refused.errors, ErrorCode::ParseFailed, limit)))?;
    let operation = choose(&parsed, name)?;
    check(&ParsedOperation { text, document: &parsed, operation }).map_err(PrepareError::Refused)?;
    parsed.to_executable_validate(engine.supergraph.api_schema()).map_err(|refused| {
        PrepareError::Validation(located(&refused.errors, ErrorCode::ValidationFailed, limit))
    })
}

/// Introspection may be off, and nests no deeper than tools need it.
fn check_introspection(
    document: &Valid<ExecutableDocument>,
    operation: &executable::Operation,
    allowed: bool,
) -> Result<(), PrepareError> {
    let is_introspection =
        |field: &Node<executable::Field>| field.name == "__schema" || field.name == "__type";
    if !operation.is_query() || !operation.root_fields(document).any(is_introspection) {
        return Ok(());
    }
    let refuse = |message: &str| {
        Err(PrepareError::Validation(vec![GraphQLError::new(ErrorCode::ValidationFailed, message)]))
    };
    if !allowed {
        return refuse("Introspection is not enabled");
    }
    match check_max_depth(document, operation) {
        Ok(()) => Ok(()),
        Err(error) => refuse(&error.message().to_string()),
    }
}

fn refused(error: PlanError) -> PrepareError {
    match error {
        PlanError::UnknownOperation { .. } | PlanError::AmbiguousOperation => {
            PrepareError::UnknownOperation(error.to_string())
        }
        PlanError::NoRootType | PlanError::Unreachable { .. } => PrepareError::Internal(error.to_string()),
        _ => PrepareError::TooCostly(error.to_string()),
    }
}

/// The operation of this name, or the only one.
fn choose<'a>(
    document: &'a ast::Document,
    name: Option<&str>,
) -> Result<&'a Node<ast::OperationDefinition>, PrepareError> {
    let mut operations = document.definitions.iter().filter_map(|definition| match definition {
        ast::Definition::OperationDefinition(operation) => Some(operation),
        _ => None,
    });
    let unknown = |message: String| PrepareError::UnknownOperation(message);
    match name {
        Some(name) => operations
            .find(|operation| operation.name.as_ref().is_some_and(|it| it == name))
            .ok_or_else(|| unknown(format!("Unknown operation named \"{name}\""))),
        None => {
            let only =
                operations.next().ok_or_else(|| unknown("The document has no operation".to_owned()))?;
            match operations.next() {
                None => Ok(only),
                Some(_) => {
                    Err(unknown("The document has several operations: operationName is needed".to_owned()))
                }
            }
        }
    }
}

fn located(errors: &DiagnosticList, code: ErrorCode, limit: usize) -> Vec<GraphQLError> {
    errors
        .iter()
        .take(limit)
        .map(|diagnostic| {
            let json = diagnostic.unstable_to_json_compat();
            let mut error = GraphQLError::new(code, json.message);
            error.locations =
                json.locations.iter().map(|at| Location { line: at.line, column: at.column }).collect();
            error
        })
        .collect()
}
