//! Something sensitive from where, and with what, its owner was never seen before.
//!
//! New software alone is a new telephone, a new network alone a journey, and both are strange for their first day, so
//! that harmless requests do not make them known. Together, with an administrative act or a scope that is one, they
//! are worth a look. The version of a browser does not count. Where the software is not known, the country and the
//! network both have to be new, and the session as well: one that was in use before its owner came there went on the
//! journey with them. Nothing is strange to somebody who is known for less than three days, but what comes all at
//! once: the software and the country (after a day the network alone), or a data centre, none of which was there an
//! hour ago, and no carrier. Then only a change counts that decides who has the account or its money, unless a quarter
//! of the client's people do that, since so much is new in the first days. Where a VPN, a data centre or a company
//! leaves the net is nobody's country.
//!
//! In a stream that has sign-ins a data centre from where nobody signed in is the server of an application, and
//! whoever renews a session signed in before. A change, in another country or from where no people are and no company
//! of their country leads its people, is as much as a scope's name, and anywhere one that decides who has the account,
//! or through Tor, where its owner was not an hour ago, whatever the software. So is one by a program, and no browser,
//! that fewer than three people of a client use, of thirty at least, from where its owner was not seen an hour ago; so
//! is a computer's browser where fewer than three use any; but not beside a browser by which its owner has signed in
//! there; and a change that decides who has the account, whatever the software, in a country where its owner, known
//! for a day, was never before the last hour, or after a recovery code (`recovery.rs`). A sign-in is enough where
//! software, network and country are all new to somebody who is known for two days, and no carrier or VPN; after one
//! day software and network are, where they are a data centre's: people are not there, unless several sign in from it.
//! State: 168 bytes in the record of a person (`records.rs`), and 24 for each country, network and software where
//! there are several; 48 for each of 4,096 clients and of 4,096 sensitive scopes of them, 24 for each of 16,384
//! programs of theirs, and of 16,384 servers; 16 for each of 4,096 User-Agents and sets of scopes.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use serde_json::json;
use token::event::{Event, EventKind, NetworkKind, Request};
use token::id::SubjectId;
use token::term::GrantType;
use token::user_agent;

use crate::detector::sign_in::known::Known;
use crate::detector::sign_in::recovery::Recoveries;
use crate::detector::sign_in::source::{self, number, packed};
use crate::detector::sign_in::{SignIn, recovery, sensitive};
use crate::detector::{Kind, Names, Record, RecordDetector, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::hash;
use crate::sketch::memo::Memo;
use crate::sketch::table::Table;
use crate::sketch::told::Told;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const CLIENTS: usize = 4_096;
const PROGRAMS: usize = 16_384;
const SERVERS: usize = 16_384;
/// People for whom a server acts, at least.
const SERVED: u32 = 5;
/// Grants to whoever signed in before, or elsewhere: what becomes of a code that was sent to somebody, `device_phishing`
/// looks at.
const SIGNED_IN_BEFORE: [&str; 2] =
    [GrantType::RefreshToken.as_str(), GrantType::DeviceCode.as_str()];
/// Browsers of computers, as a kind of program.
const BROWSER: u64 = 1;
/// What is sensitive about a sign-in.
const SIGN_IN: &str = "a sign-in";
/// People that a client needs before a program is none of its own.
const PEOPLE: u32 = 30;
/// From so many people on, and half of the client's, a scope is everyday.
const EVERYDAY: u32 = 10;
/// From one of so many on, a change that decides who has an account.
const USUAL: u32 = 4;
/// People from whom on a program is.
const COMMON: u32 = 3;

/// Sensitive acts from new places.
pub(super) struct NewPlace {
    /// Whether sign-ins are among the events.
    knows_sign_ins: bool,
    /// People by client, and by client and kind of program.
    people: Table<Distinct<4>>,
    programs: Table<Distinct<1>>,
    /// People by client, network and program, where the kind of network is not known.
    servers: Table<Distinct<1>>,
    /// People by client and sensitive scope, or route that decides who has an account.
    holders: Table<Distinct<4>>,
    /// The first sensitive one of scopes, and kinds of programs.
    scopes: Memo<u64>,
    kinds: Memo<u64>,
    /// Whether a route decides who has an account or its money.
    controls: Memo<bool>,
    recoveries: Recoveries,
}

/// Where, and with what, a person was seen.
#[derive(Default)]
pub(super) struct Person {
    /// What was seen last: nearly always it is seen again.
    last: Option<NonZeroU64>,
    /// Where the last sign-in was, and where a session was renewed last.
    signed_in: Option<NonZeroU64>,
    /// By a browser, beside which a person who makes programs tries one.
    by_browser: bool,
    renewed: Option<NonZeroU64>,
    countries: Known<4>,
    places: Known<8>,
    software: Known<8>,
    told: Told,
}

impl Default for NewPlace {
    fn default() -> Self {
        Self {
            knows_sign_ins: false,
            people: Table::new(CLIENTS),
            programs: Table::new(PROGRAMS),
            servers: Table::new(SERVERS),
            holders: Table::new(CLIENTS),
            scopes: Memo::default(),
            kinds: Memo::default(),
            controls: Memo::default(),
            recoveries: Recoveries::default(),
        }
    }
}

impl RecordDetector for NewPlace {
    fn observe(
        &mut self,
        event: &Event,
        names: &Names,
        record: &mut Record<'_>,
    ) -> Option<Sighting> {
        match &event.kind {
            EventKind::Request(request)
                if event.who.token.is_some() && request.refused.is_none() => {}
            EventKind::Login { result, .. } | EventKind::Authorize { result, .. }
                if result == "ok" =>
            {
                self.recoveries.note(event);
                let person = &mut record.person.as_mut()?.places;
                person.signed_in = source::place(event).map(packed);
                person.by_browser = source::is_browser(event);
                self.knows_sign_ins |= person.signed_in.is_some();
            }
            EventKind::Grant { result, grant_type, .. } if result == "ok" => {
                if SIGNED_IN_BEFORE.contains(&grant_type.as_str()) {
                    record.person.as_mut()?.places.renewed = source::place(event).map(packed);
                }
            }
            EventKind::Admin { .. } => {}
            _ => return None,
        }
        let subject = event.who.subject.as_ref().filter(|_| !source::is_machine(event, names))?;
        let controlling = match &event.kind {
            EventKind::Request(request) => self.controls(event, names, request),
            _ => false,
        };
        let person = &mut record.person.as_mut()?.places;
        if controlling && person.is_strange_now(event) && self.recoveries.explain(event) {
            let EventKind::Request(request) = &event.kind else { return None };
            let is_news = person.told.is_news(event.ts, 1);
            return is_news.then(|| recovery::sighting(event, subject, &named(request)));
        }
        let as_now = as_now(event, names);
        if person.last == Some(as_now) {
            return None;
        }
        let place = source::place(event).map(packed);
        let is_there = place.is_some() && person.signed_in == place;
        let is_elsewhere = self.knows_sign_ins && !is_there;
        // Where a server fetches tokens, or holds a consent, nobody signs in.
        if is_elsewhere && self.is_server(event, names) {
            return None;
        }
        let mut news = person.news(event, as_now);
        // Whoever goes on with a session signed in before it was looked at.
        if is_elsewhere && place.is_some() && person.renewed == place {
            return None;
        }
        if self.is_stray(event, names) && person.is_young(event) && !(is_there && person.by_browser)
        {
            news.stray = true;
            person.last = None;
        }
        if source::net(event) == Some(NetworkKind::Tor) && person.is_young(event) {
            news.hidden = person.places.is_known_for(event.ts, HOUR);
            person.last = None;
        }
        if person.is_abroad(event) {
            news.abroad = controlling;
            person.last = None;
        }
        let everyday = self.everyday(event, names);
        let shared = self.is_shared(event, names);
        let news = Some(news).filter(News::is_worth_it)?;
        let session = record.session.as_ref().map(|session| session.first);
        if news.software.is_none() && person.went_along(event, session) {
            return None;
        }
        let act = match &event.kind {
            EventKind::Request(request) if news.is_first_days(event) || !news.is_new() => {
                controlling.then(|| named(request))
            }
            EventKind::Request(request) => {
                let scope = sensitive::first(&request.scopes);
                scope
                    .filter(|_| !everyday || request.is_change())
                    .or_else(|| news.change(event, request, controlling))
            }
            EventKind::Grant { .. } if news.is_first_days(event) || !news.is_new() => None,
            EventKind::Grant { scopes, .. } => sensitive::first(scopes).filter(|_| !everyday),
            EventKind::Login { complete, .. } => {
                let is_odd = *complete && !shared && person.is_known(event);
                (is_odd && news.is_all(event)).then(|| SIGN_IN.to_owned())
            }
            EventKind::Admin { action, .. } => Some(action.clone()),
            _ => None,
        }?;
        person.told.is_news(event.ts, 1).then(|| sighting(event, subject, &act, &news))
    }
}

impl NewPlace {
    /// Whether it is a data centre or, where that is not known, an address at which a program, and no browser, acts for
    /// several people of a client.
    fn is_server(&mut self, event: &Event, names: &Names) -> bool {
        if let Some(net) = source::net(event) {
            return net == NetworkKind::Hosting;
        }
        let program = event.ua.as_deref().filter(|ua| !ua.starts_with("Mozilla/"));
        let Some((subject, network)) = names.subject.zip(names.network) else { return false };
        let Some(program) = program.map(hash::without_digits) else { return false };
        let server = hash::both(hash::both(names.client, network), program);
        let people = self.servers.touch(server, source::seconds(event));
        people.add(subject);
        people.count() >= SERVED
    }

    /// Whether the request changed who has an account or its money, which is not what most people of the client do.
    fn controls(&mut self, event: &Event, names: &Names, request: &Request) -> bool {
        let (Some(route), Some(subject)) = (names.target.route, names.subject) else {
            return false;
        };
        if !request.is_change() || request.status >= 400 {
            return false;
        }
        let path = request.route.as_deref().unwrap_or(&request.path);
        if !self.controls.of(route, || sensitive::controls(path)) {
            return false;
        }
        let now = source::seconds(event);
        let people = self.people.peek(names.client).map_or(0, Distinct::count);
        let holders = self.holders.touch(hash::both(names.client, route), now);
        holders.add(subject);
        let holders = holders.count();
        holders < EVERYDAY || holders * USUAL <= people
    }

    /// Whether several people sign in at an address where no people are: it is how they leave the net.
    fn is_shared(&mut self, event: &Event, names: &Names) -> bool {
        let Some((subject, network)) = names.subject.zip(names.network) else { return false };
        if !matches!(event.kind, EventKind::Login { .. }) || !source::is_nobodys(event) {
            return false;
        }
        let people = self.servers.touch(hash::both(network, 1), source::seconds(event));
        people.add(subject);
        people.count() >= COMMON
    }

    /// Whether most people of the client hold the scope that is sensitive: then it says nothing of what is done.
    fn everyday(&mut self, event: &Event, names: &Names) -> bool {
        let scopes = match &event.kind {
            EventKind::Request(request) => &request.scopes,
            EventKind::Grant { scopes, .. } => scopes,
            _ => return false,
        };
        // Zero: none of them is.
        let scope = self.scopes.of(hash::text(scopes.as_str()), || {
            sensitive::first(scopes).map_or(0, |scope| hash::text(&scope))
        });
        let Some(subject) = names.subject.filter(|_| scope != 0) else { return false };
        let now = source::seconds(event);
        let holders = self.holders.touch(hash::both(names.client, scope), now);
        holders.add(subject);
        let (holders, people) =
            (holders.count(), self.people.peek(names.client).map_or(0, Distinct::count));
        holders >= EVERYDAY && holders * 2 > people
    }

    /// Whether it is a program, and no browser, that hardly anybody of a client uses.
    fn is_stray(&mut self, event: &Event, names: &Names) -> bool {
        let (Some(subject), Some(hashed), Some(ua)) = (names.subject, names.ua, &event.ua) else {
            return false;
        };
        // Browsers of computers are one kind: a telephone's application has none.
        let kind = self.kinds.of(hashed, || match user_agent::system(ua) {
            _ if !ua.starts_with("Mozilla/") => source::kind(event).unwrap_or(0),
            Some("android" | "ios") => 0,
            _ => BROWSER,
        });
        if event.who.client.is_none() {
            return false;
        }
        let now = source::seconds(event);
        let people = self.people.touch(names.client, now);
        people.add(subject);
        // Where an application has people sign in, a browser is shown.
        if kind == BROWSER && !is_request(event) {
            return false;
        }
        let users = self.programs.touch(hash::both(names.client, kind), now);
        users.add(subject);
        let is_of_its_own = kind == BROWSER || !ua.starts_with("Mozilla/");
        is_of_its_own && people.count() >= PEOPLE && users.count() < COMMON
    }
}

/// What is strange about an event; `None` for what is not known.
struct News {
    /// The program is none of the client's, and comes from where its owner was not seen an hour ago.
    stray: bool,
    /// Its owner has not settled.
    first_days: bool,
    /// It comes through Tor, and its owner did not an hour ago.
    hidden: bool,
    /// It decides who has the account, in a country where its owner never was before the last hour.
    abroad: bool,
    country: Option<bool>,
    place: Option<bool>,
    software: Option<bool>,
}

// === impl Person ===

impl Person {
    /// Whether the last sign-in was where the event is.
    pub(super) fn signed_in_at(&self, event: &Event) -> bool {
        self.signed_in.is_some() && self.signed_in == source::place(event).map(packed)
    }

    /// Whether its owner is known for an hour, by another program than this one, which is new since then.
    pub(super) fn has_other_software(&self, event: &Event) -> bool {
        let is_new = source::family(event)
            .is_none_or(|it| !self.software.holds(it) || self.software.is_sudden(event.ts, it));
        is_new && self.software.is_known_for(event.ts, HOUR)
    }

    /// Whether its owner was seen in the country.
    pub(super) fn was_in_country(&self, event: &Event) -> bool {
        event.origin.country.as_ref().is_some_and(|it| self.countries.holds(number(it)))
    }

    /// Whether its owner was seen in other countries and never in this one.
    pub(super) fn is_strange_country(&self, event: &Event) -> bool {
        let country = event.origin.country.as_ref().map(number);
        country.is_some_and(|it| !self.countries.is_empty() && !self.countries.holds(it))
    }

    /// Whether its owner, known for an hour, was not here an hour ago, or not by this software.
    fn is_strange_now(&self, event: &Event) -> bool {
        self.places.is_known_for(event.ts, HOUR)
            && (self.is_young(event) || self.has_other_software(event))
    }

    /// Whether nothing is known of its owner.
    pub(super) fn is_new(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether the place is one where its owner was seen.
    pub(super) fn was_at(&self, event: &Event) -> bool {
        source::place(event).is_some_and(|place| self.places.holds(place))
    }

    /// Something of each of its parts, to bring them near.
    pub(super) fn read(&self) -> u64 {
        let known = self.countries.read() ^ self.places.read() ^ self.software.read();
        known ^ self.last.map_or(0, NonZeroU64::get) ^ self.told.read()
    }

    /// What is strange about an event that is not as the last one.
    fn news(&mut self, event: &Event, now: NonZeroU64) -> News {
        // Where a VPN, a data centre or a company leaves the net is nobody's country.
        let is_own = matches!(
            source::net(event),
            None | Some(NetworkKind::Residential | NetworkKind::Mobile)
        );
        let country = event.origin.country.as_ref().map(number);
        let place = source::place(event);
        let software = source::family(event);
        let mut news = News {
            stray: false,
            hidden: false,
            abroad: false,
            first_days: false,
            country: country
                .filter(|_| is_own || !self.countries.is_empty())
                .map(|country| self.countries.note(event.ts, country)),
            place: place.map(|place| self.places.note(event.ts, place)),
            software: software.map(|software| self.software.note(event.ts, software)),
        };
        // A new telephone begins on its carrier's network.
        if matches!(source::net(event), Some(NetworkKind::Mobile | NetworkKind::Vpn)) {
            news.place = news.place.map(|strange| strange && news.country == Some(true));
        }
        if !news.is_worth_it() && !self.places.is_settled(event.ts) {
            news = self.sudden(event, country, place, software);
        }
        // What is strange is asked again at the next event: that may be the sensitive one.
        self.last = (!news.is_worth_it()).then_some(now);
        news
    }

    /// Whether what the event belongs to was there before its owner came to the place.
    fn went_along(&self, event: &Event, session: Option<u32>) -> bool {
        if let EventKind::Grant { grant_type, .. } = &event.kind {
            return grant_type == "refresh_token";
        }
        let came = source::place(event).and_then(|place| self.places.first(place));
        came.zip(session).is_some_and(|(came, first)| u64::from(first) < came.as_secs() as u64)
    }

    /// What is strange about an event of somebody who has not settled.
    fn sudden(
        &self,
        event: &Event,
        country: Option<u64>,
        place: Option<u64>,
        software: Option<u64>,
    ) -> News {
        let is_software = software.is_some_and(|it| self.software.is_sudden(event.ts, it));
        let is_country = country.is_some_and(|it| self.countries.is_sudden(event.ts, it));
        let is_place = place.is_some_and(|it| self.places.is_sudden(event.ts, it));
        let is_strange = match source::net(event) {
            Some(NetworkKind::Mobile) => false,
            Some(NetworkKind::Vpn) => is_place && is_country,
            Some(NetworkKind::Hosting | NetworkKind::Tor) => is_place,
            _ => is_place && (is_country || self.places.is_known_for(event.ts, DAY)),
        };
        let all = is_software && is_strange;
        News {
            stray: false,
            hidden: false,
            abroad: false,
            first_days: true,
            country: Some(all && is_country),
            place: Some(all),
            software: Some(all),
        }
    }

    /// Whether its owner was never in this country, and came there, by no carrier or VPN, within the last hour.
    fn is_abroad(&self, event: &Event) -> bool {
        let stays = matches!(
            source::net(event),
            None | Some(NetworkKind::Residential | NetworkKind::Business | NetworkKind::Hosting)
        );
        let country = event.origin.country.as_ref().map(number);
        stays
            && self.is_young(event)
            && country.is_some_and(|it| self.countries.is_young(event.ts, it))
            && self.countries.is_known_for(event.ts, DAY)
    }

    /// Whether enough is known to be surprised by a sign-in: a day, or two where people are.
    fn is_known(&self, event: &Event) -> bool {
        self.places.is_known_for(event.ts, if source::is_nobodys(event) { DAY } else { DAY * 2 })
    }

    /// Whether the place was first seen within the last hour.
    fn is_young(&self, event: &Event) -> bool {
        source::place(event).is_some_and(|place| self.places.is_young(event.ts, place))
    }
}

/// Where, and with what, it comes: once an hour another, so that what is held stays the newest.
fn as_now(event: &Event, names: &Names) -> NonZeroU64 {
    let country = event.origin.country.as_ref().map(number);
    let exactly = names.ua.or(names.program);
    packed(number((country, source::place(event), exactly, event.ts.as_secs() / 3600)))
}

// === impl News ===

impl News {
    fn is_worth_it(&self) -> bool {
        self.hidden || self.abroad || self.is_new()
    }

    /// Whether it is new, and not only hidden.
    fn is_new(&self) -> bool {
        if self.stray {
            return true;
        }
        let (country, place) = (self.country == Some(true), self.place == Some(true));
        match self.software {
            Some(software) => software && (country || place),
            None => country && place,
        }
    }

    /// What somebody changed, where that is from another country, or from where no people are.
    fn change(&self, event: &Event, request: &Request, controlling: bool) -> Option<String> {
        // Companies lead their people into the net through data centres of their country.
        let is_led = self.country == Some(false)
            && source::net(event) == Some(NetworkKind::Hosting)
            && !source::is_library(event);
        let is_far =
            source::is_nobodys(event) && !is_led || self.country == Some(true) || self.stray;
        let is_done = request.is_change() && request.status < 400;
        (is_done && (is_far || controlling)).then(|| named(request))
    }

    /// Whether its owner has not settled, and it comes from where people are.
    fn is_first_days(&self, event: &Event) -> bool {
        self.first_days && !self.stray && !source::is_nobodys(event)
    }

    /// Whether the software is new, and where it is: a network of nobody's, or of another country.
    fn is_all(&self, event: &Event) -> bool {
        let is_far = match source::net(event) {
            Some(NetworkKind::Mobile | NetworkKind::Vpn) => false,
            Some(NetworkKind::Hosting | NetworkKind::Tor) => true,
            _ => self.country == Some(true),
        };
        is_far && self.software == Some(true) && self.place == Some(true)
    }

    fn words(&self) -> Vec<&'static str> {
        [
            ("country", self.abroad || self.country == Some(true)),
            ("network", self.stray || self.hidden || self.place == Some(true)),
            ("software", self.stray || self.software == Some(true)),
        ]
        .into_iter()
        .filter_map(|(word, strange)| strange.then_some(word))
        .collect()
    }
}

const fn is_request(event: &Event) -> bool {
    matches!(event.kind, EventKind::Request(_))
}

fn named(request: &Request) -> String {
    format!("{} {}", request.method, request.route.as_deref().unwrap_or(&request.path))
}

fn sighting(event: &Event, subject: &SubjectId, act: &str, news: &News) -> Sighting {
    let words = news.words();
    let mut facts = BTreeMap::from([("new", json!(words)), ("sensitive", json!(act))]);
    if news.stray {
        facts.insert("software_of_others", json!(false));
    }
    if let Some(country) = &event.origin.country {
        facts.insert("country", json!(country));
    }
    if let Some(ua) = &event.ua {
        facts.insert("ua", json!(ua));
    }
    Sighting {
        kind: Kind::SignIn(SignIn::NewPlace),
        actor: format!("subject:{subject}"),
        whom: source::whom(event),
        summary: format!(
            "{subject} {} from {}, with a {} that was first seen within the last day",
            if act == SIGN_IN { "signs in".to_owned() } else { format!("uses {act}") },
            source::shown(event),
            words.join(" and a ")
        ),
        facts,
    }
}
