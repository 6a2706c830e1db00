//! By which program something came, as far as a TLS fingerprint says it, and else the User-Agent.

use crate::sketch::hash;

/// What of a JA4 belongs to the program: the TLS version and the ciphers that it offers. Its extensions differ when a
/// session is resumed, or with a name that is none; `None` for QUIC, for which programs offer other ciphers than over
/// TCP, so that the two say nothing of each other. What is no JA4 is taken whole.
pub(crate) fn library(ja4: &str) -> Option<u64> {
    if ja4.starts_with('q') {
        return None;
    }
    let mut parts = ja4.split('_');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(first), Some(ciphers), Some(_), None) if first.len() == 10 => {
            let version = first.get(..3).unwrap_or_default();
            Some(hash::both(hash::text(version), hash::text(ciphers)))
        }
        _ => Some(hash::text(ja4)),
    }
}

/// The program as a number: the TLS fingerprint where there is one, since anybody can send any User-Agent.
pub(crate) fn of(ja4: Option<&str>, ua: Option<&str>) -> Option<u64> {
    ja4.map_or_else(|| ua.map(hash::text), library)
}

#[cfg(test)]
mod tests {
    use super::{library, of};

    #[test]
    fn a_program_is_the_same_however_it_is_connected() {
        // Chrome, new and resumed (`pre_shared_key`), and to an address instead of a name.
        let new = library("t13d1516h2_8daaf6152771_02713d6af862");
        assert!(new.is_some());
        assert_eq!(new, library("t13d1517h2_8daaf6152771_b0da82dd1658"));
        assert_eq!(new, library("t13i1515h2_8daaf6152771_de4a06bb82e3"));
        assert_ne!(new, library("t13d301000_01455d0db58d_5ac7197df9d2"));
        assert_ne!(new, library("t12d1516h2_8daaf6152771_02713d6af862"));
        assert_eq!(library("q13d0312h3_55b375c5d22e_06cda9e17597"), None);
    }

    #[test]
    fn what_is_no_ja4_is_taken_whole() {
        assert_ne!(library("abc_def_ghi"), library("abc_def_xyz"));
        assert_ne!(library(""), library("a"));
        assert_ne!(library("t13d1516h2_8daaf6152771"), library("t13d1517h2_8daaf6152771"));
    }

    #[test]
    fn the_user_agent_says_it_where_there_is_no_fingerprint() {
        assert_ne!(of(None, Some("curl/8.1")), None);
        assert_eq!(of(Some("q13d0312h3_55b375c5d22e_06cda9e17597"), Some("curl/8.1")), None);
        assert_eq!(of(None, None), None);
    }
}
