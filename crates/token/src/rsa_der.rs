//! The numbers of an RSA private key, out of its PKCS #8 document (RFC 5208 §5, RFC 8017 A.1.2).

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::io::der::{self, Tag};
use untrusted::{Input, Reader};
use zeroize::Zeroizing;

use crate::jwk::BadKey;
use crate::members::PrivateMembers;

/// The private members by the names of RFC 7518 §6.3.2.
const NAMES: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

/// Reads the private numbers, each without leading zeros.
///
/// # Errors
/// [`BadKey::Pkcs8`] when the document is not of that form.
pub(crate) fn private_members(pkcs8: &[u8]) -> Result<PrivateMembers, BadKey> {
    read_document(Input::from(pkcs8)).map_err(|_| BadKey::Pkcs8)
}

fn read_document(document: Input<'_>) -> Result<PrivateMembers, Unspecified> {
    let key = document.read_all(Unspecified, |reader| {
        der::nested(reader, Tag::Sequence, Unspecified, |reader| {
            der::small_nonnegative_integer(reader)?;
            der::expect_tag_and_get_value(reader, Tag::Sequence)?;
            der::expect_tag_and_get_value(reader, Tag::OctetString)
        })
    })?;
    key.read_all(Unspecified, |reader| {
        der::nested(reader, Tag::Sequence, Unspecified, read_numbers)
    })
}

fn read_numbers(reader: &mut Reader<'_>) -> Result<PrivateMembers, Unspecified> {
    der::small_nonnegative_integer(reader)?;
    let (_n, _e) = (der::positive_integer(reader)?, der::positive_integer(reader)?);
    NAMES
        .into_iter()
        .map(|name| {
            let number = der::positive_integer(reader)?;
            let bytes = number.big_endian_without_leading_zero().to_vec();
            Ok((name, Zeroizing::new(bytes)))
        })
        .collect()
}
