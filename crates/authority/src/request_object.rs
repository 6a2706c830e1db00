//! Signed authorization requests (RFC 9101): a request object → the parameters in it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use store::Client;
use token::jws::Jws;
use token::kind::RequestObject;
use token::term::{OAuthErrorCode, parameter};
use token::time::Timestamp;
use token::verify::{Policy, Refusal, verify};

use crate::oauth_error::OAuthError;
use crate::parameters::{Parameters, ParametersRefused};
use crate::rule::profile;
use crate::state::Authority;

/// How far clocks may differ.
const LEEWAY: Duration = Duration::from_secs(30);
/// The life that FAPI 2.0 Message Signing §5.3.1 leaves to an object, and how old it may be.
const LONGEST_LIFE: Duration = Duration::from_secs(3600);

/// Claims of the object itself, which are no parameters.
const OWN: [&str; 7] = ["iss", "aud", "exp", "nbf", "iat", "jti", "sub"];

/// Why a request object is refused.
#[derive(Debug, thiserror::Error)]
pub enum RequestObjectRefused {
    /// FAPI 2.0 Message Signing §5.3.1.
    #[error("the request object must have `nbf`, at most an hour ago, under FAPI 2.0")]
    Beginning,
    /// FAPI 2.0 Message Signing §5.3.1.
    #[error("the request object's `exp` must be at most an hour after its `nbf` under FAPI 2.0")]
    Life,
    /// A parameter whose value has a type that no parameter has.
    #[error("the request object's `{0}` has a type that no parameter has")]
    Member(String),
    /// Its parameters cannot be read.
    #[error("the request object: {0}")]
    Parameters(#[from] ParametersRefused),
    /// It is not good.
    #[error("the request object is refused: {0}")]
    Token(#[from] Refusal),
}

/// The parameters in a request object of this client; those beside it do not count (§6.3).
///
/// # Errors
/// [`RequestObjectRefused`] with the first rule that it breaks.
pub(crate) async fn open(
    authority: &Authority,
    client: &Arc<Client>,
    text: &str,
    now: Timestamp,
) -> Result<Parameters, RequestObjectRefused> {
    let kid = Jws::parse(text).ok().and_then(|jws| jws.header().kid.named().map(str::to_owned));
    let keys = authority.client_keys().of(client, kid.as_deref()).await;
    let issuer = authority.settings().issuer.as_str();
    let mut policy = Policy::new(client.id.as_str(), issuer).leeway(LEEWAY);
    let fapi2 = profile::is_fapi2(authority.settings(), &client.options);
    if fapi2 {
        policy = policy.algorithms(&profile::ALGORITHMS);
    }
    if let Some(algorithm) = client.options.request_object_signing_alg {
        policy = policy.algorithms(&[algorithm]);
    }
    let object = verify::<RequestObject>(text, &keys, &policy, now)?;
    if fapi2 {
        check_life(object.claims(), now)?;
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &object.claims().parameters {
        if OWN.contains(&name.as_str()) {
            continue;
        }
        for text in texts(name, value)? {
            query.append_pair(name, &text);
        }
    }
    query.append_pair(parameter::CLIENT_ID, client.id.as_str());
    Ok(Parameters::parse(&query.finish())?)
}

/// FAPI 2.0 Message Signing §5.3.1: an object of now, for now.
fn check_life(claims: &RequestObject, now: Timestamp) -> Result<(), RequestObjectRefused> {
    let begins = claims.nbf.map(Timestamp::from_secs).ok_or(RequestObjectRefused::Beginning)?;
    if begins.plus(LONGEST_LIFE) < now {
        return Err(RequestObjectRefused::Beginning);
    }
    if Timestamp::from_secs(claims.exp) > begins.plus(LONGEST_LIFE) {
        return Err(RequestObjectRefused::Life);
    }
    Ok(())
}

impl From<RequestObjectRefused> for OAuthError {
    fn from(refused: RequestObjectRefused) -> Self {
        Self::new(OAuthErrorCode::InvalidRequestObject, refused.to_string())
    }
}

fn texts(name: &str, value: &Value) -> Result<Vec<String>, RequestObjectRefused> {
    let wrong = || RequestObjectRefused::Member(name.chars().take(64).collect());
    Ok(match value {
        Value::Null => Vec::new(),
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(list) if name == parameter::RESOURCE => {
            let texts = list.iter().map(|one| one.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(wrong)?
        }
        // RFC 9101 §4: what is JSON by itself stands there as JSON.
        Value::Array(_) | Value::Object(_) => vec![value.to_string()],
        Value::Bool(_) => return Err(wrong()),
    })
}
