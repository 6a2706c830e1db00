//! Security events, carried from the authority to the outlets that take them to others, and those of others fetched.

use std::io;
use std::time::Duration;

use authority::Authority;
use authority::signals::Stream;
use authority::signals::fetched::Follower;
use authority::signals::received::Transmitter;
use notify::notifier::Notifier;
use notify::signals::Verifies;
use store::NewDelivery;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::outlets::{self, At};
use super::trusted;
use crate::command::Failure;
use crate::config::{Notify, SignalTransmitter, load};

/// Between two looks at the audit log; the restriction log is heard of at once.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// After the store could not be read or written.
const RESPITE: Duration = Duration::from_secs(5);

/// Has the authority sign the events by which receivers see that they are reached.
pub(super) struct Signing(pub(super) Authority);

/// Who gets which events.
///
/// # Errors
/// [`Failure`] names the option that cannot be used.
pub(super) fn streams(part: &Notify) -> Result<Vec<Stream>, Failure> {
    let environment = load::environment();
    let stream = |(position, part): (usize, &crate::config::notify::Signals)| {
        let at = At(format!("notify.signals[{position}]"));
        let kept = (part.token_file.as_deref(), part.token_env.as_deref());
        let fetched_with = match part.url {
            Some(_) => None,
            None => Some(outlets::token(kept, &environment, &at)?),
        };
        Ok(Stream {
            name: part.name.clone(),
            audience: part.audience.clone(),
            events: part.event_types(),
            fetched_with,
        })
    };
    part.signals.iter().enumerate().map(stream).collect()
}

/// Whose events are followed.
///
/// # Errors
/// [`Failure`] names the option that cannot be used.
pub(super) fn transmitters(all: &[SignalTransmitter]) -> Result<Vec<Transmitter>, Failure> {
    let environment = load::environment();
    let one = |(position, part): (usize, &SignalTransmitter)| {
        let at = At(format!("signal_transmitter[{position}]"));
        let kept = (part.token_file.as_deref(), part.token_env.as_deref());
        let (uri, file) = (part.jwks_uri.as_deref(), part.jwks_file.as_deref());
        Ok(Transmitter {
            name: part.name.clone(),
            source: trusted::source(&part.issuer, uri, file)?,
            audience: part.audience.clone(),
            fetched_at: part
                .poll_url
                .as_deref()
                .map(str::parse)
                .transpose()
                .map_err(Failure::new)?,
            token: outlets::token(kept, &environment, &at)?,
            email_domains: part.email_domains.clone(),
        })
    };
    all.iter().enumerate().map(one).collect()
}

/// Starts what tells others of events, and what fetches theirs; both go on until `stop`.
pub(super) fn start(
    tasks: &mut JoinSet<io::Result<()>>,
    authority: &Authority,
    notifier: &Notifier,
    stop: &CancellationToken,
) {
    tasks.spawn(tell(authority.clone(), notifier.clone(), stop.clone()));
    for follower in authority.followers() {
        tasks.spawn(follow(follower, authority.clone(), stop.clone()));
    }
}

/// Keeps what is to be told, and says so to the outlets, until `stop`.
///
/// # Errors
/// None; other tasks of the same set have some.
async fn tell(authority: Authority, notifier: Notifier, stop: CancellationToken) -> io::Result<()> {
    if authority.settings().streams.is_empty() {
        return Ok(());
    }
    while !stop.is_cancelled() {
        let seen = authority.store().index().last_seq();
        match authority.signal().await {
            Ok(true) => notifier.wake(),
            Ok(false) => {}
            Err(error) => {
                tracing::error!(%error, "security events could not be kept");
                let _ = tokio::time::timeout(RESPITE, stop.cancelled()).await;
            }
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = authority.wait_for_news(seen, LOOK_EVERY) => {}
        }
    }
    Ok(())
}

/// Fetches and follows the events of one transmitter until `stop`.
///
/// # Errors
/// None; other tasks of the same set have some.
async fn follow(
    mut follower: Follower,
    authority: Authority,
    stop: CancellationToken,
) -> io::Result<()> {
    let turns = async {
        loop {
            let pause = follower.turn(&authority).await;
            tokio::time::sleep(pause).await;
        }
    };
    // An event that is cut off here was not acknowledged: it comes again.
    let _: Option<()> = stop.run_until_cancelled(turns).await;
    Ok(())
}

// === impl Signing ===

impl Verifies for Signing {
    fn verification(&self, receiver: &str) -> Result<NewDelivery, String> {
        let made = self.0.verification(receiver).map_err(|error| error.to_string())?;
        made.ok_or_else(|| "there is no stream of this name".to_owned())
    }
}
