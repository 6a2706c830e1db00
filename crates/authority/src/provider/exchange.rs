//! Speaking to a provider: where somebody is sent, what their code brings, and who they are there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, HeaderValue};
use remote::issuer::DiscoveryError;
use remote::{FetchError, Fetched, Fetcher};
use serde_json::{Map, Value, json};
use token::json;
use token::jws::{self, Jws};
use token::key::PrivateKey;
use token::kind::IdToken;
use token::secret::Secret;
use token::term::parameter;
use token::time::Timestamp;
use token::verify::{self, Policy, Refusal};
use url::Url;

use super::answer::{TokenAnswer, Tokens, primary_address};
use super::mapping::SignIn;
use super::places::Places;
use super::trip::Trip;
use super::{ClientAuth, Protocol, Provider, Vouched};
use crate::client_auth::assertion;
use crate::foreign::{self, KeySource, LEEWAY};
use crate::rule::fresh::{Fresh, NotFresh};
use crate::rule::prompt;
use crate::state::Authority;

/// An ID token that was made for this sign-in is not older.
const OLDEST_ID_TOKEN: std::time::Duration = std::time::Duration::from_mins(10);

/// It is used at once.
const ASSERTION_LIFE: std::time::Duration = std::time::Duration::from_mins(1);

/// Why a provider's word is not had, or not believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderFailed {
    /// It is not what the protocol has there.
    #[error("the provider's answer has no usable `{0}`")]
    Answer(&'static str),
    /// The metadata cannot be had.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The provider cannot be reached.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// Nothing may be fetched at all.
    #[error("this server fetches nothing: it was started without a fetcher")]
    NoFetcher,
    /// The ID token is not good.
    #[error("the provider's ID token is refused: {0}")]
    IdToken(#[from] Refusal),
    /// The answer is another provider's (RFC 9207 §2.4).
    #[error("the answer names another issuer than the provider's, or none although it always does")]
    Issuer,
    /// The metadata lacks something.
    #[error("the provider's metadata has no `{0}`")]
    NoPlace(&'static str),
    /// Too old.
    #[error(transparent)]
    NotFresh(#[from] NotFresh),
    /// The provider says no, with this code of RFC 6749 §5.2.
    #[error("the provider refuses: `{0}`")]
    Refused(String),
    /// UserInfo is about somebody else (OpenID Connect Core 1.0 §5.3.2).
    #[error("the provider's UserInfo is about another person than its ID token")]
    Subject,
    /// Our own word to the provider.
    #[error("our key did not sign who we are at the provider")]
    Unsigned,
}

/// What a sign-in at a provider has to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// How fresh.
    pub(crate) fresh: Fresh,
    /// Whether two factors are asked for.
    pub(crate) two_factors: bool,
    /// Who is probably meant.
    pub(crate) hint: Option<String>,
}

/// Where somebody is sent (RFC 6749 §4.1.1, OpenID Connect Core 1.0 §3.1.2.1).
pub(crate) fn authorization_url(
    provider: &Provider,
    places: &Places,
    trip: &Trip,
    callback: &str,
    wanted: &Wanted,
) -> Url {
    let mut url = places.authorization.clone();
    let mut query = url.query_pairs_mut();
    query
        .append_pair(parameter::RESPONSE_TYPE, "code")
        .append_pair(parameter::CLIENT_ID, &provider.client_id)
        .append_pair(parameter::REDIRECT_URI, callback)
        .append_pair(parameter::STATE, &trip.state)
        .append_pair(parameter::CODE_CHALLENGE, &trip.challenge())
        .append_pair(parameter::CODE_CHALLENGE_METHOD, "S256");
    if !provider.scopes.is_empty() {
        query.append_pair(parameter::SCOPE, &provider.scopes);
    }
    if let Some(hint) = &wanted.hint {
        query.append_pair(parameter::LOGIN_HINT, hint);
    }
    if matches!(provider.protocol, Protocol::OpenId { .. }) {
        query.append_pair(parameter::NONCE, &trip.nonce);
        if wanted.fresh.anew {
            query.append_pair(parameter::PROMPT, prompt::LOGIN);
        }
        // With it the ID token says when it was (§2), which `prompt` alone does not ask for.
        if wanted.fresh.is_asked() {
            let most = wanted.fresh.max_age.unwrap_or_default().as_secs();
            query.append_pair(parameter::MAX_AGE, &most.to_string());
        }
        if wanted.two_factors && !provider.trust_acr.is_empty() {
            query.append_pair(parameter::ACR_VALUES, &provider.trust_acr.join(" "));
        }
    }
    drop(query);
    url
}

/// Checks whose answer it is (RFC 9207 §2.4).
///
/// # Errors
/// [`ProviderFailed::Issuer`] for another provider's.
pub(crate) fn check_issuer(
    provider: &Provider,
    places: &Places,
    iss: Option<&str>,
) -> Result<(), ProviderFailed> {
    let Protocol::OpenId { issuer } = &provider.protocol else { return Ok(()) };
    match iss {
        Some(iss) if iss == issuer => Ok(()),
        None if !places.names_issuer => Ok(()),
        _ => Err(ProviderFailed::Issuer),
    }
}

/// Redeems a code, and finds out whose it is.
///
/// # Errors
/// [`ProviderFailed`] with the first rule broken.
pub(crate) async fn vouch(
    authority: &Authority,
    provider: &Provider,
    places: &Places,
    trip: &Trip,
    code: &str,
    now: Timestamp,
) -> Result<Vouched, ProviderFailed> {
    let fetcher = authority.fetcher().ok_or(ProviderFailed::NoFetcher)?;
    let callback = authority.settings().url(&provider.callback_path());
    let tokens = redeem(fetcher, provider, places, trip, (code, &callback), now).await?;
    let kept = provider.keep_tokens.then(|| tokens.kept());
    let (claims, sign_in) = match &provider.protocol {
        Protocol::OAuth(oauth) => {
            let claims = userinfo(fetcher, places, &tokens.access).await?;
            let listed = match &places.emails {
                Some(url) => {
                    let list = fetcher.get_as(url, tokens.access.expose()).await?;
                    primary_address(&list.body)?
                }
                None => None,
            };
            let subject = name_of(oauth.subject.find(&claims));
            let subject = subject.ok_or(ProviderFailed::Answer("subject"))?;
            (claims, SignIn { subject, listed, ..SignIn::default() })
        }
        Protocol::OpenId { issuer } => {
            let (mut claims, sign_in) =
                read_id_token(authority, provider, places, issuer, trip, &tokens, now).await?;
            if places.userinfo.is_some() && !provider.is_complete(&claims) {
                let told = userinfo(fetcher, places, &tokens.access).await?;
                if told.get("sub").and_then(Value::as_str) != Some(sign_in.subject.as_str()) {
                    return Err(ProviderFailed::Subject);
                }
                for (name, value) in told {
                    claims.entry(name).or_insert(value);
                }
            }
            (claims, sign_in)
        }
    };
    Ok(provider.vouched(&claims, SignIn { tokens: kept, ..sign_in }))
}

async fn redeem(
    fetcher: &Fetcher,
    provider: &Provider,
    places: &Places,
    trip: &Trip,
    (code, callback): (&str, &str),
    now: Timestamp,
) -> Result<Tokens, ProviderFailed> {
    let assertion = match &provider.client_auth {
        ClientAuth::PrivateKey { key, for_endpoint } => {
            let audience = match &provider.protocol {
                Protocol::OpenId { issuer } if !for_endpoint => issuer,
                Protocol::OpenId { .. } | Protocol::OAuth(_) => places.token.as_str(),
            };
            Some(signed_word(key, provider, audience, trip, now)?)
        }
        ClientAuth::None | ClientAuth::Secret(_) => None,
    };
    let (form, headers) = code_request(provider, places, trip, (code, callback), assertion);
    let answer: Fetched = fetcher.post_form(&places.token, form, headers).await?;
    match TokenAnswer::read(&answer.body, now) {
        Ok(tokens) if answer.status.is_success() => Ok(tokens),
        Err(refused @ ProviderFailed::Refused(_)) => Err(refused),
        Err(failed) if answer.status.is_success() => Err(failed),
        _ => {
            let (url, status) = (places.token.to_string(), answer.status);
            Err(FetchError::Status { url, status }.into())
        }
    }
}

/// The form that redeems a code (RFC 6749 §4.1.3, RFC 7636 §4.5), and the fields beside it.
fn code_request(
    provider: &Provider,
    places: &Places,
    trip: &Trip,
    (code, callback): (&str, &str),
    assertion: Option<String>,
) -> (String, HeaderMap) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair(parameter::GRANT_TYPE, "authorization_code")
        .append_pair(parameter::CODE, code)
        .append_pair(parameter::REDIRECT_URI, callback)
        .append_pair(parameter::CODE_VERIFIER, &trip.verifier);
    // GitHub answers with a form to whoever does not ask for JSON.
    let accept = HeaderValue::from_static("application/json");
    let mut headers = HeaderMap::from_iter([(ACCEPT, accept)]);
    match &provider.client_auth {
        ClientAuth::Secret(secret) if !places.secret_in_form => {
            headers.insert(AUTHORIZATION, basic(&provider.client_id, secret));
            return (form.finish(), headers);
        }
        ClientAuth::Secret(secret) => {
            form.append_pair(parameter::CLIENT_SECRET, secret.expose());
        }
        ClientAuth::None | ClientAuth::PrivateKey { .. } => {}
    }
    form.append_pair(parameter::CLIENT_ID, &provider.client_id);
    if let Some(assertion) = assertion {
        form.append_pair(parameter::CLIENT_ASSERTION_TYPE, assertion::TYPE)
            .append_pair(parameter::CLIENT_ASSERTION, &assertion);
    }
    (form.finish(), headers)
}

/// Who we are, signed for this one code (RFC 7523 §3).
fn signed_word(
    key: &PrivateKey,
    provider: &Provider,
    audience: &str,
    trip: &Trip,
    now: Timestamp,
) -> Result<String, ProviderFailed> {
    let claims = json!({
        "iss": provider.client_id,
        "sub": provider.client_id,
        "aud": audience,
        // A trip redeems one code.
        "jti": trip.assertion_id(),
        "iat": now.as_secs(),
        "exp": now.plus(ASSERTION_LIFE).as_secs(),
    });
    let signed = jws::sign(key, "JWT", claims.to_string().as_bytes());
    signed.map_err(|_| ProviderFailed::Unsigned)
}

/// RFC 6749 §2.3.1: both parts are encoded before they are joined.
fn basic(id: &str, secret: &Secret) -> HeaderValue {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = STANDARD.encode(format!("{}:{}", encode(id), encode(secret.expose())));
    let mut field = HeaderValue::from_str(&format!("Basic {pair}"))
        .unwrap_or_else(|_| HeaderValue::from_static(""));
    field.set_sensitive(true);
    field
}

/// The claims of the ID token that came with a code (OpenID Connect Core 1.0 §3.1.3.7).
async fn read_id_token(
    authority: &Authority,
    provider: &Provider,
    places: &Places,
    issuer: &str,
    trip: &Trip,
    tokens: &Tokens,
    now: Timestamp,
) -> Result<(Map<String, Value>, SignIn), ProviderFailed> {
    let text = tokens.id.as_ref().ok_or(ProviderFailed::Answer("id_token"))?.expose();
    let source = KeySource { issuer: issuer.to_owned(), jwks_uri: places.jwks.clone(), keys: None };
    let keys = foreign::keys(authority, &source, text).await;
    let policy = Policy::new(issuer, provider.client_id.as_str())
        .leeway(LEEWAY)
        .max_age(OLDEST_ID_TOKEN)
        .nonce(trip.nonce.as_str());
    let verified = verify::verify::<IdToken>(text, &keys, &policy, now)?;
    // Verified just now: what follows reads all of what `IdToken` names in part.
    let jws = Jws::parse(text).map_err(Refusal::from)?;
    let claims = json::parse_object(jws.unverified_payload()).map_err(|_| Refusal::Payload)?;
    let token = verified.claims();
    let sign_in = SignIn {
        subject: token.sub.clone(),
        session: token.sid.clone(),
        // Nobody has signed in later than now, whatever a provider's clock says.
        auth_time: token.auth_time.map(|at| Timestamp::from_secs(at).min(now)),
        acr: token.acr.clone(),
        amr: token.amr.clone(),
        ..SignIn::default()
    };
    Ok((claims, sign_in))
}

async fn userinfo(
    fetcher: &Fetcher,
    places: &Places,
    token: &Secret,
) -> Result<Map<String, Value>, ProviderFailed> {
    let url = places.userinfo.as_ref().ok_or(ProviderFailed::NoPlace("userinfo_endpoint"))?;
    let answer = fetcher.get_as(url, token.expose()).await?;
    json::parse_object(&answer.body).map_err(|_| ProviderFailed::Answer("UserInfo"))
}

/// A name is a text, or a number as GitHub has it.
fn name_of(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() && text.len() <= 255 => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

// === impl ProviderFailed ===

impl ProviderFailed {
    /// A refusal, as far as it can be shown.
    pub(crate) fn refused(code: &str) -> Self {
        let plain = |byte: &u8| byte.is_ascii_graphic();
        Self::Refused(code.bytes().filter(plain).take(64).map(char::from).collect())
    }

    /// What events call it.
    pub(crate) fn event_result(&self) -> &'static str {
        match self {
            Self::Discovery(_)
            | Self::Fetch(_)
            | Self::NoFetcher
            | Self::NoPlace(_)
            | Self::Unsigned => "error",
            Self::Refused(code) if code == "access_denied" => "cancelled",
            Self::Answer(_)
            | Self::IdToken(_)
            | Self::Issuer
            | Self::NotFresh(_)
            | Self::Refused(_)
            | Self::Subject => "bad_provider_answer",
        }
    }
}
