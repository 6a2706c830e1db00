//! How surely somebody signed in (OpenID Connect Core 1.0 §2 `acr`, RFC 9470 §4).

/// By one factor: a password.
pub const ONE_FACTOR: &str = "urn:tokenward:acr:one-factor";

/// By a password and something that the person has.
pub const TWO_FACTORS: &str = "urn:tokenward:acr:two-factor";

/// What can be reached here, the surest last.
pub const KNOWN: [&str; 2] = [ONE_FACTOR, TWO_FACTORS];

/// What `amr` says of more than one factor (RFC 8176 §2).
pub const SEVERAL_FACTORS: &str = "mfa";

/// What the methods of a sign-in (RFC 8176) amount to; nothing where there are none.
pub fn of(amr: &[String]) -> Option<&'static str> {
    match amr {
        [] => None,
        methods if methods.iter().any(|method| method == SEVERAL_FACTORS) => Some(TWO_FACTORS),
        _ => Some(ONE_FACTOR),
    }
}

/// What a client asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// Nothing that a password does not reach.
    #[default]
    Any,
    /// Two factors where the person can show them: what is voluntary never fails (OpenID Connect Core 1.0
    /// §3.1.2.1).
    TwoIfPossible,
    /// Two factors.
    Two,
}

// === impl Wanted ===

impl Wanted {
    /// What is asked for by one of these values.
    pub fn of<'a>(values: impl Iterator<Item = &'a str> + Clone, essential: bool) -> Self {
        let names = |wanted: &str| values.clone().any(|value| value == wanted);
        match (names(ONE_FACTOR), names(TWO_FACTORS), essential) {
            (true, _, _) | (_, false, _) => Self::Any,
            (false, true, false) => Self::TwoIfPossible,
            (false, true, true) => Self::Two,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ONE_FACTOR, TWO_FACTORS, Wanted, of};

    #[test]
    fn several_factors_are_more_than_one() {
        let of = |methods: &[&str]| {
            of(&methods.iter().map(|method| (*method).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&["pwd"]), Some(ONE_FACTOR));
        assert_eq!(of(&["pwd", "otp", "mfa"]), Some(TWO_FACTORS));
        assert_eq!(of(&["pwd", "mfa"]), Some(TWO_FACTORS));
    }

    #[test]
    fn who_takes_a_password_asks_for_no_more() {
        let wanted = |values: &str, essential| Wanted::of(values.split(' '), essential);
        assert_eq!(wanted(TWO_FACTORS, true), Wanted::Two);
        assert_eq!(wanted(TWO_FACTORS, false), Wanted::TwoIfPossible);
        assert_eq!(wanted(&format!("{TWO_FACTORS} {ONE_FACTOR}"), true), Wanted::Any);
        assert_eq!(wanted("x", true), Wanted::Any);
    }
}
