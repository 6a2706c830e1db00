//! A path's template where nobody knows the route: numbers and long or mixed names are taken out.
//!
//! Events of others often have no route, and some no object. A guess is worth more than nothing: `/orders/17/items`
//! and `/orders/18/items` are one route with two objects. Names without a digit and of less than 24 bytes are taken
//! for words, so `/people/alice` is a route of its own.

use crate::sketch::hash;

/// Shorter names with digits are versions, such as `v1`.
const VERSION: usize = 3;
/// Longer names are identifiers.
const LONG: usize = 24;

/// What a path looks like without its identifiers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::detector) struct Template {
    /// The whole path.
    pub(super) shape: u64,
    /// Up to the last identifier; the shape where there is none.
    pub(super) collection: u64,
    /// The last identifier.
    pub(super) object: Option<u64>,
}

// === impl Template ===

impl Template {
    /// Of a path without query; upper and lower case are the same.
    pub(super) fn of(path: &str) -> Self {
        let mut template = Self { shape: 0, collection: 0, object: None };
        for part in path.split('/').skip(1) {
            if is_identifier(part) {
                template.collection = template.shape;
                template.object = Some(hash::text(part));
                template.shape = hash::both(template.shape, 1);
            } else {
                template.shape = hash::both(template.shape, word(part));
            }
        }
        if template.object.is_none() {
            template.collection = template.shape;
        }
        template
    }
}

/// What a search asks for: words that are numbered, such as `users12` and `backup-2`, stay the words they
/// are. Whoever asks for what is gone asks for one word with many numbers; whoever searches, for many words.
pub(super) fn words(path: &str) -> u64 {
    path.split('/').skip(1).fold(0, |shape, part| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_numbered = (2..LONG).contains(&letters.len())
            && !letters.bytes().any(|byte| byte.is_ascii_digit());
        match (is_identifier(part), is_numbered) {
            (true, false) => hash::both(shape, 1),
            (true, true) => hash::both(shape, word(letters)),
            (false, _) => hash::both(shape, word(part)),
        }
    })
}

fn is_identifier(part: &str) -> bool {
    if part.len() >= LONG || part.parse::<u64>().is_ok() {
        return true;
    }
    part.len() > VERSION && part.bytes().any(|byte| byte.is_ascii_digit())
}

fn word(part: &str) -> u64 {
    part.bytes().fold(7, |hash, byte| hash::both(hash, byte.to_ascii_lowercase().into()))
}

/// Where the last parameter of a route begins: `{id}`, or as some frameworks write it `:id` and `<id>`.
pub(super) fn last_parameter_at(route: &str) -> Option<usize> {
    // Nearly all are written so, and that is found at once.
    if let Some(at) = route.rfind('{') {
        return Some(at);
    }
    let bytes = route.as_bytes();
    let starts = |two: &[u8]| matches!(two, [b'/', b':' | b'<']);
    bytes.windows(2).rposition(starts).map(|at| at + 1)
}

/// What a list is called: `orders` of `/team/orders`. `None` where the route ends in a parameter.
pub(super) fn list_name(route: &str) -> Option<&str> {
    let name = route.rsplit('/').next()?;
    (!name.is_empty() && !name.starts_with(['{', ':', '<'])).then_some(name)
}

/// What a collection is called: `orders` of `/v1/orders/{id}/items`.
pub(super) fn collection_name(route: &str) -> Option<&str> {
    let before = route.get(..last_parameter_at(route)?)?;
    before.split('/').rev().find(|name| !name.is_empty() && !name.starts_with(['{', ':', '<']))
}

/// The value of the last parameter of a route, such as `17` in `/orders/17` for `/orders/{id}`.
/// `None` where the path does not fit.
pub(super) fn last_parameter<'p>(route: &str, path: &'p str) -> Option<&'p str> {
    let is_parameter = |part: &str| part.starts_with(['{', ':', '<']);
    let at = route.split('/').enumerate().filter(|(_, part)| is_parameter(part)).last()?.0;
    path.split('/').nth(at).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Template, last_parameter, last_parameter_at, words};

    #[test]
    fn identifiers_are_taken_out_and_words_stay() {
        let same = |one: &str, two: &str| Template::of(one).shape == Template::of(two).shape;
        assert!(same("/orders/17", "/orders/99"));
        assert!(same("/a/0b9f41d2/x", "/a/77aa01c3/x"));
        assert!(same("/Orders", "/orders"));
        assert!(!same("/v1/orders", "/v2/orders"));
        assert!(!same("/orders/17", "/items/17"));
        assert!(!same("/about", "/blog"));
        let (order, items) = (Template::of("/orders/17"), Template::of("/orders/17/items"));
        assert_eq!((order.collection, order.object), (items.collection, items.object));
        assert_eq!(Template::of("/orders").object, None);
    }

    #[test]
    fn the_last_parameter_is_read_from_the_path() {
        assert_eq!(last_parameter("/orders/{id}", "/orders/17"), Some("17"));
        assert_eq!(last_parameter("/a/{b}/c/{d}/e", "/a/1/c/2/e"), Some("2"));
        assert_eq!(last_parameter("/orders", "/orders"), None);
        assert_eq!(last_parameter("/orders/{id}", "/"), None);
        assert_eq!(last_parameter("/orders/:id/items", "/orders/17/items"), Some("17"));
        assert_eq!(last_parameter("/orders/<int:id>", "/orders/17"), Some("17"));
    }

    #[test]
    fn a_parameter_is_known_however_a_framework_writes_it() {
        for route in ["/a/{b}/c/{d}", "/a/:b/c/:d/e", "/a/<b>/c/<int:d>", "/a/{b}/c/{d}/e"] {
            assert_eq!(
                last_parameter_at(route).and_then(|at| route[..at].rsplit('/').nth(1)),
                Some("c"),
                "{route}"
            );
        }
        for route in ["", "/", "/orders", "/orders/17:cancel", "/a<b"] {
            assert_eq!(last_parameter_at(route), None, "{route}");
        }
    }

    #[test]
    fn numbered_words_of_a_search_stay_words() {
        assert_eq!(words("/orders/order-17"), words("/orders/order-18"));
        assert_ne!(words("/api/users12"), words("/api/keys13"));
        assert_eq!(words("/a/0b9f41d2"), words("/a/77aa01c3"));
        assert_eq!(words("/a/17"), words("/a/18"));
    }
}
