//! Client metadata on the wire (RFC 7591 §2): JSON ⇄ [`ClientDraft`].

use serde_json::{Map, Value, json};
use store::Client;
use token::json;
use token::scope::ScopeSet;
use token::term::{ClientAuthMethod, GrantType, parameter};
use url::Url;

use crate::register::member::{self, text, texts, wrong};
use crate::register::policy::Registration;
use crate::register::{ClientDraft, RegisteredClient, RegistrationRefused, options, statement};
use crate::settings::Settings;
use crate::signed_answer;

/// Members that are kept and given back as they came: web addresses.
pub(crate) const WEB_ADDRESSES: [&str; 4] = ["client_uri", "logo_uri", "policy_uri", "tos_uri"];
/// Members that only an administrator gives.
pub(crate) const BY_ADMINISTRATOR: [&str; 8] = [
    "access_token_life",
    "authorization_details_types",
    "exchange_audiences",
    "may_act",
    "pkce_optional",
    "refresh_absolute_life",
    "refresh_idle_life",
    "require_mfa",
];
/// Members that are kept and given back as they came: short texts.
pub(crate) const TEXTS: [&str; 2] = ["software_id", "software_version"];
/// Members that ask for something that is not built; to ignore one would break a promise.
const NOT_SUPPORTED: [&str; 3] =
    ["request_object_encryption_alg", "request_object_encryption_enc", "sector_identifier_uri"];

/// Reads a registration, within what can be had by one. Members that nobody knows are ignored
/// (RFC 7591 §2).
///
/// # Errors
/// [`RegistrationRefused`] names the member that is wrong.
pub fn parse(
    members: &Map<String, Value>,
    registration: &Registration,
) -> Result<ClientDraft, RegistrationRefused> {
    if let Some(member) = NOT_SUPPORTED.into_iter().find(|name| members.contains_key(*name)) {
        return Err(wrong(member, "is not supported here; leave it out"));
    }
    // What a client may ask for in detail is given by an administrator, and how long by the server.
    let given = |name: &&&str| members.get(**name).is_some_and(|value| !value.is_null());
    if let Some(name) = BY_ADMINISTRATOR.iter().find(given) {
        return Err(wrong(name, "cannot be had by registration"));
    }
    if text(members, "subject_type")?.is_some_and(|kind| kind != "public") {
        return Err(wrong("subject_type", "can only be public"));
    }
    let grant_types = grant_types(members)?;
    check_response_types(members, &grant_types)?;
    let scopes = scopes(members, registration)?;
    let draft = ClientDraft {
        name: text(members, "client_name")?.unwrap_or("Unnamed application").to_owned(),
        auth_method: auth_method(members)?,
        grant_types,
        redirect_uris: texts(members, "redirect_uris")?.unwrap_or_default(),
        default_scopes: scopes.clone(),
        scopes,
        options: options::parse(members)?,
        metadata: Value::Object(kept(members)?).to_string(),
    };
    registration.check(&draft)?;
    Ok(draft)
}

/// The registration response (RFC 7591 §3.2.1): all that was registered.
pub(crate) fn response(registered: &RegisteredClient, settings: &Settings) -> Value {
    let mut members = of_client(&registered.client, settings);
    if let Some(token) = &registered.registration_token {
        // RFC 7592 §3.
        let uri = settings.url(&format!("/register/{}", registered.client.id));
        members.insert("registration_client_uri".to_owned(), json!(uri));
        members.insert("registration_access_token".to_owned(), json!(token.expose()));
    }
    if let Some(secret) = &registered.secret {
        members.insert(parameter::CLIENT_SECRET.to_owned(), json!(secret.expose()));
        members.insert("client_secret_expires_at".to_owned(), json!(0));
    }
    Value::Object(members)
}

fn of_client(client: &Client, settings: &Settings) -> Map<String, Value> {
    // Written by `parse` as an object; anything else has no members to show.
    let mut members = json::parse_object(client.metadata.as_bytes()).unwrap_or_default();
    let has_code = client.grant_types.contains(&GrantType::AuthorizationCode);
    let response_types: &[&str] = if has_code { &["code"] } else { &[] };
    let own = [
        (parameter::CLIENT_ID, json!(client.id)),
        ("client_id_issued_at", json!(client.created_at.as_secs())),
        ("client_name", json!(client.name)),
        ("grant_types", json!(client.grant_types)),
        ("redirect_uris", json!(client.redirect_uris)),
        ("response_types", json!(response_types)),
        (parameter::SCOPE, json!(client.scopes)),
        ("token_endpoint_auth_method", json!(client.auth_method)),
        ("subject_type", json!("public")),
    ];
    members.extend(own.map(|(name, value)| (name.to_owned(), value)));
    if let Some(algorithm) = signed_answer::usual(settings, &client.options) {
        members.insert("id_token_signed_response_alg".to_owned(), json!(algorithm));
    }
    if let Ok(Value::Object(options)) = serde_json::to_value(&client.options) {
        members.extend(options);
    }
    members
}

/// RFC 7591 §2: `authorization_code` when omitted.
fn grant_types(members: &Map<String, Value>) -> Result<Vec<GrantType>, RegistrationRefused> {
    let Some(names) = texts(members, "grant_types")? else {
        return Ok(vec![GrantType::AuthorizationCode]);
    };
    let mut grant_types: Vec<GrantType> = Vec::new();
    for name in names {
        let unknown = |_| wrong("grant_types", "has a value that is not known here");
        let grant_type = name.parse().map_err(unknown)?;
        if !grant_types.contains(&grant_type) {
            grant_types.push(grant_type);
        }
    }
    Ok(grant_types)
}

/// RFC 7591 §2.1: `code` and `authorization_code` come together or not at all.
fn check_response_types(
    members: &Map<String, Value>,
    grant_types: &[GrantType],
) -> Result<(), RegistrationRefused> {
    let Some(names) = texts(members, "response_types")? else { return Ok(()) };
    let has_code = grant_types.contains(&GrantType::AuthorizationCode);
    if names.iter().any(|name| name != "code") {
        return Err(wrong("response_types", "can only have code"));
    }
    if has_code == names.is_empty() {
        return Err(wrong(
            "response_types",
            "must have code exactly when grant_types has \
            authorization_code",
        ));
    }
    Ok(())
}

fn auth_method(members: &Map<String, Value>) -> Result<ClientAuthMethod, RegistrationRefused> {
    const MEMBER: &str = "token_endpoint_auth_method";
    const RULE: &str = "can only be one of those in the metadata";
    match text(members, MEMBER)? {
        None => Ok(ClientAuthMethod::ClientSecretBasic),
        Some(name) => name.parse().map_err(|_| wrong(MEMBER, RULE)),
    }
}

fn scopes(
    members: &Map<String, Value>,
    registration: &Registration,
) -> Result<ScopeSet, RegistrationRefused> {
    let asked = member::scopes(members, parameter::SCOPE)?;
    Ok(asked.unwrap_or_else(|| registration.scopes.clone()))
}

/// Members without an effect here, checked because people will be shown them.
fn kept(members: &Map<String, Value>) -> Result<Map<String, Value>, RegistrationRefused> {
    let mut kept = Map::new();
    for name in WEB_ADDRESSES {
        let Some(address) = text(members, name)? else { continue };
        let is_web = |url: Url| matches!(url.scheme(), "https" | "http");
        if !Url::parse(address).is_ok_and(is_web) {
            return Err(wrong(name, "must be a web address"));
        }
        kept.insert(name.to_owned(), json!(address));
    }
    for name in TEXTS {
        if let Some(value) = text(members, name)? {
            kept.insert(name.to_owned(), json!(value));
        }
    }
    // Only one that was checked comes here; it is given back as it came (RFC 7591 §3.2.1).
    if let Some(statement @ Value::String(_)) = members.get(statement::MEMBER) {
        kept.insert(statement::MEMBER.to_owned(), statement.clone());
    }
    if let Some(contacts) = texts(members, "contacts")? {
        kept.insert("contacts".to_owned(), json!(contacts));
    }
    if let Some(kind) = text(members, "application_type")? {
        if !matches!(kind, "native" | "web") {
            return Err(wrong("application_type", "can only be native or web"));
        }
        kept.insert("application_type".to_owned(), json!(kind));
    }
    Ok(kept)
}

#[cfg(test)]
mod tests;
