//! What the endpoints take and give, as OpenAPI 3.1; their pages are for people and not described.

mod field;
mod operation;
mod schema;

use serde_json::{Map, Value, json};

pub(crate) use self::operation::OPERATIONS;

/// The document for an authority that has this issuer, indented, with a final line feed.
pub fn openapi_json(issuer: &str) -> String {
    let mut document = document(issuer);
    // The same text whether maps keep their order or not, which a feature of a dependency decides.
    document.sort_all_objects();
    // Made of maps with text keys: always serializable.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn document(issuer: &str) -> Value {
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let item = paths.entry(operation.path).or_insert_with(|| json!({}));
        item[operation.method] = operation.describe();
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tokenward authority",
            "description": "OAuth 2.1 and OpenID Connect. What this server can do, and where, is in \
                its metadata; this says what each endpoint takes and gives. A parameter without a \
                value counts as not sent, one that nobody knows is ignored.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": issuer, "description": "The issuer" }],
        "paths": paths,
        "components": {
            "schemas": schema::all(),
            "responses": operation::refusals(),
            "securitySchemes": operation::credentials(),
        },
    })
}
