//! The telemetry listener and its connections: descriptors and bytes. What the bytes mean is the business of [`Decoder`].
//!
//! A fixed number of connections is served. When all places are taken, [`place`] says who gives way to a new one; while nobody
//! does, and for a moment when the process has no descriptor left, the listener leaves the poll set.

use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use crate::clock::{Clocks, Mono, earliest};
use crate::http::server::{ANSWER, CONTINUE, LAST_ANSWER, Wish};
use crate::lambda::message;
use crate::limits::{
    ACCEPT_PAUSE_MS, CONNECTIONS_MAX, READ_BYTES, READS_PER_TURN_MAX, REQUEST_MS_MAX,
};
use crate::reactor::place::{self, Holder};
use crate::source::intake::Intake;
use crate::source::telemetry::Decoder;
use crate::sys;

struct Connection {
    stream: TcpStream,
    decoder: Decoder,
    /// When it was accepted, or answered last, or its request began.
    since: Mono,
    /// The last read has taken all that there was.
    is_emptied: bool,
}

pub struct Listener {
    listener: TcpListener,
    port: u16,
    connections: [Option<Connection>; CONNECTIONS_MAX],
    /// Shared by all connections: nothing stays in it from one read to the next.
    buffer: Vec<u8>,
    record_bytes_max: usize,
    /// Until then no connection is taken, because one could not be.
    accept_at: Mono,
    /// That has been told.
    is_told: bool,
}

impl Listener {
    /// Listens on all addresses: Lambda connects by name. A port that is taken, and 0, give any free one.
    pub fn bind(port: u16, record_bytes_max: usize) -> std::io::Result<Listener> {
        let (listener, port) = match sys::listen_on(port) {
            // What was asked for was got.
            Ok(listener) if port > 0 => (listener, port),
            other => {
                let listener = other.or_else(|_| sys::listen_on(0))?;
                let port = listener.local_addr()?.port();
                (listener, port)
            }
        };
        Ok(Listener {
            listener,
            port,
            connections: [const { None }; CONNECTIONS_MAX],
            buffer: Vec::new(),
            record_bytes_max,
            accept_at: Mono(0),
            is_told: false,
        })
    }

    /// The port that was got.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The listener, unless no connection could be taken.
    #[must_use]
    pub fn listener(&self, now: Mono) -> Option<RawFd> {
        let may_accept = now >= self.accept_at && self.place_for_one(now).is_some();
        may_accept.then(|| self.listener.as_raw_fd())
    }

    /// The connections by their place.
    pub fn connections(&self) -> impl Iterator<Item = Option<RawFd>> {
        self.connections.iter().map(|place| {
            place
                .as_ref()
                .map(|connection| connection.stream.as_raw_fd())
        })
    }

    /// Some request is in progress.
    #[must_use]
    pub fn is_in_request(&self) -> bool {
        let mut connections = self.connections.iter().flatten();
        connections.any(|connection| connection.decoder.is_in_request())
    }

    /// When a request is given up, or a connection can be taken that could not be until then, unless something happens before.
    #[must_use]
    pub fn wake_at(&self, now: Mono) -> Option<Mono> {
        let ahead = |at: Mono| Some(at).filter(|at| *at > now);
        let mut first = ahead(self.accept_at);
        for connection in self.connections.iter().flatten() {
            if connection.decoder.is_in_request() {
                first = earliest(first, Some(connection.since.plus(REQUEST_MS_MAX)));
            }
            first = earliest(first, ahead(connection.holder().gives_way_at()));
        }
        first
    }

    /// Accepts what waits, as far as there is room. What was accepted just now never gives way, so this ends.
    pub fn accept(&mut self, intake: &mut Intake, now: Mono) {
        let mut may_close = true;
        while let Some(place) = self.place_for_one(now) {
            let stream = match sys::accept(&self.listener) {
                Ok(stream) => stream,
                Err(refusal) if refusal.is_retry() => return,
                Err(refusal) => {
                    self.accept_at = now.plus(ACCEPT_PAUSE_MS);
                    // There is a place, but no descriptor. Somebody's may be had.
                    let other = place::yielding(&mut self.holders(), now);
                    if let Some(other) = other.filter(|_| may_close) {
                        may_close = false;
                        self.close(other, intake);
                        continue;
                    }
                    if !self.is_told && refusal.is_out_of_descriptors() {
                        self.is_told = true;
                        message::line(&[sys::OUT_OF_DESCRIPTORS, b"telemetry has to wait"]);
                    }
                    return;
                }
            };
            (self.accept_at, self.is_told) = (now, false);
            self.close(place, intake);
            if let Some(slot) = self.connections.get_mut(place) {
                *slot = Some(Connection {
                    stream,
                    decoder: Decoder::new(self.record_bytes_max),
                    since: now,
                    is_emptied: false,
                });
            }
        }
    }

    /// Reads from the connection at this place, at most `bytes_max` bytes a read, and answers what is complete.
    pub fn serve(&mut self, place: usize, bytes_max: usize, intake: &mut Intake, now: Clocks) {
        if self.buffer.is_empty() {
            self.buffer = vec![0; READ_BYTES];
        }
        let Some(slot) = self.connections.get_mut(place) else {
            return;
        };
        let buffer = self
            .buffer
            .get_mut(..bytes_max.min(READ_BYTES))
            .unwrap_or_default();
        if let Some(connection) = slot
            && connection.serve(buffer, intake, now).is_none()
        {
            self.close(place, intake);
        }
    }

    /// Closes connections whose request takes too long.
    pub fn close_stalled(&mut self, intake: &mut Intake, now: Mono) {
        for place in 0..CONNECTIONS_MAX {
            if let Some(Some(connection)) = self.connections.get(place)
                && connection.decoder.is_in_request()
                && now.since(connection.since) >= REQUEST_MS_MAX
            {
                self.close(place, intake);
            }
        }
    }

    /// Time in which nothing was read on purpose is no stall.
    pub fn excuse(&mut self, now: Mono) {
        for connection in self.connections.iter_mut().flatten() {
            connection.since = now;
        }
    }

    fn close(&mut self, place: usize, intake: &mut Intake) {
        let connection = self.connections.get_mut(place).and_then(Option::take);
        if let Some(mut connection) = connection {
            connection.decoder.give_up(intake);
        }
    }

    /// A free place, or that of the connection that gives way.
    fn place_for_one(&self, now: Mono) -> Option<usize> {
        let free = self.connections.iter().position(Option::is_none);
        free.or_else(|| place::yielding(&mut self.holders(), now))
    }

    fn holders(&self) -> impl Iterator<Item = (usize, Holder)> {
        let places = self.connections.iter().enumerate();
        places.filter_map(|(place, slot)| Some((place, slot.as_ref()?.holder())))
    }
}

impl Connection {
    fn holder(&self) -> Holder {
        Holder {
            is_idle: self.is_emptied && !self.decoder.is_in_request(),
            since: self.since,
        }
    }

    /// `None` when the connection is over.
    fn serve(&mut self, buffer: &mut [u8], intake: &mut Intake, now: Clocks) -> Option<()> {
        for _ in 0..READS_PER_TURN_MAX {
            let count = match sys::receive(self.stream.as_raw_fd(), buffer) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(refusal) if refusal.is_retry() => {
                    self.is_emptied = true;
                    return Some(());
                }
                Err(_) => return None,
            };
            self.is_emptied = count < buffer.len();
            if !self.decoder.is_in_request() {
                self.since = now.mono;
            }
            intake.ledger.bytes_received += count as u64;
            let mut input = buffer.get(..count)?;
            self.take(&mut input, intake, now)?;
            // A short read has emptied the socket; the poll will tell of more.
            if self.is_emptied {
                return Some(());
            }
        }
        Some(())
    }

    fn take(&mut self, input: &mut &[u8], intake: &mut Intake, now: Clocks) -> Option<()> {
        loop {
            let wish = self.decoder.feed(input, intake, now.wall);
            let answer = match wish {
                Wish::Read => return Some(()),
                Wish::Continue => CONTINUE,
                Wish::Answer { keep_alive: true } => {
                    self.since = now.mono;
                    ANSWER
                }
                Wish::Answer { keep_alive: false } => LAST_ANSWER,
                Wish::Close => return None,
            };
            // An answer is far smaller than a socket's buffer: one that is not taken whole means a dead peer.
            let count = sys::send_some(self.stream.as_raw_fd(), answer).ok()?;
            if count < answer.len() || wish == (Wish::Answer { keep_alive: false }) {
                return None;
            }
        }
    }
}
