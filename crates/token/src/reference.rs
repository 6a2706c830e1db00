//! Tokens by reference: an opaque value that stands for a JWT which is kept elsewhere.

use crate::base64url;
use crate::id::TokenId;
use crate::opaque::{Family, NotOpaque, OpaqueHash};
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
        missed: None,
    };
    match Family::of(text) {
        Ok(family) => Ok(family == Family::Access),
        Err(NotOpaque::Checksum) => Err(refused("part of the token is missing or altered")),
        Err(NotOpaque::Form | NotOpaque::Prefix) => {
            Err(refused("the token does not have the form of an opaque token"))
        }
    }
}

/// What an opaque value is called where it says nothing of itself, as bait does not: it tells nobody the
/// value.
pub fn name(opaque: &str) -> TokenId {
    let hash = base64url::encode(OpaqueHash::of(opaque).as_bytes());
    TokenId::new(format!("sha256:{hash}"))
}

/// What is said of an opaque token that nobody knows: never issued, or forgotten after its end.
pub fn unknown(opaque: &str) -> TokenRefused {
    let token = Some(name(opaque).to_string());
    TokenRefused {
        refused: Reason::UnknownToken.into(),
        detail: "the token is unknown, or has expired",
        claimed: Claimed { token, ..Claimed::default() },
        missed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_reference, name, unknown};
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

    #[test]
    fn an_unknown_one_has_a_name_that_does_not_give_it_away() {
        let access = Family::Access.generate(&OsRandom::new());
        let claimed = unknown(access.expose()).claimed.token.expect("a name");
        assert_eq!(claimed, name(access.expose()).as_str());
        assert!(claimed.starts_with("sha256:") && claimed.len() == 50, "{claimed}");
        assert!(!claimed.contains(&access.expose()[4..20]));
    }
}
