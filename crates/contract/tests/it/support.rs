//! Sample documents, and requests in one line.

use std::path::PathBuf;

use contract::{Broken, Contract, Mistake, RequestCheck, UnknownQuery};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use inspect::Limits;

pub(crate) fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}

pub(crate) fn shop() -> Contract {
    Contract::read(&sample("shop/shop.yaml"), None).expect("good document")
}

pub(crate) fn odd() -> Contract {
    Contract::read(&sample("odd.json"), None).expect("good document")
}

/// The check of one operation, such as `GET /v1/orders`.
pub(crate) fn check(contract: &Contract, wanted: &str, unknown: UnknownQuery) -> RequestCheck {
    let named = |operation: &&contract::Operation| {
        format!("{} {}", operation.method, operation.path) == wanted
    };
    let operation = contract.operations().iter().find(named).expect(wanted);
    contract.checks(&[operation], unknown).expect("good").pop().expect("one")
}

pub(crate) fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let field = |(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().expect("name"), HeaderValue::from_str(value).expect("value"))
    };
    fields.iter().map(field).collect()
}

/// What is wrong with a body, as one line; empty for nothing.
pub(crate) fn body(check: &RequestCheck, kind: &str, body: &[u8]) -> String {
    let headers = headers(&[(CONTENT_TYPE.as_str(), kind)]);
    let read = check.reads_body(&headers, !body.is_empty());
    said(read.and_then(|_| check.body(&headers, body, &Limits::default())))
}

/// The same of a query.
pub(crate) fn query(check: &RequestCheck, path: &str, query: &str) -> String {
    said(check.head(path, Some(query), &HeaderMap::new(), &Limits::default()))
}

pub(crate) fn said(result: Result<(), Broken>) -> String {
    match result {
        Ok(()) => String::new(),
        Err(Broken::MediaType) => "media type".to_owned(),
        Err(Broken::Excess(excess)) => excess.to_string(),
        Err(Broken::Rule(violation)) => violation.to_string(),
    }
}

/// A good document of one text.
pub(crate) fn read(text: &str) -> Contract {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("a.json");
    std::fs::write(&file, text).expect("file");
    Contract::read(&file, None).expect("good document")
}

/// A document of one text and what is wrong with it, checks compiled.
pub(crate) fn mistakes(text: &str, name: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join(name);
    std::fs::write(&file, text).expect("file");
    let found = match Contract::read(&file, None) {
        Err(found) => found,
        Ok(contract) => {
            let operations: Vec<_> = contract.operations().iter().collect();
            let access = operations.iter().filter_map(|one| one.access.clone().err());
            let access: Vec<Mistake> = access.collect();
            let checks = contract.checks(&operations, UnknownQuery::Allow);
            access.into_iter().chain(checks.err().unwrap_or_default()).collect()
        }
    };
    let folder = format!("{}/", folder.path().display());
    found.iter().map(|one| one.to_string().replace(&folder, "")).collect()
}
