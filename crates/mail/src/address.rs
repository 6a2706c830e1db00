//! An address that a letter can be sent to (RFC 5321 §4.1.2).

use std::fmt;

/// RFC 5321 §4.5.3.1.3, without the angle brackets.
const MAX_BYTES: usize = 254;

/// A mail address: one line, a local part and a domain, nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(pub(crate) lettre::Address);

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no mail address; write it like `name@example.com`")]
pub struct NotAnAddress;

// === impl Address ===

impl Address {
    /// Reads one.
    ///
    /// # Errors
    /// [`NotAnAddress`], also for a list of them and for what would begin another line.
    pub fn parse(text: &str) -> Result<Self, NotAnAddress> {
        let odd = |c: char| c.is_control() || c.is_whitespace();
        if text.len() > MAX_BYTES || text.contains(odd) {
            return Err(NotAnAddress);
        }
        text.parse().map(Self).map_err(|_| NotAnAddress)
    }

    /// Its domain, in the form in which domains are compared.
    pub fn domain(&self) -> String {
        domain(self.0.domain())
    }
}

/// A domain in the form in which it is compared: in lower case and in ASCII (RFC 5891 §5), as browsers send what
/// was typed with other letters.
pub fn domain(text: &str) -> String {
    url::Host::parse(text).map_or_else(|_| text.to_lowercase(), |host| host.to_string())
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, domain};

    #[test]
    fn a_domain_is_one_however_it_is_written() {
        for text in ["Müller.example", "mu\u{308}ller.EXAMPLE", "xn--mller-kva.example"] {
            assert_eq!(domain(text), "xn--mller-kva.example");
            let address = Address::parse(&format!("bob@{text}")).expect("address");
            assert_eq!(address.domain(), "xn--mller-kva.example");
        }
        assert_eq!(domain("ACME.example"), "acme.example");
        assert_eq!(domain("no domain"), "no domain");
    }
}
