//! Circles: subjects that share their things, such as colleagues, learnt from what they both use.
//!
//! A subject is a circle of its own until it has used two things of another; of two circles the one with the smaller
//! number stays, so that all of a company end in one. Whoever shares much in a circle leaves it only for one where it
//! shares more, so that one who strays does not draw two companies together. Nobody is in two circles: whoever takes
//! from many stays a stranger to nearly all of them.

use crate::sketch::table::Table;

const MEMBERS: usize = 100_000;
/// Circles of which a subject's uses are counted.
const KNOWN: usize = 4;
/// Things of others that make a member.
const SHARED: u16 = 2;
/// Who is at home in a circle leaves it after as many things of another and one more.
const AT_HOME: u16 = 8;

/// One who shares.
#[derive(Default)]
struct Member {
    circle: u64,
    /// Uses of what others of the circle hold.
    shared: u16,
}

/// Who shares with whom.
pub(super) struct Circles(Table<Member>);

/// How many things of the circles met last one has used.
#[derive(Default)]
pub(super) struct Contacts {
    met: [Contact; KNOWN],
    next: u8,
}

#[derive(Clone, Copy, Default)]
struct Contact {
    circle: u64,
    /// Some bits of the last thing: the same again is no other.
    last: u32,
    things: u16,
}

impl Default for Circles {
    fn default() -> Self {
        Self(Table::new(MEMBERS))
    }
}

// === impl Circles ===

impl Circles {
    /// The circle of a subject: itself, where it shares with nobody.
    pub(super) fn of(&self, subject: u64) -> u64 {
        self.0.peek(subject).map_or(subject, |member| member.circle)
    }

    /// What another of the circle holds was used.
    pub(super) fn shares(&mut self, subject: u64, now: u32) {
        if self.0.peek(subject).is_some() {
            let member = self.0.touch(subject, now);
            member.shared = member.shared.saturating_add(1).min(AT_HOME);
        }
    }

    /// Something that another circle holds was used: the subject may belong there.
    pub(super) fn meets(
        &mut self,
        subject: u64,
        circle: u64,
        object: u64,
        contacts: &mut Contacts,
        now: u32,
    ) {
        let things = contacts.with(circle, object as u32);
        let (own, shared) =
            self.0.peek(subject).map_or((subject, 0), |member| (member.circle, member.shared));
        if circle < own && things >= SHARED.max(shared + 1) {
            *self.0.touch(subject, now) = Member { circle, shared: 0 };
        }
    }
}

// === impl Contacts ===

impl Contacts {
    /// How many things of the circle were used, this one included.
    fn with(&mut self, circle: u64, last: u32) -> u16 {
        let held = self.met.iter_mut().find(|contact| contact.circle == circle);
        if let Some(contact) = held {
            contact.things = contact.things.saturating_add(u16::from(contact.last != last));
            contact.last = last;
            return contact.things;
        }
        self.met[usize::from(self.next) % KNOWN] = Contact { circle, last, things: 1 };
        self.next = self.next.wrapping_add(1);
        1
    }
}

#[cfg(test)]
mod tests {
    use super::{Circles, Contacts};

    #[test]
    fn two_things_make_a_member_of_the_smaller_circle() {
        let (mut circles, mut contacts) = (Circles::default(), Contacts::default());
        circles.meets(9, 5, 100, &mut contacts, 10);
        circles.meets(9, 5, 100, &mut contacts, 20);
        assert_eq!(circles.of(9), 9, "the same thing again");
        circles.meets(9, 5, 101, &mut contacts, 30);
        assert_eq!(circles.of(9), 5);
        circles.meets(5, 9, 1, &mut contacts, 40);
        circles.meets(5, 9, 2, &mut contacts, 40);
        assert_eq!(circles.of(5), 5, "the other is the larger number");
    }

    #[test]
    fn who_is_at_home_leaves_only_for_where_more_is_shared() {
        let (mut circles, mut contacts) = (Circles::default(), Contacts::default());
        (100..102).for_each(|thing| circles.meets(9, 5, thing, &mut contacts, 10));
        (0..20).for_each(|now| circles.shares(9, now));
        (200..208).for_each(|thing| circles.meets(9, 3, thing, &mut contacts, 20));
        assert_eq!(circles.of(9), 5);
        circles.meets(9, 3, 208, &mut contacts, 20);
        assert_eq!(circles.of(9), 3);
    }
}
