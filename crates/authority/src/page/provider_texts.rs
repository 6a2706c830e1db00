//! The words of everything that is about identity providers.

use super::providers::Trouble;

pub(super) const RETURNED_TITLE: &str = "This sign-in is over";
pub(super) const RETURNED_WORDS: &str = "It was finished before, it took too long, or it was begun in another \
                                         browser. Nobody was signed in.";
pub(super) const RETURNED_ADVICE: &str = "If a link in a message brought you here, close this page. Otherwise go \
                                          to the application and sign in there once more.";
pub(super) const RETURNED_MEND: &str =
    "Send people back with the `state` that they came with, within 15 minutes.";

/// The title of the page where accounts elsewhere are connected.
pub(super) const ACCOUNTS_TITLE: &str = "Accounts elsewhere";
/// What is done there.
pub(super) const ACCOUNTS_WORDS: &str =
    "Whoever can sign in to one of these can sign in to your account.";
/// Nothing is connected.
pub(super) const NO_ACCOUNTS: &str = "No account elsewhere is connected with yours.";
/// The button that takes one away.
pub(super) const DISCONNECT: &str = "Disconnect";
/// The title of the question.
pub(crate) const CONNECT_TITLE: &str = "Connect this account?";
/// Its button.
pub(crate) const CONNECT_BUTTON: &str = "Connect";
/// The way out of it.
pub(crate) const BACK: &str = "Back to your account";
/// The label of the field for an address.
pub(super) const ORGANISATION: &str = "Address at your organisation";
/// Its button.
pub(super) const ORGANISATION_BUTTON: &str = "Continue with your organisation";
/// An account was connected.
pub(super) const CONNECTED: &str = "The account is connected.";
/// One was disconnected.
pub(super) const DISCONNECTED: &str =
    "The account is disconnected. Whoever was signed in by it elsewhere is signed out.";
/// It is the last one.
pub(super) const ONLY_WAY: &str =
    "This is your only way to sign in. Set a password or add a passkey first.";
/// It is somebody's.
pub(super) const TAKEN: &str = "This account is connected with another account here already.";
/// The form is old.
pub(super) const STALE: &str = "This page was open for a long time. Please try again.";

/// The question whether to connect.
pub(crate) fn connect(title: &str, label: &str, username: &str) -> String {
    format!(
        "You are {label} at {title}. Connect it, and whoever can sign in there can sign in here as {username}."
    )
}

/// The button of a provider.
pub(super) fn go(title: &str) -> String {
    format!("Continue with {title}")
}

/// The button that connects one.
pub(super) fn add(title: &str) -> String {
    format!("Connect an account at {title}")
}

/// Why nobody is signed in.
pub(super) fn trouble(trouble: &Trouble, host: &str) -> String {
    match trouble {
        Trouble::AddressKnown { title } => format!(
            "There is an account with your address already. Sign in to it in another way, then connect \
             {title} under “Accounts elsewhere”."
        ),
        Trouble::Cancelled { title } => {
            format!("You did not sign in at {title}. Nothing has happened.")
        }
        Trouble::Disabled => {
            format!("This account is switched off. Ask whoever runs {host} about it.")
        }
        Trouble::LongRequest => {
            "The application's request is too long to go on elsewhere. Sign in here.".to_owned()
        }
        Trouble::NotBelieved { title } => {
            format!(
                "{title} gave an answer that we do not believe. Try again, or sign in in another way."
            )
        }
        Trouble::NotFresh { title } => format!(
            "The application wants you to sign in anew, and {title} did not ask you to. Sign in in another way."
        ),
        Trouble::Refused { title } => {
            format!("{title} refuses to sign you in here. Ask whoever runs {host} about it.")
        }
        Trouble::Unknown { title } => format!(
            "Your account at {title} belongs to no account here. If you have one, sign in to it in another \
             way, then connect {title} under “Accounts elsewhere”."
        ),
        Trouble::UnknownDomain => {
            "No organisation is known for this address. Check it, or sign in in another \
                                   way."
                .to_owned()
        }
        Trouble::Unreachable { title } => {
            format!("{title} cannot be reached just now. Try again in a moment.")
        }
    }
}
