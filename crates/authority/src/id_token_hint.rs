//! An ID token that comes back to say whom a request is about (OpenID Connect Core 1.0 §3.1.2.1).

use serde_json::Value;
use token::id::{ClientId, SessionId, SubjectId};
use token::json;
use token::jws::Jws;
use token::kind::IdToken;
use token::time::Timestamp;
use token::verify::{Policy, verify};

use crate::state::Authority;

/// An ID token that we issued, however long ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hint {
    /// Whom it was about.
    pub(crate) subject: SubjectId,
    /// To whom it was issued.
    pub(crate) client: ClientId,
    /// The sign-in session.
    pub(crate) session: Option<SessionId>,
}

/// Reads one; `None` when it is not ours.
pub(crate) fn read(authority: &Authority, text: &str) -> Option<Hint> {
    let jws = Jws::parse(text).ok()?;
    let members = json::parse_object(jws.unverified_payload()).ok()?;
    let client = ClientId::from(members.get("aud").and_then(Value::as_str)?);
    // That it is over does not matter (OpenID Connect RP-Initiated Logout 1.0 §2): it is judged as of
    // when it was issued, which its signature vouches for.
    let issued = Timestamp::from_secs(members.get("iat").and_then(Value::as_i64)?);
    let policy = Policy::new(authority.settings().issuer.as_str(), client.as_str());
    let keys = authority.keys().keyring().current();
    let token = verify::<IdToken>(text, &keys, &policy, issued).ok()?;
    let claims = token.claims();
    Some(Hint {
        subject: claims.sub.as_str().into(),
        session: claims.sid.as_deref().map(SessionId::from),
        client,
    })
}
