//! Checks and coerces the variables of a request against their declarations, before anything is fetched.

use apollo_compiler::ast::{Type, Value as Literal, VariableDefinition};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Node, Schema};
use serde_json::{Map, Value};

use crate::error::{ErrorCode, GraphQLError};

/// Values by the row of their declaration; `None` where none was given and there is no default.
pub(crate) type Coerced = Vec<Option<Value>>;

/// Input objects and lists may nest this deep.
const MAX_DEPTH: usize = 64;

/// Coerces the variables of a request.
///
/// # Errors
/// `BAD_USER_INPUT`, naming the variable and the place inside it.
pub(crate) fn coerce(
    declared: &[Node<VariableDefinition>],
    mut given: Map<String, Value>,
    schema: &Schema,
) -> Result<Coerced, Box<GraphQLError>> {
    let mut coerced = Vec::with_capacity(declared.len());
    for variable in declared {
        let name = variable.name.as_str();
        let value = match (given.remove(name), &variable.default_value) {
            (Some(value), _) => Some(value),
            (None, Some(default)) => Some(constant(default)),
            (None, None) => None,
        };
        let mut place = Place { variable: name, inside: Vec::new() };
        let value = match value {
            None if variable.ty.is_non_null() => {
                return Err(place.refuse(&format!("a value of type {} is required", variable.ty)));
            }
            None => None,
            Some(value) => Some(coerce_value(value, &variable.ty, schema, &mut place)?),
        };
        coerced.push(value);
    }
    Ok(coerced)
}

/// Whether the conditions of a plan see this variable as true.
pub(crate) fn is_true(declared: &[Node<VariableDefinition>], coerced: &Coerced, name: &str) -> bool {
    let row = declared.iter().position(|variable| variable.name == name);
    matches!(row.and_then(|row| coerced[row].as_ref()), Some(Value::Bool(true)))
}

struct Place<'a> {
    variable: &'a str,
    inside: Vec<String>,
}

impl Place<'_> {
    fn refuse(&self, what: &str) -> Box<GraphQLError> {
        let inside = self.inside.concat();
        let message = format!("Variable \"${}{inside}\" got an invalid value: {what}", self.variable);
        Box::new(GraphQLError::new(ErrorCode::BadUserInput, message))
    }
}

fn coerce_value(
    value: Value,
    ty: &Type,
    schema: &Schema,
    place: &mut Place<'_>,
) -> Result<Value, Box<GraphQLError>> {
    if value.is_null() {
        return match ty.is_non_null() {
            true => Err(place.refuse(&format!("{ty} cannot be null"))),
            false => Ok(value),
        };
    }
    if place.inside.len() > MAX_DEPTH {
        return Err(place.refuse("it is nested too deep"));
    }
    match ty {
        Type::List(inner) | Type::NonNullList(inner) => match value {
            Value::Array(elements) => {
                let mut coerced = Vec::with_capacity(elements.len());
                for (position, element) in elements.into_iter().enumerate() {
                    place.inside.push(format!("[{position}]"));
                    coerced.push(coerce_value(element, inner, schema, place)?);
                    place.inside.pop();
                }
                Ok(Value::Array(coerced))
            }
            single => Ok(Value::Array(vec![coerce_value(single, inner, schema, place)?])),
        },
        Type::Named(name) | Type::NonNullNamed(name) => coerce_named(value, name, schema, place),
    }
}

fn coerce_named(
    value: Value,
    name: &str,
    schema: &Schema,
    place: &mut Place<'_>,
) -> Result<Value, Box<GraphQLError>> {
    match (schema.types.get(name), value) {
        (Some(ExtendedType::Scalar(_)), value) => coerce_scalar(value, name, place),
        (Some(ExtendedType::Enum(definition)), Value::String(text)) => {
            if definition.values.contains_key(text.as_str()) {
                return Ok(Value::String(text));
            }
            Err(place.refuse(&format!("\"{text}\" is not a value of enum {name}")))
        }
        (Some(ExtendedType::InputObject(definition)), Value::Object(mut given)) => {
            let mut coerced = Map::with_capacity(given.len());
            for (field, input) in &definition.fields {
                place.inside.push(format!(".{field}"));
                let value = match (given.remove(field.as_str()), &input.default_value) {
                    (Some(value), _) => Some(coerce_value(value, &input.ty, schema, place)?),
                    (None, Some(default)) => Some(constant(default)),
                    (None, None) if input.ty.is_non_null() => {
                        return Err(place.refuse(&format!("a value of type {} is required", input.ty)));
                    }
                    (None, None) => None,
                };
                if let Some(value) = value {
                    coerced.insert(field.to_string(), value);
                }
                place.inside.pop();
            }
            if let Some(unknown) = given.keys().next() {
                return Err(place.refuse(&format!("{name} has no field \"{unknown}\"")));
            }
            let one_of = definition.directives.get("oneOf").is_some();
            if one_of && (coerced.len() != 1 || coerced.values().any(Value::is_null)) {
                return Err(place.refuse(&format!("exactly one field of {name} must be given")));
            }
            Ok(Value::Object(coerced))
        }
        (_, value) => Err(place.refuse(&format!("{} is not a {name}", kind(&value)))),
    }
}

fn coerce_scalar(value: Value, name: &str, place: &Place<'_>) -> Result<Value, Box<GraphQLError>> {
    let fits = match (name, &value) {
        ("Int", Value::Number(number)) => match number.as_f64() {
            // A whole number is an Int however it is written.
            Some(float) if float.fract() == 0.0 && float.abs() <= 2_147_483_648.0 => {
                let whole = float as i64;
                if i32::try_from(whole).is_ok() {
                    return Ok(Value::from(whole));
                }
                false
            }
            _ => false,
        },
        ("Float", Value::Number(_)) | ("String" | "ID", Value::String(_)) | ("Boolean", Value::Bool(_)) => {
            true
        }
        ("ID", Value::Number(number)) if number.is_i64() || number.is_u64() => {
            return Ok(Value::String(number.to_string()));
        }
        ("Int" | "Float" | "String" | "ID" | "Boolean", _) => false,
        _ => true,
    };
    if fits { Ok(value) } else { Err(place.refuse(&format!("{} is not a {name}", kind(&value)))) }
}

/// A short description; the value itself may be long, or secret.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fraction or large number",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// A literal without variables, as JSON.
fn constant(literal: &Literal) -> Value {
    match literal {
        Literal::Null | Literal::Variable(_) => Value::Null,
        Literal::Enum(name) => Value::String(name.to_string()),
        Literal::String(text) => Value::String(text.clone()),
        Literal::Boolean(value) => Value::Bool(*value),
        Literal::Int(number) => serde_json::from_str(number.as_str()).unwrap_or(Value::Null),
        Literal::Float(number) => serde_json::from_str(number.as_str()).unwrap_or(Value::Null),
        Literal::List(elements) => Value::Array(elements.iter().map(|element| constant(element)).collect()),
        Literal::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.to_string(), constant(value))).collect())
        }
    }
}
