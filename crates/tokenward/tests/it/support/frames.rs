//! A connection of HTTP/2 as frames, for what no client library would send.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
pub(crate) const END_STREAM: u8 = 0x01;
pub(crate) const END_HEADERS: u8 = 0x04;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Http2(TcpStream);

/// What has come: kind, flags and stream of every frame.
#[derive(Debug)]
pub(crate) struct Frames(Vec<(u8, u8, u32)>);

/// A field, as literals without Huffman coding (RFC 7541 §6.2).
pub(crate) struct Literal<'f>(pub(crate) &'f str, pub(crate) &'f str);

// === impl Http2 ===

impl Http2 {
    /// A new connection, with its preface.
    pub(crate) fn to(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connection");
        stream.set_nodelay(true).expect("nodelay");
        stream.set_write_timeout(Some(PATIENCE)).expect("timeout");
        let mut http2 = Self(stream);
        http2.raw(PREFACE);
        http2.frame(SETTINGS, 0, 0, &[]);
        http2
    }

    /// Sends a frame; whether the other side takes it.
    pub(crate) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.raw(&Self::bytes(kind, flags, stream, payload))
    }

    /// The bytes of a frame.
    pub(crate) fn bytes(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("length").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// Sends bytes; whether the other side takes them.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// What comes until the other side closes, ends the first stream or is silent for so long.
    pub(crate) fn until_silent(&mut self, silence: Duration) -> Frames {
        self.0.set_read_timeout(Some(silence)).expect("timeout");
        let (mut held, mut frames, mut buffer) = (Vec::new(), Frames(Vec::new()), [0; 16 * 1024]);
        while let Ok(count @ 1..) = self.0.read(&mut buffer) {
            held.extend_from_slice(&buffer[..count]);
            while let Some(size) = whole(&held) {
                let stream = u32::from_be_bytes([held[5], held[6], held[7], held[8]]);
                frames.0.push((held[3], held[4], stream));
                held.drain(..size);
            }
            if frames.has_ended(1) {
                break;
            }
        }
        frames
    }
}

/// The size of the frame that these bytes begin with, if all of it is there.
fn whole(held: &[u8]) -> Option<usize> {
    let [a, b, c] = *held.first_chunk::<3>()?;
    let size = 9 + u32::from_be_bytes([0, a, b, c]) as usize;
    (held.len() >= size).then_some(size)
}

// === impl Frames ===

impl Frames {
    /// Whether a stream was answered to its end, or refused, or the connection was.
    pub(crate) fn has_ended(&self, stream: u32) -> bool {
        self.0.iter().any(|(kind, flags, own)| match *kind {
            GOAWAY => true,
            RST_STREAM => *own == stream,
            DATA | HEADERS => *own == stream && flags & END_STREAM != 0,
            _ => false,
        })
    }
}

// === impl Literal ===

impl Literal<'_> {
    /// Never indexed.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.after(0x00)
    }

    /// Kept in the dynamic table, where it is the first entry.
    pub(crate) fn indexed(&self) -> Vec<u8> {
        self.after(0x40)
    }

    fn after(&self, first: u8) -> Vec<u8> {
        let mut bytes = vec![first];
        for text in [self.0, self.1] {
            length(text.len(), &mut bytes);
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes
    }
}

/// An integer with a prefix of seven bits (RFC 7541 §5.1).
fn length(mut length: usize, bytes: &mut Vec<u8>) {
    if length < 0x7f {
        return bytes.push(length as u8);
    }
    bytes.push(0x7f);
    length -= 0x7f;
    while length >= 0x80 {
        bytes.push((length % 0x80) as u8 | 0x80);
        length /= 0x80;
    }
    bytes.push(length as u8);
}
