//! What must hold within one subgraph before it can be merged with others.

use apollo_compiler::Name;
use apollo_compiler::ast::{Definition, Document, OperationType};
use apollo_compiler::schema::ExtendedType;
use rustc_hash::FxHashMap;

use super::field_sets::{self, FieldSetProblem, FieldSetUse, Purpose};
use super::{Graph, fields, interfaces};
use crate::error::{CompositionError, ErrorCode};
use crate::federation;
use crate::link::Version;

const DEMANDS: [&str; 3] = [federation::AUTHENTICATED, federation::REQUIRES_SCOPES, federation::POLICY];

/// A type that has a root's usual name must be that root.
pub(super) fn root_names(
    subgraph: &str,
    document: &Document,
    roots: &FxHashMap<OperationType, Name>,
) -> Result<(), Vec<CompositionError>> {
    let codes = [
        (OperationType::Query, ErrorCode::RootQueryUsed),
        (OperationType::Mutation, ErrorCode::RootMutationUsed),
        (OperationType::Subscription, ErrorCode::RootSubscriptionUsed),
    ];
    for (operation, code) in codes {
        let usual = operation.default_type_name();
        let taken = roots.get(&operation).is_none_or(|root| *root != usual)
            && document.definitions.iter().any(|definition| {
                matches!(definition, Definition::ObjectTypeDefinition(_) | Definition::ObjectTypeExtension(_))
                    && definition.name() == Some(&usual)
            });
        if taken {
            let message = format!("the type \"{usual}\" is not the root of its operation: rename it");
            return Err(vec![CompositionError::within(code, subgraph, usual.as_str(), message)]);
        }
    }
    Ok(())
}

/// Checks a subgraph that is valid GraphQL.
pub(super) fn all(graph: &Graph) -> Vec<CompositionError> {
    let mut errors = super::default_values::check(graph);
    errors.extend(super::costs::check(graph));
    for used in &graph.facts.field_sets {
        field_set(graph, used, &mut errors);
    }
    for (name, ty) in &graph.schema.types {
        if federation::is_machinery(name) {
            continue;
        }
        match ty {
            ExtendedType::Object(_) => object(graph, name, ty, &mut errors),
            ExtendedType::Interface(_) => interface(graph, name, ty, &mut errors),
            _ => {}
        }
    }
    errors
}

fn error(graph: &Graph, code: ErrorCode, coordinate: &str, message: String) -> CompositionError {
    CompositionError::within(code, &graph.name, coordinate, message)
}

fn object(graph: &Graph, name: &Name, ty: &ExtendedType, errors: &mut Vec<CompositionError>) {
    if ty.directives().has(federation::INTERFACE_OBJECT) && graph.facts.keys(name).next().is_none() {
        let message = format!(
            "the @interfaceObject directive can only be applied to entity types, but type \"{name}\" has no @key"
        );
        errors.push(error(graph, ErrorCode::InterfaceObjectUsageError, name, message));
    }
    if graph.is_federation_1() {
        return;
    }
    for field in fields(ty) {
        let is_unused = graph.facts.is_external(name, &field.name)
            && !graph.facts.is_selected(name, &field.name)
            && !satisfies_interface(graph, ty, &field.name);
        if is_unused {
            errors.push(unused(graph, &format!("{name}.{}", field.name)));
        }
    }
    auth_on_interface_object(graph, name, ty, errors);
    shareable_twice(graph, name, ty, errors);
}

/// `@shareable` may stand on a type and on its extensions, but only once on each, and once on a field.
fn shareable_twice(graph: &Graph, name: &Name, ty: &ExtendedType, errors: &mut Vec<CompositionError>) {
    let mut report = |coordinate: String| {
        let message = format!("invalid duplicate application of @shareable on \"{coordinate}\"");
        errors.push(error(graph, ErrorCode::InvalidShareableUsage, &coordinate, message));
    };
    let on_type: Vec<_> = ty.directives().get_all(federation::SHAREABLE).map(|found| &found.origin).collect();
    if on_type.iter().enumerate().any(|(place, origin)| on_type[..place].contains(origin)) {
        report(name.to_string());
    }
    for field in fields(ty).filter(|field| field.directives.get_all(federation::SHAREABLE).count() > 1) {
        report(format!("{name}.{}", field.name));
    }
}

fn unused(graph: &Graph, coordinate: &str) -> CompositionError {
    let message = format!(
        "field \"{coordinate}\" is marked @external but is not used in any federation directive \
         (@key, @provides, @requires) or to satisfy an interface; remove it, or the @external directive"
    );
    error(graph, ErrorCode::ExternalUnused, coordinate, message)
}

/// Interfaces take their demands from their implementations.
fn demands_on_interface(graph: &Graph, coordinate: &str, directives: &[&str]) -> Vec<CompositionError> {
    let told = |directive: &&str| {
        let message = format!(
            "invalid use of @{} on \"{coordinate}\": it cannot be applied on interfaces, interface fields and interface objects",
            federation::short(directive)
        );
        error(graph, ErrorCode::AuthRequirementsAppliedOnInterface, coordinate, message)
    };
    directives.iter().map(told).collect()
}

fn auth_on_interface_object(
    graph: &Graph,
    name: &Name,
    ty: &ExtendedType,
    errors: &mut Vec<CompositionError>,
) {
    if ty.directives().has(federation::INTERFACE_OBJECT) {
        let demands: Vec<&str> = DEMANDS.into_iter().filter(|demand| ty.directives().has(demand)).collect();
        errors.extend(demands_on_interface(graph, name, &demands));
    }
}

fn satisfies_interface(graph: &Graph, ty: &ExtendedType, field: &Name) -> bool {
    interfaces(ty).any(|interface| graph.get(interface).is_some_and(|i| super::field(i, field).is_some()))
}

fn interface(graph: &Graph, name: &Name, ty: &ExtendedType, errors: &mut Vec<CompositionError>) {
    if graph.is_federation_1() {
        return;
    }
    let demands: Vec<&str> = DEMANDS.into_iter().filter(|demand| ty.directives().has(demand)).collect();
    errors.extend(demands_on_interface(graph, name, &demands));
    for field in fields(ty) {
        let coordinate = format!("{name}.{}", field.name);
        let forbidden = [
            (federation::EXTERNAL, ErrorCode::ExternalOnInterface),
            (federation::SHAREABLE, ErrorCode::InvalidShareableUsage),
            (federation::OVERRIDE, ErrorCode::OverrideOnInterface),
        ];
        if field.directives.has(federation::EXTERNAL) && !graph.facts.is_selected(name, &field.name) {
            errors.push(unused(graph, &coordinate));
        }
        let demands: Vec<&str> = DEMANDS.into_iter().filter(|demand| field.directives.has(demand)).collect();
        errors.extend(demands_on_interface(graph, &coordinate, &demands));
        for (directive, code) in forbidden {
            if field.directives.has(directive) {
                let short = federation::short(directive);
                let message = format!(
                    "interface type field \"{coordinate}\" is marked @{short}, which is not allowed on interface fields"
                );
                errors.push(error(graph, code, &coordinate, message));
            }
        }
    }
    interface_keys(graph, name, errors);
}

/// Every implementation of an entity interface must have the interface's keys.
fn interface_keys(graph: &Graph, name: &Name, errors: &mut Vec<CompositionError>) {
    for key in graph.facts.keys(name) {
        let missing: Vec<&Name> = graph
            .schema
            .types
            .iter()
            .filter(|(_, ty)| ty.is_object() && interfaces(ty).any(|interface| interface == name))
            .map(|(implementation, _)| implementation)
            .filter(|implementation| {
                !graph
                    .facts
                    .keys(implementation)
                    .any(|other| other.text == key.text && other.resolvable >= key.resolvable)
            })
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "key \"{}\" on interface type \"{name}\" is missing on implementation types {}",
                key.text,
                crate::error::enumerate(missing)
            );
            errors.push(error(graph, ErrorCode::InterfaceKeyNotOnImplementation, name, message));
        }
    }
}

/// The codes of one of the three directives.
struct Codes {
    not_text: ErrorCode,
    invalid: ErrorCode,
    directive: ErrorCode,
    /// On an interface, before federation 2.x allowed it (or ever).
    interface: Option<ErrorCode>,
    interfaces_since: Version,
}

fn codes(purpose: Purpose) -> Codes {
    match purpose {
        Purpose::Key => Codes {
            not_text: ErrorCode::KeyInvalidFieldsType,
            invalid: ErrorCode::KeyInvalidFields,
            directive: ErrorCode::KeyDirectiveInFieldsArg,
            interface: Some(ErrorCode::KeyUnsupportedOnInterface),
            interfaces_since: Version::Two(3),
        },
        Purpose::Requires => Codes {
            not_text: ErrorCode::RequiresInvalidFieldsType,
            invalid: ErrorCode::RequiresInvalidFields,
            directive: ErrorCode::RequiresDirectiveInFieldsArg,
            interface: Some(ErrorCode::RequiresUnsupportedOnInterface),
            interfaces_since: Version::Two(u32::MAX),
        },
        Purpose::Provides => Codes {
            not_text: ErrorCode::ProvidesInvalidFieldsType,
            invalid: ErrorCode::ProvidesInvalidFields,
            directive: ErrorCode::ProvidesDirectiveInFieldsArg,
            interface: Some(ErrorCode::ProvidesUnsupportedOnInterface),
            interfaces_since: Version::Two(u32::MAX),
        },
    }
}

fn field_set(graph: &Graph, used: &FieldSetUse, errors: &mut Vec<CompositionError>) {
    let coordinate = used.coordinate();
    let codes = codes(used.purpose);
    let subject = format!("On {} of \"{coordinate}\"", used.purpose.directive());
    let mut report = |code, problem: String| {
        errors.push(error(graph, code, &coordinate, format!("{subject}: {problem}")));
    };
    let on_interface = graph.get(&used.on_type).is_some_and(ExtendedType::is_interface);
    if let Err(FieldSetProblem::OnLeaf(ty)) = &used.selection {
        let problem = format!("field must return an object, interface or union, but returns \"{ty}\"");
        return report(ErrorCode::ProvidesOnNonObjectField, problem);
    }
    if let Some(code) = codes
        .interface
        .filter(|_| on_interface && !graph.is_federation_1() && graph.links.version < codes.interfaces_since)
    {
        report(code, "the directive is not supported on interfaces here".to_owned());
    }
    let selection = match &used.selection {
        Ok(selection) => selection,
        Err(FieldSetProblem::NotText(value)) => {
            return report(codes.not_text, format!("\"fields\" must be a string, not {value}"));
        }
        Err(FieldSetProblem::Invalid(problem)) => {
            return report(codes.invalid, format!("for {:?}: {problem}", used.text));
        }
        Err(FieldSetProblem::WithDirectives) => {
            return report(
                codes.directive,
                format!("for {:?}: directives are not allowed in a field set", used.text),
            );
        }
        Err(FieldSetProblem::OnLeaf(_)) => return,
    };
    if selection.selections.is_empty() {
        return report(codes.invalid, format!("for {:?}: nothing is selected", used.text));
    }
    let mut found = Vec::new();
    field_sets::each_field(selection, &mut |parent, field| {
        selected_field(graph, used, parent, field, &mut found);
        if field.alias.is_some() {
            found.push((codes.invalid, format!("field \"{}\" must not have an alias", field.name)));
        }
    });
    if used.purpose != Purpose::Key {
        missing_external(graph, used, selection, false, &mut found);
    }
    found.into_iter().for_each(|(code, problem)| report(code, problem));
}

type Problems = Vec<(ErrorCode, String)>;

fn selected_field(
    graph: &Graph,
    used: &FieldSetUse,
    parent: &Name,
    field: &apollo_compiler::executable::Field,
    found: &mut Problems,
) {
    let has_arguments = !field.definition.arguments.is_empty();
    let target = format!("{parent}.{}", field.name);
    let is_abstract = matches!(
        graph.get(field.definition.ty.inner_named_type()),
        Some(ExtendedType::Interface(_) | ExtendedType::Union(_))
    );
    match used.purpose {
        Purpose::Key if is_abstract => {
            let problem =
                format!("field \"{target}\" is of an interface or union type, which is not allowed in a key");
            found.push((ErrorCode::KeyFieldsSelectInvalidType, problem));
        }
        Purpose::Key if has_arguments => {
            found.push((
                ErrorCode::KeyFieldsHasArgs,
                format!("field \"{target}\" has arguments, which a key cannot give"),
            ));
        }
        Purpose::Provides if has_arguments => {
            found.push((ErrorCode::ProvidesFieldsHasArgs, format!("field \"{target}\" has arguments")));
        }
        _ => {}
    }
}

/// What `@requires` and `@provides` select must come from elsewhere: each leaf, or something above it,
/// is external.
fn missing_external(
    graph: &Graph,
    used: &FieldSetUse,
    selection: &apollo_compiler::executable::SelectionSet,
    above: bool,
    found: &mut Problems,
) {
    use apollo_compiler::executable::Selection;
    for selected in &selection.selections {
        match selected {
            Selection::Field(field) => {
                let external = above || is_external_somewhere(graph, &selection.ty, &field.name);
                if !field.selection_set.selections.is_empty() {
                    missing_external(graph, used, &field.selection_set, external, found);
                } else if !external && field.name != "__typename" && !graph.is_federation_1() {
                    let code = match used.purpose {
                        Purpose::Provides => ErrorCode::ProvidesFieldsMissingExternal,
                        _ => ErrorCode::RequiresFieldsMissingExternal,
                    };
                    let target = format!("{}.{}", selection.ty, field.name);
                    let problem = format!(
                        "field \"{target}\" should not be part of it, since this subgraph resolves it itself (it is not marked @external)"
                    );
                    found.push((code, problem));
                }
            }
            Selection::InlineFragment(fragment) => {
                missing_external(graph, used, &fragment.selection_set, above, found);
            }
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// A field of an interface counts as external where one of its implementations is.
fn is_external_somewhere(graph: &Graph, parent: &Name, field: &Name) -> bool {
    graph.facts.is_external(parent, field)
        || (graph.get(parent).is_some_and(ExtendedType::is_interface)
            && graph.schema.types.iter().any(|(name, ty)| {
                interfaces(ty).any(|i| i == parent) && graph.facts.is_external(name, field)
            }))
}
