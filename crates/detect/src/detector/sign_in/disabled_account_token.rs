//! Tokens of somebody who was disabled are still being used.
//!
//! Certain: a door knew the token and refused it for that reason, or because it was taken back, as all tokens of an
//! account are when it is disabled; or let it through a minute and more after an administrator disabled the account,
//! since it did not hear of that, and nobody let them in since. Where the event has no verified name, the network is
//! told, since a name that is only claimed is anybody's. Told once for each account, for the first use tells all there
//! is to know: somebody still holds its tokens. But a page that was open asks once more, and learns it: what comes
//! within an hour and from the address and by the software of the token's last good use is told when something follows
//! ten seconds after the first. State: 20,000 accounts of about 150 bytes, and 24 for each of 20,000 that are
//! disabled.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind, Who};
use token::reason::{Reason, Refused};
use token::time::Timestamp;

use crate::detector::sign_in::source::Source;
use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting, network};
use crate::sketch::hash;
use crate::sketch::recent::Recent;
use crate::sketch::table::Table;
use crate::sketch::told::Told;

const ACCOUNTS: usize = 20_000;
/// Kinds of accounts.
const SUBJECT: u64 = 1;
const CLIENT: u64 = 2;
/// So long after its last good use a page may be open.
const OPEN: Duration = Duration::from_secs(3600);
/// So many seconds it may take until all doors know.
const KNOWN: u32 = 60;
/// So long its requests take.
const PAGE: Duration = Duration::from_secs(10);

/// Uses of disabled accounts' tokens.
pub(super) struct DisabledAccountToken {
    accounts: Recent<String, Account>,
    /// Since when accounts are disabled, by kind and name; zero of those that are enabled again.
    disabled: Table<u32>,
}

#[derive(Default)]
struct Account {
    /// An administrator said so.
    is_disabled: bool,
    /// When a page that was open asked first.
    page: Option<Timestamp>,
    told: Told,
}

impl Default for DisabledAccountToken {
    fn default() -> Self {
        Self { accounts: Recent::new(ACCOUNTS), disabled: Table::new(ACCOUNTS) }
    }
}

impl RecordDetector for DisabledAccountToken {
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting> {
        let request = match &event.kind {
            EventKind::Request(request) => request,
            EventKind::Admin { action, target, .. } => {
                self.change(action, target, source::seconds(event));
                return None;
            }
            // Who is let in again was enabled again, whoever did that.
            EventKind::Login { result, .. } | EventKind::Grant { result, .. } if result == "ok" => {
                let account = hash::both(SUBJECT, names.subject?);
                if self.disabled.peek(account).is_some_and(|since| *since > 0) {
                    *self.disabled.touch(account, source::seconds(event)) = 0;
                }
                return None;
            }
            _ => return None,
        };
        let who = &event.who;
        let is_told_by_the_door = request.refused == Some(Refused::Plain(Reason::Disabled));
        let is_taken_back = request.refused == Some(Refused::Plain(Reason::Revoked));
        let is_let_through = request.refused.is_none() && self.is_let_through(event, names);
        let is_disabled =
            is_told_by_the_door || is_let_through || is_taken_back && self.are_disabled(who);
        if !is_disabled {
            return None;
        }
        let account = match (&who.subject, &who.client) {
            (Some(subject), _) => format!("subject:{subject}"),
            (None, Some(client)) => format!("client:{client}"),
            (None, None) => network::actor(event.ip?),
        };
        let held = self.accounts.touch(&account);
        if !is_let_through && is_page(event, names, record) {
            let first = *held.page.get_or_insert(event.ts);
            if event.ts.since(first) < PAGE {
                return None;
            }
        }
        if !held.told.is_news(event.ts, 1) {
            return None;
        }
        let from = source::shown(event);
        let whose = match (&who.subject, &who.client) {
            (None, None) => "somebody who is not named",
            _ => account.as_str(),
        };
        let answer = if is_let_through { " and let through" } else { "" };
        Some(Sighting {
            kind: Kind::SignIn(SignIn::DisabledAccountToken),
            summary: format!(
                "a token of {whose} was used from {from} for {} {}{answer}, although the person or the \
                 client is disabled",
                request.method, request.path
            ),
            actor: account,
            whom: source::whom(event),
            facts: BTreeMap::from([
                ("method", json!(request.method)),
                ("path", json!(request.path)),
            ]),
        })
    }
}

/// Whether the token was let through a short while ago, from there and by that software.
fn is_page(event: &Event, names: &Names, record: &Record<'_>) -> bool {
    let good = record.good_use(event, names);
    good.zip(Source::of(event)).is_some_and(|((ts, home), now)| {
        event.ts.since(ts) < OPEN && home.network == now.network && home.is_same_software(&now)
    })
}

impl DisabledAccountToken {
    fn are_disabled(&self, who: &Who) -> bool {
        let names = [
            who.subject.as_ref().map(|subject| format!("subject:{subject}")),
            who.client.as_ref().map(|client| format!("client:{client}")),
        ];
        names.iter().flatten().any(|name| self.accounts.peek(name).is_some_and(|it| it.is_disabled))
    }

    /// Whether the account was disabled long enough ago.
    fn is_let_through(&self, event: &Event, names: &Names) -> bool {
        let client = event.who.client.as_ref().map(|_| hash::both(CLIENT, names.client));
        let subject = names.subject.map(|subject| hash::both(SUBJECT, subject));
        let now = source::seconds(event);
        [subject, client].into_iter().flatten().any(|account| {
            let since = self.disabled.peek(account).copied();
            since.is_some_and(|since| since > 0 && now.saturating_sub(since) >= KNOWN)
        })
    }

    fn change(&mut self, action: &str, target: &str, now: u32) {
        let Some((kind @ ("user" | "client"), verb)) = action.split_once('.') else { return };
        let name = format!("{}:{target}", if kind == "user" { "subject" } else { kind });
        if let "disable" | "disabled" | "enable" | "enabled" = verb {
            let account = self.accounts.touch(&name);
            let is_disabled = verb.starts_with("disable");
            (account.is_disabled, account.page) = (is_disabled, None);
            let kind = if kind == "user" { SUBJECT } else { CLIENT };
            *self.disabled.touch(hash::both(kind, hash::text(target)), now) =
                if is_disabled { now } else { 0 };
        }
    }
}
