//! Tokens by reference: an opaque value that stands for a JWT which is kept elsewhere.

use crate::opaque::{Family, NotOpaque};
use crate::reason::Reason;
use crate::secret::Secret;
use crate::validate::{Claimed, TokenRefused};

/// Where the JWT behind an opaque access token is found. Whoever has only a trait object does not learn
/// how it is kept.
pub trait References: Send + Sync {
    /// The JWT behind this well-formed value; `None` when there is none, or none any more.
    ///
    /// # Errors
    /// [`Unavailable`] when it cannot be said.
    fn resolve(&self, opaque: &str) -> Result<Option<Secret>, Unavailable>;
}

/// What is asked cannot be said now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("opaque tokens cannot be looked up now")]
pub struct Unavailable;

/// Whether a presented text is an opaque access token; `false` for one of any other form.
///
/// # Errors
/// [`TokenRefused`] for one that is incomplete or altered: it need not be looked up.
pub fn is_reference(text: &str) -> Result<bool, TokenRefused> {
    if !text.starts_with(Family::Access.prefix()) {
        return Ok(false);
    }
    let refused = |detail| TokenRefused {
        refused: Reason::Malformed.into(),
        detail,
        claimed: Claimed::default(),
    };
    match Family::of(text) {
        Ok(family) => Ok(family == Family::Access),
        Err(NotOpaque::Checksum) => Err(refused("part of the token is missing or altered")),
        Err(NotOpaque::Form | NotOpaque::Prefix) => {
            Err(refused("the token does not have the form of an opaque token"))
        }
    }
}

/// What is said of an opaque token that nobody knows: never issued, or forgotten after its end.
pub fn unknown() -> TokenRefused {
    TokenRefused {
        refused: Reason::UnknownToken.into(),
        detail: "the token is unknown, or has expired",
        claimed: Claimed::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_reference;
    use crate::opaque::Family;
    use crate::random::OsRandom;

    #[test]
    fn only_whole_opaque_access_tokens_are_looked_up() {
        let random = OsRandom::new();
        let access = Family::Access.generate(&random);
        assert_eq!(is_reference(access.expose()), Ok(true));
        for other in [Family::Refresh, Family::Personal, Family::SignIn] {
            assert_eq!(is_reference(other.generate(&random).expose()), Ok(false));
        }
        assert_eq!(is_reference("eyJ.eyJ.c2ln"), Ok(false));
        let cut = &access.expose()[..52];
        assert_eq!(is_reference(cut).unwrap_err().refused.to_string(), "malformed");
        let mut altered = access.expose().to_owned();
        let last = if altered.ends_with('0') { "1" } else { "0" };
        altered.replace_range(52.., last);
        let refused = is_reference(&altered).unwrap_err();
        assert_eq!(refused.refused.to_string(), "malformed");
        assert_eq!(refused.detail, "part of the token is missing or altered");
    }
}
