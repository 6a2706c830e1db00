//! More objects than somebody has, as whole lists say it.
//!
//! A list that comes to its end says how many there are: its last page has fewer records than others', and no round
//! number of them nor as many as the one before, which may be pages that were asked for. Whoever has at most twenty
//! and opens twelve more, or six where hardly anybody uses what another used, and two and a half times as many, opens
//! what is not theirs, or what is public. So it is said where twenty-five people ask the list, half of all in the
//! collection, and one in sixty-four of them at most opens four more than they have. What somebody made on the visit
//! is theirs.

use serde_json::json;

use crate::detector::traffic::seen::Seen;
use crate::detector::{Kind, Sighting};
use crate::sketch::distinct::Distinct;
use crate::sketch::once::Once;

/// Who has more has them in several lists.
const MOST: u32 = 20;
/// Objects beyond the list, and halves of as many as it has, that are opened.
const BEYOND: u32 = 12;
const HALVES: u32 = 5;
/// Beyond it where hardly anybody uses what another used.
const PRIVATE: u32 = 6;
/// So many beyond the list are enough to count among those who open what they do not have.
const SOME: u32 = 4;
const LISTERS: u32 = 25;
/// One in so many people may do that.
const SHARE: u32 = 64;
/// Pages are asked for by so many, or several times as many.
const ROUND: u64 = 5;
const SMALLEST_PAGE: u16 = 10;

/// What somebody has, on this visit.
#[derive(Default)]
pub(super) struct Has {
    /// Records of a list that has not come to its end, of the last that has, and of the longest.
    pages: u16,
    ended: u16,
    whole: u16,
    /// Of the last answer.
    last: u16,
    made: u16,
    once: Once,
}

/// What is known of a collection.
#[derive(Default)]
pub(super) struct Lists {
    /// The most records that an answer had.
    page: u64,
    beyond: Distinct<2>,
}

// === impl Has ===

impl Has {
    /// Another visit begins.
    pub(super) fn begin(&mut self) {
        *self = Self { once: self.once, ..Self::default() };
    }

    /// It was told in other words.
    pub(super) fn hush(&mut self, now: u32) {
        self.once.allows(now, 1.0);
    }

    /// Somebody makes an object.
    pub(super) fn make(&mut self) {
        self.made = self.made.saturating_add(1);
    }

    /// Somebody gets so many objects by a list of something else.
    pub(super) fn get(&mut self, records: u32) {
        self.made = self.made.saturating_add(u16::try_from(records).unwrap_or(u16::MAX));
    }

    /// Somebody asks a list, which gives so many records.
    pub(super) fn list(&mut self, lists: &mut Lists, records: u64) {
        lists.page = lists.page.max(records);
        let is_full = records >= lists.page;
        let is_round = records >= SMALLEST_PAGE.into() && records.is_multiple_of(ROUND);
        let records = u16::try_from(records).unwrap_or(u16::MAX);
        // As many as before may be the next page of a size that was asked for.
        if records == self.last && records >= SMALLEST_PAGE {
            self.pages = self.pages.max(self.ended);
        }
        self.last = records;
        self.pages = self.pages.saturating_add(records);
        if !is_full && !is_round {
            self.whole = self.whole.max(self.pages);
            (self.ended, self.pages) = (self.pages, 0);
        }
    }

    /// Somebody opens an object, so many on this visit; of the people in the collection so many ask the list.
    pub(super) fn open(
        &mut self,
        seen: &Seen<'_>,
        lists: &mut Lists,
        opened: u32,
        (users, listers): (u32, u32),
        is_private: &impl Fn() -> bool,
    ) -> Option<Sighting> {
        let has = u32::from(self.whole) + u32::from(self.pages);
        if self.whole == 0 || has > MOST {
            return None;
        }
        let opened = opened.saturating_sub(self.made.into());
        let beyond = opened.saturating_sub(has);
        if beyond < SOME || opened * 2 < has * HALVES {
            return None;
        }
        lists.beyond.add(seen.subject?);
        let others = lists.beyond.count();
        let is_asked = listers >= LISTERS && listers * 2 >= users;
        let is_rare = others <= (listers / SHARE).max(1);
        // What administrators search for is not what they have.
        let is_enough = beyond >= BEYOND || beyond >= PRIVATE && is_private();
        let is_known = is_enough && is_asked && is_rare && !seen.is_administration();
        if !is_known || !self.once.allows(seen.now, 1.0) {
            return None;
        }
        let summary = format!(
            "{} opened {opened} objects by {} on one visit, and has {has} by its lists; of {listers} people who ask \
             for a list {others} opened more than they have",
            seen.name(),
            seen.shown_route()
        );
        let facts = [
            ("opened", json!(opened)),
            ("in_whole_lists", json!(has)),
            ("beyond_threshold", json!(BEYOND)),
            ("people_who_ask_the_list", json!(listers)),
            ("people_who_do_that", json!(others)),
        ];
        Some(seen.sighting(Kind::BolaOwnership, summary, facts.into()))
    }
}
