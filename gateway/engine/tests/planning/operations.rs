//! Root fields: mutations in series, subscriptions, introspection, the query type below the root.

use insta::assert_snapshot;

use super::{explain, plan, planner_of};

#[test]
fn root_fields_of_a_query_are_asked_of_each_subgraph_once() {
    let planner = planner_of(&[
        ("a", "type Query { one: Int shared: Int @shareable }"),
        ("b", "type Query { two: Int three: Int shared: Int @shareable }"),
    ]);
    assert_snapshot!(explain(&planner, "{ shared two three }"), @r"
    1 fetch in 1 stage
    0: b
       query { shared two three }
    ");
}

#[test]
fn mutations_run_one_after_the_other_with_all_that_follows_from_each() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { q: Int } type Mutation { one: Item two: Item plain: Int }
               type Item @key(fields: "id") { id: ID! }"#,
        ),
        ("b", r#"type Mutation { other: Int } type Item @key(fields: "id") { id: ID! name: String }"#),
        ("c", r#"type Item @key(fields: "id") { id: ID! size: Int }"#),
    ]);
    let document = "mutation { one { name size } again: plain two { id } other last: plain }";
    assert_snapshot!(explain(&planner, document), @r"
    6 fetches in 5 stages
    0: a
       mutation { one { id } }
    1: b after 0
       at one Item by { id }
       _entities { ... on Item { name } }
    2: c after 0
       at one Item by { id }
       _entities { ... on Item { size } }
    3: a after 1, 2
       mutation { again: plain two { id } }
    4: b after 3
       mutation { other }
    5: a after 4
       mutation { last: plain }
    ");
}

#[test]
fn mutations_of_one_subgraph_that_need_nothing_else_go_in_one_request() {
    let planner = planner_of(&[("a", "type Query { q: Int } type Mutation { one: Int two: Int }")]);
    assert_snapshot!(explain(&planner, "mutation { two one again: two }"), @r"
    1 fetch in 1 stage
    0: a
       mutation { two one again: two }
    ");
}

#[test]
fn a_subscription_is_a_stream_and_what_follows_each_event() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { q: Int } type Subscription { changed: Item } type Item @key(fields: "id") { id: ID! }"#,
        ),
        ("b", r#"type Item @key(fields: "id") { id: ID! name: String }"#),
    ]);
    assert_snapshot!(explain(&planner, "subscription { changed { name } }"), @r"
    2 fetches in 2 stages
    0: a
       subscription { changed { id } }
    1: b after 0
       at changed Item by { id }
       _entities { ... on Item { name } }
    ");
}

#[test]
fn introspection_is_left_to_the_engine() {
    let planner = planner_of(&[("a", "type Query { q: Int item: Item } type Item { id: ID }")]);
    let plan = plan(&planner, "{ __typename __schema { types { name } } __type(name: \"Query\") { name } }");
    assert!(plan.fetches.is_empty());
    assert_eq!(plan.selection.len(), 3);
    assert_eq!(plan.selection[1].selection[0].selection[0].response_key, "name");
    assert_snapshot!(explain(&planner, "{ q __schema { types { name } } item { __typename } }"), @r"
    1 fetch in 1 stage
    0: a
       query { q item { __typename } }
    ");
}

#[test]
fn a_query_type_below_the_root_is_entered_without_a_key() {
    let planner = planner_of(&[
        ("a", "type Query { q: Int } type Mutation { act: Payload } type Payload { query: Query }"),
        ("b", "type Query { b: Int }"),
    ]);
    assert_snapshot!(explain(&planner, "mutation { act { query { q b } } }"), @r"
    2 fetches in 2 stages
    0: a
       mutation { act { query { q } } }
    1: b after 0
       at act.query
       query { b }
    ");
}
