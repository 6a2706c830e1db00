//! Programs that say they are browsers: by their TLS fingerprint they are a library, or they have no window.
//!
//! Anybody can send any User-Agent; a TLS fingerprint is what a library is built of. Which fingerprints are those of
//! libraries is learnt: of whatever says that it is one, from three networks. But nobody is told who comes by one that
//! a tenth of all people have in a browser, or three people from one network: there an application wraps a library, or
//! a proxy opens what its people's browsers send. Thirty people whose fingerprints are known are needed before
//! anything is said. A person who is seen so five times within an hour, signing in or asking, is told. A browser
//! without a window counts as well for somebody who is known by another program for an hour, and no test that was made
//! with it. Personal tokens and API keys are made for programs. Eight names that failed on one day from three
//! networks, all by one such fingerprint, are a campaign, and each of its networks is named. State: 80 bytes for each
//! of 4,096 fingerprints, 24 for each of 4,096 networks with one, 20 for each of 4,096 people.

use std::collections::BTreeMap;

use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::user_agent;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::source;
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::memo::Memo;
use crate::sketch::once::Once;
use crate::sketch::table::Table;

const FINGERPRINTS: usize = 4_096;
const NETWORKS: usize = 4_096;
const PEOPLE_HELD: usize = 4_096;
/// So many networks from which it came as a library make a fingerprint one's.
const LIBRARY: u32 = 3;
/// People of whom fingerprints are known, and one in so many who come by one in a browser.
const PEOPLE: u32 = 30;
const SHARE: u32 = 10;
/// People of one network with one fingerprint, which is that of a proxy then.
const PROXY: u32 = 3;
const HOUR: u32 = 3600;
const DAY: u32 = 86_400;
const TIMES: u16 = 5;
const NAMES_FAILED: u32 = 8;
const NETWORKS_FAILED: u32 = 3;

/// What a User-Agent says it is.
#[derive(Clone, Copy, Default, PartialEq)]
enum Says {
    #[default]
    Nothing,
    Library,
    Browser,
    /// A browser that nobody looks at.
    Headless,
}

/// Programs that say they are browsers.
pub(super) struct Disguise {
    says: Memo<Says>,
    fingerprints: Table<Fingerprint>,
    everybody: Distinct<4>,
    /// People by network and fingerprint.
    networks: Table<Network>,
    people: Table<Run>,
}

/// A TLS fingerprint, and what came by it.
#[derive(Default)]
struct Fingerprint {
    /// Networks from where it came as a library.
    libraries: Distinct<1>,
    /// People with a browser.
    people: Distinct<2>,
    day: u32,
    names: Distinct<2>,
    networks: Distinct<1>,
}

#[derive(Default)]
struct Network {
    people: Distinct<1>,
    once: Once,
}

/// How often somebody was seen so.
#[derive(Default)]
struct Run {
    since: u32,
    count: u16,
    once: Once,
}

impl Default for Disguise {
    fn default() -> Self {
        Self {
            says: Memo::default(),
            fingerprints: Table::new(FINGERPRINTS),
            everybody: Distinct::default(),
            networks: Table::new(NETWORKS),
            people: Table::new(PEOPLE_HELD),
        }
    }
}

impl RecordDetector for Disguise {
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting> {
        let failed = match &event.kind {
            EventKind::Request(request) => {
                let is_program = request.token_kind.is_for_programs();
                if request.refused.is_some() || is_program {
                    return None;
                }
                None
            }
            EventKind::Login { username, result, factor, .. } => match result.as_str() {
                "ok" => None,
                "bad_password" | "unknown_user" | "throttled"
                    if matches!(factor.as_str(), "" | "password") && !username.is_empty() =>
                {
                    Some(hash::text(username))
                }
                _ => return None,
            },
            _ => return None,
        };
        let says = self.says.of(names.ua?, || Says::of(event));
        if says == Says::Nothing {
            return None;
        }
        let now = source::seconds(event);
        let fingerprint = names.program.filter(|_| event.origin.ja4.is_some());
        let person = names.subject.filter(|_| !source::is_machine(event, names));
        let is_hidden = match fingerprint {
            Some(fingerprint) => {
                self.learn(says, fingerprint, names, person, now);
                says != Says::Library && self.is_library(fingerprint, names)
            }
            None => false,
        };
        if let (Some(name), Some(fingerprint), true) = (failed, fingerprint, is_hidden) {
            return self.failed(event, names, fingerprint, name);
        }
        let is_changed = says == Says::Headless
            && record.person.as_ref().is_some_and(|it| it.places.has_other_software(event));
        if failed.is_some() || !(is_hidden || is_changed) {
            return None;
        }
        let run = self.people.touch(person?, now);
        if now.saturating_sub(run.since) > HOUR {
            (run.since, run.count) = (now, 0);
        }
        run.count = run.count.saturating_add(1);
        if run.count < TIMES || !run.once.allows(now, 1.0) {
            return None;
        }
        Some(sighting(event, is_hidden))
    }
}

// === impl Disguise ===

impl Disguise {
    /// What a fingerprint is, by who says what with it.
    fn learn(
        &mut self,
        says: Says,
        fingerprint: u64,
        names: &Names,
        person: Option<u64>,
        now: u32,
    ) {
        let held = self.fingerprints.touch(fingerprint, now);
        match (says, person, names.network) {
            (Says::Library, _, Some(network)) => {
                held.libraries.add(network);
            }
            (Says::Browser, Some(person), network) => {
                held.people.add(person);
                self.everybody.add(person);
                if let Some(network) = network.filter(|_| held.libraries.count() >= LIBRARY) {
                    let network = hash::both(network, fingerprint);
                    self.networks.touch(network, now).people.add(person);
                }
            }
            _ => {}
        }
    }

    /// Whether a browser cannot have this fingerprint here.
    fn is_library(&self, fingerprint: u64, names: &Names) -> bool {
        let Some(held) = self.fingerprints.peek(fingerprint) else { return false };
        if held.libraries.count() < LIBRARY {
            return false;
        }
        let everybody = self.everybody.count();
        let here = names.network.map(|network| hash::both(network, fingerprint));
        let here = here.and_then(|here| self.networks.peek(here));
        everybody >= PEOPLE
            && held.people.count() * SHARE <= everybody
            && here.is_none_or(|here| here.people.count() < PROXY)
    }

    /// A sign-in failed: what it is a part of.
    fn failed(
        &mut self,
        event: &Event,
        names: &Names,
        fingerprint: u64,
        name: u64,
    ) -> Option<Sighting> {
        let now = source::seconds(event);
        let network = names.network?;
        let held = self.fingerprints.touch(fingerprint, now);
        if now / DAY > held.day {
            (held.day, held.names, held.networks) =
                (now / DAY, Distinct::default(), Distinct::default());
        }
        held.names.add(name);
        held.networks.add(network);
        let (failed, networks) = (held.names.count(), held.networks.count());
        let here = self.networks.touch(hash::both(network, fingerprint), now);
        if failed < NAMES_FAILED || networks < NETWORKS_FAILED || !here.once.allows(now, 1.0) {
            return None;
        }
        let ja4 = event.origin.ja4.as_deref().unwrap_or_default();
        Some(Sighting {
            kind: Kind::SignIn(SignIn::CredentialStuffingCampaign),
            actor: format!("campaign:{ja4}"),
            whom: Whom { ip: event.ip, ..Whom::default() },
            summary: format!(
                "{} is one of {networks} networks from which {failed} names failed today by one program, that says it \
                 is a browser and has a library's TLS fingerprint",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("names_failed", json!(failed)),
                ("networks", json!(networks)),
                ("threshold", json!(NAMES_FAILED)),
                ("ja4", json!(ja4)),
                ("ua", json!(event.ua)),
            ]),
        })
    }
}

// === impl Says ===

impl Says {
    fn of(event: &Event) -> Self {
        let ua = event.ua.as_deref().unwrap_or_default();
        if !ua.starts_with("Mozilla/") {
            return if source::is_library(event) { Self::Library } else { Self::Nothing };
        }
        match user_agent::family(ua).as_deref() {
            Some("chrome" | "edge" | "firefox" | "opera" | "safari" | "samsung")
                if !ua.contains("compatible;") =>
            {
                if ua.contains("HeadlessChrome") {
                    Self::Headless
                } else {
                    Self::Browser
                }
            }
            Some("headlesschrome") => Self::Headless,
            _ => Self::Nothing,
        }
    }
}

fn sighting(event: &Event, is_hidden: bool) -> Sighting {
    let who = &event.who;
    let subject = who.subject.as_ref().map_or("", |subject| subject.as_str());
    let (ua, ja4) = (event.ua.as_deref().unwrap_or_default(), event.origin.ja4.as_deref());
    let how = if is_hidden {
        "by a program that says it is a browser and has a library's TLS fingerprint"
    } else {
        "by a browser without a window, which its owner did not use before"
    };
    Sighting {
        kind: Kind::Automation,
        actor: format!("subject:{subject}"),
        whom: source::whom(event),
        summary: format!(
            "{TIMES} times within an hour {subject} was seen {how}, from {}",
            source::shown(event)
        ),
        facts: BTreeMap::from([
            ("times", json!(TIMES)),
            ("ua", json!(ua)),
            ("ja4", json!(ja4)),
            ("window_seconds", json!(HOUR)),
        ]),
    }
}
