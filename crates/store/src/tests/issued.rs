//! Records of issued tokens.

use super::support::{Fixture, issued, scopes};
use crate::IssuedToken;

#[tokio::test]
async fn a_record_reads_back_as_left() {
    let fixture = Fixture::new();
    let bare = IssuedToken { grant: None, session: Some("s1".into()), ..issued("t2") };
    for record in [issued("t1"), bare] {
        fixture.store.record_token(record.clone());
        // An act that is answered has every record before it on disk.
        fixture.store.set_meta("behind it", "1").await.expect("store");
        let held = fixture.store.issued_token(&record.token).await.expect("store");
        assert_eq!(held, Some(record));
    }
    assert_eq!(fixture.store.issued_token(&"t3".into()).await.expect("store"), None);
}

#[tokio::test]
async fn the_first_record_of_a_token_stays() {
    let fixture = Fixture::new();
    fixture.store.record_token(issued("t1"));
    fixture.store.record_token(IssuedToken { scopes: scopes("other"), ..issued("t1") });
    fixture.store.record_token(issued("t2"));
    fixture.store.set_meta("behind them", "1").await.expect("store");
    let held = fixture.store.issued_token(&"t1".into()).await.expect("store");
    assert_eq!(held, Some(issued("t1")));
    assert!(fixture.store.issued_token(&"t2".into()).await.expect("store").is_some());
    assert_eq!(fixture.store.health().lost_background, 0);
}
