//! JA4, the fingerprint of a TLS client: what its first message offers, whatever order it is shuffled into.

use std::fmt::Write as _;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

/// The fingerprint of one TLS client, such as `t13d1516h2_8daaf6152771_e5627efa2ab1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ja4(Arc<str>);

/// What a first message offers.
#[derive(Default)]
struct Offer<'m> {
    version: u16,
    ciphers: Vec<u16>,
    extensions: Vec<u16>,
    names_host: bool,
    protocol: Option<&'m [u8]>,
    signatures: Vec<u16>,
}

/// TLS record of the handshake (RFC 8446 §5.1), and ClientHello in it (§4).
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
/// Extensions that are looked into.
const SERVER_NAME: u16 = 0x0000;
const SIGNATURE_ALGORITHMS: u16 = 0x000d;
const PROTOCOLS: u16 = 0x0010;
const SUPPORTED_VERSIONS: u16 = 0x002b;

// === impl Ja4 ===

impl Ja4 {
    /// Of what a client has sent first, by TCP: TLS records with its ClientHello. `None` when that is not
    /// whole, or is something else.
    pub fn of_records(bytes: &[u8]) -> Option<Self> {
        let (mut rest, mut message) = (bytes, Vec::new());
        // A long one may be spread over records.
        while let Some((kind, body)) = record(&mut rest) {
            if kind != HANDSHAKE {
                break;
            }
            message.extend_from_slice(body);
        }
        Some(offer(&message)?.fingerprint())
    }

    /// As events have it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// === impl Offer ===

impl Offer<'_> {
    fn fingerprint(&self) -> Ja4 {
        let mut text = format!(
            "t{}{}{:02}{:02}",
            version_name(self.version),
            if self.names_host { 'd' } else { 'i' },
            self.ciphers.len().min(99),
            self.extensions.len().min(99),
        );
        text.push_str(&self.protocol_name());
        let mut ciphers = self.ciphers.clone();
        ciphers.sort_unstable();
        let told = |kind: &&u16| ![SERVER_NAME, PROTOCOLS].contains(kind);
        let mut extensions: Vec<u16> = self.extensions.iter().filter(told).copied().collect();
        extensions.sort_unstable();
        let mut last = hex(&extensions);
        if !self.signatures.is_empty() {
            last = format!("{last}_{}", hex(&self.signatures));
        }
        let none = self.extensions.is_empty();
        let _ = write!(text, "_{}_{}", short(&hex(&ciphers)), short(if none { "" } else { &last }));
        Ja4(text.into())
    }

    /// First and last character of the first protocol that is offered.
    fn protocol_name(&self) -> String {
        let (Some(first), Some(last)) = (
            self.protocol.and_then(<[u8]>::first).copied(),
            self.protocol.and_then(<[u8]>::last).copied(),
        ) else {
            return "00".to_owned();
        };
        if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
            return [first, last].map(char::from).iter().collect();
        }
        let (first, last) = (format!("{first:02x}"), format!("{last:02x}"));
        format!("{}{}", &first[..1], &last[1..])
    }
}

fn offer(message: &[u8]) -> Option<Offer<'_>> {
    let mut rest = message;
    let (kind, length) = (take(&mut rest, 1)?, take(&mut rest, 3)?);
    if kind != [CLIENT_HELLO] {
        return None;
    }
    let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let mut body = take(&mut rest, length)?;
    let version = number(take(&mut body, 2)?)?;
    let _random = take(&mut body, 32)?;
    let _session = vector(&mut body, 1)?;
    let ciphers = numbers(vector(&mut body, 2)?);
    let _compression = vector(&mut body, 1)?;
    let mut offer = Offer { version, ciphers, ..Offer::default() };
    // Old clients end here.
    let mut extensions = if body.is_empty() { body } else { vector(&mut body, 2)? };
    while !extensions.is_empty() {
        let kind = number(take(&mut extensions, 2)?)?;
        offer.extension(kind, vector(&mut extensions, 2)?)?;
    }
    Some(offer)
}

impl<'m> Offer<'m> {
    fn extension(&mut self, kind: u16, content: &'m [u8]) -> Option<()> {
        if is_grease(kind) {
            return Some(());
        }
        self.extensions.push(kind);
        let mut content = content;
        match kind {
            SERVER_NAME => self.names_host = true,
            SIGNATURE_ALGORITHMS => self.signatures = numbers(vector(&mut content, 2)?),
            PROTOCOLS => {
                let mut list = vector(&mut content, 2)?;
                self.protocol = Some(vector(&mut list, 1)?);
            }
            SUPPORTED_VERSIONS => {
                let newest = numbers(vector(&mut content, 1)?).into_iter().max();
                self.version = newest.unwrap_or(self.version);
            }
            _ => {}
        }
        Some(())
    }
}

fn version_name(version: u16) -> &'static str {
    match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    }
}

/// Values that mean nothing and are sent so that nobody relies on there being none (RFC 8701).
fn is_grease(value: u16) -> bool {
    let [high, low] = value.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

fn hex(values: &[u16]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{value:04x}")).collect();
    values.join(",")
}

/// Twelve digits of the SHA-256.
fn short(text: &str) -> String {
    if text.is_empty() {
        return "0".repeat(12);
    }
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

fn record<'m>(rest: &mut &'m [u8]) -> Option<(u8, &'m [u8])> {
    let (kind, _version) = (take(rest, 1)?, take(rest, 2)?);
    Some((*kind.first()?, vector(rest, 2)?))
}

fn take<'m>(rest: &mut &'m [u8], count: usize) -> Option<&'m [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}

/// What follows a length of `width` bytes.
fn vector<'m>(rest: &mut &'m [u8], width: usize) -> Option<&'m [u8]> {
    let length = take(rest, width)?;
    take(rest, length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)))
}

fn number(bytes: &[u8]) -> Option<u16> {
    bytes.try_into().ok().map(u16::from_be_bytes)
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).filter_map(number).filter(|value| !is_grease(*value)).collect()
}

#[cfg(test)]
mod tests {
    use super::Ja4;

    fn list(width: usize, content: &[u8]) -> Vec<u8> {
        let length = content.len().to_be_bytes();
        [&length[length.len() - width..], content].concat()
    }

    fn words(values: &[u16]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_be_bytes()).collect()
    }

    fn hello(ciphers: &[u16], extensions: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut inner = Vec::new();
        for (kind, content) in extensions {
            inner.extend([words(&[*kind]), list(2, content)].concat());
        }
        let head = [&[3_u8, 3] as &[u8], &[7; 32], &list(1, &[9; 32])].concat();
        let body = [head, list(2, &words(ciphers)), list(1, &[0]), list(2, &inner)].concat();
        [vec![1], list(3, &body)].concat()
    }

    fn records(message: &[u8], longest: usize) -> Vec<u8> {
        let record = |part: &[u8]| [vec![22, 3, 1], list(2, part)].concat();
        message.chunks(longest).flat_map(record).collect()
    }

    /// The browser of the example in the published description of JA4.
    fn browser() -> Vec<u8> {
        let ciphers = [
            0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
            0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
        ];
        let signatures = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601];
        let protocols = [list(1, b"h2"), list(1, b"http/1.1")].concat();
        let mut extensions = vec![
            (0x5a5a, Vec::new()),
            (0x0000, list(2, &[&[0_u8] as &[u8], &list(2, b"api.example")].concat())),
            (0x000d, list(2, &words(&signatures))),
            (0x0010, list(2, &protocols)),
            (0x002b, list(1, &words(&[0xaaaa, 0x0304, 0x0303]))),
        ];
        let others = [
            0x001b, 0x0033, 0x4469, 0x0017, 0x002d, 0x0005, 0x0023, 0x0012, 0xff01, 0x000b, 0x000a,
            0x0015,
        ];
        extensions.extend(others.map(|kind| (kind, vec![0])));
        hello(&ciphers, &extensions)
    }

    #[test]
    fn the_published_example_is_met() {
        let expected = "t13d1516h2_8daaf6152771_e5627efa2ab1";
        for longest in [16_384, 100, 1] {
            let bytes = records(&browser(), longest);
            let found = Ja4::of_records(&bytes).expect("a fingerprint");
            assert_eq!(found.as_str(), expected, "in records of {longest}");
        }
        let mut more = records(&browser(), 16_384);
        more.extend([23, 3, 3, 0, 1, 0]);
        assert_eq!(Ja4::of_records(&more).expect("a fingerprint").as_str(), expected);
    }

    #[test]
    fn what_is_left_out_is_told_by_zeros() {
        for (message, expected) in [
            (hello(&[], &[]), "t12i000000_000000000000_000000000000"),
            (hello(&[0x1301], &[(0x0010, list(2, &list(1, &[0xab, 0xcd])))]), "t12i0101ad_"),
            (hello(&[0x1301], &[(0x0010, list(2, &list(1, b"x")))]), "t12i0101xx_"),
        ] {
            let found = Ja4::of_records(&records(&message, 16_384)).expect("a fingerprint");
            assert!(found.as_str().starts_with(expected), "{found:?}");
        }
    }

    #[test]
    fn what_is_not_whole_has_none_and_never_panics() {
        let bytes = records(&browser(), 16_384);
        for end in 0..bytes.len() {
            assert_eq!(Ja4::of_records(&bytes[..end]), None, "{end}");
        }
        for place in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[place] ^= 0xff;
            let _ = Ja4::of_records(&bent);
        }
        assert_eq!(Ja4::of_records(b"GET / HTTP/1.1\r\n\r\n"), None);
    }
}
