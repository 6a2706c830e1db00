//! An app whose maker vouches for it: by a software statement when it registers, by attestations of its
//! instances ever after.

use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};
use token::jws;
use token::key::PrivateKey;
use token::term::Algorithm;

use crate::support::http::{Answer, Http, form};
use crate::support::port::free_port;
use crate::support::{PROGRAM, output_of};

const MAKER: &str = "https://maker.example";

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn now() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs()
}

fn new_key() -> PrivateKey {
    PrivateKey::generate(Algorithm::Es256).expect("key")
}

fn sign(key: &PrivateKey, typ: &str, claims: &Value) -> String {
    jws::sign(key, typ, claims.to_string().as_bytes()).expect("token")
}

fn wait_for(port: u16) {
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "nothing listens on {port}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Starts an authority that takes the word of the maker, whose keys are in files, and a gateway.
fn start(at: &dyn Fn(&str) -> String, authority: u16, gateway: u16) -> Served {
    let config = format!(
        r#"
        [store]
        path = "{db}"
        [authority]
        listen = "127.0.0.1:{authority}"
        attestation_challenge = true
        [authority.registration]
        policy = "statement"
        scopes = "health"
        [[software_publisher]]
        issuer = "{MAKER}"
        jwks_file = "{publisher}"
        [[attester]]
        issuer = "{MAKER}"
        jwks_file = "{attester}"
        [gateway]
        listen = "127.0.0.1:{gateway}"
        upstreams = {{ api = "http://127.0.0.1:{admin}" }}
        [[gateway.route]]
        path = "/healthz"
        scopes = ["health"]
        upstream = "api"
        [admin]
        listen = "127.0.0.1:{admin}"
        [[scope]]
        name = "health"
        description = "See whether it is well"
        "#,
        db = at("db/tokenward.db"),
        publisher = at("publisher.jwks"),
        attester = at("attester.jwks"),
        admin = free_port(),
    );
    let file = at("tokenward.toml");
    std::fs::write(&file, config).expect("config");
    output_of(Command::new(PROGRAM).args(["config", "check", "-c", &file]));
    let served =
        Served(Command::new(PROGRAM).args(["serve", "-c", &file]).spawn().expect("starts"));
    wait_for(gateway);
    served
}

/// Asks for a token as an instance of this client.
fn ask(http: &Http, issuer: &str, id: &str, attestation: &str, proof: &str) -> Answer {
    let body = form(&[("grant_type", "client_credentials"), ("client_id", id)]);
    let request = http::Request::post(format!("{issuer}/token"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("OAuth-Client-Attestation", attestation)
        .header("OAuth-Client-Attestation-PoP", proof)
        .body(Full::new(Bytes::from(body)));
    http.send(request.expect("request"))
}

#[test]
fn a_maker_vouches_for_its_app_and_for_each_instance() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name).to_str().expect("path").to_owned();
    let (publisher, attester) = (new_key(), new_key());
    for (name, key) in [("publisher.jwks", &publisher), ("attester.jwks", &attester)] {
        let keys = json!({ "keys": [key.public().jwk()] });
        std::fs::write(at(name), keys.to_string()).expect("keys");
    }
    let (authority, gateway) = (free_port(), free_port());
    let _served = start(&at, authority, gateway);
    let (issuer, http) = (format!("http://127.0.0.1:{authority}"), Http::new());

    let url = format!("{issuer}/.well-known/oauth-authorization-server");
    let metadata = http.get(&url, None).expect(200);
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().expect("methods");
    assert!(methods.contains(&json!("attest_jwt_client_auth")));
    let statement = json!({
        "iss": MAKER, "iat": now(), "exp": now() + 600, "client_name": "Probe",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "attest_jwt_client_auth", "client_attester": MAKER,
    });
    let register = |key: &PrivateKey| {
        let body = json!({ "software_statement": sign(key, "JWT", &statement) });
        let url = metadata["registration_endpoint"].as_str().expect("endpoint");
        http.json("POST", url, None, Some(body))
    };
    // The attester's key is not the publisher's, though both are the maker's.
    let refused = register(&attester).expect(400);
    assert_eq!(refused["error"], "invalid_software_statement");
    let made = register(&publisher).expect(201);
    assert_eq!((&made["client_name"], made.get("client_secret")), (&json!("Probe"), None));
    let id = made["client_id"].as_str().expect("id");

    let instance = new_key();
    let attested = |by: &PrivateKey| {
        let claims = json!({ "iss": MAKER, "sub": id, "iat": now(), "exp": now() + 600,
            "cnf": { "jwk": instance.public().jwk() } });
        sign(by, "oauth-client-attestation+jwt", &claims)
    };
    let url = metadata["challenge_endpoint"].as_str().expect("endpoint");
    let challenge = http.json("POST", url, None, None).expect(200)["attestation_challenge"].clone();
    let proof = |by: &PrivateKey, jti: &str| {
        let claims = json!({ "aud": issuer, "jti": jti, "iat": now(), "challenge": challenge });
        sign(by, "oauth-client-attestation-pop+jwt", &claims)
    };
    let good = attested(&attester);
    let tokens = ask(&http, &issuer, id, &good, &proof(&instance, "1")).expect(200);
    let token = tokens["access_token"].as_str().expect("token");
    let health = format!("http://127.0.0.1:{gateway}/healthz");
    assert_eq!(http.get(&health, Some(token)).status, 200);
    for (attestation, proof) in [
        (good.clone(), proof(&instance, "1")),
        (good, proof(&new_key(), "2")),
        (attested(&publisher), proof(&instance, "3")),
    ] {
        let refused = ask(&http, &issuer, id, &attestation, &proof).expect(401);
        assert_eq!(refused["error"], "invalid_client");
    }
}
