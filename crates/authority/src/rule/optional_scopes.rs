//! Which of the scopes that a client asks for a person may leave out: those of `optional_scopes` in its
//! registration. The authorization server may grant less than was asked for (RFC 6749 §3.3).

use token::ladder::Ladder;
use token::scope::ScopeSet;
use token::term::scope;

/// Scopes that are asked for, by whether they can be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    /// The client cannot do without these.
    pub(crate) fixed: ScopeSet,
    /// These are the person's choice.
    pub(crate) optional: ScopeSet,
}

// === impl Split ===

impl Split {
    /// Splits what is asked for by what the client can do without. What a fixed one includes goes with it,
    /// and whoever agrees to be signed in is signed in: `openid` is never optional.
    pub(crate) fn of(optional: &ScopeSet, asked: &ScopeSet, ladder: &Ladder) -> Self {
        let fixed = asked.only(|name| name == scope::OPENID || !optional.contains(name));
        let optional = asked.difference(&ladder.reach(&fixed));
        Self { fixed: asked.difference(&optional), optional }
    }

    /// What is given to the client when these are chosen. What a chosen one includes is given with it.
    pub(crate) fn given(&self, chosen: &ScopeSet, ladder: &Ladder) -> ScopeSet {
        let given = self.fixed.union(&self.optional.intersection(chosen));
        self.fixed.union(&self.optional).intersection(&ladder.reach(&given))
    }
}

#[cfg(test)]
mod tests {
    use token::ladder::Ladder;

    use super::Split;
    use crate::tests::support::scopes;

    #[track_caller]
    fn check(asked: &str, optional: &str, chosen: &str, given: &str) {
        let none: &[&str] = &[];
        let steps = [("read", none), ("write", &["read"]), ("openid", none), ("email", none)];
        let ladder = Ladder::new(steps).expect("ladder");
        let split = Split::of(&scopes(optional), &scopes(asked), &ladder);
        assert_eq!(split.fixed.union(&split.optional), scopes(asked));
        assert_eq!(split.given(&scopes(chosen), &ladder), scopes(given));
    }

    #[test]
    fn what_is_optional_can_be_left_out_and_nothing_else() {
        check("email openid read", "", "", "email openid read");
        check("email openid read", "email openid read", "", "openid");
        check("email openid read", "email read", "read", "openid read");
        check("email read", "email read", "", "");
        // What was not asked for is not given.
        check("openid read", "email read", "email read", "openid read");
    }

    #[test]
    fn what_a_scope_includes_goes_with_it() {
        check("read write", "read", "", "read write");
        check("read write", "write", "", "read");
        check("read write", "read write", "write", "read write");
        check("read write", "read write", "read", "read");
    }
}
