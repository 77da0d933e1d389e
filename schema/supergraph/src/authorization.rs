//! What a client must show to see a field: `@authenticated`, `@requiresScopes`, `@policy`.

/// A requirement on the client. The default asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorization {
    /// The client must be known.
    pub authenticated: bool,
    /// Each entry comes from one directive and all must hold. Inside an entry one group is enough; inside
    /// a group all scopes are needed: `[["a", "b"], ["c"]]` is (a and b) or c.
    pub scopes: Vec<Vec<Vec<String>>>,
    /// As `scopes`, of policies that the gateway's owner defines.
    pub policies: Vec<Vec<Vec<String>>>,
}

impl Authorization {
    /// Whether everybody may pass.
    pub fn is_open(&self) -> bool {
        !self.authenticated && self.scopes.is_empty() && self.policies.is_empty()
    }

    /// Whether a client may pass, given whether it is known, and which scopes and policies it satisfies.
    pub fn admits(
        &self,
        authenticated: bool,
        has_scope: impl Fn(&str) -> bool,
        has_policy: impl Fn(&str) -> bool,
    ) -> bool {
        (authenticated || !self.authenticated)
            && self.scopes.iter().all(|any| holds(any, &has_scope))
            && self.policies.iter().all(|any| holds(any, &has_policy))
    }

    /// Demands what `other` demands, too.
    pub fn and(&mut self, other: &Authorization) {
        self.authenticated |= other.authenticated;
        for any in &other.scopes {
            if !self.scopes.contains(any) {
                self.scopes.push(any.clone());
            }
        }
        for any in &other.policies {
            if !self.policies.contains(any) {
                self.policies.push(any.clone());
            }
        }
    }
}

fn holds(any: &[Vec<String>], has: &impl Fn(&str) -> bool) -> bool {
    any.iter().any(|all| all.iter().all(|name| has(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(any: &[&[&str]]) -> Vec<Vec<String>> {
        any.iter().map(|all| all.iter().map(|scope| scope.to_string()).collect()).collect()
    }

    #[test]
    fn one_group_of_scopes_is_enough_but_each_directive_must_hold() {
        let mut both = Authorization { scopes: vec![scopes(&[&["a", "b"], &["c"]])], ..Default::default() };
        both.and(&Authorization { scopes: vec![scopes(&[&["d"]])], ..Default::default() });

        let admits = |have: &[&str]| both.admits(true, |scope| have.contains(&scope), |_| false);
        assert!(admits(&["a", "b", "d"]));
        assert!(admits(&["c", "d"]));
        assert!(!admits(&["a", "d"]));
        assert!(!admits(&["a", "b", "c"]));
    }

    #[test]
    fn an_unknown_client_passes_only_what_is_open() {
        let authenticated = Authorization { authenticated: true, ..Default::default() };
        assert!(!authenticated.admits(false, |_| true, |_| true));
        assert!(authenticated.admits(true, |_| false, |_| false));
        assert!(Authorization::default().is_open());
        assert!(!authenticated.is_open());
    }
}
