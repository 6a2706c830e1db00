//! `tokenward geo`: databases of places, fetched and looked into.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Subcommand;
use geo::{Described, Geo};
use serde_json::json;
use token::event::NetworkKind;

use crate::command::{Failure, print, say};
use crate::compose::places;
use crate::config::load;

mod package;

/// Free databases that may be passed on, with countries and autonomous systems.
const PACKAGES: [&str; 2] = ["@ip-location-db/asn", "@ip-location-db/geo-whois-asn-country-mmdb"];

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Get free databases of countries and autonomous systems from a registry of npm packages, with the
    /// notices of their licences; name the folder in `geo.files` afterwards, and keep the notices
    Fetch {
        /// The folder to put them into; files of the same name are replaced once all is there
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// The registry, such as `npm config get registry` prints it
        #[arg(long, value_name = "URL", env = "NPM_CONFIG_REGISTRY")]
        registry: Option<String>,
        /// Another package with `.mmdb` or `.csv` files, in place of the usual ones; can be given several
        /// times
        #[arg(long = "package", value_name = "NAME")]
        packages: Vec<String>,
    },
    /// What is known of an address
    Lookup {
        /// The address
        address: IpAddr,
        /// The configuration file that names the databases
        #[arg(
            short,
            long,
            value_name = "FILE",
            conflicts_with = "files",
            required_unless_present = "files"
        )]
        config: Option<PathBuf>,
        /// Databases, or folders that have some, in place of those of a configuration
        #[arg(long, value_name = "FILE", num_args = 1..)]
        files: Vec<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command) -> Result<(), Failure> {
    match command {
        Command::Fetch { to, registry, packages } => {
            let registry = registry.as_deref().filter(|url| !url.is_empty()).ok_or_else(|| {
                Failure::usage(
                    "no registry is known: name one with --registry or NPM_CONFIG_REGISTRY; \
                     `npm config get registry` prints the one that npm uses",
                )
            })?;
            let usual = || PACKAGES.map(str::to_owned).to_vec();
            let packages = if packages.is_empty() { usual() } else { packages.clone() };
            for file in package::fetch(registry, &packages, to)? {
                say(file.display());
            }
            Ok(())
        }
        Command::Lookup { address, config, files, json } => {
            let told = databases(config.as_ref(), files)?.describe(*address);
            print(&view(*address, &told), *json)
        }
    }
}

fn databases(config: Option<&PathBuf>, files: &[PathBuf]) -> Result<std::sync::Arc<Geo>, Failure> {
    let Some(config) = config else {
        return Geo::open(files).map(Into::into).map_err(Failure::new);
    };
    let read = load::load(config, &load::environment()).map_err(Failure::new)?;
    let none =
        || Failure::new("the configuration has no `geo.files`: there is nothing to look into");
    places::open(&read.geo)?.ok_or_else(none)
}

fn view(address: IpAddr, told: &Described) -> serde_json::Value {
    let Described { place, system, city } = told;
    json!({
        "address": address,
        "country": place.country.map(|country| country.to_string()),
        "asn": place.asn,
        "system": system,
        "network": place.net.map(NetworkKind::name),
        "latitude": place.coordinates.map(|(latitude, _)| latitude),
        "longitude": place.coordinates.map(|(_, longitude)| longitude),
        "city": city,
    })
}
