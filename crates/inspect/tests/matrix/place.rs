//! Where a value is put, and how an attack is hidden there.

use inspect::{Anything, Class, Inspector, Limits, Stop};

use crate::random::Random;

/// Where a value is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrapping {
    Cookie,
    Form,
    GraphQl,
    Header,
    Json,
    Multipart,
    Path,
    Query,
    Xml,
}

use Wrapping::{Cookie, Form, GraphQl, Header, Json, Multipart, Path, Query, Xml};

impl Wrapping {
    pub(crate) const EVERY: &'static [Self] =
        &[Cookie, Form, GraphQl, Header, Json, Multipart, Path, Query, Xml];
    pub(crate) const BODIES: &'static [Self] = &[Form, GraphQl, Json, Multipart];

    /// The places where an attack of a class makes sense.
    pub(crate) fn of(class: Class) -> &'static [Self] {
        match class {
            Class::Splitting => &[Path, Query],
            Class::Xxe => &[Xml, Multipart, Json, Form],
            _ => Self::EVERY,
        }
    }

    pub(crate) fn judge(self, text: &str) -> Result<(), Stop> {
        let inspector = Inspector::new(Limits::default());
        let body = |kind: &str, text: &str| inspector.body(Some(kind), text.as_bytes(), &Anything);
        match self {
            Cookie => {
                let value = text.replace([';', '\n', '\r'], "%3B");
                inspector.header("cookie", format!("sid=1; pref={value}").as_bytes(), &Anything)
            }
            Form => body("application/x-www-form-urlencoded", &format!("id=7&v={}", percent(text))),
            GraphQl => {
                let query = "mutation($v: String!) { set(value: $v) { id } }";
                let body_text = serde_json::json!({ "query": query, "variables": { "v": text } });
                body("application/json", &body_text.to_string())
            }
            Header => inspector.header("x-request-source", text.as_bytes(), &Anything),
            Json => {
                let document = serde_json::json!({ "id": 7, "data": { "items": [{ "v": text }] } });
                body("application/json", &document.to_string())
            }
            Multipart => body(
                "multipart/form-data; boundary=xyz",
                &format!(
                    "--xyz\r\nContent-Disposition: form-data; name=\"v\"\r\n\r\n{text}\r\n--xyz--\r\n"
                ),
            ),
            Path => inspector.path(&format!("/v1/items/{}", percent(text)), &Anything),
            Query => inspector.query(&format!("page=2&q={}", percent(text)), &Anything),
            Xml if text.trim_start().starts_with('<') && text.contains("<!") => {
                body("application/xml", text)
            }
            Xml => {
                let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                body("application/xml", &format!("<order><note>{escaped}</note></order>"))
            }
        }
    }
}

/// A payload as attackers send it: as it is, twice encoded, in mixed case, wide, in base64, glued to a
/// word.
pub(crate) fn hide(text: &str, class: Class, random: &mut Random) -> String {
    if matches!(class, Class::Xxe | Class::Splitting) {
        return text.to_owned();
    }
    match random.below(8) {
        0 => percent(text),
        1 if !matches!(
            class,
            Class::NoSql | Class::Command | Class::Prototype | Class::Template | Class::XPath
        ) =>
        {
            mixed(text)
        }
        2 if class == Class::Sql => text.replace(' ', "/**/"),
        3 if class == Class::Xss => text.replace('<', "\u{FF1C}").replace('>', "\u{FF1E}"),
        4 if class == Class::Sql => text.replace('\'', "\u{FF07}"),
        5 if class == Class::Xss => text.replace('(', "&#40;").replace(')', "&#x29;"),
        _ => text.to_owned(),
    }
}

fn mixed(text: &str) -> String {
    let swap =
        |(at, read): (usize, char)| if at % 2 == 0 { read.to_ascii_uppercase() } else { read };
    if text.contains("%") || text.contains("PHNj") {
        text.to_owned()
    } else {
        text.char_indices().map(swap).collect()
    }
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
