//! Many names tried by one network, or by many networks that belong together: credential stuffing
//! (names from elsewhere, fast) and password spraying (names that exist, few tries each, slowly).
//!
//! What counts are names that never got in and were not tried from where they usually sign in: the morning of an office
//! and a carrier's NAT have as many names, and nearly all get in; a password manager tries one name often; when
//! everybody's password was reset, people fail from home. Defaults: ten such names within an hour, if they are half of
//! all names there; fifteen within three days, if they are seven in ten. Networks that belong together share an IPv4
//! /24 or IPv6 /48, an autonomous system, a TLS fingerprint or a User-Agent, or are simply all that sign in here:
//! thirty names of five networks within an hour or forty within a day, if their share is four times the issuer's own
//! habit. The first finding names a network that tried two such names and nobody got in from; or one, where no people
//! are. Where thirty more tries bring none, it names one of those that failed before and did not try again. The habit
//! is learnt slowly and never above 0.3, so an attack that lasts cannot become the habit. State: 20,000 networks of at
//! most 5 kB, 2,000 groups of at most 10 kB, 100,000 names of 200 bytes.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::{Value, json};
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::time::Timestamp;

use crate::detector::sign_in::names::{Names, Share, Try};
use crate::detector::sign_in::source::{self, number};
use crate::detector::sign_in::{SignIn, group};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NETWORKS: usize = 20_000;
const GROUPS: usize = 2_000;
const NAMES: usize = 100_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const DAYS: Duration = Duration::from_secs(72 * 3600);
/// Tries for which a run waits for a network that can be named.
const NAMELESS: u8 = 30;
/// Of this many names at least one got in anywhere: the habit is known.
const HABIT_KNOWN: u32 = 500;
const HABIT_MOST: f64 = 0.3;
const HABIT_LEARNS: f64 = 1.0 / 2_000.0;

/// Tries of many names.
pub(super) struct CredentialStuffing {
    networks: Recent<IpNet, Network>,
    groups: Recent<String, Group>,
    homes: Recent<u64, Tally<IpNet, 4>>,
    habit: Habit,
}

#[derive(Default)]
struct Network {
    names: Names<64>,
    told: Told,
    spraying: bool,
    entered: Tally<u64, 32>,
}

#[derive(Default)]
struct Group {
    names: Names<128>,
    told: Told,
    /// Tries since it could be told, but for a network to name.
    waited: u8,
    /// The networks that were told as part of it.
    networks: Tally<IpNet, 128>,
    entered: Tally<u64, 32>,
}

/// Which share of the names fails here without anybody's malice.
#[derive(Default)]
struct Habit {
    failed: f64,
    tries: u32,
}

impl Default for CredentialStuffing {
    fn default() -> Self {
        Self {
            networks: Recent::new(NETWORKS),
            groups: Recent::new(GROUPS),
            homes: Recent::new(NAMES),
            habit: Habit::default(),
        }
    }
}

impl Detector for CredentialStuffing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let EventKind::Login { username, result, factor, .. } = &event.kind else { return None };
        let (got_in, unknown) = match result.as_str() {
            "ok" => (true, false),
            "unknown_user" => (false, true),
            "bad_password" | "throttled" | "disabled" => (false, false),
            _ => return None,
        };
        if username.is_empty() || !matches!(factor.as_str(), "" | "password") {
            return None;
        }
        let (name, now) = (number(username), event.ts);
        let network = network::of(event.ip?);
        let is_home = self.homes.peek(&name).is_some_and(|homes| homes.contains(&network));
        self.habit.learn(!got_in);
        // Whoever fails where they sign in every day has forgotten a password.
        let got_in_or_home = got_in || is_home;
        let subject = event.who.subject.clone().filter(|_| got_in && !is_home);
        let tried =
            || Try { name, network, unknown, got_in: got_in_or_home, subject: subject.clone() };
        let held = self.networks.touch(&network);
        held.names.note(now, tried());
        let mut sighting = if got_in && !is_home {
            held.taken(event, name)
        } else {
            held.judge(event, self.habit.share())
        };
        let own = held.names.share(now, DAY);
        let mut suspect = held.told.is_open(now);
        // What was told of the network itself is not told again of it as a part of something.
        let is_told = suspect;
        let is_news = sighting.is_some();
        let groups = group::of(event);
        // One campaign is told once, although its networks have several things in common.
        let mut open = None;
        for group in &groups {
            let held = self.groups.touch(group);
            // Strangers who were told one by one are no campaign.
            if is_news {
                held.names.forget(network);
            } else if !is_told {
                held.names.note(now, tried());
            }
            suspect |= held.has_told(network, now);
            if open.is_none() && held.told.is_open(now) {
                open = Some(group);
            }
        }
        for group in groups.iter().filter(|group| open.is_none_or(|open| *group == open)) {
            if sighting.is_some() || (is_told && open.is_some()) {
                break;
            }
            let held = self.groups.touch(group);
            sighting = if got_in && !is_home {
                held.taken(event, group, network, name)
            } else {
                held.judge(event, group, &self.habit, network, own)
            };
        }
        if got_in && !suspect {
            self.homes.touch(&name).note(now, network);
        }
        sighting
    }
}

// === impl Network ===

impl Network {
    fn judge(&mut self, event: &Event, habit: f64) -> Option<Sighting> {
        let (fast, slow) = (self.names.share(event.ts, HOUR), self.names.share(event.ts, DAYS));
        let least = (habit * 2.0).max(0.5);
        let (share, window) = if fast.failed >= 10 && fast.part() >= least {
            (fast, HOUR)
        } else if slow.failed >= 15 && slow.part() >= least.max(0.7) {
            (slow, DAYS)
        } else {
            return None;
        };
        let size = u32::try_from(share.failed).unwrap_or(u32::MAX);
        if !self.told.is_news(event.ts, size) {
            return None;
        }
        self.spraying = share.is_spraying();
        let entered = self.names.subjects(event.ts, window);
        let mut facts = share.facts(window);
        facts.insert("issuer_failed_share", json!(rounded(habit)));
        facts.insert("accounts_entered", json!(entered));
        let (kind, word) = if self.spraying {
            (SignIn::PasswordSpraying, "few tries of each, slowly")
        } else {
            (SignIn::CredentialStuffing, "names that others' leaks are full of")
        };
        Some(Sighting {
            kind: Kind::SignIn(kind),
            actor: source::actor(event),
            whom: Whom { ip: event.ip, ..Whom::default() },
            summary: format!(
                "{} of {} names tried from {} within {} s never got in ({} of them are nobody's; \
                 {word}); {} got in",
                share.failed,
                share.names,
                source::shown(event),
                share.span.as_secs(),
                share.unknown,
                entered.len()
            ),
            facts,
        })
    }

    /// Somebody got in from where many names were tried, and never signed in from there before.
    fn taken(&mut self, event: &Event, name: u64) -> Option<Sighting> {
        if !self.told.is_open(event.ts) || self.entered.contains(&name) {
            return None;
        }
        self.entered.note(event.ts, name);
        let kind = if self.spraying {
            SignIn::PasswordSprayingTaken
        } else {
            SignIn::CredentialStuffingTaken
        };
        let share = self.names.share(event.ts, DAYS);
        Some(taken(kind, source::actor(event), event, share, DAYS))
    }
}

// === impl Group ===

impl Group {
    fn has_told(&self, network: IpNet, now: Timestamp) -> bool {
        self.told.is_open(now) && self.networks.contains(&network)
    }

    /// Somebody got in from a network of the campaign.
    fn taken(&mut self, event: &Event, group: &str, network: IpNet, name: u64) -> Option<Sighting> {
        if !self.has_told(network, event.ts) || self.entered.contains(&name) {
            return None;
        }
        self.entered.note(event.ts, name);
        let share = self.names.share(event.ts, DAY);
        let actor = format!("campaign:{group}");
        Some(taken(SignIn::CredentialStuffingTaken, actor, event, share, DAY))
    }

    fn judge(
        &mut self,
        event: &Event,
        group: &str,
        habit: &Habit,
        network: IpNet,
        own: Share,
    ) -> Option<Sighting> {
        let now = event.ts;
        let actor = format!("campaign:{group}");
        if self.told.is_open(now) {
            let part = is_part(event, own) && !self.networks.contains(&network);
            return part.then(|| {
                self.networks.note(now, network);
                part_of(actor, event, group, own)
            });
        }
        let (fast, slow) = (self.names.share(now, HOUR), self.names.share(now, DAY));
        let least = habit.group_limit();
        let (share, window) = if fast.failed >= 30 && fast.part() >= least {
            (fast, HOUR)
        } else if slow.failed >= 40 && slow.part() >= least {
            (slow, DAY)
        } else {
            return None;
        };
        let networks = self.names.networks(now, window);
        let ip = event.ip.filter(|_| is_part(event, own));
        if networks < 5 {
            return None;
        }
        self.waited = self.waited.saturating_add(1);
        if (ip.is_none() && self.waited <= NAMELESS) || !self.told.is_news(now, 1) {
            return None;
        }
        self.waited = 0;
        if ip.is_some() {
            self.networks.note(now, network);
        }
        let mut facts = share.facts(window);
        facts.insert("networks", json!(networks));
        facts.insert("failed_share_limit", json!(rounded(least)));
        facts.insert("issuer_failed_share", json!(rounded(habit.share())));
        facts.insert("in_common", json!(group));
        facts.insert("accounts_entered", json!(self.names.subjects(now, window)));
        Some(Sighting {
            kind: Kind::SignIn(SignIn::CredentialStuffingCampaign),
            actor,
            // The last of many, unless somebody got in from there.
            whom: Whom {
                ip: ip.or_else(|| self.names.long_failed(now, window).map(|it| it.addr())),
                ..Whom::default()
            },
            summary: format!(
                "{} of {} names tried from {networks} networks within {} s never got in (in common: \
                 {group}); {:.0} % fail here usually",
                share.failed,
                share.names,
                share.span.as_secs(),
                habit.share() * 100.0
            ),
            facts,
        })
    }
}

// === impl Share ===

impl Share {
    fn part(self) -> f64 {
        self.failed as f64 / self.names.max(1) as f64
    }

    /// Nearly all names exist, and each is tried slowly or again after a while.
    fn is_spraying(self) -> bool {
        let slow = self.span >= Duration::from_secs(20) * u32::try_from(self.tries).unwrap_or(1);
        let again = self.tries * 2 >= self.failed * 3;
        self.unknown * 7 < self.failed && (slow || again)
    }

    fn facts(self, window: Duration) -> BTreeMap<&'static str, Value> {
        BTreeMap::from([
            ("names", json!(self.names)),
            ("names_failed", json!(self.failed)),
            ("names_unknown", json!(self.unknown)),
            ("tries_failed", json!(self.tries)),
            ("window_seconds", json!(window.as_secs())),
        ])
    }
}

// === impl Habit ===

impl Habit {
    fn learn(&mut self, failed: bool) {
        self.tries = self.tries.saturating_add(1);
        let step = HABIT_LEARNS.max(1.0 / f64::from(self.tries.min(1_000_000)));
        self.failed += (f64::from(u8::from(failed)) - self.failed) * step;
    }

    fn share(&self) -> f64 {
        self.failed.min(HABIT_MOST)
    }

    fn group_limit(&self) -> f64 {
        if self.tries < HABIT_KNOWN { 0.7 } else { (self.share() * 4.0).clamp(0.35, 0.8) }
    }
}

/// Whether a network belongs to a campaign: nobody got in from there, and it tried two names, or one where no people are.
fn is_part(event: &Event, own: Share) -> bool {
    own.failed == own.names && own.failed >= if source::is_nobodys(event) { 1 } else { 2 }
}

fn part_of(actor: String, event: &Event, group: &str, own: Share) -> Sighting {
    let mut facts = own.facts(DAY);
    facts.insert("in_common", json!(group));
    Sighting {
        kind: Kind::SignIn(SignIn::CredentialStuffing),
        actor,
        whom: Whom { ip: event.ip, ..Whom::default() },
        summary: format!(
            "{} tried {} names and got in with none, as part of a distributed run (in common: {group})",
            source::shown(event),
            own.failed
        ),
        facts,
    }
}

fn taken(kind: SignIn, actor: String, event: &Event, share: Share, window: Duration) -> Sighting {
    let account =
        event.who.subject.as_ref().map_or("somebody".to_owned(), |subject| subject.to_string());
    Sighting {
        kind: Kind::SignIn(kind),
        actor,
        whom: Whom {
            subject: event.who.subject.clone(),
            session: event.who.session.clone(),
            ip: event.ip,
            ..Whom::default()
        },
        summary: format!(
            "{account} got in from {}, where {} other names failed and this one never signed in \
             before: the account may be taken",
            source::shown(event),
            share.failed
        ),
        facts: share.facts(window),
    }
}

/// For evidence: two places tell enough.
fn rounded(share: f64) -> f64 {
    (share * 100.0).round() / 100.0
}
