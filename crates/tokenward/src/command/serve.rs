//! `tokenward serve`: the product from a configuration file.

use std::path::PathBuf;

use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::command::Failure;
use crate::compose::{Hangups, Product, Sockets, Source, open_store};
use crate::config::load::Environment;
use crate::config::{Config, load, variables};
use crate::logging;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The configuration file
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    use token::time::Clock as _;
    let source = Source::new(arguments.config.clone(), load::environment());
    let config = source.load().map_err(Failure::new)?;
    logging::start(&config.log);
    tell_ignored(&config, source.environment());
    let runtime = runtime()?;
    let hangups = {
        // Before anybody can know that the process is there, and that a signal would end it.
        let _entered = runtime.enter();
        Hangups::listen().map_err(Failure::new)?
    };
    let _lock = super::dev::lock(&config.store.path)?;
    let sockets = Sockets::bind(&config)?;
    let store = open_store(&config, source.environment(), SystemClock.now())?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        let issuer = sockets.issuer(&config.authority);
        let product = Product::compose(config, sockets, store).await?;
        product.serve(stop, Some((source, hangups)), || tracing::info!(%issuer, "ready")).await
    })
}

/// Says which variables mean nothing: whoever has set one believes that it does.
pub(super) fn tell_ignored(config: &Config, environment: &Environment) {
    for words in variables::ignored(config, environment) {
        tracing::warn!("{words}");
    }
}

/// The runtime of authority, admin API and background work; the gateway has threads of its own.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // Ring-free: both TLS sides use the one cryptographic library.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(std::thread::available_parallelism().map_or(2, usize::from).min(4))
        .enable_all()
        .build()
        .map_err(Failure::new)
}

/// Cancelled by SIGTERM or SIGINT; a second signal ends the process at once.
pub(super) fn stop_signal() -> Result<CancellationToken, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let stop = CancellationToken::new();
    let told = stop.clone();
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::new)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::new)?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if told.is_cancelled() {
                #[expect(clippy::disallowed_methods, reason = "asked for twice")]
                std::process::exit(130);
            }
            tracing::info!("stopping: requests in flight are finished");
            told.cancel();
        }
    });
    Ok(stop)
}
