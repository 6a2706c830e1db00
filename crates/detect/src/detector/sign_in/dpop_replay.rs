//! A bound token without its key: a proof that was used before, or one made with another key.
//!
//! Certain when it comes from elsewhere or from other software than the token's last good use: whoever sends it has the
//! token and not the key (RFC 9449 §11.1, RFC 8705 §3). From the place and the software of the last good use it is a
//! retry, a wrong clock or a wrong URL: ten within ten minutes are told, as trouble. So is a proof that comes within 30
//! s with the same software from another network, since telephones repeat a request when they change it, and a key that
//! does not fit where no good use is known. But whoever comes back from there, and again, with good uses of the token
//! at its old place in between, is no telephone on its way. A missing proof is a theft where it comes from somebody
//! else's part of the net and from other software, and nothing elsewhere. A door that refused a token for its proof may
//! say only what the token claims. Then it is held against the last good use of that name, and the network alone is
//! told: whoever frames somebody with a name harms nobody. A name that is unknown here is doubtful, whatever the proof.
//! State: 56 bytes in the record of a session (`records.rs`) for the last good use of its token, 48 for each where
//! there are several, of which eight are held; and 50,000 tokens and 5,000 networks with refused proofs, of about 300
//! bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use smallvec::SmallVec;
use token::event::{Event, EventKind};
use token::id::TokenId;
use token::reason::{Reason, Refused};
use token::time::Timestamp;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source::{self, Source};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::hash;
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const TOKENS: usize = 50_000;
const NETWORKS: usize = 5_000;
/// Tokens of one session whose last good use is held: an application has one for each API that it asks.
const OF_SESSION: usize = 8;
const HANDOVER: Duration = Duration::from_secs(30);
/// How often a retry comes back from where the token is not used, with good uses elsewhere in between.
const RETURNS: u8 = 2;
const WINDOW: Duration = Duration::from_secs(600);
const TROUBLE: usize = 10;

/// Proofs that do not fit.
pub(super) struct DpopReplay {
    refused: Recent<TokenId, Refusals>,
    /// Of tokens that are only claimed.
    claimed: Recent<IpNet, Refusals>,
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
    /// From where a retry came last, and how often it came back from there after a good use elsewhere.
    away: Option<Away>,
    theft: Told,
    trouble: Told,
}

#[derive(Clone, Copy)]
struct Away {
    network: IpNet,
    ts: Timestamp,
    returns: u8,
}

impl Default for DpopReplay {
    fn default() -> Self {
        Self { refused: Recent::new(TOKENS), claimed: Recent::new(NETWORKS) }
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
        if request.refused.is_none() {
            let good = &mut record.session.as_mut()?.good;
            good.note(names.token?, event.ts, Source::named(event, names));
            return None;
        }
        let Some(Refused::Plain(
            reason @ (Reason::DpopReplayed
            | Reason::DpopMismatch
            | Reason::DpopMissing
            | Reason::MtlsMissing
            | Reason::MtlsMismatch),
        )) = request.refused
        else {
            return None;
        };
        if let (Some(token), Some(key)) = (&event.who.token, names.token) {
            let before = record.session.as_ref()?.good.of(key);
            let judged = judge(event, reason, before)?;
            let refusals = self.refused.touch(token);
            let judged = refusals.again(event, judged, before);
            let kind = refusals.tell(event.ts, judged)?;
            return Some(sighting(kind, reason, event, before));
        }
        let key = event.who.claimed_token.as_deref().map(hash::text);
        let before = key.and_then(|key| record.claimed?.good.of(key));
        // Any name can be claimed, and one that is not known here proves nothing.
        let judged = match before {
            Some(before) => judge(event, reason, Some(before))?,
            None if is_missing(reason) => return None,
            None => Judged::Doubt,
        };
        let kind = self.claimed.touch(&names.prefix?).tell(event.ts, judged)?;
        Some(sighting(kind, reason, event, before))
    }
}

// === impl Refusals ===

impl Refusals {
    /// The same, but for a retry that comes back to where its owner is not.
    fn again(
        &mut self,
        event: &Event,
        judged: Judged,
        before: Option<(Timestamp, Source)>,
    ) -> Judged {
        let (Judged::Retry, Some((at, home)), Some(source)) = (&judged, before, Source::of(event))
        else {
            return judged;
        };
        if source.network == home.network {
            return judged;
        }
        let held = self.away.filter(|held| held.network == source.network);
        let mut returns = held.map_or(0, |held| held.returns);
        returns = returns.saturating_add(u8::from(held.is_some_and(|held| at > held.ts)));
        self.away = Some(Away { network: source.network, ts: event.ts, returns });
        if returns >= RETURNS { Judged::Theft } else { judged }
    }

    /// What is told of one more refusal, if anything.
    fn tell(&mut self, now: Timestamp, judged: Judged) -> Option<SignIn> {
        self.seen.push(now, ());
        let often = self.seen.within(now, WINDOW).count() >= TROUBLE;
        match judged {
            Judged::Theft => self.theft.is_news(now, 1).then_some(SignIn::DpopReplay),
            Judged::Retry if !often => None,
            Judged::Doubt | Judged::Retry => {
                self.trouble.is_news(now, 1).then_some(SignIn::DpopTrouble)
            }
        }
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

    /// When and from where a token was last let through.
    pub(super) fn of(&self, token: u64) -> Option<(Timestamp, Source)> {
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

/// `None` where nothing is wrong but that a proof is missing.
fn judge(event: &Event, reason: Reason, before: Option<(Timestamp, Source)>) -> Option<Judged> {
    let is_missing = is_missing(reason);
    let (Some((at, home)), Some(source)) = (before, Source::of(event)) else {
        return match reason {
            Reason::DpopReplayed => Some(Judged::Theft),
            _ => (!is_missing).then_some(Judged::Doubt),
        };
    };
    let (elsewhere, other) = (source.network != home.network, source.is_other_software(&home));
    if is_missing {
        return (source.is_far(&home) && other).then_some(Judged::Theft);
    }
    let handover = reason == Reason::DpopReplayed
        && source.is_same_software(&home)
        && event.ts.since(at) <= HANDOVER;
    Some(if other || (elsewhere && !handover) { Judged::Theft } else { Judged::Retry })
}

const fn is_missing(reason: Reason) -> bool {
    matches!(reason, Reason::DpopMissing | Reason::MtlsMissing)
}

fn sighting(
    kind: SignIn,
    reason: Reason,
    event: &Event,
    before: Option<(Timestamp, Source)>,
) -> Sighting {
    let who = &event.who;
    let what = match reason {
        Reason::DpopReplayed => "with a proof that was used before",
        Reason::MtlsMismatch => "with a certificate that is not its own",
        Reason::MtlsMissing => "without its certificate",
        Reason::DpopMissing => "without a proof",
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
        actor: match &who.token {
            Some(token) => format!("token:{token}"),
            None => source::actor(event),
        },
        whom: source::whom(event),
        summary,
        facts,
    }
}
