//! MaxMind DB files: whole in memory, checked to the last record before they are used.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Display;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;
use serde::de::IgnoredAny;
use token::event::NetworkKind;
use token::place::Place;

use crate::BadGeo;
use crate::network_kind::network_kind;

/// One file.
pub(crate) struct Database(Reader<Vec<u8>>);

/// The members that are read, of GeoIP2 and of flat records; the others are passed over.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Record<'r> {
    #[serde(borrow)]
    country: Option<IsoCode<'r>>,
    #[serde(borrow)]
    registered_country: Option<IsoCode<'r>>,
    #[serde(borrow)]
    country_code: Option<&'r str>,
    location: Option<Location>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    #[serde(borrow)]
    traits: Option<Traits<'r>>,
    // What `traits` has, where a file is about nothing else.
    autonomous_system_number: Option<u32>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'r str>,
    connection_type: Option<&'r str>,
    is_anonymous_vpn: bool,
    is_hosting_provider: bool,
    is_tor_exit_node: bool,
    user_type: Option<&'r str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct IsoCode<'r> {
    #[serde(borrow)]
    iso_code: Option<&'r str>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Location {
    latitude: Option<f64>,
    longitude: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Traits<'r> {
    autonomous_system_number: Option<u32>,
    #[serde(borrow)]
    autonomous_system_organization: Option<&'r str>,
    connection_type: Option<&'r str>,
    is_anonymous_vpn: bool,
    is_hosting_provider: bool,
    is_tor_exit_node: bool,
    user_type: Option<&'r str>,
}

/// The name of a city, in either form.
#[derive(Deserialize)]
struct WithCity<'r> {
    #[serde(borrow)]
    city: Option<City<'r>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum City<'r> {
    Flat(#[serde(borrow)] Cow<'r, str>),
    Named {
        #[serde(borrow)]
        names: English<'r>,
    },
}

#[derive(Deserialize)]
struct English<'r> {
    #[serde(borrow)]
    en: Option<Cow<'r, str>>,
}

// === impl Database ===

impl Database {
    /// Reads a file.
    ///
    /// # Errors
    /// [`BadGeo`] when it is damaged, or about something else.
    pub(crate) fn open(file: &Path) -> Result<Self, BadGeo> {
        let bytes =
            fs::read(file).map_err(|error| BadGeo::Read { file: file.to_owned(), error })?;
        Self::new(file, bytes)
    }

    pub(crate) fn new(file: &Path, bytes: Vec<u8>) -> Result<Self, BadGeo> {
        let damaged =
            |error: &dyn Display| BadGeo::Damaged { file: file.to_owned(), why: error.to_string() };
        let reader = Reader::from_source(bytes).map_err(|error| damaged(&error))?;
        match is_known(&reader) {
            Ok(true) => Ok(Self(reader)),
            Ok(false) => Err(BadGeo::Foreign(file.to_owned())),
            Err(error) => Err(damaged(&error)),
        }
    }

    /// A record of another form than the first ones says nothing.
    fn read<'d, T: Deserialize<'d>>(&'d self, address: IpAddr) -> Option<T> {
        self.0.lookup(address).and_then(|found| found.decode()).ok().flatten()
    }

    pub(crate) fn place(&self, address: IpAddr) -> Place {
        self.read::<Record<'_>>(address).map(|record| record.place()).unwrap_or_default()
    }

    pub(crate) fn system(&self, address: IpAddr) -> Option<String> {
        self.read::<Record<'_>>(address)?.system().map(str::to_owned)
    }

    pub(crate) fn city(&self, address: IpAddr) -> Option<String> {
        match self.read::<WithCity<'_>>(address)?.city? {
            City::Flat(name) => Some(name.into_owned()),
            City::Named { names } => names.en.map(Cow::into_owned),
        }
        .filter(|name| !name.is_empty())
    }
}

/// Walks the whole tree and reads every record: whether one says something. Stricter checks, of what describes
/// the file, would refuse ip-location-db's.
fn is_known(reader: &Reader<Vec<u8>>) -> Result<bool, MaxMindDbError> {
    let node_count = usize::try_from(reader.metadata().node_count).unwrap_or(usize::MAX);
    // A tree has no more leaves than this; what has is a circle.
    let most = node_count.saturating_mul(2);
    let (mut seen, mut known) = (HashSet::new(), false);
    for (number, network) in reader.networks(WithinOptions::default())?.enumerate() {
        let network = network?;
        if number > most {
            return Err(MaxMindDbError::invalid_database("its search tree leads back into itself"));
        }
        if network.offset().is_some_and(|offset| seen.insert(offset)) {
            network.decode::<IgnoredAny>()?;
            known |= matches!(network.decode::<Record<'_>>(), Ok(Some(record)) if record.says_anything());
        }
    }
    Ok(known)
}

// === impl Record ===

impl<'r> Record<'r> {
    fn says_anything(&self) -> bool {
        self.place() != Place::default() || self.system().is_some()
    }

    fn system(&self) -> Option<&'r str> {
        let of_traits = || self.traits.as_ref()?.autonomous_system_organization;
        self.autonomous_system_organization.or_else(of_traits)
    }

    fn place(&self) -> Place {
        let code = |country: &Option<IsoCode<'r>>| country.as_ref()?.iso_code;
        let country = code(&self.country)
            .or(self.country_code)
            .or_else(|| code(&self.registered_country))
            .and_then(|code| code.parse().ok());
        let of_traits = || self.traits.as_ref()?.autonomous_system_number;
        let asn = self.autonomous_system_number.or_else(of_traits);
        Place {
            country,
            asn,
            net: self.told_kind().or_else(|| network_kind(asn, self.system())),
            coordinates: self.coordinates(),
        }
    }

    fn coordinates(&self) -> Option<(f64, f64)> {
        let flat = self.latitude.zip(self.longitude);
        let inner = || {
            let location = self.location.as_ref()?;
            location.latitude.zip(location.longitude)
        };
        flat.or_else(inner)
            .filter(|(lat, lon)| (-90.0..=90.0).contains(lat) && (-180.0..=180.0).contains(lon))
    }

    /// What the file itself says of the kind.
    fn told_kind(&self) -> Option<NetworkKind> {
        let none = Traits::default();
        let traits = self.traits.as_ref().unwrap_or(&none);
        if self.is_tor_exit_node || traits.is_tor_exit_node {
            return Some(NetworkKind::Tor);
        }
        if self.is_anonymous_vpn || traits.is_anonymous_vpn {
            return Some(NetworkKind::Vpn);
        }
        if self.is_hosting_provider || traits.is_hosting_provider {
            return Some(NetworkKind::Hosting);
        }
        if self.connection_type.or(traits.connection_type) == Some("Cellular") {
            return Some(NetworkKind::Mobile);
        }
        match self.user_type.or(traits.user_type)? {
            "business" | "government" | "college" | "school" => Some(NetworkKind::Business),
            "cellular" => Some(NetworkKind::Mobile),
            "content_delivery_network" | "hosting" => Some(NetworkKind::Hosting),
            "residential" => Some(NetworkKind::Residential),
            _ => None,
        }
    }
}
