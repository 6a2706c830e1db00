//! Where addresses are, from files on this machine: nobody is asked over the network.
//!
//! Two forms are read: MaxMind DB files (`.mmdb`), with records as GeoIP2 and GeoLite2 have them or flat as
//! ip-location-db has them, and ranges of addresses as lines (`.csv`) of ip-location-db. What the first file
//! that knows a fact says of it counts.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use token::place::{Place, Places};

mod database;
mod network_kind;
mod ranges;

use database::Database;
use ranges::Ranges;

/// What files know of addresses.
#[derive(Default)]
pub struct Geo {
    sources: Vec<Source>,
}

/// What is known of one address, for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Described {
    /// What rules and events have of it.
    pub place: Place,
    /// Who runs the autonomous system.
    pub system: Option<String>,
    /// The city, in English.
    pub city: Option<String>,
}

/// Why a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadGeo {
    /// The name's ending says nothing of the form.
    #[error("{0}: the name of a database ends with `.mmdb` or `.csv`")]
    Ending(PathBuf),
    /// A folder without any database.
    #[error("{0}: no file in this folder ends with `.mmdb` or `.csv`")]
    Empty(PathBuf),
    /// A MaxMind DB that is damaged.
    #[error("{file}: not a sound MaxMind DB, get it anew: {why}")]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A MaxMind DB with records of another kind.
    #[error(
        "{0}: its records have neither country, autonomous system, place nor kind of network as GeoIP2 or \
         ip-location-db have them"
    )]
    Foreign(PathBuf),
    /// The file cannot be read.
    #[error("{file}: {error}")]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A line of ranges is not as it should be.
    #[error("{file}, line {line}: {why}")]
    Line {
        /// The file.
        file: PathBuf,
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
}

enum Source {
    Database(Database),
    Ranges(Ranges),
}

// === impl Geo ===

impl Geo {
    /// Reads files, and of folders those that end with `.mmdb` or `.csv`, in the order of their names.
    ///
    /// # Errors
    /// [`BadGeo`] names the file and what is wrong with it.
    pub fn open<P: AsRef<Path>>(places: &[P]) -> Result<Self, BadGeo> {
        let mut sources = Vec::new();
        for place in places {
            for file in files(place.as_ref())? {
                sources.push(Source::open(&file)?);
            }
        }
        Ok(Self { sources })
    }

    /// What is known of an address, with names.
    pub fn describe(&self, address: IpAddr) -> Described {
        let address = address.to_canonical();
        let mut told = Described { place: self.place(address), ..Described::default() };
        for source in &self.sources {
            if told.system.is_none() {
                told.system = match source {
                    Source::Database(database) => database.system(address),
                    Source::Ranges(ranges) => ranges.system(address),
                };
            }
            if told.city.is_none()
                && let Source::Database(database) = source
            {
                told.city = database.city(address);
            }
        }
        told
    }
}

impl Places for Geo {
    fn place(&self, address: IpAddr) -> Place {
        let address = address.to_canonical();
        let mut place = Place::default();
        for source in &self.sources {
            let known = match source {
                Source::Database(database) => database.place(address),
                Source::Ranges(ranges) => ranges.place(address),
            };
            place.country = place.country.or(known.country);
            place.asn = place.asn.or(known.asn);
            place.net = place.net.or(known.net);
            place.coordinates = place.coordinates.or(known.coordinates);
        }
        place
    }
}

// === impl Source ===

impl Source {
    fn open(file: &Path) -> Result<Self, BadGeo> {
        match ending(file) {
            Some("mmdb") => Database::open(file).map(Self::Database),
            Some("csv") => Ranges::open(file).map(Self::Ranges),
            _ => Err(BadGeo::Ending(file.to_owned())),
        }
    }
}

fn files(place: &Path) -> Result<Vec<PathBuf>, BadGeo> {
    let bad = |error| BadGeo::Read { file: place.to_owned(), error };
    if !fs::metadata(place).map_err(bad)?.is_dir() {
        return Ok(vec![place.to_owned()]);
    }
    let entries = fs::read_dir(place).map_err(bad)?;
    let mut files = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(bad)?;
    files.retain(|file| matches!(ending(file), Some("mmdb" | "csv")) && file.is_file());
    files.sort_unstable();
    if files.is_empty() {
        return Err(BadGeo::Empty(place.to_owned()));
    }
    Ok(files)
}

fn ending(file: &Path) -> Option<&str> {
    file.extension().and_then(|ending| ending.to_str())
}

#[cfg(test)]
mod tests;
