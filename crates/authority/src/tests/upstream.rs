//! An identity provider in this process, which does what a test tells it: OpenID Connect, or OAuth as GitHub has it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use token::base64url;
use token::jws::{self, Jws};
use token::key::{PrivateKey, PublicKey};
use token::secret::Secret;
use token::signature::verify_with_key;
use token::term::Algorithm;
use url::Url;

use super::browser::{Browser, request};
use super::support::{Answer, Harness, ISSUER, basic, settings};
use crate::provider::preset::Preset;
use crate::provider::{ClientAuth, OAuth, Protocol, Provider};
use crate::settings::Settings;

pub(super) const SECRET: &str = "what only we and the provider know";

/// The provider.
#[derive(Clone)]
pub(super) struct Upstream {
    pub(super) issuer: String,
    pub(super) key: Arc<PrivateKey>,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    codes: BTreeMap<String, Given>,
    /// What UserInfo says.
    userinfo: Value,
    /// The addresses of whoever asks.
    emails: Value,
    /// How often it was asked for tokens.
    redeemed: usize,
    /// The key that shows who somebody is, and for whom its assertions are.
    client_key: Option<(Arc<PublicKey>, String)>,
    /// Assertions that were used.
    assertions: BTreeSet<String>,
}

/// What stands behind a code.
struct Given {
    challenge: String,
    callback: String,
    id_token: Option<String>,
}

// === impl Upstream ===

impl Upstream {
    pub(super) async fn start() -> Self {
        let key = PrivateKey::generate(Algorithm::Es256).expect("key");
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("socket");
        let issuer = format!("http://{}", socket.local_addr().expect("address"));
        let upstream = Self { issuer, key: Arc::new(key), script: Arc::default() };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(redeem))
            .route("/userinfo", get(userinfo))
            .route("/emails", get(emails))
            .with_state(upstream.clone());
        tokio::spawn(async move { axum::serve(socket, router).await.expect("serve") });
        upstream
    }

    /// Whether the form has a good assertion of ours, which it takes once (RFC 7523 §3).
    fn knows(&self, form: &BTreeMap<String, String>) -> bool {
        let Some(text) = form.get("client_assertion") else { return false };
        let mut script = self.script.lock().expect("lock");
        let Some((key, audience)) = script.client_key.clone() else { return false };
        let jws = Jws::parse(text).expect("assertion");
        let good = verify_with_key(&jws, &key).is_ok();
        let claims: Value = serde_json::from_slice(jws.unverified_payload()).expect("claims");
        let id = claims["jti"].as_str().expect("jti").to_owned();
        let life = claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat");
        good && form["client_assertion_type"]
            == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            && form["client_id"] == "us"
            && !form.contains_key("client_secret")
            && (&claims["iss"], &claims["sub"]) == (&json!("us"), &json!("us"))
            && claims["aud"] == json!(audience)
            && life == 60
            && script.assertions.insert(id)
    }

    /// From now on this key shows who somebody is, in assertions for this audience.
    pub(super) fn expect_key(&self, key: &PrivateKey, audience: String) {
        let key = Arc::clone(key.public());
        self.script.lock().expect("lock").client_key = Some((key, audience));
    }

    /// As it is configured here.
    pub(super) fn provider(&self, name: &str, preset: Preset) -> Provider {
        let at = |path: &str| format!("{}{path}", self.issuer).parse().expect("URL");
        let path = |text: &str| text.parse().expect("path");
        Provider {
            name: name.to_owned(),
            title: preset.title().unwrap_or("Acme").to_owned(),
            protocol: match preset.is_openid() {
                true => Protocol::OpenId { issuer: self.issuer.clone() },
                false => Protocol::OAuth(Box::new(OAuth {
                    authorization_endpoint: at("/authorize"),
                    token_endpoint: at("/token"),
                    userinfo_endpoint: at("/userinfo"),
                    emails_endpoint: Some(at("/emails")),
                    subject: path(preset.subject()),
                })),
            },
            client_id: "us".to_owned(),
            client_auth: ClientAuth::Secret(Secret::new(SECRET)),
            scopes: preset.scopes().to_owned(),
            domains: Vec::new(),
            has_button: true,
            link: Default::default(),
            create: Default::default(),
            email_proof: preset.email_proof().expect("proof"),
            username: path(preset.username()),
            claims: Vec::new(),
            groups: None,
            trust_acr: Vec::new(),
            trust_amr: Vec::new(),
            keep_tokens: false,
        }
    }

    /// What UserInfo says from now on, and which addresses there are.
    pub(super) fn tell(&self, userinfo: Value, emails: Value) {
        let mut script = self.script.lock().expect("lock");
        (script.userinfo, script.emails) = (userinfo, emails);
    }

    /// How often tokens were asked for.
    pub(super) fn redeemed(&self) -> usize {
        self.script.lock().expect("lock").redeemed
    }

    /// Lets somebody pass who came by this address; `claims` are laid over those of a good ID token, where
    /// `null` takes one away. The query that the browser brings back.
    pub(super) fn pass(&self, at: &Url, now: i64, claims: &Value) -> String {
        let asked: BTreeMap<String, String> = at.query_pairs().into_owned().collect();
        let mut token = json!({
            "iss": self.issuer, "sub": "there-1", "aud": "us", "iat": now, "exp": now + 300,
            "nonce": asked.get("nonce"),
        });
        for (name, value) in claims.as_object().expect("claims") {
            token[name] = value.clone();
        }
        token.as_object_mut().expect("claims").retain(|_, value| !value.is_null());
        let signed = jws::sign(&self.key, "JWT", token.to_string().as_bytes()).expect("token");
        self.give(at, Some(signed))
    }

    /// The same with another ID token, or none.
    pub(super) fn give(&self, at: &Url, id_token: Option<String>) -> String {
        let asked: BTreeMap<String, String> = at.query_pairs().into_owned().collect();
        let mut script = self.script.lock().expect("lock");
        let code = format!("code-{}", script.codes.len());
        let (challenge, callback) =
            (asked["code_challenge"].clone(), asked["redirect_uri"].clone());
        script.codes.insert(code.clone(), Given { challenge, callback, id_token });
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("code", &code).append_pair("state", &asked["state"]);
        query.append_pair("iss", &self.issuer).finish()
    }

    /// A logout token with these claims over those of a good one.
    pub(super) fn logout_token(&self, typ: &str, now: i64, claims: &Value) -> String {
        let mut token = json!({
            "iss": self.issuer, "aud": "us", "iat": now, "exp": now + 120, "jti": "j-1",
            "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
        });
        for (name, value) in claims.as_object().expect("claims") {
            token[name] = value.clone();
        }
        token.as_object_mut().expect("claims").retain(|_, value| !value.is_null());
        jws::sign(&self.key, typ, token.to_string().as_bytes()).expect("token")
    }
}

async fn metadata(State(upstream): State<Upstream>) -> Json<Value> {
    let issuer = &upstream.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize?tenant=a"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/keys"),
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn keys(State(upstream): State<Upstream>) -> Json<Value> {
    Json(json!({ "keys": [upstream.key.public().jwk()] }))
}

/// Checks all that a good provider checks: who redeems, where, with what verifier, and that it is once.
async fn redeem(
    State(upstream): State<Upstream>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let refused = |code: &str| (StatusCode::BAD_REQUEST, Json(json!({ "error": code })));
    let by_field = headers.get("authorization").is_some_and(|field| field == &basic("us", SECRET));
    let by_form = form.get("client_secret").is_some_and(|secret| secret == SECRET);
    if !(by_field || by_form || upstream.knows(&form)) {
        return refused("invalid_client");
    }
    let mut script = upstream.script.lock().expect("lock");
    script.redeemed += 1;
    let Some(given) = script.codes.remove(&form["code"]) else { return refused("invalid_grant") };
    let challenge = digest::digest(&digest::SHA256, form["code_verifier"].as_bytes());
    if base64url::encode(challenge) != given.challenge || form["redirect_uri"] != given.callback {
        return refused("invalid_grant");
    }
    let mut answer = json!({ "access_token": "upstream-token", "token_type": "bearer" });
    answer["refresh_token"] = json!("upstream-refresh");
    if let Some(id_token) = given.id_token {
        answer["id_token"] = json!(id_token);
    }
    (StatusCode::OK, Json(answer))
}

fn is_holder(headers: &HeaderMap) -> bool {
    headers.get("authorization").is_some_and(|field| field == "Bearer upstream-token")
}

async fn userinfo(
    State(upstream): State<Upstream>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    let told = upstream.script.lock().expect("lock").userinfo.clone();
    if is_holder(&headers) { Ok(Json(told)) } else { Err(StatusCode::UNAUTHORIZED) }
}

async fn emails(
    State(upstream): State<Upstream>,
    headers: HeaderMap,
) -> Result<Json<Value>, StatusCode> {
    let list = upstream.script.lock().expect("lock").emails.clone();
    if is_holder(&headers) { Ok(Json(list)) } else { Err(StatusCode::UNAUTHORIZED) }
}

// === impl Harness ===

impl Harness {
    /// A harness in which Alice has a password and these providers are offered.
    pub(super) async fn with_providers(providers: Vec<Provider>) -> Self {
        Self::with_password_and(Settings { providers, ..settings() }).await
    }
}

// === impl Browser ===

impl Browser<'_> {
    /// From the sign-in page before this request to the provider: where the browser is sent.
    pub(super) async fn leave(&mut self, path: &str, choice: (&str, &str)) -> Url {
        let page = self.get(path).await;
        let answer = self.submit(&page.form_of("/login/provider"), &[choice]).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        answer.header("location").parse().expect("URL")
    }

    /// The whole way to a provider and back, with these claims.
    pub(super) async fn visit_provider(
        &mut self,
        upstream: &Upstream,
        path: &str,
        claims: &Value,
    ) -> Answer {
        let at = self.leave(path, ("provider", "acme")).await;
        let back = upstream.pass(&at, self.harness.now().as_secs(), claims);
        self.get(&format!("/login/provider/acme?{back}")).await
    }

    /// Asks for a sign-in to the usual application.
    pub(super) async fn by_provider(&mut self, upstream: &Upstream, claims: &Value) -> Answer {
        let path = request(&self.harness.confidential, &[]);
        self.visit_provider(upstream, &path, claims).await
    }
}

/// The address to which the provider sends people back.
pub(super) fn callback() -> String {
    format!("{ISSUER}/login/provider/acme")
}
