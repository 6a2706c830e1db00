//! Sign-ins and failed tries in words, for the page of the account.

use store::{FailedTries, MOST_SIGN_INS, SIGN_INS_KEPT, SignIn, Wrong};
use token::id::SessionId;
use token::time::Timestamp;

use crate::language::Reader;
use crate::login::user_agent::Software;
use crate::rule::acr;

/// So many are seen at once; the others are behind a heading.
const RECENT: usize = 5;
const DAY_SECS: u64 = 24 * 3600;

/// What has happened.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// Tries of one day that failed.
    Failed(FailedTries),
    /// Somebody signed in.
    SignIn {
        /// The name of the application that it was for, where that is known still.
        client: Option<String>,
        sign_in: SignIn,
    },
}

/// All that is shown.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) recent: Vec<Line>,
    pub(super) earlier: Vec<Line>,
    /// How many are kept, and for how long.
    pub(super) kept: String,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) at: String,
    pub(super) what: String,
    /// With what, from where and for whom.
    pub(super) with: Vec<String>,
    /// The session to disown; empty where there is nothing to disown.
    pub(super) session: String,
}

// === impl Entry ===

impl Entry {
    /// When it was, or the last of it.
    pub(crate) fn at(&self) -> Timestamp {
        match self {
            Self::Failed(tries) => tries.last_at,
            Self::SignIn { sign_in, .. } => sign_in.at,
        }
    }

    fn line(&self, reader: &Reader<'_>, own: &SessionId) -> Line {
        match self {
            Self::Failed(tries) => failed(tries, reader),
            Self::SignIn { client, sign_in } => {
                let words = &reader.words;
                let client = client
                    .as_ref()
                    .map(|client| words.sign_ins.for_application.fill(&[("client", client)]));
                let (browser, ip) = (sign_in.browser.as_deref(), sign_in.ip);
                let with = [Some(Software::kept(browser).spoken(words)), from(ip, reader), client];
                Line {
                    at: words.minute(sign_in.at),
                    what: how(sign_in, reader),
                    with: with.into_iter().flatten().collect(),
                    session: match sign_in.session == *own {
                        true => String::new(),
                        false => sign_in.session.to_string(),
                    },
                }
            }
        }
    }
}

// === impl Shown ===

impl Shown {
    pub(super) fn new(reader: &Reader<'_>, entries: &[Entry], own: &SessionId) -> Self {
        let mut recent: Vec<Line> = entries.iter().map(|entry| entry.line(reader, own)).collect();
        let earlier = recent.split_off(RECENT.min(recent.len()));
        let days = reader.words.days(SIGN_INS_KEPT.as_secs() / DAY_SECS);
        let kept = &reader.words.sign_ins.kept;
        let kept = kept.fill(&[("count", &MOST_SIGN_INS), ("days", &days)]);
        Self { recent, earlier, kept }
    }
}

fn failed(tries: &FailedTries, reader: &Reader<'_>) -> Line {
    let words = &reader.words.sign_ins;
    let (one, many) = match tries.wrong {
        Wrong::Code => (&words.code_one, &words.code_many),
        Wrong::Password => (&words.password_one, &words.password_many),
    };
    let last = reader.words.minute(tries.last_at);
    let (what, at) = match tries.tries {
        1 => (one.into(), last),
        count => {
            let first = reader.words.minute(tries.first_at);
            let span = words.span.fill(&[("first", &first), ("last", &last)]);
            (many.fill(&[("count", &count)]), span)
        }
    };
    let browser = Software::kept(tries.browser.as_deref()).spoken(&reader.words);
    let with = [Some(browser), from(tries.ip, reader)].into_iter().flatten().collect();
    Line { at, what, with, session: String::new() }
}

fn from(ip: Option<std::net::IpAddr>, reader: &Reader<'_>) -> Option<String> {
    ip.map(|ip| reader.words.account.from_place.fill(&[("place", &reader.place(ip))]))
}

/// With what somebody signed in, by what `amr` says of it.
fn how(sign_in: &SignIn, reader: &Reader<'_>) -> String {
    let (words, has) = (&reader.words.sign_ins, |name| sign_in.amr.iter().any(|held| held == name));
    let has_passkey = has("hwk") || has("swk");
    let providers = &reader.settings.providers;
    // A session that began at a provider may have gone on with a sign-in here.
    let provider = sign_in.provider.as_ref().filter(|_| has("fed"));
    let first: String = match provider {
        Some(name) => {
            let known = providers.iter().find(|provider| provider.name == *name);
            known.map_or(name, |provider| &provider.title).clone()
        }
        None if has("pwd") => (&words.password).into(),
        None => return (&words.passkey).into(),
    };
    let second = match () {
        () if has("otp") => &words.code,
        () if has_passkey => &words.passkey_too,
        // A recovery code has no name there; what a provider has asked for beside has none either.
        () if has(acr::SEVERAL_FACTORS) && provider.is_none() => &words.recovery_code,
        () => return first,
    };
    words.both.fill(&[("first", &first), ("second", &second.as_str())])
}
