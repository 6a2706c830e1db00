//! Opaque access tokens from the authority, through the gateway, over a power cut, to their end.

use serde_json::{Value, json};

use crate::support::served::Served;

const OPAQUE: &str = r#"
    [[resource]]
    identifier = "GATEWAY"
    token_format = "opaque"
"#;

fn token(served: &Served, client: &(String, String)) -> String {
    let form = [("grant_type", "client_credentials")];
    let basic = Some((client.0.as_str(), client.1.as_str()));
    let answer = served.http.post_form(&served.issuer("/token"), basic, &form).expect(200);
    answer["access_token"].as_str().expect("token").to_owned()
}

fn introspect(served: &Served, client: &(String, String), token: &str) -> Value {
    let basic = Some((client.0.as_str(), client.1.as_str()));
    served.http.post_form(&served.issuer("/introspect"), basic, &[("token", token)]).expect(200)
}

#[test]
fn an_opaque_token_from_its_issue_to_its_end() {
    let served = Served::start(OPAQUE);
    let client = served.client(json!({ "client_name": "probe", "scope": "health" }));
    let [first, second] = [0, 1].map(|_| token(&served, &client));
    assert!(first.starts_with("twa_") && first.len() == 53, "{first}");
    let health = served.gateway("/healthz");
    let ask = |served: &Served, token: &str| served.http.get(&health, Some(token)).status;
    assert_eq!(ask(&served, &first), 200);
    assert_eq!(ask(&served, &first), 200);
    let altered = format!("{}{}", &first[..52], if first.ends_with('0') { "1" } else { "0" });
    assert_eq!(ask(&served, &altered), 401);

    // Answered is durable: what was given out before the power cut is good after it.
    let third = token(&served, &client);
    let served = served.restart(OPAQUE);
    for token in [&first, &second, &third] {
        assert_eq!(ask(&served, token), 200);
    }
    // Its client takes it back by what it holds, the administrator by its name.
    let basic = Some((client.0.as_str(), client.1.as_str()));
    let revoke = served.issuer("/revoke");
    served.http.post_form(&revoke, basic, &[("token", first.as_str())]).expect(200);
    assert_eq!((ask(&served, &first), ask(&served, &second)), (401, 200));
    let name = introspect(&served, &client, &second)["jti"].clone();
    let selector = json!({ "kind": "token", "value": name });
    let body = json!({ "selector": selector, "effect": "revoke", "reason": "test" });
    served.admin_call("POST", "/restrictions", Some(body));
    assert_eq!((ask(&served, &second), ask(&served, &third)), (401, 200));
    for (token, active) in [(&first, false), (&second, false), (&third, true)] {
        assert_eq!(introspect(&served, &client, token)["active"], active);
    }
}
