//! Bodies in chunks, whole and in parts.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;

use super::{Chunked, EXTENSIONS, LINE, Piece, TRAILERS};
use crate::error::BadBody;

/// The body, its trailers, and what comes after it; `None` when it is not whole.
type Read = Option<(Vec<u8>, Option<HeaderMap>, Vec<u8>)>;

/// Reads what comes in parts of so many bytes.
fn in_parts(text: &[u8], size: usize) -> Result<Read, BadBody> {
    let (mut chunked, mut unread, mut body) = (Chunked::new(), BytesMut::new(), Vec::new());
    let mut parts = text.chunks(size);
    loop {
        match chunked.piece(&mut unread)? {
            Piece::Data(data) => body.extend_from_slice(&data),
            Piece::Over(trailers) => {
                assert!(chunked.is_over());
                assert_eq!(chunked.piece(&mut unread), Ok(Piece::Over(None)));
                let rest = unread.iter().copied().chain(parts.flatten().copied());
                return Ok(Some((body, trailers, rest.collect())));
            }
            Piece::Unread => match parts.next() {
                Some(part) => unread.extend_from_slice(part),
                None => return Ok(None),
            },
        }
    }
}

fn read(text: impl AsRef<[u8]>) -> Result<Read, BadBody> {
    let text = text.as_ref();
    let whole = in_parts(text, usize::MAX);
    for size in [1, 2, 3, 7] {
        assert_eq!(in_parts(text, size).is_ok(), whole.is_ok(), "{}", text.escape_ascii());
        if whole.is_ok() {
            assert_eq!(in_parts(text, size), whole);
        }
    }
    whole
}

#[test]
fn chunks_become_a_body() {
    for (text, body) in [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
        ("005;a=b;c=\"d\"\r\nhello\r\n000 ;x\r\n\r\n", "hello"),
        ("A\r\n0123456789\r\na \r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"),
    ] {
        let with_rest = format!("{text}GET");
        let (read, trailers, rest) = read(with_rest).expect(text).expect("whole");
        assert_eq!((read, trailers, rest), (body.into(), None, b"GET".to_vec()), "{text:?}");
        assert_eq!(self::read(&text[..text.len() - 1]), Ok(None), "{text:?}");
    }
}

#[test]
fn trailers_come_with_the_end() {
    let (body, trailers, rest) =
        read("1\r\nx\r\n0\r\na: b\r\nc: d\r\n\r\nrest").expect("a body").expect("whole");
    assert_eq!((body.as_slice(), rest.as_slice()), (&b"x"[..], &b"rest"[..]));
    let trailers = trailers.expect("trailers");
    assert!(trailers["a"] == "b" && trailers["c"] == "d", "{trailers:?}");
    for bad in ["0\r\na: b\n\r\n", "0\r\na b\r\n\r\n", "0\r\n\n", "0\r\n : x\r\n\r\n"] {
        assert_eq!(read(bad), Err(BadBody::Trailers), "{bad:?}");
    }
    let long = format!("0\r\n{}\r\n", "a: b\r\n".repeat(TRAILERS / 6 + 1));
    assert_eq!(read(long), Err(BadBody::Trailers));
    let endless = format!("0\r\na: {}", "x".repeat(TRAILERS));
    assert_eq!(read(endless), Err(BadBody::Trailers));
}

#[test]
fn what_is_no_chunk_is_refused() {
    for (text, error) in [
        ("0x2\r\nhi\r\n", BadBody::ChunkSize),
        ("+2\r\nhi\r\n", BadBody::ChunkSize),
        ("-2\r\nhi\r\n", BadBody::ChunkSize),
        ("2_0\r\nhi\r\n", BadBody::ChunkSize),
        (" 2\r\nhi\r\n", BadBody::ChunkSize),
        ("\r\nhi\r\n", BadBody::ChunkSize),
        ("\n", BadBody::ChunkSize),
        ("2\nhi\r\n", BadBody::ChunkSize),
        ("2;a\nb\r\nhi\r\n", BadBody::ChunkSize),
        ("2;a\rb\r\nhi\r\n", BadBody::ChunkSize),
        ("2 x\r\nhi\r\n", BadBody::ChunkSize),
        ("1000000000000000\r\nhi\r\n", BadBody::ChunkSize),
        ("10000000000000002\r\nhi\r\n", BadBody::ChunkSize),
        ("0000000000000000000000000000000000002\r\nhi\r\n", BadBody::ChunkSize),
        ("2\r\nhiX\r\n0\r\n\r\n", BadBody::ChunkEnd),
        ("2\r\nhi\n0\r\n\r\n", BadBody::ChunkEnd),
        ("2\r\nhi0\r\n\r\n", BadBody::ChunkEnd),
    ] {
        assert_eq!(read(text), Err(error), "{text:?}");
    }
}

#[test]
fn extensions_have_an_end() {
    let one = format!("1;{}\r\nx\r\n", "a".repeat(LINE - 10));
    assert!(matches!(read(format!("{one}0\r\n\r\n")), Ok(Some(_))));
    let all = one.repeat(EXTENSIONS / (LINE - 10) + 1);
    assert_eq!(read(all), Err(BadBody::Extensions), "in all chunks together");
    assert_eq!(read(format!("1;{}", "a".repeat(LINE))), Err(BadBody::Extensions));
    let digits = "1;a\r\nx\r\n".repeat(EXTENSIONS / 2 + 1);
    assert_eq!(read(digits), Err(BadBody::Extensions));
}

#[test]
fn a_long_chunk_is_passed_on_as_it_comes() {
    let mut chunked = Chunked::new();
    let mut unread = BytesMut::from("fffffff\r\nabc");
    assert_eq!(chunked.piece(&mut unread), Ok(Piece::Data(Bytes::from("abc"))));
    assert_eq!(chunked.piece(&mut unread), Ok(Piece::Unread));
    assert_eq!(unread.capacity(), 0, "nothing is kept for it");
}
