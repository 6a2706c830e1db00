//! Where people's addresses are, for the pages that say from where something came.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use token::place::Places;

/// Who knows where addresses are; nobody where no database is configured.
#[derive(Clone, Default)]
pub struct KnownPlaces(Option<Arc<dyn Places>>);

// === impl KnownPlaces ===

impl KnownPlaces {
    /// With this knowledge.
    pub fn new(places: Option<Arc<dyn Places>>) -> Self {
        Self(places)
    }

    /// An address as a page shows it: with its country, by two letters (ISO 3166-1), when that is known.
    pub(crate) fn shown(&self, address: IpAddr) -> String {
        let address = address.to_canonical();
        let country = self.0.as_ref().and_then(|places| places.place(address).country);
        match country {
            Some(country) => format!("{address} ({country})"),
            None => address.to_string(),
        }
    }

    /// The same of an address that was kept as a text.
    pub(crate) fn shown_of(&self, text: &str) -> String {
        text.parse().map_or_else(|_| text.to_owned(), |address| self.shown(address))
    }
}

impl fmt::Debug for KnownPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KnownPlaces").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use token::place::Place;

    use super::KnownPlaces;

    #[test]
    fn a_place_has_its_country_where_that_is_known() {
        let norway = |address: IpAddr| Place {
            country: address.is_ipv4().then(|| "NO".parse().expect("country")),
            ..Place::default()
        };
        let known = KnownPlaces::new(Some(Arc::new(norway)));
        for (text, expected) in [
            ("192.0.2.7", "192.0.2.7 (NO)"),
            ("::ffff:192.0.2.7", "192.0.2.7 (NO)"),
            ("2001:db8::1", "2001:db8::1"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(known.shown_of(text), expected);
        }
        assert_eq!(KnownPlaces::default().shown_of("192.0.2.7"), "192.0.2.7");
    }
}
