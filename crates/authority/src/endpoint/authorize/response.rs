//! The answer on its way to the client: by redirect or form, plain or signed (RFC 6749 §4.1.2, JARM).

use std::collections::BTreeMap;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use store::Client;
use token::id::ClientId;
use token::jwk::BadKey;
use token::secret::Secret;
use token::term::{parameter, token_type};

use super::return_to::ReturnTo;
use crate::endpoint::document;
use crate::endpoint::visit::Visit;
use crate::oauth_error::OAuthError;
use crate::page::form_post::FormPostPage;
use crate::rule::response_type::Carrier;
use crate::signed_answer;

/// How long a signed answer may be under way (JARM §2.1 recommends at most ten minutes).
const LIFE: Duration = Duration::from_mins(1);

/// JARM §2.1.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a ClientId,
    exp: i64,
    iat: i64,
    #[serde(flatten)]
    answer: BTreeMap<&'a str, &'a str>,
}

/// A code.
pub(super) fn code(
    visit: &Visit,
    client: &Client,
    return_to: &ReturnTo,
    code: &Secret,
) -> Response {
    send(visit, client, return_to, &[(parameter::CODE, code.expose())])
}

/// A refusal.
pub(super) fn refusal(
    visit: &Visit,
    client: &Client,
    return_to: &ReturnTo,
    error: &OAuthError,
) -> Response {
    let answer = [
        (parameter::ERROR, error.code.as_str()),
        (parameter::ERROR_DESCRIPTION, error.description.as_str()),
    ];
    send(visit, client, return_to, &answer)
}

fn send(visit: &Visit, client: &Client, return_to: &ReturnTo, answer: &[(&str, &str)]) -> Response {
    let issuer = visit.authority.settings().issuer.as_str();
    let mut answer = answer.to_vec();
    answer.extend(return_to.state().map(|state| (parameter::STATE, state)));
    let signed;
    if return_to.mode().signed {
        signed = match sign(visit, client, &answer) {
            Ok(signed) => signed,
            Err(error) => return document::failed(&error),
        };
        answer = vec![(parameter::RESPONSE, &signed)];
    } else {
        // RFC 9207: every answer says whose it is.
        answer.push((parameter::ISS, issuer));
    }
    match return_to.mode().carrier {
        Carrier::FormPost => {
            let page = FormPostPage::new(&visit.reader(), return_to.uri(), &answer);
            document::page(StatusCode::OK, page.finish())
        }
        Carrier::Fragment => document::see_other(&return_to.with_fragment(&answer)),
        Carrier::Query => document::see_other(&return_to.with_query(&answer)),
    }
}

fn sign(visit: &Visit, client: &Client, answer: &[(&str, &str)]) -> Result<String, BadKey> {
    let claims = Claims {
        iss: &visit.authority.settings().issuer,
        aud: &client.id,
        exp: visit.now.plus(LIFE).as_secs(),
        iat: visit.now.as_secs(),
        answer: answer.iter().copied().collect(),
    };
    let options = &client.options;
    let (wanted, kind) = (options.authorization_signed_response_alg, token_type::ID_TOKEN);
    let signed = signed_answer::sign(&visit.authority, options, wanted, kind, &claims)?;
    signed_answer::encrypt(options, options.authorization_encrypted_response_alg, signed)
}
