//! What an application says of itself elsewhere: links for the pages on which people meet it (OpenID Connect Dynamic Client Registration 1.0 §2).

use store::Client;
use token::json;

/// Members of a registration that people are shown, with their words. A logo is not among them: it
/// would be fetched from the application's host before anybody has agreed to anything.
const LINKS: [(&str, &str); 3] =
    [("client_uri", "About"), ("policy_uri", "Privacy policy"), ("tos_uri", "Terms of service")];

/// One of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientLink {
    pub(super) words: &'static str,
    pub(super) address: String,
}

/// The links of a client, only such as lead to a place by TLS.
pub(super) fn of(client: &Client) -> Vec<ClientLink> {
    // Written by the registration as an object; anything else has nothing to show.
    let members = json::parse_object(client.metadata.as_bytes()).unwrap_or_default();
    let link = |(name, words): (&str, &'static str)| {
        let address = members.get(name)?.as_str().filter(|uri| uri.starts_with("https://"))?;
        Some(ClientLink { words, address: address.to_owned() })
    };
    LINKS.into_iter().filter_map(link).collect()
}
