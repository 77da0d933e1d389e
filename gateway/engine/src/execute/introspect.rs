//! `__schema` and `__type`, answered from the API schema.

use apollo_compiler::collections::HashMap;
use apollo_compiler::executable;
use apollo_compiler::introspection::partial_execute;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::schema::Implementers;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Name, Schema};
use bytes::Bytes;

use super::variables::Coerced;

/// The introspection fields of an operation by response key, as JSON; null for what is skipped.
pub(crate) fn introspect<'k>(
    schema: &Valid<Schema>,
    implementers: &HashMap<Name, Implementers>,
    document: &Valid<ExecutableDocument>,
    operation: &executable::Operation,
    variables: &Coerced,
    keys: impl Iterator<Item = &'k str>,
) -> Vec<Bytes> {
    let values = operation.variables.iter().zip(variables);
    let values: JsonMap = values
        .filter_map(|(declared, value)| {
            Some((declared.name.as_str().into(), JsonValue::from(value.clone()?)))
        })
        .collect();
    // Coerced before by our own rules, which are those of the specification.
    let values = Valid::assume_valid(values);
    let executed = partial_execute(schema, implementers, document, operation, &values);
    let data = executed.ok().and_then(|response| response.data).unwrap_or_default();
    keys.map(|key| match data.get(key) {
        Some(value) => Bytes::from(serde_json::to_vec(value).unwrap_or_else(|_| b"null".to_vec())),
        None => Bytes::from_static(b"null"),
    })
    .collect()
}
