//! The words of letters, as text and as a page.

use std::net::IpAddr;

use askama::Template;
use mail::{Address, Letter};
use token::time::Timestamp;

use super::{FactorChange, Occasion};
use crate::doubt::Doubt;
use crate::settings::Settings;

/// What one letter says. Every line is a paragraph.
struct Words {
    subject: String,
    lines: Vec<String>,
    /// What the link is called, and where it leads.
    link: Option<(&'static str, String)>,
    /// What to do when it comes as a surprise.
    otherwise: String,
}

/// The letter as a page: no image, no font, nothing that is fetched.
#[derive(Template)]
#[template(path = "letter.html")]
struct Page<'a> {
    host: &'a str,
    words: &'a Words,
}

/// The letter about an occasion.
pub(super) fn letter(
    settings: &Settings,
    to: Address,
    occasion: &Occasion<'_>,
) -> Result<Letter, askama::Error> {
    let host = settings.issuer.split_once("://").map_or("", |(_, rest)| rest);
    let words = words(host, settings, occasion);
    let html = Page { host, words: &words }.render()?;
    Ok(Letter { to, text: words.to_text(host), subject: words.subject, html })
}

fn words(host: &str, settings: &Settings, occasion: &Occasion<'_>) -> Words {
    let forgotten = settings.url("/forgotten");
    let not_you = format!("If that was not you, set a new password at once: {forgotten}");
    let ignore = "If you did not ask for this, do nothing: nothing changes.".to_owned();
    match occasion {
        Occasion::AccountKnown { username } => Words {
            subject: format!("You already have an account at {host}"),
            lines: vec![
                format!(
                    "Somebody, probably you, asked for an account at {host} with this address."
                ),
                format!("There is one already. Its username is {username}."),
            ],
            link: Some(("Set a new password", forgotten)),
            otherwise: ignore,
        },
        Occasion::AddressChanged { username } => Words {
            subject: format!("Your address at {host} was changed"),
            lines: vec![
                format!("The account {username} at {host} has another mail address now."),
                "Letters do not go to this one any more.".to_owned(),
            ],
            link: None,
            otherwise: format!("If that was not you, tell whoever runs {host} at once."),
        },
        Occasion::Confirm { url } => Words {
            subject: format!("Confirm your address at {host}"),
            lines: vec![
                format!("Somebody with an account at {host} says that this address is theirs."),
                "If that is you, confirm it within 30 minutes.".to_owned(),
            ],
            link: Some(("Confirm the address", url.clone())),
            otherwise: ignore,
        },
        Occasion::Invitation { url } => Words {
            subject: format!("You are invited to {host}"),
            lines: vec![
                format!("You are invited to an account at {host}."),
                "The link is good once, for seven days.".to_owned(),
            ],
            link: Some(("Make the account", url.clone())),
            otherwise: "If you do not want it, do nothing.".to_owned(),
        },
        Occasion::PasswordChanged { username } => Words {
            subject: format!("Your password at {host} was changed"),
            lines: vec![
                format!("The account {username} at {host} has a new password."),
                "Every sign-in of it has ended, and its tokens were taken back.".to_owned(),
            ],
            link: None,
            otherwise: not_you,
        },
        Occasion::Reset { username, url } => Words {
            subject: format!("Set a new password at {host}"),
            lines: vec![
                format!(
                    "Somebody, probably you, has forgotten the password of {username} at {host}."
                ),
                "The link is good once, for 30 minutes.".to_owned(),
            ],
            link: Some(("Set a new password", url.clone())),
            otherwise: ignore,
        },
        Occasion::SignUp { url } => Words {
            subject: format!("Your account at {host}"),
            lines: vec![
                format!(
                    "Somebody, probably you, asked for an account at {host} with this address."
                ),
                "The link is good once, for 30 minutes.".to_owned(),
            ],
            link: Some(("Make the account", url.clone())),
            otherwise: ignore,
        },
        Occasion::Doubt { username, doubt, ip, at, url } => {
            let when = seen(*ip, *at);
            doubted(host, username, *doubt, &when, url)
        }
        Occasion::FactorsChanged { username, what } => {
            factors_changed(host, username, *what, not_you)
        }
        Occasion::TokenEnds { username, token, at } => token_ends(host, username, token, *at),
        Occasion::TokenLeaked { username, token } => token_leaked(host, username, token),
    }
}

fn doubted(host: &str, username: &str, doubt: Doubt, when: &str, url: &str) -> Words {
    let what = match doubt {
        Doubt::Browser => "was signed in to with a browser that was not used before",
        Doubt::Codes => "was sent many requests to confirm a sign-in",
        Doubt::Copied => "was used with a copy of a token that had been used already",
        Doubt::Device => "was connected to a device in a way that looks like a trick",
        Doubt::Place => "was used for something important from a place that is new",
        Doubt::Shared => "was used from several places at the same time",
        Doubt::Travel => {
            "was used from two places that nobody can be at so soon one after the other"
        }
    };
    Words {
        subject: format!("Was this you at {host}?"),
        lines: vec![
            format!("The account {username} at {host} {what}."),
            format!("It was {when}."),
            "If that was you, do nothing. If it was not, open this link within seven days: it ends \
             every sign-in of the account and takes its tokens back."
                .to_owned(),
        ],
        link: Some(("That was not me", url.to_owned())),
        otherwise: "Set a new password after that: whoever signed in may know the one you have."
            .to_owned(),
    }
}

/// When, and from where.
fn seen(ip: Option<IpAddr>, at: Timestamp) -> String {
    let place = ip.map(|ip| format!(" from the address {ip}")).unwrap_or_default();
    format!("on {}{place}", spoken(&at.to_string()))
}

fn factors_changed(host: &str, username: &str, what: FactorChange, otherwise: String) -> Words {
    let what = match what {
        FactorChange::Added => "A passkey or an app for sign-in codes was added to",
        FactorChange::NewCodes => "There are new recovery codes for",
        FactorChange::Removed => "A passkey or an app for sign-in codes was removed from",
    };
    Words {
        subject: format!("Sign-in codes at {host} were changed"),
        lines: vec![format!("{what} the account {username} at {host}.")],
        link: None,
        otherwise,
    }
}

fn token_ends(host: &str, username: &str, token: &str, at: Timestamp) -> Words {
    Words {
        subject: format!("A token at {host} ends soon"),
        lines: vec![
            format!(
                "The personal token “{token}” of {username} at {host} ends on {}.",
                spoken(&at.to_string())
            ),
            "Whatever uses it stops working then. Rotate it, or make another.".to_owned(),
        ],
        link: None,
        otherwise: "If nothing uses it any more, do nothing.".to_owned(),
    }
}

fn token_leaked(host: &str, username: &str, token: &str) -> Words {
    Words {
        subject: format!("A token at {host} was found in a public place"),
        lines: vec![
            format!("{token} of {username} at {host} was found where everybody can read it."),
            "It was taken back at once and is worth nothing now. Make another for whatever used \
             it, and look at what was done with it."
                .to_owned(),
        ],
        link: None,
        otherwise: format!("Questions are for whoever runs {host}."),
    }
}

/// `2026-09-21T14:13:20.123Z` as people read it.
fn spoken(time: &str) -> String {
    let day = time.get(..10).unwrap_or(time);
    let minute = time.get(11..16).unwrap_or_default();
    format!("{day} at {minute} UTC")
}

// === impl Words ===

impl Words {
    fn to_text(&self, host: &str) -> String {
        let mut text = self.lines.join("\n\n");
        if let Some((name, url)) = &self.link {
            text.push_str(&format!("\n\n{name}:\n{url}"));
        }
        format!("{text}\n\n{}\n\n-- \nSent by {host}\n", self.otherwise)
    }
}

#[cfg(test)]
mod tests {
    use mail::Address;
    use token::time::Timestamp;

    use super::letter;
    use crate::letters::Occasion;
    use crate::tests::support::settings;

    #[test]
    fn says_the_same_twice_and_fetches_nothing() {
        let to = Address::parse("alice@example.com").expect("address");
        let url = "http://127.0.0.1:8080/link?code=abc".to_owned();
        let occasion = Occasion::Reset { username: "<b>alice</b>", url };
        let letter = letter(&settings(), to, &occasion).expect("letter");
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
    fn times_are_read_by_people() {
        let to = Address::parse("alice@example.com").expect("address");
        let at = Timestamp::from_secs(1_790_000_000);
        let occasion = Occasion::TokenEnds { username: "alice", token: "ci", at };
        let letter = letter(&settings(), to, &occasion).expect("letter");
        assert!(letter.text.contains("ends on 2026-09-21 at 14:13 UTC."), "{}", letter.text);
    }
}
