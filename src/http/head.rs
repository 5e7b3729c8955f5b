//! HTTP/1.1 heads of both directions; `httparse` reads their fields.
//!
//! A head is looked at whole, so it is parsed again with every byte run until it is complete; how long it may get is
//! the caller's bound.

use crate::http::body::Framing;
use crate::limits::HEAD_FIELDS_MAX;
use crate::text::decimal;
use crate::text::delimited::parts;

/// The result of looking at the bytes that are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parse<T> {
    Complete(T),
    /// A good beginning: try again with more bytes.
    Partial,
    Malformed,
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
pub fn request(bytes: &[u8]) -> Parse<RequestHead> {
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
pub fn response(bytes: &[u8]) -> Parse<ResponseHead<'_>> {
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
        keep_alive: !matches!(framing, Framing::UntilClose) && fields.keep_alive(minor_version),
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
    parts(list, b',').map(|item| item.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request_of(text: &str) -> RequestHead {
        match request(text.as_bytes()) {
            Parse::Complete(head) => head,
            other => panic!("{other:?} {text}"),
        }
    }

    fn response_of(text: &str) -> ResponseHead<'_> {
        match response(text.as_bytes()) {
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
            request(format!("{telemetry}[{{}}]").as_bytes()),
            Parse::Complete(expected)
        );
        for at in 0..telemetry.len() {
            assert_eq!(request(&telemetry.as_bytes()[..at]), Parse::Partial);
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
            assert_eq!(request_of(text), expected, "{text}");
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
            assert_eq!(request(text.as_bytes()), Parse::Malformed, "{text}");
        }
        for text in ["POST / HTTP/2.0\r\n\r\n", "\x16\x03\x01", "POST /\r\n\r\n"] {
            assert_eq!(request(text.as_bytes()), Parse::Malformed, "{text}");
        }
        let full = "a: b\r\n".repeat(HEAD_FIELDS_MAX);
        request_of(&format!("POST / HTTP/1.1\r\n{full}\r\n"));
        let over = format!("POST / HTTP/1.1\r\n{full}a: b\r\n\r\n");
        assert_eq!(request(over.as_bytes()), Parse::Malformed);
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
            response(format!("{register}{{}}").as_bytes()),
            Parse::Complete(expected)
        );
        for at in 0..register.len() {
            assert_eq!(response(&register.as_bytes()[..at]), Parse::Partial);
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
            assert_eq!(response_of(text), expected, "{text}");
        }
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: one\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n",
            "SSH-2.0-OpenSSH_9.6\r\n",
        ] {
            assert_eq!(response(text.as_bytes()), Parse::Malformed, "{text}");
        }
    }
}
