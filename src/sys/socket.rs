//! Sockets that do not block and are closed when another program is executed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::limits::{DATAGRAM_QUEUE_BYTES, LISTEN_BACKLOG};

/// `struct sockaddr_in` and `struct sockaddr_in6` in one: the longer one's size, the shorter one's beginning.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct SocketAddress {
    pub(super) family: u16,
    port_be: u16,
    /// IPv4: the address. IPv6: the flow information.
    first: [u8; 4],
    /// IPv4: zero. IPv6: the address.
    second: [u8; 16],
    scope: u32,
}

const _: () = assert!(size_of::<SocketAddress>() == 28);

unsafe extern "C" {
    pub(super) fn socket(domain: i32, kind: i32, protocol: i32) -> i32;
    pub(super) fn connect(fd: i32, address: *const SocketAddress, length: u32) -> i32;
    fn bind(fd: i32, address: *const SocketAddress, length: u32) -> i32;
    fn listen(fd: i32, backlog: i32) -> i32;
    fn setsockopt(fd: i32, level: i32, name: i32, value: *const i32, length: u32) -> i32;
    fn getsockopt(fd: i32, level: i32, name: i32, value: *mut u32, length: *mut u32) -> i32;
    fn accept4(fd: i32, address: *mut SocketAddress, length: *mut u32, flags: i32) -> i32;
    pub(super) fn send(fd: i32, bytes: *const u8, length: usize, flags: i32) -> isize;
    pub(super) fn recv(fd: i32, bytes: *mut u8, length: usize, flags: i32) -> isize;
    fn __errno_location() -> *const i32;
}

const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
pub(super) const SOCK_STREAM: i32 = 1;
const SOCK_DGRAM: i32 = 2;
const SOL_SOCKET: i32 = 1;
const SO_REUSEADDR: i32 = 2;
const SO_RCVBUF: i32 = 8;
const SO_MEMINFO: i32 = 55;
/// `SK_MEMINFO_VARS`, and the last of them: `SK_MEMINFO_DROPS`.
const MEMINFO_VALUES: usize = 9;
const SOCK_NONBLOCK: i32 = 0o4000;
pub(super) const SOCK_CLOEXEC: i32 = 0o2_000_000;
const IPPROTO_TCP: i32 = 6;
const TCP_NODELAY: i32 = 1;
pub(super) const MSG_NOSIGNAL: i32 = 0x4000;
const MSG_PEEK: i32 = 2;
const EINPROGRESS: i32 = 115;
const EAGAIN: usize = 11;

/// The beginning of a line about it.
pub const OUT_OF_DESCRIPTORS: &[u8] = b"no file descriptor is left: ";

/// Why the kernel does not do it: `errno`. Nothing has to be given back, as with [`io::Error`], so it costs its users nothing.
#[derive(Clone, Copy)]
pub struct Refusal(usize);

impl Refusal {
    /// Nothing is wrong: not yet connected, nothing to read, no room to write, or a signal came between.
    #[must_use]
    pub const fn is_retry(self) -> bool {
        const EINTR: usize = 4;
        const ENOTCONN: usize = 107;
        matches!(self.0, EAGAIN | EINTR | ENOTCONN)
    }

    /// The process, or the system, has as many descriptors open as it may.
    #[must_use]
    pub const fn is_out_of_descriptors(self) -> bool {
        const ENFILE: usize = 23;
        const EMFILE: usize = 24;
        matches!(self.0, ENFILE | EMFILE)
    }

    /// What the last call says that has returned this: at least 0 is what was asked for.
    fn or_count(returned: isize) -> Result<usize, Refusal> {
        usize::try_from(returned).map_err(|_| {
            // SAFETY: the C library's address of this thread's `errno`, which lives as long as the thread.
            Refusal(unsafe { *__errno_location() } as usize)
        })
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> io::Error {
        io::Error::from_raw_os_error(refusal.0 as i32)
    }
}

/// What a line begins with about a socket that could not be had: that no descriptor is left, or else what is usual.
#[must_use]
pub fn refusal(error: &io::Error, usual: &'static [u8]) -> &'static [u8] {
    let code = error.raw_os_error().unwrap_or_default();
    if Refusal(code as usize).is_out_of_descriptors() {
        OUT_OF_DESCRIPTORS
    } else {
        usual
    }
}

/// Receives what there is room for. Without anything to receive, 0 is the end of what the peer sends.
pub fn receive(socket: RawFd, buffer: &mut [u8]) -> Result<usize, Refusal> {
    received(socket, buffer, 0)
}

fn received(fd: RawFd, buffer: &mut [u8], flags: i32) -> Result<usize, Refusal> {
    // SAFETY: the pointer is that of a live buffer of the length that is given.
    Refusal::or_count(unsafe { recv(fd, buffer.as_mut_ptr(), buffer.len(), flags) })
}

/// Nothing has come and the peer has not gone. Only looks: nothing is read.
#[must_use]
pub fn is_silent(stream: RawFd) -> bool {
    matches!(received(stream, &mut [0], MSG_PEEK), Err(Refusal(EAGAIN)))
}

/// Sends as much as there is room for. A peer that has gone raises no signal.
pub fn send_some(socket: RawFd, bytes: &[u8]) -> Result<usize, Refusal> {
    // SAFETY: the pointer is that of live bytes of the length that is given.
    Refusal::or_count(unsafe { send(socket, bytes.as_ptr(), bytes.len(), MSG_NOSIGNAL) })
}

/// The next connection that waits. Non-blocking.
pub fn accept(listener: &TcpListener) -> Result<TcpStream, Refusal> {
    let (fd, flags) = (listener.as_raw_fd(), SOCK_NONBLOCK | SOCK_CLOEXEC);
    // SAFETY: who connects is not asked for.
    let fd = unsafe { accept4(fd, core::ptr::null_mut(), core::ptr::null_mut(), flags) };
    Refusal::or_count(fd as isize)?;
    // SAFETY: just accepted, and nobody else has it.
    Ok(TcpStream::from(unsafe { OwnedFd::from_raw_fd(fd) }))
}

/// A socket that asks one server: what is sent goes there, and only its answers are received. Non-blocking.
pub fn datagrams_to(address: &SocketAddr) -> io::Result<UdpSocket> {
    open_to(address, SOCK_DGRAM).map(UdpSocket::from)
}

/// Takes what anybody of this sandbox sends to this port of the loopback address. Non-blocking.
pub fn datagrams_on(port: u16) -> io::Result<UdpSocket> {
    let (address, length) = raw_address(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    let socket = open(&address, SOCK_DGRAM)?;
    let (fd, bytes) = (socket.as_raw_fd(), DATAGRAM_QUEUE_BYTES);
    // SAFETY: `bytes` is a live int of the length that is given, and `address` a live socket address of its length. Less
    // memory than asked for only means that more is dropped.
    let is_bound = unsafe {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &raw const bytes, 4);
        bind(fd, &raw const address, length) == 0
    };
    if is_bound {
        Ok(UdpSocket::from(socket))
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Datagrams for this socket that the kernel has dropped so far: what `/proc/net/udp` shows as `drops`, without the file.
#[must_use]
pub fn datagrams_dropped(socket: &UdpSocket) -> u32 {
    let mut values = [0; MEMINFO_VALUES];
    let mut length = size_of_val(&values) as u32;
    // SAFETY: the pointer is that of a live array of `length` bytes, which the kernel does not exceed.
    unsafe {
        getsockopt(
            socket.as_raw_fd(),
            SOL_SOCKET,
            SO_MEMINFO,
            values.as_mut_ptr(),
            &raw mut length,
        )
    };
    let [.., drops] = values;
    drops
}

/// Listens on this port of all IPv4 addresses; 0 is any free one. Non-blocking.
pub fn listen_on(port: u16) -> io::Result<TcpListener> {
    let (address, length) = raw_address(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    let socket = open(&address, SOCK_STREAM)?;
    let (fd, on) = (socket.as_raw_fd(), 1);
    // SAFETY: `on` is a live int of the length that is given, and `address` a live socket address of its length. Without
    // SO_REUSEADDR the port would be taken for a minute after a reset of the sandbox.
    let is_listening = unsafe {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &raw const on, 4);
        bind(fd, &raw const address, length) == 0 && listen(fd, LISTEN_BACKLOG) == 0
    };
    if is_listening {
        Ok(TcpListener::from(socket))
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Begins to connect. The stream is non-blocking and close-on-exec; it is connected, or has failed, when it is writable.
pub fn connect_to(address: &SocketAddr) -> io::Result<TcpStream> {
    open_to(address, SOCK_STREAM).map(TcpStream::from)
}

/// What is written in several pieces must not wait for the answer to the first: Nagle's delay is off.
pub fn send_at_once(stream: &TcpStream) {
    let on = 1;
    // SAFETY: `on` is a live int of the length that is given. A failure only costs time.
    unsafe {
        setsockopt(
            stream.as_raw_fd(),
            IPPROTO_TCP,
            TCP_NODELAY,
            &raw const on,
            4,
        )
    };
}

fn open_to(address: &SocketAddr, kind: i32) -> io::Result<OwnedFd> {
    let (raw, length) = raw_address(address);
    let socket = open(&raw, kind)?;
    // SAFETY: `raw` is a live socket address of at least `length` bytes.
    if unsafe { connect(socket.as_raw_fd(), &raw const raw, length) } < 0 {
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(EINPROGRESS) {
            return Err(error);
        }
    }
    Ok(socket)
}

fn open(address: &SocketAddress, kind: i32) -> io::Result<OwnedFd> {
    // SAFETY: takes no pointer.
    let fd = unsafe {
        socket(
            i32::from(address.family),
            kind | SOCK_NONBLOCK | SOCK_CLOEXEC,
            0,
        )
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor was opened just now and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(super) fn raw_address(address: &SocketAddr) -> (SocketAddress, u32) {
    let port_be = address.port().to_be();
    match address {
        SocketAddr::V4(address) => {
            let raw = SocketAddress {
                family: AF_INET,
                port_be,
                first: address.ip().octets(),
                second: [0; 16],
                scope: 0,
            };
            (raw, 16)
        }
        SocketAddr::V6(address) => {
            let raw = SocketAddress {
                family: AF_INET6,
                port_be,
                first: address.flowinfo().to_be_bytes(),
                second: address.ip().octets(),
                scope: address.scope_id(),
            };
            (raw, 28)
        }
    }
}
