//! What we accept although Apollo's composer would not: the ways of code-first servers.

use compose::{Composition, Subgraph};

fn composed(sdl: &str) -> Composition {
    let subgraph = Subgraph { name: "a".to_owned(), url: "http://a".to_owned(), sdl: sdl.to_owned() };
    compose::compose(&[subgraph]).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn line<'a>(composition: &'a Composition, start: &str) -> &'a str {
    let found = composition.supergraph_sdl.lines().find(|line| line.trim_start().starts_with(start));
    found.unwrap_or_else(|| panic!("no line {start}")).trim_start()
}

#[test]
fn a_second_link_to_federation_adds_its_imports() {
    let composition = composed(
        r#"
        directive @authenticated on FIELD_DEFINITION
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key", "@composeDirective"])
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@authenticated"])
          @composeDirective(name: "@authenticated")
        type Query { me: String @authenticated }
        "#,
    );
    assert_eq!(line(&composition, "me:"), "me: String @authenticated");
    assert!(composition.supergraph_sdl.contains("https://specs.apollo.dev/authenticated/v0.1"));
}

#[test]
fn a_part_of_federation_may_be_linked_by_itself() {
    let composition = composed(
        r#"
        directive @requiresScopes(scopes: [[String!]!]!) on FIELD_DEFINITION
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@key"])
          @link(url: "https://specs.apollo.dev/requiresScopes/v0.1")
        type Query { stock: Int @requiresScopes(scopes: [["inventory:read"]]) }
        "#,
    );
    assert_eq!(line(&composition, "stock:"), r#"stock: Int @requiresScopes(scopes: [["inventory:read"]])"#);
}

#[test]
fn a_policy_needs_no_newer_version() {
    let composition = composed(
        r#"
        extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: ["@policy"])
        type Query { a: Int @policy(policies: [["p"]]) }
        "#,
    );
    assert_eq!(line(&composition, "a:"), r#"a: Int @policy(policies: [["p"]])"#);
}

#[test]
fn a_tag_may_have_another_name_in_each_subgraph() {
    let subgraph = |name: &str, import: &str, directive: &str| Subgraph {
        name: name.to_owned(),
        url: String::new(),
        sdl: format!(
            r#"extend schema @link(url: "https://specs.apollo.dev/federation/v2.5", import: [{import}])
            type Query {{ {name}: Int @{directive}(name: "{name}") }}"#
        ),
    };
    let subgraphs = [
        subgraph("x", r#"{ name: "@tag", as: "@label" }"#, "label"),
        subgraph("y", r#""@key""#, "federation__tag"),
    ];
    let composition = compose::compose(&subgraphs).unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(line(&composition, "x:"), r#"x: Int @join__field(graph: X) @tag(name: "x")"#);
    assert_eq!(line(&composition, "y:"), r#"y: Int @join__field(graph: Y) @tag(name: "y")"#);
}
