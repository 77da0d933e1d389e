//! Schemas as text, in an order that depends on nothing but their content.

use std::fmt::{self, Write};

use apollo_compiler::ast::{self, OperationType};
use apollo_compiler::schema::{DirectiveList, ExtendedType};
use apollo_compiler::{Name, Node, Schema};

/// Prints a schema: its head, directives, then types by name. Built-in definitions are left out.
pub(crate) fn schema(schema: &Schema) -> String {
    let mut text = String::new();
    write_schema(&mut text, schema).expect("writing into a string cannot fail");
    text
}

fn write_schema(out: &mut String, schema: &Schema) -> fmt::Result {
    schema_definition(out, schema)?;
    let mut directives: Vec<&Node<ast::DirectiveDefinition>> =
        schema.directive_definitions.values().filter(|directive| !directive.is_built_in()).collect();
    directives.sort_by(|a, b| a.name.cmp(&b.name));
    for directive in directives {
        write!(out, "\n{}\n", directive.serialize())?;
    }
    let mut types: Vec<&ExtendedType> = schema.types.values().filter(|ty| !ty.is_built_in()).collect();
    types.sort_by(|a, b| a.name().cmp(b.name()));
    for ty in types {
        out.push('\n');
        type_definition(out, ty)?;
    }
    Ok(())
}

fn schema_definition(out: &mut String, schema: &Schema) -> fmt::Result {
    let definition = &schema.schema_definition;
    description(out, definition.description.as_ref())?;
    out.push_str("schema");
    directives(out, &definition.directives)?;
    block_start(out, &definition.directives);
    for (operation, root) in [
        (OperationType::Query, &definition.query),
        (OperationType::Mutation, &definition.mutation),
        (OperationType::Subscription, &definition.subscription),
    ] {
        if let Some(root) = root {
            writeln!(out, "  {}: {}", operation.name(), root.name)?;
        }
    }
    out.push_str("}\n");
    Ok(())
}

fn type_definition(out: &mut String, ty: &ExtendedType) -> fmt::Result {
    description(out, ty.description())?;
    let name = ty.name();
    match ty {
        ExtendedType::Scalar(_) => {
            write!(out, "scalar {name}")?;
            directives(out, ty.directives())?;
            out.push('\n');
        }
        ExtendedType::Object(object) => {
            write!(out, "type {name}")?;
            implements(out, object.implements_interfaces.iter().map(|interface| &interface.name))?;
            directives(out, ty.directives())?;
            members(
                out,
                ty.directives(),
                object.fields.values().map(|field| field.serialize().initial_indent_level(1)),
            )?;
        }
        ExtendedType::Interface(interface) => {
            write!(out, "interface {name}")?;
            implements(out, interface.implements_interfaces.iter().map(|interface| &interface.name))?;
            directives(out, ty.directives())?;
            members(
                out,
                ty.directives(),
                interface.fields.values().map(|field| field.serialize().initial_indent_level(1)),
            )?;
        }
        ExtendedType::Union(union) => {
            write!(out, "union {name}")?;
            directives(out, ty.directives())?;
            out.push_str(if union.directives.is_empty() { " =" } else { "\n  =" });
            for (index, member) in union.members.iter().enumerate() {
                write!(out, "{} {}", if index == 0 { "" } else { " |" }, member.name)?;
            }
            out.push('\n');
        }
        ExtendedType::Enum(definition) => {
            write!(out, "enum {name}")?;
            directives(out, ty.directives())?;
            members(
                out,
                ty.directives(),
                definition.values.values().map(|value| value.serialize().initial_indent_level(1)),
            )?;
        }
        ExtendedType::InputObject(input) => {
            write!(out, "input {name}")?;
            directives(out, ty.directives())?;
            members(
                out,
                ty.directives(),
                input.fields.values().map(|field| field.serialize().initial_indent_level(1)),
            )?;
        }
    }
    Ok(())
}

fn description(out: &mut String, text: Option<&Node<str>>) -> fmt::Result {
    // The serialiser prints descriptions only along with what they describe.
    if text.is_none() {
        return Ok(());
    }
    let described = ast::ScalarTypeDefinition {
        description: text.cloned(),
        name: apollo_compiler::name!("x"),
        directives: ast::DirectiveList::new(),
    };
    let printed = described.serialize().to_string();
    write!(out, "{}", printed.strip_suffix("scalar x").unwrap_or_default())
}

fn implements<'a>(out: &mut String, interfaces: impl Iterator<Item = &'a Name>) -> fmt::Result {
    for (index, interface) in interfaces.enumerate() {
        write!(out, "{}{interface}", if index == 0 { " implements " } else { " & " })?;
    }
    Ok(())
}

fn directives(out: &mut String, directives: &DirectiveList) -> fmt::Result {
    for directive in directives.iter() {
        write!(out, "\n  {}", directive.serialize())?;
    }
    Ok(())
}

fn block_start(out: &mut String, directives: &DirectiveList) {
    out.push_str(if directives.is_empty() { " {\n" } else { "\n{\n" });
}

fn members(
    out: &mut String,
    directives: &DirectiveList,
    members: impl Iterator<Item = impl fmt::Display>,
) -> fmt::Result {
    block_start(out, directives);
    for member in members {
        writeln!(out, "{member}")?;
    }
    out.push_str("}\n");
    Ok(())
}
