//! `@cost` and `@listSize` must stand where they say something.

use apollo_compiler::ast::{Directive, Type};
use apollo_compiler::schema::FieldDefinition;

use super::{Graph, field, fields};
use crate::error::{CompositionError, ErrorCode};
use crate::federation;

pub(super) fn check(graph: &Graph) -> Vec<CompositionError> {
    let mut errors = Vec::new();
    for (name, ty) in graph.schema.types.iter().filter(|(name, _)| !federation::is_machinery(name)) {
        let shared = ty.is_interface() || graph.is_interface_object(name);
        for field in fields(ty) {
            let coordinate = format!("{name}.{}", field.name);
            let mut report = |code, problem: String| {
                errors.push(CompositionError::within(code, &graph.name, coordinate.as_str(), problem));
            };
            if shared && field.directives.has(federation::COST) {
                let problem = format!("@cost cannot be applied to interface field \"{coordinate}\"");
                report(ErrorCode::CostAppliedToInterfaceField, problem);
            }
            if let Some(directive) = field.directives.get(federation::LIST_SIZE) {
                list_size(graph, &coordinate, field, directive, &mut report);
            }
        }
    }
    errors
}

fn list_size(
    graph: &Graph,
    coordinate: &str,
    definition: &FieldDefinition,
    directive: &Directive,
    report: &mut impl FnMut(ErrorCode, String),
) {
    let names = |argument| {
        let list = directive.specified_argument_by_name(argument).and_then(|value| value.as_list());
        list.map(|list| list.iter().filter_map(|name| name.as_str()).collect::<Vec<_>>())
    };
    let sized = names("sizedFields");
    if !definition.ty.is_list() && sized.is_none() {
        report(ErrorCode::ListSizeAppliedToNonList, format!("\"{coordinate}\" is not a list"));
    }
    let assumed = directive.specified_argument_by_name("assumedSize").and_then(|size| size.to_i32());
    if assumed.is_some_and(|size| size < 0) {
        report(
            ErrorCode::ListSizeInvalidAssumedSize,
            format!("assumed size of \"{coordinate}\" cannot be negative"),
        );
    }
    for slicing in names("slicingArguments").unwrap_or_default() {
        match definition.argument_by_name(slicing) {
            None => report(
                ErrorCode::ListSizeInvalidSlicingArgument,
                format!("slicing argument \"{slicing}\" is not an argument of \"{coordinate}\""),
            ),
            Some(argument) if !is_int(&argument.ty) => report(
                ErrorCode::ListSizeInvalidSlicingArgument,
                format!("slicing argument \"{coordinate}({slicing}:)\" must be Int or Int!"),
            ),
            Some(_) => {}
        }
    }
    let parent = graph.get(definition.ty.inner_named_type());
    let composite = parent.filter(|ty| ty.is_object() || ty.is_interface());
    for name in sized.unwrap_or_default() {
        let Some(parent) = composite else {
            let problem =
                format!("sized fields cannot be used because \"{}\" is not a composite type", definition.ty);
            return report(ErrorCode::ListSizeInvalidSizedField, problem);
        };
        match field(parent, name) {
            None => report(
                ErrorCode::ListSizeInvalidSizedField,
                format!("sized field \"{name}\" is not a field on type \"{}\"", parent.name()),
            ),
            Some(field) if !field.ty.is_list() => report(
                ErrorCode::ListSizeAppliedToNonList,
                format!("sized field \"{}.{name}\" is not a list", parent.name()),
            ),
            Some(_) => {}
        }
    }
}

fn is_int(ty: &Type) -> bool {
    !ty.is_list() && ty.inner_named_type() == "Int"
}
