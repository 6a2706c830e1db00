//! What differs between two configurations, and whether it can change while the program runs.

use serde_json::Value;

use crate::config::Config;

/// What changes without a restart, with all that is below it: the gateway's rules and what they stand on, what is
/// done about findings, and the certificates of every listener.
pub(crate) const LIVE: [&str; 45] = [
    "admin.tls.certificate",
    "admin.tls.key",
    "authority.tls.certificate",
    "authority.tls.key",
    "detect.built_in_responses",
    "detect.response",
    "detect.responses",
    "detect.responses_per_minute",
    "detect.spared",
    "gateway.api",
    "gateway.api_key_header",
    "gateway.auth.client_certificate_field",
    "gateway.auth.request_ids",
    "gateway.auth.tls.certificate",
    "gateway.auth.tls.key",
    "gateway.auth.trusted_callers",
    "gateway.basic_tokens",
    "gateway.body_timeout",
    "gateway.challenge_scopes",
    "gateway.client_address_field",
    "gateway.client_certificate_field",
    "gateway.cors",
    "gateway.decryption_keys",
    "gateway.doubtful_tokens",
    "gateway.forward_token",
    "gateway.hide_software",
    "gateway.identity",
    "gateway.inspect_body_limit",
    "gateway.internal_token",
    "gateway.issuer",
    "gateway.leeway",
    "gateway.limit",
    "gateway.max_body",
    "gateway.max_field_bytes",
    "gateway.max_fields",
    "gateway.policy",
    "gateway.reach",
    "gateway.request_id_field",
    "gateway.route",
    "gateway.security_headers",
    "gateway.tls.certificate",
    "gateway.tls.key",
    "gateway.trusted_proxies",
    "gateway.upstream_timeout",
    "gateway.upstreams",
];

/// The options that are not the same, in their order: `gateway.route[2].scopes`; a list that has grown or shrunk
/// as a whole.
pub(crate) fn changed(before: &Config, after: &Config) -> Vec<String> {
    let mut found = Vec::new();
    // Maps of texts, numbers and lists: always serializable.
    let values = [before, after].map(|one| serde_json::to_value(one).unwrap_or_default());
    compare(&values[0], &values[1], String::new(), &mut found);
    found
}

/// Whether an option can change while the program runs.
pub(crate) fn is_live(key: &str) -> bool {
    is_of(key, &LIVE)
}

/// Whether an option is one of these, or below one.
pub(crate) fn is_of(key: &str, options: &[&str]) -> bool {
    options.iter().any(|option| {
        key.strip_prefix(option).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    })
}

fn compare(before: &Value, after: &Value, key: String, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(one), Value::Object(other)) => {
            let mut names: Vec<&String> = one.keys().chain(other.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let joint = if key.is_empty() { "" } else { "." };
                let below = format!("{key}{joint}{name}");
                match (one.get(name), other.get(name)) {
                    (Some(one), Some(other)) => compare(one, other, below, found),
                    _ => found.push(below),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (position, (one, other)) in one.iter().zip(other).enumerate() {
                compare(one, other, format!("{key}[{position}]"), found);
            }
        }
        (one, other) if one == other => {}
        _ => found.push(key),
    }
}

#[cfg(test)]
mod tests {
    use super::{changed, is_live};
    use crate::config::Config;

    fn config(text: &str) -> Config {
        toml::from_str(text).expect("configuration")
    }

    fn between(before: &str, after: &str) -> Vec<String> {
        changed(&config(before), &config(after))
    }

    #[test]
    fn what_differs_is_named() {
        let route = "[[gateway.route]]\npath = \"/a\"\nupstream = \"a\"\n";
        let empty: [&str; 0] = [];
        assert_eq!(between(route, route), empty);
        assert_eq!(
            between(route, &format!("{route}scopes = [\"x\"]")),
            ["gateway.route[0].scopes"]
        );
        assert_eq!(between(route, &route.repeat(2)), ["gateway.route"]);
        assert_eq!(between("", "[gateway]"), ["gateway"]);
        assert_eq!(
            between(
                "[gateway.upstreams]\na = \"http://a\"",
                "[gateway.upstreams]\nb = \"http://a\""
            ),
            ["gateway.upstreams.a", "gateway.upstreams.b"]
        );
        assert_eq!(between("", "drain = \"1s\"\n[log]\nlevel = \"warn\""), ["drain", "log.level"]);
    }

    #[test]
    fn rules_change_live_and_what_the_process_stands_on_does_not() {
        for key in [
            "gateway.route",
            "gateway.route[3].scopes",
            "gateway.upstreams.a.servers[0]",
            "gateway.tls.certificate",
            "gateway.auth.trusted_callers[0]",
            "gateway.policy",
            "gateway.issuer[0].jwks_file",
            "gateway.trusted_proxies",
            "detect.responses",
            "detect.response[0].mode",
        ] {
            assert!(is_live(key), "{key}");
        }
        for key in [
            "gateway",
            "gateway.listen",
            "gateway.tls",
            "gateway.tls.client_certificates",
            "gateway.auth",
            "gateway.auth.listen",
            "gateway.routes",
            "detect.queue",
            "store.path",
            "authority.issuer",
            "scope",
            "drain",
        ] {
            assert!(!is_live(key), "{key}");
        }
    }
}
