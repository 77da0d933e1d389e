//! Reads the shop's supergraph, as another composer wrote it.

use supergraph::{Supergraph, TypeKind};

const SHOP: &str = include_str!("fixtures/shop.graphql");

fn shop() -> Supergraph {
    Supergraph::parse(SHOP).expect("the shop's supergraph is valid")
}

#[test]
fn subgraphs_keep_their_names_and_urls() {
    let shop = shop();
    let names: Vec<&str> = shop.subgraphs().iter().map(|subgraph| subgraph.name.as_str()).collect();
    assert_eq!(
        names,
        ["cart", "inventory", "node", "notifications", "orders", "payments", "products", "search", "users"]
    );
    assert_eq!(shop.subgraph_named("cart").map(|it| it.url.as_str()), Some("http://cart.internal/graphql"));
}

#[test]
fn a_field_knows_which_subgraph_resolves_it_and_what_it_requires() {
    let shop = shop();
    let variant = shop.type_named("ProductVariant").expect("the shop sells variants");
    let buyer_price = shop.field_named(variant.id, "buyerPrice").expect("variants have a buyer's price");
    let cart = shop.subgraph_named("cart").expect("there is a cart").id;

    assert_eq!(buyer_price.joins.len(), 1);
    let join = buyer_price.join(cart).expect("the cart prices for the buyer");
    let requires = join.requires.as_ref().map(ToString::to_string);
    assert_eq!(requires.as_deref(), Some("listPrice { amountMinor currency } taxClass"));

    let list_price = shop.field_named(variant.id, "listPrice").expect("variants have a list price");
    assert!(list_price.join(cart).is_some_and(|join| join.external));
}

#[test]
fn keys_say_whether_the_subgraph_resolves_them() {
    let shop = shop();
    let product = shop.type_named("Product").expect("the shop sells products");
    let keys = |subgraph: &str| {
        let id = shop.subgraph_named(subgraph).expect("known subgraph").id;
        let keys = product.join(id).map(|join| join.keys.clone()).unwrap_or_default();
        keys.iter().map(|key| (key.selection.to_string(), key.resolvable)).collect::<Vec<_>>()
    };
    assert_eq!(keys("products"), [("id".to_owned(), true), ("slug".to_owned(), true)]);
    assert_eq!(keys("node"), [("id".to_owned(), false)]);
    assert_eq!(keys("users"), []);
}

#[test]
fn abstract_types_know_their_possible_types_in_all_and_in_each_subgraph() {
    let shop = shop();
    let node = shop.type_named("Node").expect("there is Node");
    assert_eq!(node.kind, TypeKind::Interface);
    let names =
        |ids: &[supergraph::TypeId]| ids.iter().map(|id| shop.ty(*id).name.to_string()).collect::<Vec<_>>();
    assert!(names(&node.possible).contains(&"Address".to_owned()));
    let stub = shop.subgraph_named("node").expect("there is the node subgraph").id;
    let mut stubs = names(&node.join(stub).expect("it has Node").possible);
    stubs.sort();
    assert_eq!(stubs, ["Cart", "Order", "Payment", "Product", "ProductVariant", "User"]);
}

#[test]
fn a_field_demands_the_scopes_of_its_directives() {
    let shop = shop();
    let variant = shop.type_named("ProductVariant").expect("the shop sells variants");
    let stock = shop.field_named(variant.id, "stockLevels").expect("variants have stock levels");
    assert!(!stock.authorization.is_open());
    assert!(stock.authorization.admits(true, |scope| scope == "inventory:read", |_| false));
    assert!(!stock.authorization.admits(true, |scope| scope == "orders:read", |_| false));
}

#[test]
fn the_api_schema_shows_nothing_of_the_machinery() {
    let api = shop().api_schema().to_string();
    for machinery in
        ["join__", "link__", "@link", "@requiresScopes", "@authenticated", "scalar requiresScopes"]
    {
        assert!(!api.contains(machinery), "{machinery} is visible");
    }
    assert!(api.contains("buyerPrice(quantity: Int = 1): BuyerPrice\n"));
}

#[test]
fn inaccessible_parts_are_known_to_the_engine_but_hidden_from_clients() {
    let sdl = r#"
        schema
          @link(url: "https://specs.apollo.dev/link/v1.0")
          @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION)
          @link(url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY) { query: Query }
        directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
        directive @join__graph(name: String!, url: String!) on ENUM_VALUE
        directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on OBJECT | ENUM
        directive @inaccessible on FIELD_DEFINITION | OBJECT | ENUM_VALUE | ARGUMENT_DEFINITION
        scalar join__FieldSet
        scalar link__Import
        enum link__Purpose { SECURITY EXECUTION }
        enum join__Graph { A @join__graph(name: "a", url: "") }
        type Query @join__type(graph: A) {
          shown(secretly: Int @inaccessible): Colour
          hidden: Int @inaccessible
          secret: Secret
        }
        type Secret @join__type(graph: A, key: "id") @inaccessible { id: ID! @deprecated(reason: "why not") }
        enum Colour @join__type(graph: A) { RED @deprecated(reason: "faded") GREEN @inaccessible }
    "#;
    let supergraph = Supergraph::parse(sdl).expect("the supergraph is valid");
    assert!(supergraph.type_named("Secret").is_some_and(|secret| secret.inaccessible));
    let api = supergraph.api_schema().to_string();
    assert_eq!(
        api,
        "type Query {\n  shown: Colour\n}\n\nenum Colour {\n  RED @deprecated(reason: \"faded\")\n}\n"
    );
}

#[test]
fn what_is_no_supergraph_is_refused_with_the_reason() {
    let refusal = |sdl: &str| Supergraph::parse(sdl).expect_err("it is no supergraph").to_string();
    assert!(refusal("type Query { a: Int }").contains("join__Graph is missing"));
    assert!(refusal("type Query { a: Missing }").contains("Missing"));
    let unknown = SHOP.replacen(
        "join/v0.3\", for: EXECUTION",
        "join/v0.3\", for: EXECUTION) @link(url: \"https://example.com/warp/v1.0\", for: EXECUTION",
        1,
    );
    assert!(refusal(&unknown).contains("warp/v1.0"));
}
