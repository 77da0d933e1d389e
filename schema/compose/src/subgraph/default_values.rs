//! Default values must be of their type; the GraphQL parser does not look at them.

use apollo_compiler::Schema;
use apollo_compiler::ast::{Type, Value};
use apollo_compiler::schema::{ExtendedType, InputValueDefinition};

use super::{Graph, fields};
use crate::error::{CompositionError, ErrorCode};
use crate::federation;

pub(super) fn check(graph: &Graph) -> Vec<CompositionError> {
    let mut errors = Vec::new();
    let mut check = |coordinate: String, input: &InputValueDefinition| {
        if let Some(value) = &input.default_value
            && !fits(&graph.schema, value, &input.ty)
        {
            let message =
                format!("invalid default value {value} of \"{coordinate}\", which has type \"{}\"", input.ty);
            errors.push(CompositionError::within(
                ErrorCode::InvalidGraphql,
                &graph.name,
                coordinate,
                message,
            ));
        }
    };
    for (name, ty) in graph.schema.types.iter().filter(|(name, _)| !federation::is_machinery(name)) {
        for field in fields(ty) {
            for argument in &field.arguments {
                check(format!("{name}.{}({}:)", field.name, argument.name), argument);
            }
        }
        if let ExtendedType::InputObject(input) = ty {
            for field in input.fields.values() {
                check(format!("{name}.{}", field.name), field);
            }
        }
    }
    errors
}

fn fits(schema: &Schema, value: &Value, ty: &Type) -> bool {
    match (value, ty) {
        (Value::Null, _) => !ty.is_non_null(),
        (Value::Variable(_), _) => false,
        (Value::List(items), Type::List(inner) | Type::NonNullList(inner)) => {
            items.iter().all(|item| fits(schema, item, inner))
        }
        // A single value stands for a list of one.
        (_, Type::List(inner) | Type::NonNullList(inner)) => fits(schema, value, inner),
        (_, Type::Named(name) | Type::NonNullNamed(name)) => match (schema.types.get(name), value) {
            (Some(ExtendedType::Scalar(_)), _) => fits_scalar(name, value),
            (Some(ExtendedType::Enum(definition)), Value::Enum(value)) => {
                definition.values.contains_key(value)
            }
            (Some(ExtendedType::InputObject(input)), Value::Object(entries)) => {
                entries.iter().all(|(name, value)| {
                    input.fields.get(name).is_some_and(|field| fits(schema, value, &field.ty))
                }) && input
                    .fields
                    .values()
                    .all(|field| !field.is_required() || entries.iter().any(|(name, _)| *name == field.name))
            }
            _ => false,
        },
    }
}

fn fits_scalar(name: &str, value: &Value) -> bool {
    match name {
        "Int" => value.to_i32().is_some(),
        "Float" => matches!(value, Value::Int(_) | Value::Float(_)),
        "String" => matches!(value, Value::String(_)),
        "Boolean" => matches!(value, Value::Boolean(_)),
        "ID" => matches!(value, Value::String(_) | Value::Int(_) | Value::Enum(_)),
        _ => true,
    }
}
