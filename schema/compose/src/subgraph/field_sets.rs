//! The selections that `@key`, `@requires` and `@provides` name, parsed once and kept.

use apollo_compiler::ast::{self, Value};
use apollo_compiler::executable::{FieldSet, Selection, SelectionSet};
use apollo_compiler::schema::{Component, ComponentOrigin, Directive, ExtendedType};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Name, Node, Schema};

use crate::federation;
use crate::link::{Links, Version};

/// Which directive a field set belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Key,
    Requires,
    Provides,
}

impl Purpose {
    pub fn directive(self) -> &'static str {
        match self {
            Purpose::Key => "@key",
            Purpose::Requires => "@requires",
            Purpose::Provides => "@provides",
        }
    }
}

/// One application of one of the three directives.
#[derive(Debug)]
pub(crate) struct FieldSetUse {
    pub purpose: Purpose,
    /// The type that carries the directive, or the field that does.
    pub on_type: Name,
    pub on_field: Option<Name>,
    /// The field set as written, in one line.
    pub text: String,
    /// What it selects, or why it cannot be read.
    pub selection: Result<SelectionSet, FieldSetProblem>,
    /// `resolvable` of `@key`.
    pub resolvable: bool,
    /// A `@key` that stands on an extension of the type.
    pub on_extension: bool,
}

/// Why a field set has no selection.
#[derive(Debug)]
pub(crate) enum FieldSetProblem {
    /// `fields` is not a string.
    NotText(String),
    /// It does not parse, or selects what is not there.
    Invalid(String),
    /// It applies directives.
    WithDirectives,
    /// `@provides` on a field that has nothing to select from.
    OnLeaf(String),
}

impl FieldSetUse {
    /// `T` or `T.f`.
    pub fn coordinate(&self) -> String {
        match &self.on_field {
            Some(field) => format!("{}.{field}", self.on_type),
            None => self.on_type.to_string(),
        }
    }
}

/// All field sets of a schema, in the order of types and fields.
pub(super) fn collect(schema: &Valid<Schema>, links: &Links) -> Vec<FieldSetUse> {
    let reader = Reader { schema, lenient: links.version == Version::One };
    let mut uses = Vec::new();
    for (name, ty) in &schema.types {
        if federation::is_machinery(name) || !(ty.is_object() || ty.is_interface()) {
            continue;
        }
        for key in ty.directives().get_all(federation::KEY) {
            uses.push(reader.key(name, key));
        }
        for field in super::fields(ty) {
            for requires in field.directives.get_all(federation::REQUIRES) {
                uses.push(reader.on_field(Purpose::Requires, name, &field.name, name, requires));
            }
            for provides in field.directives.get_all(federation::PROVIDES) {
                let target = field.ty.inner_named_type();
                uses.push(reader.on_field(Purpose::Provides, name, &field.name, target, provides));
            }
        }
    }
    uses
}

struct Reader<'a> {
    schema: &'a Valid<Schema>,
    lenient: bool,
}

impl Reader<'_> {
    fn key(&self, ty: &Name, key: &Component<Directive>) -> FieldSetUse {
        let (text, selection) = self.parse(ty, key);
        let resolvable = key.specified_argument_by_name("resolvable").and_then(|value| value.to_bool());
        FieldSetUse {
            purpose: Purpose::Key,
            on_type: ty.clone(),
            on_field: None,
            text,
            selection,
            resolvable: resolvable.unwrap_or(true),
            on_extension: matches!(key.origin, ComponentOrigin::Extension(_)) || self.is_marked_extension(ty),
        }
    }

    /// `type T @extends`
    fn is_marked_extension(&self, ty: &Name) -> bool {
        self.schema.types.get(ty).is_some_and(|ty| ty.directives().has(federation::EXTENDS))
    }

    fn on_field(
        &self,
        purpose: Purpose,
        ty: &Name,
        field: &Name,
        target: &Name,
        directive: &Node<Directive>,
    ) -> FieldSetUse {
        let composite = matches!(
            self.schema.types.get(target),
            Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_))
        );
        let (text, selection) = if composite {
            self.parse(target, directive)
        } else {
            (String::new(), Err(FieldSetProblem::OnLeaf(target.to_string())))
        };
        FieldSetUse {
            purpose,
            on_type: ty.clone(),
            on_field: Some(field.clone()),
            text,
            selection,
            resolvable: true,
            on_extension: false,
        }
    }

    fn parse(&self, target: &Name, directive: &Directive) -> (String, Result<SelectionSet, FieldSetProblem>) {
        let Some(value) = directive.specified_argument_by_name("fields") else {
            return (String::new(), Err(FieldSetProblem::NotText("nothing".to_owned())));
        };
        let Some(text) = field_set_text(value, self.lenient) else {
            return (String::new(), Err(FieldSetProblem::NotText(value.to_string())));
        };
        let text = one_line(&text);
        if has_directives(&text) {
            return (text, Err(FieldSetProblem::WithDirectives));
        }
        let parsed = FieldSet::parse_and_validate(self.schema, target.clone(), text.as_str(), "field set");
        let selection = match parsed {
            Ok(field_set) => Ok(field_set.into_inner().selection_set),
            Err(failed) => {
                let problems: Vec<String> =
                    failed.errors.iter().map(|diagnostic| diagnostic.error.to_string()).collect();
                Err(FieldSetProblem::Invalid(problems.join("; ")))
            }
        };
        (text, selection)
    }
}

/// The text of a field set: a string; federation 1 also took a list, and a bare name passes anywhere.
pub(super) fn field_set_text(value: &Value, lenient: bool) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Enum(name) => Some(name.to_string()),
        Value::List(parts) if lenient => {
            parts.iter().map(|part| part.as_str()).collect::<Option<Vec<_>>>().map(|parts| parts.join(" "))
        }
        _ => None,
    }
}

/// White space and commas become single blanks; braces around the whole go.
fn one_line(text: &str) -> String {
    let mut text = text.trim();
    if let Some(inner) = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        text = inner;
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Does a field set apply directives? Looked at before validation, which would ask for their definitions.
fn has_directives(text: &str) -> bool {
    fn any(selections: &[ast::Selection]) -> bool {
        selections.iter().any(|selection| match selection {
            ast::Selection::Field(field) => !field.directives.is_empty() || any(&field.selection_set),
            ast::Selection::InlineFragment(part) => !part.directives.is_empty() || any(&part.selection_set),
            ast::Selection::FragmentSpread(spread) => !spread.directives.is_empty(),
        })
    }
    let Some(document) =
        text.contains('@').then(|| ast::Document::parse(format!("{{ {text} }}"), "field set"))
    else {
        return false;
    };
    document.is_ok_and(|document| {
        document.definitions.iter().filter_map(|d| d.as_operation_definition()).any(|o| any(&o.selection_set))
    })
}

/// Keeps the outermost fields that are wanted or select something that is; fragments stay.
pub(super) fn retain_fields(selection: &mut SelectionSet, wanted: &impl Fn(&Name, &Name) -> bool) {
    let parent = selection.ty.clone();
    selection.selections.retain(|selected| match selected {
        Selection::Field(field) => {
            let mut any = wanted(&parent, &field.name);
            each_field(&field.selection_set, &mut |parent, inner| any |= wanted(parent, &inner.name));
            any
        }
        Selection::InlineFragment(_) | Selection::FragmentSpread(_) => true,
    });
}

/// A selection as the text of a field set.
pub(super) fn printed(selection: &SelectionSet) -> String {
    let parts: Vec<String> =
        selection.selections.iter().map(|selected| selected.serialize().no_indent().to_string()).collect();
    parts.join(" ")
}

/// Calls `visit` with the parent type and the field of every selected field, outer ones first.
pub(crate) fn each_field(
    selection: &SelectionSet,
    visit: &mut impl FnMut(&Name, &Node<apollo_compiler::executable::Field>),
) {
    for selected in &selection.selections {
        match selected {
            Selection::Field(field) => {
                visit(&selection.ty, field);
                each_field(&field.selection_set, visit);
            }
            Selection::InlineFragment(fragment) => each_field(&fragment.selection_set, visit),
            Selection::FragmentSpread(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_set_is_written_in_one_line_without_outer_braces() {
        assert_eq!(one_line("{ id\n  name }"), "id name");
        assert_eq!(one_line(" a { b }"), "a { b }");
    }
}
