//! The telemetry listener and its connections: descriptors and bytes. What the bytes mean is the intake's business.
//!
//! A fixed number of connections is served. When all places are taken, the one that has been idle longest between two
//! requests gives way to a new one; only when all are in the middle of a request does the listener leave the poll set.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use crate::clock::{Clocks, Mono};
use crate::intake::{Decoder, Intake, Wish};
use crate::limits::{CONNECTIONS_MAX, READ_BYTES, READS_PER_TURN_MAX, REQUEST_STALL_MS_MAX};
use crate::runtime_api::is_retry;
use crate::sys;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const LAST_ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

struct Connection {
    stream: TcpStream,
    decoder: Decoder,
    /// When bytes came last.
    progress: Mono,
}

pub struct Telemetry {
    listener: TcpListener,
    port: u16,
    connections: [Option<Connection>; CONNECTIONS_MAX],
    /// Shared by all connections: nothing stays in it from one read to the next.
    buffer: Vec<u8>,
    record_bytes_max: usize,
}

impl Telemetry {
    /// Listens on all addresses: Lambda connects by name. A port that is taken, and 0, give any free one.
    pub fn bind(port: u16, record_bytes_max: usize) -> std::io::Result<Telemetry> {
        let (listener, port) = match sys::listen_on(port) {
            // What was asked for was got.
            Ok(listener) if port > 0 => (listener, port),
            other => {
                let listener = other.or_else(|_| sys::listen_on(0))?;
                let port = listener.local_addr()?.port();
                (listener, port)
            }
        };
        Ok(Telemetry {
            listener,
            port,
            connections: [const { None }; CONNECTIONS_MAX],
            buffer: Vec::new(),
            record_bytes_max,
        })
    }

    /// The port that was got.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The listener, unless no connection could be taken.
    #[must_use]
    pub fn listener(&self) -> Option<RawFd> {
        self.place_for_one().map(|_| self.listener.as_raw_fd())
    }

    /// The connections by their place.
    pub fn connections(&self) -> impl Iterator<Item = Option<RawFd>> {
        self.connections.iter().map(|place| {
            place
                .as_ref()
                .map(|connection| connection.stream.as_raw_fd())
        })
    }

    /// When the first request that makes no progress is given up.
    #[must_use]
    pub fn stall_at(&self) -> Option<Mono> {
        self.connections
            .iter()
            .flatten()
            .filter(|connection| connection.decoder.is_in_request())
            .map(|connection| connection.progress.plus(REQUEST_STALL_MS_MAX))
            .min()
    }

    /// Accepts what waits.
    pub fn accept(&mut self, now: Mono) {
        while let Some(place) = self.place_for_one() {
            let Ok((stream, _)) = self.listener.accept() else {
                return;
            };
            if stream.set_nonblocking(true).is_err() {
                continue;
            }
            if let Some(slot) = self.connections.get_mut(place) {
                *slot = Some(Connection {
                    stream,
                    decoder: Decoder::new(self.record_bytes_max),
                    progress: now,
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
            connection.decoder.give_up(intake);
            *slot = None;
        }
    }

    /// Closes connections whose request has made no progress for too long.
    pub fn close_stalled(&mut self, intake: &mut Intake, now: Mono) {
        for slot in &mut self.connections {
            if let Some(connection) = slot
                && connection.decoder.is_in_request()
                && now.since(connection.progress) >= REQUEST_STALL_MS_MAX
            {
                connection.decoder.give_up(intake);
                *slot = None;
            }
        }
    }

    /// Time in which nothing was read on purpose is no stall.
    pub fn excuse(&mut self, now: Mono) {
        for connection in self.connections.iter_mut().flatten() {
            connection.progress = now;
        }
    }

    /// A free place, or that of the connection that has been idle longest between requests.
    fn place_for_one(&self) -> Option<usize> {
        let free = self.connections.iter().position(Option::is_none);
        free.or_else(|| {
            let idle = self
                .connections
                .iter()
                .enumerate()
                .filter_map(|(place, slot)| {
                    let connection = slot.as_ref()?;
                    (!connection.decoder.is_in_request()).then_some((connection.progress, place))
                });
            idle.min().map(|(_, place)| place)
        })
    }
}

impl Connection {
    /// `None` when the connection is over.
    fn serve(&mut self, buffer: &mut [u8], intake: &mut Intake, now: Clocks) -> Option<()> {
        for _ in 0..READS_PER_TURN_MAX {
            let count = match self.stream.read(buffer) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(error) if is_retry(&error) => return Some(()),
                Err(_) => return None,
            };
            self.progress = now.mono;
            intake.ledger.bytes_received += count as u64;
            let mut input = buffer.get(..count)?;
            self.take(&mut input, intake, now)?;
            // A short read has emptied the socket; the poll will tell of more.
            if count < buffer.len() {
                return Some(());
            }
        }
        Some(())
    }

    fn take(&mut self, input: &mut &[u8], intake: &mut Intake, now: Clocks) -> Option<()> {
        loop {
            let answer = match self.decoder.feed(input, intake, now.wall) {
                Wish::Read => return Some(()),
                Wish::Continue => CONTINUE,
                Wish::Answer { keep_alive: true } => ANSWER,
                Wish::Answer { keep_alive: false } => LAST_ANSWER,
                Wish::Close => return None,
            };
            // An answer is far smaller than a socket's buffer: one that is not taken whole means a dead peer.
            let count = self.stream.write(answer).ok()?;
            if count < answer.len() || answer == LAST_ANSWER {
                return None;
            }
        }
    }
}
