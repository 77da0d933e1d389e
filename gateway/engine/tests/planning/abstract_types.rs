//! Interfaces and unions: what is asked for all types at once, and what for each.

use insta::assert_snapshot;

use super::{explain, planner_of};

const MEDIA_A: &str = r#"
    type Query { media: [Media!]! either: Either }
    interface Media { id: ID! title: String }
    type Book implements Media @key(fields: "id") { id: ID! title: String pages: Int }
    type Film implements Media @key(fields: "id") { id: ID! title: String @external minutes: Int }
    union Either = Book | Film
"#;
const MEDIA_B: &str = r#"
    type Book @key(fields: "id") { id: ID! price: Int }
    type Film @key(fields: "id") { id: ID! price: Int title: String }
"#;

#[test]
fn fields_that_the_subgraph_serves_for_all_types_are_asked_on_the_interface() {
    let planner = planner_of(&[
        ("a", "type Query { media: [Media!]! } interface Media { id: ID! maker: Maker } type Maker @key(fields: \"id\") { id: ID! }
               type Book implements Media { id: ID! maker: Maker } type Film implements Media { id: ID! maker: Maker length: Int }"),
        ("b", "type Maker @key(fields: \"id\") { id: ID! name: String }"),
    ]);
    let document = "{ media { id maker { name } ... on Film { length maker { id } } } }";
    assert_snapshot!(explain(&planner, document), @r"
    2 fetches in 2 stages
    0: a
       query { media { __typename id ... on Book { maker { id } } ... on Film { maker { id } length } } }
    1: b after 0
       at media[]<Book>.maker Maker by { id }
       at media[]<Film>.maker Maker by { id }
       _entities { ... on Maker { name } }
    ");
}

#[test]
fn fields_that_only_some_types_have_here_are_split_by_type() {
    let planner = planner_of(&[("a", MEDIA_A), ("b", MEDIA_B)]);
    assert_snapshot!(explain(&planner, "{ media { title ... on Book { price } } }"), @r"
    2 fetches in 2 stages
    0: a
       query { media { __typename ... on Book { title id } ... on Film { id } } }
    1: b after 0
       at media[]<Book> Book by { id }
       at media[]<Film> Film by { id }
       _entities { ... on Book { price } ... on Film { title } }
    ");
}

#[test]
fn a_union_is_split_by_type_and_fragments_that_cannot_match_are_dropped() {
    let planner = planner_of(&[("a", MEDIA_A), ("b", MEDIA_B)]);
    let document =
        "{ either { __typename ... on Media { id } ... on Film { price ... on Media { title } } } }";
    assert_snapshot!(explain(&planner, document), @r"
    2 fetches in 2 stages
    0: a
       query { either { __typename ... on Book { id } ... on Film { id } } }
    1: b after 0
       at either<Film> Film by { id }
       _entities { ... on Film { price title } }
    ");
}

#[test]
fn any_node_is_found_by_a_stub_and_filled_by_the_owners_of_the_types_asked_for() {
    let planner = planner_of(&[
        (
            "node",
            r#"type Query { node(id: ID!): Node nodes(ids: [ID!]!): [Node]! }
               interface Node { id: ID! }
               type Book implements Node @key(fields: "id", resolvable: false) { id: ID! }
               type Film implements Node @key(fields: "id", resolvable: false) { id: ID! }
               type User implements Node @key(fields: "id", resolvable: false) { id: ID! }"#,
        ),
        (
            "books",
            r#"interface Node { id: ID! } type Book implements Node @key(fields: "id") { id: ID! title: String author: User } type User @key(fields: "id", resolvable: false) { id: ID! }"#,
        ),
        (
            "users",
            r#"interface Node { id: ID! } type User implements Node @key(fields: "id") { id: ID! name: String }"#,
        ),
    ]);
    let document = "query ($id: ID!) { node(id: $id) { id ... on Book { title author { name } } ... on User { name } } }";
    assert_snapshot!(explain(&planner, document), @r"
    4 fetches in 3 stages
    0: node
       query { node(id: $id) { __typename id } }
    1: books after 0
       at node<Book> Book by { id }
       _entities { ... on Book { title author { id } } }
    2: users after 0
       at node<User> User by { id }
       _entities { ... on User { name } }
    3: users after 1
       at node<Book>.author User by { id }
       _entities { ... on User { name } }
    ");
    assert_snapshot!(explain(&planner, "query ($id: ID!) { node(id: $id) { __typename } }"), @r"
    1 fetch in 1 stage
    0: node
       query { node(id: $id) { __typename } }
    ");
}

#[test]
fn keys_of_different_types_that_clash_in_the_subgraph_are_renamed() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { either: Either } union Either = Book | Film
               type Book @shareable { size: String! } type Film { length: String }"#,
        ),
        ("b", "type Query { b: Int } type Book @shareable { size: String }"),
    ]);
    assert_snapshot!(explain(&planner, "{ either { ... on Book { x: size } ... on Film { x: length } } }"), @r"
    1 fetch in 1 stage
    0: a
       query { either { __typename ... on Book { x: size } ... on Film { x__1: length } } }
    ");
}

#[test]
fn a_field_of_another_subgraph_below_a_shared_list_is_found_by_its_path() {
    let planner = planner_of(&[
        (
            "a",
            r#"type Query { groups: [[Group!]!]! } 
               type Group { members: [Member!] } union Member = Person | Robot
               type Person @key(fields: "id") { id: ID! } type Robot { serial: Int }"#,
        ),
        ("b", r#"type Person @key(fields: "id") { id: ID! name: String }"#),
    ]);
    assert_snapshot!(explain(&planner, "{ groups { members { ... on Person { name } } } }"), @r"
    2 fetches in 2 stages
    0: a
       query { groups { members { __typename ... on Person { id } } } }
    1: b after 0
       at groups[][].members[]<Person> Person by { id }
       _entities { ... on Person { name } }
    ");
}

#[test]
fn an_interface_object_adds_fields_to_every_implementation() {
    let planner = planner_of(&[
        (
            "media",
            r#"type Query { media: [Media!]! }
               interface Media @key(fields: "id") { id: ID! title: String }
               type Book implements Media @key(fields: "id") { id: ID! title: String }
               type Film implements Media @key(fields: "id") { id: ID! title: String }"#,
        ),
        ("stars", r#"type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int }"#),
    ]);
    assert_snapshot!(explain(&planner, "{ media { title stars ... on Film { more: stars } } }"), @r"
    2 fetches in 2 stages
    0: media
       query { media { __typename title ... on Book { id } ... on Film { id } } }
    1: stars after 0
       at media[]<Book> Media by { id }
       _e0 { ... on Media { stars } }
       at media[]<Film> Media by { id }
       _e1 { ... on Media { stars more: stars } }
    ");
}

#[test]
fn the_type_of_what_an_interface_object_finds_first_is_asked_of_another_where_it_matters() {
    let planner = planner_of(&[
        (
            "media",
            r#"type Query { q: Int }
               interface Media @key(fields: "id") { id: ID! title: String }
               type Book implements Media @key(fields: "id") { id: ID! title: String pages: Int }
               type Film implements Media @key(fields: "id") { id: ID! title: String @external }"#,
        ),
        (
            "stars",
            r#"type Query { best: Media } type Media @key(fields: "id") @interfaceObject { id: ID! stars: Int }"#,
        ),
        ("films", r#"type Film @key(fields: "id") { id: ID! title: String }"#),
    ]);
    assert_snapshot!(explain(&planner, "{ best { stars id } }"), @r"
    1 fetch in 1 stage
    0: stars
       query { best { stars id } }
    ");
    assert_snapshot!(explain(&planner, "{ best { __typename stars } }"), @r"
    2 fetches in 2 stages
    0: stars
       query { best { stars id } }
    1: media after 0
       at best Media by { id }
       _entities { ... on Media { __typename } }
    ");
    assert_snapshot!(explain(&planner, "{ best { title stars ... on Book { pages } } }"), @r"
    3 fetches in 3 stages
    0: stars
       query { best { stars id } }
    1: media after 0
       at best Media by { id }
       _entities { ... on Media { __typename ... on Book { title pages } ... on Film { id } } }
    2: films after 1
       at best<Film> Film by { id }
       _entities { ... on Film { title } }
    ");
}
