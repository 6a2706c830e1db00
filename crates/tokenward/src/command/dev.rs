//! `tokenward dev`: the whole product on this machine, with something to try it on.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use authority::sign_up::Mode;
use clap::Args;
use tokio_util::sync::CancellationToken;

use crate::admin_client::default_data_dir;
use crate::clock::SystemClock;
use crate::command::{Failure, say};
use crate::compose::{CertificateField, ControlDoor, Product, Sockets, open_store};
use crate::config::upstream::Upstream;
use crate::config::{self, Config, load};
use crate::listen::{Bound, Terms};
use crate::{listen, logging, sample};

mod banner;
mod demo;
mod routes;

use demo::Demo;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where state is kept; default: `tokenward` in the platform's data folder
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral")]
    data_dir: Option<PathBuf>,
    /// Keep state in a temporary folder and remove it at the end
    #[arg(long)]
    ephemeral: bool,
    /// Address of the authorization server; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    authority_listen: SocketAddr,
    /// Address of the gateway
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    gateway_listen: SocketAddr,
    /// Address of the admin API, health and metrics
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082")]
    admin_listen: SocketAddr,
    /// Put the gateway before this API instead of the built-in sample
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// When ready, print one JSON line with addresses and credentials, and nothing else
    #[arg(long)]
    json: bool,
}

/// The data folder, removed at the end when it is a temporary one.
enum Folder {
    Kept(PathBuf),
    Temporary(tempfile::TempDir),
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    use token::time::Clock as _;
    let folder = Folder::of(arguments)?;
    let environment = load::environment();
    let sample = match &arguments.upstream {
        Some(_) => None,
        None => Some(Bound::new(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(Failure::new)?),
    };
    let upstream = match (&arguments.upstream, &sample) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(bound)) => format!("http://{}", bound.address()),
        (None, None) => String::new(),
    };
    let config = configuration(arguments, folder.path(), &upstream, &environment)?;
    logging::start(&config.log);
    super::serve::tell_ignored(&config, &environment);
    let _lock = lock(&config.store.path)?;
    let sockets = Sockets::bind(&config)?;
    let store = open_store(&config, &environment, SystemClock.now())?;
    super::serve::runtime()?.block_on(async {
        let stop = super::serve::stop_signal()?;
        // It ends after the gateway, which still has requests for it.
        let last = CancellationToken::new();
        let sample = sample.map(|bound| tokio::spawn(serve_sample(bound, last.clone())));
        let demo = Demo {
            issuer: sockets.issuer(&config.authority),
            gateway: config
                .gateway
                .as_ref()
                .and_then(|part| sockets.resource(part))
                .unwrap_or_default(),
            admin: config
                .admin
                .as_ref()
                .and_then(|part| sockets.admin_url(part))
                .unwrap_or_default(),
            upstream,
            own_upstream: arguments.upstream.is_some(),
            data_dir: folder.path().to_owned(),
        };
        let product = Product::compose(config, sockets, store).await?;
        let credentials = demo.prepare(&product).await?;
        banner::leave_behind(&demo, &credentials)?;
        let ready = {
            let json = arguments.json;
            move || {
                if json {
                    say(banner::line(&demo, &credentials));
                } else {
                    say(banner::page(&demo, &credentials));
                }
            }
        };
        product.serve(stop, None, ready).await?;
        last.cancel();
        if let Some(sample) = sample {
            let _ = sample.await;
        }
        Ok(())
    })
}

async fn serve_sample(bound: Bound, stop: CancellationToken) -> std::io::Result<()> {
    let door = ControlDoor::new(sample::router(), CertificateField::default());
    listen::serve(bound, Terms::default(), door, stop, std::time::Duration::from_secs(1)).await
}

fn configuration(
    arguments: &Arguments,
    folder: &Path,
    upstream: &str,
    environment: &load::Environment,
) -> Result<Config, Failure> {
    let config = Config {
        store: config::Store { path: folder.join("tokenward.db"), master_key_file: None },
        authority: config::Authority {
            listen: arguments.authority_listen,
            registration: config::Registration {
                scopes: routes::registration_scopes(),
                ..config::Registration::default()
            },
            sign_up: config::accounts::SignUpPart { mode: Mode::Open, email_domains: Vec::new() },
            ..config::Authority::default()
        },
        mail: config::Mail { mode: config::mail::Mode::Mailbox, ..config::Mail::default() },
        gateway: Some(config::Gateway {
            listen: arguments.gateway_listen,
            upstreams: [(routes::UPSTREAM.to_owned(), Upstream::Address(upstream.to_owned()))]
                .into(),
            routes: routes::routes(arguments.upstream.is_some()),
            challenge_scopes: true,
            ..config::Gateway::default()
        }),
        admin: Some(config::Admin { listen: arguments.admin_listen, ..config::Admin::default() }),
        scopes: routes::scopes(),
        log: config::Log {
            level: if arguments.json { "warn".to_owned() } else { "info".to_owned() },
            ..config::Log::default()
        },
        ..Config::default()
    };
    // Through the file's own door, so that the environment counts and the same checks are made.
    let text = toml::to_string(&config).map_err(Failure::new)?;
    load::parse(Path::new("options of `tokenward dev`"), &text, environment).map_err(Failure::new)
}

/// Two processes on one store would not see each other's restrictions.
pub(super) fn lock(database: &Path) -> Result<File, Failure> {
    let folder = database.parent().unwrap_or(Path::new("."));
    let cannot =
        |error: std::io::Error| Failure::new(format_args!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(cannot)?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("tokenward.lock"))
        .map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(Failure::new(format_args!(
            "another tokenward runs on {}: stop it, or choose another folder",
            folder.display()
        ))),
    }
}

// === impl Folder ===

impl Folder {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        if arguments.ephemeral {
            return tempfile::tempdir().map(Self::Temporary).map_err(Failure::new);
        }
        let chosen = arguments.data_dir.clone().or_else(default_data_dir);
        let chosen = chosen.ok_or_else(|| {
            Failure::new("no data folder is known on this platform: give --data-dir")
        })?;
        // The printed commands must work in any folder.
        std::path::absolute(chosen).map(Self::Kept).map_err(Failure::new)
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(folder) => folder.path(),
        }
    }
}
