//! Operations: paths, methods, access.

use contract::{Access, Contract, Demand};

use crate::support::{mistakes, odd, read, sample, shop};

fn listed(contract: &Contract) -> Vec<String> {
    let line = |one: &contract::Operation| {
        let access = match one.access.as_ref().expect("access") {
            Access::Public => "public".to_owned(),
            Access::Token(Demand { scopes, key_fields, only_keys, certificate }) => {
                let sets: Vec<String> = scopes.iter().map(|set| set.join("+")).collect();
                let keys = if *only_keys { " keys alone" } else { "" };
                let fields: String = key_fields.iter().map(|name| format!(" {name}")).collect();
                let certificate = if *certificate { " certificate" } else { "" };
                format!("[{}]{keys}{fields}{certificate}", sets.join("|"))
            }
        };
        format!("{} {} {access}", one.method, one.path)
    };
    contract.operations().iter().map(line).collect()
}

#[test]
fn operations_have_the_paths_of_their_servers_and_their_alternatives() {
    let mut found = listed(&shop());
    found.sort();
    assert_eq!(
        found,
        [
            "DELETE /v1/orders/{order_id} [orders:read]",
            // A token without scopes is enough for one alternative, so it is for all.
            "GET /v1/health public",
            "GET /v1/orders [orders:read]",
            "GET /v1/orders/{order_id} []",
            "POST /v1/orders [orders:write|admin+staff]",
            "POST /v1/pictures [orders:read]",
        ]
    );
}

#[test]
fn a_prefix_stands_for_the_servers_and_silence_is_not_public() {
    let contract = Contract::read(&sample("shop/shop.yaml"), Some("/shop")).expect("good");
    assert!(contract.operations().iter().all(|one| one.path.starts_with("/shop/")));
    let found = listed(&odd());
    assert!(found.contains(&"GET /a%2Fb/{id} []".to_owned()), "{found:?}");
    assert!(found.contains(&"GET /search [read]".to_owned()), "{found:?}");
}

const SCHEMES: &str = r#""components":{"securitySchemes":{
    "key":{"type":"apiKey","in":"header","name":"X-Key"},
    "mtls":{"type":"mutualTLS"},
    "oauth":{"type":"oauth2","flows":{}}}}"#;

/// An API key is a token with scopes, and never a way around what other tokens need.
#[test]
fn keys_and_certificates_are_demanded_as_they_are_described() {
    for (security, expected) in [
        (r#"[{"key":[]}]"#, "[] keys alone X-Key"),
        (r#"[{"key":["read"]},{"key":["admin"]}]"#, "[read|admin] keys alone X-Key X-Key"),
        (r#"[{"oauth":["read"]},{"key":[]}]"#, "[read] X-Key"),
        (r#"[{"oauth":[]},{"key":["read"]}]"#, "[] X-Key"),
        (r#"[{"mtls":[]}]"#, "[] certificate"),
        (r#"[{"oauth":["read"],"mtls":[]},{"oauth":["all"],"mtls":[]}]"#, "[read|all] certificate"),
    ] {
        let text = format!(
            r#"{{"openapi":"3.1.0","paths":{{"/a":{{"get":{{"security":{security}}}}}}},{SCHEMES}}}"#
        );
        assert_eq!(listed(&read(&text)), [format!("GET /a {expected}")]);
    }
}

#[test]
fn a_newer_document_has_other_methods_too() {
    let paths = r#"{"/a":{"get":{},"query":{},"additionalOperations":{"COPY":{},"PURGE":{}}}}"#;
    let of = |version: &str| format!(r#"{{"openapi":"{version}","paths":{paths}}}"#);
    let found = listed(&read(&of("3.2.0")));
    assert_eq!(found, ["GET /a []", "QUERY /a []", "COPY /a []", "PURGE /a []"]);
    // There they are no operations, but words that nobody knows.
    assert_eq!(listed(&read(&of("3.1.1"))), ["GET /a []"]);
    for (name, words) in [
        ("POST", "has a member of its own"),
        ("TRACE", "has a member of its own"),
        ("a b", "is no method"),
        ("QUERY", "has a member of its own"),
    ] {
        let paths =
            format!(r#"{{"/a":{{"query":{{}},"additionalOperations":{{"{name}":{{}}}}}}}}"#);
        let found = mistakes(&format!(r#"{{"openapi":"3.2.0","paths":{paths}}}"#), "a.json");
        assert!(found[0].contains(words), "{name}: {found:?}");
    }
}
