//! Identity providers on pages: where they are offered, and where a person connects them.

use askama::Template;
use http::StatusCode;
use store::Identity;

use super::policy::Leads;
use super::{Frame, Rendered, render};
use crate::language::words::Words;
use crate::language::{Reader, Text};
use crate::login::session::SignedIn;
use crate::provider::Provider;

/// Why nobody came of a sign-in at a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// There is an account with their address.
    AddressKnown { title: String },
    /// They went back.
    Cancelled { title: String },
    /// Their account is switched off.
    Disabled,
    /// What they sign in for is too long to be carried along.
    LongRequest,
    /// The answer is not good.
    NotBelieved { title: String },
    /// It is not as fresh as it has to be.
    NotFresh { title: String },
    /// The provider says no to us.
    Refused { title: String },
    /// Nobody here is connected with them.
    Unknown { title: String },
    /// No provider has this domain.
    UnknownDomain,
    /// The provider cannot be reached.
    Unreachable { title: String },
}

/// What the sign-in page offers.
#[derive(Debug)]
pub(crate) struct ProviderOffer {
    pub(super) action: String,
    pub(super) buttons: Vec<Button>,
    pub(super) by_address: bool,
    pub(super) address: String,
    is_plain: bool,
}

/// A provider to choose.
#[derive(Debug)]
pub(super) struct Button {
    pub(super) name: String,
    pub(super) words: String,
}

/// What the page of a person says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// One was connected.
    Connected,
    /// One was disconnected.
    Disconnected,
    /// Nothing.
    None,
    /// It is the only way to sign in.
    OnlyWay,
    /// The form is not one that this session was given, or what it is about is gone.
    Stale,
    /// It is somebody else's.
    Taken,
}

/// An account elsewhere.
struct Connected {
    id: String,
    title: String,
    label: String,
    added: String,
    used: String,
}

/// The page of a person.
#[derive(Template)]
#[template(path = "identities.html")]
pub(crate) struct IdentitiesPage {
    frame: Frame,
    username: String,
    notice: String,
    done: String,
    connected: Vec<Connected>,
    buttons: Vec<Button>,
    action: String,
    account: String,
    proof: String,
    is_plain: bool,
}

// === impl Trouble ===

impl Trouble {
    /// The status of the page.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::AddressKnown { .. } | Self::Disabled | Self::Unknown { .. } => {
                StatusCode::FORBIDDEN
            }
            Self::Refused { .. } | Self::NotBelieved { .. } => StatusCode::BAD_GATEWAY,
            Self::Unreachable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Cancelled { .. }
            | Self::LongRequest
            | Self::NotFresh { .. }
            | Self::UnknownDomain => StatusCode::BAD_REQUEST,
        }
    }

    /// The words for a person.
    pub(crate) fn words(&self, host: &str, words: &Words) -> String {
        let t = &words.provider;
        let (text, provider) = match self {
            Self::AddressKnown { title } => (&t.address_known, title.as_str()),
            Self::Cancelled { title } => (&t.cancelled, title.as_str()),
            Self::Disabled => (&words.sign_in.disabled, ""),
            Self::LongRequest => (&t.long_request, ""),
            Self::NotBelieved { title } => (&t.not_believed, title.as_str()),
            Self::NotFresh { title } => (&t.not_fresh, title.as_str()),
            Self::Refused { title } => (&t.refused, title.as_str()),
            Self::Unknown { title } => (&t.unknown, title.as_str()),
            Self::UnknownDomain => (&t.unknown_domain, ""),
            Self::Unreachable { title } => (&t.unreachable, title.as_str()),
        };
        text.fill(&[("provider", &provider), ("host", &host)])
    }
}

// === impl ProviderOffer ===

impl ProviderOffer {
    /// Those that are configured; `None` without any.
    pub(crate) fn of(reader: &Reader<'_>, hint: Option<&str>) -> Option<Self> {
        let (settings, words) = (reader.settings, &reader.words.provider);
        let providers = &settings.providers;
        let offered = providers.iter().filter(|provider| provider.has_button);
        let buttons = offered.map(|provider| Button::new(provider, &words.go)).collect();
        (!providers.is_empty()).then(|| Self {
            action: settings.path("/login/provider"),
            buttons,
            by_address: providers.iter().any(|provider| !provider.domains.is_empty()),
            address: hint.filter(|hint| hint.contains('@')).unwrap_or_default().to_owned(),
            is_plain: providers.iter().any(Provider::is_plain),
        })
    }

    /// Browsers hold what a form leads to against the page's policy, redirect by redirect.
    pub(super) fn scheme(&self) -> &'static str {
        scheme(self.is_plain)
    }
}

fn scheme(is_plain: bool) -> &'static str {
    if is_plain { "http:" } else { "https:" }
}

// === impl Button ===

impl Button {
    fn new(provider: &Provider, words: &Text) -> Self {
        let words = words.fill(&[("provider", &provider.title)]);
        Self { name: provider.name.clone(), words }
    }
}

// === impl Notice ===

impl Notice {
    /// The status of the page.
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::Connected | Self::Disconnected | Self::None => StatusCode::OK,
            Self::OnlyWay | Self::Taken => StatusCode::CONFLICT,
            Self::Stale => StatusCode::BAD_REQUEST,
        }
    }
}

// === impl IdentitiesPage ===

impl IdentitiesPage {
    pub(crate) fn new(
        reader: &Reader<'_>,
        person: &SignedIn,
        identities: &[Identity],
        proof: String,
        notice: Notice,
    ) -> Self {
        let (settings, words) = (reader.settings, &reader.words);
        let (t, day) = (&words.provider, |at| words.day(at));
        let connected = |identity: &Identity| Connected {
            id: identity.id.clone(),
            title: settings
                .provider(&identity.provider)
                .map_or(&identity.provider, |provider| &provider.title)
                .clone(),
            label: identity.label.clone(),
            added: day(identity.created_at),
            used: identity.last_used_at.map(day).unwrap_or_default(),
        };
        Self {
            frame: Frame::new(reader),
            username: person.user().username.clone(),
            notice: match notice {
                Notice::OnlyWay => (&t.only_way).into(),
                Notice::Stale => (&words.common.stale).into(),
                Notice::Taken => (&t.taken).into(),
                Notice::Connected | Notice::Disconnected | Notice::None => String::new(),
            },
            done: match notice {
                Notice::Connected => (&t.connected).into(),
                Notice::Disconnected => (&t.disconnected).into(),
                Notice::None | Notice::OnlyWay | Notice::Stale | Notice::Taken => String::new(),
            },
            connected: identities.iter().map(connected).collect(),
            buttons: settings.providers.iter().map(|one| Button::new(one, &t.add)).collect(),
            action: settings.path("/account/identities"),
            account: settings.path("/account"),
            proof,
            is_plain: settings.providers.iter().any(Provider::is_plain),
        }
    }

    /// The page as it is sent.
    pub(crate) fn finish(&self) -> Rendered {
        render(&self.frame, self, Leads::Several(&[scheme(self.is_plain)]))
    }
}
