//! The least of an HTTP client: plain, one request for each connection.

use std::io::{Error, Read as _, Write as _};
use std::net::TcpStream;

use openidconnect::http::{Request, Response};

/// Sends a request and reads the whole answer.
pub(crate) fn send(request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Error> {
    let uri = request.uri();
    let authority = uri.authority().ok_or(Error::other("no host"))?.as_str();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let mut head = format!("{} {target} HTTP/1.1\r\nhost: {authority}\r\n", request.method());
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().map_err(Error::other)?);
    }
    head += &format!("connection: close\r\ncontent-length: {}\r\n\r\n", request.body().len());
    let mut stream = TcpStream::connect(authority)?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(request.body())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parsed(&answer)
}

fn parsed(answer: &[u8]) -> Result<Response<Vec<u8>>, Error> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let (head, body) = answer.split_at(end.ok_or(Error::other("no head"))? + 4);
    let head = std::str::from_utf8(head).map_err(Error::other)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let mut response = Response::builder().status(status);
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        response = response.header(name, value);
    }
    response.body(body.to_vec()).map_err(Error::other)
}
