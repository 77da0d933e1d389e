//! `@inaccessible` must leave a schema that stands without what it hides.

use apollo_compiler::ast::{Type, Value};
use apollo_compiler::schema::{ExtendedType, FieldDefinition, InputValueDefinition};
use apollo_compiler::{Name, Node, Schema};

use crate::error::{CompositionError, ErrorCode, Location};
use crate::subgraph::{Graph, field, fields, interfaces};

const INACCESSIBLE: &str = "inaccessible";

pub(super) fn check(schema: &Schema, graphs: &[Graph]) -> Vec<CompositionError> {
    let uses = |ty: &ExtendedType| ty.directives().has(INACCESSIBLE) || has_hidden_part(ty);
    if !schema.types.values().any(uses) {
        return Vec::new();
    }
    let mut checker = Checker { schema, graphs, errors: Vec::new() };
    for (name, ty) in schema.types.iter().filter(|(_, ty)| !ty.is_built_in()) {
        checker.ty(name, ty);
    }
    checker.errors
}

fn has_hidden_part(ty: &ExtendedType) -> bool {
    match ty {
        ExtendedType::Enum(definition) => {
            definition.values.values().any(|value| value.directives.has(INACCESSIBLE))
        }
        ExtendedType::InputObject(input) => {
            input.fields.values().any(|field| field.directives.has(INACCESSIBLE))
        }
        _ => fields(ty).any(|field| {
            field.directives.has(INACCESSIBLE)
                || field.arguments.iter().any(|a| a.directives.has(INACCESSIBLE))
        }),
    }
}

struct Checker<'a> {
    schema: &'a Schema,
    graphs: &'a [Graph],
    errors: Vec<CompositionError>,
}

impl Checker<'_> {
    fn ty(&mut self, name: &Name, ty: &ExtendedType) {
        if ty.directives().has(INACCESSIBLE) {
            if name == "Query" {
                let message = "type \"Query\" is @inaccessible but is the query root type, which must be in the API schema";
                self.report(ErrorCode::QueryRootTypeInaccessible, name, name, message.to_owned());
            }
            return;
        }
        if self.has_only_hidden_children(ty) {
            let message =
                format!("type \"{name}\" is in the API schema but all of its children are @inaccessible");
            self.report(ErrorCode::OnlyInaccessibleChildren, name, name, message);
        }
        for field in fields(ty) {
            self.field(name, ty, field);
        }
        if let ExtendedType::InputObject(input) = ty {
            for field in input.fields.values() {
                self.input(name, &format!("{name}.{}", field.name), field);
            }
        }
    }

    fn has_only_hidden_children(&self, ty: &ExtendedType) -> bool {
        match ty {
            ExtendedType::Scalar(_) => false,
            ExtendedType::Object(object) => {
                object.fields.values().all(|field| field.directives.has(INACCESSIBLE))
            }
            ExtendedType::Interface(interface) => {
                interface.fields.values().all(|field| field.directives.has(INACCESSIBLE))
            }
            ExtendedType::Union(union) => union.members.iter().all(|member| self.is_hidden(&member.name)),
            ExtendedType::Enum(definition) => {
                definition.values.values().all(|value| value.directives.has(INACCESSIBLE))
            }
            ExtendedType::InputObject(input) => {
                input.fields.values().all(|field| field.directives.has(INACCESSIBLE))
            }
        }
    }

    fn is_hidden(&self, ty: &str) -> bool {
        self.schema.types.get(ty).is_some_and(|ty| ty.directives().has(INACCESSIBLE))
    }

    fn field(&mut self, parent: &Name, ty: &ExtendedType, field: &FieldDefinition) {
        let coordinate = format!("{parent}.{}", field.name);
        self.against_interfaces(parent, ty, field);
        if field.directives.has(INACCESSIBLE) {
            return;
        }
        self.reference(parent, &coordinate, &field.ty);
        for argument in &field.arguments {
            self.input(parent, &format!("{coordinate}({}:)", argument.name), argument);
        }
    }

    /// What an interface shows, its visible implementations must show.
    fn against_interfaces(&mut self, parent: &Name, ty: &ExtendedType, own: &FieldDefinition) {
        for interface in interfaces(ty) {
            if self.is_hidden(interface) {
                continue;
            }
            let shown = self.schema.types.get(interface).and_then(|definition| field(definition, &own.name));
            let Some(shown) = shown.filter(|shown| !shown.directives.has(INACCESSIBLE)) else { continue };
            let coordinate = format!("{parent}.{}", own.name);
            if own.directives.has(INACCESSIBLE) {
                let message = format!(
                    "field \"{coordinate}\" is @inaccessible but implements the interface field \"{interface}.{}\", which is in the API schema",
                    own.name
                );
                self.report(ErrorCode::ImplementedByInaccessible, parent, &coordinate, message);
                continue;
            }
            for argument in own.arguments.iter().filter(|argument| argument.directives.has(INACCESSIBLE)) {
                let visible =
                    shown.argument_by_name(&argument.name).is_some_and(|a| !a.directives.has(INACCESSIBLE));
                if visible {
                    let coordinate = format!("{coordinate}({}:)", argument.name);
                    let message = format!(
                        "argument \"{coordinate}\" is @inaccessible but implements an argument of \"{interface}.{}\", which is in the API schema",
                        own.name
                    );
                    self.report(ErrorCode::ImplementedByInaccessible, parent, &coordinate, message);
                }
            }
        }
    }

    fn input(&mut self, parent: &Name, coordinate: &str, value: &InputValueDefinition) {
        if value.directives.has(INACCESSIBLE) {
            if value.is_required() {
                let message = format!(
                    "\"{coordinate}\" is @inaccessible but is required, and what it belongs to is in the API schema"
                );
                self.report(ErrorCode::RequiredInaccessible, parent, coordinate, message);
            }
            return;
        }
        self.reference(parent, coordinate, &value.ty);
        if let Some(default) = &value.default_value
            && self.uses_hidden(default, &value.ty)
        {
            let message = format!(
                "the default value of \"{coordinate}\" uses something @inaccessible, but \"{coordinate}\" is in the API schema"
            );
            self.report(ErrorCode::DefaultValueUsesInaccessible, parent, coordinate, message);
        }
    }

    fn reference(&mut self, parent: &Name, coordinate: &str, ty: &Type) {
        let ty = ty.inner_named_type();
        if self.is_hidden(ty) {
            let message = format!(
                "type \"{ty}\" is @inaccessible but is referenced by \"{coordinate}\", which is in the API schema"
            );
            self.report(ErrorCode::ReferencedInaccessible, parent, coordinate, message);
        }
    }

    fn uses_hidden(&self, value: &Node<Value>, ty: &Type) -> bool {
        match &**value {
            Value::List(items) => items.iter().any(|item| self.uses_hidden(item, ty.item_type())),
            Value::Enum(name) => self
                .schema
                .get_enum(ty.inner_named_type())
                .and_then(|definition| definition.values.get(name))
                .is_some_and(|value| value.directives.has(INACCESSIBLE)),
            Value::Object(entries) => {
                let Some(input) = self.schema.get_input_object(ty.inner_named_type()) else { return false };
                entries.iter().filter_map(|(name, value)| Some((input.fields.get(name)?, value))).any(
                    |(field, value)| field.directives.has(INACCESSIBLE) || self.uses_hidden(value, &field.ty),
                )
            }
            _ => false,
        }
    }

    fn report(&mut self, code: ErrorCode, parent: &Name, coordinate: &str, message: String) {
        let places: Vec<Location> = self
            .graphs
            .iter()
            .filter(|graph| graph.get(parent).is_some())
            .map(|graph| graph.at(coordinate))
            .collect();
        self.errors.push(CompositionError::new(code, message).at(places));
    }
}
