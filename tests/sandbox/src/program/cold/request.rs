//! The requests of an extension, read with as little work as will do: the clock is running.

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Register,
    /// By the Telemetry API or the Logs API.
    Subscribe,
    Next,
    Other,
}

/// A whole request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) call: Call,
    /// `Lambda-Extension-Name`.
    pub(crate) name: Option<String>,
    pub(crate) body: Vec<u8>,
    /// The connection ends after the answer.
    pub(crate) closes: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Partial,
    /// And how many bytes it took.
    Complete(Request, usize),
    /// Its body is held back until `100 Continue` comes.
    Expects,
    Malformed,
}

const HEADERS_MAX: usize = 64;

pub(crate) fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Request::new(&mut headers);
    let body_at = match head.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Malformed,
    };
    let header = |name: &str| {
        let found = head
            .headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok()
    };
    let rest = &bytes[body_at..];
    let body = if header("transfer-encoding").is_some_and(|value| value.contains("chunked")) {
        unchunk(rest)
    } else {
        let length = header("content-length").map_or(Ok(0), |text| text.trim().parse());
        length
            .map(|length: usize| rest.get(..length).map(|body| (body.to_vec(), length)))
            .map_err(drop)
    };
    let (body, used) = match body {
        Err(()) => return Parsed::Malformed,
        Ok(Some(body)) => body,
        Ok(None) if header("expect").is_some() && rest.is_empty() => return Parsed::Expects,
        Ok(None) => return Parsed::Partial,
    };
    let asks_to_close =
        header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let request = Request {
        call: call(
            head.method.unwrap_or_default(),
            head.path.unwrap_or_default(),
        ),
        name: header("lambda-extension-name").map(str::to_owned),
        body,
        closes: asks_to_close || head.version == Some(0),
    };
    Parsed::Complete(request, body_at + used)
}

fn call(method: &str, path: &str) -> Call {
    match (method, path) {
        ("POST", "/2020-01-01/extension/register") => Call::Register,
        ("GET", "/2020-01-01/extension/event/next") => Call::Next,
        ("PUT", "/2022-07-01/telemetry" | "/2020-08-15/logs") => Call::Subscribe,
        _ => Call::Other,
    }
}

/// The body, and how many bytes it took; `None` while it is not complete.
fn unchunk(mut bytes: &[u8]) -> Result<Option<(Vec<u8>, usize)>, ()> {
    let (mut body, all) = (Vec::new(), bytes.len());
    loop {
        let Ok(httparse::Status::Complete((at, size))) = httparse::parse_chunk_size(bytes) else {
            return match httparse::parse_chunk_size(bytes) {
                Err(_) => Err(()),
                Ok(_) => Ok(None),
            };
        };
        let size = usize::try_from(size).map_err(drop)?;
        let Some(chunk) = bytes
            .get(at..)
            .and_then(|rest| rest.get(..size.checked_add(2)?))
        else {
            return Ok(None);
        };
        body.extend_from_slice(&chunk[..size]);
        bytes = &bytes[at + size + 2..];
        if size == 0 {
            return Ok(Some((body, all - bytes.len())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REGISTER: &[u8] =
        b"POST /2020-01-01/extension/register HTTP/1.1\r\nLAMBDA-extension-name: one\r\n\
        content-length: 2\r\n\r\n{}";
    const SUBSCRIBE: &[u8] = b"PUT /2022-07-01/telemetry HTTP/1.1\r\nConnection: close\r\n\
        Transfer-Encoding: chunked\r\n\r\n3\r\n{\"a\r\n2;x=y\r\n\"}\r\n0\r\n\r\n";
    const NEXT: &[u8] = b"GET /2020-01-01/extension/event/next HTTP/1.0\r\n\r\n";

    fn complete(bytes: &[u8]) -> (Request, usize) {
        match parse(bytes) {
            Parsed::Complete(request, used) => (request, used),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_call_in_each_framing() {
        for (bytes, call, body, closes) in [
            (REGISTER, Call::Register, &b"{}"[..], false),
            (SUBSCRIBE, Call::Subscribe, b"{\"a\"}", true),
            (NEXT, Call::Next, b"", true),
            (
                b"PUT /2020-08-15/logs HTTP/1.1\r\n\r\n",
                Call::Subscribe,
                b"",
                false,
            ),
            (
                b"GET /2022-07-01/telemetry HTTP/1.1\r\n\r\n",
                Call::Other,
                b"",
                false,
            ),
        ] {
            let (request, used) = complete(bytes);
            assert_eq!(used, bytes.len());
            assert_eq!(
                (request.call, request.body.as_slice(), request.closes),
                (call, body, closes)
            );
        }
        assert_eq!(complete(REGISTER).0.name.as_deref(), Some("one"));
    }

    #[test]
    fn a_request_that_is_cut_anywhere_is_partial_and_a_second_one_stays() {
        for bytes in [REGISTER, SUBSCRIBE, NEXT] {
            for end in 0..bytes.len() {
                assert_eq!(parse(&bytes[..end]), Parsed::Partial, "cut at {end}");
            }
            let two = [bytes, NEXT].concat();
            assert_eq!(complete(&two).1, bytes.len());
        }
    }

    #[test]
    fn what_waits_and_what_is_wrong() {
        let expects = b"PUT / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
        assert_eq!(parse(expects), Parsed::Expects);
        assert_eq!(complete(&[&expects[..], b"{}"].concat()).0.body, b"{}");
        for wrong in [
            &b"\x16\x03\x01 nonsense"[..],
            b"GET / HTTP/1.1\r\nContent-Length: two\r\n\r\n",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert_eq!(parse(wrong), Parsed::Malformed);
        }
    }
}
