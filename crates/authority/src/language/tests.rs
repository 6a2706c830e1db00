//! That every language says everything, and who is spoken to in which.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderValue, header};
use token::time::Timestamp;

use super::catalogue::{Catalogue, TextRefused};
use super::{Language, accepted, of_locales};

/// What is the same in English and in another language.
const SAME: [&str; 1] = ["common.host"];

#[test]
fn every_text_of_every_language_fits_the_english_one() {
    let catalogue = Catalogue::default();
    let english = catalogue.words(Language::English);
    for language in Language::ALL {
        let words = catalogue.words(language);
        assert_eq!(words.language, language);
        for ((name, text), (_, original)) in words.texts().into_iter().zip(english.texts()) {
            let tag = language.tag();
            assert_eq!(text.places(), original.places(), "{tag} {name}");
            let text = text.as_str();
            assert!(!text.trim().is_empty() && text.trim() == text, "{tag} {name}: {text:?}");
            assert!(!text.contains("  ") && !text.contains('<'), "{tag} {name}: {text}");
            // Labels have no full stop, sentences have one.
            let ends = |text: &str| text.ends_with(['.', '!']);
            assert_eq!(ends(text), ends(original.as_str()), "{tag} {name}: {text}");
        }
    }
}

/// A text that was forgotten would be the English one.
#[test]
fn sentences_are_translated() {
    let catalogue = Catalogue::default();
    let english = catalogue.words(Language::English);
    for language in Language::ALL.into_iter().filter(|one| *one != Language::English) {
        let words = catalogue.words(language);
        for ((name, text), (_, original)) in words.texts().into_iter().zip(english.texts()) {
            let is_sentence = original.as_str().split(' ').count() > 3;
            let same = text.as_str() == original.as_str() && !SAME.contains(&name);
            assert!(!(is_sentence && same), "{} {name}", language.tag());
        }
    }
}

#[test]
fn the_browser_says_what_it_wants() {
    let chosen = |fields: &[&str]| {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::ACCEPT_LANGUAGE, HeaderValue::from_str(field).expect("value"));
        }
        accepted(&headers).map(Language::tag)
    };
    assert_eq!(chosen(&[]), None);
    assert_eq!(chosen(&["de-CH, fr;q=0.9, en;q=0.8, *;q=0.5"]), Some("de"));
    assert_eq!(chosen(&["nl, en;q=0.7, FR ; q=0.8"]), Some("fr"));
    assert_eq!(chosen(&["es;q=0.5, pt-BR;q=0.5"]), Some("es"));
    assert_eq!(chosen(&["de;q=0, en;q=0.001"]), Some("en"));
    assert_eq!(chosen(&["nl", "pt"]), Some("pt"));
    for nonsense in ["*", "de;q=2", "de;q=x", "de;level=1", ";q=1", "deutsch", "\u{a0}"] {
        assert_eq!(chosen(&[nonsense]), None, "{nonsense}");
    }
}

#[test]
fn a_request_says_what_it_wants() {
    for (ui_locales, tag) in
        [("tlh nl-NL fr-CA en", Some("fr")), ("PT", Some("pt")), ("", None), ("not a locale", None)]
    {
        assert_eq!(of_locales(ui_locales).map(Language::tag), tag, "{ui_locales}");
    }
}

#[test]
fn an_operator_replaces_texts() {
    let replaced = |name: &str, text: &str| {
        let texts = BTreeMap::from([(name.to_owned(), text.to_owned())]);
        Catalogue::default().replacing(Language::German, &texts)
    };
    let catalogue = replaced("sign_in.title", "Grüezi").expect("catalogue");
    assert_eq!(catalogue.words(Language::German).sign_in.title.as_str(), "Grüezi");
    assert_eq!(catalogue.words(Language::English).sign_in.title.as_str(), "Sign in");
    assert_eq!(
        replaced("sign_in.titel", "x").expect_err("refused"),
        TextRefused::Unknown("sign_in.titel".to_owned())
    );
    let wrong = replaced("sign_in.lead", "weiter").expect_err("refused");
    assert!(wrong.to_string().contains("`{client}`"), "{wrong}");
    assert!(replaced("sign_in.title", "bei {host}").is_err());
}

#[test]
fn times_are_read_by_people() {
    let catalogue = Catalogue::default();
    let at = Timestamp::from_secs(1_790_000_000);
    for (language, day, minute, ago) in [
        (Language::English, "21 September 2026", "21 September 2026, 14:13 UTC", "5 minutes ago"),
        (Language::German, "21. September 2026", "21. September 2026, 14:13 UTC", "vor 5 Minuten"),
        (
            Language::French,
            "21 septembre 2026",
            "21 septembre 2026 à 14:13 UTC",
            "il y a 5 minutes",
        ),
        (
            Language::Spanish,
            "21 de septiembre de 2026",
            "21 de septiembre de 2026, 14:13 UTC",
            "hace 5 minutos",
        ),
        (
            Language::Portuguese,
            "21 de setembro de 2026",
            "21 de setembro de 2026, 14:13 UTC",
            "há 5 minutos",
        ),
    ] {
        let words = catalogue.words(language);
        assert_eq!(words.day(at), day);
        assert_eq!(words.minute(at), minute);
        assert_eq!(words.ago(330), ago);
    }
    let english = catalogue.words(Language::English);
    for (seconds, words) in [
        (3600, "an hour ago"),
        (86_399, "23 hours ago"),
        (86_400, "yesterday"),
        (600_000, "6 days ago"),
    ] {
        assert_eq!(english.ago(seconds), words);
    }
    assert_eq!(english.day(Timestamp::from_secs(0)), "1 January 1970");
}
