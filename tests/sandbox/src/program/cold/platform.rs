//! Lambda's side of a start, and nothing between it and the extension: no thread, no library, one `poll` for the listener
//! and all connections, one write for each answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::request::{self, Parsed, Request};

/// How often it is looked whether the extension still runs.
const LOOK: Duration = Duration::from_millis(20);

/// The Runtime API of one start.
pub(crate) struct Platform {
    listener: TcpListener,
    address: SocketAddr,
    connections: Vec<Connection>,
}

struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    read_at: Instant,
    /// The peer has said that it will write no more.
    ended: bool,
    /// It was told to send its body.
    continued: bool,
}

/// A request, the moment its last byte was read, and where to answer it.
pub(crate) struct Received {
    pub(crate) request: Request,
    pub(crate) at: Instant,
    descriptor: RawFd,
}

/// Why no request came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    Ended,
    TooLate,
    Malformed,
}

impl Platform {
    /// On a port of its own, so that nothing of the run before can reach it.
    pub(crate) fn open() -> Result<Platform> {
        let listener =
            TcpListener::bind("127.0.0.1:0").context("no port can be bound on 127.0.0.1")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Platform {
            listener,
            address,
            connections: Vec::with_capacity(8),
        })
    }

    /// `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Waits for the next request on any connection. `ended` is asked only when nothing has come for a while.
    pub(crate) fn receive(
        &mut self,
        deadline: Instant,
        mut ended: impl FnMut() -> bool,
    ) -> std::result::Result<Received, Silence> {
        loop {
            // What came together with the request before.
            for connection in &mut self.connections {
                if let Some(received) = connection.take()? {
                    return Ok(received);
                }
            }
            self.connections.retain(|connection| !connection.ended);
            let ready = self.poll();
            if ready.is_empty() {
                if ended() {
                    return Err(Silence::Ended);
                }
                if Instant::now() >= deadline {
                    return Err(Silence::TooLate);
                }
            }
            for descriptor in ready {
                self.serve(descriptor);
            }
        }
    }

    /// The descriptors that can be read.
    fn poll(&self) -> Vec<RawFd> {
        let interest = |descriptor| libc::pollfd {
            fd: descriptor,
            events: libc::POLLIN,
            revents: 0,
        };
        let mut all: Vec<libc::pollfd> = std::iter::once(self.listener.as_raw_fd())
            .chain(
                self.connections
                    .iter()
                    .map(|connection| connection.stream.as_raw_fd()),
            )
            .map(interest)
            .collect();
        // SAFETY: the array outlives the call, and its length is its own.
        let count = unsafe {
            libc::poll(
                all.as_mut_ptr(),
                all.len() as libc::nfds_t,
                LOOK.as_millis() as i32,
            )
        };
        match count {
            1.. => all
                .iter()
                .filter(|one| one.revents != 0)
                .map(|one| one.fd)
                .collect(),
            _ => Vec::new(),
        }
    }

    fn serve(&mut self, descriptor: RawFd) {
        if descriptor == self.listener.as_raw_fd() {
            if let Ok((stream, _)) = self.listener.accept() {
                let mut connection = Connection::new(stream);
                // An extension that has just connected has mostly written, too.
                connection.fill();
                self.connections.push(connection);
            }
            return;
        }
        for connection in &mut self.connections {
            if connection.stream.as_raw_fd() == descriptor {
                connection.fill();
            }
        }
    }

    /// Writes an answer in one piece. An extension that does not read it will be seen to be silent.
    pub(crate) fn answer(&mut self, received: &Received, answer: &[u8]) {
        let at = |connection: &Connection| connection.stream.as_raw_fd() == received.descriptor;
        let Some(index) = self.connections.iter().position(at) else {
            return;
        };
        let written = self.connections[index].stream.write_all(answer);
        if written.is_err() || received.request.closes {
            self.connections.swap_remove(index);
        }
    }
}

impl Connection {
    fn new(stream: TcpStream) -> Connection {
        let ended = stream.set_nonblocking(true).is_err();
        Connection {
            stream,
            read: Vec::with_capacity(4096),
            read_at: Instant::now(),
            ended,
            continued: false,
        }
    }

    /// Reads what has come.
    fn fill(&mut self) {
        let mut piece = [0; 4096];
        match self.stream.read(&mut piece) {
            Ok(0) => self.ended = true,
            Ok(count) => {
                self.read_at = Instant::now();
                self.read.extend_from_slice(&piece[..count]);
            }
            Err(error) => {
                self.ended =
                    !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted);
            }
        }
    }

    fn take(&mut self) -> std::result::Result<Option<Received>, Silence> {
        if self.read.is_empty() {
            return Ok(None);
        }
        match request::parse(&self.read) {
            Parsed::Complete(request, used) => {
                self.read.drain(..used);
                self.continued = false;
                let (at, descriptor) = (self.read_at, self.stream.as_raw_fd());
                Ok(Some(Received {
                    request,
                    at,
                    descriptor,
                }))
            }
            Parsed::Partial => Ok(None),
            Parsed::Expects if self.continued => Ok(None),
            Parsed::Expects => {
                self.continued = true;
                let _ = self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
                Ok(None)
            }
            Parsed::Malformed => Err(Silence::Malformed),
        }
    }
}
