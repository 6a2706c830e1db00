//! The JWTs behind opaque tokens.

use token::opaque::Family;
use token::random::OsRandom;
use token::secret::Secret;

use super::support::{Fixture, after};
use crate::{Forgotten, StoreError};

const JWT: &str = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl";

fn opaque() -> Secret {
    Family::Access.generate(&OsRandom::new())
}

#[tokio::test]
async fn a_reference_survives_the_end_of_the_process_and_ends_at_its_time() {
    let fixture = Fixture::new();
    let (token, other) = (opaque(), opaque());
    let store = &fixture.store;
    store.keep_reference(&token, &Secret::new(JWT), after(60)).await.expect("kept");
    let fixture = fixture.reopen(after(1)).await;
    let store = &fixture.store;
    let held = store.reference(token.expose()).expect("store").expect("reference");
    assert_eq!(held.expose(), JWT);
    assert!(store.reference(other.expose()).expect("store").is_none());
    assert_eq!(store.forget(after(59)).await.expect("forget"), Forgotten::default());
    let forgotten = store.forget(after(60)).await.expect("forget");
    assert_eq!(forgotten, Forgotten { references: 1, ..Forgotten::default() });
    assert!(store.reference(token.expose()).expect("store").is_none());
}

#[tokio::test]
async fn a_token_stands_for_one_jwt_for_ever() {
    let fixture = Fixture::new();
    let token = opaque();
    fixture.store.keep_reference(&token, &Secret::new(JWT), after(60)).await.expect("kept");
    let again = fixture.store.keep_reference(&token, &Secret::new("other"), after(60)).await;
    assert!(matches!(again, Err(StoreError::NameTaken { .. })));
    let held = fixture.store.reference(token.expose()).expect("store").expect("reference");
    assert_eq!(held.expose(), JWT);
}

#[tokio::test]
async fn the_file_holds_neither_the_token_nor_the_jwt() {
    let fixture = Fixture::new();
    let token = opaque();
    fixture.store.keep_reference(&token, &Secret::new(JWT), after(60)).await.expect("kept");
    fixture.store.close().await;
    for entry in std::fs::read_dir(fixture.folder.path().join("data")).expect("folder") {
        let bytes = std::fs::read(entry.expect("entry").path()).expect("file");
        for secret in [token.expose(), JWT, "eyJzdWIiOiJ1MSJ9"] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is readable at rest");
        }
    }
}
