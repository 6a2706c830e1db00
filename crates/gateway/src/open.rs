//! Encrypted tokens: what is inside is checked as any other token (RFC 7519 §5.2).

use std::sync::Arc;

use token::encryption_key::DecryptionKey;
use token::jwe::Jwe;
use token::reason::Reason;
use token::validate::{Claimed, TokenRefused};
use zeroize::Zeroizing;

/// Parts of an encrypted token.
const DOTS: usize = 4;

/// Opens a token that was encrypted to one of these keys; `None` for one that is not encrypted, or
/// when there is no key, so that the check says so.
///
/// # Errors
/// [`TokenRefused`] when none of the keys opens it.
pub(crate) fn open(
    text: &str,
    keys: &[Arc<DecryptionKey>],
) -> Result<Option<Zeroizing<String>>, TokenRefused> {
    if keys.is_empty() || text.bytes().filter(|byte| *byte == b'.').count() != DOTS {
        return Ok(None);
    }
    let refused = |detail| TokenRefused {
        refused: Reason::Malformed.into(),
        detail,
        claimed: Claimed::default(),
        missed: None,
    };
    let jwe = Jwe::parse(text).map_err(|_| refused("the encrypted token cannot be read"))?;
    let opened = keys.iter().find_map(|key| jwe.decrypt(key).ok());
    let opened =
        opened.ok_or_else(|| refused("the token is not encrypted to a key of this API"))?;
    let inside = String::from_utf8(opened.content.to_vec());
    let inside = inside.map_err(|_| refused("the encrypted token has no token inside"))?;
    Ok(Some(Zeroizing::new(inside)))
}
