//! The detectors of API traffic: each sees every request, and one record holds a principal's state.
//!
//! One record, because a lookup costs more than what most detectors do with it. At most 1,000,000 principals, the
//! least active forgotten first; nothing is kept for requests without a verified name but what is counted by network.
//! Names that a bad credential claims are not looked at.

use token::event::{Event, EventKind};

use crate::detector::Sighting;
use crate::sketch::hash;
use crate::sketch::table::{Ahead, Table};

mod anomaly;
mod automation;
mod enumeration;
mod exfiltration;
mod failed_changes;
mod function_probing;
mod injection_probing;
mod least_privilege;
mod meter;
mod names;
mod ownership;
mod quick_changes;
mod repertoire;
mod roles;
mod scanning;
mod seen;
mod sequence;
mod template;
mod throttle_evasion;
mod unlisted;
mod vocabulary;
mod volume;
mod without_token;

pub use names::Names;
use seen::Seen;

const PRINCIPALS: usize = 1_000_000;
/// Of more objects it is not known whether one was seen, in so few bits.
const FEW: u32 = 20;

/// What is known of one principal.
#[derive(Default)]
struct Profile {
    /// When it was first seen, in seconds since 1970.
    first: u32,
    /// Some bits of what it asked for last, and of the folder of the last file.
    last: [u16; 2],
    anomaly: anomaly::State,
    automation: automation::State,
    enumeration: enumeration::State,
    exfiltration: exfiltration::State,
    sequence: sequence::State,
    volume: volume::State,
}

const _: () = assert!(size_of::<Profile>() <= 384, "a million principals have one");

/// All detectors of traffic.
pub struct Traffic {
    principals: Table<Profile>,
    anomaly: anomaly::Anomaly,
    automation: automation::Automation,
    enumeration: enumeration::Enumeration,
    exfiltration: exfiltration::Exfiltration,
    failed_changes: failed_changes::FailedChanges,
    function_probing: function_probing::FunctionProbing,
    injection_probing: injection_probing::InjectionProbing,
    least_privilege: least_privilege::LeastPrivilege,
    ownership: ownership::Ownership,
    quick_changes: quick_changes::QuickChanges,
    regular_changes: automation::changes::Changes,
    repertoire: repertoire::Repertoire,
    roles: roles::Roles,
    scanning: scanning::Scanning,
    sequence: sequence::Sequence,
    throttle_evasion: throttle_evasion::ThrottleEvasion,
    unlisted: unlisted::Unlisted,
    volume: volume::Volume,
    without_token: without_token::WithoutToken,
}

/// What events that come next are about.
pub struct TrafficAhead {
    principals: Ahead,
    objects: Ahead,
    unlisted: Ahead,
    guesses: Ahead,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            principals: Table::new(PRINCIPALS),
            anomaly: Default::default(),
            automation: Default::default(),
            enumeration: Default::default(),
            exfiltration: Default::default(),
            failed_changes: Default::default(),
            function_probing: Default::default(),
            injection_probing: Default::default(),
            least_privilege: Default::default(),
            ownership: Default::default(),
            quick_changes: Default::default(),
            regular_changes: Default::default(),
            repertoire: Default::default(),
            roles: Default::default(),
            scanning: Default::default(),
            sequence: Default::default(),
            throttle_evasion: Default::default(),
            unlisted: Default::default(),
            volume: Default::default(),
            without_token: Default::default(),
        }
    }
}

/// What a request has in common with its principal's last ones.
#[derive(Clone, Copy)]
struct Again {
    object: bool,
    /// The path of a file that is no object.
    path: bool,
    /// The folder of a file with that of the file before.
    folder: bool,
}

// === impl Profile ===

impl Profile {
    /// What the request has in common with those before.
    fn asks_again(&mut self, seen: &Seen<'_>, was_seen: bool) -> Again {
        let asked = match seen.object {
            Some(object) => hash::both(object, seen.route.unwrap_or(0)),
            None if seen.is_large_file() => hash::text(&seen.request.path),
            None => 0,
        };
        let asked = (asked >> 48) as u16;
        let [before, folder] = self.last;
        let now = seen.folder().map_or(folder, |folder| (folder >> 48) as u16);
        self.last = [asked, now];
        let is_last = asked == before && asked != 0;
        Again {
            object: is_last && seen.object.is_some() || was_seen,
            path: is_last && seen.object.is_none(),
            folder: now == folder && now != 0,
        }
    }

    /// Whether the object was asked for within the hour, as far as few objects tell.
    fn has_asked(&self, seen: &Seen<'_>) -> bool {
        let objects = &self.enumeration.objects;
        seen.is_file()
            && objects.count() <= FEW
            && seen.object.is_some_and(|object| objects.contains(object))
    }

    /// Something of each of its cache lines, in as few instructions as can be: see [`Ahead`].
    const fn read(&self) -> u64 {
        let [first, _, last] = &self.volume.routes;
        let numbers = self.first
            ^ self.anomaly.hour
            ^ self.automation.hour as u32
            ^ self.sequence.last
            ^ self.enumeration.hour.window()
            ^ self.enumeration.day.window()
            ^ self.exfiltration.hour.window()
            ^ first.1.window()
            ^ last.1.window();
        self.enumeration.objects.read() ^ numbers as u64
    }
}

// === impl Traffic ===

impl Traffic {
    /// Brings near what is held of events that come next, in steps: see [`Ahead`].
    pub fn expect(&self, next: &[Names]) -> TrafficAhead {
        self.scanning.expect(next);
        TrafficAhead {
            principals: self.principals.expect(next.iter().filter_map(|names| names.principal)),
            objects: self.ownership.expect(next),
            unlisted: self.unlisted.expect(next),
            guesses: self.enumeration.expect(next),
        }
    }

    /// The second step.
    pub fn expect_states(&self, ahead: &mut TrafficAhead) {
        self.principals.expect_states(&mut ahead.principals, Profile::read);
        self.ownership.expect_states(&mut ahead.objects);
        self.unlisted.expect_states(&mut ahead.unlisted);
        self.enumeration.expect_states(&mut ahead.guesses);
    }

    /// The third step.
    pub fn expect_room(&self, ahead: &TrafficAhead) {
        self.principals.expect_room(&ahead.principals);
        self.ownership.expect_room(&ahead.objects);
        self.unlisted.expect_room(&ahead.unlisted);
        self.enumeration.expect_room(&ahead.guesses);
    }

    /// Looks at one event; appends what is seen in it.
    pub fn observe(&mut self, event: &Event, names: &Names, found: &mut Vec<Sighting>) {
        let EventKind::Request(request) = &event.kind else { return };
        let now = u32::try_from(event.ts.as_secs()).unwrap_or(0);
        let names = &Names { client: self.roles.group(names, &request.scopes, now), ..*names };
        let Some(seen) = Seen::of(event, names) else { return };
        found.extend(self.injection_probing.observe(&seen));
        found.extend(self.scanning.observe(&seen));
        found.extend(self.without_token.observe(&seen));
        let Some(principal) = seen.principal else { return };
        let profile = self.principals.touch(principal, seen.now);
        if profile.first == 0 {
            profile.first = seen.now;
        }
        let first = profile.first;
        found.extend(self.ownership.observe(&seen, first, profile.enumeration.today()));
        let is_private =
            || self.ownership.is_private(&seen) && !self.function_probing.administers(principal);
        found.extend(self.unlisted.observe(&seen, is_private));
        found.extend(self.function_probing.observe(&seen, principal, first));
        let was_seen = profile.has_asked(&seen);
        let enumeration = &mut profile.enumeration;
        found.extend(self.enumeration.observe(&seen, principal, first, enumeration));
        found.extend(self.automation.observe(&seen, &mut profile.automation));
        if seen.request.is_change() {
            found.extend(self.failed_changes.observe(&seen, principal));
            found.extend(self.quick_changes.observe(&seen, principal));
            found.extend(self.regular_changes.observe(&seen, principal));
        }
        found.extend(self.sequence.observe(&seen, principal, &mut profile.sequence));
        found.extend(self.throttle_evasion.observe(&seen));
        found.extend(self.least_privilege.observe(&seen));
        found.extend(self.volume.observe(&seen, first, &mut profile.volume));
        let again = profile.asks_again(&seen, was_seen);
        found.extend(self.exfiltration.observe(&seen, first, again, &mut profile.exfiltration));
        found.extend(self.anomaly.observe(&seen, &mut profile.anomaly));
        found.extend(self.repertoire.observe(&seen, principal, first));
    }
}
