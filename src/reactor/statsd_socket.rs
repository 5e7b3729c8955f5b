//! The StatsD socket: datagrams from the function, and how many of them the kernel has dropped.

use std::net::UdpSocket;
use std::os::fd::{AsRawFd, RawFd};

use crate::clock::Wall;
use crate::limits::{DATAGRAM_CALLS_PER_TURN_MAX, DATAGRAM_ROOM_BYTES, DATAGRAMS_PER_CALL_MAX};
use crate::source::intake::Intake;
use crate::sys;

pub struct StatsdSocket {
    socket: UdpSocket,
    /// Of the datagrams of one call; empty before the first.
    room: Vec<u8>,
    is_resting: bool,
}

impl StatsdSocket {
    /// Listens on the loopback address. An error: the port is taken, most likely by another StatsD server, or there is no
    /// descriptor for it.
    pub fn open(port: u16) -> std::io::Result<StatsdSocket> {
        Ok(StatsdSocket {
            socket: sys::datagrams_on(port)?,
            room: Vec::new(),
            is_resting: false,
        })
    }

    /// The descriptor to poll; none while it rests.
    #[must_use]
    pub fn interest(&self) -> Option<RawFd> {
        (!self.is_resting).then(|| self.socket.as_raw_fd())
    }

    /// The last turn has emptied the socket of several datagrams: there will be more, and they are taken together, after
    /// [`crate::limits::DATAGRAM_REST_MS`].
    #[must_use]
    pub const fn is_resting(&self) -> bool {
        self.is_resting
    }

    /// Takes what waits, but not all of a flood: others have a right to this turn, too.
    pub fn serve(&mut self, intake: &mut Intake, now: Wall) {
        if self.room.is_empty() {
            self.room = vec![0; DATAGRAM_ROOM_BYTES * DATAGRAMS_PER_CALL_MAX];
        }
        self.is_resting = false;
        for call in 0..DATAGRAM_CALLS_PER_TURN_MAX {
            let (datagrams, count) = sys::receive_datagrams(&self.socket, &mut self.room);
            intake.datagrams(datagrams.get(..count).unwrap_or_default(), now);
            if count < DATAGRAMS_PER_CALL_MAX {
                self.is_resting = call > 0 || count > 1;
                break;
            }
        }
    }

    /// Datagrams that the kernel has dropped since the socket was opened.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        u64::from(sys::datagrams_dropped(&self.socket))
    }
}
