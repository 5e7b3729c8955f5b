//! ureq's way to the collector: connections whose every wait is a turn of the reactor.
//!
//! ureq writes a POST in blocking style. Before every read and every write the transport lets the reactor go on until the
//! socket is ready, also where it would be ready at once: so telemetry is received and INVOKE and SHUTDOWN are noticed in the
//! middle of a POST, however fast a peer sends. There are no timers of ureq's: the reactor bounds the whole POST, and
//! SHUTDOWN may move the bound while it is in flight. What a peer may send for one POST is bounded here.

use std::fmt;
use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Error, Timeout};

use crate::clock::{Mono, Wall};
use crate::limits::{
    COLLECTOR_INPUT_BYTES, COLLECTOR_OUTPUT_BYTES, CONNECT_MS_MAX, CONNECTION_IDLE_MS_MAX,
    EXCHANGE_BYTES_MAX,
};
use crate::reactor::{Shared, Waited, lock};
use crate::sys;

/// Connects to the collector.
pub struct CollectorConnector {
    pub reactor: Shared,
}

pub struct CollectorTransport {
    stream: TcpStream,
    buffers: LazyBuffers,
    reactor: Shared,
    /// When it was used last; the wall clock goes on in a freeze.
    last_use: Wall,
    /// It has carried a whole exchange before.
    is_used: bool,
    /// Read since the request was sent.
    answer_bytes: usize,
}

// ureq wants its parts to be printable; nobody prints them.
impl fmt::Debug for CollectorConnector {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl fmt::Debug for CollectorTransport {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Connector for CollectorConnector {
    type Out = CollectorTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<CollectorTransport>, Error> {
        let mut failure = Error::HostNotFound;
        for address in details.addrs.iter() {
            let deadline = sys::clocks().mono.plus(CONNECT_MS_MAX);
            match sys::connect_to(address)
                .map_err(Error::Io)
                .and_then(|stream| {
                    wait(self.reactor, &stream, sys::WRITABLE, deadline)?;
                    match stream.take_error()? {
                        None => {
                            sys::send_at_once(&stream);
                            Ok(stream)
                        }
                        Some(error) => Err(Error::Io(error)),
                    }
                }) {
                Ok(stream) => {
                    return Ok(Some(CollectorTransport {
                        stream,
                        buffers: LazyBuffers::new(COLLECTOR_INPUT_BYTES, COLLECTOR_OUTPUT_BYTES),
                        reactor: self.reactor,
                        last_use: sys::clocks().wall,
                        is_used: false,
                        answer_bytes: 0,
                    }));
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

impl Transport for CollectorTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, _timeout: NextTimeout) -> Result<(), Error> {
        if self.is_used {
            lock(self.reactor).post_reuses = true;
        }
        self.answer_bytes = 0;
        let mut rest = self.buffers.output().get(..amount).unwrap_or_default();
        while !rest.is_empty() {
            wait(self.reactor, &self.stream, sys::WRITABLE, Mono(u64::MAX))?;
            match sys::send_some(self.stream.as_raw_fd(), rest) {
                Ok(0) => return Err(Error::Io(io::ErrorKind::WriteZero.into())),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(refusal) if refusal.is_retry() => {}
                Err(refusal) => return Err(Error::Io(refusal.into())),
            }
        }
        Ok(())
    }

    fn await_input(&mut self, _timeout: NextTimeout) -> Result<bool, Error> {
        loop {
            // What has no end is not HTTP.
            if self.answer_bytes > EXCHANGE_BYTES_MAX {
                return Err(Error::BodyStalled);
            }
            wait(self.reactor, &self.stream, sys::READABLE, Mono(u64::MAX))?;
            let buffer = self.buffers.input_append_buf();
            match sys::receive(self.stream.as_raw_fd(), buffer) {
                Ok(count) => {
                    self.buffers.input_appended(count);
                    self.answer_bytes += count;
                    self.last_use = sys::clocks().wall;
                    return Ok(count > 0);
                }
                Err(refusal) if refusal.is_retry() => {}
                Err(refusal) => return Err(Error::Io(refusal.into())),
            }
        }
    }

    /// ureq asks before it puts the connection back and before it takes it again. Only looks: nothing may be read.
    fn is_open(&mut self) -> bool {
        self.is_used = true;
        sys::is_silent(self.stream.as_raw_fd())
            && sys::clocks()
                .wall
                .left(self.last_use, CONNECTION_IDLE_MS_MAX)
                > 0
    }
}

fn wait(reactor: Shared, stream: &TcpStream, events: i16, deadline: Mono) -> Result<(), Error> {
    match lock(reactor).wait((stream.as_raw_fd(), events), deadline) {
        Waited::Ready => Ok(()),
        Waited::TimedOut | Waited::Gone => Err(Error::Timeout(Timeout::Global)),
    }
}
