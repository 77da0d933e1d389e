//! What can be reached from where.

use supergraph::query_graph::{Entry, NodeId, OverrideState, QueryGraph};
use supergraph::{Supergraph, TypeId};

/// Reviews provide the name of an author only with the best review, stars stand for all media, and stock
/// moves from one subgraph to the other request by request.
const SDL: &str = r#"
    schema
      @link(url: "https://specs.apollo.dev/link/v1.0")
      @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION) { query: Query }
    directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
    directive @join__graph(name: String!, url: String!) on ENUM_VALUE
    directive @join__type(graph: join__Graph!, key: join__FieldSet, resolvable: Boolean, isInterfaceObject: Boolean) repeatable on OBJECT | INTERFACE
    directive @join__field(graph: join__Graph, requires: join__FieldSet, provides: join__FieldSet, external: Boolean, override: String, overrideLabel: String) repeatable on FIELD_DEFINITION
    directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT
    scalar join__FieldSet
    scalar link__Import
    enum link__Purpose { SECURITY EXECUTION }
    enum join__Graph {
      MEDIA @join__graph(name: "media", url: "")
      STARS @join__graph(name: "stars", url: "")
      USERS @join__graph(name: "users", url: "")
    }
    type Query @join__type(graph: MEDIA) @join__type(graph: STARS) @join__type(graph: USERS) {
      best: Review @join__field(graph: MEDIA, provides: "author { name }")
      latest: Review @join__field(graph: MEDIA)
      shelf: Media @join__field(graph: MEDIA)
    }
    type Review @join__type(graph: MEDIA) { author: User! }
    type User @join__type(graph: MEDIA, key: "id", resolvable: false) @join__type(graph: USERS, key: "id") {
      id: ID!
      name: String @join__field(graph: MEDIA, external: true) @join__field(graph: USERS)
      greeting: String @join__field(graph: USERS, requires: "name")
    }
    interface Media
      @join__type(graph: MEDIA, key: "id")
      @join__type(graph: STARS, key: "id", isInterfaceObject: true) {
      id: ID!
      stars: Int @join__field(graph: STARS)
    }
    type Book implements Media @join__type(graph: MEDIA, key: "id") @join__implements(graph: MEDIA, interface: "Media") {
      id: ID!
      stars: Int @join__field
      stock: Int @join__field(graph: MEDIA, override: "stars", overrideLabel: "half")
    }
"#;

struct Walk {
    supergraph: Supergraph,
    graph: QueryGraph,
}

impl Walk {
    fn new() -> Walk {
        let supergraph = Supergraph::parse(SDL).expect("the supergraph is valid");
        let graph = QueryGraph::new(&supergraph);
        Walk { supergraph, graph }
    }

    fn ty(&self, name: &str) -> TypeId {
        self.supergraph.type_named(name).expect("the type exists").id
    }

    fn node(&self, subgraph: &str, ty: &str) -> NodeId {
        let subgraph = self.supergraph.subgraph_named(subgraph).expect("the subgraph exists").id;
        self.graph.node_of(subgraph, self.ty(ty)).expect("the subgraph has the type")
    }

    /// Where a field leads from a node, if it is resolved there.
    fn step(&self, node: NodeId, field: &str) -> Option<NodeId> {
        let field = self.supergraph.field_named(self.graph.node(node).ty, field).expect("the field exists");
        self.graph.field(node, field.id).map(|edge| edge.to.unwrap_or(node))
    }

    fn entries(&self, ty: &str) -> Vec<(String, String)> {
        let entry = |entry: &Entry| {
            let subgraph = self.supergraph.subgraph(entry.subgraph).name.clone();
            let node = &self.supergraph.ty(self.graph.node(entry.node).ty).name;
            (
                subgraph,
                format!("{node} by {}", entry.key.as_ref().map_or("nothing".into(), ToString::to_string)),
            )
        };
        self.graph.entries(self.ty(ty)).iter().map(entry).collect()
    }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(left, right)| (left.to_string(), right.to_string())).collect()
}

#[test]
fn a_provided_field_is_resolved_where_it_is_provided_and_nowhere_else() {
    let walk = Walk::new();
    let root = walk.node("media", "Query");
    let author_of = |field: &str| {
        let review = walk.step(root, field).expect("media has reviews");
        walk.step(review, "author").expect("reviews have authors")
    };
    assert!(walk.step(author_of("best"), "name").is_some());
    assert!(walk.step(author_of("latest"), "name").is_none());
    assert_eq!(author_of("latest"), walk.node("media", "User"));
    assert!(!walk.graph.node(author_of("best")).provided.is_empty());
}

#[test]
fn an_entity_is_entered_only_by_keys_that_are_resolved() {
    let walk = Walk::new();
    assert_eq!(walk.entries("User"), pairs(&[("users", "User by id")]));
    assert_eq!(walk.entries("Review"), []);
}

#[test]
fn a_query_type_is_entered_without_a_key() {
    let walk = Walk::new();
    let everywhere =
        [("media", "Query by nothing"), ("stars", "Query by nothing"), ("users", "Query by nothing")];
    assert_eq!(walk.entries("Query"), pairs(&everywhere));
}

#[test]
fn an_interface_object_is_entered_for_each_implementation() {
    let walk = Walk::new();
    assert_eq!(walk.entries("Book"), pairs(&[("media", "Book by id"), ("stars", "Media by id")]));
    assert!(walk.step(walk.node("stars", "Media"), "stars").is_some());
    assert!(walk.step(walk.node("media", "Book"), "stars").is_none());
}

#[test]
fn an_interface_goes_down_to_the_types_that_its_subgraph_has() {
    let walk = Walk::new();
    let media = walk.node("media", "Media");
    assert_eq!(walk.graph.downcasts(media), [(walk.ty("Book"), walk.node("media", "Book"))]);
    assert_eq!(walk.graph.downcast(media, walk.ty("User")), None);
    assert!(walk.graph.downcasts(walk.node("stars", "Media")).is_empty());
}

#[test]
fn an_edge_says_what_it_requires_and_for_which_requests_it_is_there() {
    let walk = Walk::new();
    let edge = |node: NodeId, field: &str| {
        let field = walk.supergraph.field_named(walk.graph.node(node).ty, field).expect("the field exists");
        walk.graph.field(node, field.id).expect("it is resolved").clone()
    };
    let greeting = edge(walk.node("users", "User"), "greeting");
    assert_eq!(greeting.requires.map(|set| set.to_string()).as_deref(), Some("name"));
    let stock = edge(walk.node("media", "Book"), "stock");
    assert_eq!(stock.only_if, Some(OverrideState { label: "half".to_owned(), is_set: true }));
}
