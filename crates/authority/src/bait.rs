//! Bait among what is shown to the authority: refresh tokens, secrets and tokens that nobody was given.

use http::{HeaderMap, Method, StatusCode};
use token::event::{EventKind, Request, TokenKind, Who};
use token::honeytoken::passed_on_by_site;
use token::id::{ClientId, TokenId};
use token::reason::Reason;
use token::time::Timestamp;

use crate::caller::Caller;
use crate::client_auth::{AuthenticatedClient, ClientAuthRefused};
use crate::state::Authority;

/// The field by which browsers say who has them send a request (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// A place where something is shown, and what its request gets as an answer, whether or not it is bait.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    path: &'static str,
    status: StatusCode,
}

/// Where tokens are got.
pub(crate) const TOKEN: Place = Place { path: "/token", status: StatusCode::BAD_REQUEST };
/// Where clients ask about tokens.
pub(crate) const INTROSPECT: Place = Place { path: "/introspect", status: StatusCode::OK };
/// Where clients take tokens back.
pub(crate) const REVOKE: Place = Place { path: "/revoke", status: StatusCode::OK };

/// Who asks about a token.
#[derive(Clone, Copy)]
pub(crate) enum Asking<'c> {
    /// Nobody in particular: they hold what they show.
    Anybody,
    /// A client of ours that has shown who it is.
    Client(&'c ClientId),
    /// One that may be a client of ours, and could not show it now.
    Unproven,
}

// === impl Asking ===

impl<'c> Asking<'c> {
    /// By what came of authenticating. A public client is whoever says its name.
    pub(crate) fn of(outcome: &'c Result<AuthenticatedClient, ClientAuthRefused>) -> Self {
        match outcome {
            Ok(client) if client.is_public() => Self::Anybody,
            Ok(client) => Self::Client(client.id()),
            Err(ClientAuthRefused::NoCredentials | ClientAuthRefused::UnknownClient) => {
                Self::Anybody
            }
            Err(_) => Self::Unproven,
        }
    }
}

// === impl Place ===

impl Place {
    /// Tells the watcher when a value is bait. The answer says nothing of it: it is that to any unknown value.
    pub(crate) fn look_at(
        self,
        authority: &Authority,
        caller: &Caller,
        headers: &HeaderMap,
        value: &str,
        now: Timestamp,
    ) {
        if let Some(name) = authority.store().honeytokens().find(value) {
            self.tell(authority, caller, &name, site(headers), now);
        }
    }

    /// The same of a value that a client was shown by somebody else, who is known to it alone.
    pub(crate) fn look_at_from(
        self,
        asking: Asking<'_>,
        authority: &Authority,
        caller: &Caller,
        headers: &HeaderMap,
        value: &str,
        now: Timestamp,
    ) {
        let Some(name) = authority.store().honeytokens().find(value) else { return };
        let by = match asking {
            Asking::Anybody => return self.tell(authority, caller, &name, site(headers), now),
            Asking::Client(client) => format!("client:{client}"),
            Asking::Unproven => "unproven".to_owned(),
        };
        self.tell(authority, &Caller::default(), &name, Some(by.into()), now);
    }

    fn tell(
        self,
        authority: &Authority,
        caller: &Caller,
        name: &TokenId,
        passed_on_by: Option<Box<str>>,
        now: Timestamp,
    ) {
        let who = Who { claimed_token: Some(name.to_string()), ..Who::default() };
        let request = Request {
            token_kind: TokenKind::Opaque,
            method: Method::POST.to_string(),
            path: self.path.to_owned(),
            route: Some(self.path.to_owned()),
            status: self.status.as_u16(),
            refused: Some(Reason::Honeytoken.into()),
            passed_on_by,
            ..Request::default()
        };
        authority.emit(caller, who, EventKind::Request(request), now);
    }
}

fn site(headers: &HeaderMap) -> Option<Box<str>> {
    let site = headers.get(SEC_FETCH_SITE).and_then(|site| site.to_str().ok());
    passed_on_by_site(site).map(Into::into)
}
