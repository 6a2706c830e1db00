//! Bait where no token belongs: in the query, in a form, or beside another token. The answer is the one that any other
//! text would get there.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use http_body::Body;
use token::honeytoken::{Honeytokens, passed_on_by_site};
use token::reason::Reason;
use token::validate::{Claimed, TokenRefused};

use crate::core::Core;
use crate::form_token;
use crate::present::token_parameters;
use crate::refusal::{Fault, Refusal};
use crate::target::Target;

/// A form that is read for nothing else is no longer than a token and some words, in bytes.
const LONGEST_FORM: u64 = 32 * 1024;
/// The field by which browsers say who has them send a request (Fetch Metadata).
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Bait that was found in a request that is refused for another reason.
pub(crate) struct Bait {
    /// Its name, as that of a token that was refused.
    pub(crate) refused: Arc<TokenRefused>,
    /// Who had a browser send it, where that is not whoever sits there.
    pub(crate) passed_on_by: Option<&'static str>,
}

// === impl Bait ===

impl Bait {
    fn of(
        text: &str,
        honeytokens: &Honeytokens,
        passed_on_by: Option<&'static str>,
    ) -> Option<Self> {
        let token = honeytokens.find(text)?;
        let claimed = Claimed { token: Some(token.to_string()), ..Claimed::default() };
        let refused = TokenRefused {
            refused: Reason::Honeytoken.into(),
            detail: "bait",
            claimed,
            missed: None,
        };
        Some(Self { refused: Arc::new(refused), passed_on_by })
    }

    fn among(parameters: &[u8], core: &Core, headers: &HeaderMap) -> Option<Self> {
        let site = headers.get(SEC_FETCH_SITE).and_then(|site| site.to_str().ok());
        // Any page can have any browser send these, unlike a field.
        let by = passed_on_by_site(site);
        token_parameters(parameters)
            .find_map(|text| Self::of(str::from_utf8(&text).ok()?, &core.honeytokens, by))
    }
}

/// Bait in the head of a request whose credentials are refused as they are.
pub(crate) fn in_head(core: &Core, head: &Parts, target: &Target) -> Option<Bait> {
    if core.honeytokens.is_empty() {
        return None;
    }
    let query = target.query().unwrap_or_default();
    let mut fields: Vec<_> = head.headers.get_all(AUTHORIZATION).iter().collect();
    if let Some(name) = &core.credentials.api_key {
        fields.extend(head.headers.get_all(name));
    }
    let shown = fields.into_iter().filter_map(|field| field.to_str().ok());
    let words = shown.flat_map(|text| text.split([' ', ',']));
    let mut words = words.filter(|word| !word.is_empty());
    Bait::among(query.as_bytes(), core, &head.headers)
        .or_else(|| words.find_map(|word| Bait::of(word, &core.honeytokens, None)))
}

/// Bait in a form that was read.
pub(crate) fn in_form(core: &Core, headers: &HeaderMap, form: &[u8]) -> Option<Bait> {
    if core.honeytokens.is_empty() { None } else { Bait::among(form, core, headers) }
}

/// Looks into a short form for the credential that a request has nowhere else.
pub(crate) async fn refused<B>(
    core: &Core,
    refusal: Refusal,
    headers: &HeaderMap,
    body: &mut B,
) -> Refusal
where
    B: Body<Data = Bytes> + Unpin,
{
    let exact = body.size_hint().exact();
    let is_short = exact.is_some_and(|length| (1..=LONGEST_FORM).contains(&length));
    let is_bare = matches!(refusal.fault(), Fault::NoToken { .. });
    if !is_bare || !is_short || core.honeytokens.is_empty() || !form_token::is_form(headers) {
        return refusal;
    }
    let read = tokio::time::timeout(core.request_limits.body_wait, whole(body));
    match read.await {
        Ok(Some(form)) => refusal.with_bait(in_form(core, headers, &form)),
        Ok(None) | Err(_) => refusal,
    }
}

/// A body that says how long it is, if it comes to its end.
async fn whole<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        if let Some(data) = frame.ok()?.data_ref() {
            whole.extend_from_slice(data);
        }
    }
    Some(whole)
}
