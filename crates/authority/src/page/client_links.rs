//! What an application says of itself elsewhere: links for the pages on which people meet it (OpenID Connect Dynamic Client Registration 1.0 §2).

use store::Client;
use token::json;

use crate::language::Text;
use crate::language::words::Words;

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientLink {
    pub(super) words: String,
    pub(super) address: String,
}

/// The links of a client, only such as lead to a place by TLS. A logo is not among them: it would be fetched
/// from the application's host before anybody has agreed to anything.
pub(super) fn of(client: &Client, words: &Words) -> Vec<ClientLink> {
    let words = &words.common;
    let shown = [
        ("client_uri", &words.about),
        ("policy_uri", &words.privacy_policy),
        ("tos_uri", &words.terms),
    ];
    // Written by the registration as an object; anything else has nothing to show.
    let members = json::parse_object(client.metadata.as_bytes()).unwrap_or_default();
    let link = |(name, words): (&str, &Text)| {
        let address = members.get(name)?.as_str().filter(|uri| uri.starts_with("https://"))?;
        Some(ClientLink { words: words.into(), address: address.to_owned() })
    };
    shown.into_iter().filter_map(link).collect()
}
