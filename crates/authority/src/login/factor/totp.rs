//! Time-based one-time passwords (RFC 6238), as every authenticator application makes them: HMAC-SHA-1, six
//! digits, steps of thirty seconds.

use aws_lc_rs::{constant_time, hmac};
use token::random::Random;
use token::time::Timestamp;

use super::base32;

/// RFC 4226 §4 recommends 160 bits.
const SECRET_BYTES: usize = 20;
const STEP_SECS: i64 = 30;
const DIGITS: usize = 6;

/// A new secret.
pub(crate) fn secret(random: &dyn Random) -> Vec<u8> {
    let mut secret = vec![0; SECRET_BYTES];
    random.fill(&mut secret);
    secret
}

/// The newest step whose code was typed: this one, or its neighbours where a clock is off (RFC 6238 §5.2).
/// `None` when it is none of theirs. The time that it takes says nothing about which.
pub(crate) fn fitting(secret: &[u8], typed: &str, now: Timestamp) -> Option<u64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let this = u64::try_from(now.as_secs() / STEP_SECS).unwrap_or_default();
    let steps = [this.saturating_sub(1), this, this.saturating_add(1)];
    let fits = |step: &u64| {
        let code = code(secret, *step);
        constant_time::verify_slices_are_equal(code.as_bytes(), typed.as_bytes()).is_ok()
    };
    steps.map(|step| fits(&step).then_some(step)).into_iter().flatten().last()
}

/// The code of a step (RFC 4226 §5.3).
pub(crate) fn code(secret: &[u8], step: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let offset = usize::from(tag.as_ref().last().copied().unwrap_or_default() & 0x0f);
    let part = tag.as_ref().get(offset..).and_then(|rest| rest.first_chunk::<4>());
    let number = u32::from_be_bytes(part.copied().unwrap_or_default()) & 0x7fff_ffff;
    format!("{:0DIGITS$}", number % 10u32.pow(DIGITS as u32))
}

/// The secret as people type it where no camera is.
pub(crate) fn written(secret: &[u8]) -> String {
    base32::grouped(&base32::encode(secret), " ")
}

/// What an application reads from the picture.
pub(crate) fn uri(host: &str, username: &str, secret: &[u8]) -> String {
    let part = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    // A `+` is no space here.
    let (host, username) = (part(host).replace('+', "%20"), part(username).replace('+', "%20"));
    let secret = base32::encode(secret);
    format!("otpauth://totp/{host}:{username}?secret={secret}&issuer={host}")
}

#[cfg(test)]
mod tests {
    use token::time::Timestamp;

    use super::{code, fitting, uri, written};

    /// RFC 6238 appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn makes_the_codes_of_rfc_6238() {
        for (time, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, time / 30), expected, "{time}");
        }
    }

    #[test]
    fn takes_the_codes_of_this_step_and_of_its_neighbours() {
        let now = Timestamp::from_secs(1_234_567_890);
        let this = 1_234_567_890 / 30;
        for (step, fits) in
            [(this - 2, false), (this - 1, true), (this, true), (this + 1, true), (this + 2, false)]
        {
            let found = fitting(SECRET, &code(SECRET, step), now);
            assert_eq!(found, fits.then_some(step), "{step}");
        }
        assert_eq!(fitting(SECRET, " 005 924 ", now), Some(this));
        for typed in ["", "5924", "0059240", "00592a", "٠٠٥٩٢٤"] {
            assert_eq!(fitting(SECRET, typed, now), None, "{typed}");
        }
    }

    #[test]
    fn is_told_to_applications_as_they_read_it() {
        assert_eq!(
            uri("id.example:8443/a", "alice b@c", SECRET),
            "otpauth://totp/id.example%3A8443%2Fa:alice%20b%40c\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=id.example%3A8443%2Fa"
        );
        assert_eq!(written(SECRET), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
