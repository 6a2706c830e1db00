//! Files that these tests write, good and bad ones.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;
use token::event::NetworkKind;
use token::place::Places as _;

use crate::database::Database;
use crate::{Described, Geo, Source};

mod written;

use written::database;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let file = self.0.path().join(name);
        fs::write(&file, bytes).expect("written");
        file
    }
}

fn describe(geo: &Geo, address: &str) -> Described {
    geo.describe(address.parse().expect("an address"))
}

/// `NO AS64496 Hosting 59.9,10.7 Example Net; Oslo`, with `-` for what is not known.
fn told(geo: &Geo, address: &str) -> String {
    let Described { place, system, city } = describe(geo, address);
    let or = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    format!(
        "{} {} {} {} {}; {}",
        or(place.country.map(|country| country.to_string())),
        or(place.asn.map(|asn| format!("AS{asn}"))),
        or(place.net.map(|net| format!("{net:?}"))),
        or(place.coordinates.map(|(lat, lon)| format!("{lat},{lon}"))),
        or(system),
        or(city),
    )
}

fn sample() -> Vec<u8> {
    database(&[
        (
            "192.0.2.0/24",
            json!({
                "country": { "iso_code": "NO", "geoname_id": 3_144_096 },
                "registered_country": { "iso_code": "SE" },
                "city": { "geoname_id": 3_143_244, "names": { "de": "Oslo (de)", "en": "Oslo" } },
                "location": { "latitude": 59.9, "longitude": 10.7, "time_zone": "Europe/Oslo" },
                "traits": { "is_anonymous_vpn": true },
            }),
        ),
        ("198.51.100.0/25", json!({ "registered_country": { "iso_code": "DE" } })),
        ("198.51.100.128/25", json!({ "country": "a text", "city": 7 })),
        (
            "203.0.113.0/24",
            json!({
                "country_code": "AU", "city": "Sydney", "latitude": -33.8, "longitude": 151.2,
                "autonomous_system_number": 64_497,
                "autonomous_system_organization": "Example Mobile Pty",
            }),
        ),
        ("2001:db8::/32", json!({ "country_code": "GB", "latitude": 900.0, "longitude": 0.5 })),
    ])
}

#[test]
fn both_forms_of_records_are_read() {
    let folder = Folder::new();
    let geo = Geo::open(&[folder.file("a.mmdb", &sample())]).expect("good");
    for (address, expected) in [
        ("192.0.2.9", "NO - Vpn 59.9,10.7 -; Oslo"),
        ("::ffff:192.0.2.9", "NO - Vpn 59.9,10.7 -; Oslo"),
        ("198.51.100.1", "DE - - - -; -"),
        ("198.51.100.200", "- - - - -; -"),
        ("203.0.113.1", "AU AS64497 Mobile -33.8,151.2 Example Mobile Pty; Sydney"),
        ("2001:db8::1", "GB - - - -; -"),
        ("10.0.0.1", "- - - - -; -"),
        ("::1", "- - - - -; -"),
    ] {
        assert_eq!(told(&geo, address), expected, "{address}");
    }
}

#[test]
fn ranges_are_read_and_the_first_file_counts() {
    let folder = Folder::new();
    let systems = "0.0.0.0,0.0.0.255,64500,\n\
                   192.0.2.0,192.0.2.127,64496,\"Example, \"\"Hosting\"\" Ltd\"\n\
                   192.0.2.120,192.0.2.255,16509,Anything\n\
                   255.255.255.0,255.255.255.255,64499,Last\n\
                   2001:db8::,2001:db8::ffff,64496,Another name\n";
    let systems = folder.file("systems.csv", systems.as_bytes());
    let countries = folder.file("countries.csv", b"192.0.2.0,192.0.2.255,FI\r\n");
    let base = folder.file("base.mmdb", &sample());
    let geo = Geo::open(&[&systems, &countries, &base]).expect("good");
    for (address, expected) in [
        ("0.0.0.0", "- AS64500 - - -; -"),
        ("0.0.1.0", "- - - - -; -"),
        ("192.0.1.255", "- - - - -; -"),
        ("192.0.2.0", "FI AS64496 Hosting 59.9,10.7 Example, \"Hosting\" Ltd; Oslo"),
        ("192.0.2.120", "FI AS16509 Hosting 59.9,10.7 Anything; Oslo"),
        ("192.0.2.255", "FI AS16509 Hosting 59.9,10.7 Anything; Oslo"),
        ("255.255.255.255", "- AS64499 - - Last; -"),
        ("203.0.113.9", "AU AS64497 Mobile -33.8,151.2 Example Mobile Pty; Sydney"),
        ("2001:db8::ffff", "GB AS64496 Hosting - Example, \"Hosting\" Ltd; -"),
        ("2001:db8::1:0", "GB - - - -; -"),
    ] {
        assert_eq!(told(&geo, address), expected, "{address}");
    }
    let whole = Geo::open(&[folder.0.path()]).expect("a folder's files");
    let address: IpAddr = "192.0.2.0".parse().expect("an address");
    // By name: base, countries, systems.
    let place = whole.place(address);
    assert_eq!((place.net, place.asn), (Some(NetworkKind::Vpn), Some(64_496)));
    assert_eq!(Geo::default().place(address), token::place::Place::default());
}

#[test]
fn a_bad_file_is_named_with_its_reason() {
    let folder = Folder::new();
    let good = sample();
    let foreign = database(&[("192.0.2.0/24", json!({ "isp": "Example" }))]);
    for (name, bytes, words) in [
        ("half.mmdb", &good[..good.len() / 2], "half.mmdb: not a sound MaxMind DB, get it anew: "),
        ("empty.mmdb", b"", "empty.mmdb: not a sound MaxMind DB"),
        ("foreign.mmdb", &foreign, "foreign.mmdb: its records have neither country"),
        ("a.txt", b"x", "a.txt: the name of a database ends with `.mmdb` or `.csv`"),
        ("empty.csv", b"", "empty.csv, line 1: the file is empty"),
        ("form.csv", b"1.0.0.0,1.0.0.255", "form.csv, line 1: write `first,last,number,name`"),
        ("what.csv", b"1.0.0.0,1.0.0.255,-1,x", "what.csv, line 1: write `first,last,number"),
        ("address.csv", b"1.0.0.0,1.0.0,1,x", "address.csv, line 1: not an address"),
        ("family.csv", b"1.0.0.0,::1,1,x", "family.csv, line 1: first and last are of two"),
        ("back.csv", b"1.0.0.9,1.0.0.1,1,x", "back.csv, line 1: the last address comes before"),
        (
            "over.csv",
            b"1.0.0.8,1.0.0.9,1,x\n1.0.0.7,1.0.0.9,2,y\n",
            "over.csv, line 2: the range begins before the one above; sort",
        ),
        (
            "inside.csv",
            b"1.0.0.0,1.0.0.9,1,x\n1.0.0.1,1.0.0.8,2,y\n",
            "inside.csv, line 2: the range lies within the one above",
        ),
        ("bytes.csv", b"1.0.0.0,1.0.0.9,1,\xff\xff\n", "bytes.csv: stream did not contain"),
    ] {
        let file = folder.file(name, bytes);
        let error = Geo::open(&[&file]).err().expect(name).to_string();
        assert!(error.contains(words), "{error}");
    }
    let missing = folder.0.path().join("missing.mmdb");
    let error = Geo::open(&[missing]).err().expect("missing").to_string();
    assert!(error.contains("missing.mmdb: No such file"), "{error}");
    let nothing = tempfile::tempdir().expect("a folder");
    let error = Geo::open(&[nothing.path()]).err().expect("empty").to_string();
    assert!(error.contains("no file in this folder ends with"), "{error}");
}

/// Every byte of a file changed in three ways: it is refused, or it says something else; it never panics.
#[test]
fn a_file_that_was_tampered_with_never_panics() {
    let good = sample();
    let addresses =
        ["192.0.2.9", "198.51.100.200", "203.0.113.1", "2001:db8::1", "255.255.255.255"];
    let mut refused = 0;
    for place in 0..good.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[place] ^= change;
            match Database::new(Path::new("bent.mmdb"), bytes) {
                Ok(database) => {
                    let geo = Geo { sources: vec![Source::Database(database)] };
                    addresses.iter().for_each(|address| drop(describe(&geo, address)));
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 0);
}
