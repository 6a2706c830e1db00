//! The Authorization API 1.0 of OpenID AuthZEN: services describe a case and are told what the policies say.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::engine::Engine;

mod evaluation;

use evaluation::{BadEvaluation, evaluate};

/// Where one case is evaluated (§10.1.1).
pub const EVALUATION: &str = "/access/v1/evaluation";
/// Where several are.
pub const EVALUATIONS: &str = "/access/v1/evaluations";
/// Where it is told what there is (§9.2).
pub const METADATA: &str = "/.well-known/authzen-configuration";
/// The longest body that is read, in bytes.
pub const LONGEST_BODY: usize = 256 * 1024;

/// The most cases of one request.
const MOST_CASES: usize = 200;
/// Comes back as it was sent (§10.1.3).
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What ends a row of cases before all are evaluated (§7.1.2.1).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

/// Why a request as a whole is not answered.
#[derive(Debug, thiserror::Error)]
enum BadRequest {
    #[error("the body must be a JSON object, sent as application/json")]
    Body,
    #[error("{0}")]
    Evaluation(#[from] BadEvaluation),
    #[error("`evaluations` must be an array of objects")]
    Evaluations,
    #[error("`evaluations` has more than {MOST_CASES} cases; send them in parts")]
    TooMany,
    #[error(
        "`options.evaluations_semantic` must be `execute_all`, `deny_on_first_deny` or `permit_on_first_permit`"
    )]
    Semantic,
}

/// Whether this path is one of the API's.
pub fn answers(path: &str) -> bool {
    [EVALUATION, EVALUATIONS, METADATA].contains(&path)
}

// === impl Engine ===

impl Engine {
    /// Answers a request of which [`answers`] is true. `base` is the URL by which services reach it; whether
    /// they may ask was decided before.
    pub fn answer(
        &self,
        base: &str,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Response<Bytes> {
        let mut response = match (path, method) {
            (METADATA, &Method::GET | &Method::HEAD) => json_of(StatusCode::OK, &metadata(base)),
            (METADATA, _) => not_allowed("GET"),
            (_, &Method::POST) => match self.evaluate_body(path, headers, body) {
                Ok(answer) => json_of(StatusCode::OK, &answer),
                Err(wrong) => refused(StatusCode::BAD_REQUEST, &wrong.to_string()),
            },
            _ => not_allowed("POST"),
        };
        if let Some(id) = headers.get(REQUEST_ID) {
            response.headers_mut().insert(REQUEST_ID, id.clone());
        }
        response
    }

    fn evaluate_body(
        &self,
        path: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Value, BadRequest> {
        if !is_json(headers) {
            return Err(BadRequest::Body);
        }
        let asked: Map<String, Value> =
            token::json::parse_object(body).map_err(|_| BadRequest::Body)?;
        match asked.get("evaluations") {
            // Without cases it is the same as one (§7.1).
            None => Ok(evaluate(self, &asked)?),
            Some(Value::Array(cases)) if cases.is_empty() => Ok(evaluate(self, &asked)?),
            Some(_) if path == EVALUATION => Ok(evaluate(self, &asked)?),
            Some(Value::Array(cases)) => self.evaluate_all(&asked, cases),
            Some(_) => Err(BadRequest::Evaluations),
        }
    }

    fn evaluate_all(
        &self,
        asked: &Map<String, Value>,
        cases: &[Value],
    ) -> Result<Value, BadRequest> {
        if cases.len() > MOST_CASES {
            return Err(BadRequest::TooMany);
        }
        let semantic = semantic(asked)?;
        let mut answers = Vec::new();
        for case in cases {
            let case = case.as_object().ok_or(BadRequest::Evaluations)?;
            let mut whole = Map::new();
            for part in ["subject", "action", "resource", "context"] {
                if let Some(value) = case.get(part).or_else(|| asked.get(part)) {
                    whole.insert(part.to_owned(), value.clone());
                }
            }
            // What is wrong with one says nothing about the others (§7.2.1).
            let answer = evaluate(self, &whole).unwrap_or_else(|wrong| {
                let error = json!({ "status": 400, "message": wrong.to_string() });
                json!({ "decision": false, "context": { "error": error } })
            });
            let allowed = answer.get("decision") == Some(&Value::Bool(true));
            answers.push(answer);
            let ends = match semantic {
                Semantic::ExecuteAll => false,
                Semantic::DenyOnFirstDeny => !allowed,
                Semantic::PermitOnFirstPermit => allowed,
            };
            if ends {
                break;
            }
        }
        Ok(json!({ "evaluations": answers }))
    }
}

fn semantic(asked: &Map<String, Value>) -> Result<Semantic, BadRequest> {
    let named = asked.get("options").and_then(|options| options.get("evaluations_semantic"));
    match named.map(Value::as_str) {
        None | Some(Some("execute_all")) => Ok(Semantic::ExecuteAll),
        Some(Some("deny_on_first_deny")) => Ok(Semantic::DenyOnFirstDeny),
        Some(Some("permit_on_first_permit")) => Ok(Semantic::PermitOnFirstPermit),
        Some(_) => Err(BadRequest::Semantic),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn metadata(base: &str) -> Value {
    let base = base.trim_end_matches('/');
    json!({
        "policy_decision_point": base,
        "access_evaluation_endpoint": format!("{base}{EVALUATION}"),
        "access_evaluations_endpoint": format!("{base}{EVALUATIONS}"),
    })
}

fn json_of(status: StatusCode, value: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer for a request that is none.
pub fn refused(status: StatusCode, words: &str) -> Response<Bytes> {
    json_of(status, &json!({ "error": "invalid_request", "error_description": words }))
}

fn not_allowed(allow: &'static str) -> Response<Bytes> {
    let mut response = refused(StatusCode::METHOD_NOT_ALLOWED, "the method is not allowed here");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}
