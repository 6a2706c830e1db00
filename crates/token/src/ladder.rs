//! Scopes that include others: a ladder such as `orders:admin` → `orders:write` → `orders:read`.
//!
//! A token has the scopes that were asked for, never those that they include: whoever decides by
//! scopes asks the ladder.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::scope::{ScopeSet, is_scope_token};

/// Which scopes include which, as far as the steps lead. Copies share it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ladder(Arc<BTreeMap<Box<str>, ScopeSet>>);

/// Why there is no such ladder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLadder {
    /// A scope would include itself.
    #[error("the scope `{0}` includes itself, directly or by another; take one step out")]
    Cycle(String),
    /// A step to a scope that has none of its own, not even an empty one.
    #[error("the scope `{scope}` includes `{included}`, which is not defined")]
    Unknown {
        /// The scope.
        scope: String,
        /// What it includes.
        included: String,
    },
}

// === impl Ladder ===

impl Ladder {
    /// A ladder of all scopes that there are, each with those that it includes.
    ///
    /// # Errors
    /// [`BadLadder`] names the scope that includes itself or what is not there.
    pub fn new<'a, I: AsRef<str> + 'a>(
        steps: impl IntoIterator<Item = (&'a str, &'a [I])>,
    ) -> Result<Self, BadLadder> {
        let steps: BTreeMap<&str, Vec<&str>> = steps
            .into_iter()
            .map(|(scope, included)| (scope, included.iter().map(AsRef::as_ref).collect()))
            .collect();
        for (scope, included) in &steps {
            let known = |name: &&&str| is_scope_token(name) && steps.contains_key(**name);
            if let Some(unknown) = included.iter().find(|name| !known(name)) {
                let (scope, included) = ((*scope).to_owned(), (*unknown).to_owned());
                return Err(BadLadder::Unknown { scope, included });
            }
        }
        let mut all = BTreeMap::new();
        for (scope, included) in steps.iter().filter(|(_, included)| !included.is_empty()) {
            all.insert(Box::from(*scope), below(scope, included, &steps)?);
        }
        Ok(Self(Arc::new(all)))
    }

    /// These scopes and all that they include.
    #[must_use]
    pub fn reach(&self, scopes: &ScopeSet) -> ScopeSet {
        let included = scopes.iter().filter_map(|scope| self.0.get(scope));
        included.fold(scopes.clone(), |all, included| all.union(included))
    }

    /// These scopes without those that another of them includes.
    #[must_use]
    pub fn tops(&self, scopes: &ScopeSet) -> ScopeSet {
        let included = scopes.iter().filter_map(|scope| self.0.get(scope));
        included.fold(scopes.clone(), |left, included| left.difference(included))
    }

    /// The scope itself and all that include it: who has one of them may do what it allows.
    pub fn holders<'a>(&'a self, scope: &'a str) -> impl Iterator<Item = &'a str> {
        let above = self.0.iter().filter(move |(_, included)| included.contains(scope));
        std::iter::once(scope).chain(above.map(|(name, _)| &**name))
    }
}

/// Everything that a scope includes, step by step.
fn below(
    scope: &str,
    included: &[&str],
    steps: &BTreeMap<&str, Vec<&str>>,
) -> Result<ScopeSet, BadLadder> {
    let mut found: Vec<&str> = Vec::new();
    let mut next: Vec<&str> = included.to_vec();
    while let Some(name) = next.pop() {
        if name == scope {
            return Err(BadLadder::Cycle(scope.to_owned()));
        }
        if !found.contains(&name) {
            found.push(name);
            next.extend(steps.get(name).into_iter().flatten());
        }
    }
    Ok(ScopeSet::of(found))
}

#[cfg(test)]
mod tests {
    use super::{BadLadder, Ladder};
    use crate::scope::ScopeSet;

    const STEPS: [(&str, &[&str]); 4] = [
        ("orders:read", &[]),
        ("orders:write", &["orders:read"]),
        ("orders:admin", &["orders:write"]),
        ("mail", &[]),
    ];

    fn set(text: &str) -> ScopeSet {
        ScopeSet::parse(text).expect("scopes")
    }

    #[test]
    fn a_scope_reaches_what_it_includes_step_by_step() {
        let ladder = Ladder::new(STEPS).expect("ladder");
        assert_eq!(
            ladder.reach(&set("orders:admin")),
            set("orders:admin orders:read orders:write")
        );
        assert_eq!(ladder.reach(&set("mail orders:read")), set("mail orders:read"));
        assert_eq!(ladder.tops(&set("mail orders:admin orders:read")), set("mail orders:admin"));
        assert_eq!(ladder.tops(&set("orders:read")), set("orders:read"));
        let holders: Vec<&str> = ladder.holders("orders:read").collect();
        assert_eq!(holders, ["orders:read", "orders:admin", "orders:write"]);
        assert_eq!(ladder.holders("orders:admin").collect::<Vec<_>>(), ["orders:admin"]);
        assert_eq!(Ladder::default().reach(&set("orders:admin")), set("orders:admin"));
    }

    #[test]
    fn circles_and_unknown_scopes_are_refused_by_name() {
        let circle: [(&str, &[&str]); 3] = [("a", &["b"]), ("b", &["c"]), ("c", &["a"])];
        assert_eq!(Ladder::new(circle), Err(BadLadder::Cycle("a".to_owned())));
        let own: [(&str, &[&str]); 1] = [("a", &["a"])];
        assert_eq!(Ladder::new(own), Err(BadLadder::Cycle("a".to_owned())));
        // Above a circle, not in it: who walks there must come to an end.
        let above: [(&str, &[&str]); 3] = [("a", &["b"]), ("b", &["c"]), ("c", &["b"])];
        assert_eq!(Ladder::new(above), Err(BadLadder::Cycle("b".to_owned())));
        for included in ["b", "tokenward:admin", "a b", ""] {
            let unknown = [("a", [included])];
            let unknown = unknown.iter().map(|(scope, included)| (*scope, included.as_slice()));
            let (scope, included) = ("a".to_owned(), included.to_owned());
            assert_eq!(Ladder::new(unknown), Err(BadLadder::Unknown { scope, included }));
        }
    }
}
