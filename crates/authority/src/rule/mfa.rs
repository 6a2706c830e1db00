//! Who has to prove more than a password, and what is missing of it (RFC 9470 §5).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::Client;
use token::scope::ScopeSet;

use crate::rule::acr;
use crate::settings::Settings;

/// Of whom more than a password is demanded, where nothing else demands it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Require {
    /// Everybody.
    Always,
    /// Whoever has set up a second factor.
    #[default]
    Enrolled,
    /// Nobody.
    Never,
}

/// What is usual for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfaPolicy {
    /// Of whom it is demanded.
    pub require: Require,
    /// Whether somebody of whom it is demanded and who has nothing to show sets it up while signing in.
    pub enrol_at_sign_in: bool,
    /// For how long a browser can be remembered, so that nobody is asked there again for what is usual;
    /// zero: it cannot.
    pub remember: Duration,
}

/// What is demanded in one case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Demanded {
    /// The client, or a scope that is asked for, demands it.
    pub strictly: bool,
    /// What the request itself asks for.
    pub acr: acr::Wanted,
}

/// What is known of the person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// It is demanded of them in particular.
    pub is_required: bool,
    /// They have set up a second factor.
    pub has_factor: bool,
    /// They have proven it in this session.
    pub has_proven: bool,
    /// This browser is remembered for them.
    pub is_remembered: bool,
}

/// What a person still has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Show a code.
    Code,
    /// Set up what makes codes.
    Enrolment,
}

/// What is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nothing.
    Nothing,
    /// Something that the person can do.
    Step(Step),
    /// What nobody may set up while signing in.
    Unreachable,
}

// === impl Demanded ===

impl Demanded {
    /// What a client and the scopes that it asks for demand.
    pub fn by(client: &Client, scopes: &ScopeSet, settings: &Settings) -> Self {
        let strictly = client.options.require_mfa || settings.demand_mfa(scopes);
        Self { strictly, acr: acr::Wanted::Any }
    }
}

// === impl MfaPolicy ===

impl MfaPolicy {
    /// What is usual where nothing is said.
    pub const USUAL: Self =
        Self { require: Require::Enrolled, enrol_at_sign_in: true, remember: Duration::ZERO };

    /// What is missing. What a client, a scope or a request demands is asked for in a remembered browser,
    /// too: they are told how somebody signed in.
    pub fn missing(self, demanded: Demanded, person: Person) -> Missing {
        if person.has_proven {
            return Missing::Nothing;
        }
        let strictly = demanded.strictly || demanded.acr == acr::Wanted::Two;
        let usually = person.is_required || self.require == Require::Always;
        if person.has_factor {
            let asked = strictly || demanded.acr == acr::Wanted::TwoIfPossible;
            let usually = usually || self.require == Require::Enrolled;
            let ask = asked || (usually && !person.is_remembered);
            return if ask { Missing::Step(Step::Code) } else { Missing::Nothing };
        }
        match (strictly || usually, self.enrol_at_sign_in) {
            (false, _) => Missing::Nothing,
            (true, true) => Missing::Step(Step::Enrolment),
            (true, false) => Missing::Unreachable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Demanded, MfaPolicy, Missing, Person, Require, Step};
    use crate::rule::acr::Wanted;

    const CODE: Missing = Missing::Step(Step::Code);
    const ENROLMENT: Missing = Missing::Step(Step::Enrolment);
    const STRICT: Demanded = Demanded { strictly: true, acr: Wanted::Any };
    const USUAL: Demanded = Demanded { strictly: false, acr: Wanted::Any };

    fn policy(require: Require) -> MfaPolicy {
        MfaPolicy { require, ..MfaPolicy::USUAL }
    }

    fn bare() -> Person {
        Person::default()
    }

    fn enrolled() -> Person {
        Person { has_factor: true, ..bare() }
    }

    #[test]
    fn what_is_usual_is_the_policys_word() {
        for (require, of_bare, of_enrolled) in [
            (Require::Never, Missing::Nothing, Missing::Nothing),
            (Require::Enrolled, Missing::Nothing, CODE),
            (Require::Always, ENROLMENT, CODE),
        ] {
            assert_eq!(policy(require).missing(USUAL, bare()), of_bare, "{require:?}");
            assert_eq!(policy(require).missing(USUAL, enrolled()), of_enrolled, "{require:?}");
        }
    }

    #[test]
    fn a_client_a_scope_a_request_and_the_person_can_demand_it() {
        let never = policy(Require::Never);
        let acr = |acr| Demanded { strictly: false, acr };
        for demanded in [STRICT, acr(Wanted::Two)] {
            assert_eq!(never.missing(demanded, enrolled()), CODE);
            assert_eq!(never.missing(demanded, bare()), ENROLMENT);
        }
        // What is voluntary asks whoever can answer.
        assert_eq!(never.missing(acr(Wanted::TwoIfPossible), enrolled()), CODE);
        assert_eq!(never.missing(acr(Wanted::TwoIfPossible), bare()), Missing::Nothing);
        let required = |person| Person { is_required: true, ..person };
        assert_eq!(never.missing(USUAL, required(enrolled())), CODE);
        assert_eq!(never.missing(USUAL, required(bare())), ENROLMENT);
    }

    #[test]
    fn what_is_proven_is_not_asked_again() {
        let proven = Person { has_proven: true, ..enrolled() };
        assert_eq!(policy(Require::Always).missing(STRICT, proven), Missing::Nothing);
    }

    #[test]
    fn a_remembered_browser_answers_for_what_is_usual_alone() {
        let remembered = Person { is_remembered: true, ..enrolled() };
        for require in [Require::Always, Require::Enrolled] {
            assert_eq!(policy(require).missing(USUAL, remembered), Missing::Nothing);
            assert_eq!(policy(require).missing(STRICT, remembered), CODE);
        }
        let bare = Person { is_remembered: true, ..bare() };
        assert_eq!(policy(Require::Always).missing(USUAL, bare), ENROLMENT);
    }

    #[test]
    fn where_nobody_may_set_it_up_it_cannot_be_reached() {
        let strict = MfaPolicy { enrol_at_sign_in: false, ..policy(Require::Always) };
        assert_eq!(strict.missing(USUAL, bare()), Missing::Unreachable);
        assert_eq!(strict.missing(USUAL, enrolled()), CODE);
    }
}
