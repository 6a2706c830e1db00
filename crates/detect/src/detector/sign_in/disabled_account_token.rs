//! Tokens of somebody who was disabled are still being used.
//!
//! Certain: a door verified the token and refused it for that reason. Told once for each
//! account, for the first use tells all there is to know: somebody still holds its tokens.
//! State: 20,000 accounts of about 150 bytes.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::reason::{Reason, Refused};

use crate::detector::sign_in::{SignIn, source};
use crate::detector::{Detector, Kind, Sighting};
use crate::sketch::recent::Recent;
use crate::sketch::told::Told;

const ACCOUNTS: usize = 20_000;

/// Uses of disabled accounts' tokens.
pub(super) struct DisabledAccountToken {
    accounts: Recent<String, Told>,
}

impl Default for DisabledAccountToken {
    fn default() -> Self {
        Self { accounts: Recent::new(ACCOUNTS) }
    }
}

impl Detector for DisabledAccountToken {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        if request.refused != Some(Refused::Plain(Reason::Disabled)) {
            return None;
        }
        let who = &event.who;
        let account = match (&who.subject, &who.client) {
            (Some(subject), _) => format!("subject:{subject}"),
            (None, Some(client)) => format!("client:{client}"),
            // What a token that did not verify says of itself is anybody's word.
            (None, None) => return None,
        };
        if !self.accounts.touch(&account).is_news(event.ts, 1) {
            return None;
        }
        let from = source::shown(event);
        Some(Sighting {
            kind: Kind::SignIn(SignIn::DisabledAccountToken),
            summary: format!(
                "a token of {account} was used from {from} for {} {}, although the person or the \
                 client is disabled",
                request.method, request.path
            ),
            actor: account,
            whom: Whom {
                subject: who.subject.clone(),
                client: who.client.clone(),
                token: who.token.clone(),
                grant: who.grant.clone(),
                session: who.session.clone(),
                ip: event.ip,
            },
            facts: BTreeMap::from([
                ("method", json!(request.method)),
                ("path", json!(request.path)),
            ]),
        })
    }
}
