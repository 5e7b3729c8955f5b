//! HTTP/1.1 as the sandbox speaks it: requests it reads, answers it writes. Blocking, keep-alive,
//! `Content-Length` and chunked bodies.

use std::io::{self, Read, Write};
use std::net::TcpStream;

/// More than any answer or request of Lambda's APIs; a collector's body may be larger than a function's.
const BODY_BYTES_MAX: usize = 256 << 20;
const HEAD_BYTES_MAX: usize = 64 << 10;

/// One request, read whole.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Reads requests off one connection.
pub(crate) struct RequestReader {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl RequestReader {
    pub(crate) fn new(stream: TcpStream) -> Self {
        RequestReader {
            stream,
            buffer: Vec::new(),
        }
    }

    pub(crate) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// The next request, or `None` when the peer has closed between two.
    pub(crate) fn request(&mut self) -> io::Result<Option<Request>> {
        match self.head()? {
            None => Ok(None),
            Some(mut request) => {
                self.body(&mut request, usize::MAX)?;
                Ok(Some(request))
            }
        }
    }

    /// The head of the next request; its body stays unread.
    pub(crate) fn head(&mut self) -> io::Result<Option<Request>> {
        loop {
            if let Some((used, request)) = parse_head(&self.buffer)? {
                self.buffer.drain(..used);
                return Ok(Some(request));
            }
            if self.buffer.len() > HEAD_BYTES_MAX {
                return Err(invalid("a head of more than 64 KiB"));
            }
            if self.fill()? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(io::ErrorKind::UnexpectedEof.into())
                };
            }
        }
    }

    /// Reads the body that belongs to the head, but no more than `bytes_max` of it.
    pub(crate) fn body(&mut self, request: &mut Request, bytes_max: usize) -> io::Result<()> {
        if request
            .header("expect")
            .is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
        {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let chunked = request
            .header("transfer-encoding")
            .is_some_and(|value| value.contains("chunked"));
        if chunked {
            request.body = self.chunks(bytes_max)?;
            return Ok(());
        }
        let length = match request.header("content-length") {
            Some(text) => text
                .trim()
                .parse()
                .map_err(|_| invalid("a bad Content-Length"))?,
            None => 0usize,
        };
        if length > BODY_BYTES_MAX {
            return Err(invalid("a body of more than 256 MiB"));
        }
        request.body = self.exactly(length.min(bytes_max))?;
        Ok(())
    }

    fn chunks(&mut self, bytes_max: usize) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size =
                usize::from_str_radix(digits, 16).map_err(|_| invalid("a bad chunk size"))?;
            if size == 0 {
                while !self.line()?.is_empty() {}
                return Ok(body);
            }
            if body.len() + size > BODY_BYTES_MAX {
                return Err(invalid("a body of more than 256 MiB"));
            }
            body.extend(self.exactly(size.min(bytes_max - body.len()))?);
            if body.len() == bytes_max {
                return Ok(body);
            }
            self.line()?;
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
                self.buffer.drain(..end + 2);
                return Ok(line);
            }
            if self.fill()? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        let buffered = self.buffer.len().min(length);
        let mut bytes = Vec::with_capacity(length);
        bytes.extend(self.buffer.drain(..buffered));
        (&mut self.stream)
            .take((length - buffered) as u64)
            .read_to_end(&mut bytes)?;
        if bytes.len() < length {
            Err(io::ErrorKind::UnexpectedEof.into())
        } else {
            Ok(bytes)
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut piece = [0; 16 << 10];
        let count = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..count]);
        Ok(count)
    }
}

fn parse_head(bytes: &[u8]) -> io::Result<Option<(usize, Request)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Partial) => Ok(None),
        Err(error) => Err(invalid(&error.to_string())),
        Ok(httparse::Status::Complete(used)) => {
            let headers = parsed.headers.iter().map(|header| {
                (
                    header.name.to_string(),
                    String::from_utf8_lossy(header.value).trim().to_string(),
                )
            });
            let (method, path) = (
                parsed.method.unwrap_or_default(),
                parsed.path.unwrap_or_default(),
            );
            let request = Request {
                method: method.into(),
                path: path.into(),
                headers: headers.collect(),
                body: Vec::new(),
            };
            Ok(Some((used, request)))
        }
    }
}

/// An answer of the sandbox.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Answer {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// JSON as AWS's own server renders it: with a newline at the end.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Answer::new(status, format!("{body}\n")).with("Content-Type", "application/json")
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn write(&self, stream: &mut TcpStream, chunked: bool) -> io::Result<()> {
        let mut bytes = if chunked {
            self.head_with("Transfer-Encoding: chunked")
        } else {
            self.head()
        };
        if chunked {
            for piece in self.body.chunks(7) {
                write!(bytes, "{:x}\r\n", piece.len())?;
                bytes.extend_from_slice(piece);
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"0\r\n\r\n");
        } else {
            bytes.extend_from_slice(&self.body);
        }
        stream.write_all(&bytes)
    }

    /// The head of this answer sent as a whole.
    pub(crate) fn head(&self) -> Vec<u8> {
        self.head_with(&format!("Content-Length: {}", self.body.len()))
    }

    fn head_with(&self, framing: &str) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, phrase(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("{framing}\r\n\r\n"));
        head.into_bytes()
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        202 => "Accepted",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn read(bytes: &[u8], segment: usize) -> Vec<Request> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut sender = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        sender.set_nodelay(true).unwrap();
        let bytes = bytes.to_vec();
        let writer = std::thread::spawn(move || {
            bytes
                .chunks(segment)
                .for_each(|piece| sender.write_all(piece).unwrap());
        });
        let mut reader = RequestReader::new(listener.accept().unwrap().0);
        let mut requests = Vec::new();
        while let Some(request) = reader.request().unwrap() {
            requests.push(request);
        }
        writer.join().unwrap();
        requests
    }

    #[test]
    fn both_framings_in_any_segmentation() {
        let bytes = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPUT /b HTTP/1.1\r\n\
            Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1;x=y\r\nf\r\n0\r\n\r\nGET /c HTTP/1.1\r\nX-Y: z\r\n\r\n";
        for segment in [1, 2, 5, bytes.len()] {
            let requests = read(bytes, segment);
            let seen: Vec<_> = requests
                .iter()
                .map(|r| (r.path.as_str(), r.body.as_slice()))
                .collect();
            assert_eq!(
                seen,
                [("/a", &b"abc"[..]), ("/b", b"def"), ("/c", b"")],
                "in segments of {segment}"
            );
            assert_eq!(requests[2].header("x-y"), Some("z"));
        }
    }
}
