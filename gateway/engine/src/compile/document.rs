//! The text of the document that a fetch sends.

use std::fmt::Write;

use apollo_compiler::ast::{Argument, OperationType, VariableDefinition};
use apollo_compiler::{Name, Node};

use crate::plan::{Condition, EntityGroup, Fetch, FetchField, FetchKind, FetchSelection};

/// The document of a fetch, as compact as it can be.
pub(crate) fn print(fetch: &Fetch, variables: &[Node<VariableDefinition>]) -> String {
    let mut out = String::with_capacity(256);
    let declared: Vec<&Node<VariableDefinition>> =
        variables.iter().filter(|variable| fetch.variables.contains(&variable.name)).collect();
    match &fetch.kind {
        FetchKind::Root { operation, selections, .. } => {
            let keyword = match operation {
                OperationType::Query if declared.is_empty() => "",
                OperationType::Query => "query",
                OperationType::Mutation => "mutation",
                OperationType::Subscription => "subscription",
            };
            out.push_str(keyword);
            declare(&mut out, &[], &declared);
            print_set(&mut out, selections);
        }
        FetchKind::Entities { groups } => {
            out.push_str("query");
            declare(&mut out, groups, &declared);
            out.push('{');
            for (position, group) in groups.iter().enumerate() {
                if position > 0 {
                    out.push(' ');
                }
                if group.alias != "_entities" {
                    push(&mut out, format_args!("{}:", group.alias));
                }
                push(&mut out, format_args!("_entities(representations:${})", group.variable));
                print_set(&mut out, &group.selections);
            }
            out.push('}');
        }
    }
    out
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string cannot fail");
}

fn declare(out: &mut String, groups: &[EntityGroup], variables: &[&Node<VariableDefinition>]) {
    if groups.is_empty() && variables.is_empty() {
        return;
    }
    let mut open = "(";
    for group in groups {
        push(out, format_args!("{open}${}:[_Any!]!", group.variable));
        open = ",";
    }
    for variable in variables {
        push(out, format_args!("{open}${}:{}", variable.name, variable.ty));
        if let Some(default) = &variable.default_value {
            push(out, format_args!("={}", default.serialize().no_indent()));
        }
        open = ",";
    }
    out.push(')');
}

fn print_set(out: &mut String, selections: &[FetchSelection]) {
    out.push('{');
    for (position, selection) in selections.iter().enumerate() {
        if position > 0 {
            out.push(' ');
        }
        match selection {
            FetchSelection::Fragment(fragment) => {
                push(out, format_args!("...on {}", fragment.on));
                print_set(out, &fragment.selections);
            }
            FetchSelection::Field(field) => print_conditional(out, field),
        }
    }
    out.push('}');
}

/// A condition of one clause becomes directives; of several, one fragment for each clause.
fn print_conditional(out: &mut String, field: &FetchField) {
    let condition: &Condition = &field.condition;
    if condition.is_always() {
        return print_field(out, field);
    }
    for (position, clause) in condition.clauses().iter().enumerate() {
        if position > 0 {
            out.push(' ');
        }
        for literal in clause {
            let directive = if literal.negated { "skip" } else { "include" };
            push(out, format_args!("...@{directive}(if:${}){{", literal.variable));
        }
        print_field(out, field);
        out.extend(clause.iter().map(|_| '}'));
    }
}

fn print_field(out: &mut String, field: &FetchField) {
    if field.response_key != field.name {
        push(out, format_args!("{}:", field.response_key));
    }
    out.push_str(&field.name);
    print_arguments(out, &field.arguments);
    if !field.selections.is_empty() {
        print_set(out, &field.selections);
    }
}

fn print_arguments(out: &mut String, arguments: &[Node<Argument>]) {
    let mut open = "(";
    for Argument { name, value } in arguments.iter().map(|argument| &**argument) {
        push(out, format_args!("{open}{}:{}", Name::as_str(name), value.serialize().no_indent()));
        open = ",";
    }
    if !arguments.is_empty() {
        out.push(')');
    }
}
