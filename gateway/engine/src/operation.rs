//! An operation that is ready to run: parsed, checked, validated and planned.

use apollo_compiler::ast::{self, OperationType};
use apollo_compiler::executable;
use apollo_compiler::parser::Parser;
use apollo_compiler::validation::{DiagnosticList, Valid};
use apollo_compiler::{ExecutableDocument, Node};
use supergraph::Supergraph;

use crate::engine::EngineOptions;
use crate::error::{ErrorCode, GraphQLError, Location, PrepareError, Refusal};

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
}

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

    pub(crate) fn parse(
        supergraph: &Supergraph,
        options: &EngineOptions,
        text: &str,
        name: Option<&str>,
        check: &dyn Fn(&ParsedOperation<'_>) -> Result<(), Refusal>,
    ) -> Result<Operation, PrepareError> {
        let limit = options.max_validation_errors;
        let mut parser = Parser::new()
            .recursion_limit(options.parse_recursion_limit)
            .token_limit(options.parse_token_limit);
        let parsed = parser.parse_ast(text, "query");
        let parsed = parsed.map_err(|refused| {
            PrepareError::Parse(located(&refused.errors, ErrorCode::ParseFailed, limit))
        })?;
        let operation = choose(&parsed, name)?;
        check(&ParsedOperation { text, document: &parsed, operation }).map_err(PrepareError::Refused)?;

        let invalid = |errors: &DiagnosticList| {
            PrepareError::Validation(located(errors, ErrorCode::ValidationFailed, limit))
        };
        let document = parsed
            .to_executable_validate(supergraph.api_schema())
            .map_err(|refused| invalid(&refused.errors))?;
        let definition = document
            .operations
            .get(name)
            .map_err(|_| PrepareError::UnknownOperation("There is no such operation".to_owned()))?
            .clone();
        Ok(Operation { document, definition })
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
