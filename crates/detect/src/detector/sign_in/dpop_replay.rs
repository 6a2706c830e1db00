//! A bound token without its key: a proof that was used before, or one made with another key.
//!
//! Certain when it comes from elsewhere or from other software than the token's last good use:
//! whoever sends it has the token and not the key (RFC 9449 §11.1, RFC 8705 §3). From the place and
//! the software of the last good use it is a retry, a wrong clock or a wrong URL: ten within ten
//! minutes are told, as trouble. So is a proof that comes within 30 s with the same software from
//! another network, since telephones repeat a request when they change it, and a key that does not
//! fit where no good use is known. A missing proof is no theft.
//! State: 56 bytes in the record of a session (`records.rs`) for the last good use of its token, 48 for each where there
//! are several, of which eight are held; and 50,000 tokens with refused proofs, of about 300 bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use smallvec::SmallVec;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::id::TokenId;
use token::reason::{Reason, Refused};
use token::time::Timestamp;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source::{self, Source};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const TOKENS: usize = 50_000;
/// Tokens of one session whose last good use is held: an application has one for each API that it asks.
const OF_SESSION: usize = 8;
const HANDOVER: Duration = Duration::from_secs(30);
const WINDOW: Duration = Duration::from_secs(600);
const TROUBLE: usize = 10;

/// Proofs that do not fit.
pub(super) struct DpopReplay {
    refused: Recent<TokenId, Refusals>,
}

/// The last good use of each of a session's tokens, the newest last; nearly all sessions have one.
#[derive(Default)]
pub(super) struct Good(SmallVec<[GoodUse; 1]>);

/// When, and where, a token was used and let through.
#[derive(Clone, Copy)]
struct GoodUse {
    token: u64,
    ts: Timestamp,
    source: Source,
}

#[derive(Default)]
struct Refusals {
    seen: Tally<(), TROUBLE>,
    theft: Told,
    trouble: Told,
}

impl Default for DpopReplay {
    fn default() -> Self {
        Self { refused: Recent::new(TOKENS) }
    }
}

impl RecordDetector for DpopReplay {
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting> {
        let EventKind::Request(request) = &event.kind else { return None };
        let (token, key) = (event.who.token.as_ref()?, names.token?);
        let good = &mut record.session.as_mut()?.good;
        let reason = match &request.refused {
            None => {
                good.note(key, event.ts, Source::named(event, names));
                return None;
            }
            Some(Refused::Plain(
                reason @ (Reason::DpopReplayed | Reason::DpopMismatch | Reason::MtlsMismatch),
            )) => *reason,
            Some(_) => return None,
        };
        let before = good.of(key);
        let held = self.refused.touch(token);
        held.seen.push(event.ts, ());
        let often = held.seen.within(event.ts, WINDOW).count();
        let kind = match judge(event, reason, before) {
            Judged::Theft if held.theft.is_news(event.ts, 1) => SignIn::DpopReplay,
            Judged::Doubt if held.trouble.is_news(event.ts, 1) => SignIn::DpopTrouble,
            Judged::Retry if often >= TROUBLE && held.trouble.is_news(event.ts, 1) => {
                SignIn::DpopTrouble
            }
            Judged::Theft | Judged::Doubt | Judged::Retry => return None,
        };
        Some(sighting(kind, reason, event, token, before))
    }
}

// === impl Good ===

impl Good {
    /// The token was let through; from where is not always known.
    fn note(&mut self, token: u64, ts: Timestamp, source: Option<Source>) {
        let used = source.map(|source| GoodUse { token, ts, source });
        let last = self.0.last_mut().filter(|last| last.token == token);
        if let (Some(last), Some(used)) = (last, used) {
            *last = used;
            return;
        }
        self.0.retain(|held| held.token != token);
        if used.is_some() && self.0.len() >= OF_SESSION {
            self.0.remove(0);
        }
        self.0.extend(used);
    }

    fn of(&self, token: u64) -> Option<(Timestamp, Source)> {
        let held = self.0.iter().find(|held| held.token == token)?;
        Some((held.ts, held.source))
    }

    /// Something of it, to bring it near.
    pub(super) fn read(&self) -> u64 {
        self.0.last().map_or(0, |it| it.token ^ it.ts.as_millis() as u64 ^ it.source.read())
    }
}

enum Judged {
    Theft,
    Doubt,
    Retry,
}

fn judge(event: &Event, reason: Reason, before: Option<(Timestamp, Source)>) -> Judged {
    let (Some((at, home)), Some(source)) = (before, Source::of(event)) else {
        return if reason == Reason::DpopReplayed { Judged::Theft } else { Judged::Doubt };
    };
    let elsewhere = source.network != home.network;
    let handover = reason == Reason::DpopReplayed
        && source.is_same_software(&home)
        && event.ts.since(at) <= HANDOVER;
    if source.is_other_software(&home) || (elsewhere && !handover) {
        Judged::Theft
    } else {
        Judged::Retry
    }
}

fn sighting(
    kind: SignIn,
    reason: Reason,
    event: &Event,
    token: &TokenId,
    before: Option<(Timestamp, Source)>,
) -> Sighting {
    let who = &event.who;
    let what = match reason {
        Reason::DpopReplayed => "with a proof that was used before",
        Reason::MtlsMismatch => "with a certificate that is not its own",
        _ => "with a proof for another key or another request",
    };
    let mut facts = BTreeMap::from([("refused", json!(reason.code()))]);
    let mut summary = format!("a bound token came {what} from {}", source::shown(event));
    if let Some((at, home)) = before {
        let seconds = event.ts.since(at).as_secs();
        summary.push_str(&format!(
            "; its last good use was {seconds} s earlier from {}",
            home.network
        ));
        facts.insert("last_good_at", json!(at));
        facts.insert("last_good_network", json!(home.network));
    }
    if kind == SignIn::DpopTrouble {
        summary.push_str("; it may be the owner's own software, with a wrong key, URL or retry");
    }
    Sighting {
        kind: Kind::SignIn(kind),
        actor: format!("token:{token}"),
        whom: Whom {
            subject: who.subject.clone(),
            client: who.client.clone(),
            token: Some(token.clone()),
            grant: who.grant.clone(),
            session: who.session.clone(),
            ip: event.ip,
        },
        summary,
        facts,
    }
}
