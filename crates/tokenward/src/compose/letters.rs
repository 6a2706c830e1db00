//! Where letters are handed over, and what takes them to the mail server.

use mail::{Carrier, Outbox, Smtp};
use notify::letters::Letters;
use notify::notifier::Notifier;
use store::Store;
use token::secret::Secret;

use crate::command::Failure;
use crate::config::Mail;
use crate::config::mail::Mode;

/// Letters that are sent, where they are.
///
/// # Errors
/// [`Failure`] names the option that cannot be used.
pub(super) fn sent(part: &Mail, store: &Store) -> Result<Option<Letters>, Failure> {
    let carrier = smtp(part)?;
    Ok(carrier.map(|carrier| Letters::new(carrier, store.clone())))
}

/// What hands letters to the mail server, where they are sent.
///
/// # Errors
/// [`Failure`] names the option that cannot be used.
pub(super) fn smtp(part: &Mail) -> Result<Option<Carrier>, Failure> {
    if part.mode != Mode::Smtp {
        return Ok(None);
    }
    let carrier = Carrier::new(&server(part)?);
    carrier.map(Some).map_err(|error| Failure::new(format_args!("mail: {error}")))
}

/// Where letters are handed over; `notifier` takes those that are sent to the mail server.
pub(super) fn outbox(part: &Mail, sent: Option<&Letters>, notifier: &Notifier) -> Outbox {
    match sent {
        Some(letters) => Outbox::queue(letters.queue(notifier.clone())),
        None if part.mode == Mode::Mailbox => Outbox::mailbox(),
        None => Outbox::none(),
    }
}

fn server(part: &Mail) -> Result<Smtp, Failure> {
    let read = |member: &str, path: &std::path::Path| {
        std::fs::read(path).map_err(|error| {
            Failure::new(format_args!("mail.{member}: {}: {error}", path.display()))
        })
    };
    let login = match (&part.username, &part.password_file) {
        (Some(name), Some(path)) => {
            let bytes = read("password_file", path)?;
            let text = String::from_utf8(bytes);
            let text = text.map_err(|_| Failure::new("mail.password_file: it is not UTF-8"))?;
            Some((name.clone(), Secret::new(text.trim_end_matches(['\r', '\n']))))
        }
        _ => None,
    };
    Ok(Smtp {
        host: part.host.clone().unwrap_or_default(),
        port: part.port(),
        security: part.security.into(),
        login,
        authority: part.ca.as_deref().map(|path| read("ca", path)).transpose()?,
        from: part.from.clone().unwrap_or_default(),
    })
}
