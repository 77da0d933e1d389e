//! Documents made to hurt: each is planned within the limits or refused, and none takes long.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use engine::plan::{PlanError, PlanLimits, PlanOptions, Planner};

use super::{plan, planner_of, try_plan};

fn planner() -> Planner {
    planner_of(&[
        (
            "a",
            r#"type Query { item: Item items: [Item] }
               type Item @key(fields: "id") { id: ID! name: String @shareable next: Item near: Place @shareable }
               type Place @shareable { x: Int }"#,
        ),
        (
            "b",
            r#"type Item @key(fields: "id") { id: ID! name: String @shareable b: Int near: Place @shareable } type Place @shareable { x: Int }"#,
        ),
        (
            "c",
            r#"type Item @key(fields: "id") { id: ID! name: String @shareable c: Int far: Place @shareable } type Place @shareable { x: Int }"#,
        ),
        (
            "d",
            r#"type Item @key(fields: "id") { id: ID! d: Int far: Place @shareable } type Place @shareable { x: Int }"#,
        ),
    ])
}

fn refusal(planner: &Planner, document: &str) -> PlanError {
    try_plan(planner, document, &PlanOptions::default()).expect_err("it is too much")
}

#[test]
fn a_bomb_of_fragments_that_double_is_refused_before_it_is_expanded() {
    let mut bomb = String::from("{ item { ...F0 } } ");
    for level in 0..30 {
        let next = level + 1;
        bomb.push_str(&format!(
            "fragment F{level} on Item {{ a{level}: next {{ ...F{next} }} b{level}: next {{ ...F{next} }} }} "
        ));
    }
    bomb.push_str("fragment F30 on Item { id }");
    assert_eq!(refusal(&planner(), &bomb), PlanError::TooManyFields { limit: PlanLimits::default().fields });
}

#[test]
fn a_thousand_aliases_of_a_shared_field_share_one_fetch() {
    let aliases: String = (0..1024).map(|n| format!("a{n}: far {{ x }} b{n}: name ")).collect();
    let planner = planner();
    let plan = plan(&planner, &format!("{{ item {{ {aliases} c d }} }}"));
    assert_eq!(plan.fetches.len(), 3);
    assert_eq!(plan.selection[0].selection.len(), 2050);
}

#[test]
fn a_thousand_aliases_of_an_entity_share_one_fetch_with_one_selection() {
    let aliases: String = (0..1024).map(|n| format!("a{n}: item {{ far {{ x }} }} ")).collect();
    let planner = planner();
    let plan = plan(&planner, &format!("{{ {aliases} }}"));
    assert_eq!(plan.fetches.len(), 2);
    match &plan.fetches[1].kind {
        engine::plan::FetchKind::Entities { groups } => {
            assert_eq!(groups.len(), 1);
            assert_eq!(groups[0].targets.len(), 1024);
        }
        engine::plan::FetchKind::Root { .. } => panic!("the second fetch is for entities"),
    }
}

#[test]
fn ten_thousand_fields_are_planned() {
    let fields: String = (0..2500).map(|n| format!("a{n}: item {{ b c d }} ")).collect();
    let planner = planner();
    let refused = try_plan(&planner, &format!("{{ {fields} }}"), &PlanOptions::default());
    assert_eq!(refused.map(|plan| plan.stages()), Err(PlanError::TooManyFetches { limit: 2000 }));
    let fields: String = (0..10)
        .map(|n| format!("a{n}: item {{ {} }} ", (0..1000).map(|m| format!("x{m}: b ")).collect::<String>()))
        .collect();
    assert_eq!(plan(&planner, &format!("{{ {fields} }}")).fetches.len(), 2);
}

#[test]
fn nesting_deeper_than_allowed_is_refused() {
    let limits = PlanLimits { depth: 10, ..PlanLimits::default() };
    let options = PlanOptions { limits, ..PlanOptions::default() };
    let nested =
        |depth: usize| format!("{{ item {{ {} id {} }} }}", "next { ".repeat(depth), "}".repeat(depth));
    let planner = planner();
    assert!(try_plan(&planner, &nested(8), &options).is_ok());
    assert_eq!(try_plan(&planner, &nested(9), &options).err(), Some(PlanError::TooDeep { limit: 10 }));
}

#[test]
fn a_chain_of_ninety_objects_with_something_from_elsewhere_at_each_is_planned() {
    let document = format!("{{ item {{ {} id {} }} }}", "b c far { x } next { ".repeat(90), "}".repeat(90));
    let planner = planner();
    let plan = plan(&planner, &document);
    assert_eq!((plan.fetches.len(), plan.stages()), (3, 2));
}

#[test]
fn planning_stops_when_its_work_is_used_up_or_it_is_cancelled() {
    let planner = planner();
    let limits = PlanLimits { work: 10, ..PlanLimits::default() };
    let options = PlanOptions { limits, ..PlanOptions::default() };
    let document = "{ item { name b c d next { b c d next { b c d } } } }";
    assert_eq!(try_plan(&planner, document, &options).err(), Some(PlanError::TooMuchWork { limit: 10 }));

    let cancelled = Some(Arc::new(AtomicBool::new(true)));
    let options = PlanOptions { cancelled, ..PlanOptions::default() };
    assert_eq!(try_plan(&planner, document, &options).err(), Some(PlanError::Cancelled));
}

#[test]
fn a_thousand_conditions_on_one_field_and_many_at_every_depth_are_planned() {
    let planner = planner();
    let variables: String = (0..1000).map(|n| format!("$v{n}: Boolean! ")).collect();
    let once: String =
        (0..1000).map(|n| format!("b @include(if: $v{n}) a{n}: b @skip(if: $v{n}) ")).collect();
    let wide = plan(&planner, &format!("query ({variables}) {{ item {{ {once} }} }}"));
    assert_eq!(wide.fetches.len(), 2);
    assert_eq!(wide.selection[0].selection[0].condition.clauses().len(), 1000);

    let variables: String = (0..80).map(|n| format!("$v{n}: Boolean! ")).collect();
    let mut deep = "b".to_owned();
    for depth in 0..8 {
        let ways: String =
            (1..10).map(|n| format!("next @include(if: $v{}) {{ id }} ", depth * 10 + n)).collect();
        deep = format!("{ways} next @include(if: $v{}) {{ {deep} }}", depth * 10);
    }
    let deep = plan(&planner, &format!("query ({variables}) {{ item {{ {deep} }} }}"));
    assert_eq!(deep.fetches.len(), 2);
    assert!(deep.fetches[1].condition.clauses().len() <= 16);
}
