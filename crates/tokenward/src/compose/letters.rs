//! Where letters are handed over, and who takes them to the mail server.

use mail::{Courier, Outbox, Smtp};
use token::secret::Secret;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::command::Failure;
use crate::config::Mail;
use crate::config::mail::Mode;

/// The task that takes letters to the mail server.
pub(super) struct Carrying {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

/// As configured; a courier where letters are sent.
///
/// # Errors
/// [`Failure`] names the option that cannot be used.
pub(super) fn outbox(part: &Mail) -> Result<(Outbox, Option<Courier>), Failure> {
    match part.mode {
        Mode::Off => Ok((Outbox::none(), None)),
        Mode::Mailbox => Ok((Outbox::mailbox(), None)),
        Mode::Smtp => {
            let made = Outbox::smtp(&smtp(part)?);
            let (outbox, courier) =
                made.map_err(|error| Failure::new(format_args!("mail: {error}")))?;
            Ok((outbox, Some(courier)))
        }
    }
}

fn smtp(part: &Mail) -> Result<Smtp, Failure> {
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

// === impl Carrying ===

impl Carrying {
    /// Starts a courier.
    pub(super) fn start(courier: Courier) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(courier.run(stop.clone().cancelled_owned()));
        Self { task, stop }
    }

    /// Has it take what is there, once more, and waits for some seconds at most.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if self.task.await.is_err() {
            tracing::error!("the task that sends letters ended in a panic");
        }
    }
}
