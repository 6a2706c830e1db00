//! What handlers take out of a request: a JSON body, the query, a name in the path; strictly.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use bytes::Bytes;
use http::{StatusCode, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use token::json;
use utoipa::IntoParams;

use crate::problem::Problem;

/// The longest body that is read, in bytes.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;
const MAX_PAGE: usize = 1000;
const USUAL_PAGE: usize = 100;

/// A JSON object as `T`.
pub(crate) struct Body<T>(pub(crate) T);

/// The query as `T`.
pub(crate) struct Query<T>(pub(crate) T);

/// The one variable segment of the path.
pub(crate) struct Segment(pub(crate) String);

/// Two variable segments of the path.
pub(crate) struct TwoSegments(pub(crate) String, pub(crate) String);

/// How many rows a page has.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "usize")]
pub(crate) struct Limit(usize);

/// Which page of a list that goes forwards.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    /// What an earlier page gave as `next`.
    pub(crate) after: Option<String>,
    /// At most this many, 1 to 1000; 100 when it is not given.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    pub(crate) limit: Limit,
}

/// Which page of a list that goes backwards in time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Before {
    /// What an earlier page gave as `next`.
    pub(crate) before: Option<String>,
    /// At most this many, 1 to 1000; 100 when it is not given.
    #[serde(default)]
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    pub(crate) limit: Limit,
}

// === impl Body ===

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let mut kinds = request.headers().get_all(header::CONTENT_TYPE).iter();
        let (kind, second) = (kinds.next(), kinds.next());
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if second.is_some() || !essence.eq_ignore_ascii_case("application/json") {
            let words = "the body must be sent once, as `application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                let words = format!("the body is larger than {MAX_BODY_BYTES} bytes");
                return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, words);
            }
            Problem::bad_request("the body could not be read to its end")
        })?;
        let parsed = json::parse(&bytes);
        parsed.map(Self).map_err(|error| Problem::bad_request(format_args!("the body is {error}")))
    }
}

// === impl Query ===

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|error| Problem::bad_request(error.body_text()))
    }
}

// === impl Segment ===

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|error| Problem::bad_request(error.body_text()))
    }
}

// === impl TwoSegments ===

impl<S: Send + Sync> FromRequestParts<S> for TwoSegments {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let two = path.map(|Path((first, second))| Self(first, second));
        two.map_err(|error| Problem::bad_request(error.body_text()))
    }
}

// === impl Limit ===

impl Limit {
    /// The number of rows.
    pub(crate) fn rows(self) -> usize {
        self.0
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self(USUAL_PAGE)
    }
}

impl TryFrom<usize> for Limit {
    type Error = &'static str;

    fn try_from(rows: usize) -> Result<Self, Self::Error> {
        if (1..=MAX_PAGE).contains(&rows) { Ok(Self(rows)) } else { Err("must be 1 to 1000") }
    }
}

/// A position in a log, as `before` and paths have it.
///
/// # Errors
/// A [`Problem`] that names the parameter.
pub(crate) fn position(name: &str, text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::bad_request(format_args!("`{name}` must be a whole number")))
}

/// A member that may be left out, be `null`, or have a value.
pub(crate) fn given<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}
