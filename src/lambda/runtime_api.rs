//! The conversation with Lambda: register, subscribe, next. Requests are written by hand and answers read as they come.
//!
//! Before there is a reactor, [`RuntimeApi::exchange`] waits for one answer after the other. Later nothing here waits: the
//! reactor polls the connection and lets it be served.
//!
//! One connection, one request at a time. `next` is outstanding on it for hours, so it has no timeout of its own; when the
//! connection is lost, next is asked again on a new one, with pauses that double.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use miniserde::Deserialize;
use miniserde::de::Visitor;

use crate::clock::{Clocks, Mono, Wall};
use crate::http::body::{Body, Framing};
use crate::http::head::{self, Parse};
use crate::lambda::request_id::RequestId;
use crate::limits::{
    NEXT_REFUSALS_MAX, NEXT_RETRY_MS_MAX, NEXT_RETRY_MS_MIN, NEXT_UNREACHABLE_MS_MAX,
    RUNTIME_API_ANSWER_BYTES_MAX,
};
use crate::sys;
use crate::sys::survival::{self, Next};
use crate::text::address;
use crate::text::decimal;
use crate::text::delimited;
use crate::text::hosts;
use crate::text::json;

/// The heads of the requests, whole but for what only the running process knows; laid out by `build.rs`.
pub mod heads {
    include!(concat!(env!("OUT_DIR"), "/heads.rs"));
}

/// Where the Runtime API is: `AWS_LAMBDA_RUNTIME_API`, a host and a port, in some emulators with a scheme and a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub address: SocketAddr,
    /// As it was given, for the `Host` header.
    host: Vec<u8>,
    /// Before every path; empty on Lambda.
    prefix: Vec<u8>,
}

impl Endpoint {
    /// Reads the variable. A name other than `localhost` is looked up in the hosts file, which is read only then.
    #[must_use]
    pub fn parse(text: &str, hosts_file: fn() -> Vec<u8>) -> Option<Endpoint> {
        let text = text.strip_prefix("http://").unwrap_or(text);
        let (host, prefix) = match text.bytes().position(|byte| byte == b'/') {
            Some(at) => text.split_at_checked(at)?,
            None => (text, ""),
        };
        let (name, port) = delimited::cut_last(host, b':').unwrap_or((host, "80"));
        let ip = if name == "localhost" {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else {
            let name = name.as_bytes();
            address::parse(name).or_else(|| hosts::lookup(&hosts_file(), name))?
        };
        Some(Endpoint {
            address: SocketAddr::new(ip, u16::try_from(decimal::parse(port.as_bytes())?).ok()?),
            host: host.as_bytes().to_vec(),
            prefix: prefix
                .strip_suffix('/')
                .unwrap_or(prefix)
                .as_bytes()
                .to_vec(),
        })
    }
}

/// A whole answer.
pub struct Answer {
    pub status: u16,
    /// `Lambda-Extension-Identifier`.
    pub identifier: Vec<u8>,
    pub body: Vec<u8>,
}

/// What became of an outstanding next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    Invoke {
        id: RequestId,
        deadline: Option<Mono>,
    },
    Shutdown {
        deadline: Option<Mono>,
    },
    /// It will be asked again at this moment.
    Again {
        at: Mono,
    },
    /// The sandbox is gone.
    Gone,
}

/// What the Extensions API answers to register and to next, as far as it is used. Everything may be missing. One type for
/// both: a second derived one costs 1 KB.
#[derive(Deserialize, Default)]
pub struct Said {
    #[serde(rename = "accountId")]
    pub account_id: Option<String>,
    #[serde(rename = "eventType")]
    event_type: Option<String>,
    #[serde(rename = "deadlineMs")]
    deadline_ms: Option<u64>,
    #[serde(rename = "requestId")]
    request_id: Option<String>,
    #[serde(rename = "invokedFunctionArn")]
    invoked_function_arn: Option<String>,
    #[serde(rename = "shutdownReason")]
    shutdown_reason: Option<String>,
}

pub struct RuntimeApi {
    endpoint: Endpoint,
    stream: Option<TcpStream>,
    /// What of the request is not written yet.
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
    /// An answer is awaited.
    is_asked: bool,
    /// The request for the next event, once registered.
    next_request: Vec<u8>,
    /// What is asked is the next event.
    is_next: bool,
    retry_ms: u64,
    refusals: u32,
    unreachable_since: Option<Mono>,
    /// The ARN of the last invocation, and the reason of SHUTDOWN.
    pub invoked_arn: Option<String>,
    pub shutdown_reason: Option<String>,
}

/// The connection was lost, or what came is no answer.
pub struct Lost;

impl RuntimeApi {
    #[must_use]
    pub const fn new(endpoint: Endpoint) -> RuntimeApi {
        RuntimeApi {
            endpoint,
            stream: None,
            outgoing: Vec::new(),
            incoming: Vec::new(),
            is_asked: false,
            next_request: Vec::new(),
            is_next: false,
            retry_ms: NEXT_RETRY_MS_MIN,
            refusals: 0,
            unreachable_since: None,
            invoked_arn: None,
            shutdown_reason: None,
        }
    }

    /// The descriptor to poll, and for what.
    #[must_use]
    pub fn interest(&self) -> Option<(RawFd, i16)> {
        let stream = self.stream.as_ref().filter(|_| self.is_asked)?;
        let events = if self.outgoing.is_empty() {
            sys::READABLE
        } else {
            sys::WRITABLE
        };
        Some((stream.as_raw_fd(), events))
    }

    /// Sends one request, a head of [`heads`] and a body, and waits for its answer, as long as it takes or so many
    /// milliseconds (awake). `None`: no connection, no answer in time, or none that can be read.
    pub fn exchange(
        &mut self,
        head: &[u8],
        own: &[u8],
        body: &[u8],
        timeout_ms: Option<u64>,
    ) -> Option<Answer> {
        // With the time that it may take: without a bound no clock is looked at.
        let bound = timeout_ms.map(|timeout| (sys::microseconds(), timeout));
        self.outgoing = self.request(head, own, body);
        self.begin().ok()?;
        if self.next_request.is_empty() {
            // While Lambda reads the request of register: the start does not wait for it.
            survival::install();
        }
        let mut left = timeout_ms;
        while let Some((fd, events)) = self.interest() {
            let waited = sys::PollFd {
                fd,
                events,
                ready: 0,
            };
            sys::wait(&mut [waited], left);
            if let Some(answer) = self.serve().ok()? {
                return Some(answer);
            }
            left = bound.map(|(began_us, timeout)| {
                timeout.saturating_sub((sys::microseconds() - began_us) / 1000)
            });
            if left == Some(0) {
                break;
            }
        }
        self.close();
        None
    }

    /// From now on next can be asked, with the identifier that register gave, and a fatal signal is survived; see [`survival`].
    pub fn registered(&mut self, identifier: &[u8]) {
        self.next_request = self.request(heads::NEXT, identifier, b"");
        survival::registered(&self.endpoint.address, &self.next_request);
    }

    /// Asks for the next event.
    pub fn ask_next(&mut self) -> Result<(), Lost> {
        self.outgoing = self.next_request.clone();
        self.is_next = true;
        let asked = self.begin();
        survival::crash_if("asked");
        asked
    }

    /// The descriptor is ready: writes or reads what can be. An answer comes once it is whole.
    pub fn serve(&mut self) -> Result<Option<Answer>, Lost> {
        let result = self.progress();
        if result.is_err() {
            self.close();
        }
        result
    }

    /// Gives up the connection, and what is asked on it.
    pub fn close(&mut self) {
        if self.is_next && self.is_asked {
            survival::note(Next::Ask);
        }
        self.stream = None;
        self.is_asked = false;
        self.outgoing.clear();
        self.incoming.clear();
    }

    /// The connection on which next was outstanding is lost.
    pub fn next_lost(&mut self, now: Mono) -> Event {
        self.close();
        survival::crash_if("lost");
        let since = *self.unreachable_since.get_or_insert(now);
        if now.since(since) >= NEXT_UNREACHABLE_MS_MAX {
            return Event::Gone;
        }
        self.again(now)
    }

    /// Reads the answer to next.
    pub fn next_answered(&mut self, answer: &Answer, now: Clocks) -> Event {
        self.unreachable_since = None;
        if answer.status != 200 {
            survival::note(Next::Ask);
            self.refusals += 1;
            return if self.refusals >= NEXT_REFUSALS_MAX {
                Event::Gone
            } else {
                self.again(now.mono)
            };
        }
        (self.refusals, self.retry_ms) = (0, NEXT_RETRY_MS_MIN);
        let event = said(&answer.body);
        let deadline = event
            .deadline_ms
            .map(Wall)
            .filter(|at| *at > now.wall)
            .map(|at| now.mono_of(at));
        if event.event_type.as_deref() == Some("SHUTDOWN") {
            survival::note(Next::Over);
            self.shutdown_reason = event.shutdown_reason;
            return Event::Shutdown { deadline };
        }
        survival::note(Next::Ask);
        if event.invoked_function_arn.is_some() {
            self.invoked_arn = event.invoked_function_arn;
        }
        // An invocation whose answer cannot be read is one all the same: next must be asked.
        let id = event.request_id.as_deref().unwrap_or("unknown");
        match RequestId::new(id.as_bytes()).or_else(|| RequestId::new(b"unknown")) {
            Some(id) => Event::Invoke { id, deadline },
            None => self.again(now.mono),
        }
    }

    fn again(&mut self, now: Mono) -> Event {
        let at = now.plus(self.retry_ms);
        self.retry_ms = (self.retry_ms * 2).min(NEXT_RETRY_MS_MAX);
        Event::Again { at }
    }

    /// A head with the bytes filled in that it leaves open, and the body. `own`: the value of the one header that is the
    /// extension's own, its name or its identifier.
    fn request(&self, head: &[u8], own: &[u8], body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + body.len());
        for byte in head {
            match *byte {
                heads::PREFIX => out.extend_from_slice(&self.endpoint.prefix),
                heads::HOST => out.extend_from_slice(&self.endpoint.host),
                heads::OWN => out.extend_from_slice(own),
                heads::LENGTH => decimal::push(&mut out, body.len() as u64),
                byte => out.push(byte),
            }
        }
        out.extend_from_slice(body);
        out
    }

    fn begin(&mut self) -> Result<(), Lost> {
        self.incoming.clear();
        self.is_asked = true;
        if self.stream.is_none() {
            self.stream = sys::connect_to(&self.endpoint.address).ok();
        }
        let result = self.write();
        if result.is_err() {
            self.close();
        }
        result
    }

    fn write(&mut self) -> Result<(), Lost> {
        let stream = self.stream.as_mut().ok_or(Lost)?;
        while !self.outgoing.is_empty() {
            match stream.write(&self.outgoing) {
                Ok(count) if count >= self.outgoing.len() => {
                    self.outgoing.clear();
                    if self.is_next {
                        survival::note(Next::Outstanding(stream));
                    }
                    // There is a connection: what comes later is not the same outage.
                    self.unreachable_since = None;
                }
                Ok(0) => return Err(Lost),
                Ok(count) => drop(self.outgoing.drain(..count)),
                // Not yet connected, or the buffer is full.
                Err(error) if is_retry(&error) => return Ok(()),
                Err(_) => return Err(Lost),
            }
        }
        Ok(())
    }

    fn progress(&mut self) -> Result<Option<Answer>, Lost> {
        if !self.outgoing.is_empty() {
            self.write()?;
            return Ok(None);
        }
        let stream = self.stream.as_mut().ok_or(Lost)?;
        let mut bytes = [0; 2048];
        // What has been read does not come again: whoever takes over after the read must ask, not wait for an answer.
        survival::note(Next::Ask);
        let count = match stream.read(&mut bytes) {
            Ok(count) => count,
            Err(error) if is_retry(&error) => {
                if self.is_next {
                    survival::note(Next::Outstanding(stream));
                }
                return Ok(None);
            }
            Err(_) => return Err(Lost),
        };
        self.incoming
            .extend_from_slice(bytes.get(..count).unwrap_or_default());
        if self.is_next {
            if is_shutdown(&self.incoming) {
                survival::note(Next::Over);
                survival::crash_if("last answer");
            }
            survival::crash_if("answer");
        }
        if self.incoming.len() > RUNTIME_API_ANSWER_BYTES_MAX {
            return Err(Lost);
        }
        match answer(&self.incoming, count == 0) {
            Parse::Complete((answer, keep_alive)) => {
                self.incoming.clear();
                self.is_asked = false;
                if !keep_alive {
                    self.close();
                }
                Ok(Some(answer))
            }
            Parse::Partial if count > 0 => Ok(None),
            Parse::Partial | Parse::Malformed => Err(Lost),
        }
    }
}

#[must_use]
pub fn is_retry(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{Interrupted, NotConnected, WouldBlock};
    matches!(error.kind(), WouldBlock | Interrupted | NotConnected)
}

/// The first final answer in `bytes`, and whether the connection can carry another request. `is_ended`: no more bytes come.
fn answer(bytes: &[u8], is_ended: bool) -> Parse<(Answer, bool)> {
    let mut rest = bytes;
    loop {
        let head = match head::response(rest) {
            Parse::Complete(head) => head,
            Parse::Partial => return Parse::Partial,
            Parse::Malformed => return Parse::Malformed,
        };
        rest = rest.get(head.bytes..).unwrap_or_default();
        if head.status < 200 {
            continue;
        }
        let mut framing = Body::new(head.framing);
        let mut body = Vec::new();
        while !rest.is_empty() && !framing.is_done() {
            match framing.take(&mut rest) {
                Ok(run) => body.extend_from_slice(run),
                Err(_) => return Parse::Malformed,
            }
        }
        let is_closed = is_ended && head.framing == Framing::UntilClose;
        if !framing.is_done() && !is_closed {
            return Parse::Partial;
        }
        let answer = Answer {
            status: head.status,
            identifier: head.identifier.unwrap_or_default().to_vec(),
            body,
        };
        return Parse::Complete((answer, head.keep_alive && !is_ended));
    }
}

/// Whether an answer to next tells of SHUTDOWN, as far as that can be said without reading it.
fn is_shutdown(answer: &[u8]) -> bool {
    answer.windows(10).any(|window| window == b"\"SHUTDOWN\"")
}

/// Reads the answer to register or to next.
#[must_use]
pub fn said(body: &[u8]) -> Said {
    let mut said = None;
    let _ = fill(Said::begin(&mut said), body);
    said.unwrap_or_else(|| {
        // What it is matters more than that it is well formed.
        Said {
            event_type: is_shutdown(body).then(|| String::from("SHUTDOWN")),
            ..<Said as Default>::default()
        }
    })
}

/// Gives what is derived its members, as miniserde's own parser would; that is 6 KB, most of it for numbers that have a fraction.
/// A member that is of another type than expected counts as missing.
fn fill(visitor: &mut dyn Visitor, object: &[u8]) -> miniserde::Result<()> {
    let mut map = visitor.map()?;
    let mut members = json::members(object, None);
    for member in members.by_ref() {
        let place = map.key(&unescaped(member.key))?;
        let _ = match member.value {
            json::Value::String(raw) => place.string(&unescaped(raw)),
            json::Value::Number(raw) => json::integer(raw).map_or(Ok(()), |n| place.nonnegative(n)),
            _ => Ok(()),
        };
    }
    if members.ended_well() {
        map.finish()?;
    }
    Ok(())
}

fn unescaped(raw: &[u8]) -> String {
    let mut text = Vec::new();
    json::append_unescaped(&mut text, raw, usize::MAX);
    String::from_utf8(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Option<Endpoint> {
        Endpoint::parse(text, || b"10.0.0.7 sandbox.localdomain sandbox\n".to_vec())
    }

    #[test]
    fn the_endpoint_in_all_forms() {
        for (text, address, prefix) in [
            ("127.0.0.1:9001", "127.0.0.1:9001", ""),
            ("169.254.100.1:9001", "169.254.100.1:9001", ""),
            ("http://127.0.0.1:9000/.rt", "127.0.0.1:9000", "/.rt"),
            ("http://127.0.0.1:9000/", "127.0.0.1:9000", ""),
            ("localhost:3000", "127.0.0.1:3000", ""),
            ("sandbox:3000", "10.0.0.7:3000", ""),
            ("[::1]:9001", "[::1]:9001", ""),
            ("127.0.0.1", "127.0.0.1:80", ""),
        ] {
            let endpoint = endpoint(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(endpoint.address, address.parse().unwrap(), "{text}");
            assert_eq!(endpoint.prefix, prefix.as_bytes(), "{text}");
        }
        for wrong in ["", "nowhere:1", "127.0.0.1:99999", "127.0.0.1:x"] {
            assert_eq!(endpoint(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn answers_in_any_framing_and_chunking() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nLambda-Extension-Identifier: id\r\n\r\n\"OK\"",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nlambda-extension-identifier: id\r\ntransfer-encoding: chunked\r\n\r\n2\r\n\"O\r\n2\r\nK\"\r\n0\r\n\r\n",
        ] {
            for end in 0..text.len() {
                assert!(
                    matches!(answer(&text.as_bytes()[..end], false), Parse::Partial),
                    "{end}"
                );
            }
            let Parse::Complete((answer, keep_alive)) = answer(text.as_bytes(), false) else {
                panic!("{text}")
            };
            assert_eq!(
                (
                    answer.status,
                    answer.body.as_slice(),
                    answer.identifier.as_slice()
                ),
                (200, b"\"OK\"".as_slice(), b"id".as_slice())
            );
            assert!(keep_alive);
        }
        let text = b"HTTP/1.0 200 OK\r\n\r\nbody";
        assert!(matches!(answer(text, false), Parse::Partial));
        assert!(matches!(answer(text, true), Parse::Complete((_, false))));
        assert!(matches!(
            answer(b"SSH-2.0\r\n\r\n", false),
            Parse::Malformed
        ));
    }

    #[test]
    fn events_good_and_bad() {
        let good = said(br#"{"eventType":"INVOKE","deadlineMs":1795264503120,"requestId":"r","invokedFunctionArn":"arn","tracing":{"type":"X","value":"Root=1"}}"#);
        assert_eq!(
            (good.deadline_ms, good.request_id.as_deref()),
            (Some(1_795_264_503_120), Some("r"))
        );
        for (body, expected) in [
            (
                r#"{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":1}"#,
                Some("SHUTDOWN"),
            ),
            (
                r#"{"eventType":"SHUTDOWN","deadlineMs":-1}"#,
                Some("SHUTDOWN"),
            ),
            (r#"{"eventType":"SHUTDOWN""#, Some("SHUTDOWN")),
            ("", None),
        ] {
            assert_eq!(
                said(body.as_bytes()).event_type.as_deref(),
                expected,
                "{body}"
            );
        }
    }

    fn api() -> RuntimeApi {
        RuntimeApi::new(endpoint("127.0.0.1:1").unwrap())
    }

    fn refused(status: u16) -> Answer {
        Answer {
            status,
            identifier: Vec::new(),
            body: Vec::new(),
        }
    }

    #[test]
    fn the_third_refusal_in_a_row_is_the_end() {
        let mut api = api();
        let now = Clocks::default();
        assert_eq!(
            api.next_answered(&refused(500), now),
            Event::Again { at: Mono(10) }
        );
        assert_eq!(
            api.next_answered(&refused(403), now),
            Event::Again { at: Mono(20) }
        );
        let invoke = Answer {
            status: 200,
            identifier: Vec::new(),
            body: br#"{"requestId":"r"}"#.to_vec(),
        };
        assert!(matches!(
            api.next_answered(&invoke, now),
            Event::Invoke { .. }
        ));
        assert_eq!(
            api.next_answered(&refused(500), now),
            Event::Again { at: Mono(10) }
        );
        assert_eq!(
            api.next_answered(&refused(500), now),
            Event::Again { at: Mono(20) }
        );
        assert_eq!(api.next_answered(&refused(500), now), Event::Gone);
    }

    #[test]
    fn what_lambda_says_and_what_it_might() {
        let read = |text: &str| {
            let said = said(text.as_bytes());
            (said.event_type, said.deadline_ms, said.request_id)
        };
        let text = |text: &str| Some(String::from(text));
        for (body, expected) in [
            (
                r#" {"eventType":"INVOKE","deadlineMs":1763913600000,"requestId":"r","tracing":{"type":"X","value":[1]},"x":-2.5e3,"y":null,"z":true} "#,
                (text("INVOKE"), Some(1_763_913_600_000), text("r")),
            ),
            (
                r#"{"\u0065ventType":"SHUT\u0044OWN","requestId":"a\/\"\u00e9\ud83d\ude00"}"#,
                (text("SHUTDOWN"), None, text("a/\"é😀")),
            ),
            // Another type is a member that is missing.
            (
                r#"{"requestId":5,"deadlineMs":"5","eventType":"INVOKE"}"#,
                (text("INVOKE"), None, None),
            ),
            (
                r#"{"requestId":{},"deadlineMs":-5,"eventType":null}"#,
                (None, None, None),
            ),
            ("{}", (None, None, None)),
            // Not JSON.
            (
                r#"{"eventType":"INVOKE","requestId":"r""#,
                (None, None, None),
            ),
            (r#"{"eventType":"INVOKE"}]"#, (None, None, None)),
            (
                r#"{"eventType":"SHUTDOWN","#,
                (text("SHUTDOWN"), None, None),
            ),
            ("", (None, None, None)),
            ("[]", (None, None, None)),
        ] {
            assert_eq!(read(body), expected, "{body}");
        }
    }

    #[test]
    fn two_lost_connections_far_apart_are_not_the_end() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut api = RuntimeApi::new(endpoint(&address).unwrap());
        api.registered(b"id");
        for now in [Mono(100), Mono(60_000), Mono(120_000)] {
            assert!(api.ask_next().is_ok());
            let (stream, _) = listener.accept().unwrap();
            while api
                .interest()
                .is_some_and(|(_, events)| events == sys::WRITABLE)
            {
                assert!(api.serve().is_ok());
            }
            drop(stream);
            assert!(matches!(api.next_lost(now), Event::Again { .. }), "{now:?}");
        }
    }

    #[test]
    fn five_seconds_without_a_connection_are_the_end() {
        let mut api = api();
        let mut now = Mono(100);
        let mut tries = 0;
        while let Event::Again { at } = api.next_lost(now) {
            assert!(at > now, "never a loop without a pause");
            now = at;
            tries += 1;
        }
        assert!((5_100..=6_200).contains(&now.0), "{now:?}");
        assert!(tries < 20);
    }
}
