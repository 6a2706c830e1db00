//! Where an address is, as far as a local database knows: country and autonomous system, and what rules say
//! of them.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::event::{NetworkKind, Origin};

/// A country, by its two letters (ISO 3166-1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

/// A text that is no country.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a country: write the two letters of ISO 3166, such as NO")]
pub struct NotCountry(String);

/// What is known of the place and the network of an address. What is absent is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Where the network is used.
    pub country: Option<Country>,
    /// The autonomous system that announces it.
    pub asn: Option<u32>,
    /// What kind of network it is.
    pub net: Option<NetworkKind>,
    /// Latitude and longitude in degrees, north and east positive.
    pub coordinates: Option<(f64, f64)>,
}

/// Who knows where addresses are. Asked on the way of a request: it may neither wait nor fail.
pub trait Places: Send + Sync + 'static {
    /// Where this address is.
    fn place(&self, address: IpAddr) -> Place;
}

impl<F: Fn(IpAddr) -> Place + Send + Sync + 'static> Places for F {
    fn place(&self, address: IpAddr) -> Place {
        self(address)
    }
}

/// What a rule asks of a place. Its text is the same everywhere: `countries:NO,SE`, `not_asns:64496`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PlaceTest {
    /// In one of these autonomous systems.
    Asns(Box<[u32]>),
    /// In one of these countries.
    Countries(Box<[Country]>),
    /// In none of these autonomous systems.
    NotAsns(Box<[u32]>),
    /// In none of these countries.
    NotCountries(Box<[Country]>),
}

/// A text that is no test of a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPlaceTest {
    /// Another word stands before the list, or none.
    #[error(
        "`{0}` is no test of a place: write it as `countries:NO,SE`, `not_countries:…`, `asns:64496` or `not_asns:…`"
    )]
    Word(String),
    /// After `asns:` or `not_asns:`.
    #[error(
        "`asns:` and `not_asns:` want 1 to 256 numbers of autonomous systems separated by commas, such as \
         64496,64511; 0 stands for an unknown one"
    )]
    Asns,
    /// After `countries:` or `not_countries:`.
    #[error(
        "`countries:` and `not_countries:` want 1 to 256 countries separated by commas, each by the two \
         letters of ISO 3166, such as NO,SE; ZZ stands for an unknown one"
    )]
    Countries,
}

/// The number that no system has (RFC 7607): it stands for a system that is not known.
const UNKNOWN_ASN: u32 = 0;
/// Every country there is, and some.
const MOST: usize = 256;

// === impl Country ===

impl Country {
    /// Stands for a country that is not known; no country has it.
    pub const UNKNOWN: Self = Self(*b"ZZ");
}

impl FromStr for Country {
    type Err = NotCountry;

    fn from_str(text: &str) -> Result<Self, NotCountry> {
        match *text.as_bytes() {
            [first, second] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() => {
                Ok(Self([first.to_ascii_uppercase(), second.to_ascii_uppercase()]))
            }
            _ => Err(NotCountry(text.chars().take(64).collect())),
        }
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl Place ===

/// `NO, AS64496`, `an unknown place`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.country, self.asn) {
            (Some(country), Some(asn)) => write!(f, "{country}, AS{asn}"),
            (Some(country), None) => write!(f, "{country}"),
            (None, Some(asn)) => write!(f, "AS{asn}"),
            (None, None) => f.write_str("an unknown place"),
        }
    }
}

// === impl PlaceTest ===

impl PlaceTest {
    /// Whether a place is one of those that are meant. An unknown country is in no list but one with
    /// [`Country::UNKNOWN`], an unknown system in none but one with 0.
    pub fn admits(&self, place: &Place) -> bool {
        let country = place.country.unwrap_or(Country::UNKNOWN);
        let asn = place.asn.unwrap_or(UNKNOWN_ASN);
        match self {
            Self::Asns(list) => list.contains(&asn),
            Self::Countries(list) => list.contains(&country),
            Self::NotAsns(list) => !list.contains(&asn),
            Self::NotCountries(list) => !list.contains(&country),
        }
    }

    /// A test of the countries or systems that are listed.
    ///
    /// # Errors
    /// [`NotPlaceTest`] when the word is one of the four and the list is not good; `None` for another word.
    pub fn parse(word: &str, list: &str) -> Option<Result<Self, NotPlaceTest>> {
        let countries = || listed(list, |text| text.parse().ok()).ok_or(NotPlaceTest::Countries);
        let asns = || listed(list, asn).ok_or(NotPlaceTest::Asns);
        Some(match word {
            "asns" => asns().map(Self::Asns),
            "countries" => countries().map(Self::Countries),
            "not_asns" => asns().map(Self::NotAsns),
            "not_countries" => countries().map(Self::NotCountries),
            _ => return None,
        })
    }
}

impl FromStr for PlaceTest {
    type Err = NotPlaceTest;

    fn from_str(text: &str) -> Result<Self, NotPlaceTest> {
        let (word, list) = text.split_once(':').unwrap_or((text, ""));
        let other = || NotPlaceTest::Word(word.chars().take(64).collect());
        Self::parse(word, list).ok_or_else(other)?
    }
}

impl Serialize for PlaceTest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PlaceTest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for PlaceTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asns(list) => write(f, "asns", list),
            Self::Countries(list) => write(f, "countries", list),
            Self::NotAsns(list) => write(f, "not_asns", list),
            Self::NotCountries(list) => write(f, "not_countries", list),
        }
    }
}

fn write<T: fmt::Display>(f: &mut fmt::Formatter<'_>, word: &str, list: &[T]) -> fmt::Result {
    f.write_str(word)?;
    for (number, item) in list.iter().enumerate() {
        let before = if number == 0 { ':' } else { ',' };
        write!(f, "{before}{item}")?;
    }
    Ok(())
}

fn listed<T>(list: &str, read: impl Fn(&str) -> Option<T>) -> Option<Box<[T]>> {
    let items: Box<[T]> = list.split(',').map(read).collect::<Option<_>>()?;
    (items.len() <= MOST).then_some(items)
}

/// A number, with or without `AS` before it.
fn asn(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("AS").unwrap_or(text);
    let number = digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| digits.parse().ok()).flatten()
}

// === impl Origin ===

impl Origin {
    /// Adds what a database knows; whoever made the event knew better.
    pub fn complete(&mut self, place: &Place) {
        if self.country.is_none() {
            self.country = place.country.map(|country| country.to_string());
        }
        self.asn = self.asn.or(place.asn);
        self.net = self.net.or(place.net);
        if let (None, None, Some((lat, lon))) = (self.lat, self.lon, place.coordinates) {
            (self.lat, self.lon) = (Some(lat), Some(lon));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, PlaceTest};
    use crate::event::Origin;

    fn test(text: &str) -> PlaceTest {
        let (word, list) = text.split_once(':').expect("a word and a list");
        PlaceTest::parse(word, list).expect("a known word").expect(text)
    }

    fn place(country: &str, asn: u32) -> Place {
        Place { country: country.parse().ok(), asn: Some(asn), ..Place::default() }
    }

    #[test]
    fn a_place_is_in_the_list_or_not() {
        let unknown = Place::default();
        for (text, norway, sweden, nowhere) in [
            ("countries:NO,DK", true, false, false),
            ("countries:NO,ZZ", true, false, true),
            ("not_countries:SE", true, false, true),
            ("not_countries:SE,ZZ", true, false, false),
            ("asns:64496,AS64500", true, false, false),
            ("asns:64496,0", true, false, true),
            ("not_asns:64497", true, false, true),
            ("not_asns:64497,0", true, false, false),
        ] {
            let test = test(text);
            assert_eq!(test.admits(&place("no", 64_496)), norway, "{text}");
            assert_eq!(test.admits(&place("SE", 64_497)), sweden, "{text}");
            assert_eq!(test.admits(&unknown), nowhere, "{text}");
        }
        assert_eq!(test("countries:no").to_string(), "countries:NO");
        assert_eq!(test("not_asns:AS1,2").to_string(), "not_asns:1,2");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let many = vec!["1"; 257].join(",");
        for (word, list) in [
            ("countries", ""),
            ("countries", "NOR"),
            ("countries", "N1"),
            ("countries", "NO, SE"),
            ("asns", ""),
            ("asns", "-1"),
            ("asns", "+1"),
            ("asns", "4294967296"),
            ("not_asns", &many),
        ] {
            assert!(PlaceTest::parse(word, list).expect("known").is_err(), "{word}:{list}");
        }
        assert!(PlaceTest::parse("networks", "NO").is_none());
    }

    #[test]
    fn what_an_event_says_itself_stands() {
        let mut origin = Origin { country: Some("SE".to_owned()), ..Origin::default() };
        origin.complete(&Place { coordinates: Some((59.9, 10.7)), ..place("NO", 64_496) });
        assert_eq!((origin.country.as_deref(), origin.asn), (Some("SE"), Some(64_496)));
        assert_eq!((origin.lat, origin.lon), (Some(59.9), Some(10.7)));
    }

    #[test]
    fn a_test_is_kept_as_its_text() {
        for text in ["countries:NO,SE", "not_countries:ZZ", "asns:64496", "not_asns:0"] {
            let test: PlaceTest = text.parse().expect(text);
            let json = serde_json::to_string(&test).expect("json");
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<PlaceTest>(&json).expect("test"), test);
        }
        for text in
            ["", "countries", "countries:", "country:NO", "countries:Norway", "asns:-1", ":NO"]
        {
            assert!(text.parse::<PlaceTest>().is_err(), "{text}");
        }
    }
}
