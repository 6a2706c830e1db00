//! The master key: its notations, its file, and what is derived from it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use token::random::OsRandom;

use super::support::Fixture;
use crate::{BadMasterKey, MasterKey};

const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1F";
const BASE64: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn same(a: &MasterKey, b: &MasterKey) -> bool {
    a.derive("test", "label") == b.derive("test", "label")
}

#[test]
fn one_key_in_two_notations() {
    let hex = MasterKey::from_hex(HEX).expect("hex");
    assert!(same(&hex, &MasterKey::from_hex(&format!(" {HEX}\n")).expect("hex")));
    assert!(same(&hex, &MasterKey::from_base64(BASE64).expect("base64")));
    assert!(same(&hex, &MasterKey::from_base64(&format!("{BASE64}\n")).expect("base64")));
    assert_eq!(format!("{hex:?}"), "[redacted]");
}

#[test]
fn anything_else_is_refused_and_not_repeated() {
    let short = &HEX[..62];
    let long = format!("{HEX}00");
    let foreign = HEX.replace('f', "g");
    let inner = HEX.replacen('0', " ", 1).replacen('0', "x", 1);
    for text in ["", short, &long, &foreign, &inner, &"é".repeat(32)] {
        let refused = MasterKey::from_hex(text).expect_err(text);
        assert!(matches!(refused, BadMasterKey::Form));
        assert!(text.is_empty() || !refused.to_string().contains(text));
    }
    for text in ["", "AAEC", &BASE64[..43], HEX, &BASE64.replace('A', "-")] {
        assert!(matches!(MasterKey::from_base64(text), Err(BadMasterKey::Form)), "{text}");
    }
}

#[test]
fn a_key_file_is_made_once_and_read_afterwards() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("new").join("master.key");
    let made = MasterKey::load_or_create(&path, &OsRandom::new()).expect("key");
    let mode = |path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(path.as_path()), 0o600);
    assert_eq!(mode(path.parent().expect("parent")), 0o700);
    let read = MasterKey::load_or_create(&path, &OsRandom::new()).expect("key");
    assert!(same(&made, &read));
    assert_eq!(fs::read_dir(path.parent().expect("parent")).expect("folder").count(), 1);
}

#[test]
fn a_start_that_was_cut_short_does_not_stand_in_the_way() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("master.key");
    fs::write(folder.path().join("master.key.new"), "00").expect("half a key");
    MasterKey::load_or_create(&path, &OsRandom::new()).expect("key");
    assert_eq!(fs::read_to_string(&path).expect("file").len(), 65);
}

#[test]
fn a_file_that_is_no_key_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("master.key");
    for text in ["", "hunter2\n"] {
        fs::write(&path, text).expect("file");
        let refused = MasterKey::load_or_create(&path, &OsRandom::new());
        assert!(matches!(refused, Err(BadMasterKey::Form)));
        assert_eq!(fs::read_to_string(&path).expect("file"), text);
    }
    fs::write(&path, BASE64).expect("file");
    let read = MasterKey::load_or_create(&path, &OsRandom::new()).expect("key");
    assert!(same(&read, &MasterKey::from_hex(HEX).expect("hex")));
    let refused = MasterKey::load_or_create(folder.path(), &OsRandom::new());
    assert!(matches!(refused, Err(BadMasterKey::Io(_))));
}

#[test]
fn every_label_has_a_key_of_its_own() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let key = fixture.store.derive_key("event username");
    assert_eq!(key, fixture.store.derive_key("event username"));
    assert_ne!(key, fixture.store.derive_key("csrf"));
    assert_ne!(key, other.store.derive_key("event username"));
    assert_ne!(key, fixture.master.derive("tokenward seal", "event username"));
}
