//! `tokenward admin-token`: the first administrator's token, made on the machine itself.

use std::path::PathBuf;
use std::time::Duration;

use authority::issue::{AccessTokenOrder, mint};
use clap::Args;
use store::{KeyState, StoredKey};
use token::id::{ClientId, SubjectId};
use token::random::OsRandom;
use token::scope::ScopeSet;
use token::term::scope;
use token::time::Clock as _;

use crate::clock::SystemClock;
use crate::command::{Failure, say};
use crate::compose::{load_keys, open_store};
use crate::config::load;
use crate::config::span::Span;

/// A token that opens everything should be short-lived.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The configuration file of the server
    #[arg(short, long, value_name = "FILE")]
    config: PathBuf,
    /// Life of the token, at most 24h
    #[arg(long, default_value = "1h", value_parser = Span::parse)]
    life: Span,
    /// Make a token that can only read
    #[arg(long)]
    read_only: bool,
}

fn is_active(key: &StoredKey) -> bool {
    key.state == KeyState::Active
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.life.duration() > LONGEST || arguments.life.duration().is_zero() {
        return Err(Failure::new("--life must be more than 0s and at most 24h"));
    }
    let environment = load::environment();
    let config = load::load(&arguments.config, &environment).map_err(Failure::new)?;
    let issuer = config.authority.issuer.clone().unwrap_or_else(|| {
        let scheme = if config.authority.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", config.authority.listen)
    });
    let now = SystemClock.now();
    // Held to the end: a server that starts meanwhile must not make the first key a second time.
    let lock = super::dev::lock(&config.store.path);
    let store = open_store(&config, &environment, now)?;
    let name = if arguments.read_only { scope::ADMIN_READ } else { scope::ADMIN };
    let runtime = super::serve::runtime()?;
    runtime.block_on(async {
        let has_key = store.keys().await.map_err(Failure::new)?.iter().any(is_active);
        if lock.is_err() && !has_key {
            return Err(Failure::new("the server is just starting: try again in a moment"));
        }
        let keys = load_keys(&config, &store, now).await?;
        let order = AccessTokenOrder {
            subject: SubjectId::from("operator"),
            client: ClientId::from("tokenward-cli"),
            scopes: ScopeSet::parse(name).map_err(Failure::new)?,
            audiences: vec![issuer.clone()],
            life: arguments.life.duration(),
            grant: None,
            session: None,
            auth_time: None,
            acr: None,
            details: Vec::new(),
            cnf: None,
            act: None,
            may_act: None,
        };
        let issued =
            mint(order, &issuer, &keys, &store, now, &OsRandom::new()).map_err(Failure::new)?;
        say(issued.token.expose());
        store.close().await;
        Ok(())
    })
}
