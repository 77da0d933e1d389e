//! Why a field cannot be reached, told with the query that asks for it.

use std::collections::BTreeSet;

use apollo_compiler::ast::OperationType;

use supergraph::{Field, FieldSet, Key, SubgraphId, TypeId};

use super::reach::Reach;
use super::{Place, Step};
use crate::error::{CompositionError, ErrorCode, Location, enumerate};

/// The error for a field that no node of a place resolves.
pub(super) fn unreachable(
    reach: &mut Reach<'_>,
    steps: &[(Option<usize>, Step)],
    place: &Place,
    field: &Field,
) -> CompositionError {
    let query = query(reach, steps, place.step, field);
    let coordinate = format!("{}.{}", reach.supergraph.ty(place.ty).name, field.name);
    let here: BTreeSet<SubgraphId> =
        place.nodes.iter().map(|node| reach.graph.node(*node).subgraph).collect();
    let mut reasons = vec![format!(
        "cannot find field \"{coordinate}\" in {}",
        crate::error::in_subgraphs(here.iter().map(|id| &reach.supergraph.subgraph(*id).name))
    )];
    let mut places = Vec::new();
    for join in field.joins.iter().filter(|join| !join.external && !join.used_overridden) {
        let name = reach.supergraph.subgraph(join.subgraph).name.clone();
        reasons.push(match (&join.requires, here.contains(&join.subgraph)) {
            (Some(requires), true) => unmet(reach, place, &name, &coordinate, requires),
            (None, true) => format!("subgraph \"{name}\" has field \"{coordinate}\" in other places only"),
            (_, false) => unmoved(reach, place, join.subgraph, &coordinate),
        });
        places.push(Location::new(&name, coordinate.as_str()));
    }
    let message = format!(
        "the following supergraph API query:\n{query}\ncannot be satisfied by the subgraphs because:\n- {}",
        reasons.join(".\n- ")
    );
    CompositionError::new(ErrorCode::SatisfiabilityError, message + ".").at(places)
}

/// The error for an interface object whose implementation nobody can tell.
pub(super) fn untyped(
    reach: &Reach<'_>,
    steps: &[(Option<usize>, Step)],
    before: usize,
    field: &Field,
) -> CompositionError {
    let ty = &reach.supergraph.ty(field.inner).name;
    let message = format!(
        "the following supergraph API query:\n{}\ncannot be satisfied by the subgraphs because no subgraph can be reached \
         to resolve the implementation type of @interfaceObject type \"{ty}\".",
        query(reach, steps, before, field)
    );
    let coordinate = format!("{}.{}", reach.supergraph.ty(field.parent).name, field.name);
    let places = field
        .joins
        .iter()
        .map(|join| Location::new(&reach.supergraph.subgraph(join.subgraph).name, coordinate.as_str()));
    CompositionError::new(ErrorCode::SatisfiabilityError, message).at(places)
}

fn unmet(reach: &Reach<'_>, place: &Place, subgraph: &str, coordinate: &str, requires: &FieldSet) -> String {
    let ty = &reach.supergraph.ty(place.ty).name;
    format!(
        "subgraph \"{subgraph}\" resolves \"{coordinate}\" only together with \"{requires}\", which cannot be had \
         elsewhere, or type \"{ty}\" has no resolvable @key there to come back with it"
    )
}

/// Why one cannot move to a subgraph that has the field.
fn unmoved(reach: &mut Reach<'_>, place: &Place, to: SubgraphId, coordinate: &str) -> String {
    let supergraph = reach.supergraph;
    let ty = supergraph.ty(place.ty);
    let subgraph = &supergraph.subgraph(to).name;
    let start = format!("cannot move to subgraph \"{subgraph}\", which has field \"{coordinate}\"");
    let keys: Vec<&Key> = ty.join(to).map(|join| join.keys.iter().collect()).unwrap_or_default();
    if keys.is_empty() {
        return format!(
            "{start}, because type \"{}\" has no @key defined in subgraph \"{subgraph}\"",
            ty.name
        );
    }
    let resolvable: Vec<&&Key> = keys.iter().filter(|key| key.resolvable).collect();
    if resolvable.is_empty() {
        return format!(
            "{start}, because none of the @key defined on type \"{}\" in subgraph \"{subgraph}\" are resolvable \
             (they are all declared with their \"resolvable\" argument set to false)",
            ty.name
        );
    }
    let keys = enumerate(resolvable.iter().map(|key| &key.selection));
    format!("{start}, because what its @key {keys} of type \"{}\" selects cannot be had", ty.name)
}

/// The shortest query that leads to the field.
fn query(reach: &Reach<'_>, steps: &[(Option<usize>, Step)], last: usize, field: &Field) -> String {
    let mut lines = vec![with_arguments(field)];
    if reach.supergraph.ty(field.inner).is_composite() {
        lines[0].push_str(" {\n  ...\n}");
    }
    let mut at = Some(last);
    while let Some((before, step)) = at.map(|step| &steps[step]) {
        lines.push(match step {
            Step::Root(OperationType::Query) => String::new(),
            Step::Root(operation) => operation.name().to_owned(),
            Step::Field(id) => with_arguments(reach.supergraph.field(*id)),
            Step::On(ty) => format!("... on {}", type_name(reach, *ty)),
        });
        at = *before;
    }
    let mut text = lines.remove(0);
    for line in lines {
        let inner = text.replace('\n', "\n  ");
        text =
            if line.is_empty() { format!("{{\n  {inner}\n}}") } else { format!("{line} {{\n  {inner}\n}}") };
    }
    text
}

fn with_arguments(field: &Field) -> String {
    let required: Vec<String> = field
        .arguments
        .iter()
        .filter(|argument| argument.is_required())
        .map(|argument| format!("{}: <{}>", argument.name, argument.ty))
        .collect();
    if required.is_empty() {
        field.name.to_string()
    } else {
        format!("{}({})", field.name, required.join(", "))
    }
}

fn type_name<'a>(reach: &Reach<'a>, ty: TypeId) -> &'a str {
    &reach.supergraph.ty(ty).name
}

#[cfg(test)]
mod tests {
    use crate::{Subgraph, compose};

    const HEAD: &str = r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@shareable"])
"#;

    fn errors(a: &str, b: &str) -> Vec<String> {
        let subgraph = |name: &str, sdl: &str| Subgraph {
            name: name.to_owned(),
            url: String::new(),
            sdl: format!("{HEAD}{sdl}"),
        };
        let refused = compose(&[subgraph("a", a), subgraph("b", b)]).unwrap_err();
        refused.into_iter().map(|error| error.message).collect()
    }

    #[test]
    fn the_error_shows_the_query_and_the_missing_key() {
        let told = errors(
            "type Query { t(n: Int!): T } type T { id: ID! @shareable x: Int }",
            "type Query { u: I } interface I { id: ID! } type T implements I { id: ID! @shareable y: Int }",
        );
        assert_eq!(
            told,
            [
                "the following supergraph API query:\n{\n  t(n: <Int!>) {\n    y\n  }\n}\ncannot be satisfied by the subgraphs \
                 because:\n- cannot find field \"T.y\" in subgraph \"a\".\n- cannot move to subgraph \"b\", which has field \
                 \"T.y\", because type \"T\" has no @key defined in subgraph \"b\".",
                "the following supergraph API query:\n{\n  u {\n    ... on T {\n      x\n    }\n  }\n}\ncannot be satisfied by the \
                 subgraphs because:\n- cannot find field \"T.x\" in subgraph \"b\".\n- cannot move to subgraph \"a\", which has \
                 field \"T.x\", because type \"T\" has no @key defined in subgraph \"a\".",
            ]
        );
    }
}
