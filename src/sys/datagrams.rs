//! `recvmmsg(2)`: several datagrams by one system call.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::ptr::null_mut;

use crate::limits::{DATAGRAM_BYTES_MAX, DATAGRAM_ROOM_BYTES, DATAGRAMS_PER_CALL_MAX};

/// `struct iovec`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Piece {
    at: *mut u8,
    bytes: usize,
}

/// `struct mmsghdr`. Of what glibc has as 64 bits, musl has the lower half and padding: with 0 and 1 that is the same.
#[repr(C)]
#[derive(Clone, Copy)]
struct Message {
    address: *mut u8,
    address_bytes: u64,
    pieces: *mut Piece,
    piece_count: u64,
    control: *mut u8,
    control_bytes: u64,
    flags: u64,
    /// Filled by the kernel.
    bytes: u32,
}

const _: () = assert!(size_of::<Message>() == 64 && size_of::<Piece>() == 16);

unsafe extern "C" {
    fn recvmmsg(fd: i32, messages: *mut Message, count: u32, flags: i32, timeout: *mut u8) -> i32;
}

/// What waits in the socket, in the order of its arrival, and how many these are: each in a part of `room` of
/// [`DATAGRAM_ROOM_BYTES`], where the longest fits. Fewer than `room` has parts for: no more are there now.
pub fn receive_datagrams<'r>(
    socket: &UdpSocket,
    room: &'r mut [u8],
) -> ([&'r [u8]; DATAGRAMS_PER_CALL_MAX], usize) {
    let mut pieces = [Piece {
        at: null_mut(),
        bytes: DATAGRAM_BYTES_MAX,
    }; DATAGRAMS_PER_CALL_MAX];
    let mut messages = [Message {
        address: null_mut(),
        address_bytes: 0,
        pieces: null_mut(),
        piece_count: 1,
        control: null_mut(),
        control_bytes: 0,
        flags: 0,
        bytes: 0,
    }; DATAGRAMS_PER_CALL_MAX];
    let mut count = 0;
    let parts = room.chunks_exact_mut(DATAGRAM_ROOM_BYTES);
    for ((message, piece), part) in messages.iter_mut().zip(&mut pieces).zip(parts) {
        piece.at = part.as_mut_ptr();
        message.pieces = piece;
        count += 1;
    }
    // SAFETY: the pointer is that of a live array of at least `count` messages. Each of these has one piece, which is alive
    // and names no more than a part of `room` of its own; no address, no control data and no timeout is asked for.
    let received = unsafe {
        recvmmsg(
            socket.as_raw_fd(),
            messages.as_mut_ptr(),
            count,
            0,
            null_mut(),
        )
    };
    let received = usize::try_from(received).unwrap_or(0);
    let mut datagrams = [[].as_slice(); DATAGRAMS_PER_CALL_MAX];
    let parts = room.chunks_exact(DATAGRAM_ROOM_BYTES).zip(&messages);
    for (datagram, (part, message)) in datagrams.iter_mut().zip(parts).take(received) {
        *datagram = part.get(..message.bytes as usize).unwrap_or_default();
    }
    (datagrams, received)
}
