//! The threads that check and forward.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::auth::AuthListener;
use super::door::GatewayDoor;
use super::live::Live;
use crate::command::Failure;
use crate::config;
use crate::listen::{self, Bound, Terms};

/// One for each processor, unless it is said otherwise.
pub(super) fn threads(part: &config::Gateway) -> usize {
    match part.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

/// One thread for each processor, each with a runtime and upstream connections of its own:
/// a third cheaper than tasks that wander between threads (measured).
///
/// # Errors
/// [`Failure`] when a socket cannot be shared or a thread not started.
pub(super) fn start(
    bound: Bound,
    part: &config::Gateway,
    live: &Arc<Live>,
    terms: &Terms,
    auth: Option<&AuthListener>,
    stop: &CancellationToken,
    drain: Duration,
) -> Result<Vec<JoinHandle<()>>, Failure> {
    (0..threads(part))
        .map(|number| {
            let bound = bound.share().map_err(Failure::new)?;
            let auth = auth.map(AuthListener::share).transpose().map_err(Failure::new)?;
            let (terms, stop) = (terms.clone(), stop.clone());
            let live = Arc::clone(live);
            let run = move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let served = runtime.and_then(|runtime| {
                    let watching = live.worker(number).watch_queue();
                    let door = GatewayDoor::new(Arc::clone(&live), number);
                    let own = listen::serve(bound, terms, door, stop.clone(), drain);
                    runtime.block_on(async {
                        gateway::turn::begin();
                        tokio::spawn(watching);
                        match auth {
                            Some(auth) => {
                                tokio::try_join!(own, auth.serve(live, stop, drain)).map(drop)
                            }
                            None => own.await,
                        }
                    })
                });
                if let Err(error) = served {
                    tracing::error!(%error, "a gateway thread ended");
                }
            };
            std::thread::Builder::new()
                .name(format!("gateway-{number}"))
                .spawn(run)
                .map_err(Failure::new)
        })
        .collect()
}
