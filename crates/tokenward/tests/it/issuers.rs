//! An identity provider that is there already, of another maker: its tokens at the gateway, through key
//! rotation, outages, attacks and taking back.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use token::base64url;
use token::jws;
use token::key::MacKey;
use token::term::MacAlgorithm;

use crate::interop::node_script;
use crate::support::http::Http;
use crate::support::served::Served;

const SECRET: &str = "app-secret-app-secret";

/// node-oidc-provider on a port of its own, which can be stopped and started again.
struct Provider {
    child: Option<Child>,
    address: String,
    audience: String,
    keys: PathBuf,
    folder: tempfile::TempDir,
    refresh: String,
    http: Http,
}

// === impl Provider ===

impl Provider {
    /// Not running yet.
    fn new() -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("port");
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("secret"), format!("{SECRET}\n")).expect("secret");
        Self {
            child: None,
            address: socket.local_addr().expect("address").to_string(),
            audience: String::new(),
            keys: folder.path().join("keys.json"),
            folder,
            refresh: String::new(),
            http: Http::new(),
        }
    }

    /// Starts it, with a new key that signs where that is wanted.
    fn start(&mut self, rotate: bool) {
        let mut command = node_script("other-issuer.mjs");
        command.env("ADDRESS", &self.address).env("AUDIENCE", &self.audience);
        command.env("KEYS", &self.keys).env("ROTATE", if rotate { "1" } else { "" });
        let mut child = command.stdout(Stdio::piped()).spawn().expect("node starts");
        // It says more than what was asked of it.
        let mut lines = BufReader::new(child.stdout.as_mut().expect("stdout")).lines();
        let said = lines.find_map(|line| serde_json::from_str::<Value>(&line.expect("line")).ok());
        self.child = Some(child);
        let said = said.expect("it says that it listens");
        self.refresh = said["refresh"].as_str().expect("refresh").to_owned();
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kill");
            child.wait().expect("wait");
        }
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    fn ask(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let url = format!("{}{path}", self.issuer());
        self.http.post_form(&url, Some(("app", SECRET)), form).expect(200)
    }

    /// An access token of the application itself for this resource.
    fn token(&self, resource: &str) -> String {
        let grant = ("grant_type", "client_credentials");
        let answer = self.ask("/token", &[grant, ("scope", "health"), ("resource", resource)]);
        answer["access_token"].as_str().expect("token").to_owned()
    }

    /// Alice's tokens.
    fn refreshed(&self) -> Value {
        let grant = [("grant_type", "refresh_token"), ("refresh_token", self.refresh.as_str())];
        self.ask("/token", &[grant[0], grant[1], ("resource", "urn:api")])
    }

    fn secret_file(&self) -> String {
        self.folder.path().join("secret").display().to_string()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop();
    }
}

fn own_token(served: &Served) -> String {
    let (id, secret) = served.client(json!({ "client_name": "own", "scope": "health" }));
    let form = [("grant_type", "client_credentials")];
    let answer = served.http.post_form(&served.issuer("/token"), Some((&id, &secret)), &form);
    answer.expect(200)["access_token"].as_str().expect("token").to_owned()
}

/// `200`, or the status and why.
fn verdict(served: &Served, token: &str) -> String {
    let answer = served.http.get(&served.gateway("/healthz"), Some(token));
    if answer.status == 200 {
        return "200".to_owned();
    }
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    format!("{} {}", answer.status, body["error_description"].as_str().expect("words"))
}

fn without_keys(served: &Served) -> Value {
    let ready = served.http.get(&served.admin("/readyz"), None).expect(200);
    ready["issuers_without_keys"].clone()
}

fn wait_until(what: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !what() {
        assert!(Instant::now() < until, "it does not come to it");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| base64url::decode(part).expect("base64url"));
    let mut next = || serde_json::from_slice(&parts.next().expect("part")).expect("JSON");
    (next(), next())
}

/// A token with this header and these claims, and a signature that is none of theirs.
fn forged(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| base64url::encode(value.to_string());
    format!("{}.{}.{}", encode(header), encode(claims), base64url::encode([7; 64]))
}

#[test]
fn the_tokens_of_a_provider_that_is_there_already() {
    let mut provider = Provider::new();
    let issuer = provider.issuer();
    // The second one is down for good. Whoever forges as much as is forged here would be blocked.
    let more = format!(
        r#"
        [[gateway.issuer]]
        issuer = "{issuer}"
        [[gateway.issuer]]
        issuer = "http://127.0.0.1:9"
        [detect]
        responses_per_minute = 0
        "#
    );
    let served = Served::start(&more);
    provider.audience = served.gateway("");
    let own = own_token(&served);
    assert_eq!(without_keys(&served), json!([issuer, "http://127.0.0.1:9"]));
    assert_eq!(verdict(&served, &own), "200", "who is down is nobody else's trouble");
    let resource = served.gateway("/.well-known/oauth-protected-resource");
    let told = served.http.get(&resource, None).expect(200)["authorization_servers"].clone();
    assert_eq!(told, json!([served.issuer(""), issuer, "http://127.0.0.1:9"]));
    provider.start(false);
    wait_until(|| without_keys(&served) == json!(["http://127.0.0.1:9"]));

    let (token, short) = (provider.token("urn:api"), provider.token("urn:short"));
    let of_alice = provider.refreshed();
    let [alice, id_token] = ["access_token", "id_token"]
        .map(|name| of_alice[name].as_str().unwrap_or_else(|| panic!("{of_alice}")).to_owned());
    for token in [&token, &alice, &short] {
        assert_eq!(verdict(&served, token), "200");
    }
    attacks(&served, &provider, &token, &id_token);

    // A new key signs: it is known as soon as it is used, and the old one is still good.
    provider.stop();
    provider.start(true);
    let newer = provider.token("urn:api");
    assert_ne!(parts(&newer).0["kid"], parts(&token).0["kid"]);
    for token in [&newer, &token, &own] {
        assert_eq!(verdict(&served, token), "200");
    }
    provider.stop();
    for token in [&newer, &token, &own] {
        assert_eq!(verdict(&served, token), "200", "what is known needs nobody");
    }
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(verdict(&served, &short), "401 the token has expired");

    taken_back(&served, &issuer, &[&token, &newer, &alice, &own]);
    let metrics = served.http.get(&served.admin("/metrics"), None).body;
    let good =
        format!("tokenward_issuer_key_fetches_total{{issuer=\"{issuer}\",outcome=\"good\"}} ");
    let age = format!("tokenward_issuer_keys_age_seconds{{issuer=\"{issuer}\"}} ");
    assert!(metrics.contains(&good) && metrics.contains(&age), "{metrics}");

    // Started while everybody is down: it serves, and says whom it cannot check.
    let served = served.restart(&more);
    assert_eq!(verdict(&served, &own), "200");
    let words = "503 the keys of the token's issuer are not known yet; try again shortly";
    assert_eq!(verdict(&served, &newer), words);
    provider.start(false);
    wait_until(|| verdict(&served, &newer) == "200");
    assert_eq!(verdict(&served, &token), "401 the token was revoked", "still");
}

fn attacks(served: &Served, provider: &Provider, token: &str, id_token: &str) {
    let (header, claims) = parts(token);
    let with = |value: &Value, name: &str, new: Value| {
        let mut value = value.clone();
        value[name] = new;
        value
    };
    let slash = format!("{}/", provider.issuer());
    let jwks = provider.http.get(&format!("{}/jwks", provider.issuer()), None).expect(200);
    let public = jwks["keys"][0].to_string();
    let kid = header["kid"].as_str().expect("kid");
    let secret = MacKey::new(MacAlgorithm::Hs256, kid.into(), public.as_bytes()).expect("secret");
    let confused = jws::sign_with_secret(&secret, "at+jwt", claims.to_string().as_bytes());
    let ours = parts(&own_token(served)).0["kid"].clone();
    for (forgery, words) in [
        (provider.token("urn:other"), "the token is for another audience"),
        (id_token.to_owned(), "the token's type is not one of its issuer's access tokens"),
        (forged(&with(&header, "alg", json!("none")), &claims), "the token is not signed"),
        (confused, "the algorithm is not the key's"),
        (forged(&header, &claims), "the signature does not fit"),
        (forged(&header, &with(&claims, "iss", json!(slash))), "the token is from another issuer"),
        (forged(&with(&header, "kid", ours), &claims), "no key of this name signs tokens here"),
    ] {
        assert_eq!(verdict(served, &forgery), format!("401 {words}"), "{forgery}");
        assert_eq!(verdict(served, &forgery), format!("401 {words}"), "again");
    }
    assert_eq!(verdict(served, token), "200");
}

/// One token by its name, then everything of alice, and nobody else's.
fn taken_back(served: &Served, issuer: &str, [token, newer, alice, own]: &[&str; 4]) {
    let restrict = |kind: &str, value: &str| {
        let selector = json!({ "kind": kind, "value": value });
        let body = json!({ "selector": selector, "effect": "revoke", "reason": "test" });
        served.admin_call("POST", "/restrictions", Some(body));
    };
    restrict("subject", "alice");
    restrict("client", "app");
    for token in [token, newer, alice, own] {
        assert_eq!(verdict(served, token), "200", "no name of theirs");
    }
    let name = parts(token).1["jti"].as_str().expect("jti").to_owned();
    restrict("token", &format!("{issuer}|{name}"));
    restrict("subject", &format!("{issuer}|alice"));
    assert_eq!(verdict(served, token), "401 the token was revoked");
    assert_eq!(verdict(served, alice), "401 the token was revoked");
    assert_eq!((verdict(served, newer), verdict(served, own)), ("200".into(), "200".into()));
}

#[test]
fn opaque_tokens_of_a_provider_that_is_asked() {
    let mut provider = Provider::new();
    let issuer = provider.issuer();
    let more = format!(
        r#"
        [[gateway.issuer]]
        issuer = "{issuer}"
        jwks_uri = "{issuer}/jwks"
        [gateway.issuer.introspection]
        url = "{issuer}/token/introspection"
        client_id = "app"
        client_secret_file = "{}"
        cache = "2s"
        "#,
        provider.secret_file(),
    );
    let served = Served::start(&more);
    provider.audience = served.gateway("");
    provider.start(false);
    let own = own_token(&served);
    let [first, second] = [0, 1].map(|_| provider.token("urn:opaque"));
    assert!(!first.contains('.'), "{first}");
    for token in [&first, &second, &own] {
        assert_eq!(verdict(&served, token), "200");
    }
    wait_until(|| verdict(&served, &provider.token("urn:api")) == "200");
    assert_eq!(verdict(&served, "no-such-token"), "401 the token is unknown, or has expired");

    // Taken back there: known here when the answer is old. Taken back here: at once.
    provider.ask("/token/revocation", &[("token", &first)]);
    wait_until(|| verdict(&served, &first) == "401 the token is unknown, or has expired");
    let selector = json!({ "kind": "client", "value": format!("{issuer}|app") });
    let body = json!({ "selector": selector, "effect": "suspend", "reason": "test" });
    served.admin_call("POST", "/restrictions", Some(body));
    assert_eq!(verdict(&served, &second), "401 the token is suspended");
    assert_eq!(verdict(&served, &own), "200");

    provider.stop();
    let words = "503 the token cannot be looked up now; try again shortly";
    assert_eq!(verdict(&served, "never-seen"), words);
    wait_until(|| verdict(&served, &second) == words);
    assert_eq!(verdict(&served, &own), "200");
}
