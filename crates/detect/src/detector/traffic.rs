//! The detectors of API traffic: each sees every request, and one record holds a principal's state.
//!
//! One record, because a lookup costs more than what most detectors do with it. At most 1,000,000
//! principals, the least active forgotten first; nothing is kept for requests without a verified
//! name but what is counted by network. Names that a bad credential claims are not looked at.

use token::event::Event;

use crate::detector::Sighting;
use crate::sketch::table::Table;

mod anomaly;
mod automation;
mod enumeration;
mod exfiltration;
mod function_probing;
mod injection_probing;
mod least_privilege;
mod meter;
mod names;
mod ownership;
mod scanning;
mod seen;
mod sequence;
mod template;
mod throttle_evasion;
mod unlisted;
mod vocabulary;
mod volume;

use meter::Meter;
pub use names::Names;
use seen::Seen;

const PRINCIPALS: usize = 1_000_000;

/// What is known of one principal.
#[derive(Default)]
struct Profile {
    /// When it was first seen, in seconds since 1970.
    first: u32,
    anomaly: anomaly::State,
    automation: automation::State,
    enumeration: enumeration::State,
    exfiltration: exfiltration::State,
    sequence: sequence::State,
    volume: volume::State,
}

/// All detectors of traffic.
pub struct Traffic {
    principals: Table<Profile>,
    anomaly: anomaly::Anomaly,
    automation: automation::Automation,
    enumeration: enumeration::Enumeration,
    exfiltration: exfiltration::Exfiltration,
    function_probing: function_probing::FunctionProbing,
    injection_probing: injection_probing::InjectionProbing,
    least_privilege: least_privilege::LeastPrivilege,
    ownership: ownership::Ownership,
    scanning: scanning::Scanning,
    sequence: sequence::Sequence,
    throttle_evasion: throttle_evasion::ThrottleEvasion,
    unlisted: unlisted::Unlisted,
    volume: volume::Volume,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            principals: Table::new(PRINCIPALS),
            anomaly: Default::default(),
            automation: Default::default(),
            enumeration: Default::default(),
            exfiltration: Default::default(),
            function_probing: Default::default(),
            injection_probing: Default::default(),
            least_privilege: Default::default(),
            ownership: Default::default(),
            scanning: Default::default(),
            sequence: Default::default(),
            throttle_evasion: Default::default(),
            unlisted: Default::default(),
            volume: Default::default(),
        }
    }
}

// === impl Profile ===

impl Profile {
    /// Something of each of its parts.
    fn read(&self) -> u64 {
        let hours = [self.first, self.anomaly.hour, self.automation.hour, self.sequence.last];
        let [first, second, third] = &self.volume.routes;
        let meters = [
            &self.enumeration.hour,
            &self.enumeration.day,
            &self.exfiltration.hour,
            &self.exfiltration.records,
            &first.1,
            &second.1,
            &third.1,
        ];
        hours.into_iter().chain(meters.map(Meter::window)).map(u64::from).sum()
    }
}

// === impl Traffic ===

impl Traffic {
    /// Brings near what is held of events that come next.
    pub fn expect(&self, next: &[Names]) {
        self.principals.expect(next.iter().filter_map(|names| names.principal), Profile::read);
        self.ownership.expect(next);
        self.unlisted.expect(next);
        self.scanning.expect(next);
    }

    /// Looks at one event; appends what is seen in it.
    pub fn observe(&mut self, event: &Event, names: &Names, found: &mut Vec<Sighting>) {
        let Some(seen) = Seen::of(event, names) else { return };
        found.extend(self.injection_probing.observe(&seen));
        found.extend(self.scanning.observe(&seen));
        let Some(principal) = seen.principal else { return };
        let profile = self.principals.touch(principal, seen.now);
        if profile.first == 0 {
            profile.first = seen.now;
        }
        let first = profile.first;
        found.extend(self.ownership.observe(&seen));
        found.extend(self.unlisted.observe(&seen));
        found.extend(self.function_probing.observe(&seen, principal));
        let enumeration = &mut profile.enumeration;
        found.extend(self.enumeration.observe(&seen, principal, first, enumeration));
        found.extend(self.automation.observe(&seen, &mut profile.automation));
        found.extend(self.sequence.observe(&seen, principal, &mut profile.sequence));
        found.extend(self.throttle_evasion.observe(&seen));
        found.extend(self.least_privilege.observe(&seen));
        found.extend(self.volume.observe(&seen, first, &mut profile.volume));
        found.extend(self.exfiltration.observe(&seen, first, &mut profile.exfiltration));
        found.extend(self.anomaly.observe(&seen, &mut profile.anomaly));
    }
}
