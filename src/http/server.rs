//! The requests of one connection, one after the other: heads, framing, bounds, keep-alive, one answer each. Bytes in, wishes out:
//! whoever has the connection reads and writes. What the bodies are for is a [`Service`]'s business.

use crate::http::body::{Body, Framing};
use crate::http::head::{self, Parse};
use crate::limits::HEAD_BYTES_MAX;

/// The answer to every request; a service has no other.
pub const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// The same, before the connection is closed.
pub const LAST_ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// Before the answer, to a client that waits with its body.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// What the requests are for. Methods, paths and fields do not matter.
pub trait Service {
    /// Takes a run of the body, which is not empty.
    fn run(&mut self, run: &[u8]);
    /// The body has ended, or nothing more of it comes.
    fn end(&mut self);
    /// A request is not HTTP, or ends in its middle: before its [`Service::end`], if a body has begun.
    fn broken(&mut self);
}

/// What is wished of the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// More bytes.
    Read,
    /// An interim answer: the client waits with its body until it is told to send it.
    Continue,
    /// An answer: the request is complete.
    Answer { keep_alive: bool },
    /// The end: what came is not HTTP.
    Close,
}

/// Where a connection is in its requests.
pub struct Requests {
    /// A head that came in several pieces.
    head: Vec<u8>,
    /// `None` between requests and in a head.
    body: Option<Body>,
    keep_alive: bool,
}

impl Requests {
    #[must_use]
    pub const fn new() -> Requests {
        Requests {
            head: Vec::new(),
            body: None,
            keep_alive: true,
        }
    }

    /// In the middle of a request.
    #[must_use]
    pub const fn is_in_request(&self) -> bool {
        self.body.is_some() || !self.head.is_empty()
    }

    /// Takes bytes from the front of `input` until it wishes something; [`Wish::Read`] means that all are taken.
    pub fn feed(&mut self, input: &mut &[u8], service: &mut dyn Service) -> Wish {
        if self.body.is_none() {
            match self.take_head(input) {
                Wish::Answer { .. } => {}
                Wish::Close => {
                    service.broken();
                    self.head.clear();
                    return Wish::Close;
                }
                wish => return wish,
            }
        }
        let Some(body) = &mut self.body else {
            return Wish::Read;
        };
        while !body.is_done() && !input.is_empty() {
            let Ok(run) = body.take(input) else {
                // Not an error answer: the request would only come again.
                self.give_up(service);
                return Wish::Answer { keep_alive: false };
            };
            if !run.is_empty() {
                service.run(run);
            }
        }
        if !body.is_done() {
            return Wish::Read;
        }
        self.body = None;
        service.end();
        Wish::Answer {
            keep_alive: self.keep_alive,
        }
    }

    /// The connection has ended, or is not worth to be read on.
    pub fn give_up(&mut self, service: &mut dyn Service) {
        if self.is_in_request() {
            service.broken();
        }
        if self.body.take().is_some() {
            service.end();
        }
        self.head.clear();
    }

    /// Reads a head; `Answer` means that a body follows, which may be empty.
    fn take_head(&mut self, input: &mut &[u8]) -> Wish {
        if input.is_empty() {
            return Wish::Read;
        }
        // The bytes that a head may still have. With as many and no end it is too long, in whatever pieces it came.
        let before = self.head.len();
        let room = HEAD_BYTES_MAX.saturating_sub(before);
        let window = input.get(..room).unwrap_or(input);
        let parsed = if before == 0 {
            head::request(window)
        } else {
            self.head.extend_from_slice(window);
            head::request(&self.head)
        };
        match parsed {
            Parse::Complete(head) => {
                *input = input
                    .get(head.bytes.saturating_sub(before)..)
                    .unwrap_or_default();
                self.head.clear();
                let framing = match head.framing {
                    // A request without a length has no body; the answer must come all the same.
                    Framing::None | Framing::UntilClose => Framing::Length(0),
                    framing => framing,
                };
                self.body = Some(Body::new(framing));
                self.keep_alive = head.keep_alive;
                if head.expect_continue {
                    return Wish::Continue;
                }
                Wish::Answer { keep_alive: true }
            }
            Parse::Partial if window.len() < room => {
                if before == 0 {
                    self.head.extend_from_slice(window);
                }
                *input = &[];
                Wish::Read
            }
            Parse::Partial | Parse::Malformed => Wish::Close,
        }
    }
}

impl Default for Requests {
    fn default() -> Requests {
        Requests::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// What a service is told, in words.
    #[derive(Default, PartialEq, Debug)]
    struct Told(String);

    impl Service for Told {
        fn run(&mut self, run: &[u8]) {
            assert!(!run.is_empty());
            self.0.push_str(core::str::from_utf8(run).unwrap());
        }

        fn end(&mut self) {
            self.0.push('.');
        }

        fn broken(&mut self) {
            self.0.push('!');
        }
    }

    /// One connection, read to its end in these pieces.
    fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (String, Vec<Wish>) {
        let (mut requests, mut told) = (Requests::new(), Told::default());
        let wishes = fixtures::connection(pieces, |piece| {
            let wish = requests.feed(piece, &mut told);
            assert!(requests.head.capacity() <= 2 * HEAD_BYTES_MAX);
            wish
        });
        requests.give_up(&mut told);
        assert!(!requests.is_in_request());
        (told.0, wishes)
    }

    #[test]
    fn requests_in_any_chunking() {
        let answer = Wish::Answer { keep_alive: true };
        let last = Wish::Answer { keep_alive: false };
        let full = "a".repeat(HEAD_BYTES_MAX);
        for (text, told, wishes) in [
            ("", "", vec![]),
            ("GET / HTTP/1.1\r\n\r\n", ".", vec![answer]),
            (
                "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nokPUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nye\r\n1\r\ns\r\n0\r\n\r\n",
                "ok.yes.",
                vec![answer, answer],
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nokGET / HTTP/1.1\r\n\r\n",
                "ok.",
                vec![Wish::Continue, last],
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nok",
                "ok!.",
                vec![],
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nx",
                "ok!.",
                vec![last],
            ),
            ("POST / HTT", "!", vec![]),
            ("SSH-2.0-OpenSSH_9.6\r\n", "!", vec![Wish::Close]),
            (&full, "!", vec![Wish::Close]),
        ] {
            let bytes = text.as_bytes();
            let expected = (told.to_string(), wishes);
            assert_eq!(read([bytes].into_iter()), expected, "{text}");
            for size in [1, 2, 3, 7, 64] {
                assert_eq!(read(bytes.chunks(size)), expected, "{size}: {text}");
            }
        }
    }
}
