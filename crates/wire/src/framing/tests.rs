//! Every reading of a message's end.

use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Version};

use super::{Decoder, keeps};
use crate::chunked::{Chunked, Piece};
use crate::error::{BadBody, BadHead};

const TE: &str = "transfer-encoding";
const CL: &str = "content-length";

fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields {
        map.append(*name, HeaderValue::from_static(value));
    }
    map
}

#[test]
fn a_request_has_one_end_or_is_refused() {
    let cases: &[(&[_], _)] = &[
        (&[], Ok(Decoder::OVER)),
        (&[(CL, "0")], Ok(Decoder::OVER)),
        (&[(CL, "005")], Ok(Decoder::Length(5))),
        (&[(TE, "chunked")], Ok(Decoder::Chunked(Chunked::new()))),
        (&[(TE, "Chunked")], Ok(Decoder::Chunked(Chunked::new()))),
        (&[(CL, "5"), (CL, "5")], Err(BadHead::Length)),
        (&[(CL, "5, 5")], Err(BadHead::Length)),
        (&[(CL, "+5")], Err(BadHead::Length)),
        (&[(CL, "")], Err(BadHead::Length)),
        (&[(CL, "18446744073709551616")], Err(BadHead::Length)),
        (&[(TE, "gzip, chunked")], Err(BadHead::TransferEncoding)),
        (&[(TE, "chunked, chunked")], Err(BadHead::TransferEncoding)),
        (&[(TE, "chunked"), (TE, "chunked")], Err(BadHead::TransferEncoding)),
        (&[(TE, "identity")], Err(BadHead::TransferEncoding)),
        (&[(TE, "")], Err(BadHead::TransferEncoding)),
        (&[(TE, "chunked"), (CL, "5")], Err(BadHead::LengthBesideCoding)),
        (&[(TE, "chunked"), (CL, "x")], Err(BadHead::LengthBesideCoding)),
    ];
    for (told, wanted) in cases {
        let decoder = Decoder::of_request(Version::HTTP_11, &fields(told));
        assert_eq!(&decoder, wanted, "{told:?}");
    }
    let decoder = Decoder::of_request(Version::HTTP_10, &fields(&[(TE, "chunked")]));
    assert_eq!(decoder, Err(BadHead::TransferEncoding), "HTTP/1.0 has none");
}

#[test]
fn an_answer_ends_as_its_request_and_status_have_it() {
    let of = |method: &Method, status: u16, told: &[(&'static str, &'static str)]| {
        let status = StatusCode::from_u16(status).expect("status");
        Decoder::of_response(method, status, Version::HTTP_11, &fields(told))
    };
    let get = &Method::GET;
    assert_eq!(of(&Method::HEAD, 200, &[(CL, "5")]), Ok(Decoder::OVER));
    for status in [101, 204, 304] {
        assert_eq!(of(get, status, &[(CL, "5")]), Ok(Decoder::OVER), "{status}");
    }
    assert_eq!(of(get, 200, &[]), Ok(Decoder::ToEnd));
    assert_eq!(of(get, 200, &[(CL, "5"), (CL, "5")]), Ok(Decoder::Length(5)));
    assert_eq!(of(get, 200, &[(CL, "5"), (CL, "6")]), Err(BadHead::Length));
    let chunked = Ok(Decoder::Chunked(Chunked::new()));
    assert_eq!(of(get, 200, &[(TE, "chunked"), (CL, "5")]), chunked);
    assert_eq!(of(get, 200, &[(TE, "gzip, chunked")]), Err(BadHead::TransferEncoding));
}

#[test]
fn a_body_is_over_when_all_of_it_has_come() {
    let mut unread = BytesMut::from("hello, and more");
    let mut decoder = Decoder::Length(5);
    assert_eq!(decoder.size_hint().exact(), Some(5));
    assert_eq!(decoder.end(), Err(BadBody::BrokenOff));
    assert_eq!(decoder.piece(&mut unread), Ok(Piece::Data("hello".into())));
    assert!(decoder.is_over());
    assert_eq!(decoder.piece(&mut unread), Ok(Piece::Over(None)));
    assert_eq!(decoder.end(), Ok(()));
    let mut decoder = Decoder::ToEnd;
    assert_eq!(decoder.piece(&mut unread), Ok(Piece::Data(", and more".into())));
    assert_eq!(decoder.piece(&mut unread), Ok(Piece::Unread));
    assert!(!decoder.is_over());
    assert_eq!(decoder.end(), Ok(()));
    assert!(decoder.is_over());
    let mut decoder = Decoder::Chunked(Chunked::new());
    assert_eq!((decoder.size_hint().exact(), decoder.end()), (None, Err(BadBody::BrokenOff)));
}

#[test]
fn a_connection_goes_on_as_both_versions_have_it() {
    use Version as V;
    for (version, told, goes_on) in [
        (V::HTTP_11, "", true),
        (V::HTTP_11, "te, Close", false),
        (V::HTTP_11, "closed", true),
        (V::HTTP_10, "", false),
        (V::HTTP_10, "Keep-Alive", true),
        (V::HTTP_10, "keep-alive, close", false),
    ] {
        let told =
            HeaderMap::from_iter([(http::header::CONNECTION, HeaderValue::from_static(told))]);
        assert_eq!(keeps(version, &told), goes_on, "{version:?} {told:?}");
    }
}
