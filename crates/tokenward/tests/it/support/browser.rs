//! A person with a browser: pages are fetched, their forms filled in and sent, cookies kept.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use serde_json::Value;
use url::Url;

use super::Product;
use super::http::{Answer, Http, form};

/// Where the demo client lets answers be sent; nothing listens there.
pub(crate) const REDIRECT: &str = "http://127.0.0.1/callback";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// One browser profile.
pub(crate) struct Browser {
    http: Http,
    cookies: BTreeMap<String, String>,
}

/// A form as the page has it.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) action: String,
    pub(crate) fields: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self { http: Http::new(), cookies: BTreeMap::new() }
    }

    /// Fetches a page; redirects are the caller's.
    pub(crate) fn get(&mut self, url: &str) -> Answer {
        self.send(Method::GET, url, None)
    }

    /// Sends a form of the page at `base`.
    pub(crate) fn submit(&mut self, base: &str, form: &Form, extra: &[(&str, &str)]) -> Answer {
        let url = Url::parse(base).expect("base").join(&form.action).expect("action");
        let mut fields: Vec<(&str, &str)> =
            form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        fields.extend_from_slice(extra);
        self.send(Method::POST, url.as_str(), Some(self::form(&fields)))
    }

    fn send(&mut self, method: Method, url: &str, body: Option<String>) -> Answer {
        let mut request = Request::builder().method(method).uri(url);
        if !self.cookies.is_empty() {
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        let answer = self.http.send(request.body(body).expect("request"));
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().expect("cookie").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("cookie");
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// Signs in as the demo user, agrees, redeems the code.
pub(crate) fn sign_in(product: &Product, scope: &str) -> Value {
    let code = code(product, &mut Browser::new(), scope);
    redeem(product, &code).expect(200)
}

/// Redeems a code as the demo client.
pub(crate) fn redeem(product: &Product, code: &str) -> Answer {
    product.token(&[
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ])
}

/// The authorization request's URL.
pub(crate) fn authorize_url(product: &Product, scope: &str) -> String {
    let query = form(&[
        ("response_type", "code"),
        ("client_id", product.said("client_id")),
        ("redirect_uri", REDIRECT),
        ("scope", scope),
        ("state", "af0ifjsldkj"),
        ("nonce", "n-0S6_WzA2Mj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    product.issuer(&format!("/authorize?{query}"))
}

/// Goes through sign-in and consent where they are asked for; the code.
pub(crate) fn code(product: &Product, browser: &mut Browser, scope: &str) -> String {
    code_at(product, browser, &authorize_url(product, scope))
}

/// The same for an authorization request that is there already.
pub(crate) fn code_at(product: &Product, browser: &mut Browser, base: &str) -> String {
    let target = arrive(product, browser, base).expect("a redirect");
    let query: BTreeMap<String, String> = target.query_pairs().into_owned().collect();
    assert_eq!(query.get("state").map(String::as_str), Some("af0ifjsldkj"));
    assert_eq!(query.get("iss").map(String::as_str), Some(product.said("issuer")));
    query.get("code").unwrap_or_else(|| panic!("no code: {target}")).clone()
}

/// Opens an address, signs in and says yes wherever that is asked: where the client is told, or
/// nothing where a page without a form is the end.
pub(crate) fn arrive(product: &Product, browser: &mut Browser, base: &str) -> Option<Url> {
    let mut answer = browser.get(base);
    for _ in 0..8 {
        if let Some(target) = redirect_of(base, &answer) {
            if target.as_str().starts_with(REDIRECT) {
                return Some(target);
            }
            answer = browser.get(target.as_str());
            continue;
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        if !answer.body.contains("<form") {
            return None;
        }
        let form = form_of(&answer.body);
        let login =
            [("username", product.said("username")), ("password", product.said("password"))];
        let decision = [("decision", "allow")];
        let fill: &[(&str, &str)] =
            if answer.body.contains("name=\"password\"") { &login } else { &decision };
        answer = browser.submit(base, &form, fill);
    }
    panic!("no end: {answer:?}");
}

/// The target of a redirect.
pub(crate) fn redirect_of(base: &str, answer: &Answer) -> Option<Url> {
    let location = answer.headers.get(header::LOCATION)?.to_str().ok()?;
    Url::parse(base).ok()?.join(location).ok()
}

/// The first form of a page, with the fields that it has filled in.
pub(crate) fn form_of(page: &str) -> Form {
    let start = page.find("<form").expect("a form");
    let page = &page[start..page[start..].find("</form>").map_or(page.len(), |end| start + end)];
    let action = attribute(page, "action").unwrap_or_default();
    let mut fields = Vec::new();
    for input in page.split("<input").skip(1) {
        let tag = &input[..input.find('>').unwrap_or(input.len())];
        let name = attribute(tag, "name").expect("name");
        if let Some(value) = attribute(tag, "value").filter(|_| name != "username") {
            fields.push((name, value));
        }
    }
    Form { action, fields }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &tag[start..start + tag[start..].find('"')?];
    let unescaped = value
        .replace("&#38;", "&")
        .replace("&amp;", "&")
        .replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&lt;", "<")
        .replace("&#62;", ">")
        .replace("&gt;", ">");
    Some(unescaped)
}
