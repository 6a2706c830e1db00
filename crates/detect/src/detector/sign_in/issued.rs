//! To whom tokens were issued, and which of them are used elsewhere by other software.
//!
//! Only an issuer can know it: the event says what has moved since the token was issued. Software alone is a program
//! that hands its token to another on the same machine; the network alone is a journey. Both together are a token
//! that was carried away, unless the client works like that, such as a server that fetches tokens for a browser: so
//! ten people must be known, of whom within the last three to six days at most one in thirty, or three, may have done
//! it with a second token, and twice as many with one. What a data centre was given and is used where people are may
//! be the page's of that server, and what one was given and comes from where three people of the client, and one in
//! ten, have theirs fetched is the server's. What was done once or long ago is no habit: a few thefts must not hide
//! the next. An application that was updated meanwhile has another TLS fingerprint, and tells a newer version of the
//! same name: that is the same software. Without a name, so is a fingerprint with which three people of the client
//! were issued tokens. Where neither system nor country is known, the addresses have to be of different IPv4 /16 or
//! IPv6 /32. The same is asked of sessions that went on elsewhere by another program than before, however their
//! tokens are fetched. An application and the pages in it are two programs that move together: what three people of a
//! client, and one in twenty, use in turn where they are is one hand. State: 50,000 tokens of 90 bytes, 5,000 clients
//! of twice 250, and 24 more for each of up to 32 people who do it, 5,000 fingerprints and 5,000 servers of 100,
//! 16,384 User-Agents of 24, 4,096 pairs of programs of 24.

use std::num::NonZeroU64;
use std::time::Duration;

use token::event::{Event, EventKind, Moved, NetworkKind};
use token::id::ClientId;
use token::term::GrantType;
use token::time::Timestamp;
use token::user_agent;

use crate::detector::Names;
use crate::detector::sign_in::source::{self, Source, number};
use crate::program;
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::recent::Recent;
use crate::sketch::table::Table;
use crate::sketch::tally::Tally;

const TOKENS: usize = 50_000;
const CLIENTS: usize = 5_000;
const SERVERS: usize = 5_000;
const NAMES: usize = 16_384;
const PAIRS: usize = 4_096;
/// People that a client needs before anything is said.
const PEOPLE: u32 = 10;
/// One in so many may use tokens elsewhere again and again, and three in any case; twice as many, once.
const CARRIED: u32 = 30;
const FEW: u32 = 3;
const ONCE: u32 = 2;
/// One in so many who use two programs in turn, and three in any case, are how the client works.
const TOGETHER: u32 = 20;
/// One in so many whose tokens come from one part of the net have a server there.
const SERVED: u32 = 10;
/// People of whom the last carried token is held.
const CARRIERS: usize = 32;
/// A habit shows within three days, as everywhere.
const LATELY: Duration = Duration::from_secs(72 * 3600);

/// What is remembered of issued tokens.
pub(super) struct Issued {
    tokens: Table<Option<Use>>,
    /// All who have no client are as one.
    clients: Recent<Option<ClientId>, People>,
    /// The same of sessions that went on elsewhere.
    sessions: Table<People>,
    /// The words of User-Agents, by the whole: to read one takes longer than to look for it.
    names: Table<Option<Name>>,
    /// People of a client by fingerprint.
    fingerprints: Recent<u64, Distinct<1>>,
    /// People of a client by the part of the net and the program of a server that fetches tokens for them.
    servers: Recent<u64, Distinct<1>>,
    /// People of a client by two programs that they use in one place.
    together: Table<Distinct<1>>,
}

/// Where and by what a token was issued to.
#[derive(Clone, Copy)]
struct Use {
    source: Source,
    name: Option<Name>,
    version: Version,
    /// By a refresh token, which whoever stole it has, too.
    is_renewed: bool,
    /// In a data centre, as by a server for a browser.
    is_hosted: bool,
}

/// What a User-Agent names.
#[derive(Clone, Copy)]
pub(super) struct Name {
    words: NonZeroU64,
    kind: NonZeroU64,
    /// The system, if it is a telephone's.
    telephone: Option<&'static str>,
    /// An application's own, and no browser's.
    is_own: bool,
}

/// The first numbers of a User-Agent, which only grow when software with the same words is updated.
#[derive(Clone, Copy, Default, PartialEq, PartialOrd)]
struct Version([u16; 12]);

#[derive(Default)]
struct People {
    all: Distinct<4>,
    /// In the running three days and those before.
    now: Carriers,
    before: Carriers,
    since: Option<Timestamp>,
    /// Person and token.
    last: Tally<(u64, u64), CARRIERS>,
}

/// Who used tokens elsewhere.
#[derive(Clone, Copy, Default)]
struct Carriers {
    all: Distinct<2>,
    /// Those who did it with more than one token.
    again: Distinct<2>,
}

/// A token that was carried away, and how usual that is.
pub(super) struct Carried {
    /// Where it was: `issued`, or `used before`.
    pub(super) was: &'static str,
    /// What is another than there.
    pub(super) moved: Vec<&'static str>,
    /// People of the client.
    pub(super) people: u32,
    /// How many of them did this lately.
    pub(super) carried: u32,
}

impl Default for Issued {
    fn default() -> Self {
        Self {
            tokens: Table::new(TOKENS),
            clients: Recent::new(CLIENTS),
            sessions: Table::new(CLIENTS),
            names: Table::new(NAMES),
            fingerprints: Recent::new(CLIENTS),
            servers: Recent::new(SERVERS),
            together: Table::new(PAIRS),
        }
    }
}

// === impl Issued ===

impl Issued {
    /// Remembers where a token was issued to.
    pub(super) fn note(&mut self, event: &Event) {
        let who = &event.who;
        if let Some(token) = &who.token {
            let key = number(token.as_str());
            *self.tokens.touch(key, source::seconds(event)) = Use::of(event);
        }
        if let Some(subject) = &who.subject {
            if let Some(fingerprint) = fingerprint(event) {
                self.fingerprints.touch(&fingerprint).add(number(subject.as_str()));
            }
            if let Some(server) = server(event) {
                self.servers.touch(&server).add(number(subject.as_str()));
            }
            self.clients.touch(&who.client).all.add(number(subject.as_str()));
        }
    }

    /// Whether a request's token was carried away, which its client's people hardly ever do.
    pub(super) fn carried(
        &mut self,
        event: &Event,
        names: &Names,
        source: &Source,
    ) -> Option<Carried> {
        let EventKind::Request(request) = &event.kind else { return None };
        let moved = request.moved.as_deref()?;
        let software = moved.contains(&Moved::Software)
            || (moved.contains(&Moved::Ja4) && !self.is_updated(event));
        let who = &event.who;
        if !software || !self.is_elsewhere(event, moved, source) || self.is_at_server(event) {
            return None;
        }
        let programs = self.issue(event).and_then(|it| it.name).zip(Use::of(event)?.name);
        if programs.is_some_and(|(one, two)| self.are_one_hand(names, [one, two])) {
            return None;
        }
        let token = number(who.token.as_ref()?.as_str());
        let (people, carried) = self.clients.touch(&who.client).rarely(event, token)?;
        // A server that fetches tokens may give one to its page.
        if self.issue(event).is_some_and(|it| it.is_hosted) && !source::is_nobodys(event) {
            return None;
        }
        let moved = moved.iter().filter_map(|it| word(*it)).collect();
        Some(Carried { was: "issued", moved, people, carried })
    }

    /// Notes the words of a User-Agent.
    pub(super) fn name(&mut self, event: &Event, names: &Names) {
        if let Some(ua) = names.ua {
            let name = self.names.touch(source::packed(ua).get(), source::seconds(event));
            if name.is_none() {
                *name = Name::of(event);
            }
        }
    }

    /// The words of two User-Agents that are known to differ in more than their numbers.
    pub(super) fn differ(&self, one: NonZeroU64, two: NonZeroU64) -> Option<[Name; 2]> {
        let name = |ua: NonZeroU64| self.names.peek(ua.get()).copied().flatten();
        let (one, two) = name(one).zip(name(two))?;
        (one.words != two.words).then_some([one, two])
    }

    /// Somebody used two programs in turn where they are.
    pub(super) fn meet_together(&mut self, event: &Event, names: &Names, both: [Name; 2]) {
        if let Some(subject) = names.subject.filter(|_| both[0].kind != both[1].kind) {
            let pair = pair(names.client, both);
            self.together.touch(pair, source::seconds(event)).add(subject);
        }
    }

    /// How many people of a client were seen.
    pub(super) fn people(&self, names: &Names) -> u32 {
        self.sessions.peek(names.client).map_or(0, |people| people.all.count())
    }

    /// Whether two programs of a client are used in turn by many of its people, wherever these are.
    pub(super) fn are_one_hand(&self, names: &Names, both: [Name; 2]) -> bool {
        let people = self.people(names);
        let together = self.together.peek(pair(names.client, both)).map_or(0, Distinct::count);
        together >= FEW.max(people / TOGETHER)
    }

    /// Whether somebody signed in with this very program for the token, wherever it was.
    pub(super) fn is_to(&self, event: &Event, source: &Source) -> bool {
        let issued = self.issue(event).filter(|issued| !issued.is_renewed);
        issued.is_some_and(|issued| issued.source.is_same_software(source))
    }

    /// Somebody begins to use a session.
    pub(super) fn meet(&mut self, event: &Event, names: &Names) {
        if let Some(subject) = names.subject {
            self.sessions.touch(names.client, source::seconds(event)).all.add(subject);
        }
    }

    /// Whether a session that went on elsewhere by another program is what its client's people hardly ever do.
    pub(super) fn changed_hands(
        &mut self,
        event: &Event,
        names: &Names,
        from_server: bool,
    ) -> Option<Carried> {
        let people = self.sessions.touch(names.client, source::seconds(event));
        let (people, carried) = people.rarely(event, names.session?)?;
        if from_server && !source::is_nobodys(event) || self.is_at_server(event) {
            return None;
        }
        let moved = vec!["network", "software"];
        Some(Carried { was: "used before", moved, people, carried })
    }

    /// Whether one in ten of the client's people have their tokens fetched by such a server in this part of the net.
    fn is_at_server(&self, event: &Event) -> bool {
        let people = server(event).and_then(|it| self.servers.peek(&it)).map_or(0, Distinct::count);
        let all = self.clients.peek(&event.who.client).map_or(0, |people| people.all.count());
        people >= FEW.max(all / SERVED)
    }

    fn is_elsewhere(&self, event: &Event, moved: &[Moved], source: &Source) -> bool {
        if moved.iter().any(|it| matches!(it, Moved::Asn | Moved::Country)) {
            return true;
        }
        let known = event.origin.asn.is_some() || event.origin.country.is_some();
        !known && self.issue(event).is_some_and(|issued| issued.source.is_far(source))
    }

    /// Whether the software is a newer version of what the token was issued to, or is called the same and has a
    /// fingerprint that others of its name have as well: programs connect in more ways than one.
    fn is_updated(&self, event: &Event) -> bool {
        let (issued, now) = (self.issue(event), Use::of(event));
        let is_common = || {
            let people = fingerprint(event).and_then(|it| self.fingerprints.peek(&it));
            people.is_some_and(|people| people.count() >= FEW)
        };
        issued.zip(now).is_some_and(|(issued, now)| match (issued.name, now.name) {
            (Some(one), Some(two)) if one.words == two.words => {
                issued.version < now.version || is_common()
            }
            (Some(_), Some(_)) => false,
            _ => is_common(),
        })
    }

    fn issue(&self, event: &Event) -> Option<Use> {
        let token = event.who.token.as_ref()?;
        self.tokens.peek(number(token.as_str())).copied().flatten()
    }
}

/// Whether two programs are of different families or systems.
pub(super) fn are_two_kinds([one, two]: [Name; 2]) -> bool {
    one.kind != two.kind
}

/// Whether one application names two models of telephones.
pub(super) fn are_two_telephones([one, two]: [Name; 2]) -> bool {
    one.kind == two.kind && one.telephone.is_some() && one.is_own && two.is_own
}

/// Whether these may be an application and a page that it shows: two kinds on one telephone.
pub(super) fn may_be_page([one, two]: [Name; 2]) -> bool {
    one.kind != two.kind && one.telephone.is_some() && one.telephone == two.telephone
}

/// Two programs of a client, whichever came first.
fn pair(client: u64, [one, two]: [Name; 2]) -> u64 {
    hash::both(client, one.kind.get() ^ two.kind.get())
}

/// The TLS fingerprint as one client's and one User-Agent's.
fn fingerprint(event: &Event) -> Option<u64> {
    let library = program::library(event.origin.ja4.as_deref()?)?;
    let client = event.who.client.as_ref().map(|client| client.as_str());
    Some(number((client, event.ua.as_deref().map(hash::without_digits), library)))
}

/// A server that fetches tokens, as one client's: where nobody knows what kind of network it is, by its neighbourhood.
fn server(event: &Event) -> Option<u64> {
    let place = match source::net(event) {
        Some(NetworkKind::Hosting) => source::place(event),
        None => source::neighbourhood(event),
        Some(_) => None,
    };
    let client = event.who.client.as_ref().map(|client| client.as_str());
    Some(number((client, place?, source::software(event)?)))
}

// === impl People ===

impl People {
    /// How many people there are and how many carried something lately, where this one did and few do.
    fn rarely(&mut self, event: &Event, carried: u64) -> Option<(u32, u32)> {
        let person = number(event.who.subject.as_ref()?.as_str());
        let (once, again) = self.carry(event.ts, person, carried);
        let all = self.all.count();
        let most = (all / CARRIED).max(FEW);
        (all >= PEOPLE && again <= most && once <= most * ONCE).then_some((all, once))
    }

    /// How many have carried tokens lately, this person included, and how many of them more than one.
    fn carry(&mut self, now: Timestamp, person: u64, token: u64) -> (u32, u32) {
        let since = *self.since.get_or_insert(now);
        let age = now.since(since);
        if age >= LATELY {
            self.before = if age < LATELY * 2 { self.now } else { Carriers::default() };
            self.now = Carriers::default();
            self.since = Some(now);
        }
        self.now.all.add(person);
        let window = LATELY * 2;
        let is_again = self
            .last
            .within(now, window)
            .any(|(_, (other, held))| *other == person && *held != token);
        if is_again {
            self.now.again.add(person);
        }
        self.last.note(now, (person, token));
        let count = |now: Distinct<2>, before| now.with(&before).count();
        (count(self.now.all, self.before.all), count(self.now.again, self.before.again))
    }
}

// === impl Use ===

impl Use {
    fn of(event: &Event) -> Option<Self> {
        let name = Name::of(event);
        let version = event.ua.as_deref().map(Version::of).unwrap_or_default();
        let is_renewed = matches!(&event.kind, EventKind::Grant { grant_type, .. }
            if grant_type == GrantType::RefreshToken.as_str());
        let is_hosted = source::net(event) == Some(NetworkKind::Hosting);
        Some(Self { source: Source::of(event)?, name, version, is_renewed, is_hosted })
    }
}

// === impl Name ===

impl Name {
    fn of(event: &Event) -> Option<Self> {
        let kind = source::kind(event).map(source::packed)?;
        let system = event.ua.as_deref().and_then(user_agent::system);
        let telephone = system.filter(|it| matches!(*it, "android" | "ios"));
        let is_own = event.ua.as_deref().is_some_and(|ua| !ua.starts_with("Mozilla/"));
        let words = source::packed(source::family(event)?);
        Some(Self { words, kind, telephone, is_own })
    }
}

// === impl Version ===

impl Version {
    fn of(ua: &str) -> Self {
        let mut version = Self::default();
        let numbers = ua.split(|it: char| !it.is_ascii_digit()).filter(|it| !it.is_empty());
        for (held, number) in version.0.iter_mut().zip(numbers) {
            *held = number.parse().unwrap_or(u16::MAX);
        }
        version
    }
}

fn word(moved: Moved) -> Option<&'static str> {
    match moved {
        Moved::Asn => Some("network"),
        Moved::Country => Some("country"),
        Moved::Ja4 => Some("TLS fingerprint"),
        Moved::Software => Some("software"),
        Moved::Unknown => None,
    }
}
