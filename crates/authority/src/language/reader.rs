//! Whoever reads a page or a letter: under which settings, and in which language.

use std::net::IpAddr;
use std::sync::Arc;

use token::term::scope;
use token::time::Timestamp;

use super::Language;
use super::words::Words;
use crate::settings::Settings;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Whoever reads.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) words: Arc<Words>,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    /// Whoever reads in this language.
    pub(crate) fn new(settings: &'a Settings, language: Language) -> Self {
        Self { settings, words: settings.catalogue.words(language) }
    }

    /// An address, and where it is.
    pub(crate) fn place(&self, address: IpAddr) -> String {
        self.settings.places.shown(address)
    }

    /// What a scope allows, in words; the scope itself where nobody has any.
    pub(crate) fn scope(&self, name: &str) -> String {
        let (words, language) = (&self.words.scope, self.words.language);
        let built_in = match name {
            scope::ADDRESS => &words.address,
            scope::ADMIN => &words.admin,
            scope::ADMIN_READ => &words.admin_read,
            scope::EMAIL => &words.email,
            scope::OFFLINE_ACCESS => &words.offline_access,
            scope::OPENID => &words.openid,
            scope::PHONE => &words.phone,
            scope::PROFILE => &words.profile,
            scope::REGISTER => &words.register,
            scope::RESTRICTIONS => &words.restrictions,
            name => {
                let defined = self.settings.scopes.iter().find(|scope| scope.name == name);
                let words = defined.map(|scope| {
                    scope.translations.get(&language).unwrap_or(&scope.description).clone()
                });
                return words.unwrap_or_else(|| name.to_owned());
            }
        };
        built_in.into()
    }
}

// === impl Words ===

impl Words {
    /// A day, such as `28 November 2026`.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        let text = at.to_string();
        let mut parts = text.get(..10).unwrap_or_default().splitn(3, '-');
        let (Some(year), Some(month), Some(day)) = (parts.next(), parts.next(), parts.next())
        else {
            return text;
        };
        let words = &self.time;
        let month = match month {
            "01" => &words.january,
            "02" => &words.february,
            "03" => &words.march,
            "04" => &words.april,
            "05" => &words.may,
            "06" => &words.june,
            "07" => &words.july,
            "08" => &words.august,
            "09" => &words.september,
            "10" => &words.october,
            "11" => &words.november,
            _ => &words.december,
        };
        let day = day.trim_start_matches('0');
        words.on_day.fill(&[("day", &day), ("month", month), ("year", &year)])
    }

    /// A time to the minute, in UTC.
    pub(crate) fn minute(&self, at: Timestamp) -> String {
        let text = at.to_string();
        let time = text.get(11..16).unwrap_or_default();
        self.time.on_minute.fill(&[("date", &self.day(at)), ("time", &time)])
    }

    /// A time to wait.
    pub(crate) fn wait(&self, seconds: u64) -> String {
        match (seconds, seconds.div_ceil(MINUTE)) {
            (1, _) => (&self.time.second).into(),
            (2..=90, _) => self.time.seconds.fill(&[("count", &seconds)]),
            (_, minutes) => self.time.minutes.fill(&[("count", &minutes)]),
        }
    }

    /// That something was tried too often, and how long to wait.
    pub(crate) fn tried_too_often(&self, seconds: u64) -> String {
        self.time.tried_too_often.fill(&[("time", &self.wait(seconds))])
    }

    /// Some days; nothing for none.
    pub(crate) fn days(&self, days: u64) -> String {
        match days {
            0 => String::new(),
            1 => (&self.time.day).into(),
            days => self.time.days.fill(&[("count", &days)]),
        }
    }

    /// How long ago something was.
    pub(crate) fn ago(&self, seconds: u64) -> String {
        let words = &self.time;
        let (one, many, count) = match seconds {
            0..MINUTE => return (&words.ago_now).into(),
            MINUTE..HOUR => (&words.ago_minute, &words.ago_minutes, seconds / MINUTE),
            HOUR..DAY => (&words.ago_hour, &words.ago_hours, seconds / HOUR),
            _ => (&words.ago_day, &words.ago_days, seconds / DAY),
        };
        if count == 1 { one.into() } else { many.fill(&[("count", &count)]) }
    }
}
