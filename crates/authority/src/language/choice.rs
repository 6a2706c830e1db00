//! Which language is wanted: by an application's request, or by the browser.

use http::{HeaderMap, header};

use super::Language;

/// More ranges than a browser sends.
const MOST_RANGES: usize = 32;

/// `ui_locales` (OpenID Connect Core 1.0 §3.1.2.1): tags, the dearest first. What nobody speaks here is passed
/// over.
pub(crate) fn of_locales(ui_locales: &str) -> Option<Language> {
    ui_locales.split(' ').take(MOST_RANGES).find_map(Language::of_tag)
}

/// `Accept-Language` (RFC 9110 §12.5.4): of those with the greatest weight the first. `*` and what nobody
/// speaks here are passed over.
pub(crate) fn accepted(headers: &HeaderMap) -> Option<Language> {
    let fields = headers.get_all(header::ACCEPT_LANGUAGE);
    let texts = fields.iter().filter_map(|field| field.to_str().ok());
    let ranges = texts.flat_map(|text| text.split(',')).take(MOST_RANGES);
    let weighed = ranges.filter_map(weighed).filter(|(weight, _)| *weight > 0);
    // The first of several maxima: `max_by_key` would give the last.
    weighed.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, one)| one)
}

/// A range with its weight in thousandths.
fn weighed(range: &str) -> Option<(u32, Language)> {
    let (tag, weight) = match range.split_once(';') {
        Some((tag, weight)) => (tag, thousandths(weight.trim().strip_prefix("q=")?)?),
        None => (range, 1000),
    };
    Some((weight, Language::of_tag(tag.trim())?))
}

fn thousandths(weight: &str) -> Option<u32> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    let is_number = decimals.bytes().all(|b| b.is_ascii_digit()) && decimals.len() <= 3;
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= 1 && is_number)?;
    let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
    Some((whole * 1000 + decimals).min(1000))
}
