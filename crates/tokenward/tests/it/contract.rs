//! Routes from an OpenAPI document: the example of the README, run, and what is said of documents that are wrong.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::served::Served;
use crate::support::{PROGRAM, root, text};

/// The block of the README in this language that follows `orders.yaml`.
fn example(language: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README");
    let section = readme.split("## Routes from your OpenAPI document").nth(1).expect("section");
    let block = section.split(&format!("```{language}\n")).nth(1).expect("block");
    block.split("```").next().expect("end").to_owned()
}

/// Answers 200 with the first line of the request, however often; ends with the process.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("address");
    std::thread::spawn(move || {
        for stream in listener.incoming().take(100) {
            let Ok(mut stream) = stream else { continue };
            let mut bytes = [0; 8192];
            let count = stream.read(&mut bytes).unwrap_or(0);
            let request = String::from_utf8_lossy(&bytes[..count]).into_owned();
            let line = request.lines().next().unwrap_or_default();
            let length = line.len();
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length:";
            let _ = write!(stream, "{head} {length}\r\n\r\n{line}");
        }
    });
    address
}

fn serve(folder: &Path, more: &str) -> Served {
    let document = folder.join("orders.yaml");
    std::fs::write(&document, example("yaml")).expect("document");
    let api = example("toml").replace("orders.yaml", document.to_str().expect("path"));
    let scopes = ["orders:read", "orders:write", "orders:import"];
    let scopes =
        scopes.map(|name| format!("[[scope]]\nname = \"{name}\"\ndescription = \"{name}\"\n"));
    let upstream = format!("[gateway.upstreams.orders]\nservers = [\"http://{}\"]\n", upstream());
    Served::start(&format!("{upstream}{api}{}{more}", scopes.concat()))
}

fn token(served: &Served, scope: &str) -> String {
    let (id, secret) = served.client(json!({
        "client_name": "c", "grant_types": ["client_credentials"], "scope": scope,
    }));
    let parameters = [("grant_type", "client_credentials"), ("scope", scope)];
    let url = served.issuer("/token");
    let answer = served.http.post_form(&url, Some((&id, &secret)), &parameters).expect(200);
    answer["access_token"].as_str().expect("token").to_owned()
}

#[test]
fn the_readme_s_example_does_what_it_says() {
    let folder = tempfile::tempdir().expect("folder");
    let by_hand = "[[gateway.route]]\npath = \"/v1/orders/{order}\"\nmethods = [\"DELETE\"]\nupstream = \"orders\"\n\
                   scopes = [\"orders:write\"]\n";
    let served = serve(folder.path(), by_hand);
    let (read, write) = (token(&served, "orders:read"), token(&served, "orders:write"));
    let both = token(&served, "orders:read orders:import");
    let import = token(&served, "orders:import");
    let ask = |method: &str, path: &str, token: &str, body: Option<Value>| {
        served.http.json(method, &served.gateway(path), Some(token), body)
    };
    let good = || Some(json!({ "sku": "AB-1234", "qty": 1 }));
    let id = "0190a7c4-7b3e-7e25-8c5a-6d1f0f3b2a11";

    let answer = ask("GET", "/v1/orders?limit=5", &read, None);
    assert_eq!((answer.status, answer.body.as_str()), (200, "GET /v1/orders?limit=5 HTTP/1.1"));
    for token in [&write, &both] {
        assert_eq!(ask("POST", "/v1/orders", token, good()).status, 200);
    }
    for (method, path, token, body, status) in [
        ("POST", "/v1/orders", &read, good(), 403),
        ("POST", "/v1/orders", &import, good(), 403),
        ("GET", "/v1/nowhere", &read, None, 404),
        ("GET", "/orders", &read, None, 404),
        ("PUT", "/v1/orders", &write, good(), 405),
        ("DELETE", &*format!("/v1/orders/{id}"), &read, None, 403),
        ("DELETE", &*format!("/v1/orders/{id}"), &write, None, 200),
        ("GET", &*format!("/v1/orders/{id}"), &read, None, 200),
    ] {
        assert_eq!(ask(method, path, token, body).status, status, "{method} {path}");
    }
    assert_eq!(served.http.get(&served.gateway("/v1/health"), None).status, 200);
    assert_eq!(served.http.get(&served.gateway("/v1/orders"), None).status, 401);

    let order = |sku: &str, qty: Value| Some(json!({ "sku": sku, "qty": qty }));
    for (method, path, body, words) in [
        ("GET", "/v1/orders?limit=many", None, "query limit: is not of the type integer"),
        ("GET", "/v1/orders?debug=1", None, "query: has a parameter that is not described"),
        ("GET", "/v1/orders/7", None, "path id: is not of the format uuid"),
        ("POST", "/v1/orders", order("AB-1234", json!(0)), "body /qty: must be at least 1"),
        ("POST", "/v1/orders", order("secret", json!(1)), "body /sku: does not fit the pattern"),
        ("POST", "/v1/orders", None, "body: is missing"),
    ] {
        let token = if method == "GET" { &read } else { &write };
        let answer = ask(method, path, token, body).expect(400);
        assert_eq!(answer["error_description"], words, "{method} {path}");
    }
    let form = served.http.post_form(&served.gateway("/v1/health"), None, &[("a", "b")]);
    assert_eq!(form.status, 401, "no operation makes this public: who has no token learns nothing");
}

fn check(folder: &Path, document: &str, more: &str) -> Output {
    let (file, config) = (folder.join("api.json"), folder.join("tokenward.toml"));
    std::fs::write(&file, document).expect("document");
    let (api, folder) = (file.display(), folder.display());
    let content = format!(
        "[store]\npath = \"{folder}/x.db\"\n[gateway.upstreams]\na = \"http://127.0.0.1:1\"\n\
         [[gateway.api]]\nopenapi = \"{api}\"\nupstream = \"a\"\n{more}"
    );
    std::fs::write(&config, content.replace("API", &api.to_string())).expect("configuration");
    Command::new(PROGRAM).args(["config", "check", "-c"]).arg(config).output().expect("run")
}

#[test]
fn mistakes_of_documents_are_told_with_file_and_place() {
    let folder = tempfile::tempdir().expect("folder");
    let get = |inside: &str| {
        format!(
            r#"{{"openapi":"3.1.0","paths":{{"/a/{{id}}":{{"get":{{{inside}}}}}}},"components":{{
            "securitySchemes":{{"key":{{"type":"apiKey","in":"query"}},"o":{{"type":"oauth2"}}}}}}}}"#
        )
    };
    let body = r#""requestBody":{"content":{"application/json":{"schema":{"type":"strnig"}}}}"#;
    let key = r#""security":[{"key":[]}]"#;
    let by_hand = "[[gateway.route]]\npath = \"/a/{x}\"\nupstream = \"a\"\n";
    let twice = "[[gateway.api]]\nopenapi = \"API\"\nupstream = \"a\"\n";
    for (document, more, words) in [
        (get(""), "", ""),
        (get(body), "", ":6: gateway.api[0].openapi: "),
        (
            get(body),
            "",
            "api.json#/paths/~1a~1{id}/get/requestBody/content/application~1json/schema/type: this is not",
        ),
        (get(body), "validate = \"off\"\n", ""),
        (
            get(key),
            "",
            "api.json#/paths/~1a~1{id}/get/security/0/key: the API key of the scheme `key` comes in `query`",
        ),
        (get(key), by_hand, ""),
        (get(r#""security":[{"o":["a b"]}]"#), "", "`a b` is not one scope"),
        (get(""), twice, "GET /a/{id} is in "),
        (get(""), &*format!("{twice}{by_hand}"), ""),
        (get(""), "prefix = \"/x/../y\"\n", "api.json#/paths/~1a~1{id}/get: "),
        (get(""), "strip_prefix = \"/b\"\n", "gateway.api[0].strip_prefix: "),
        (get(""), "validat = \"off\"\n", "unknown field `validat`"),
        ("{".to_owned(), "", "this is not JSON"),
    ] {
        let output = check(folder.path(), &document, more);
        let said = text(&output.stderr);
        assert_eq!(output.status.success(), words.is_empty(), "{document} {more} said {said}");
        assert!(said.contains(words), "{document} {more} said {said}");
    }
}
