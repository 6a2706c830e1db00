//! People who sign in at an identity provider: at one of another maker, and at a second Tokenward.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use token::base64url;

use crate::interop::{node_script, variable};
use crate::support::browser::{Browser, CHALLENGE, Form, REDIRECT, VERIFIER, form_of, redirect_of};
use crate::support::http::{Answer, form};
use crate::support::output_of;
use crate::support::served::Served;

const SECRET: &str = "a secret of the two of them, long enough";

/// node-oidc-provider; ended when dropped.
struct Elsewhere {
    child: Child,
    issuer: String,
}

impl Elsewhere {
    fn start(served: &Served) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").expect("port");
        let address = socket.local_addr().expect("address").to_string();
        drop(socket);
        let mut command = node_script("upstream-provider.mjs");
        command.env("ADDRESS", &address).env("CLIENT", "tokenward").env("SECRET", SECRET);
        command.env("CALLBACK", served.issuer("/login/provider/acme"));
        command.env("LOGOUT", served.issuer("/login/provider/acme/logout"));
        let mut child = command.stdout(Stdio::piped()).spawn().expect("node starts");
        let mut lines = BufReader::new(child.stdout.as_mut().expect("stdout")).lines();
        let ready = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("\"ready\"")));
        assert!(ready.is_some(), "it says that it listens");
        Self { child, issuer: format!("http://{address}") }
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody's browser. What it keeps for one port and for the other is apart, as it is for two hosts.
struct Person {
    own: Browser,
    there: Browser,
    /// Pages of the provider that they filled in.
    pages: usize,
}

impl Person {
    fn new() -> Self {
        Self { own: Browser::new(), there: Browser::new(), pages: 0 }
    }

    /// From the sign-in page before `base` to the provider, through its pages and back; where that leads.
    fn sign_in(&mut self, served: &Served, base: &str, fill: &[(&str, &str)]) -> Answer {
        let page = self.own.get(base);
        assert_eq!(page.status, 200, "{page:?}");
        let form = form_with(&page.body, "/login/provider");
        let mut answer = self.own.submit(base, &form, &[("provider", "acme")]);
        let mut at = base.to_owned();
        for _ in 0..12 {
            if let Some(target) = redirect_of(&at, &answer) {
                at = target.to_string();
                if at.starts_with(&served.issuer("")) {
                    return self.own.get(&at);
                }
                answer = self.there.get(&at);
                continue;
            }
            assert_eq!(answer.status, 200, "{at}: {answer:?}");
            self.pages += 1;
            let asks =
                |field: &&(&str, &str)| answer.body.contains(&format!("name=\"{}\"", field.0));
            let fields: Vec<(&str, &str)> = fill.iter().filter(asks).copied().collect();
            answer = self.there.submit(&at, &form_of(&answer.body), &fields);
        }
        panic!("no way back: {answer:?}");
    }

    /// The claims of the ID token that the application gets behind a sign-in.
    fn id_token(&mut self, served: &Served, app: &(String, String), answer: &Answer) -> Value {
        assert_eq!(answer.status, 303, "{answer:?}");
        let base = served.issuer("/login");
        let mut target = redirect_of(&base, answer).expect("onward");
        if !target.as_str().starts_with(REDIRECT) {
            let page = self.own.get(target.as_str());
            let sent = match page.status {
                303 => page,
                _ => self.own.submit(&base, &form_of(&page.body), &[("decision", "allow")]),
            };
            target = redirect_of(&base, &sent).expect("to the application");
        }
        let code =
            target.query_pairs().find(|(name, _)| name == "code").expect("code").1.into_owned();
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let token = served.issuer("/token");
        let answer = served.http.post_form(&token, Some((&app.0, &app.1)), &form).expect(200);
        let text = answer["id_token"].as_str().expect("token");
        let payload = text.split('.').nth(1).and_then(base64url::decode).expect("payload");
        serde_json::from_slice(&payload).expect("claims")
    }

    /// Whether they are signed in here.
    fn is_in(&mut self, served: &Served) -> bool {
        self.own.get(&served.issuer("/account")).body.contains("Signed in as")
    }
}

/// The form of a page whose markup holds this, with its address to be filled in.
fn form_with(page: &str, mark: &str) -> Form {
    let form = page.split("<form").skip(1).find(|form| form.contains(mark)).expect("a form");
    let mut form = form_of(&format!("<form{form}"));
    form.fields.retain(|(name, _)| name != "email");
    form
}

fn application(served: &Served) -> (String, String) {
    served.client(json!({
        "client_name": "Shop", "redirect_uris": [REDIRECT], "scope": "openid profile email",
        "grant_types": ["authorization_code"],
    }))
}

fn request(served: &Served, app: &(String, String), more: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("response_type", "code"),
        ("client_id", app.0.as_str()),
        ("redirect_uri", REDIRECT),
        ("scope", "openid"),
        ("state", "af0ifjsldkj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    parameters.extend_from_slice(more);
    served.issuer(&format!("/authorize?{}", form(&parameters)))
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn provider(issuer: &str, client: &str, secret: &str, more: &str) -> String {
    format!(
        "[[authority.identity_provider]]\nname = \"acme\"\ntitle = \"Acme\"\nissuer = \"{issuer}\"\n\
         client_id = \"{client}\"\nclient_secret_file = \"{secret}\"\n{more}\n"
    )
}

#[test]
fn people_of_another_makers_provider_sign_in() {
    let folder = tempfile::tempdir().expect("folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{SECRET}\n")).expect("secret");
    let served = Served::start("");
    let elsewhere = Elsewhere::start(&served);
    let more = "create = \"always\"\ngroups_claim = \"groups\"\nkeep_tokens = true\n\
                [authority.identity_provider.groups]\nstaff = \"employees\"";
    let secret = secret.display().to_string();
    let served = served.restart(&provider(&elsewhere.issuer, "tokenward", &secret, more));
    let app = application(&served);
    let who = [("login", "carol"), ("password", "anything")];

    // The first time they get an account.
    let mut carol = Person::new();
    let answer = carol.sign_in(&served, &request(&served, &app, &[]), &who);
    let token = carol.id_token(&served, &app, &answer);
    assert_eq!(token["amr"], json!(["fed"]));
    assert_eq!(carol.pages, 2, "sign-in and consent");
    let id = token["sub"].as_str().expect("sub").to_owned();
    let user = served.admin_call("GET", &format!("/users/{id}"), None);
    assert_eq!(
        (&user["username"], &user["email"]),
        (&json!("carol"), &json!("carol@there.example"))
    );
    assert_eq!(user["claims"]["groups"], json!(["employees"]));
    let list = served.command(&["user", "identities", &id, "--json"]);
    let list: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    assert_eq!(
        (&list[0]["provider"], &list[0]["provider_subject"]),
        (&json!("acme"), &json!("carol"))
    );
    let identity = list[0]["id"].as_str().expect("id").to_owned();
    let path = format!("/users/{id}/identities/{identity}/tokens");
    let tokens = served.admin_call("POST", &path, None);
    assert!(tokens["access_token"].as_str().is_some_and(|token| !token.is_empty()));

    // An application that wants a fresh sign-in gets one there, and is told when it was.
    let before = token["auth_time"].as_i64().expect("time");
    std::thread::sleep(Duration::from_millis(1100));
    let pages = carol.pages;
    let answer = carol.sign_in(&served, &request(&served, &app, &[("prompt", "login")]), &who);
    let token = carol.id_token(&served, &app, &answer);
    assert!(carol.pages > pages, "the provider asked again");
    assert!(token["auth_time"].as_i64().expect("time") > before);
    assert_eq!(token["sub"], json!(id), "the same account");

    // Who goes back is told so.
    let mut shy = Person::new();
    let base = request(&served, &app, &[]);
    let page = shy.own.get(&base);
    let sent =
        shy.own.submit(&base, &form_with(&page.body, "/login/provider"), &[("provider", "acme")]);
    let mut at = redirect_of(&base, &sent).expect("provider");
    let page = shy.there.get(at.as_str());
    at = redirect_of(at.as_str(), &page).expect("interaction");
    let mut answer = shy.there.get(&format!("{at}/abort"));
    while let Some(target) = redirect_of(at.as_str(), &answer) {
        at = target;
        let is_home = at.as_str().starts_with(&served.issuer(""));
        answer = if is_home { shy.own.get(at.as_str()) } else { shy.there.get(at.as_str()) };
    }
    assert!(answer.body.contains("You did not sign in at Acme."), "{answer:?}");

    // What ends there ends here.
    assert!(carol.is_in(&served));
    let end = format!("{}/session/end", elsewhere.issuer);
    let page = carol.there.get(&end);
    let out = carol.there.submit(&end, &form_of(&page.body), &[("logout", "yes")]);
    assert!(out.status < 400, "{out:?}");
    wait_until("the session has ended", || !carol.is_in(&served));

    // And who is disconnected stays out of their old account.
    let done = served.command(&["user", "disconnect", &id, &identity]);
    assert!(done.status.success(), "{done:?}");
    let mut again = Person::new();
    let answer = again.sign_in(&served, &request(&served, &app, &[]), &who);
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.body.contains("There is an account with your address already"), "{answer:?}");
}

#[test]
fn people_of_another_tokenward_sign_in() {
    let upstream = Served::start("");
    let served = Served::start("");
    let (client, secret) = upstream.client(json!({
        "client_name": "The other", "scope": "openid profile email",
        "redirect_uris": [served.issuer("/login/provider/acme")],
        "grant_types": ["authorization_code"],
        "backchannel_logout_uri": served.issuer("/login/provider/acme/logout"),
    }));
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, secret).expect("secret");
    let more = "link = \"verified_email\"\ndomains = [\"example.com\"]";
    let file = file.display().to_string();
    let issuer = upstream.issuer("");
    let served = served.restart(&provider(&issuer, &client, &file, more));
    let app = application(&served);
    let password = "correct horse battery";
    let person = |username: &str, email: &str| json!({ "username": username, "password": password, "email": email, "email_verified": true });
    let address = "dora@example.com";
    upstream.admin_call("POST", "/users", Some(person("dora", address)));
    let here = served.admin_call("POST", "/users", Some(person("theodora", address)));
    let who = [("username", "dora"), ("password", password), ("decision", "allow")];

    // By the address that both have seen to be hers; at the sign-in page it leads there.
    let mut dora = Person::new();
    let base = request(&served, &app, &[]);
    let page = dora.own.get(&base);
    let sent =
        dora.own.submit(&base, &form_with(&page.body, "name=\"email\""), &[("email", address)]);
    let target = redirect_of(&base, &sent).expect("provider");
    assert!(target.as_str().starts_with(&issuer), "{target}");
    assert!(target.query_pairs().any(|(name, value)| name == "login_hint" && value == address));
    let answer = dora.sign_in(&served, &base, &who);
    let token = dora.id_token(&served, &app, &answer);
    assert_eq!((&token["sub"], &token["amr"]), (&here["id"], &json!(["fed"])));

    // Back-channel logout of the one is obeyed by the other.
    assert!(dora.is_in(&served));
    let account = upstream.issuer("/logout");
    let page = dora.there.get(&account);
    let out = dora.there.submit(&account, &form_of(&page.body), &[("decision", "out")]);
    assert!(out.status < 400, "{out:?}");
    wait_until("the session has ended", || !dora.is_in(&served));

    // Who is nobody here is told so, and gets no account.
    upstream.admin_call("POST", "/users", Some(person("eve", "eve@example.com")));
    let mut eve = Person::new();
    let who = [("username", "eve"), ("password", password), ("decision", "allow")];
    let answer = eve.sign_in(&served, &base, &who);
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.body.contains("belongs to no account here"), "{answer:?}");
}

/// A provider that is told nothing of us but a token: its security events are fetched.
#[test]
fn what_happens_at_another_tokenward_is_fetched_also_what_happened_while_we_were_down() {
    let folder = tempfile::tempdir().expect("folder");
    let [file, token] = ["secret", "token"].map(|name| folder.path().join(name));
    std::fs::write(&token, "let-us-fetch\n").expect("token");
    let served = Served::start("");
    let upstream = Served::start(&format!(
        "[[notify.signals]]\nname = \"us\"\naudience = \"{}\"\ntoken_file = \"{}\"\n",
        served.issuer(""),
        token.display()
    ));
    let (client, secret) = upstream.client(json!({
        "client_name": "The other", "scope": "openid profile email",
        "redirect_uris": [served.issuer("/login/provider/acme")],
        "grant_types": ["authorization_code"],
    }));
    std::fs::write(&file, secret).expect("secret");
    let issuer = upstream.issuer("");
    let events = format!(
        "[[signal_transmitter]]\nname = \"acme\"\nissuer = \"{issuer}\"\ntoken_file = \"{}\"\n\
         poll_url = \"{issuer}/ssf/poll/us\"\n",
        token.display()
    );
    let file = file.display().to_string();
    let provider = provider(&issuer, &client, &file, "create = \"always\"");
    let served = served.restart(&format!("{provider}\n{events}"));
    let app = application(&served);
    let password = "correct horse battery";
    let dora = json!({ "username": "dora", "password": password });
    let there = upstream.admin_call("POST", "/users", Some(dora));
    let there = format!("/users/{}", there["id"].as_str().expect("id"));
    let who = [("username", "dora"), ("password", password), ("decision", "allow")];
    let mut dora = Person::new();
    let answer = dora.sign_in(&served, &request(&served, &app, &[]), &who);
    dora.id_token(&served, &app, &answer);
    assert!(dora.is_in(&served));

    upstream.admin_call("PATCH", &there, Some(json!({ "disabled": true })));
    wait_until("she is out", || !dora.is_in(&served));
    let suspended = |served: &Served| {
        let held = served.admin_call("GET", "/restrictions", None);
        let held = held["items"].as_array().expect("items").clone();
        let ours = held.iter().filter(|one| one["actor"] == "transmitter:acme");
        ours.filter(|one| one["effect"] == "suspend" && one["lifted_at"].is_null()).count()
    };
    wait_until("she is suspended", || suspended(&served) == 1);
    let waiting = || {
        let listed = upstream.command(&["notify", "waiting", "--json"]);
        let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
        listed["items"].as_array().or(listed.as_array()).expect("items").len()
    };
    wait_until("what was followed is acknowledged", || waiting() == 0);

    let mut served = served;
    served.kill();
    upstream.admin_call("PATCH", &there, Some(json!({ "disabled": false })));
    wait_until("it waits", || waiting() == 1);
    let served = served.again();
    wait_until("she may come again", || suspended(&served) == 0);
    wait_until("it is acknowledged", || waiting() == 0);
    let audit = served.admin_call("GET", "/audit?limit=100", None);
    let mut done: Vec<&str> = audit["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter_map(|one| one["action"].as_str().filter(|it| it.starts_with("signal.")))
        .collect();
    done.sort_unstable();
    assert_eq!(
        done,
        ["signal.account_disabled", "signal.account_enabled", "signal.session_revoked"],
        "each once"
    );
}

/// Both themes, the width of a phone, the size, axe: see `pages.mjs`.
#[test]
fn the_pages_around_providers_at_chromium() {
    let folder = tempfile::tempdir().expect("folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{SECRET}\n")).expect("secret");
    let served = Served::start("");
    let elsewhere = Elsewhere::start(&served);
    let secret = secret.display().to_string();
    let table = provider(&elsewhere.issuer, "tokenward", &secret, "create = \"always\"");
    let served = served.restart(&table);
    let app = application(&served);
    let password = "correct horse battery";
    let olga = json!({ "username": "olga", "password": password, "email": "olga@here.example" });
    served.admin_call("POST", "/users", Some(olga));
    let mut command = node_script("elsewhere.mjs");
    command
        .env("ISSUER", served.issuer(""))
        .env("REQUEST", request(&served, &app, &[]))
        .env("USERNAME", "olga")
        .env("PASSWORD", password)
        .env("CHROMIUM", variable("TOKENWARD_CHROMIUM"));
    let said = output_of(&mut command);
    assert!(said.lines().last().is_some_and(|line| line.starts_with("ok")), "{said}");
}
