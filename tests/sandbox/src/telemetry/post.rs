//! One batch to one subscriber over HTTP, in the shape that the deviations ask for.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use super::gate::{AwakeDeadline, Gate};
use super::subscription::Destination;

/// How a delivery looks on the wire.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wire {
    /// Heads and the first 2 KiB of bodies in segments of this many bytes, the rest in ordinary ones.
    pub segment: Option<usize>,
    /// Bodies chunked in place of `Content-Length`.
    pub chunked: bool,
    /// A new connection for each delivery.
    pub connection_each: bool,
    /// Headers nobody asked for, with a value of 1 KiB among them.
    pub extra_headers: bool,
}

/// How long Lambda waits for an answer is not known; this is a guess.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest a blocked read or write goes without looking at the freeze.
const SLICE: Duration = Duration::from_millis(20);

#[derive(Default)]
pub(crate) struct Poster {
    connection: Option<TcpStream>,
}

impl Poster {
    /// Posts one body and gives the answer's status.
    pub(crate) fn post(
        &mut self,
        to: &Destination,
        wire: Wire,
        body: &[u8],
        gate: &Gate,
    ) -> io::Result<u16> {
        let request = request(to, wire, body);
        if let Some(stream) = self.connection.take().filter(is_open) {
            // A kept connection may have been closed meanwhile: then once more on a fresh one.
            match self.exchange(stream, wire, &request, gate) {
                Err(error) if error.kind() != ErrorKind::TimedOut => {}
                outcome => return outcome,
            }
        }
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, to.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SLICE))?;
        stream.set_write_timeout(Some(SLICE))?;
        self.exchange(stream, wire, &request, gate)
    }

    fn exchange(
        &mut self,
        mut stream: TcpStream,
        wire: Wire,
        request: &[u8],
        gate: &Gate,
    ) -> io::Result<u16> {
        let mut deadline = AwakeDeadline::new(gate, ANSWER_TIMEOUT);
        write(&mut stream, request, wire.segment, &mut deadline)?;
        let (status, reusable) = answer(&mut stream, &mut deadline)?;
        if reusable && !wire.connection_each {
            self.connection = Some(stream);
        }
        Ok(status)
    }
}

fn request(to: &Destination, wire: Wire, body: &[u8]) -> Vec<u8> {
    let (method, path, host, port) = (&to.method, &to.path, &to.host, to.port);
    let mut bytes = Vec::with_capacity(body.len() + 256);
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    );
    bytes.extend_from_slice(head.as_bytes());
    if wire.connection_each {
        bytes.extend_from_slice(b"Connection: close\r\n");
    }
    if wire.extra_headers {
        let padding = "x".repeat(1024);
        let extra = format!(
            "User-Agent: Go-http-client/1.1\r\nSequence-Id: 47DEQpj8\r\nX-Padding: {padding}\r\n"
        );
        bytes.extend_from_slice(extra.as_bytes());
    }
    if !wire.chunked {
        bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
        bytes.extend_from_slice(body);
        return bytes;
    }
    bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    // Sizes that have nothing to do with where events begin.
    for piece in body.chunks(1021) {
        bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

fn write(
    stream: &mut TcpStream,
    bytes: &[u8],
    segment: Option<usize>,
    deadline: &mut AwakeDeadline,
) -> io::Result<()> {
    let mut written = 0;
    while written < bytes.len() {
        let length = match segment {
            None => bytes.len() - written,
            Some(segment) if written < 2048 => segment.max(1),
            Some(segment) => segment.max(1400),
        };
        let end = bytes.len().min(written + length);
        match stream.write(&bytes[written..end]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => written += count,
            Err(error) if is_slice(&error) => {}
            Err(error) => return Err(error),
        }
        if deadline.has_passed() {
            return Err(io::Error::new(
                ErrorKind::TimedOut,
                "the extension does not read its telemetry",
            ));
        }
    }
    Ok(())
}

/// Reads one answer to its end: its status, and whether the connection can be used again.
fn answer(stream: &mut TcpStream, deadline: &mut AwakeDeadline) -> io::Result<(u16, bool)> {
    let mut bytes = Vec::new();
    loop {
        if let Some((status, length, reusable)) = complete(&bytes)? {
            return Ok((status, reusable && bytes.len() == length));
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
            Err(error) if is_slice(&error) => {}
            Err(error) => return Err(error),
        }
        if deadline.has_passed() {
            return Err(io::Error::new(
                ErrorKind::TimedOut,
                "the extension does not answer its telemetry",
            ));
        }
    }
}

/// Status, total length and reusability, once head and body are there. A body without length is not waited for.
fn complete(bytes: &[u8]) -> io::Result<Option<(u16, usize, bool)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut headers);
    let head = match parsed.parse(bytes) {
        Ok(httparse::Status::Partial) => return Ok(None),
        Ok(httparse::Status::Complete(length)) => length,
        Err(error) => return Err(io::Error::new(ErrorKind::InvalidData, error.to_string())),
    };
    let header = |name: &str| {
        let found = parsed
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name));
        found.map(|header| {
            String::from_utf8_lossy(header.value)
                .trim()
                .to_ascii_lowercase()
        })
    };
    let keep_alive = parsed.version == Some(1) && header("connection").as_deref() != Some("close");
    let status = parsed.code.unwrap_or(0);
    match header("content-length").and_then(|text| text.parse::<usize>().ok()) {
        Some(length) if bytes.len() < head + length => Ok(None),
        Some(length) => Ok(Some((status, head + length, keep_alive))),
        None => Ok(Some((status, head, keep_alive && status == 204))),
    }
}

fn is_open(stream: &TcpStream) -> bool {
    if stream.set_nonblocking(true).is_err() {
        return false;
    }
    let quiet =
        matches!(stream.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock);
    quiet && stream.set_nonblocking(false).is_ok()
}

fn is_slice(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::http::{Answer, RequestReader};
    use crate::server::Server;

    #[test]
    fn every_shape_brings_the_same_body() {
        let (sender, received) = std::sync::mpsc::channel();
        let server = Server::start(Arc::new(move |stream, _| {
            let mut reader = RequestReader::new(stream);
            while let Ok(Some(request)) = reader.request() {
                let _ = sender.send(request);
                let _ = Answer::new(200, "OK").write(reader.stream(), false);
            }
        }))
        .unwrap();
        let to = Destination {
            host: "sandbox.localdomain".into(),
            port: server.address().port(),
            path: "/a/b".into(),
            method: "POST".into(),
        };
        let (gate, body) = (Gate::default(), "[\"some telemetry\"]".repeat(500));
        let mut poster = Poster::default();
        let plain = Wire::default();
        for wire in [
            plain,
            Wire {
                segment: Some(1),
                ..plain
            },
            Wire {
                chunked: true,
                ..plain
            },
            Wire {
                chunked: true,
                segment: Some(3),
                extra_headers: true,
                ..plain
            },
            Wire {
                connection_each: true,
                ..plain
            },
        ] {
            let before = server.accepted();
            for _ in 0..2 {
                assert_eq!(poster.post(&to, wire, body.as_bytes(), &gate).unwrap(), 200);
                let request = received.recv().unwrap();
                assert_eq!(
                    (request.path.as_str(), request.body == body.as_bytes()),
                    ("/a/b", true),
                    "{wire:?}"
                );
                assert_eq!(request.header("content-length").is_none(), wire.chunked);
                assert_eq!(request.header("x-padding").is_some(), wire.extra_headers);
            }
            if wire.connection_each {
                assert!(server.accepted() > before);
            }
        }
        assert_eq!(server.accepted(), 2);
    }

    #[test]
    fn an_answer_is_complete_with_its_body() {
        let complete = |text: &str| complete(text.as_bytes()).unwrap();
        assert_eq!(
            complete("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nO"),
            None
        );
        assert_eq!(
            complete("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"),
            Some((200, 40, true))
        );
        assert!(!complete("HTTP/1.0 200 OK\r\n\r\n").unwrap().2);
        assert_eq!(
            complete("HTTP/1.1 500 No\r\nConnection: close\r\ncontent-length: 0\r\n\r\n")
                .unwrap()
                .0,
            500
        );
    }
}
