//! What a field is for, told by its name where no description of the API says it.

use crate::finding::Place;

/// Whole names of fields that hold one word of a closed kind.
const NAMES: [&str; 26] = [
    "country",
    "currency",
    "cursor",
    "date",
    "direction",
    "enabled",
    "format",
    "guid",
    "id",
    "lang",
    "language",
    "limit",
    "locale",
    "offset",
    "order",
    "order_by",
    "page",
    "page_size",
    "per_page",
    "size",
    "sort",
    "sort_by",
    "status",
    "timezone",
    "uuid",
    "version",
];
/// Ends of such names.
const ENDS: [&str; 6] = ["_id", "_ids", "-id", "_uuid", "_at", "_count"];

/// Whether an identifier, a number, a date or a word of a list belongs at `place`.
pub(crate) fn is_identifier(place: &Place) -> bool {
    let name = match place {
        Place::Body | Place::Header(_) | Place::Path(_) => return false,
        Place::Cookie(name) | Place::Query(name) => name,
        Place::BodyMember(path) => last_member(path),
    };
    let camel = name.len() > 2 && name.ends_with("Id");
    let lower = name.to_ascii_lowercase();
    camel || NAMES.binary_search(&&*lower).is_ok() || ENDS.iter().any(|end| lower.ends_with(end))
}

/// Ends of names of fields that hold the address of something to be fetched or told.
const ADDRESS_ENDS: [&str; 7] = ["url", "uri", "href", "webhook", "callback", "endpoint", "proxy"];

/// Whether the address of something belongs in a field of this name.
pub(crate) fn is_for_addresses(name: &str) -> bool {
    let Some(last) = name.as_bytes().last().map(u8::to_ascii_lowercase) else { return false };
    // Every field is asked, so most are told by their last letter.
    if !matches!(last, b'f' | b'i' | b'k' | b'l' | b't' | b'y') {
        return false;
    }
    ADDRESS_ENDS.iter().any(|end| {
        end.as_bytes().last() == Some(&last)
            && name.len().checked_sub(end.len()).is_some_and(|start| {
                name.get(start..).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
            })
    })
}

/// `id` of `$.items[2].id` and of `filter[id]`.
pub(crate) fn last_member(path: &str) -> &str {
    let member = path.rsplit('.').next().unwrap_or(path);
    let member = member.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']'));
    member.rsplit('[').next().unwrap_or(member)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_identifiers() {
        assert!(NAMES.is_sorted());
        let member = |path: &str| is_identifier(&Place::BodyMember(path.to_owned()));
        assert!(member("$.items[2].id") && member("$.customerId") && member("filter[status]"));
        assert!(member("$.ids_of.order_ids[0]") && is_identifier(&Place::Query("sort".to_owned())));
        assert!(is_for_addresses("url") && is_for_addresses("callbackURL"));
        assert!(!is_for_addresses("curly") && !is_for_addresses("ur") && !is_for_addresses("host"));
        assert!(!member("$.note") && !member("$") && !is_identifier(&Place::Path(1)));
    }
}
