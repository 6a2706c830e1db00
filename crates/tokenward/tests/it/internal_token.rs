//! Opaque outside, a JWT inside: the API checks what the gateway tells it with libraries of other makers.

use std::process::Command;

use serde_json::json;

use crate::interop::{node_script, python_script};
use crate::support::output_of;
use crate::support::recording::Recording;
use crate::support::served::Served;

/// A gateway that hands out opaque tokens and tells the API `public` by its own.
fn served(api: &Recording) -> Served {
    let more = format!(
        "[gateway.upstreams.public]\nservers = [\"http://127.0.0.1:{}\"]\n\
         [[gateway.route]]\npath = \"/api/{{rest...}}\"\nupstream = \"public\"\nscopes = [\"health\"]\n\
         [[resource]]\nidentifier = \"GATEWAY\"\ntoken_format = \"opaque\"\n",
        api.port()
    );
    Served::start_with("identity = \"token\"", &more)
}

/// What the API gets for a new opaque token, and whose it is.
fn internal(served: &Served, api: &Recording) -> (String, String) {
    let (id, secret) = served.client(json!({ "client_name": "caller", "scope": "health" }));
    let parameters = [("grant_type", "client_credentials")];
    let answer = served.http.post_form(&served.issuer("/token"), Some((&id, &secret)), &parameters);
    let token = answer.expect(200)["access_token"].as_str().expect("token").to_owned();
    assert_eq!(token.split('.').count(), 1, "{token}");
    assert_eq!(served.http.get(&served.gateway("/api/1"), Some(&token)).status, 200);
    let head = api.arrived().pop().expect("arrived");
    assert!(!head.contains(&token), "{head}");
    let line = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
    (line.expect("a token").to_owned(), id)
}

fn verify(mut command: Command, served: &Served, internal: &str, subject: &str) {
    command.env("INTERNAL", internal).env("GATEWAY", served.gateway("")).env("SUBJECT", subject);
    let said = output_of(&mut command);
    assert!(said.lines().last().is_some_and(|line| line.starts_with("ok")), "{said}");
}

#[test]
fn libraries_of_other_makers_verify_it() {
    let api = Recording::start();
    let served = served(&api);
    let (token, subject) = internal(&served, &api);
    verify(node_script("internal-token.mjs"), &served, &token, &subject);
    verify(python_script("internal_token.py"), &served, &token, &subject);
}

#[test]
fn its_keys_are_the_same_after_a_restart() {
    let api = Recording::start();
    let served = served(&api);
    let keys = |served: &Served| {
        served
            .http
            .get(&served.gateway("/.well-known/tokenward-internal-jwks.json"), None)
            .expect(200)
    };
    let before = keys(&served);
    assert_eq!(before["keys"].as_array().map(Vec::len), Some(3), "{before}");
    assert!(before.to_string().contains("EdDSA") && !before.to_string().contains("\"d\""));
    // Nobody takes them for keys of the issuer.
    let issuers =
        served.http.get(&served.issuer("/.well-known/jwks.json"), None).expect(200).to_string();
    for key in before["keys"].as_array().expect("keys") {
        assert!(!issuers.contains(key["x"].as_str().expect("x")), "{issuers}");
    }
    let served = served.again();
    assert_eq!(keys(&served), before);
}
