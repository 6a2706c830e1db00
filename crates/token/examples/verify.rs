//! Verifies an access token: `verify KEY_SET_FILE ISSUER AUDIENCE TOKEN`.

#![expect(clippy::print_stdout, reason = "this is what it is for")]

use std::time::{Duration, SystemTime};

use token::key::KeySet;
use token::time::Timestamp;
use token::validate::{AccessTokenPolicy, verify_access_token};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [file, issuer, audience, text] =
        <[String; 4]>::try_from(Vec::from_iter(std::env::args().skip(1)))
            .map_err(|_| "usage: verify KEY_SET_FILE ISSUER AUDIENCE TOKEN")?;
    let keys = KeySet::from_jwks(&std::fs::read(file)?)?;
    let leeway = Duration::from_secs(5);
    let policy = AccessTokenPolicy { issuer, audiences: vec![audience], leeway };
    let seconds = SystemTime::UNIX_EPOCH.elapsed()?.as_secs();
    let now = Timestamp::from_secs(i64::try_from(seconds)?);
    let verified = verify_access_token(&text, &keys, &policy, now)?;
    println!("{} may {}", verified.claims().sub, verified.scopes());
    Ok(())
}
