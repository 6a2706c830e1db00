//! Tokens of somebody who was disabled are still being used.
//!
//! Certain: a door knew the token and refused it for that reason, or because it was taken back, as all tokens of an
//! account are when it is disabled. Where the event has no verified
//! name, the network is told, since a name that is only claimed is anybody's. Told once for each
//! account, for the first use tells all there is to know: somebody still holds its tokens.
//! State: 20,000 accounts of about 150 bytes.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind, Who};
use token::reason::{Reason, Refused};

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::told::Told;

const ACCOUNTS: usize = 20_000;

/// Uses of disabled accounts' tokens.
pub(super) struct DisabledAccountToken {
    accounts: Recent<String, Account>,
}

#[derive(Default)]
struct Account {
    /// An administrator said so.
    is_disabled: bool,
    told: Told,
}

impl Default for DisabledAccountToken {
    fn default() -> Self {
        Self { accounts: Recent::new(ACCOUNTS) }
    }
}

impl Detector for DisabledAccountToken {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
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
        if !self.accounts.touch(&account).told.is_news(event.ts, 1) {
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
        match verb {
            "disable" => self.accounts.touch(&name).is_disabled = true,
            "enable" => self.accounts.touch(&name).is_disabled = false,
            _ => {}
        }
    }
}
