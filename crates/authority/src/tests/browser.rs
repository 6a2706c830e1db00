//! A person with a browser: cookies are kept, forms are sent as the page has them.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Request, header};
use token::secret::Secret;
use url::Url;

use super::support::{Answer, CHALLENGE, Harness, ISSUER, REDIRECT, TestClient, settings};
use crate::settings::Settings;

pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const STATE: &str = "a b&c=é";

/// One browser profile, at one address.
#[derive(Clone)]
pub(super) struct Browser<'a> {
    pub(super) harness: &'a Harness,
    pub(super) cookies: BTreeMap<String, String>,
    pub(super) ip: String,
    /// Its `Accept-Language`.
    pub(super) languages: String,
}

/// A form of a page.
#[derive(Clone, Debug)]
pub(super) struct PageForm {
    pub(super) action: String,
    pub(super) fields: Vec<(String, String)>,
}

// === impl Harness ===

impl Harness {
    /// A harness in which Alice has a password.
    pub(super) async fn with_password() -> Self {
        Self::with_password_and(settings()).await
    }

    pub(super) async fn with_password_and(settings: Settings) -> Self {
        let harness = Self::with(settings).await;
        harness.give_password().await;
        harness
    }

    /// Gives Alice a password.
    pub(super) async fn give_password(&self) {
        let hash = self.authority.hash_password(Secret::new(PASSWORD), &self.user, None).await;
        let mut user = self.user.clone();
        user.password_hash = Some(hash.expect("hash"));
        self.store.update_user(&user).await.expect("user");
    }

    pub(super) fn browser(&self) -> Browser<'_> {
        let (ip, languages) = ("203.0.113.5".to_owned(), "en".to_owned());
        Browser { harness: self, cookies: BTreeMap::new(), ip, languages }
    }
}

// === impl Browser ===

impl Browser<'_> {
    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path), Body::empty()).await
    }

    pub(super) async fn submit(&mut self, form: &PageForm, extra: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(&form.fields).extend_pairs(extra);
        let request = Request::post(&form.action)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, Body::from(body.finish())).await
    }

    /// Fetches the sign-in page and sends its form.
    pub(super) async fn sign_in(&mut self, path: &str, username: &str, password: &str) -> Answer {
        let page = self.get(path).await;
        let form = page.form();
        assert_eq!(form.action, "/login", "{}", page.text);
        self.submit(&form, &[("username", username), ("password", password)]).await
    }

    /// Signs Alice in and gives the answer of the authorization endpoint behind it.
    pub(super) async fn as_alice(&mut self, path: &str) -> Answer {
        let answer = self.sign_in(path, "alice", PASSWORD).await;
        assert_eq!(answer.status, 303, "{}", answer.text);
        let onward = answer.header("location").to_owned();
        self.get(&onward).await
    }

    /// Signs Alice in and agrees; the redirect to the client.
    pub(super) async fn agree(&mut self, path: &str) -> Answer {
        let page = self.as_alice(path).await;
        assert_eq!(page.form().action, "/consent", "{}", page.text);
        self.submit(&page.form(), &[("decision", "allow")]).await
    }

    async fn send(&mut self, request: axum::http::request::Builder, body: Body) -> Answer {
        let pairs: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header(header::COOKIE, pairs.join("; "));
        let request = request.header(header::ACCEPT_LANGUAGE, &self.languages);
        // The peer of the harness is no proxy of its own; 10.0.0.0/8 is.
        let request = request.header("x-forwarded-for", &self.ip).body(body).expect("request");
        let answer = self.harness.send_from("10.0.0.1:4711", request).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().expect("cookie").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

// === impl Answer ===

impl Answer {
    /// The first form of the page.
    #[track_caller]
    pub(super) fn form(&self) -> PageForm {
        self.form_of("")
    }

    /// The first form of the page whose markup holds this.
    #[track_caller]
    pub(super) fn form_of(&self, mark: &str) -> PageForm {
        let forms = self.text.split("<form").skip(1);
        let mut forms = forms.filter_map(|form| form.split("</form>").next());
        let page = forms.find(|form| form.contains(mark));
        let page = page.unwrap_or_else(|| panic!("{}", self.text));
        let hidden = page.split("<input").skip(1).filter_map(|input| {
            let tag = input.split('>').next().unwrap_or_default();
            (attribute(tag, "type")? == "hidden")
                .then(|| Some((attribute(tag, "name")?, attribute(tag, "value")?)))?
        });
        PageForm { action: attribute(page, "action").expect("action"), fields: hidden.collect() }
    }

    /// The parameters of a redirect to the client.
    #[track_caller]
    pub(super) fn at_client(&self) -> BTreeMap<String, String> {
        assert_eq!(self.status, 303, "{}", self.text);
        let location = self.header("location");
        assert!(location.starts_with(REDIRECT), "{location}");
        assert_eq!(self.header("cache-control"), "no-store");
        let url = Url::parse(location).expect("location");
        url.query_pairs().into_owned().collect()
    }

    /// Checks that the client is told of this refusal, with its state and our name.
    #[track_caller]
    pub(super) fn assert_refused_to_client(&self, code: &str) {
        let answer = self.at_client();
        assert_eq!(answer.get("error").map(String::as_str), Some(code), "{answer:?}");
        assert_eq!(answer.get("state").map(String::as_str), Some(STATE), "{answer:?}");
        assert_eq!(answer.get("iss").map(String::as_str), Some(ISSUER), "{answer:?}");
        assert!(!answer.contains_key("code"), "{answer:?}");
        assert!(answer.get("error_description").is_some_and(|text| text.len() > 10));
    }

    /// Checks that a person is told, and that nobody is sent anywhere.
    #[track_caller]
    pub(super) fn assert_page(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("location"), "");
        assert_eq!(self.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("x-frame-options"), "DENY");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("referrer-policy"), "no-referrer");
        let policy = self.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }

    /// What the page asks an authenticator for.
    #[track_caller]
    pub(super) fn passkey_options(&self) -> serde_json::Value {
        let text = attribute(&self.text, "data-options").expect("options");
        serde_json::from_str(&text).expect("JSON")
    }

    /// What the page says is wrong.
    pub(super) fn notice(&self) -> String {
        let alert = self.text.split("role=\"alert\"").nth(1).unwrap_or_default();
        let text = alert.split("<p>").nth(1).and_then(|text| text.split("</p>").next());
        unescape(text.unwrap_or_default())
    }
}

/// A good request of this client, with these parameters changed; an empty value leaves one out.
pub(super) fn request(client: &TestClient, changes: &[(&str, &str)]) -> String {
    let mut parameters = BTreeMap::from([
        ("response_type", "code"),
        ("client_id", client.id.as_str()),
        ("redirect_uri", REDIRECT),
        ("scope", "openid orders:read"),
        ("state", STATE),
        ("nonce", "n-1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    parameters.extend(changes.iter().copied());
    parameters.retain(|_, value| !value.is_empty());
    let mut query = form_urlencoded::Serializer::new(String::from("/authorize?"));
    query.extend_pairs(parameters).finish().replace("?&", "?")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split(&format!(" {name}=\"")).nth(1)?;
    value.split('"').next().map(unescape)
}

fn unescape(text: &str) -> String {
    text.replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#38;", "&")
}
