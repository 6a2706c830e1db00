//! Far more clients registered than is usual (RFC 7591 §5).
//!
//! An application that registers each of its copies does so from its users' networks; a platform that registers one
//! for each customer has done so before, and sends their people to one domain. Default: twenty within an hour from one
//! network, or forty where four were registered from there two hours before and more; fifty within a day from one
//! network; twelve that send people to as many domains, within three days from one network; twenty within three days
//! of a network that registered nothing in the first half a day and nothing before these days; twenty within a day
//! whose people are sent back to one host (not the own machine), or to one domain that nobody was sent to before that
//! day, from four networks; twelve within a day by one program from eight networks, to as many domains that nobody was
//! sent to before, or sixteen by whatever libraries from twelve; and in all, a hundred within an hour if that is five
//! times the busiest hour so far and a day is known, or twenty that send people to hosts that nobody was sent to
//! before, three of each network and none of those that did so before, if that is six times the busiest and an hour is
//! known. By host, domain and program the client that was registered last is named; in all, networks with two of them,
//! and where there is none, nobody is, at half as many more. The busiest hour grows by half at most each hour, by a
//! tenth in a surge, and fades by a tenth each day, so that a surge is not the habit at once. State: 20,000 networks
//! of at most 2.5 kB, 5,000 hosts and domains of 2, 200 programs of 1.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ipnet::IpNet;
use serde_json::json;
use token::event::{Event, EventKind};
use token::finding::Whom;
use token::time::Timestamp;

use crate::detector::sign_in::SignIn;
use crate::detector::sign_in::redirect_probing::domain;
use crate::detector::sign_in::source::{self, number};
use crate::detector::{Detector, Kind, Sighting, network};
use crate::sketch::recent::Recent;
use crate::sketch::tally::Tally;
use crate::sketch::told::Told;

const NETWORKS: usize = 20_000;
const HOSTS: usize = 5_000;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const DAYS: Duration = Duration::from_secs(72 * 3600);
const FAST: usize = 20;
const SLOW: usize = 50;
const ONE_HOST: usize = 20;
/// Domains of one network.
const DOMAINS: usize = 12;
/// Of one network that did not register before.
const NEWCOMER: usize = 20;
/// Before that it is not known who registers.
const HALF_DAY: Duration = Duration::from_secs(12 * 3600);
/// Networks that send people to one domain.
const NETWORKS_OF_DOMAIN: usize = 4;
/// Of one program to as many new domains, and its networks.
const OF_PROGRAM: usize = 12;
const NETWORKS_OF_PROGRAM: usize = 8;
const PROGRAMS: usize = 200;
/// The same of whatever libraries.
const OF_LIBRARIES: [usize; 2] = [16, 12];
/// Who registered so many so long ago does so.
const REGISTRAR: usize = 4;
const BEFORE: Duration = Duration::from_secs(2 * 3600);
/// In all; of those that send people to new hosts; and how long the habit must be known.
const ALL: Surge = Surge { count: 100.0, times: 5.0, known: DAY };
const ELSEWHERE: Surge = Surge { count: 20.0, times: 6.0, known: HOUR };
/// Of a network before it is named as a part.
const PART: usize = 2;
/// Of one network in an hour, of those of many networks.
const MOST: usize = 3;
/// So many times the limit of those without such a network.
const NAMELESS: f64 = 1.5;

/// Registrations.
pub(super) struct RegistrationSurge {
    networks: Recent<IpNet, Network>,
    hosts: Recent<String, (Tally<(), ONE_HOST>, Told)>,
    domains: Recent<u64, Domain>,
    programs: Recent<u64, Program>,
    all: Hours,
    elsewhere: Hours,
    told: Told,
    /// The first event of any kind.
    since: Option<Timestamp>,
}

/// Where several hosts are.
#[derive(Default)]
struct Domain {
    since: Option<Timestamp>,
    seen: Tally<Option<IpNet>, ONE_HOST>,
    told: Told,
}

/// What registers clients that send people to new domains.
#[derive(Default)]
struct Program {
    seen: Tally<(IpNet, u64), 24>,
    told: Told,
}

#[derive(Default)]
struct Network {
    since: Option<Timestamp>,
    /// It registered nothing while it was not yet known who does.
    is_newcomer: bool,
    seen: Tally<(), 128>,
    domains: Tally<u64, DOMAINS>,
    told: Told,
}

/// What is far more than is usual.
struct Surge {
    count: f64,
    times: f64,
    known: Duration,
}

/// Registrations by the hour.
#[derive(Default)]
struct Hours {
    hour: i64,
    count: f64,
    busiest: f64,
    /// This hour is a surge.
    is_surge: bool,
}

impl Default for RegistrationSurge {
    fn default() -> Self {
        Self {
            networks: Recent::new(NETWORKS),
            hosts: Recent::new(HOSTS),
            domains: Recent::new(HOSTS),
            programs: Recent::new(PROGRAMS),
            all: Hours::default(),
            elsewhere: Hours::default(),
            told: Told::default(),
            since: None,
        }
    }
}

impl Detector for RegistrationSurge {
    fn observe(&mut self, event: &Event) -> Option<Sighting> {
        let age = event.ts.since(*self.since.get_or_insert(event.ts));
        let EventKind::Register { result, redirect_hosts } = &event.kind else { return None };
        if result != "ok" {
            return None;
        }
        let mut is_part = false;
        let mut surge = None;
        let domains = redirect_hosts.iter().filter(|host| !is_own_machine(host));
        let domains: Vec<&str> = domains.map(|host| domain(host)).collect();
        let mut hosts = redirect_hosts.iter().filter(|host| !is_own_machine(host));
        let is_new = hosts.any(|host| self.hosts.peek(host).is_none());
        let own = event.ip.map(|ip| (ip, self.networks.touch(&network::of(ip))));
        // What was told of one network is not told again of all.
        if own.as_ref().is_none_or(|(_, network)| !network.told.is_open(event.ts)) {
            surge = self.all.add(event.ts, age, &ALL);
            if is_new && own.as_ref().is_none_or(|(_, network)| network.is_one_of_many(event.ts)) {
                surge = self.elsewhere.add(event.ts, age, &ELSEWHERE).or(surge);
            }
        }
        if let Some((ip, network)) = own {
            domains.iter().for_each(|domain| network.domains.note(event.ts, number(domain)));
            network.seen.push(event.ts, ());
            if network.since.is_none() {
                (network.since, network.is_newcomer) = (Some(event.ts), age >= HALF_DAY);
            }
            if let Some(count) = network.count(event.ts)
                && network.told.is_news(event.ts, 1)
            {
                let from = format!("from {ip}");
                let whom = Whom { ip: event.ip, ..Whom::default() };
                return Some(sighting(source::actor(event), whom, &from, count, 0.0));
            }
            let lately = network.seen.within(event.ts, HOUR).count();
            is_part = surge.is_some() && lately >= PART && network.told.is_news(event.ts, 1);
        }
        for host in redirect_hosts.iter().filter(|host| !is_own_machine(host)) {
            let (seen, told) = self.hosts.touch(host);
            seen.push(event.ts, ());
            let count = seen.within(event.ts, DAY).count();
            if count >= ONE_HOST && told.is_news(event.ts, 1) {
                self.domains.touch(&number(domain(host))).told.is_news(event.ts, 1);
                let to = format!("to send people to {host}");
                return Some(sighting(format!("host:{host}"), registered(event), &to, count, 0.0));
            }
        }
        let from = event.ip.map(network::of);
        let program = source::software(event).filter(|_| is_new);
        let part = from.zip(domains.first().map(number));
        if let Some((program, part)) = program.zip(part) {
            let of_program = [OF_PROGRAM, NETWORKS_OF_PROGRAM];
            let kinds = [(program, "one program", of_program), (0, "libraries", OF_LIBRARIES)];
            let kinds = kinds.into_iter().filter(|it| it.0 != 0 || source::is_library(event));
            for (program, name, limits) in kinds {
                let held = self.programs.touch(&program);
                if held.is_surge(event.ts, part, limits) && held.told.is_news(event.ts, 1) {
                    let what = format!("by {name} from many networks, each for another domain,");
                    let actor = "campaign:registration".to_owned();
                    return Some(sighting(actor, registered(event), &what, limits[0], 0.0));
                }
            }
        }
        for domain in domains {
            let held = self.domains.touch(&number(domain));
            if held.is_surge(event.ts, from) && held.told.is_news(event.ts, 1) {
                let to = format!("from several networks to send people to {domain}");
                let whom = registered(event);
                return Some(sighting(format!("host:{domain}"), whom, &to, ONE_HOST, 0.0));
            }
        }
        let (count, busiest, times) = surge?;
        let is_nameless = times >= NAMELESS && !self.told.is_open(event.ts);
        if !is_part && !is_nameless {
            return None;
        }
        self.told.is_news(event.ts, 1);
        let actor = "campaign:registration".to_owned();
        let whom = Whom { ip: event.ip.filter(|_| is_part), ..Whom::default() };
        Some(sighting(actor, whom, "in all", count, busiest))
    }
}

// === impl Domain ===

impl Domain {
    /// Notes a registration; whether there are many from many networks on the domain's first day.
    fn is_surge(&mut self, now: Timestamp, from: Option<IpNet>) -> bool {
        self.seen.push(now, from);
        let mut networks: Vec<_> =
            self.seen.within(now, DAY).filter_map(|(_, from)| *from).collect();
        let count = networks.len();
        networks.sort_unstable();
        networks.dedup();
        now.since(*self.since.get_or_insert(now)) < DAY
            && count >= ONE_HOST
            && networks.len() >= NETWORKS_OF_DOMAIN
    }
}

// === impl Program ===

impl Program {
    /// Notes a registration; whether there are many from many networks, each for another domain.
    fn is_surge(&mut self, now: Timestamp, part: (IpNet, u64), limits: [usize; 2]) -> bool {
        self.seen.push(now, part);
        let lately: Vec<_> = self.seen.within(now, DAY).map(|(_, part)| *part).collect();
        let count =
            |of: fn(&(IpNet, u64)) -> u64| lately.iter().map(of).collect::<BTreeSet<_>>().len();
        let [domains, networks] = limits;
        count(|(network, _)| number(network)) >= networks && count(|(_, domain)| *domain) >= domains
    }
}

// === impl Network ===

impl Network {
    /// Whether it is known to register clients.
    fn is_registrar(&self, now: Timestamp) -> bool {
        let before = self.seen.within(now, DAYS).filter(|(at, ())| now.since(*at) >= BEFORE);
        before.count() >= REGISTRAR
    }

    /// Whether it registers nothing but now and then: a surge of one network is that network's.
    fn is_one_of_many(&self, now: Timestamp) -> bool {
        !self.is_registrar(now) && self.seen.within(now, HOUR).count() < MOST
    }

    /// How many it registered, when that is far more than one network does.
    fn count(&self, now: Timestamp) -> Option<usize> {
        let times = if self.is_registrar(now) { 2 } else { 1 };
        let count = |window| self.seen.within(now, window).count();
        let domains = self.domains.within(now, DAYS).count();
        let is_new = self.is_newcomer && self.since.is_some_and(|since| now.since(since) < DAYS);
        let newcomer = if is_new { count(DAYS) } else { 0 };
        [(count(HOUR), FAST * times), (count(DAY), SLOW), (domains, DOMAINS), (newcomer, NEWCOMER)]
            .into_iter()
            .find_map(|(count, limit)| (count >= limit).then_some(count))
    }
}

// === impl Hours ===

impl Hours {
    /// The count of this hour and of the busiest, when that is far less, and how many times the limit it is.
    fn add(&mut self, now: Timestamp, age: Duration, surge: &Surge) -> Option<(usize, f64, f64)> {
        let hour = now.as_secs().div_euclid(3600);
        if hour > self.hour {
            let hours = u32::try_from(hour - self.hour).unwrap_or(u32::MAX);
            let known = age > surge.known;
            let most = match (known, self.is_surge) {
                (false, _) => f64::MAX,
                (true, false) => (self.busiest * 1.5).max(10.0),
                (true, true) => (self.busiest * 1.1).max(3.0),
            };
            self.busiest = self.busiest.max(self.count.min(most));
            self.busiest *= 0.9_f64.powf(f64::from(hours) / 24.0);
            (self.hour, self.count, self.is_surge) = (hour, 0.0, false);
        }
        self.count += 1.0;
        let limit = surge.count.max(self.busiest * surge.times);
        if age <= surge.known || self.count < limit {
            return None;
        }
        self.is_surge = true;
        Some((self.count as usize, self.busiest, self.count / limit))
    }
}

/// Native applications are sent back to their own machine (RFC 8252 §7.3).
fn is_own_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]" | "::1" | "")
}

/// The client that was registered last, and from where.
fn registered(event: &Event) -> Whom {
    Whom { ip: event.ip, client: event.who.client.clone(), ..Whom::default() }
}

fn sighting(actor: String, whom: Whom, what: &str, count: usize, busiest: f64) -> Sighting {
    Sighting {
        kind: Kind::SignIn(SignIn::RegistrationSurge),
        actor,
        whom,
        summary: format!("{count} clients were registered {what}, far more than is usual"),
        facts: BTreeMap::from([
            ("count", json!(count)),
            ("busiest_hour_before", json!(busiest.round())),
            (
                "thresholds",
                json!({
                    "network_hour": FAST, "network_day": SLOW, "host_day": ONE_HOST,
                    "all_hour": ALL.count, "elsewhere_hour": ELSEWHERE.count,
                    "network_domains": DOMAINS, "program_domains": OF_PROGRAM,
                    "new_network_days": NEWCOMER, "domain_day": ONE_HOST,
                }),
            ),
        ]),
    }
}
