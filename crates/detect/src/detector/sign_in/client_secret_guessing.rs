//! Secrets of clients tried from where they never authenticated.
//!
//! Two ways to look: one network that fails as many clients, and one client that fails from strange networks. A
//! client's own servers with last week's secret fail where they used to succeed, and one configured client is one name.
//! Defaults: eight clients within an hour from a network where none succeeded; twenty failures of one client within an
//! hour, or fifteen from four places within a day, from networks where it never succeeded; twenty-five within a day by
//! software that is none of the client's, since a new server with an old secret is the same program and is mended
//! within the hour. For a month after its secret was changed three by such software are enough, from elsewhere than
//! where it was changed: whoever had the old one tries it. A client that comes from ever new networks, as CI does, has
//! no strange ones: for it only the number of one network counts. A network that reaches that number is named, though
//! others of the run were named before. Success from such a network afterwards names the client, unless the software
//! and the part of the net are its own.
//!
//! Whoever takes time is told as well: failures in six different ten minutes of a day, from a network where no client
//! succeeded, with software and from a part of the net that are not those of the client it names (eight where one of
//! both is); who set something up wrongly is done in one or two. And so is one program that failed fifteen times
//! within an hour from four such parts of the net, whichever clients it names.
//! State: 20,000 networks and 5,000 clients of at most 3 kB, 200 programs of 2 kB.

use std::collections::BTreeMap;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::id::ClientId;
use token::time::Timestamp;

use crate::detector::sign_in::source::{self, Source};
use crate::detector::sign_in::{SignIn, rotation};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NETWORKS: usize = 20_000;
const CLIENTS: usize = 5_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MANY_CLIENTS: usize = 8;
const ONE_CLIENT: usize = 20;
const PLACES: usize = 4;
const TRIES: usize = 15;
const STRANGE_SOFTWARE: usize = 25;
const OLD_SECRET: usize = 3;
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
/// Different parts of a day, of ten minutes each, of whom nothing is known, and of whom something fits.
const PARTS: [usize; 2] = [6, 8];
const PART: i64 = 600;
const PROGRAMS: usize = 200;
/// A client that succeeded from so many networks roams.
const ROAMS: usize = 8;

/// Guesses at clients' secrets.
pub(super) struct ClientSecretGuessing {
    networks: Recent<IpNet, Network>,
    clients: Recent<ClientId, Target>,
    /// Failures by one program from networks where no client succeeded.
    programs: Recent<u64, Tally<Source, 40>>,
}

#[derive(Default)]
struct Network {
    /// Different ten minutes with failures that are not the client's own, and of these with nothing that fits.
    parts: [Tally<i64, 8>; 2],
    patient: Told,
    failed: Tally<ClientId, 32>,
    succeeded: Tally<ClientId, 8>,
    told: Told,
    entered: Told,
}

#[derive(Default)]
struct Target {
    homes: Tally<IpNet, ROAMS>,
    software: Tally<u64, 8>,
    places: Tally<u64, 8>,
    tries: Tally<Source, 40>,
    rotated: Option<Timestamp>,
    told: Told,
}

impl Default for ClientSecretGuessing {
    fn default() -> Self {
        Self {
            networks: Recent::new(NETWORKS),
            clients: Recent::new(CLIENTS),
            programs: Recent::new(PROGRAMS),
        }
    }
}

impl Detector for ClientSecretGuessing {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        if let Some(rotated) = rotation::of(event) {
            let target = self.clients.touch(&rotated);
            target.rotated = Some(event.ts);
            if let Some(ip) = event.ip {
                target.homes.note(event.ts, network::of(ip));
            }
            return None;
        }
        let EventKind::ClientAuth { result, .. } = &event.kind else { return None };
        let source = Source::of(event)?;
        if result == "ok" {
            return self.succeeded(event, event.who.client.as_ref()?, source);
        }
        let client = &source::named_client(event)?;
        match result.as_str() {
            "bad_secret" | "bad_assertion" | "unknown_client" => {
                let known = self
                    .clients
                    .peek(client)
                    .map_or([false; 2], |it| it.knows(event, &source.network));
                let held = self.networks.touch(&source.network);
                held.failed.note(event.ts, client.clone());
                let is_nobody = held.succeeded.len() == 0;
                let by_network = held.judge(event).or_else(|| held.patience(event, known));
                let by_run = match source::software(event) {
                    Some(program) if is_nobody && known != [true; 2] => {
                        let tries = self.programs.touch(&program);
                        tries.push(event.ts, source);
                        run(event, tries, &mut held.patient)
                    }
                    _ => None,
                };
                let by_network = by_network.or(by_run);
                if result == "unknown_client" {
                    return by_network;
                }
                let target = self.clients.touch(client);
                if target.homes.contains(&source.network) {
                    return by_network;
                }
                target.tries.push(event.ts, source);
                by_network.or_else(|| target.judge(event, client, source, &mut held.told))
            }
            _ => None,
        }
    }
}

// === impl ClientSecretGuessing ===

impl ClientSecretGuessing {
    fn succeeded(&mut self, event: &Event, client: &ClientId, source: Source) -> Option<Sighting> {
        let held = self.networks.touch(&source.network);
        held.succeeded.note(event.ts, client.clone());
        let target = self.clients.touch(client);
        let is_home = target.homes.contains(&source.network);
        // A fleet has more servers than are remembered.
        let is_own = target.knows(event, &source.network) == [true; 2];
        let guessed = held.told.is_open(event.ts)
            || (target.told.is_open(event.ts)
                && !is_own
                && target
                    .tries
                    .within(event.ts, DAY)
                    .any(|(_, tried)| tried.network == source.network));
        if is_home || !guessed {
            target.homes.note(event.ts, source.network);
            if let Some(software) = source::family(event) {
                target.software.note(event.ts, software);
            }
            if let Some(place) = source::place(event) {
                target.places.note(event.ts, place);
            }
            return None;
        }
        let tries = target.tries.within(event.ts, DAY).count();
        held.entered.is_news(event.ts, 1).then(|| Sighting {
            kind: Kind::SignIn(SignIn::ClientSecretGuessingTaken),
            actor: source::actor(event),
            whom: Whom { client: Some(client.clone()), ip: event.ip, ..Whom::default() },
            summary: format!(
                "the client {client} authenticated from {}, where secrets were guessed and it never \
                 did before: its secret may be known",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("tries_of_this_client", json!(tries)),
                ("networks_known", json!(target.homes.len())),
            ]),
        })
    }
}

// === impl Network ===

impl Network {
    /// Failures that take time, of whom this much is known.
    fn patience(&mut self, event: &Event, known: [bool; 2]) -> Option<Sighting> {
        if known == [true; 2] || self.succeeded.within(event.ts, DAY).count() > 0 {
            return None;
        }
        let part = event.ts.as_secs() / PART;
        let [all, strange] = &mut self.parts;
        all.note(event.ts, part);
        if known == [false; 2] {
            strange.note(event.ts, part);
        }
        let counts = [&*strange, &*all].map(|it| it.within(event.ts, DAY).count());
        let is_enough = counts.iter().zip(PARTS).any(|(count, enough)| *count >= enough);
        if !is_enough || !self.patient.is_news(event.ts, 1) {
            return None;
        }
        let parts = counts.into_iter().max().unwrap_or_default();
        Some(Sighting {
            kind: Kind::SignIn(SignIn::ClientSecretGuessing),
            actor: source::actor(event),
            whom: Whom { ip: event.ip, ..Whom::default() },
            summary: format!(
                "{} failed to authenticate as a client in {parts} different ten minutes of a day, and no client \
                 succeeded from there",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("parts", json!(parts)),
                ("thresholds", json!({ "strange": PARTS[0], "half_strange": PARTS[1] })),
            ]),
        })
    }

    fn judge(&mut self, event: &Event) -> Option<Sighting> {
        let failed = self.failed.within(event.ts, HOUR).count();
        let succeeded = self.succeeded.within(event.ts, DAY).count();
        if failed < MANY_CLIENTS || succeeded > 0 || !self.told.is_news(event.ts, 1) {
            return None;
        }
        Some(Sighting {
            kind: Kind::SignIn(SignIn::ClientSecretGuessing),
            actor: source::actor(event),
            whom: Whom { ip: event.ip, ..Whom::default() },
            summary: format!(
                "{} failed to authenticate as {failed} different clients within an hour, and as none \
                 succeeded",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("clients_failed", json!(failed)),
                ("threshold", json!(MANY_CLIENTS)),
            ]),
        })
    }
}

/// A program that fails from many parts of the net.
fn run(event: &Event, tries: &Tally<Source, 40>, told: &mut Told) -> Option<Sighting> {
    if tries.len() < TRIES {
        return None;
    }
    let lately: Vec<&Source> = tries.within(event.ts, HOUR).map(|(_, source)| source).collect();
    let places = far_apart(lately.iter().copied());
    if lately.len() < TRIES || places < PLACES || !told.is_news(event.ts, 1) {
        return None;
    }
    Some(Sighting {
        kind: Kind::SignIn(SignIn::ClientSecretGuessing),
        actor: "campaign:client_secret_guessing".to_owned(),
        whom: Whom { ip: event.ip, ..Whom::default() },
        summary: format!(
            "{} is one of {places} places from where one program failed to authenticate as a client, {} times within \
             an hour; no client ever succeeded from there",
            source::shown(event),
            lately.len()
        ),
        facts: BTreeMap::from([
            ("tries", json!(lately.len())),
            ("places", json!(places)),
            ("thresholds", json!({ "tries": TRIES, "places": PLACES })),
        ]),
    })
}

/// How many parts of the net these are of.
fn far_apart<'s>(sources: impl Iterator<Item = &'s Source>) -> usize {
    let mut places: Vec<&Source> = Vec::new();
    for source in sources {
        if places.iter().all(|place| place.is_far(source)) {
            places.push(source);
        }
    }
    places.len()
}

// === impl Target ===

impl Target {
    /// Whether the part of the net and the software are the client's.
    fn knows(&self, event: &Event, network: &IpNet) -> [bool; 2] {
        if self.homes.contains(network) {
            return [true; 2];
        }
        let place = source::place(event).is_some_and(|place| self.places.contains(&place));
        let software = source::family(event).is_some_and(|it| self.software.contains(&it));
        [place, software]
    }

    fn judge(
        &mut self,
        event: &Event,
        client: &ClientId,
        source: Source,
        network: &mut Told,
    ) -> Option<Sighting> {
        let tried = || self.tries.within(event.ts, DAY).map(|(_, source)| source);
        let (places, tries) = (far_apart(tried()), tried().count());
        let lately = self.tries.within(event.ts, HOUR);
        let here = lately.filter(|(_, tried)| tried.network == source.network).count();
        let spread = places >= PLACES && tries >= TRIES && self.homes.len() < ROAMS;
        let is_strange = source::family(event)
            .is_some_and(|software| self.software.len() > 0 && !self.software.contains(&software));
        let today = tried().filter(|tried| tried.network == source.network).count();
        let is_rotated = self.rotated.is_some_and(|at| event.ts.since(at) < MONTH);
        let enough = if is_rotated { OLD_SECRET } else { STRANGE_SOFTWARE };
        let patient = is_strange && today >= enough;
        let alone = here >= ONE_CLIENT;
        if !spread && !patient && !alone {
            return None;
        }
        let is_news = self.told.is_news(event.ts, 1);
        // Whoever guesses enough alone is named, though others were before.
        let is_new_network = alone && network.is_news(event.ts, 1);
        if !is_news && !is_new_network {
            return None;
        }
        Some(Sighting {
            kind: Kind::SignIn(SignIn::ClientSecretGuessing),
            actor: format!("client:{client}"),
            // The client is who is attacked, and the name in a failed try is anybody's.
            whom: Whom { ip: event.ip, ..Whom::default() },
            summary: format!(
                "{tries} wrong secrets for the client {client} within a day from {places} places \
                 where it never authenticated, {here} of them from {} within the last hour",
                source::shown(event)
            ),
            facts: BTreeMap::from([
                ("claimed_client", json!(client)),
                ("tries", json!(tries)),
                ("places", json!(places)),
                ("networks_known", json!(self.homes.len())),
                (
                    "thresholds",
                    json!({
                        "tries": TRIES, "places": PLACES, "one_hour": ONE_CLIENT,
                        "strange_software_day": enough,
                    }),
                ),
            ]),
        })
    }
}
