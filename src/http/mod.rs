//! HTTP/1.1 heads and body framing, both directions: bytes in, values out. `httparse` reads the heads.
//!
//! A head is looked at whole, so it is parsed again with every byte run until it is complete; how long it may get is
//! the caller's bound. A body is not kept: `Body` hands out the runs of it that are in the caller's buffer.
//!
//! ```text
//! request_head ─┐              ┌──▶ run of body bytes ──▶ json
//!               ├──▶ Framing ──▶ Body
//! response_head ┘              └──▶ done: the next byte belongs to the next message
//! ```

use crate::limits::{
    CHUNK_LINE_BYTES_MAX, CHUNK_SIZE_DIGITS_MAX, HEAD_FIELDS_MAX, TRAILER_BYTES_MAX,
};
use crate::text::decimal;

/// The result of looking at the bytes that are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parse<T> {
    Complete(T),
    /// A good beginning: try again with more bytes.
    Partial,
    Malformed,
}

/// The framing of a body is not that of HTTP; nothing behind it can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Framing {
    /// There is no body.
    None,
    /// So many bytes.
    Length(u64),
    Chunked,
    /// All that comes until the peer closes. Only in responses.
    UntilClose,
}

/// What a request's head says. Any method and path will do, and neither is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestHead {
    /// Length of the head: offset of the body.
    pub bytes: usize,
    pub framing: Framing,
    /// The connection may carry another request after this one.
    pub keep_alive: bool,
    /// The client waits for `100 Continue` before it sends the body.
    pub expect_continue: bool,
}

/// What a response's head says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResponseHead<'a> {
    /// Length of the head: offset of the body.
    pub bytes: usize,
    /// Below 200 it is an interim response, without a body: another head follows.
    pub status: u16,
    pub framing: Framing,
    /// The connection may carry another request after this response.
    pub keep_alive: bool,
    /// Value of `Lambda-Extension-Identifier` (Extensions API, register).
    pub identifier: Option<&'a [u8]>,
}

/// Reads the head of a request.
pub fn request_head(bytes: &[u8]) -> Parse<RequestHead> {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    let (line, rest) = bytes
        .split_at_checked(end.map_or(bytes.len(), |end| end + 1))
        .unwrap_or((bytes, b""));
    if !line
        .trim_ascii_end()
        .iter()
        .all(|byte| matches!(byte, b' '..=b'~'))
    {
        return Parse::Malformed;
    }
    if end.is_none() {
        return Parse::Partial;
    }
    let minor_version = match line.trim_ascii_end() {
        [
            ..,
            b' ',
            b'H',
            b'T',
            b'T',
            b'P',
            b'/',
            b'1',
            b'.',
            digit @ b'0'..=b'1',
        ] => digit - b'0',
        _ => return Parse::Malformed,
    };
    let mut headers = [httparse::EMPTY_HEADER; HEAD_FIELDS_MAX];
    let (length, headers) = match httparse::parse_headers(rest, &mut headers) {
        Ok(httparse::Status::Complete((length, headers))) => (length, headers),
        Ok(httparse::Status::Partial) => return Parse::Partial,
        Err(_) => return Parse::Malformed,
    };
    let Some(fields) = Fields::read(headers) else {
        return Parse::Malformed;
    };
    let framing = match (fields.transfer_coding, fields.content_length) {
        (Some(Coding::Chunked), None) => Framing::Chunked,
        (None, Some(length)) => Framing::Length(length),
        (None, None) => Framing::None,
        // A request's body has no other end.
        (Some(_), _) => return Parse::Malformed,
    };
    Parse::Complete(RequestHead {
        bytes: line.len() + length,
        framing,
        keep_alive: fields.keep_alive(minor_version),
        expect_continue: fields.expect_continue && minor_version > 0,
    })
}

/// Reads the head of a response. The request was not HEAD.
pub fn response_head(bytes: &[u8]) -> Parse<ResponseHead<'_>> {
    let mut headers = [httparse::EMPTY_HEADER; HEAD_FIELDS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parse::Partial,
        Err(_) => return Parse::Malformed,
    };
    let minor_version = response.version.unwrap_or(0);
    let status = response.code.unwrap_or(0);
    let Some(fields) = Fields::read(response.headers) else {
        return Parse::Malformed;
    };
    let framing = match (status, fields.transfer_coding, fields.content_length) {
        (100..=199 | 204 | 304, ..) => Framing::None,
        (_, Some(_), Some(_)) => return Parse::Malformed,
        (_, Some(Coding::Chunked), None) => Framing::Chunked,
        (_, None, Some(length)) => Framing::Length(length),
        (_, Some(Coding::Other) | None, None) => Framing::UntilClose,
    };
    Parse::Complete(ResponseHead {
        bytes: length,
        status,
        framing,
        keep_alive: framing != Framing::UntilClose && fields.keep_alive(minor_version),
        identifier: fields.identifier,
    })
}

/// The last transfer coding, which is the one that frames the body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Chunked,
    Other,
}

/// The header fields that matter to either side.
struct Fields<'a> {
    content_length: Option<u64>,
    transfer_coding: Option<Coding>,
    says_close: bool,
    says_keep_alive: bool,
    expect_continue: bool,
    identifier: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// `None` if a content length is no number, or two of them differ.
    fn read(headers: &[httparse::Header<'a>]) -> Option<Self> {
        let mut fields = Fields {
            content_length: None,
            transfer_coding: None,
            says_close: false,
            says_keep_alive: false,
            expect_continue: false,
            identifier: None,
        };
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                for item in items(header.value) {
                    let length = decimal::parse(item)?;
                    if fields.content_length.is_some_and(|other| other != length) {
                        return None;
                    }
                    fields.content_length = Some(length);
                }
            } else if is("transfer-encoding") {
                for item in items(header.value) {
                    let chunked = item.eq_ignore_ascii_case(b"chunked");
                    fields.transfer_coding = Some(if chunked {
                        Coding::Chunked
                    } else {
                        Coding::Other
                    });
                }
            } else if is("connection") {
                for item in items(header.value) {
                    fields.says_close |= item.eq_ignore_ascii_case(b"close");
                    fields.says_keep_alive |= item.eq_ignore_ascii_case(b"keep-alive");
                }
            } else if is("expect") {
                fields.expect_continue |= header.value.eq_ignore_ascii_case(b"100-continue");
            } else if is("lambda-extension-identifier") {
                fields.identifier = Some(header.value);
            }
        }
        Some(fields)
    }

    /// RFC 9112, section 9.3: HTTP/1.1 keeps a connection unless told otherwise, HTTP/1.0 closes it.
    fn keep_alive(&self, minor_version: u8) -> bool {
        !self.says_close && (minor_version > 0 || self.says_keep_alive)
    }
}

/// The items of a comma-separated list.
fn items(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',')
        .map(|item| item.trim_ascii())
}

/// The framing state of a body, resumable at every byte.
///
/// ```text
///           ┌──────────────── CR LF ────────────────┐
///           ▼                                       │
///   ChunkSize ──▶ ChunkExtension ── size > 0 ──▶ ChunkData ──▶ ChunkEnd
///                        └──── size 0 ──▶ Trailer ── empty line ──▶ Done
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Done,
    /// Bytes still to come.
    Length(u64),
    UntilClose,
    /// `digits` counts those read.
    ChunkSize {
        size: u64,
        digits: u8,
    },
    /// The rest of the size line, of which `line_bytes` were read.
    ChunkExtension {
        size: u64,
        line_bytes: u16,
    },
    /// Bytes of this chunk still to come.
    ChunkData(u64),
    ChunkEnd {
        after_carriage_return: bool,
    },
    /// `in_line` tells that the current line is not empty.
    Trailer {
        bytes: u16,
        in_line: bool,
    },
    Broken,
}

const CHUNK_START: State = State::ChunkSize { size: 0, digits: 0 };

impl Body {
    pub fn new(framing: Framing) -> Body {
        let state = match framing {
            Framing::None | Framing::Length(0) => State::Done,
            Framing::Length(bytes) => State::Length(bytes),
            Framing::Chunked => CHUNK_START,
            Framing::UntilClose => State::UntilClose,
        };
        Body { state }
    }

    /// Takes what belongs to this body from the front of `input`, up to the end of one run of body bytes, and
    /// returns that run. An empty run means that the body is done or the input used up.
    ///
    /// After `Malformed` every call says so again.
    pub fn take<'a>(&mut self, input: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
        loop {
            let left = match self.state {
                State::Length(left) | State::ChunkData(left) => left,
                State::UntilClose => u64::MAX,
                State::Done => return Ok(&[]),
                _ => {
                    let Some((&byte, rest)) = input.split_first() else {
                        return Ok(&[]);
                    };
                    *input = rest;
                    self.state = self.state.after(byte);
                    if self.state == State::Broken {
                        return Err(Malformed);
                    }
                    continue;
                }
            };
            let bytes: &'a [u8] = input;
            let fitting = usize::try_from(left).unwrap_or(usize::MAX);
            let (run, rest) = bytes.split_at_checked(fitting).unwrap_or((bytes, &[]));
            *input = rest;
            self.state = self.state.after_run(left.saturating_sub(run.len() as u64));
            return Ok(run);
        }
    }

    /// The body is complete. Never true of one that ends with its connection: there the close is the end.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }
}

impl State {
    /// After a run of body bytes, when so many are still to come.
    fn after_run(self, left: u64) -> State {
        match (self, left) {
            (State::Length(_), 0) => State::Done,
            (State::Length(_), _) => State::Length(left),
            (State::ChunkData(_), 0) => State::ChunkEnd {
                after_carriage_return: false,
            },
            (State::ChunkData(_), _) => State::ChunkData(left),
            _ => self,
        }
    }

    /// After one byte of chunk framing (RFC 9112, section 7.1). A bare line feed is as good as CR LF.
    fn after(self, byte: u8) -> State {
        match (self, byte) {
            (State::ChunkSize { size, digits }, _) => match (char::from(byte).to_digit(16), byte) {
                (Some(_), _) if digits == CHUNK_SIZE_DIGITS_MAX => State::Broken,
                (Some(digit), _) => State::ChunkSize {
                    size: size << 4 | u64::from(digit),
                    digits: digits.saturating_add(1),
                },
                (None, b';' | b' ' | b'\t' | b'\r' | b'\n') if digits > 0 => {
                    State::ChunkExtension {
                        size,
                        line_bytes: u16::from(digits),
                    }
                    .after(byte)
                }
                _ => State::Broken,
            },
            (State::ChunkExtension { size: 0, .. }, b'\n') => State::Trailer {
                bytes: 0,
                in_line: false,
            },
            (State::ChunkExtension { size, .. }, b'\n') => State::ChunkData(size),
            (State::ChunkExtension { size, line_bytes }, _)
                if line_bytes < CHUNK_LINE_BYTES_MAX =>
            {
                State::ChunkExtension {
                    size,
                    line_bytes: line_bytes.saturating_add(1),
                }
            }
            (State::ChunkEnd { .. }, b'\n') => CHUNK_START,
            (
                State::ChunkEnd {
                    after_carriage_return: false,
                },
                b'\r',
            ) => State::ChunkEnd {
                after_carriage_return: true,
            },
            (State::Trailer { in_line: false, .. }, b'\n') => State::Done,
            (State::Trailer { bytes, in_line }, _) if bytes < TRAILER_BYTES_MAX => State::Trailer {
                bytes: bytes.saturating_add(1),
                in_line: match byte {
                    b'\n' => false,
                    b'\r' => in_line,
                    _ => true,
                },
            },
            _ => State::Broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> RequestHead {
        match request_head(text.as_bytes()) {
            Parse::Complete(head) => head,
            other => panic!("{other:?} {text}"),
        }
    }

    fn response(text: &str) -> ResponseHead<'_> {
        match response_head(text.as_bytes()) {
            Parse::Complete(head) => head,
            other => panic!("{other:?} {text}"),
        }
    }

    #[test]
    fn request_heads() {
        let telemetry = "POST / HTTP/1.1\r\nHost: sandbox.localdomain:4243\r\nContent-Type: application/json\r\nContent-Length: 412\r\n\r\n";
        let expected = RequestHead {
            bytes: telemetry.len(),
            framing: Framing::Length(412),
            keep_alive: true,
            expect_continue: false,
        };
        assert_eq!(
            request_head(format!("{telemetry}[{{}}]").as_bytes()),
            Parse::Complete(expected)
        );
        for at in 0..telemetry.len() {
            assert_eq!(request_head(&telemetry.as_bytes()[..at]), Parse::Partial);
        }
        for (text, framing, keep_alive, expect_continue) in [
            ("GET /x HTTP/1.1\r\n\r\n", Framing::None, true, false),
            (
                "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n",
                Framing::Length(1),
                false,
                false,
            ),
            (
                "POST / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
                Framing::None,
                true,
                false,
            ),
            (
                "PUT / HTTP/1.1\r\nconnection: te, CLOSE\r\n\r\n",
                Framing::None,
                false,
                false,
            ),
            (
                "POST / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
                Framing::None,
                false,
                false,
            ),
            (
                "POST / HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n",
                Framing::Chunked,
                true,
                false,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
                Framing::Chunked,
                true,
                false,
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 7, 7\r\ncontent-length: 7\r\nExpect: 100-Continue\r\n\r\n",
                Framing::Length(7),
                true,
                true,
            ),
            (
                "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
                Framing::None,
                false,
                false,
            ),
            (
                "PATCH / HTTP/1.1\nContent-Length: 18446744073709551615\n\n",
                Framing::Length(u64::MAX),
                true,
                false,
            ),
        ] {
            let expected = RequestHead {
                bytes: text.len(),
                framing,
                keep_alive,
                expect_continue,
            };
            assert_eq!(request(text), expected, "{text}");
        }
    }

    #[test]
    fn malformed_requests() {
        for fields in [
            "Content-Length: 1\r\nContent-Length: 2\r\n",
            "Content-Length: 1, 2\r\n",
            "Content-Length: \r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 1x\r\n",
            "Content-Length: 18446744073709551616\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked, gzip\r\n",
            "Transfer-Encoding: identity\r\n",
            "no colon\r\n",
        ] {
            let text = format!("POST / HTTP/1.1\r\n{fields}\r\n");
            assert_eq!(request_head(text.as_bytes()), Parse::Malformed, "{text}");
        }
        for text in ["POST / HTTP/2.0\r\n\r\n", "\x16\x03\x01", "POST /\r\n\r\n"] {
            assert_eq!(request_head(text.as_bytes()), Parse::Malformed, "{text}");
        }
        let full = "a: b\r\n".repeat(HEAD_FIELDS_MAX);
        request(&format!("POST / HTTP/1.1\r\n{full}\r\n"));
        let over = format!("POST / HTTP/1.1\r\n{full}a: b\r\n\r\n");
        assert_eq!(request_head(over.as_bytes()), Parse::Malformed);
    }

    #[test]
    fn response_heads() {
        let register =
            "HTTP/1.1 200 OK\r\nLAMBDA-extension-Identifier: 5f0c-7\r\nContent-Length: 83\r\n\r\n";
        let expected = ResponseHead {
            bytes: register.len(),
            status: 200,
            framing: Framing::Length(83),
            keep_alive: true,
            identifier: Some(b"5f0c-7"),
        };
        assert_eq!(
            response_head(format!("{register}{{}}").as_bytes()),
            Parse::Complete(expected)
        );
        for at in 0..register.len() {
            assert_eq!(response_head(&register.as_bytes()[..at]), Parse::Partial);
        }
        for (text, status, framing, keep_alive) in [
            ("HTTP/1.1 100 Continue\r\n\r\n", 100, Framing::None, true),
            (
                "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
                204,
                Framing::None,
                true,
            ),
            ("HTTP/1.1 304\r\n\r\n", 304, Framing::None, true),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                200,
                Framing::Chunked,
                true,
            ),
            (
                "HTTP/1.1 503 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                503,
                Framing::Length(0),
                false,
            ),
            ("HTTP/1.1 200 OK\r\n\r\n", 200, Framing::UntilClose, false),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                200,
                Framing::UntilClose,
                false,
            ),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n",
                200,
                Framing::Length(1),
                false,
            ),
        ] {
            let expected = ResponseHead {
                bytes: text.len(),
                status,
                framing,
                keep_alive,
                identifier: None,
            };
            assert_eq!(response(text), expected, "{text}");
        }
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: one\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "SSH-2.0-OpenSSH_9.6\r\n",
        ] {
            assert_eq!(response_head(text.as_bytes()), Parse::Malformed, "{text}");
        }
    }

    /// What a body gave: its bytes, what was left of the input, and whether it was done; or the fault.
    type Outcome = Result<(Vec<u8>, usize, bool), Malformed>;

    fn read<'a>(framing: Framing, chunks: impl Iterator<Item = &'a [u8]>) -> Outcome {
        let mut body = Body::new(framing);
        let mut found = Vec::new();
        let mut left = 0;
        for mut chunk in chunks {
            loop {
                let run = body
                    .take(&mut chunk)
                    .inspect_err(|_| assert_eq!(body.take(&mut &b"0"[..]), Err(Malformed)))?;
                if run.is_empty() {
                    break;
                }
                found.extend_from_slice(run);
            }
            assert!(chunk.is_empty() || body.is_done());
            left += chunk.len();
        }
        Ok((found, left, body.is_done()))
    }

    fn any_chunking(framing: Framing, bytes: &[u8]) -> Outcome {
        let expected = read(framing, [bytes].into_iter());
        for at in 0..=bytes.len() {
            let (first, second) = bytes.split_at(at);
            assert_eq!(
                read(framing, [first, second].into_iter()),
                expected,
                "split at {at}"
            );
        }
        for size in 1..5 {
            assert_eq!(
                read(framing, bytes.chunks(size)),
                expected,
                "chunks of {size}"
            );
        }
        expected
    }

    #[test]
    fn bodies() {
        assert!(Body::new(Framing::None).is_done() && Body::new(Framing::Length(0)).is_done());
        let extension = "x".repeat(usize::from(CHUNK_LINE_BYTES_MAX) - 2);
        let trailer = "t".repeat(usize::from(TRAILER_BYTES_MAX) - 1);
        for (framing, bytes, body, left, done) in [
            (Framing::None, "GET", "", 3, true),
            (Framing::Length(0), "GET", "", 3, true),
            (Framing::Length(5), "hello", "hello", 0, true),
            (Framing::Length(5), "helloPOST", "hello", 4, true),
            (Framing::Length(5), "hell", "hell", 0, false),
            (Framing::UntilClose, "all of it", "all of it", 0, false),
            (Framing::Chunked, "0\r\n\r\n", "", 0, true),
            (
                Framing::Chunked,
                "5\r\nhello\r\n0\r\n\r\nPOST",
                "hello",
                4,
                true,
            ),
            (Framing::Chunked, "5\nhello\n00\n\n", "hello", 0, true),
            (
                Framing::Chunked,
                "3\r\nab\n\r\n00000000000000A\t; x=\"y\"\r\n0\r\n3456789\r\n0\r\n\r\n",
                "ab\n0\r\n3456789",
                0,
                true,
            ),
            (
                Framing::Chunked,
                "1\r\na\r\n0\r\nTrailer: 1\r\nOther: 2\r\n\r\nx",
                "a",
                1,
                true,
            ),
            (Framing::Chunked, "5\r\nhello\r\n0\r\n", "hello", 0, false),
            (
                Framing::Chunked,
                "ffffffffffffffff\r\nhello",
                "hello",
                0,
                false,
            ),
            (
                Framing::Chunked,
                &format!("1;{extension}\na\r\n0\r\n{trailer}\n\n"),
                "a",
                0,
                true,
            ),
        ] {
            let expected = Ok((body.as_bytes().to_vec(), left, done));
            let outcome = if bytes.len() < 500 {
                any_chunking(framing, bytes.as_bytes())
            } else {
                read(framing, bytes.as_bytes().chunks(1))
            };
            assert_eq!(outcome, expected, "{bytes}");
        }
        for bytes in [
            "\r\n",
            "x\r\n",
            ";x\r\n",
            "5x\r\nhello",
            "00000000000000001\r\na",
            "-1\r\n",
            "1\r\nab\r\n",
            "1\r\na\r\r\n",
            "1\r\na0\r\n\r\n",
            &format!("1;{extension}x\na\r\n0\r\n\r\n"),
            &format!("0\r\n{trailer}x\n\n"),
        ] {
            assert_eq!(
                read(Framing::Chunked, bytes.as_bytes().chunks(1)),
                Err(Malformed),
                "{bytes}"
            );
            assert_eq!(
                read(Framing::Chunked, [bytes.as_bytes()].into_iter()),
                Err(Malformed),
                "{bytes}"
            );
        }
    }
}
