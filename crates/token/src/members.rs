//! Members of a JSON object that a key is read from: texts, bytes, and bytes to be wiped.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::base64url;
use crate::jwk::BadKey;

/// A text; `None` when it is not there.
pub(crate) fn text<'a>(
    members: &'a Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'a str>, BadKey> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(BadKey::Member(name)),
    }
}

/// The bytes of a base64url text that has to be there.
pub(crate) fn bytes(members: &Map<String, Value>, name: &'static str) -> Result<Vec<u8>, BadKey> {
    let text = text(members, name)?.ok_or(BadKey::Member(name))?;
    base64url::decode(text).ok_or(BadKey::Member(name))
}

/// Private members of a key that is written, by name.
pub(crate) type PrivateMembers = Vec<(&'static str, Zeroizing<Vec<u8>>)>;

/// Private members, taken out of an object: what is left is public, these are wiped when dropped.
pub(crate) struct Private(Vec<(String, Zeroizing<String>)>);

// === impl Private ===

impl Private {
    /// Takes every member of these names that is a text.
    pub(crate) fn take(members: &mut Map<String, Value>, names: &[&str]) -> Self {
        let taken = names.iter().filter_map(|name| match members.remove(*name) {
            Some(Value::String(text)) => Some(((*name).to_owned(), Zeroizing::new(text))),
            Some(other) => {
                // No text: left where it was, to be refused there.
                members.insert((*name).to_owned(), other);
                None
            }
            None => None,
        });
        Self(taken.collect())
    }

    /// The bytes of a member that has to be there.
    pub(crate) fn bytes(&self, name: &'static str) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        let (_, text) =
            self.0.iter().find(|(known, _)| known == name).ok_or(BadKey::Member(name))?;
        base64url::decode(text).map(Zeroizing::new).ok_or(BadKey::Member(name))
    }
}
