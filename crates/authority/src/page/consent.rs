//! The consent page: who asks, for whom, for what, in plain words.

use std::time::Duration;

use askama::Template;
use store::{Client, User};
use token::authorization_details::AuthorizationDetail;
use token::scope::ScopeSet;
use token::term::scope;
use token::time::Timestamp;

use super::client_links::{self, ClientLink};
use super::policy::Leads;
use super::{Frame, Rendered, initial, render};
use crate::language::Reader;
use crate::metadata_document;
use crate::register::SELF_REGISTERED;
use crate::rule::optional_scopes::Split;
use crate::rule::redirect_uri;
use crate::settings::Settings;

/// A client that registered itself is new for so long.
const NEW: Duration = Duration::from_secs(7 * 24 * 3600);
/// To ask for everything is telling where there are so many scopes at least.
const MANY: usize = 3;

/// What the page says above the question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The form is not one that this session was given for this request.
    Stale,
    /// Neither button was pressed.
    Undecided,
}

/// What a person is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// Who wants it.
    pub(crate) client: &'a Client,
    /// Who is asked.
    pub(crate) person: &'a User,
    /// What for.
    pub(crate) scopes: &'a Split,
    /// What they refused before.
    pub(crate) refused: &'a ScopeSet,
    /// What exactly for.
    pub(crate) details: &'a [AuthorizationDetail],
    /// Where it can be used.
    pub(crate) audiences: &'a [String],
    /// Where the answer goes.
    pub(crate) return_to: &'a str,
    /// When.
    pub(crate) now: Timestamp,
}

/// The consent page.
#[derive(Debug, Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage {
    frame: Frame,
    client: String,
    client_id: String,
    client_initial: String,
    is_self_registered: bool,
    /// How long ago it registered itself, when that was just now.
    registered: String,
    /// Whether it asks for all that there is.
    is_broad: bool,
    /// Whether it wants to go on while the person is away.
    is_offline: bool,
    /// The host that vouches for a client that nobody registered.
    publisher: String,
    person: String,
    person_initial: String,
    username: String,
    permissions: Vec<Permission>,
    choices: Vec<Choice>,
    destination: String,
    links: Vec<ClientLink>,
    audiences: Vec<String>,
    return_to: String,
    action: String,
    request: String,
    proof: String,
    another: String,
    notice: String,
}

/// One scope, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Permission {
    pub(super) words: String,
    pub(super) scope: String,
}

/// One scope that can be left out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) words: String,
    pub(super) scope: String,
    pub(super) is_ticked: bool,
}

// === impl ConsentPage ===

impl ConsentPage {
    /// The page for one question.
    pub(crate) fn new(reader: &Reader<'_>, asked: &Asked<'_>, notice: Option<Notice>) -> Self {
        let (client, person) = (asked.client, asked.person);
        let name = person.name.as_ref().filter(|name| !name.trim().is_empty());
        let name = name.unwrap_or(&person.username);
        let is_self_registered = client.created_by.starts_with(SELF_REGISTERED);
        let age = asked.now.since(client.created_at);
        let all = asked.scopes.fixed.union(&asked.scopes.optional);
        Self {
            frame: Frame::new(reader),
            client: client.name.clone(),
            client_id: client.id.to_string(),
            client_initial: initial(&client.name),
            is_self_registered,
            registered: match is_self_registered && age < NEW {
                true => reader.words.ago(age.as_secs()),
                false => String::new(),
            },
            is_broad: is_everything(&all, reader.settings),
            is_offline: all.contains(scope::OFFLINE_ACCESS),
            publisher: client
                .created_by
                .strip_prefix(metadata_document::CREATED_BY)
                .unwrap_or_default()
                .to_owned(),
            person: name.clone(),
            person_initial: initial(name),
            username: person.username.clone(),
            permissions: details(asked.details, reader)
                .into_iter()
                .chain(permissions(&asked.scopes.fixed, reader))
                .collect(),
            choices: choices(&asked.scopes.optional, asked.refused, reader),
            destination: destination(asked.return_to, reader),
            links: client_links::of(client, &reader.words),
            audiences: asked.audiences.to_vec(),
            return_to: asked.return_to.to_owned(),
            action: reader.settings.path("/consent"),
            request: String::new(),
            proof: String::new(),
            another: String::new(),
            notice: match notice {
                None => String::new(),
                Some(Notice::Stale) => (&reader.words.consent.stale).into(),
                Some(Notice::Undecided) => (&reader.words.consent.ask_again).into(),
            },
        }
    }

    /// With the request that the decision is about, and where to go for another account.
    pub(crate) fn continuing(self, request: &str, proof: String, another: String) -> Self {
        Self { request: request.to_owned(), proof, another, ..self }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::To(&self.return_to))
    }
}

/// Whether nothing is left that could be asked for.
fn is_everything(scopes: &ScopeSet, settings: &Settings) -> bool {
    let reached = settings.ladder.reach(scopes);
    settings.scopes.len() >= MANY
        && settings.scopes.iter().all(|defined| reached.contains(&defined.name))
}

/// What is given as a whole; nothing that another of them includes.
pub(super) fn permissions(scopes: &ScopeSet, reader: &Reader<'_>) -> Vec<Permission> {
    let tops = reader.settings.ladder.tops(scopes);
    let permission = |name: &str| Permission { words: reader.scope(name), scope: name.to_owned() };
    in_order(&tops).into_iter().map(permission).collect()
}

/// What can be left out, one by one; ticked where it was not refused before.
pub(super) fn choices(optional: &ScopeSet, refused: &ScopeSet, reader: &Reader<'_>) -> Vec<Choice> {
    let choice = |name: &str| Choice {
        words: reader.scope(name),
        scope: name.to_owned(),
        is_ticked: !refused.contains(name),
    };
    in_order(optional).into_iter().map(choice).collect()
}

/// First who somebody is, then what they have, then for how long.
fn in_order(scopes: &ScopeSet) -> Vec<&str> {
    let identity = [scope::OPENID, scope::PROFILE, scope::EMAIL, scope::ADDRESS, scope::PHONE];
    let mut names: Vec<&str> = scopes.iter().collect();
    names.sort_by_key(|name| match *name {
        scope::OFFLINE_ACCESS => identity.len() + 1,
        other => identity.iter().position(|name| *name == other).unwrap_or(identity.len()),
    });
    names
}

/// What exactly is asked for, in the words that its type has.
pub(super) fn details(details: &[AuthorizationDetail], reader: &Reader<'_>) -> Vec<Permission> {
    let words = |detail: &AuthorizationDetail| {
        let defined = reader.settings.authorization_details.iter().find(|d| d.kind == detail.kind);
        let words = defined.map(|definition| definition.words(detail, reader.words.language));
        let words = words.unwrap_or_else(|| detail.kind.clone());
        Permission { words, scope: detail.kind.clone() }
    };
    details.iter().map(words).collect()
}

fn destination(return_to: &str, reader: &Reader<'_>) -> String {
    let words = &reader.words.common;
    if redirect_uri::is_loopback(return_to) {
        return (&words.app_here).into();
    }
    let host = redirect_uri::host_of(return_to).unwrap_or_default();
    match return_to.starts_with("https://") {
        true => host,
        false => words.app_named.fill(&[("name", &host)]),
    }
}
