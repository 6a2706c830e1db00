//! Nonces for proofs (RFC 9449 §8 and §9): a time under a secret, so that nothing has to be remembered and every replica knows them.

use std::time::Duration;

use aws_lc_rs::hmac;

use crate::base64url;
use crate::random::Random;
use crate::time::Timestamp;

/// Bytes of the time, and of the HMAC's part that is sent.
const TIME_BYTES: usize = 8;
const TAG_BYTES: usize = 16;

/// Makes nonces and knows them again.
pub struct Nonces {
    key: hmac::Key,
    life: Duration,
    since: Timestamp,
}

/// How far ahead the clock of another replica may be.
const SKEW: Duration = Duration::from_secs(5);

// === impl Nonces ===

impl Nonces {
    /// Nonces that are good for `life`; whoever has the same secret knows them.
    pub fn new(secret: &[u8; 32], life: Duration) -> Self {
        let since = Timestamp::from_millis(i64::MIN);
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, secret), life, since }
    }

    /// Knows none that are older than this: where which proofs were used is only in memory, none from before its
    /// start may count. Who has an older one is told a new one.
    #[must_use]
    pub fn since(self, since: Timestamp) -> Self {
        Self { since, ..self }
    }

    /// The same with a secret of this process's own.
    pub fn of_this_process(random: &dyn Random, life: Duration) -> Self {
        let mut secret = zeroize::Zeroizing::new([0; 32]);
        random.fill(secret.as_mut_slice());
        Self::new(&secret, life)
    }

    /// A nonce of now.
    pub fn issue(&self, now: Timestamp) -> String {
        let mut bytes = now.as_millis().to_be_bytes().to_vec();
        let tag = hmac::sign(&self.key, &bytes);
        bytes.extend(&tag.as_ref()[..TAG_BYTES]);
        base64url::encode(bytes)
    }

    /// Whether we issued it, not longer ago than it lives.
    pub fn knows(&self, nonce: &str, now: Timestamp) -> bool {
        let Some(bytes) = base64url::decode(nonce) else { return false };
        let Some((time, tag)) = bytes.split_first_chunk::<TIME_BYTES>() else { return false };
        let ours = hmac::sign(&self.key, time);
        if aws_lc_rs::constant_time::verify_slices_are_equal(&ours.as_ref()[..TAG_BYTES], tag)
            .is_err()
        {
            return false;
        }
        let issued = Timestamp::from_millis(i64::from_be_bytes(*time));
        issued >= self.since && issued <= now.plus(SKEW) && now.since(issued) <= self.life
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Nonces;
    use crate::time::Timestamp;

    #[test]
    fn a_nonce_is_known_by_whoever_has_the_secret_until_it_is_old() {
        let nonces = |secret| Nonces::new(&[secret; 32], Duration::from_secs(60));
        let now = Timestamp::from_secs(1_790_000_000);
        let nonce = nonces(1).issue(now);
        assert!(nonces(1).knows(&nonce, now));
        assert!(nonces(1).knows(&nonce, now.plus(Duration::from_secs(60))));
        assert!(!nonces(1).knows(&nonce, now.plus(Duration::from_secs(61))));
        assert!(nonces(1).knows(&nonce, now.minus(Duration::from_secs(5))), "another replica's");
        assert!(!nonces(1).knows(&nonce, now.minus(Duration::from_secs(6))));
        assert!(nonces(1).since(now).knows(&nonce, now));
        let later = now.plus(Duration::from_millis(1));
        assert!(!nonces(1).since(later).knows(&nonce, later), "from before the start");
        assert!(!nonces(2).knows(&nonce, now));
        for text in ["", "AAAA", &nonce[1..], &format!("{nonce}AAAA"), &"A".repeat(32)] {
            assert!(!nonces(1).knows(text, now), "{text}");
        }
        assert_ne!(nonce, nonces(1).issue(now.plus(Duration::from_millis(1))));
    }
}
