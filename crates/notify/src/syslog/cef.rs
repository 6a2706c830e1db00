//! ArcSight Common Event Format, version 0 (implementation standard, revision 25).

use std::fmt::Write as _;
use std::net::IpAddr;

use token::finding::Severity;

use crate::filter;
use crate::notice::Notice;

/// Names of their own for what the format has no key for, in the places that it gives for that.
const OWN: [(&str, &str); 6] = [
    ("cs1", "incident"),
    ("cs2", "client"),
    ("cs3", "token"),
    ("cs4", "grant"),
    ("cs5", "session"),
    ("cs6", "route"),
];

/// The message.
pub(super) fn message(notice: &Notice) -> String {
    let detector = notice.text("detector").unwrap_or_default();
    let severity = match filter::severity(&notice.finding) {
        Some(Severity::Critical) => 10,
        Some(Severity::High) => 8,
        Some(Severity::Medium) => 5,
        Some(Severity::Low) | None => 3,
    };
    let mut line = String::from("CEF:0|Tokenward|Tokenward|");
    for field in [env!("CARGO_PKG_VERSION"), detector, notice.summary()] {
        line.push_str(&escaped(field, '|'));
        line.push('|');
    }
    let _ = write!(line, "{severity}|rt={}", notice.ts.as_millis());
    let mut add = |key: &str, value: &str| {
        let _ = write!(line, " {key}={}", escaped(value, '='));
    };
    add("externalId", &notice.about);
    match notice.text("ip").map(str::parse) {
        Some(Ok(IpAddr::V4(address))) => add("src", &address.to_string()),
        Some(Ok(IpAddr::V6(address))) => {
            add("c6a2", &address.to_string());
            add("c6a2Label", "Source IPv6 Address");
        }
        Some(Err(_)) | None => {}
    }
    for (key, member) in [("suid", "subject"), ("cat", "class"), ("act", "response")] {
        if let Some(value) = notice.text(member) {
            add(key, value);
        }
    }
    for (key, member) in OWN {
        if let Some(value) = notice.text(member) {
            add(key, value);
            add(&format!("{key}Label"), member);
        }
    }
    if let Some(percent) = notice.percent() {
        add("cn1", &percent.to_string());
        add("cn1Label", "confidence");
    }
    add("msg", notice.summary());
    line
}

/// A backslash before what separates, and before backslashes. Line breaks are told from the letters `\n`
/// in the extension; the header has none, and neither has what else would end the line.
fn escaped(text: &str, separator: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for one in text.chars() {
        match one {
            '\\' => escaped.push_str("\\\\"),
            '\n' if separator == '=' => escaped.push_str("\\n"),
            '\r' if separator == '=' => escaped.push_str("\\r"),
            one if one == separator => {
                escaped.push('\\');
                escaped.push(one);
            }
            one if one.is_control() => escaped.push(' '),
            one => escaped.push(one),
        }
    }
    escaped
}
