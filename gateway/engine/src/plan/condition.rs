//! When a part of a plan is wanted: what is left of `@skip` and `@include` once constants are resolved.

use std::fmt;

use apollo_compiler::Name;

/// `$variable`, or `not $variable`. Variables in conditions are of type `Boolean!`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Literal {
    pub variable: Name,
    /// From `@skip`: holds when the variable is false.
    pub negated: bool,
}

/// A condition on variables: it holds when all literals of any of its clauses hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Condition {
    /// Clauses and the literals inside them are sorted; an empty clause always holds, no clause never does.
    any: Vec<Vec<Literal>>,
}

/// Clauses from which a condition that need not be exact is no longer kept exact.
const LOOSE_FROM: usize = 16;

impl Condition {
    /// The condition that always holds.
    pub fn always() -> Condition {
        Condition { any: vec![Vec::new()] }
    }

    /// The condition that never holds.
    pub fn never() -> Condition {
        Condition { any: Vec::new() }
    }

    /// The condition that this literal alone makes.
    pub fn literal(variable: Name, negated: bool) -> Condition {
        Condition { any: vec![vec![Literal { variable, negated }]] }
    }

    /// Whether it holds whatever the variables are.
    pub fn is_always(&self) -> bool {
        self.any.first().is_some_and(Vec::is_empty)
    }

    /// Whether it cannot hold.
    pub fn is_never(&self) -> bool {
        self.any.is_empty()
    }

    /// The clauses: it is enough that all literals of one of them hold.
    pub fn clauses(&self) -> &[Vec<Literal>] {
        &self.any
    }

    /// Whether it holds for these variables.
    pub fn holds(&self, is_true: impl Fn(&str) -> bool) -> bool {
        let literal_holds = |literal: &Literal| is_true(&literal.variable) != literal.negated;
        self.any.iter().any(|all| all.iter().all(literal_holds))
    }

    /// The variables it depends on; may repeat.
    pub fn variables(&self) -> impl Iterator<Item = &Name> {
        self.any.iter().flatten().map(|literal| &literal.variable)
    }

    /// Holds when both hold.
    pub fn and(&self, other: &Condition) -> Condition {
        if self.is_always() || self == other {
            return other.clone();
        }
        if other.is_always() {
            return self.clone();
        }
        let mut any = Vec::new();
        for left in &self.any {
            for right in &other.any {
                let mut all: Vec<Literal> = left.iter().chain(right).cloned().collect();
                all.sort();
                all.dedup();
                // `$x and not $x` are neighbours once sorted.
                if !all.windows(2).any(|pair| pair[0].variable == pair[1].variable) {
                    any.push(all);
                }
            }
        }
        Condition::of(any)
    }

    /// Holds when either holds.
    pub fn or(&self, other: &Condition) -> Condition {
        if self.is_always() || self == other {
            return self.clone();
        }
        if other.is_always() {
            return other.clone();
        }
        Condition::of(self.any.iter().chain(&other.any).cloned().collect())
    }

    /// Holds when any of these does.
    pub(crate) fn any<'c>(conditions: impl IntoIterator<Item = &'c Condition>) -> Condition {
        let mut any: Vec<Vec<Literal>> =
            conditions.into_iter().flat_map(|condition| condition.any.iter().cloned()).collect();
        any.sort();
        any.dedup();
        Condition::of(any)
    }

    /// As `or`, but where that would be long it always holds. For what may be fetched in vain.
    pub(crate) fn or_loosely(&self, other: &Condition) -> Condition {
        match self.any.len() + other.any.len() > LOOSE_FROM {
            true => Condition::always(),
            false => self.or(other),
        }
    }

    /// As `and`, but where that would be long only `other` counts. For what may be fetched in vain.
    pub(crate) fn and_loosely(&self, other: &Condition) -> Condition {
        match self.any.len() * other.any.len() > LOOSE_FROM {
            true => other.clone(),
            false => self.and(other),
        }
    }

    /// Whether this holds in every case in which `other` does, as far as the clauses show.
    pub fn is_implied_by(&self, other: &Condition) -> bool {
        other.any.iter().all(|strong| self.any.iter().any(|weak| weak.iter().all(|it| strong.contains(it))))
    }

    /// Sorts the clauses and drops those that another one covers.
    fn of(mut any: Vec<Vec<Literal>>) -> Condition {
        any.sort_by(|left, right| left.len().cmp(&right.len()).then_with(|| left.cmp(right)));
        let mut kept: Vec<Vec<Literal>> = Vec::with_capacity(any.len());
        for all in any {
            if !kept.iter().any(|weaker| weaker.iter().all(|literal| all.contains(literal))) {
                kept.push(all);
            }
        }
        let is_tautology = kept.iter().any(|all| {
            match &all[..] {
            [literal] => kept.iter().any(|other| {
                matches!(&other[..], [it] if it.variable == literal.variable && it.negated != literal.negated)
            }),
            _ => false,
        }
        });
        if is_tautology { Condition::always() } else { Condition { any: kept } }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_always() {
            return f.write_str("always");
        }
        for (row, all) in self.any.iter().enumerate() {
            if row > 0 {
                f.write_str(" or ")?;
            }
            for (column, literal) in all.iter().enumerate() {
                let joint = if column > 0 { " and " } else { "" };
                let not = if literal.negated { "not " } else { "" };
                write!(f, "{joint}{not}${}", literal.variable)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn include(variable: &str) -> Condition {
        Condition::literal(Name::new_unchecked(variable), false)
    }

    fn skip(variable: &str) -> Condition {
        Condition::literal(Name::new_unchecked(variable), true)
    }

    #[test]
    fn a_condition_and_its_opposite_never_hold_together_but_always_hold_apart() {
        assert!(include("x").and(&skip("x")).is_never());
        assert!(include("x").or(&skip("x")).is_always());
    }

    #[test]
    fn what_a_weaker_clause_covers_is_dropped() {
        let both = include("x").and(&include("y"));
        assert_eq!(both.or(&include("x")), include("x"));
        assert_eq!(both.to_string(), "$x and $y");
        assert_eq!(both.or(&skip("z")).to_string(), "not $z or $x and $y");
    }

    #[test]
    fn a_condition_holds_when_one_clause_does() {
        let condition = include("x").and(&include("y")).or(&skip("z"));
        assert!(condition.holds(|name| name == "x" || name == "y" || name == "z"));
        assert!(condition.holds(|_| false));
        assert!(!condition.holds(|name| name == "x" || name == "z"));
    }

    #[test]
    fn a_weaker_condition_is_implied_by_a_stronger_one() {
        let both = include("x").and(&include("y"));
        assert!(include("x").is_implied_by(&both));
        assert!(!both.is_implied_by(&include("x")));
        assert!(Condition::always().is_implied_by(&both));
        assert!(both.is_implied_by(&Condition::never()));
    }
}
