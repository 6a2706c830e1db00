//! Which browser a session was begun with, in words that its person recognises. Browsers say what they
//! like, so nothing is decided by it.

use crate::language::words::Words;

/// What stands for a browser; the first that fits, since most name others beside themselves.
const BROWSERS: [(&str, &str); 8] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// What stands for a system; the first that fits.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// A browser and its system, each by its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Software {
    browser: String,
    system: String,
}

// === impl Software ===

impl Software {
    /// What sends this `User-Agent`.
    pub(crate) fn of(user_agent: &str) -> Self {
        let first = |table: &[(&str, &'static str)]| {
            let found = table.iter().find(|(mark, _)| user_agent.contains(mark));
            found.map(|(_, name)| (*name).to_owned()).unwrap_or_default()
        };
        Self { browser: first(&BROWSERS), system: first(&SYSTEMS) }
    }

    /// As it is kept, in no language: `Firefox/Linux`.
    pub(crate) fn to_text(&self) -> String {
        format!("{}/{}", self.browser, self.system)
    }

    /// Reads it back.
    pub(crate) fn kept(text: Option<&str>) -> Self {
        let (browser, system) = text.and_then(|text| text.split_once('/')).unwrap_or_default();
        Self { browser: browser.to_owned(), system: system.to_owned() }
    }

    /// In words for its person.
    pub(crate) fn spoken(&self, words: &Words) -> String {
        let words = &words.account;
        match (self.browser.as_str(), self.system.as_str()) {
            ("", "") => (&words.browser).into(),
            ("", system) => words.browser_unknown_on.fill(&[("system", &system)]),
            (browser, "") => browser.to_owned(),
            (browser, system) => {
                words.browser_on.fill(&[("browser", &browser), ("system", &system)])
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Software;
    use crate::language::{Catalogue, Language};

    #[test]
    fn common_browsers_have_their_names() {
        for (user_agent, words) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.0", "A browser"),
        ] {
            let kept = Software::of(user_agent).to_text();
            let english = Catalogue::default().words(Language::English);
            assert_eq!(Software::kept(Some(&kept)).spoken(&english), words);
        }
    }
}
