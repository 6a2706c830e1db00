//! What software a `User-Agent` names, without its version: browsers by what they are, others by the first
//! product (RFC 9110 §10.1.5).

/// The longest name that is kept.
const LONGEST: usize = 32;
/// Browsers name each other: the most particular first.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg/", "edge"),
    ("OPR/", "opera"),
    ("SamsungBrowser/", "samsung"),
    ("Firefox/", "firefox"),
    ("Chrome/", "chrome"),
    ("Safari/", "safari"),
];

/// Systems name each other as well: Android says that it is Linux, and a telephone of Apple that it is like a Mac.
const SYSTEMS: [(&str, &str); 9] = [
    ("Android", "android"),
    ("iPhone", "ios"),
    ("iPad", "ios"),
    ("iOS", "ios"),
    ("CrOS", "chromeos"),
    ("Windows", "windows"),
    ("Mac OS X", "macos"),
    ("macOS", "macos"),
    ("Linux", "linux"),
];

/// The system that it runs on, such as `android`; `None` when it names none.
pub fn system(user_agent: &str) -> Option<&'static str> {
    SYSTEMS.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
}

/// Its family, such as `firefox`, `curl` or `python-requests`; `None` when it names none.
pub fn family(user_agent: &str) -> Option<String> {
    if user_agent.starts_with("Mozilla/")
        && let Some((_, name)) = BROWSERS.iter().find(|(sign, _)| user_agent.contains(sign))
    {
        return Some((*name).to_owned());
    }
    let is_part = |letter: &char| letter.is_ascii_alphanumeric() || "-_.".contains(*letter);
    let product = user_agent.chars().take_while(is_part).take(LONGEST);
    let product: String = product.map(|letter| letter.to_ascii_lowercase()).collect();
    (!product.is_empty()).then_some(product)
}

#[cfg(test)]
mod tests {
    use super::{family, system};

    #[test]
    fn a_system_is_the_most_particular_that_is_named() {
        for (text, expected) in [
            ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36", Some("android")),
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X)", Some("ios")),
            ("Shop/6.11.0 (iPhone; iOS 16.7; Scale/3.00)", Some("ios")),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Firefox/131.0", Some("linux")),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", Some("macos")),
            ("curl/8.5.0", None),
        ] {
            assert_eq!(system(text), expected, "{text}");
        }
    }

    #[test]
    fn a_family_has_no_version() {
        for (text, expected) in [
            ("curl/8.5.0", Some("curl")),
            ("python-requests/2.32.3", Some("python-requests")),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
                Some("firefox"),
            ),
            (
                "Mozilla/5.0 (X11) AppleWebKit/537.36 Chrome/131.0 Safari/537.36 Edg/131.0",
                Some("edge"),
            ),
            (
                "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/17.6 Safari/605.1.15",
                Some("safari"),
            ),
            ("Mozilla/5.0 (compatible; Examplebot/2.1)", Some("mozilla")),
            ("Go-http-client/2.0", Some("go-http-client")),
            ("\u{1b}[1m", None),
            ("", None),
        ] {
            assert_eq!(family(text).as_deref(), expected, "{text}");
        }
        assert_eq!(family(&"x".repeat(100)).map(|name| name.len()), Some(32));
    }
}
