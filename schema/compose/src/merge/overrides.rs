//! `@override`: which fields moved to another subgraph, wholly or for part of the traffic.

use apollo_compiler::Name;
use apollo_compiler::ast::{Directive, FieldDefinition};
use rustc_hash::FxHashMap;

use crate::error::{CompositionError, ErrorCode};
use crate::federation;
use crate::hint::{Hint, HintCode};
use crate::subgraph::{Graph, field, fields, text};

/// A field that another subgraph took over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Overridden {
    /// With a label, for the part of the traffic that the label stands for; without, wholly.
    pub label: Option<String>,
}

/// All overridden fields, by the subgraph that lost them.
pub(super) struct Overrides(FxHashMap<(usize, Name, Name), Overridden>);

impl Overrides {
    pub fn of(graphs: &[Graph], errors: &mut Vec<CompositionError>, hints: &mut Vec<Hint>) -> Self {
        let mut overrides = Self(FxHashMap::default());
        for (to, graph) in graphs.iter().enumerate() {
            for (ty, definition) in graph.schema.types.iter().filter(|(_, ty)| ty.is_object()) {
                for field in fields(definition) {
                    let Some(directive) = field.directives.get(federation::OVERRIDE) else { continue };
                    let applied = Applied { graphs, to, ty, field, directive };
                    if let Some((from, overridden)) = applied.check(errors, hints) {
                        overrides.0.insert((from, ty.clone(), field.name.clone()), overridden);
                    }
                }
            }
        }
        overrides
    }

    pub fn overridden(&self, graph: usize, ty: &Name, field: &Name) -> Option<Overridden> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&(graph, ty.clone(), field.clone())).cloned()
    }
}

/// One `@override`.
struct Applied<'a> {
    graphs: &'a [Graph],
    to: usize,
    ty: &'a Name,
    field: &'a FieldDefinition,
    directive: &'a Directive,
}

impl Applied<'_> {
    fn check(
        &self,
        errors: &mut Vec<CompositionError>,
        hints: &mut Vec<Hint>,
    ) -> Option<(usize, Overridden)> {
        let (to, name) = (&self.graphs[self.to], &self.field.name);
        let coordinate = format!("{}.{name}", self.ty);
        let from_name = text(self.directive, "from").unwrap_or_default();
        let label = text(self.directive, "label").map(str::to_owned);
        let mut refuse = |code, message: String| {
            errors.push(CompositionError::within(code, &to.name, coordinate.as_str(), message));
        };
        if let Some((code, message)) = self.misplaced(&coordinate, from_name) {
            refuse(code, message);
            return None;
        }
        // A bad label is told, and the field is taken for overridden all the same.
        if let Some(label) = label.as_ref().filter(|label| !is_label(label)) {
            let message = format!(
                "invalid @override label \"{label}\" on field \"{coordinate}\": it must be a name or percent(0 to 100)"
            );
            refuse(ErrorCode::OverrideLabelInvalid, message);
        }
        let Some(from) = self.graphs.iter().position(|graph| graph.name == from_name) else {
            let message = format!(
                "source subgraph \"{from_name}\" for field \"{coordinate}\" on subgraph \"{}\" does not exist",
                to.name
            );
            hints.push(Hint::new(HintCode::FromSubgraphDoesNotExist, message, vec![to.at(&*coordinate)]));
            return None;
        };
        let source = &self.graphs[from];
        let overridden = source.get(self.ty).and_then(|definition| field(definition, name));
        let Some(overridden) = overridden.filter(|_| !source.facts.is_external(self.ty, name)) else {
            let message = format!(
                "field \"{coordinate}\" on subgraph \"{}\" no longer exists in the from subgraph: the @override directive can be removed",
                to.name
            );
            hints.push(Hint::new(
                HintCode::OverrideDirectiveCanBeRemoved,
                message,
                vec![to.at(&*coordinate)],
            ));
            return None;
        };
        if let Some((code, message)) = collision(&coordinate, from_name, overridden) {
            refuse(code, message);
            return None;
        }
        self.hint(&coordinate, source, label.is_some(), hints);
        Some((from, Overridden { label }))
    }

    /// What the overriding field must not be.
    fn misplaced(&self, coordinate: &str, from: &str) -> Option<(ErrorCode, String)> {
        let to = &self.graphs[self.to];
        if to.is_interface_object(self.ty) {
            let message = format!(
                "@override is not supported on fields of @interfaceObject types, such as \"{coordinate}\""
            );
            return Some((ErrorCode::OverrideCollisionWithAnotherDirective, message));
        }
        if from == to.name {
            let message = format!(
                "source and destination subgraphs \"{from}\" are the same for overridden field \"{coordinate}\""
            );
            return Some((ErrorCode::OverrideFromSelfError, message));
        }
        to.facts.is_external(self.ty, &self.field.name).then(|| {
            let message =
                format!("@override cannot be used on field \"{coordinate}\", since it is marked @external");
            (ErrorCode::OverrideCollisionWithAnotherDirective, message)
        })
    }

    fn hint(&self, coordinate: &str, source: &Graph, progressive: bool, hints: &mut Vec<Hint>) {
        let (code, message) = if progressive {
            let message = format!(
                "field \"{coordinate}\" is being migrated with progressive @override; once that is complete, \
                 remove the field from subgraph \"{}\"",
                source.name
            );
            (HintCode::OverrideMigrationInProgress, message)
        } else {
            let message = format!(
                "field \"{coordinate}\" on subgraph \"{}\" is overridden; consider removing it",
                source.name
            );
            (HintCode::OverriddenFieldCanBeRemoved, message)
        };
        hints.push(Hint::new(code, message, vec![source.at(coordinate)]));
    }
}

/// What an overridden field must not carry.
fn collision(coordinate: &str, from: &str, overridden: &FieldDefinition) -> Option<(ErrorCode, String)> {
    if overridden.directives.has(federation::OVERRIDE) {
        let message = format!(
            "field \"{coordinate}\" on subgraph \"{from}\" is also marked with @override: only one @override is allowed per field"
        );
        return Some((ErrorCode::OverrideSourceHasOverride, message));
    }
    let other =
        [federation::REQUIRES, federation::PROVIDES].into_iter().find(|d| overridden.directives.has(d))?;
    let message = format!(
        "@override cannot be used on field \"{coordinate}\", since \"{coordinate}\" on \"{from}\" is marked with directive @{}",
        federation::short(other)
    );
    Some((ErrorCode::OverrideCollisionWithAnotherDirective, message))
}

/// `beta-2`, or `percent(12.5)`.
fn is_label(label: &str) -> bool {
    if let Some(number) = label.strip_prefix("percent(").and_then(|rest| rest.strip_suffix(')')) {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
        let digits =
            |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        return number == "100" || (digits(whole, 2) && digits(fraction, 8));
    }
    let mut letters = label.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || "_-:./".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::is_label;

    #[test]
    fn a_label_is_a_name_or_a_percentage() {
        for good in ["beta-2", "a:b/c.d_e", "percent(0)", "percent(12.5)", "percent(100)"] {
            assert!(is_label(good), "{good}");
        }
        for bad in ["", "2nd", "a b", "percent(101)", "percent(-1)", "percent(x)", "percent(1.123456789)"] {
            assert!(!is_label(bad), "{bad}");
        }
    }
}
