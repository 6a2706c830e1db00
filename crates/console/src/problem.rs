//! The one form of refusal: problem details (RFC 9457).

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

/// Problem details (RFC 9457 §3.1). `type` is `about:blank`: the status says what kind it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    /// The status code.
    #[schema(value_type = u16)]
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    /// What is wrong, and how to mend it.
    detail: String,
    #[serde(skip)]
    #[schema(ignore)]
    field: Option<Box<(HeaderName, HeaderValue)>>,
}

// === impl Problem ===

impl Problem {
    /// A refusal that says what is wrong and how to mend it.
    pub(crate) fn new(status: StatusCode, detail: impl ToString) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            detail: detail.to_string(),
            field: None,
        }
    }

    /// A request that cannot be understood, or that asks for what cannot be.
    pub(crate) fn bad_request(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Nothing of this name.
    pub(crate) fn unknown(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format_args!("there is no such {what}"))
    }

    /// What is asked for does not go together with how things are.
    pub(crate) fn conflict(detail: impl ToString) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// A defect of ours: the cause goes to the log alone.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "the admin API could not answer");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "this failed; the server's log says why")
    }

    /// The same with a field in the answer's header.
    pub(crate) fn with_field(self, name: HeaderName, value: &str) -> Self {
        let field = HeaderValue::from_str(value).ok().map(|value| Box::new((name, value)));
        Self { field, ..self }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let fields = response.headers_mut();
        let kind = HeaderValue::from_static("application/problem+json");
        fields.insert(header::CONTENT_TYPE, kind);
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(field) = self.field {
            fields.insert(field.0, field.1);
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NameTaken { .. } => Self::conflict(error),
            StoreError::Overloaded => Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
                .with_field(header::RETRY_AFTER, "1"),
            other => Self::internal(&other),
        }
    }
}

fn as_number<S: serde::Serializer>(status: &StatusCode, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u16(status.as_u16())
}
