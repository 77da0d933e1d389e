//! Keys, requirements, provided and shared fields: what is fetched from where, with which representation.

use engine::plan::{FetchKind, PlanOptions};
use insta::assert_snapshot;

use super::{explain, plan, planner_of, try_plan};

#[test]
fn the_key_that_is_at_hand_is_used_and_others_are_fetched_on_the_way() {
    let planner = planner_of(&[
        ("a", r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#),
        ("b", r#"type Item @key(fields: "id") @key(fields: "sku") { id: ID! sku: String! }"#),
        ("c", r#"type Item @key(fields: "sku") { sku: String! price: Int }"#),
    ]);
    assert_snapshot!(explain(&planner, "{ item { price } }"), @r"
    3 fetches in 3 stages
    0: a
       query { item { id } }
    1: b after 0
       at item Item by { id }
       _entities { ... on Item { sku } }
    2: c after 1
       at item Item by { sku }
       _entities { ... on Item { price } }
    ");
}

#[test]
fn composite_and_nested_keys_are_sent_whole() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { seat: Seat }
               type Seat @key(fields: "row number hall { house { id } }") { row: Int! number: Int! hall: Hall! }
               type Hall @shareable { house: House! } type House @shareable { id: ID! }"#,
        ),
        (
            "b",
            r#"type Seat @key(fields: "row number hall { house { id } }") { row: Int! number: Int! hall: Hall! free: Boolean }
               type Hall @shareable { house: House! } type House @shareable { id: ID! }"#,
        ),
    ]);
    assert_snapshot!(explain(&planner, "{ seat { row free } }"), @r"
    2 fetches in 2 stages
    0: a
       query { seat { row number hall { house { id } } } }
    1: b after 0
       at seat Seat by { row number hall { house { id } } }
       _entities { ... on Seat { free } }
    ");
}

#[test]
fn a_subgraph_that_does_not_resolve_a_key_is_not_entered_by_it() {
    let planner = planner_of(&[
        ("a", r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#),
        (
            "b",
            r#"type Query { best: Item } type Item @key(fields: "id", resolvable: false) { id: ID! rank: Int @shareable }"#,
        ),
        ("c", r#"type Item @key(fields: "id") { id: ID! rank: Int @shareable }"#),
    ]);
    assert_snapshot!(explain(&planner, "{ item { rank } best { rank } }"), @r"
    3 fetches in 2 stages
    0: a
       query { item { id } }
    1: b
       query { best { rank } }
    2: c after 0
       at item Item by { id }
       _entities { ... on Item { rank } }
    ");
}

#[test]
fn a_requirement_is_fetched_first_and_sent_along_with_its_arguments() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { item: Item }
               type Item @key(fields: "id") { id: ID! price(currency: String): Price size: Size } 
               type Price { amount: Int tax: Int } type Size { weight: Int width: Int }"#,
        ),
        (
            "b",
            r#"type Item @key(fields: "id") {
                 id: ID! price(currency: String): Price @external size: Size @external
                 shipping: Int @requires(fields: "price(currency: \"EUR\") { amount } size { weight }")
                 other: Int
               }
               type Price @external { amount: Int } type Size @external { weight: Int }"#,
        ),
    ]);
    assert_snapshot!(explain(&planner, r#"{ item { price(currency: "USD") { tax } size { width } shipping other } }"#), @r#"
    2 fetches in 2 stages
    0: a
       query { item { price(currency: "USD") { tax } size { width weight } id _k_price: price(currency: "EUR") { amount } } }
    1: b after 0
       at item Item by { id price from _k_price { amount } size { weight } }
       _entities { ... on Item { shipping other } }
    "#);
}

#[test]
fn a_requirement_is_fetched_also_when_its_subgraph_is_where_we_are() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { item: Item }
               type Item @key(fields: "id") { id: ID! weight: Int @external shipping: Int @requires(fields: "weight") plain: Int }"#,
        ),
        ("b", r#"type Item @key(fields: "id") { id: ID! weight: Int }"#),
    ]);
    assert_snapshot!(explain(&planner, "{ item { shipping plain } }"), @r"
    3 fetches in 3 stages
    0: a
       query { item { plain id } }
    1: b after 0
       at item Item by { id }
       _entities { ... on Item { weight } }
    2: a after 1
       at item Item by { id weight }
       _entities { ... on Item { shipping } }
    ");
}

#[test]
fn requirements_upon_requirements_are_met_in_turn() {
    let planner = planner_of(&[
        ("a", r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! base: Int }"#),
        (
            "b",
            r#"type Item @key(fields: "id") { id: ID! base: Int @external net: Int @requires(fields: "base") }"#,
        ),
        (
            "c",
            r#"type Item @key(fields: "id") { id: ID! net: Int @external gross: Int @requires(fields: "net") }"#,
        ),
    ]);
    assert_snapshot!(explain(&planner, "{ item { gross } }"), @r"
    3 fetches in 3 stages
    0: a
       query { item { id base } }
    1: b after 0
       at item Item by { id base }
       _entities { ... on Item { net } }
    2: c after 1
       at item Item by { id net }
       _entities { ... on Item { gross } }
    ");
}

#[test]
fn provided_fields_are_taken_where_they_are_provided_and_only_there() {
    let planner = planner_of(&[
        (
            "reviews",
            r#"type Query { best: Review @provides(fields: "author { name }") latest: Review }
               type Review { author: User! } 
               type User @key(fields: "id") { id: ID! name: String @external }"#,
        ),
        ("users", r#"type User @key(fields: "id") { id: ID! name: String @shareable mail: String }"#),
    ]);
    assert_snapshot!(explain(&planner, "{ best { author { name } } }"), @r"
    1 fetch in 1 stage
    0: reviews
       query { best { author { name } } }
    ");
    assert_snapshot!(explain(&planner, "{ latest { author { name } } }"), @r"
    2 fetches in 2 stages
    0: reviews
       query { latest { author { id } } }
    1: users after 0
       at latest.author User by { id }
       _entities { ... on User { name } }
    ");
}

#[test]
fn shared_fields_are_taken_where_most_else_is() {
    let planner = planner_of(&[
        ("a", r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#),
        ("b", r#"type Item @key(fields: "id") { id: ID! name: String @shareable own: Int }"#),
        ("c", r#"type Item @key(fields: "id") { id: ID! name: String @shareable }"#),
        ("d", r#"type Item @key(fields: "id") { id: ID! name: String @shareable also: Int }"#),
    ]);
    assert_snapshot!(explain(&planner, "{ item { name own } }"), @r"
    2 fetches in 2 stages
    0: a
       query { item { id } }
    1: b after 0
       at item Item by { id }
       _entities { ... on Item { name own } }
    ");
    assert_snapshot!(explain(&planner, "{ item { also name } }"), @r"
    2 fetches in 2 stages
    0: a
       query { item { id } }
    1: d after 0
       at item Item by { id }
       _entities { ... on Item { also name } }
    ");
}

#[test]
fn a_shared_value_that_no_subgraph_has_whole_is_put_together() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! place: Place @shareable } type Place { x: Int @shareable left: Int }"#,
        ),
        (
            "b",
            r#"type Item @key(fields: "id") { id: ID! place: Place @shareable } type Place { x: Int @shareable right: Int }"#,
        ),
    ]);
    assert_snapshot!(explain(&planner, "{ item { place { left x right } } }"), @r"
    2 fetches in 2 stages
    0: a
       query { item { place { left x } id } }
    1: b after 0
       at item Item by { id }
       _entities { ... on Item { place { right } } }
    ");
}

#[test]
fn an_overridden_field_is_left_to_who_took_it() {
    let planner = planner_of(&[
        ("a", r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! stock: Int }"#),
        ("b", r#"type Item @key(fields: "id") { id: ID! stock: Int @override(from: "a") }"#),
    ]);
    assert_snapshot!(explain(&planner, "{ item { stock } }"), @r"
    2 fetches in 2 stages
    0: a
       query { item { id } }
    1: b after 0
       at item Item by { id }
       _entities { ... on Item { stock } }
    ");
}

#[test]
fn helper_fields_get_names_that_no_client_key_has() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { item: Item }
               type Item @key(fields: "id") { id: ID! sku: String weight(unit: String): Int }"#,
        ),
        (
            "b",
            r#"type Item @key(fields: "id") { id: ID! weight(unit: String): Int @external
                 light: Int @requires(fields: "weight(unit: \"g\")")
                 heavy: Int @requires(fields: "weight(unit: \"t\")") }"#,
        ),
    ]);
    assert_snapshot!(explain(&planner, r#"{ item { id: sku weight: sku _k_weight: sku light heavy } }"#), @r#"
    2 fetches in 2 stages
    0: a
       query { item { id: sku weight: sku _k_weight: sku _kk_id: id _kk_weight: weight(unit: "g") _kk_1_weight: weight(unit: "t") } }
    1: b after 0
       at item Item by { id from _kk_id weight from _kk_weight }
       _e0 { ... on Item { light } }
       at item Item by { id from _kk_id weight from _kk_1_weight }
       _e1 { ... on Item { heavy } }
    "#);
}

#[test]
fn entities_of_one_subgraph_and_stage_share_a_request_and_equal_selections_an_alias() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { first: Item second: Item third: Item person: Person }
               type Item @key(fields: "id") { id: ID! } type Person @key(fields: "id") { id: ID! }"#,
        ),
        (
            "b",
            r#"type Item @key(fields: "id") { id: ID! name: String size: Int }
               type Person @key(fields: "id") { id: ID! name: String }"#,
        ),
    ]);
    let document = "{ first { name } second { name } third { size } person { name } }";
    assert_snapshot!(explain(&planner, document), @r"
    2 fetches in 2 stages
    0: a
       query { first { id } second { id } third { id } person { id } }
    1: b after 0
       at first Item by { id }
       at second Item by { id }
       at person Person by { id }
       _e0 { ... on Item { name } ... on Person { name } }
       at third Item by { id }
       _e1 { ... on Item { size } }
    ");
}

#[test]
fn variables_of_the_client_keep_their_names_and_representations_get_others() {
    let planner = planner_of(&[
        ("a", r#"type Query { item(id: ID): Item } type Item @key(fields: "id") { id: ID! }"#),
        (
            "b",
            r#"type Item @key(fields: "id") { id: ID! name(in: String, as: [In]): String } input In { style: String }"#,
        ),
    ]);
    let plan = plan(
        &planner,
        "query ($representations: String, $id: ID, $style: String) {
           item(id: $id) { name(in: $representations, as: [{ style: $style }]) } 
           again: item @skip(if: true) { name(in: \"\") } __typename @include(if: false) }",
    );
    assert_eq!(plan.fetches[0].variables, ["id"]);
    assert_eq!(plan.fetches[1].variables, ["representations", "style"]);
    match &plan.fetches[1].kind {
        FetchKind::Entities { groups } => assert_eq!(groups[0].variable, "representations_"),
        FetchKind::Root { .. } => panic!("the second fetch is for entities"),
    }
}

#[test]
fn equal_documents_give_equal_plans() {
    let planner = planner_of(&[
        ("a", r#"type Query { item: Item } type Item @key(fields: "id") { id: ID! }"#),
        ("b", r#"type Item @key(fields: "id") { id: ID! name: String @shareable b: Int }"#),
        ("c", r#"type Item @key(fields: "id") { id: ID! name: String @shareable c: Int }"#),
    ]);
    let texts: Vec<String> = (0..8).map(|_| explain(&planner, "{ item { name c b } }")).collect();
    assert!(texts.iter().all(|text| *text == texts[0]));
}

#[test]
fn a_progressive_override_holds_for_requests_with_its_label() {
    let planner = super::planner(PROGRESSIVE);
    assert_snapshot!(explain(&planner, "{ item { stock } }"), @r"
    1 fetch in 1 stage
    0: a
       query { item { stock } }
    ");
    let options = PlanOptions { override_labels: ["half".to_owned()].into(), ..PlanOptions::default() };
    let plan = try_plan(&planner, "{ item { stock } }", &options).expect("there is a plan");
    assert_snapshot!(plan.explain(planner.supergraph()), @r"
    2 fetches in 2 stages
    0: a
       query { item { id } }
    1: b after 0
       at item Item by { id }
       _entities { ... on Item { stock } }
    ");
}

const PROGRESSIVE: &str = r#"
    schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) { query: Query }
    directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
    directive @join__graph(name: String!, url: String!) on ENUM_VALUE
    directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT
    directive @join__field(graph: join__Graph, override: String, overrideLabel: String) repeatable on FIELD_DEFINITION
    scalar join__FieldSet
    scalar link__Import
    enum link__Purpose { SECURITY EXECUTION }
    enum join__Graph { A @join__graph(name: "a", url: "") B @join__graph(name: "b", url: "") }
    type Query @join__type(graph: A) @join__type(graph: B) { item: Item @join__field(graph: A) }
    type Item @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") {
      id: ID!
      stock: Int @join__field(graph: A, overrideLabel: "half") @join__field(graph: B, override: "a", overrideLabel: "half")
    }
"#;
