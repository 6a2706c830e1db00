//! From a decision to `CheckResponse`.

use envoy_types::ext_authz::v3::pb::{
    CheckResponse, DeniedHttpResponse, HeaderAppendAction, HeaderValue, HeaderValueOption,
    HttpResponse, HttpStatus, OkHttpResponse,
};
use envoy_types::pb::google::rpc::Status;
use gateway::checker::{Allowed, Decision};
use http::{HeaderName, Response};
use tonic::Code;

/// The message.
pub(crate) fn of(decision: Decision) -> CheckResponse {
    let (code, response) = match decision {
        Decision::Allowed(allowed) => (Code::Ok, HttpResponse::OkResponse(ok(&allowed))),
        Decision::Refused(answer) => {
            (Code::PermissionDenied, HttpResponse::DeniedResponse(denied(answer)))
        }
    };
    CheckResponse {
        status: Some(Status { code: code.into(), ..Status::default() }),
        http_response: Some(response),
        ..CheckResponse::default()
    }
}

fn ok(allowed: &Allowed) -> OkHttpResponse {
    let set = HeaderAppendAction::OverwriteIfExistsOrAdd;
    OkHttpResponse {
        headers: allowed.set().map(|(name, value)| field(name, value, set)).collect(),
        headers_to_remove: allowed.remove().iter().map(|name| name.as_str().to_owned()).collect(),
        response_headers_to_add: allowed
            .limits()
            .iter()
            .map(|(name, value)| field(name, value, HeaderAppendAction::AppendIfExistsOrAdd))
            .chain(allowed.name().map(|(name, value)| field(name, value, set)))
            .collect(),
        ..OkHttpResponse::default()
    }
}

fn denied(answer: Response<String>) -> DeniedHttpResponse {
    let (head, body) = answer.into_parts();
    let add = HeaderAppendAction::AppendIfExistsOrAdd;
    DeniedHttpResponse {
        // The enumeration's values are the numbers of HTTP.
        status: Some(HttpStatus { code: i32::from(head.status.as_u16()) }),
        headers: head.headers.iter().map(|(name, value)| field(name, value, add)).collect(),
        body,
    }
}

fn field(
    name: &HeaderName,
    value: &http::HeaderValue,
    action: HeaderAppendAction,
) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue {
            key: name.as_str().to_owned(),
            value: value.to_str().unwrap_or_default().to_owned(),
            ..HeaderValue::default()
        }),
        append_action: action.into(),
        ..HeaderValueOption::default()
    }
}
