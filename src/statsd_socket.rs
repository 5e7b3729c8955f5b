//! The StatsD socket: datagrams from the function, and how many of them the kernel has dropped.

use std::net::UdpSocket;
use std::os::fd::{AsRawFd, RawFd};

use crate::clock::Wall;
use crate::intake::Intake;
use crate::limits::{DATAGRAM_BYTES_MAX, DATAGRAMS_PER_TURN_MAX};
use crate::sys;

pub struct StatsdSocket {
    socket: UdpSocket,
    buffer: Vec<u8>,
}

impl StatsdSocket {
    /// Listens on the loopback address. `None`: the port is taken, most likely by another StatsD server.
    #[must_use]
    pub fn open(port: u16) -> Option<StatsdSocket> {
        let socket = sys::datagrams_on(port).ok()?;
        Some(StatsdSocket {
            socket,
            buffer: Vec::new(),
        })
    }

    #[must_use]
    pub fn descriptor(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    /// Takes what waits, but not all of a flood: others have a right to this turn, too.
    pub fn serve(&mut self, intake: &mut Intake, now: Wall) {
        if self.buffer.is_empty() {
            self.buffer = vec![0; DATAGRAM_BYTES_MAX];
        }
        for _ in 0..DATAGRAMS_PER_TURN_MAX {
            let Ok(count) = self.socket.recv(&mut self.buffer) else {
                break;
            };
            intake.datagram(self.buffer.get(..count).unwrap_or_default(), now);
        }
    }

    /// Datagrams that the kernel has dropped since the socket was opened.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        u64::from(sys::datagrams_dropped(&self.socket))
    }
}
