//! `@skip` and `@include`, merged keys and the order of the client.

use engine::plan::SelectedField;
use insta::assert_snapshot;

use super::{explain, plan, planner_of};

fn planner() -> engine::plan::Planner {
    planner_of(&[
        (
            "a",
            r#"type Query { item: Item } 
               type Item @key(fields: "id") { id: ID! name: String size: Size kin: [Item!] } type Size { x: Int y: Int }"#,
        ),
        ("b", r#"type Item @key(fields: "id") { id: ID! price: Int stock: Int }"#),
    ])
}

fn outline(selection: &[SelectedField]) -> String {
    let field = |field: &SelectedField| {
        let below = if field.selection.is_empty() {
            String::new()
        } else {
            format!(" {{ {} }}", outline(&field.selection))
        };
        let condition =
            if field.condition.is_always() { String::new() } else { format!(" if {}", field.condition) };
        format!("{}{condition}{below}", field.response_key)
    };
    selection.iter().map(field).collect::<Vec<_>>().join(" ")
}

#[test]
fn constant_conditions_are_resolved_and_variable_ones_kept() {
    let document = "query ($x: Boolean!) { item { id @skip(if: true) name @include(if: true) kin @skip(if: $x) { name } size @include(if: false) { x } } }";
    assert_eq!(outline(&plan(&planner(), document).selection), "item { name kin if not $x { name } }");
}

#[test]
fn a_field_selected_twice_is_wanted_when_either_is() {
    let document = "query ($x: Boolean!, $y: Boolean!) {
        item @include(if: $x) { name size { x } }
        ... @include(if: $y) { item { size { y } name } }
    }";
    assert_eq!(
        outline(&plan(&planner(), document).selection),
        "item if $x or $y { name if $x or $y size if $x or $y { x if $x y if $y } }"
    );
}

#[test]
fn a_fetch_is_left_out_when_nothing_in_it_is_wanted() {
    let document = "query ($x: Boolean!, $y: Boolean!) { item { name price @include(if: $x) kin { stock @skip(if: $y) } } }";
    assert_snapshot!(explain(&planner(), document), @r"
    2 fetches in 2 stages
    0: a
       query { item { name kin { id if not $y } id if $x } }
    1: b after 0 if $x or not $y
       at item.kin[] Item by { id }
       _e0 if not $y { ... on Item { stock } }
       at item Item by { id }
       _e1 if $x { ... on Item { price } }
    ");
}

#[test]
fn what_is_needed_only_for_a_conditional_field_is_conditional() {
    let planner = planner_of(&[
        ("a", r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! weight: Int }"#),
        (
            "b",
            r#"type Item @key(fields: "id") { id: ID! weight: Int @external shipping: Int @requires(fields: "weight") }"#,
        ),
    ]);
    assert_snapshot!(explain(&planner, "query ($x: Boolean!) { item { id shipping @include(if: $x) } }"), @r"
    2 fetches in 2 stages
    0: a
       query { item { id weight if $x } }
    1: b after 0 if $x
       at item Item by { id weight }
       _entities { ... on Item { shipping } }
    ");
}

#[test]
fn the_answer_keeps_the_order_in_which_keys_first_appear() {
    let document = "{ b: item { name } ...F a: item { id } __typename } fragment F on Query { c: item { id } b: item { id name } }";
    let plan = plan(&planner(), document);
    assert_eq!(outline(&plan.selection), "b { name id } c { id } a { id } __typename");
}
