//! What is remembered, and what is not.

use std::sync::Arc;

use token::opaque::OpaqueHash;
use token::reason::{Forgery, Reason, Refused};
use token::validate::{Claimed, TokenRefused};

use super::{Remembered, TokenCache, Under};

const KEYS: Under = Under::Keys { issuer: 0, version: 1 };

/// Counts what was found out under this version of the keys.
fn under(version: u64) -> impl Fn(&Under) -> bool {
    move |under| *under == Under::Keys { issuer: 0, version }
}

fn refused(refused: impl Into<Refused>) -> Arc<TokenRefused> {
    let claimed = Claimed::default();
    Arc::new(TokenRefused { refused: refused.into(), detail: "", claimed, missed: None })
}

#[test]
fn a_forgery_is_remembered_under_its_keys_only() {
    let cache = TokenCache::new(10);
    let token = OpaqueHash::of("x");
    assert!(cache.find(&token, under(1)).is_none());
    cache.remember_refused(token, KEYS, &refused(Forgery::BadSignature));
    assert!(matches!(cache.find(&token, under(1)), Some(Remembered::Refused(_))));
    assert!(cache.find(&token, under(2)).is_none(), "with another key it may be good");
    assert!(cache.find(&OpaqueHash::of("y"), under(1)).is_none());
}

#[test]
fn what_time_can_mend_is_not_remembered() {
    let cache = TokenCache::new(10);
    let token = OpaqueHash::of("x");
    for reason in [Reason::NotYetValid, Reason::Expired, Reason::Malformed] {
        cache.remember_refused(token, KEYS, &refused(reason));
        assert!(cache.find(&token, under(1)).is_none(), "{reason:?}");
    }
}

#[test]
fn forgeries_have_a_bounded_room() {
    let cache = TokenCache::new(16);
    let bad = refused(Forgery::BadSignature);
    for number in 0..10_000 {
        cache.remember_refused(OpaqueHash::of(&number.to_string()), KEYS, &bad);
    }
    assert!(cache.bad.len() <= 64, "{}", cache.bad.len());
    assert_eq!(cache.good.len(), 0);
}
