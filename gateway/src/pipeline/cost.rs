//! What an operation may make the subgraphs build: its cost, known before anything is fetched.
//!
//! An object costs one, a scalar nothing. What stands in a list counts once for each item: as many as the arguments
//! `first`, `last` or `limit` say, or as many as the longest list among the arguments has; where nothing says it, a size
//! is assumed. A page size given to a connection holds for the lists directly in it (`nodes`, `edges`). The operation
//! has been measured before, so following fragments takes bounded time.

use apollo_compiler::ast::Value;
use apollo_compiler::executable::{Field, Operation, Selection, SelectionSet};
use apollo_compiler::{ExecutableDocument, Name};
use serde_json::{Map, Value as Json};

const PAGE_SIZES: [&str; 3] = ["first", "last", "limit"];

/// The cost of an operation with these variables. Stops at the largest number instead of wrapping.
pub(crate) fn cost(
    document: &ExecutableDocument,
    operation: &Operation,
    variables: &Map<String, Json>,
    list_size: u64,
) -> u64 {
    Estimate { document, operation, variables, list_size }.set(&operation.selection_set, None)
}

struct Estimate<'a> {
    document: &'a ExecutableDocument,
    operation: &'a Operation,
    variables: &'a Map<String, Json>,
    list_size: u64,
}

impl Estimate<'_> {
    /// `page` is the page size of the connection whose fields these are.
    fn set(&self, set: &SelectionSet, page: Option<u64>) -> u64 {
        set.selections.iter().fold(0, |sum, selection| {
            let cost = match selection {
                Selection::Field(field) => self.field(field, page),
                Selection::InlineFragment(inline) => self.set(&inline.selection_set, page),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    fragment.map_or(0, |fragment| self.set(&fragment.selection_set, page))
                }
            };
            sum.saturating_add(cost)
        })
    }

    fn field(&self, field: &Field, page: Option<u64>) -> u64 {
        // Introspection asks no subgraph.
        if field.selection_set.selections.is_empty() || field.name.starts_with("__") {
            return 0;
        }
        let said = self.page_size(field);
        if field.definition.ty.is_list() {
            let items = said.or(page).unwrap_or(self.list_size);
            items.saturating_mul(self.set(&field.selection_set, None).saturating_add(1))
        } else {
            self.set(&field.selection_set, said).saturating_add(1)
        }
    }

    /// How many items the arguments ask for, if any of them speaks of that.
    fn page_size(&self, field: &Field) -> Option<u64> {
        let (mut page, mut longest, mut has_pages) = (None, None, false);
        for definition in &field.definition.arguments {
            let argument = field.arguments.iter().find(|argument| argument.name == definition.name);
            let value = argument.map(|argument| &argument.value).or(definition.default_value.as_ref());
            if PAGE_SIZES.contains(&definition.name.as_str()) {
                has_pages = true;
                page = page.max(value.and_then(|value| self.number(value)));
            } else if definition.ty.is_list() {
                longest = longest.max(value.and_then(|value| self.length(value)));
            }
        }
        if has_pages { Some(page.unwrap_or(self.list_size)) } else { longest }
    }

    fn number(&self, value: &Value) -> Option<u64> {
        let at_least_zero = |number: i64| u64::try_from(number).unwrap_or(0);
        match value {
            Value::Int(number) => number.as_str().parse().ok().map(at_least_zero),
            Value::Variable(name) => match self.variables.get(name.as_str()) {
                Some(given) => given.as_i64().map(at_least_zero),
                None => self.default_of(name).and_then(|value| self.number(value)),
            },
            _ => None,
        }
    }

    fn length(&self, value: &Value) -> Option<u64> {
        match value {
            Value::List(items) => Some(items.len() as u64),
            Value::Variable(name) => match self.variables.get(name.as_str()) {
                Some(given) => given.as_array().map(|items| items.len() as u64),
                None => self.default_of(name).and_then(|value| self.length(value)),
            },
            _ => None,
        }
    }

    fn default_of(&self, name: &Name) -> Option<&Value> {
        let variable = self.operation.variables.iter().find(|variable| variable.name == *name)?;
        variable.default_value.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apollo_compiler::Schema;
    use serde_json::json;

    const SCHEMA: &str = "
        type Query {
            product: Product
            products(first: Int = 10, after: String): Products!
            nodes(ids: [ID!]!): [Product]!
            categories: [Category!]!
            search(first: Int, last: Int, tags: [String!]): [Product!]
        }
        type Products { nodes: [Product!]! edges: [Edge!]! total: Int! facets: Facets! }
        type Facets { all: [Category!]! }
        type Edge { node: Product! }
        type Product { id: ID! title: String price: Money variants(limit: Int): [Product!]! tags: [String!]! }
        type Category { id: ID! children: [Category!]! }
        type Money { amount: Int! }";

    fn cost_of(text: &str, variables: Json) -> u64 {
        let schema = Schema::parse_and_validate(SCHEMA, "schema").unwrap();
        let document = ExecutableDocument::parse_and_validate(&schema, text, "query").unwrap();
        let operation = document.operations.get(None).unwrap();
        let Json::Object(variables) = variables else { panic!("variables are an object") };
        cost(&document, operation, &variables, 20)
    }

    #[test]
    fn objects_cost_one_and_lists_as_many_as_they_are_long() {
        for (text, expected) in [
            ("{ product { id title tags } }", 1),
            ("{ product { price { amount } } }", 2),
            ("{ categories { id } }", 20),
            ("{ categories { children { id } } }", 20 + 20 * 20),
            ("{ products(first: 3) { nodes { price { amount } } } }", 1 + 3 * 2),
            ("{ products { nodes { id } total } }", 1 + 10),
            ("{ products(first: null) { nodes { id } } }", 1 + 20),
            ("{ products(first: 3) { edges { node { id } } } }", 1 + 3 * 2),
            ("{ products(first: 3) { facets { all { id } } } }", 1 + 1 + 20),
            ("{ products(first: -3) { nodes { id } } }", 1),
            ("{ product { variants(limit: 7) { id } } }", 8),
            ("{ nodes(ids: [1, 2, 3]) { id } }", 3),
            ("{ search(last: 5) { id } }", 5),
            ("{ search(last: 5, tags: [\"a\"]) { id } }", 5),
            ("{ search(tags: [\"a\"]) { id } }", 20),
            ("{ __schema { types { fields { name } } } __typename }", 0),
            ("{ product { ...P } } fragment P on Product { ... on Product { price { amount } } }", 2),
        ] {
            assert_eq!(cost_of(text, json!({})), expected, "{text}");
        }
    }

    #[test]
    fn variables_and_their_defaults_are_looked_at() {
        let text = "query($n: Int = 4) { products(first: $n) { nodes { id } } }";
        assert_eq!(cost_of(text, json!({})), 5);
        assert_eq!(cost_of(text, json!({"n": 50})), 51);
        assert_eq!(cost_of(text, json!({"n": null})), 21);
        assert_eq!(cost_of("query($i: [ID!]!) { nodes(ids: $i) { id } }", json!({"i": ["a", "b"]})), 2);
    }

    #[test]
    fn a_cost_saturates() {
        let nest = "variants(limit: 2147483647) { ".repeat(10) + "id" + &" }".repeat(10);
        assert_eq!(cost_of(&format!("{{ product {{ {nest} }} }}"), json!({})), u64::MAX);
    }
}
