//! Every reading of a message's end, and the fields that state it.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Version};

use super::{BadFraming, Framing, framing};

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn one_reading_or_none() {
    const TE: &str = "transfer-encoding";
    const CL: &str = "content-length";
    let cases: [(&[_], bool, Option<u64>, _); 13] = [
        (&[], true, Some(0), Ok(Framing::None)),
        (&[(CL, "0")], true, Some(0), Ok(Framing::None)),
        (&[(CL, "5")], true, Some(0), Err(BadFraming::Length)),
        (&[(CL, "5")], false, Some(5), Ok(Framing::Length(5))),
        (&[(CL, "5")], false, Some(6), Err(BadFraming::Length)),
        (&[(CL, "5")], false, None, Err(BadFraming::Length)),
        (&[(CL, "5"), (CL, "5")], false, Some(5), Err(BadFraming::TwoLengths)),
        (&[(CL, "5, 5")], false, Some(5), Err(BadFraming::Length)),
        (&[(CL, "+5")], false, Some(5), Err(BadFraming::Length)),
        (&[(TE, "Chunked")], false, None, Ok(Framing::Chunked)),
        (&[(TE, "gzip, chunked")], false, None, Err(BadFraming::TransferEncoding)),
        (&[(TE, "chunked"), (TE, "chunked")], false, None, Err(BadFraming::TransferEncoding)),
        (&[(TE, "chunked"), (CL, "5")], false, None, Err(BadFraming::TransferEncoding)),
    ];
    for (fields, ended, exact, expected) in cases {
        let settled = framing(Version::HTTP_11, &headers(fields), ended, exact);
        assert_eq!(settled, expected, "{fields:?}");
    }
    let chunked = headers(&[(TE, "chunked")]);
    for version in [Version::HTTP_10, Version::HTTP_2] {
        let settled = framing(version, &chunked, false, None);
        assert_eq!(settled, Err(BadFraming::TransferEncoding), "{version:?}");
    }
    let settled = framing(Version::HTTP_2, &headers(&[]), false, None);
    assert_eq!(settled, Ok(Framing::Chunked), "HTTP/2 needs no length");
}

#[test]
fn it_is_stated_whatever_was_said_before() {
    let said = [("transfer-encoding", "chunked"), ("content-length", "9")];
    for (framing, length, coding) in
        [(Framing::Length(5), Some("5"), None), (Framing::Chunked, None, Some("chunked"))]
    {
        let mut headers = headers(&said);
        framing.write(&mut headers);
        assert_eq!(
            headers.get(CONTENT_LENGTH).map(HeaderValue::as_bytes),
            length.map(str::as_bytes)
        );
        assert_eq!(
            headers.get(TRANSFER_ENCODING).map(HeaderValue::as_bytes),
            coding.map(str::as_bytes)
        );
    }
}
