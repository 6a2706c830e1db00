//! Tokens of somebody who was disabled are still being used.
//!
//! Certain: a door knew the token and refused it for that reason, or because it was taken back, as all tokens of an
//! account are when it is disabled. Where the event has no verified name, the network is told, since a name that is
//! only claimed is anybody's. Told once for each account, for the first use tells all there is to know: somebody still
//! holds its tokens. But a page that was open asks once more, and learns it: what comes within an hour and from the
//! address and by the software of the token's last good use is told when something follows ten seconds after the first.
//! State: 20,000 accounts of about 150 bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind, Who};
use token::reason::{Reason, Refused};
use token::time::Timestamp;

use crate::detector::sign_in::source::Source;
use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::told::Told;

const ACCOUNTS: usize = 20_000;
/// So long after its last good use a page may be open.
const OPEN: Duration = Duration::from_secs(3600);
/// So long its requests take.
const PAGE: Duration = Duration::from_secs(10);

/// Uses of disabled accounts' tokens.
pub(super) struct DisabledAccountToken {
    accounts: Recent<String, Account>,
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
        Self { accounts: Recent::new(ACCOUNTS) }
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
                self.change(action, target);
                return None;
            }
            _ => return None,
        };
        let who = &event.who;
        let is_told_by_the_door = request.refused == Some(Refused::Plain(Reason::Disabled));
        let is_taken_back = request.refused == Some(Refused::Plain(Reason::Revoked));
        let is_disabled = is_told_by_the_door || is_taken_back && self.are_disabled(who);
        if !is_disabled {
            return None;
        }
        let account = match (&who.subject, &who.client) {
            (Some(subject), _) => format!("subject:{subject}"),
            (None, Some(client)) => format!("client:{client}"),
            (None, None) => network::actor(event.ip?),
        };
        let held = self.accounts.touch(&account);
        if is_page(event, names, record) {
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
        Some(Sighting {
            kind: Kind::SignIn(SignIn::DisabledAccountToken),
            summary: format!(
                "a token of {whose} was used from {from} for {} {}, although the person or the \
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

    fn change(&mut self, action: &str, target: &str) {
        let Some((kind @ ("user" | "client"), verb)) = action.split_once('.') else { return };
        let name = format!("{}:{target}", if kind == "user" { "subject" } else { kind });
        if let "disable" | "disabled" | "enable" | "enabled" = verb {
            let account = self.accounts.touch(&name);
            (account.is_disabled, account.page) = (verb.starts_with("disable"), None);
        }
    }
}
