//! The words of letters, as text and as a page.

use askama::Template;
use mail::{Address, Letter};

use super::{FactorChange, Occasion};
use crate::branding::{Button, Shown};
use crate::doubt::Doubt;
use crate::language::{Reader, Text};

/// What one letter says. Every line is a paragraph.
struct Words {
    subject: String,
    lines: Vec<String>,
    /// What the link is called, and where it leads.
    link: Option<(String, String)>,
    /// What to do when it comes as a surprise.
    otherwise: String,
}

/// The letter as a page: no image, no font, nothing that is fetched.
#[derive(Template)]
#[template(path = "letter.html")]
struct Page<'a> {
    language: &'static str,
    words: &'a Words,
    open_address: &'a Text,
    sent_by: String,
    button: Button,
    links: &'a [Shown],
}

/// The letter about an occasion.
pub(super) fn letter(
    reader: &Reader<'_>,
    to: Address,
    occasion: &Occasion<'_>,
) -> Result<Letter, askama::Error> {
    let words = words(reader, occasion);
    let (language, texts) = (reader.words.language.tag(), &reader.words.letter);
    let sent_by = texts.sent_by.fill(&[("host", &reader.settings.shown_name())]);
    let own = &reader.settings.branding;
    let links = own.links.shown(&reader.words);
    let text = words.to_text(&sent_by, &links);
    let page = Page {
        language,
        words: &words,
        open_address: &texts.open_address,
        sent_by,
        button: own.button,
        links: &links,
    };
    let html = page.render()?;
    Ok(Letter { to, text, subject: words.subject, html })
}

fn words(reader: &Reader<'_>, occasion: &Occasion<'_>) -> Words {
    let (host, forgotten) = (reader.settings.shown_name(), reader.settings.url("/forgotten"));
    let (all, t) = (&reader.words, &reader.words.letter);
    let at_host = |text: &Text| text.fill(&[("host", &host)]);
    let of = |text: &Text, name: &str| text.fill(&[("host", &host), ("username", &name)]);
    let not_you = t.not_you.fill(&[("url", &forgotten)]);
    let subject_and = |subject: &Text, lines: Vec<String>, otherwise: String| Words {
        subject: at_host(subject),
        lines,
        link: None,
        otherwise,
    };
    match occasion {
        Occasion::AccountKnown { username } => {
            let lines = vec![at_host(&t.account_known), of(&t.account_known_name, username)];
            subject_and(&t.account_known_subject, lines, (&t.ignore).into())
                .leading(&t.new_password, forgotten)
        }
        Occasion::AddressChanged { username } => {
            let lines = vec![of(&t.address_changed, username), (&t.address_changed_rest).into()];
            subject_and(&t.address_changed_subject, lines, at_host(&t.tell))
        }
        Occasion::Confirm { url } => {
            let lines = vec![at_host(&t.confirm), (&t.confirm_rest).into()];
            subject_and(&t.confirm_subject, lines, (&t.ignore).into())
                .leading(&t.confirm_button, url.clone())
        }
        Occasion::Doubt { username, doubt, ip, at, url } => {
            let (d, time) = (&all.doubt, all.minute(*at));
            let what = match doubt {
                Doubt::Browser => &d.browser,
                Doubt::Codes => &d.codes,
                Doubt::Copied => &d.copied,
                Doubt::Device => &d.device,
                Doubt::Passkey => &d.passkey,
                Doubt::Place => &d.place,
                Doubt::Shared => &d.shared,
                Doubt::Travel => &d.travel,
            };
            let seen = match ip {
                Some(ip) => t.signed_in_from.fill(&[("time", &time), ("ip", ip)]),
                None => t.signed_in_at.fill(&[("time", &time)]),
            };
            let lines = vec![of(what, username), seen, (&d.what_to_do).into()];
            subject_and(&d.subject, lines, (&d.otherwise).into())
                .leading(&d.was_not_me, url.clone())
        }
        Occasion::FactorsChanged { username, what } => {
            let text = match what {
                FactorChange::Added => &t.factor_added,
                FactorChange::Connected => &t.factor_connected,
                FactorChange::Disconnected => &t.factor_disconnected,
                FactorChange::NewCodes => &t.factor_codes,
                FactorChange::Removed => &t.factor_removed,
            };
            subject_and(&t.factor_subject, vec![of(text, username)], not_you)
        }
        Occasion::Invitation { url } => {
            let lines = vec![at_host(&t.invitation), (&t.invitation_rest).into()];
            subject_and(&t.invitation_subject, lines, (&t.ignore_invitation).into())
                .leading(&t.make_account, url.clone())
        }
        Occasion::PasswordChanged { username } => {
            let lines = vec![of(&t.password_changed, username), (&t.password_changed_rest).into()];
            subject_and(&t.password_changed_subject, lines, not_you)
        }
        Occasion::Reset { username, url } => {
            let lines = vec![of(&t.reset, username), (&t.link_life).into()];
            subject_and(&t.reset_subject, lines, (&t.ignore).into())
                .leading(&t.new_password, url.clone())
        }
        Occasion::SignUp { url } => {
            let lines = vec![at_host(&t.account_known), (&t.link_life).into()];
            subject_and(&t.sign_up_subject, lines, (&t.ignore).into())
                .leading(&t.make_account, url.clone())
        }
        Occasion::TokenEnds { username, token, at } => {
            let time = all.minute(*at);
            let ends = t.token_ends.fill(&[
                ("token", token),
                ("username", username),
                ("host", &host),
                ("time", &time),
            ]);
            let lines = vec![ends, (&t.token_ends_rest).into()];
            subject_and(&t.token_ends_subject, lines, (&t.ignore_token).into())
        }
        Occasion::TokenLeaked { username, token } => {
            let values: [(&str, &dyn std::fmt::Display); 3] =
                [("token", token), ("username", username), ("host", &host)];
            let lines = vec![t.token_leaked.fill(&values), (&t.token_leaked_rest).into()];
            subject_and(&t.token_leaked_subject, lines, at_host(&t.questions))
        }
    }
}

// === impl Words ===

impl Words {
    /// With a link in it.
    fn leading(self, name: &Text, url: String) -> Self {
        Self { link: Some((name.into(), url)), ..self }
    }

    fn to_text(&self, sent_by: &str, links: &[Shown]) -> String {
        let mut text = self.lines.join("\n\n");
        if let Some((name, url)) = &self.link {
            text.push_str(&format!("\n\n{name}:\n{url}"));
        }
        let links: String =
            links.iter().map(|link| format!("{}: {}\n", link.words, link.address)).collect();
        format!("{text}\n\n{}\n\n-- \n{sent_by}\n{links}", self.otherwise)
    }
}

#[cfg(test)]
mod tests {
    use mail::Address;
    use token::time::Timestamp;

    use super::letter;
    use crate::branding::{Accent, Branding, Colour, Links, Own};
    use crate::language::{Language, Reader};
    use crate::letters::Occasion;
    use crate::settings::Settings;
    use crate::tests::support::settings;

    #[test]
    fn says_the_same_twice_and_fetches_nothing() {
        let settings = settings();
        let to = Address::parse("alice@example.com").expect("address");
        let url = "http://127.0.0.1:8080/link?code=abc".to_owned();
        let occasion = Occasion::Reset { username: "<b>alice</b>", url };
        let letter =
            letter(&Reader::new(&settings, Language::English), to, &occasion).expect("letter");
        assert_eq!(letter.subject, "Set a new password at 127.0.0.1:8080");
        assert!(letter.text.contains("of <b>alice</b> at"), "{}", letter.text);
        assert!(letter.text.contains("\nhttp://127.0.0.1:8080/link?code=abc\n"));
        assert!(letter.html.contains("&#60;b&#62;alice"), "{}", letter.html);
        assert!(letter.html.contains("href=\"http://127.0.0.1:8080/link?code=abc\""));
        for fetched in ["<img", "src=", "url(", "<link", "<script", "@import"] {
            assert!(!letter.html.contains(fetched), "{fetched}");
        }
    }

    #[test]
    fn is_of_whoever_sends_it() {
        let accent = Accent { light: Colour::new(0xff, 0xcc, 0), dark: Colour::new(0, 0, 0) };
        let support = Some("https://example.com/help".parse().expect("link"));
        let branding = Branding::new(Own {
            name: Some("Example Bank".to_owned()),
            accent: Some(accent),
            links: Links { support, ..Links::default() },
            ..Own::default()
        });
        let settings = Settings { branding, ..settings() };
        let to = Address::parse("alice@example.com").expect("address");
        let url = "http://127.0.0.1:8080/link?code=abc".to_owned();
        let occasion = Occasion::SignUp { url };
        let letter =
            letter(&Reader::new(&settings, Language::German), to, &occasion).expect("letter");
        assert!(letter.subject.contains("Example Bank"), "{}", letter.subject);
        let foot = "-- \nGesendet von Example Bank\nHilfe: https://example.com/help\n";
        assert!(letter.text.ends_with(foot), "{}", letter.text);
        assert!(letter.html.contains("background:#ffcc00;color:#000000;"), "{}", letter.html);
        assert!(letter.html.contains("href=\"https://example.com/help\""), "{}", letter.html);
    }

    #[test]
    fn times_are_read_by_people() {
        let settings = settings();
        let to = Address::parse("alice@example.com").expect("address");
        let at = Timestamp::from_secs(1_790_000_000);
        let occasion = Occasion::TokenEnds { username: "alice", token: "ci", at };
        let letter =
            letter(&Reader::new(&settings, Language::English), to, &occasion).expect("letter");
        assert!(letter.text.contains("ends on 21 September 2026, 14:13 UTC."), "{}", letter.text);
    }
}
