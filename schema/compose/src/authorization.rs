//! What a client must show to see an element: logged in, scopes, policies.

use std::collections::BTreeSet;

use apollo_compiler::ast::{Directive, Value};
use apollo_compiler::{Name, Node, name};

use crate::join::Application;

/// Sets of scopes or policies, any one of which suffices.
pub(crate) type Alternatives = BTreeSet<BTreeSet<String>>;

/// The demands of one element of the supergraph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Demands {
    pub authenticated: bool,
    pub scopes: Option<Alternatives>,
    pub policies: Option<Alternatives>,
}

impl Demands {
    /// Reads the directives of an element of the supergraph.
    pub fn of<'d>(directives: impl Iterator<Item = &'d Node<Directive>>) -> Self {
        let mut demands = Self::default();
        for directive in directives {
            match directive.name.as_str() {
                "authenticated" => demands.authenticated = true,
                "requiresScopes" => demands.scopes = alternatives(directive, "scopes"),
                "policy" => demands.policies = alternatives(directive, "policies"),
                _ => {}
            }
        }
        demands
    }

    pub fn is_open(&self) -> bool {
        *self == Self::default()
    }

    /// Both demands at once.
    pub fn and(self, other: Self) -> Self {
        Self {
            authenticated: self.authenticated || other.authenticated,
            scopes: both_if_any(self.scopes, other.scopes),
            policies: both_if_any(self.policies, other.policies),
        }
    }

    /// Does whoever meets these demands also meet `other`?
    pub fn imply(&self, other: &Self) -> bool {
        (self.authenticated || !other.authenticated)
            && implies(self.scopes.as_ref(), other.scopes.as_ref())
            && implies(self.policies.as_ref(), other.policies.as_ref())
    }

    /// The directives that state these demands.
    pub fn directives(&self) -> Vec<Node<Directive>> {
        let mut directives = Vec::new();
        if self.authenticated {
            directives.push(Application::new(name!("authenticated")).done());
        }
        if let Some(scopes) = &self.scopes {
            directives.push(
                Application::new(name!("requiresScopes")).with(name!("scopes"), printed(scopes)).done(),
            );
        }
        if let Some(policies) = &self.policies {
            directives
                .push(Application::new(name!("policy")).with(name!("policies"), printed(policies)).done());
        }
        directives
    }
}

/// Is this one of the directives that demand something?
pub(crate) fn is_demand(directive: &Name) -> bool {
    ["authenticated", "requiresScopes", "policy"].contains(&directive.as_str())
}

/// Reads the sets in an argument of `@requiresScopes` or `@policy`.
pub(crate) fn alternatives(directive: &Directive, argument: &str) -> Option<Alternatives> {
    let list = directive.specified_argument_by_name(argument)?.as_list()?;
    let set = |inner: &Node<Value>| {
        let names = inner.as_list().unwrap_or_default();
        names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    Some(list.iter().map(set).collect())
}

/// What satisfies both: each combination, without those that ask for more than another.
pub(crate) fn both(one: Alternatives, other: Alternatives) -> Alternatives {
    let combined: Alternatives =
        one.iter().flat_map(|a| other.iter().map(move |b| a.union(b).cloned().collect())).collect();
    let asks_too_much =
        |set: &BTreeSet<String>| combined.iter().any(|smaller| smaller != set && smaller.is_subset(set));
    combined.iter().filter(|set| !asks_too_much(set)).cloned().collect()
}

/// The value of the argument that [`alternatives`] reads.
pub(crate) fn printed(alternatives: &Alternatives) -> Value {
    let set = |names: &BTreeSet<String>| {
        Node::new(Value::List(names.iter().map(|name| Node::new(Value::String(name.clone()))).collect()))
    };
    Value::List(alternatives.iter().map(set).collect())
}

fn both_if_any(one: Option<Alternatives>, other: Option<Alternatives>) -> Option<Alternatives> {
    match (one, other) {
        (Some(one), Some(other)) => Some(both(one, other)),
        (one, other) => one.or(other),
    }
}

fn implies(have: Option<&Alternatives>, needed: Option<&Alternatives>) -> bool {
    let Some(needed) = needed else { return true };
    have.is_some_and(|have| have.iter().all(|set| needed.iter().any(|enough| enough.is_subset(set))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(text: &[&[&str]]) -> Alternatives {
        text.iter().map(|set| set.iter().map(|name| (*name).to_owned()).collect()).collect()
    }

    fn scopes(text: &[&[&str]]) -> Demands {
        Demands { scopes: Some(sets(text)), ..Demands::default() }
    }

    #[test]
    fn scopes_of_two_subgraphs_must_both_be_satisfied() {
        let merged = both(sets(&[&["a", "b"], &["c"]]), sets(&[&["d"], &["c"]]));
        assert_eq!(merged, sets(&[&["a", "b", "d"], &["c"]]));
    }

    #[test]
    fn equal_demands_stay_as_they_are() {
        let once = sets(&[&["a"], &["b", "c"]]);
        assert_eq!(both(once.clone(), once.clone()), once);
    }

    #[test]
    fn more_scopes_imply_fewer() {
        assert!(scopes(&[&["a", "c"]]).imply(&scopes(&[&["a"], &["b"]])));
        assert!(!scopes(&[&["a"]]).imply(&scopes(&[&["a", "b"]])));
        assert!(!scopes(&[&["a"], &["c"]]).imply(&scopes(&[&["a"]])));
        assert!(!Demands::default().imply(&scopes(&[&["a"]])));
        assert!(scopes(&[&["a"]]).imply(&Demands::default()));
    }
}
