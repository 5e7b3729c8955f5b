//! One request at a time, and its response: bytes in, values out; whoever has the connection reads and writes.

use crate::http::body::{Body, Framing, Malformed};
use crate::http::head::{self, Parse};
use crate::limits::RUNTIME_API_ANSWER_BYTES_MAX;

/// A whole response.
pub struct Response {
    pub status: u16,
    /// The connection can carry another request.
    pub keep_alive: bool,
    /// `Lambda-Extension-Identifier`.
    pub identifier: Vec<u8>,
    pub body: Vec<u8>,
}

/// A request, as far as it is not written yet, and what has come of its response.
pub struct Exchange {
    outgoing: Vec<u8>,
    written_bytes: usize,
    incoming: Vec<u8>,
    is_asked: bool,
}

impl Exchange {
    /// Nothing is asked.
    #[must_use]
    pub const fn new() -> Exchange {
        Exchange {
            outgoing: Vec::new(),
            written_bytes: 0,
            incoming: Vec::new(),
            is_asked: false,
        }
    }

    /// Asks: the request is to be written.
    pub fn begin(&mut self, request: Vec<u8>) {
        self.outgoing = request;
        self.written_bytes = 0;
        self.incoming.clear();
        self.is_asked = true;
    }

    /// Gives up what is asked.
    pub fn abandon(&mut self) {
        self.outgoing.clear();
        self.incoming.clear();
        self.is_asked = false;
    }

    /// A response is awaited.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// What of the request is not written yet.
    #[must_use]
    pub fn unwritten(&self) -> &[u8] {
        self.outgoing.get(self.written_bytes..).unwrap_or_default()
    }

    /// So much of it was.
    pub const fn written(&mut self, bytes: usize) {
        self.written_bytes += bytes;
    }

    /// All that has come of the response.
    #[must_use]
    pub fn received(&self) -> &[u8] {
        &self.incoming
    }

    /// Takes what has come; [`Exchange::response`] must follow.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// The response, once it is whole; `Malformed` if there will be none. `is_ended`: no more bytes come.
    pub fn response(&mut self, is_ended: bool) -> Result<Option<Response>, Malformed> {
        if self.incoming.len() > RUNTIME_API_ANSWER_BYTES_MAX {
            return Err(Malformed);
        }
        let response = response(&self.incoming, is_ended)?;
        if response.is_some() {
            self.abandon();
        }
        Ok(response)
    }
}

impl Default for Exchange {
    fn default() -> Exchange {
        Exchange::new()
    }
}

/// The first final response in `bytes`.
fn response(bytes: &[u8], is_ended: bool) -> Result<Option<Response>, Malformed> {
    let missing = if is_ended { Err(Malformed) } else { Ok(None) };
    let mut rest = bytes;
    loop {
        let head = match head::response(rest) {
            Parse::Complete(head) => head,
            Parse::Partial => return missing,
            Parse::Malformed => return Err(Malformed),
        };
        rest = rest.get(head.bytes..).unwrap_or_default();
        if head.status < 200 {
            continue;
        }
        let mut framing = Body::new(head.framing);
        let mut body = Vec::new();
        while !rest.is_empty() && !framing.is_done() {
            body.extend_from_slice(framing.take(&mut rest)?);
        }
        let is_closed = is_ended && matches!(head.framing, Framing::UntilClose);
        if !framing.is_done() && !is_closed {
            return missing;
        }
        return Ok(Some(Response {
            status: head.status,
            keep_alive: head.keep_alive && !is_ended,
            identifier: head.identifier.unwrap_or_default().to_vec(),
            body,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A response that comes in these pieces, and then the connection's end if that is so.
    fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>, is_ended: bool) -> Option<Response> {
        let mut exchange = Exchange::new();
        exchange.begin(b"GET / HTTP/1.1\r\n\r\n".to_vec());
        while !exchange.unwritten().is_empty() {
            exchange.written(6);
        }
        for piece in pieces.chain(is_ended.then_some(&b""[..])) {
            assert!(exchange.is_asked());
            exchange.receive(piece);
            match exchange.response(piece.is_empty()) {
                Ok(Some(response)) => {
                    assert!(!exchange.is_asked() && exchange.received().is_empty());
                    return Some(response);
                }
                Ok(None) => assert!(!piece.is_empty()),
                Err(Malformed) => return None,
            }
        }
        None
    }

    #[test]
    fn responses_in_any_framing_and_chunking() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nLambda-Extension-Identifier: id\r\n\r\n\"OK\"",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nlambda-extension-identifier: id\r\ntransfer-encoding: chunked\r\n\r\n2\r\n\"O\r\n2\r\nK\"\r\n0\r\n\r\n",
        ] {
            let bytes = text.as_bytes();
            for end in 1..bytes.len() {
                assert!(read(bytes[..end].chunks(end), false).is_none(), "{end}");
                assert!(read(bytes[..end].chunks(end), true).is_none(), "{end}");
            }
            for size in [1, 2, 7, bytes.len()] {
                let response = read(bytes.chunks(size), false).unwrap();
                assert_eq!((response.status, response.keep_alive), (200, true));
                assert_eq!(response.body, b"\"OK\"");
                assert_eq!(response.identifier, b"id");
            }
        }
        let text = b"HTTP/1.0 200 OK\r\n\r\nbody";
        assert!(read(text.chunks(5), false).is_none());
        let response = read(text.chunks(5), true).unwrap();
        assert_eq!(
            (response.body, response.keep_alive),
            (b"body".to_vec(), false)
        );
        assert!(read(b"SSH-2.0\r\n\r\n".chunks(64), false).is_none());
    }

    #[test]
    fn a_response_without_end() {
        let mut exchange = Exchange::new();
        exchange.receive(b"HTTP/1.1 200 OK\r\n\r\n");
        while let Ok(response) = exchange.response(false) {
            assert!(response.is_none());
            assert!(exchange.received().len() <= RUNTIME_API_ANSWER_BYTES_MAX);
            exchange.receive(&[b'x'; 1024]);
        }
        assert!(exchange.received().len() > RUNTIME_API_ANSWER_BYTES_MAX);
        assert!(matches!(exchange.response(true), Err(Malformed)));
    }
}
