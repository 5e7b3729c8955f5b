//! The conversation with Lambda: register, subscribe, next. What is read and written is decided by [`Exchange`], and what it means
//! by [`Asking`] and [`said`].
//!
//! Before there is a reactor, [`RuntimeApi::exchange`] waits for one answer after the other. Later nothing here waits: the
//! reactor polls the connection and lets it be served.
//!
//! One connection, one request at a time. `next` is outstanding on it for hours, so it has no timeout of its own; when the
//! connection is lost, next is asked again on a new one.

use std::net::TcpStream;
use std::os::fd::{AsRawFd, RawFd};

use crate::clock::{Clocks, Mono};
use crate::http::client::{Exchange, Response};
use crate::lambda::api_address::ApiAddress;
use crate::lambda::next::{Asking, Event};
use crate::lambda::said::{self, Said};
use crate::sys;
use crate::sys::survival::{self, Next};
use crate::text::decimal;

/// The heads of the requests, whole but for what only the running process knows; laid out by `build.rs`.
pub mod heads {
    include!(concat!(env!("OUT_DIR"), "/heads.rs"));
}

// In this order as few bytes as possible are spent on reaching them.
#[repr(C)]
pub struct RuntimeApi {
    stream: Option<TcpStream>,
    /// What is asked is the next event.
    is_next: bool,
    http: Exchange,
    asking: Asking,
    /// The request for the next event, once registered.
    next_request: Vec<u8>,
    address: ApiAddress,
    /// What the last answer to next has said.
    pub said: Said,
}

/// The connection was lost, or what came is no answer.
pub struct Lost;

impl RuntimeApi {
    #[must_use]
    pub fn new(address: ApiAddress) -> RuntimeApi {
        RuntimeApi {
            address,
            stream: None,
            http: Exchange::new(),
            next_request: Vec::new(),
            is_next: false,
            asking: Asking::new(),
            said: Said::default(),
        }
    }

    /// The descriptor to poll, and for what.
    #[must_use]
    pub fn interest(&self) -> Option<(RawFd, i16)> {
        let stream = self.stream.as_ref().filter(|_| self.http.is_asked())?;
        let events = if self.http.unwritten().is_empty() {
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
    ) -> Option<Response> {
        // With the time that it may take: without a bound no clock is looked at.
        let bound = timeout_ms.map(|timeout| (sys::microseconds(), timeout));
        self.begin(self.request(head, own, body)).ok()?;
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
        survival::registered(&self.address.socket, &self.next_request);
    }

    /// Asks for the next event.
    pub fn ask_next(&mut self) -> Result<(), Lost> {
        self.is_next = true;
        let asked = self.begin(self.next_request.clone());
        survival::crash_if("asked");
        asked
    }

    /// The descriptor is ready: writes or reads what can be. An answer comes once it is whole.
    pub fn serve(&mut self) -> Result<Option<Response>, Lost> {
        let result = self.progress();
        if result.is_err() {
            self.close();
        }
        result
    }

    /// Gives up the connection, and what is asked on it.
    pub fn close(&mut self) {
        if self.is_next && self.http.is_asked() {
            survival::note(Next::Ask);
        }
        self.stream = None;
        self.http.abandon();
    }

    /// The connection on which next was outstanding is lost.
    pub fn next_lost(&mut self, now: Mono) -> Event {
        self.close();
        survival::crash_if("lost");
        self.asking.lost(now)
    }

    /// Reads the answer to next.
    pub fn next_answered(&mut self, answer: &Response, now: Clocks) -> Event {
        self.said = said::read(&answer.body);
        let event = self.asking.answered(answer.status, &self.said, now);
        let is_over = matches!(event, Event::Shutdown { .. });
        survival::note(if is_over { Next::Over } else { Next::Ask });
        event
    }

    /// A head with the bytes filled in that it leaves open, and the body. `own`: the value of the one header that is the
    /// extension's own, its name or its identifier.
    fn request(&self, head: &[u8], own: &[u8], body: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(512 + body.len());
        for byte in head {
            match *byte {
                heads::PREFIX => out.extend_from_slice(self.address.prefix),
                heads::HOST => out.extend_from_slice(self.address.host),
                heads::OWN => out.extend_from_slice(own),
                heads::LENGTH => decimal::push(&mut out, body.len() as u64),
                byte => out.push(byte),
            }
        }
        out.extend_from_slice(body);
        out
    }

    fn begin(&mut self, request: Vec<u8>) -> Result<(), Lost> {
        self.http.begin(request);
        if self.stream.is_none() {
            self.stream = sys::connect_to(&self.address.socket).ok();
        }
        let result = self.write();
        if result.is_err() {
            self.close();
        }
        result
    }

    fn write(&mut self) -> Result<(), Lost> {
        let stream = self.stream.as_ref().ok_or(Lost)?;
        while !self.http.unwritten().is_empty() {
            match sys::send_some(stream.as_raw_fd(), self.http.unwritten()) {
                Ok(0) => return Err(Lost),
                Ok(count) => self.http.written(count),
                // Not yet connected, or the buffer is full.
                Err(refusal) if refusal.is_retry() => return Ok(()),
                Err(_) => return Err(Lost),
            }
        }
        if self.is_next {
            survival::note(Next::Outstanding(stream));
        }
        self.asking.reached();
        Ok(())
    }

    fn progress(&mut self) -> Result<Option<Response>, Lost> {
        if !self.http.unwritten().is_empty() {
            self.write()?;
            return Ok(None);
        }
        let stream = self.stream.as_ref().ok_or(Lost)?;
        let mut bytes = [0; 2048];
        // What has been read does not come again: whoever takes over after the read must ask, not wait for an answer.
        survival::note(Next::Ask);
        let count = match sys::receive(stream.as_raw_fd(), &mut bytes) {
            Ok(count) => count,
            Err(refusal) if refusal.is_retry() => {
                if self.is_next {
                    survival::note(Next::Outstanding(stream));
                }
                return Ok(None);
            }
            Err(_) => return Err(Lost),
        };
        self.http.receive(bytes.get(..count).unwrap_or_default());
        if self.is_next {
            if said::is_shutdown(self.http.received()) {
                survival::note(Next::Over);
                survival::crash_if("last answer");
            }
            survival::crash_if("answer");
        }
        let answer = self.http.response(count == 0).map_err(|_| Lost)?;
        if answer.as_ref().is_some_and(|answer| !answer.keep_alive) {
            self.close();
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_was_written_ends_an_outage() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut api = RuntimeApi::new(ApiAddress::parse(address.leak(), Vec::new).unwrap());
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
}
