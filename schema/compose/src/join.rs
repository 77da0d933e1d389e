//! Directives of the join specification, as the supergraph carries them.

use apollo_compiler::ast::{Argument, Directive, Value};
use apollo_compiler::{Name, Node, name};

/// A directive being put together.
pub(crate) struct Application(Directive);

impl Application {
    pub fn new(name: Name) -> Self {
        Self(Directive { name, arguments: Vec::new() })
    }

    pub fn graph(self, graph: &Name) -> Self {
        self.with(name!("graph"), Value::Enum(graph.clone()))
    }

    pub fn text(self, argument: Name, text: &str) -> Self {
        self.with(argument, Value::String(text.to_owned()))
    }

    pub fn maybe_text(self, argument: Name, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(argument, text),
            None => self,
        }
    }

    pub fn flag(self, argument: Name, value: bool) -> Self {
        self.with(argument, Value::Boolean(value))
    }

    pub fn with(mut self, argument: Name, value: Value) -> Self {
        self.0.arguments.push(Node::new(Argument { name: argument, value: Node::new(value) }));
        self
    }

    pub fn done(self) -> Node<Directive> {
        Node::new(self.0)
    }
}

/// `@join__type`, for one key or for none.
pub(crate) fn join_type(graph: &Name) -> Application {
    Application::new(name!("join__type")).graph(graph)
}

pub(crate) fn join_implements(graph: &Name, interface: &Name) -> Node<Directive> {
    Application::new(name!("join__implements")).graph(graph).text(name!("interface"), interface).done()
}

pub(crate) fn join_union_member(graph: &Name, member: &Name) -> Node<Directive> {
    Application::new(name!("join__unionMember")).graph(graph).text(name!("member"), member).done()
}

pub(crate) fn join_enum_value(graph: &Name) -> Node<Directive> {
    Application::new(name!("join__enumValue")).graph(graph).done()
}

/// `@join__field` of a graph, open for the arguments that apply.
pub(crate) fn join_field(graph: &Name) -> Application {
    Application::new(name!("join__field")).graph(graph)
}

/// `@join__field` without a graph: the field is there, but only an interface object serves it.
pub(crate) fn join_field_anywhere() -> Node<Directive> {
    Application::new(name!("join__field")).done()
}

/// The value in `enum join__Graph` of each subgraph, in the order given.
pub(crate) fn graph_names<'a>(subgraphs: impl Iterator<Item = &'a str>) -> Vec<Name> {
    let wanted: Vec<String> = subgraphs.map(enum_value).collect();
    let mut seen: Vec<&String> = Vec::new();
    let distinct = wanted.iter().map(|value| {
        seen.push(value);
        let nth = seen.iter().filter(|other| **other == value).count();
        let shared = wanted.iter().filter(|other| *other == value).count() > 1;
        if shared { format!("{value}_{nth}") } else { value.clone() }
    });
    distinct.map(|value| Name::new(&value).expect("made of letters, digits and underscores")).collect()
}

/// `my-shop.v2` → `MY_SHOP_V2`.
fn enum_value(subgraph: &str) -> String {
    let mut value: String = subgraph
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' })
        .collect();
    if value.chars().next().is_none_or(|first| first.is_ascii_digit()) {
        value.insert(0, '_');
    }
    // A trailing number after an underscore is what distinguishes collisions.
    if value
        .rsplit_once('_')
        .is_some_and(|(_, tail)| !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()))
    {
        value.push('_');
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subgraph_names_become_distinct_enum_values() {
        let names = graph_names(["cart", "my-shop", "my_shop", "2nd", "a_1"].into_iter());
        let names: Vec<&str> = names.iter().map(Name::as_str).collect();
        assert_eq!(names, ["CART", "MY_SHOP_1", "MY_SHOP_2", "_2ND", "A_1_"]);
    }
}
