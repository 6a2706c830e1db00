//! The crate openidconnect against the real program; the test is the person whom it sends somewhere.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::interop::variable;
use crate::support::Product;
use crate::support::browser::{Browser, arrive};

#[test]
fn a_person_a_renewal_and_a_device() {
    let product = Product::start();
    let mut browser = Browser::new();
    let mut child = Command::new(variable("TOKENWARD_INTEROP_RUST"))
        .env("ISSUER", product.said("issuer"))
        .env("CLIENT_ID", product.said("client_id"))
        .env("CLIENT_SECRET", product.said("client_secret"))
        .env("USERNAME", product.said("username"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let mut answers = child.stdin.take().expect("stdin");
    let mut last = String::new();
    for line in BufReader::new(child.stdout.take().expect("stdout")).lines() {
        last = line.expect("line");
        if let Some(url) = last.strip_prefix("open ") {
            let arrived = arrive(&product, &mut browser, url);
            let arrived = arrived.map(String::from).unwrap_or_default();
            writeln!(answers, "{arrived}").expect("answer");
        }
    }
    assert!(child.wait().expect("end").success() && last.starts_with("ok"), "{last}");
}
