//! Pictures of an operator: of a kind that browsers know, small, and with nothing in them that runs or leads away.

use bytes::Bytes;

use crate::page::asset::Asset;

/// The most that a logo may weigh, in bytes: with it every page stays below 50 KB in all.
pub const MOST_LOGO_BYTES: usize = 12 * 1024;
/// The most that an icon may weigh, in bytes.
pub const MOST_ICON_BYTES: usize = 4 * 1024;

/// What an SVG may not have, in small letters, and what that is.
const FORBIDDEN: &[(&str, &str)] = &[
    ("<!doctype", "a document type"),
    ("<!entity", "an entity"),
    ("<?xml-stylesheet", "a style sheet from elsewhere"),
    ("@import", "a style sheet from elsewhere"),
    ("javascript:", "a script"),
    // Both hide what is looked for here.
    ("&#", "a character by its number"),
    ("\\", "a backslash"),
];

/// Elements that run something, or show what is not drawn here.
const ELEMENTS: &[&str] = &[
    "animate",
    "audio",
    "embed",
    "feimage",
    "foreignobject",
    "handler",
    "iframe",
    "image",
    "listener",
    "object",
    "script",
    "set",
    "video",
];

/// A picture that may be on every page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    content: Bytes,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Png,
    Svg,
    WebP,
}

/// Why a picture is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureRefused {
    /// It has what a picture does not need.
    #[error("the SVG has {0}: save it as plain SVG, with shapes alone")]
    Content(String),
    /// It is none that browsers show.
    #[error("must be an SVG, a PNG or a WebP")]
    Kind,
    /// It is too heavy.
    #[error(
        "has {bytes} bytes, and {most} is the most: every page with all that it loads stays below 50 KB; \
         make it smaller, or save it as SVG"
    )]
    Large {
        /// What it has.
        bytes: usize,
        /// What it may have.
        most: usize,
    },
}

// === impl Picture ===

impl Picture {
    /// The picture in a file of at most so many bytes.
    ///
    /// # Errors
    /// [`PictureRefused`] says what is wrong with it, and how to mend it.
    pub fn new(content: Vec<u8>, most: usize) -> Result<Self, PictureRefused> {
        if content.len() > most {
            return Err(PictureRefused::Large { bytes: content.len(), most });
        }
        let kind = Kind::of(&content)?;
        Ok(Self { content: content.into(), kind })
    }

    pub(super) fn asset(self) -> Asset {
        let (ending, media_type) = match self.kind {
            Kind::Png => ("png", "image/png"),
            Kind::Svg => ("svg", "image/svg+xml"),
            Kind::WebP => ("webp", "image/webp"),
        };
        Asset::new(self.content, ending, media_type)
    }
}

// === impl Kind ===

impl Kind {
    fn of(content: &[u8]) -> Result<Self, PictureRefused> {
        if content.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Ok(Self::Png);
        }
        if content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WEBP") {
            return Ok(Self::WebP);
        }
        let text = std::str::from_utf8(content).map_err(|_| PictureRefused::Kind)?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if !text.starts_with("<?xml") && !text.starts_with("<svg") && !text.starts_with("<!--") {
            return Err(PictureRefused::Kind);
        }
        if !text.contains("<svg") {
            return Err(PictureRefused::Kind);
        }
        match fault(&text.to_lowercase()) {
            Some(fault) => Err(PictureRefused::Content(fault)),
            None => Ok(Self::Svg),
        }
    }
}

/// What an SVG in small letters has that it may not have. It is read as text, and refused for what only looks so: to
/// draw a logo takes none of it. Browsers run nothing in a picture anyway; this is for whoever opens it by itself.
fn fault(text: &str) -> Option<String> {
    if let Some((_, words)) = FORBIDDEN.iter().find(|(mark, _)| text.contains(mark)) {
        return Some((*words).to_owned());
    }
    let names = text.split('<').skip(1).map(|rest| {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == ':')).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        name.rsplit(':').next().unwrap_or_default()
    });
    for name in names {
        if ELEMENTS.iter().any(|element| name.starts_with(element)) {
            return Some(format!("the element `{name}`"));
        }
    }
    attribute_fault(text).or_else(|| {
        let mut urls = text.split("url(").skip(1).map(|rest| rest.trim_start_matches(QUOTES));
        urls.any(|url| !url.starts_with('#')).then(|| "a `url()` that leads elsewhere".to_owned())
    })
}

const QUOTES: [char; 5] = ['"', '\'', ' ', '\n', '\t'];

/// An attribute that is run when something happens, or that refers to another file.
fn attribute_fault(text: &str) -> Option<String> {
    let pieces: Vec<&str> = text.split('=').collect();
    pieces.windows(2).find_map(|pair| {
        let [before, value] = pair else { return None };
        let before = before.trim_end();
        let start =
            before.rfind(|c: char| !(c.is_alphanumeric() || c == '-' || c == ':' || c == '_'));
        let name = start.and_then(|at| before.get(at..)).unwrap_or(before);
        let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
        let own = name.rsplit(':').next().unwrap_or_default();
        let value = value.trim_start_matches(QUOTES);
        let leads_away = matches!(own, "href" | "src") && !value.starts_with('#');
        (own.starts_with("on") || leads_away).then(|| format!("the attribute `{name}`"))
    })
}

#[cfg(test)]
mod tests {
    use super::{Kind, MOST_LOGO_BYTES, Picture, PictureRefused};

    fn svg(inside: &str) -> Result<Picture, PictureRefused> {
        let text =
            format!("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\">{inside}</svg>");
        Picture::new(text.into_bytes(), MOST_LOGO_BYTES)
    }

    #[test]
    fn what_draws_is_taken() {
        for inside in [
            "<path d=\"M0 0h8v8z\" fill=\"#0b6e4f\"/>",
            "<defs><linearGradient id=\"a\"><stop offset=\"1\"/></linearGradient></defs>\
             <path fill=\"url(#a)\" d=\"M0 0\"/><use xlink:href=\"#a\" href='#b'/>",
            "<style>.a{fill:url( \"#a\" )}</style><g style=\"opacity:1\"><text>Only once</text></g>",
        ] {
            assert_eq!(svg(inside).expect(inside).kind, Kind::Svg);
        }
        let named = b"<?xml version=\"1.0\"?>\n<!-- by hand -->\n<svg></svg>".to_vec();
        assert!(Picture::new(named, 100).is_ok());
        assert_eq!(
            Picture::new(b"\x89PNG\r\n\x1a\n...".to_vec(), 99).expect("png").kind,
            Kind::Png
        );
        assert_eq!(
            Picture::new(b"RIFF\0\0\0\0WEBPVP8 ".to_vec(), 99).expect("webp").kind,
            Kind::WebP
        );
    }

    #[test]
    fn what_runs_or_leads_away_is_refused() {
        for inside in [
            "<script>alert(1)</script>",
            "<SCRIPT href='#a'/>",
            "<s:script xmlns:s='http://www.w3.org/2000/svg'/>",
            "<path onload=\"alert(1)\"/>",
            "<path\nonclick = 'alert(1)'/>",
            "<path d=\"\"onclick='alert(1)'/>",
            "<path/onclick='alert(1)'/>",
            "<image href=\"https://evil.example/a.png\"/>",
            "<use xlink:href=\"https://evil.example/a.svg#b\"/>",
            "<use href = ' data:image/svg+xml,x'/>",
            "<a href='&#106;avascript:alert(1)'><path/></a>",
            "<foreignObject><b/></foreignObject>",
            "<animate attributeName='href'/>",
            "<set attributeName='href' to='x'/>",
            "<style>@import 'https://evil.example'</style>",
            "<style>a{fill:u\\72l(https://evil.example)}</style>",
            "<path fill=\"url( 'https://evil.example#a')\"/>",
            "<!DOCTYPE svg [<!ENTITY a 'b'>]>",
        ] {
            let refused = svg(inside).expect_err(inside);
            assert!(matches!(refused, PictureRefused::Content(_)), "{inside}: {refused}");
        }
    }

    #[test]
    fn other_files_and_heavy_ones_are_refused() {
        for other in [&b"GIF89a"[..], b"\xff\xd8\xff\xe0", b"<html><svg>", b"", b"<?xml?><html/>"] {
            assert_eq!(Picture::new(other.to_vec(), 100), Err(PictureRefused::Kind));
        }
        let heavy = vec![b'x'; MOST_LOGO_BYTES + 1];
        let words = Picture::new(heavy, MOST_LOGO_BYTES).expect_err("heavy").to_string();
        assert!(words.starts_with("has 12289 bytes, and 12288 is the most"), "{words}");
    }
}
