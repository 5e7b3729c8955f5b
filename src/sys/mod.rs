//! What std lacks, or has only with more than is needed: `poll(2)`, sockets that do not block, two clocks, the process's entry,
//! arguments and environment, handlers for fatal signals, and for the static binary an allocator. The only file with `unsafe`,
//! and each block says why it is sound.
//!
//! The C declarations are those of glibc and musl on x86_64 and aarch64 Linux, which agree in all that is used here; the
//! sizes are asserted at compile time.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::clock::{Clocks, Mono, Wall};
use crate::limits::{
    BLIND_WAIT_MS, DATAGRAM_QUEUE_BYTES, FILE_BYTES_MAX, LISTEN_BACKLOG, WAITED_MAX,
};

#[cfg(all(target_arch = "x86_64", any(test, target_env = "musl")))]
mod bytes;
pub mod scan;

pub const READABLE: i16 = 0x1;
pub const WRITABLE: i16 = 0x4;

/// One descriptor and what is waited for; `struct pollfd`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct PollFd {
    /// A negative one is skipped.
    pub fd: RawFd,
    pub events: i16,
    pub ready: i16,
}

/// Waits for nothing.
pub const NOTHING: PollFd = PollFd {
    fd: -1,
    events: 0,
    ready: 0,
};

#[repr(C)]
struct TimeSpec {
    seconds: i64,
    nanoseconds: i64,
}

/// `struct sockaddr_in` and `struct sockaddr_in6` in one: the longer one's size, the shorter one's beginning.
#[repr(C)]
#[derive(Clone, Copy)]
struct SocketAddress {
    family: u16,
    port_be: u16,
    /// IPv4: the address. IPv6: the flow information.
    first: [u8; 4],
    /// IPv4: zero. IPv6: the address.
    second: [u8; 16],
    scope: u32,
}

const _: () = {
    assert!(size_of::<PollFd>() == 8);
    assert!(size_of::<TimeSpec>() == 16);
    assert!(size_of::<SocketAddress>() == 28);
};

unsafe extern "C" {
    fn syscall(number: i64, ...) -> i64;
    static environ: *const *const c_char;
    fn poll(descriptors: *mut PollFd, count: u64, timeout_ms: i32) -> i32;
    fn clock_gettime(clock: i32, time: *mut TimeSpec) -> i32;
    fn socket(domain: i32, kind: i32, protocol: i32) -> i32;
    fn connect(fd: i32, address: *const SocketAddress, length: u32) -> i32;
    fn bind(fd: i32, address: *const SocketAddress, length: u32) -> i32;
    fn listen(fd: i32, backlog: i32) -> i32;
    fn setsockopt(fd: i32, level: i32, name: i32, value: *const i32, length: u32) -> i32;
    fn getsockopt(fd: i32, level: i32, name: i32, value: *mut u32, length: *mut u32) -> i32;
    fn getrusage(who: i32, usage: *mut ResourceUsage) -> i32;
}

/// `struct rusage` of 64-bit Linux.
#[repr(C)]
#[derive(Default)]
struct ResourceUsage {
    user: [i64; 2],
    system: [i64; 2],
    others: [i64; 14],
}

const CLOCK_REALTIME: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;
const AF_INET: u16 = 2;
const AF_INET6: u16 = 10;
const SOCK_STREAM: i32 = 1;
const SOCK_DGRAM: i32 = 2;
const SOL_SOCKET: i32 = 1;
const SO_REUSEADDR: i32 = 2;
const SO_RCVBUF: i32 = 8;
const SO_MEMINFO: i32 = 55;
/// `SK_MEMINFO_VARS`, and the last of them: `SK_MEMINFO_DROPS`.
const MEMINFO_VALUES: usize = 9;
const RUSAGE_SELF: i32 = 0;
const SOCK_NONBLOCK: i32 = 0o4000;
const SOCK_CLOEXEC: i32 = 0o2_000_000;
const IPPROTO_TCP: i32 = 6;
const TCP_NODELAY: i32 = 1;
const EINPROGRESS: i32 = 115;

/// Waits until a descriptor is ready or the time is over; `None` waits for ever. The only place of the program that sleeps.
/// A call that fails looks like one whose time is over: the caller looks at its clock and comes again.
pub fn wait(descriptors: &mut [PollFd], timeout_ms: Option<u64>) {
    let timeout_ms = timeout_ms.map_or(-1, |ms| i32::try_from(ms).unwrap_or(i32::MAX));
    // The kernel refuses more entries than the process may have descriptors, so those that would be skipped are left out.
    let mut waited = [NOTHING; WAITED_MAX];
    let mut count = 0;
    for descriptor in &mut *descriptors {
        descriptor.ready = 0;
        if descriptor.fd >= 0
            && let Some(slot) = waited.get_mut(count)
        {
            *slot = *descriptor;
            count += 1;
        }
    }
    // SAFETY: the pointer is that of a live array of `struct pollfd`, and the count at most its length; of no descriptors it is
    // not used, and `each` is one of them.
    unsafe {
        if poll(waited.as_mut_ptr(), count as u64, timeout_ms) < 0 {
            // Somebody has lowered the limit. One is always allowed.
            poll(core::ptr::null_mut(), 0, BLIND_WAIT_MS);
            for each in waited.iter_mut().take(count) {
                poll(each, 1, 0);
            }
        }
    }
    let used = descriptors.iter_mut().filter(|each| each.fd >= 0);
    for (descriptor, waited) in used.zip(&waited) {
        descriptor.ready = waited.ready;
    }
}

/// The beginning of a line about it.
pub const OUT_OF_DESCRIPTORS: &[u8] = b"no file descriptor is left: ";

/// The process, or the system, has as many descriptors open as it may.
#[must_use]
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    matches!(error.raw_os_error(), Some(ENFILE | EMFILE))
}

/// Both clocks, now.
#[must_use]
pub fn clocks() -> Clocks {
    Clocks {
        wall: Wall(milliseconds(CLOCK_REALTIME)),
        mono: Mono(milliseconds(CLOCK_MONOTONIC)),
    }
}

/// `CLOCK_MONOTONIC` in microseconds, by a system call of its own: the first look at a clock in the usual way costs two page
/// faults, and a search of the kernel's symbols.
#[must_use]
pub fn microseconds() -> u64 {
    const CLOCK_GETTIME: i64 = if cfg!(target_arch = "x86_64") {
        228
    } else {
        113
    };
    let mut time = TimeSpec {
        seconds: 0,
        nanoseconds: 0,
    };
    // SAFETY: `time` is a live `struct timespec`; the call writes to nothing else.
    unsafe { syscall(CLOCK_GETTIME, i64::from(CLOCK_MONOTONIC), &raw mut time) };
    (time.seconds as u64) * 1_000_000 + (time.nanoseconds as u64) / 1000
}

fn milliseconds(clock: i32) -> u64 {
    let mut time = TimeSpec {
        seconds: 0,
        nanoseconds: 0,
    };
    // SAFETY: `time` is a live `struct timespec`; the call writes to nothing else, and fails only for unknown clocks.
    unsafe { clock_gettime(clock, &raw mut time) };
    (time.seconds as u64) * 1000 + (time.nanoseconds as u64) / 1_000_000
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

/// What this process has cost so far: CPU time in microseconds.
#[must_use]
pub fn cpu_us() -> u64 {
    let mut usage = ResourceUsage::default();
    // SAFETY: `usage` is a live `struct rusage`; the call writes to nothing else.
    unsafe { getrusage(RUSAGE_SELF, &raw mut usage) };
    let cpu_us = [usage.user, usage.system].map(|[seconds, us]| seconds * 1_000_000 + us);
    let [user_us, system_us] = cpu_us;
    u64::try_from(user_us + system_us).unwrap_or(0)
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

fn raw_address(address: &SocketAddr) -> (SocketAddress, u32) {
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

/// The arguments of the process, the program's own name first.
#[derive(Clone, Copy)]
pub struct Arguments {
    next: *const *const c_char,
}

impl Arguments {
    /// For [`crate::entry`] alone.
    ///
    /// # Safety
    ///
    /// `next` is the argument list that the C library gives to `main`.
    #[must_use]
    pub const unsafe fn new(next: *const *const c_char) -> Arguments {
        Arguments { next }
    }
}

impl Iterator for Arguments {
    type Item = &'static [u8];

    fn next(&mut self) -> Option<&'static [u8]> {
        // SAFETY: the list ends with a null pointer, which is not passed; each entry ends with a NUL and lives for ever.
        unsafe {
            let argument = *self.next;
            if argument.is_null() {
                return None;
            }
            self.next = self.next.add(1);
            Some(CStr::from_ptr(argument).to_bytes())
        }
    }
}

/// Defines the process's entry: what the C library calls first. `$start` gets the arguments and never returns. And for the static
/// binary its allocator, which is for one thread: `$start` must not start another. It stands here and not in the library,
/// which tests link, too, and they have threads.
#[macro_export]
macro_rules! entry {
    ($start:path) => {
        // SAFETY: nothing in the shipped binary starts a thread, and the signal handlers never allocate.
        #[cfg(target_env = "musl")]
        #[global_allocator]
        static MEMORY: $crate::sys::memory::Memory = unsafe { $crate::sys::memory::Memory::new() };

        // SAFETY: the C library calls the symbol `main` once, with the argument list.
        #[unsafe(no_mangle)]
        extern "C" fn main(_count: i32, list: *const *const core::ffi::c_char) -> i32 {
            // SAFETY: it is the list that `main` was given.
            $start(unsafe { $crate::sys::Arguments::new(list) })
        }

        /// Nothing here asks the C library for a variable but ureq, for a proxy that it then does not use: so there are
        /// none, and the code that would read a proxy's address is not in the static binary. In debug builds
        /// `survival::crash_if` asks.
        // SAFETY: replaces the C library's function of that name; reads and writes nothing.
        #[cfg(all(target_env = "musl", not(debug_assertions)))]
        #[unsafe(no_mangle)]
        extern "C" fn getenv(_name: *const core::ffi::c_char) -> *mut core::ffi::c_char {
            core::ptr::null_mut()
        }
    };
}

/// Writing to a peer that is gone is an error that is looked at, not the end of the process.
pub fn ignore_broken_pipes() {
    unsafe extern "C" {
        fn signal(signal: i32, handler: usize) -> usize;
    }
    const SIGPIPE: i32 = 13;
    const SIG_IGN: usize = 1;
    // SAFETY: sets how one signal is taken; no handler runs.
    unsafe { signal(SIGPIPE, SIG_IGN) };
}

/// Ends the process at once. There is nothing to clean up that the kernel does not.
pub fn exit(status: u8) -> ! {
    unsafe extern "C" {
        fn _exit(status: i32) -> !;
    }
    // SAFETY: takes no pointer.
    unsafe { _exit(i32::from(status)) }
}

pub const STDOUT: RawFd = 1;
const STDERR: RawFd = 2;

/// Writes a line to standard error, unless it would have to wait: a pipe that nobody reads must not hold the process. The
/// descriptor is shared with others, so it stays one that blocks. A pipe that takes anything takes 4,096 bytes (`PIPE_BUF`),
/// and all of our lines are shorter. True if there was room. Fit for a signal handler.
pub fn tell(line: &[u8]) -> bool {
    let mut stderr = [PollFd {
        fd: STDERR,
        events: WRITABLE,
        ready: 0,
    }];
    wait(&mut stderr, Some(0));
    let [stderr] = stderr;
    let is_taken = stderr.ready & WRITABLE != 0;
    if is_taken {
        write(STDERR, line);
    }
    is_taken
}

/// Writes once, as much as is taken. There is nobody to tell of a failure.
pub fn write(fd: RawFd, bytes: &[u8]) {
    unsafe extern "C" {
        fn write(fd: RawFd, bytes: *const u8, length: usize) -> isize;
    }
    // SAFETY: the pointer and the length are those of one live slice.
    unsafe { write(fd, bytes.as_ptr(), bytes.len()) };
}

/// The beginning of a small file, at most 16 KiB; empty if it cannot be read.
#[must_use]
pub fn read_file(path: &CStr) -> Vec<u8> {
    unsafe extern "C" {
        fn open(path: *const c_char, flags: i32, ...) -> RawFd;
        fn read(fd: RawFd, bytes: *mut u8, length: usize) -> isize;
    }
    const O_CLOEXEC: i32 = 0o2_000_000;
    // SAFETY: the path ends with a NUL.
    let fd = unsafe { open(path.as_ptr(), O_CLOEXEC) };
    if fd < 0 {
        return Vec::new();
    }
    // SAFETY: the descriptor was opened just now and belongs to nobody else.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    let mut bytes = vec![0; FILE_BYTES_MAX];
    // SAFETY: the pointer and the length are those of one live, exclusively borrowed vector.
    let count = unsafe { read(file.as_raw_fd(), bytes.as_mut_ptr(), bytes.len()) };
    bytes.truncate(usize::try_from(count).unwrap_or(0));
    bytes
}

/// A variable of the environment. What is not UTF-8 in it is replaced by U+FFFD, which no variable of kinglet's may hold: so
/// that a value that is no text is told as any wrong one.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    // SAFETY: the C library's list ends with a null pointer, each entry with a NUL; nothing in this process changes it.
    // No byte is read behind the first that differs, and so none behind the NUL: forty names are looked up in a cold start.
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            let mut text = *entry;
            let mut rest = name.bytes();
            let is_name = rest.all(|byte| {
                let is_same = *text.cast::<u8>() == byte;
                text = text.add(usize::from(is_same));
                is_same
            });
            if is_name && *text.cast::<u8>() == b'=' {
                let value = CStr::from_ptr(text.add(1)).to_bytes();
                return Some(String::from_utf8_lossy(value).into_owned());
            }
            entry = entry.add(1);
        }
    }
    None
}

/// All of the environment: `name=value` each.
#[must_use]
pub fn environment() -> Arguments {
    // SAFETY: the C library's list ends with a null pointer as that of the arguments does, and nothing in this process changes it.
    unsafe { Arguments::new(environ) }
}

/// Carrying on after a fatal signal, so that a bug of ours never fails the function.
///
/// It is there as soon as register has told who we are. Before that nothing can be asked: what happens then, in the reading of
/// register's answer, ends the process. From there on [`survival::crash_if`] stands wherever the conversation about the next event, or
/// what the program is at, becomes another; the tests crash at each.
///
/// The handler runs on a stack of its own, trusts nothing of the program's memory but the few words in here, and does the one
/// thing that Lambda needs of an extension: it asks for the next event until SHUTDOWN comes, then leaves with status 0.
pub mod survival {
    use super::*;
    use std::cell::UnsafeCell;
    use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering::SeqCst};

    /// Where the conversation about the next event stands.
    #[derive(Clone, Copy)]
    pub enum Next<'a> {
        /// It has to be asked (again), on a new connection.
        Ask,
        /// It was asked on this connection, whole, and nothing of the answer was read.
        Outstanding(&'a TcpStream),
        /// SHUTDOWN has been read.
        Over,
    }

    // Written by the program, read by the handler in the same thread. Atomics because a handler may interrupt anything, and one
    // word for where it stands because it may do so between two.
    const ASK: i32 = -1;
    const OVER: i32 = -2;
    /// [`ASK`], [`OVER`], or the connection on which next is outstanding.
    static NEXT: AtomicI32 = AtomicI32::new(ASK);
    static ADDRESS: AtomicPtr<SocketAddress> = AtomicPtr::new(core::ptr::null_mut());
    static ADDRESS_BYTES: AtomicUsize = AtomicUsize::new(0);
    static REQUEST: AtomicPtr<u8> = AtomicPtr::new(core::ptr::null_mut());
    static REQUEST_BYTES: AtomicUsize = AtomicUsize::new(0);

    /// What the kernel ends a process with for its own doing, on both architectures: ILL, TRAP, ABRT, BUS, FPE, SEGV.
    const RAISED: [i64; 6] = [4, 5, 6, 7, 8, 11];
    /// XCPU, XFSZ and SYS.
    const SENT: [i64; 3] = [24, 25, 31];
    const STACK_BYTES: usize = 64 * 1024;
    const SA_ONSTACK: u64 = 0x0800_0000;
    const SA_RESTORER: u64 = 0x0400_0000;
    const MSG_NOSIGNAL: i32 = 0x4000;
    /// Descriptors that the program can have open.
    const DESCRIPTORS_MAX: i32 = 64;
    const ANSWER_BYTES_MAX: usize = 4096;
    const RETRY_PAUSE_MS: i32 = 10;
    /// 5 s of failures in a row: the sandbox is gone.
    const FAILURES_MAX: u32 = 500;

    /// In memory that the kernel gives without being asked, and only once it is used.
    struct Stack(UnsafeCell<[u8; STACK_BYTES]>);

    // SAFETY: nothing but the handler uses it.
    unsafe impl Sync for Stack {}

    static STACK: Stack = Stack(UnsafeCell::new([0; STACK_BYTES]));

    /// The kernel's `struct sigaction`, not the C library's.
    #[repr(C)]
    struct SignalAction {
        handler: extern "C" fn(i32),
        flags: u64,
        /// Where a handler returns to. Ours never does, but x86_64's kernel wants one.
        restorer: extern "C" fn(i32),
        mask: u64,
    }

    #[repr(C)]
    struct SignalStack {
        base: *mut u8,
        flags: i32,
        size: usize,
    }

    const _: () = {
        assert!(size_of::<SignalAction>() == 32);
        assert!(size_of::<SignalStack>() == 24);
    };

    unsafe extern "C" {
        fn sigaltstack(new: *const SignalStack, old: *mut SignalStack) -> i32;
        fn send(fd: i32, bytes: *const u8, length: usize, flags: i32) -> isize;
        fn recv(fd: i32, bytes: *mut u8, length: usize, flags: i32) -> isize;
        fn close(fd: i32) -> i32;
        fn _exit(status: i32) -> !;
    }

    /// Tells the handler where the conversation stands.
    pub fn note(next: Next<'_>) {
        let word = match next {
            Next::Ask => ASK,
            Next::Outstanding(stream) => stream.as_raw_fd(),
            Next::Over => OVER,
        };
        NEXT.store(word, SeqCst);
    }

    /// From now on there is something to ask: `request` asks for the next event, and is sent to `address`.
    pub fn registered(address: &SocketAddr, request: &[u8]) {
        let (raw, length) = raw_address(address);
        ADDRESS_BYTES.store(length as usize, SeqCst);
        ADDRESS.store(Box::leak(Box::new(raw)), SeqCst);
        REQUEST_BYTES.store(request.len(), SeqCst);
        REQUEST.store(request.to_vec().leak().as_mut_ptr(), SeqCst);
    }

    /// Installs the handlers of what the processor itself raises, and of abort: a bug of ours is no other.
    pub fn install() {
        let stack = SignalStack {
            base: STACK.0.get().cast(),
            flags: 0,
            size: STACK_BYTES,
        };
        // SAFETY: the structure is live and of the layout that the C library documents; the stack is a static, and nothing else
        // uses it.
        unsafe { sigaltstack(&raw const stack, core::ptr::null_mut()) };
        for signal in RAISED {
            handle(signal);
        }
    }

    /// Installs the others, which somebody or a limit has to send: the start does not wait for that.
    pub fn install_others() {
        for signal in SENT {
            handle(signal);
        }
    }

    /// By the system call itself: the C library's function makes others, for threads that are not there.
    fn handle(signal: i64) {
        const RT_SIGACTION: i64 = if cfg!(target_arch = "x86_64") {
            13
        } else {
            134
        };
        let action = SignalAction {
            handler: survive,
            flags: SA_ONSTACK | SA_RESTORER,
            restorer: survive,
            mask: 0,
        };
        // SAFETY: `action` is live and of the kernel's layout on both architectures, whose mask has 8 bytes; nothing is written.
        unsafe {
            syscall(
                RT_SIGACTION,
                signal,
                &raw const action,
                core::ptr::null_mut::<SignalAction>(),
                size_of::<u64>(),
            )
        };
    }

    /// The handler. It never returns: what the program was doing is lost.
    extern "C" fn survive(_signal: i32) {
        if REQUEST.load(SeqCst).is_null() {
            // SAFETY: ends the process without running anything of it. Lambda does not know us yet, or we not our name.
            unsafe { _exit(1) }
        }
        ignore_broken_pipes();
        tell(b"kinglet: internal error: recording has stopped, the function is not affected\n");
        let next = NEXT.load(SeqCst);
        for fd in 3..DESCRIPTORS_MAX {
            if fd != next {
                // SAFETY: closing a descriptor that is open or not harms nobody: the program never runs again.
                unsafe { close(fd) };
            }
        }
        let mut is_over = next == OVER;
        if next >= 0 {
            is_over = matches!(read_event(next), Some(Event::Shutdown));
        }
        // SAFETY: as above.
        unsafe { close(next) };
        let mut failures = 0;
        while !is_over && failures < FAILURES_MAX {
            match ask() {
                Some(Event::Invoke) => failures = 0,
                Some(Event::Shutdown) => is_over = true,
                None => {
                    failures += 1;
                    pause();
                }
            }
        }
        // SAFETY: ends the process without running anything of it.
        unsafe { _exit(i32::from(!is_over)) }
    }

    enum Event {
        Invoke,
        Shutdown,
    }

    /// Asks for the next event on a connection of its own.
    fn ask() -> Option<Event> {
        let (address, length) = (ADDRESS.load(SeqCst), ADDRESS_BYTES.load(SeqCst));
        let (request, request_bytes) = (REQUEST.load(SeqCst), REQUEST_BYTES.load(SeqCst));
        // SAFETY: `address` was leaked by `registered`, without which no handler gets here.
        let family = i32::from(unsafe { (*address).family });
        // SAFETY: takes no pointer.
        let fd = unsafe { socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0) };
        // SAFETY: address and request were leaked by `registered`, without which no handler gets here; the lengths are theirs.
        let is_sent = unsafe {
            connect(fd, address, length as u32) == 0
                && send(fd, request, request_bytes, MSG_NOSIGNAL) == request_bytes as isize
        };
        let event = if is_sent { read_event(fd) } else { None };
        // SAFETY: the descriptor is ours, or -1.
        unsafe { close(fd) };
        event
    }

    /// Reads an answer as far as is needed to know the event. `None`: an error, or neither event.
    fn read_event(fd: RawFd) -> Option<Event> {
        let mut answer = [0u8; ANSWER_BYTES_MAX];
        let mut used = 0;
        loop {
            let mut descriptor = PollFd {
                fd,
                events: READABLE,
                ready: 0,
            };
            // SAFETY: one live `struct pollfd`.
            unsafe { poll(&raw mut descriptor, 1, -1) };
            let free = answer.get_mut(used..).unwrap_or_default();
            // SAFETY: the pointer and the length are those of one live, exclusively borrowed slice.
            let count = unsafe { recv(fd, free.as_mut_ptr(), free.len(), 0) };
            used += usize::try_from(count).ok().filter(|count| *count > 0)?;
            let text = answer.get(..used).unwrap_or_default();
            let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
            if has(b"\"SHUTDOWN\"") {
                return Some(Event::Shutdown);
            }
            if has(b"\"INVOKE\"") {
                return Some(Event::Invoke);
            }
            if text.get(9).is_some_and(|status| *status != b'2') {
                return None;
            }
        }
    }

    fn pause() {
        // SAFETY: no descriptors, so the pointer is not used.
        unsafe { poll(core::ptr::null_mut(), 0, RETRY_PAUSE_MS) };
    }

    /// Does what a bug would if `KINGLET_DEBUG_CRASH` names this state: for the tests of the handler, in debug builds only.
    pub fn crash_if(state: &str) {
        #[cfg(debug_assertions)]
        if std::env::var("KINGLET_DEBUG_CRASH").is_ok_and(|wanted| wanted == state) {
            // Ends the program as a panic does under `panic = "abort"`.
            std::process::abort();
        }
        #[cfg(not(debug_assertions))]
        let _ = state;
    }
}

/// A number that others cannot guess, from the kernel; the clock's if there is none.
#[must_use]
pub fn random() -> u64 {
    unsafe extern "C" {
        fn getrandom(bytes: *mut u8, length: usize, flags: u32) -> isize;
    }
    const GRND_NONBLOCK: u32 = 1;
    let mut bytes = [0; 8];
    // SAFETY: the pointer and the length are those of one live array.
    if unsafe { getrandom(bytes.as_mut_ptr(), bytes.len(), GRND_NONBLOCK) } != 8 {
        return clocks().wall.0;
    }
    u64::from_ne_bytes(bytes)
}

/// Keeps musl's standard streams out of the static binary: nothing is written through them, so nothing is left to flush when
/// `main` returns. They are linked for an unwinder that is itself left out.
#[cfg(target_env = "musl")]
mod standard_streams {
    // SAFETY: replaces the C library's function of that name, by which its streams ask to be flushed at the end; that it is not
    // its own is all that counts, for it is never called.
    #[unsafe(no_mangle)]
    extern "C" fn __stdio_exit_needed() {}
}

/// Keeps musl's table of error texts (2 KB) out of the static binary: nothing that kinglet prints contains one.
#[cfg(target_env = "musl")]
mod error_texts {
    /// What the standard library calls to describe an error number: the description is empty.
    ///
    /// # Safety
    ///
    /// As POSIX says: `text` has room for `length` bytes.
    // SAFETY: replaces the C library's function of that name, which is linked only if nobody defines it.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn __xpg_strerror_r(
        _error: i32,
        text: *mut core::ffi::c_char,
        length: usize,
    ) -> i32 {
        if length > 0 {
            // SAFETY: there is room for at least one byte.
            unsafe { text.write(0) };
        }
        0
    }
}

/// The allocator of the static binary, for one thread: blocks of powers of two, free lists, no locks.
///
/// musl's own costs 8 KB of binary and takes its pages one by one; ours carves from memory that the kernel gives without being
/// asked (`.bss`), so a cold start makes no system call for it. Whoever builds against another C library gets that one's.
/// [`crate::entry`] puts it into a binary; the library only has it ready.
#[cfg(target_env = "musl")]
pub mod memory {
    use std::alloc::{GlobalAlloc, Layout};
    use std::cell::UnsafeCell;
    use std::ptr::null_mut;

    /// Smallest block: it must hold a pointer, and be aligned for everything.
    const BLOCK_BYTES_MIN: usize = 32;
    const CLASSES: usize = 12;
    /// Larger ones are mappings of their own.
    const BLOCK_BYTES_MAX: usize = BLOCK_BYTES_MIN << (CLASSES - 1);
    const ARENA_BYTES: usize = 256 * 1024;

    const PROT_READ_WRITE: i32 = 3;
    const MAP_PRIVATE_ANONYMOUS: i32 = 0x22;
    const MREMAP_MAYMOVE: i32 = 1;

    unsafe extern "C" {
        fn mmap(
            at: *mut u8,
            bytes: usize,
            protection: i32,
            flags: i32,
            fd: i32,
            offset: i64,
        ) -> *mut u8;
        fn munmap(at: *mut u8, bytes: usize) -> i32;
        fn mremap(at: *mut u8, old: usize, new: usize, flags: i32, ...) -> *mut u8;
    }

    #[repr(align(64))]
    struct Arena(#[expect(dead_code, reason = "used by its address")] [u8; ARENA_BYTES]);

    /// The allocator.
    pub struct Memory {
        arena: UnsafeCell<Arena>,
        state: UnsafeCell<State>,
    }

    struct State {
        /// First free block of each class; each holds the address of the next.
        free: [*mut u8; CLASSES],
        /// What is not carved yet. Before the first use `end` is 0: the arena follows.
        next: usize,
        end: usize,
        is_arena_taken: bool,
    }

    // SAFETY: whoever has made one has promised that the process has one thread.
    unsafe impl Sync for Memory {}

    impl Memory {
        /// For [`crate::entry`] alone.
        ///
        /// # Safety
        ///
        /// One thread uses it, and no signal handler that goes back to what it has interrupted.
        #[must_use]
        pub const unsafe fn new() -> Memory {
            Memory {
                arena: UnsafeCell::new(Arena([0; ARENA_BYTES])),
                state: UnsafeCell::new(State {
                    free: [null_mut(); CLASSES],
                    next: 0,
                    end: 0,
                    is_arena_taken: false,
                }),
            }
        }
    }

    /// The class of a block, or `None` if it is a mapping.
    fn class(layout: Layout) -> Option<usize> {
        let bytes = layout.size().max(layout.align()).max(BLOCK_BYTES_MIN);
        let class = bytes.next_power_of_two().trailing_zeros() - BLOCK_BYTES_MIN.trailing_zeros();
        (bytes <= BLOCK_BYTES_MAX).then_some(class as usize)
    }

    /// A mapping of zeros, or null.
    fn map(bytes: usize) -> *mut u8 {
        // SAFETY: asks for new memory, and touches none.
        let at = unsafe {
            mmap(
                null_mut(),
                bytes,
                PROT_READ_WRITE,
                MAP_PRIVATE_ANONYMOUS,
                -1,
                0,
            )
        };
        if at as isize == -1 { null_mut() } else { at }
    }

    impl Memory {
        /// Cuts a block off the memory that is not carved yet. A block is aligned to its size within the arena's 64 bytes or
        /// the mapping's page, which is all that a layout of ours asks for.
        fn carve(&self, state: &mut State, bytes: usize) -> *mut u8 {
            let align = bytes.min(4096);
            let mut at = state.next.next_multiple_of(align);
            if at + bytes > state.end {
                let area = if state.is_arena_taken {
                    map(ARENA_BYTES)
                } else {
                    self.arena.get().cast()
                };
                if area.is_null() {
                    return area;
                }
                state.is_arena_taken = true;
                state.end = area as usize + ARENA_BYTES;
                at = (area as usize).next_multiple_of(align);
            }
            state.next = at + bytes;
            at as *mut u8
        }
    }

    // SAFETY: a block is handed out once until it is given back: it comes from a free list, from which it is taken, or from
    // memory never carved before. It is as large and as aligned as its class, which is at least its layout.
    unsafe impl GlobalAlloc for Memory {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let Some(class) = class(layout) else {
                return map(layout.size());
            };
            // SAFETY: one thread, and no other borrow is alive.
            let state = unsafe { &mut *self.state.get() };
            match state.free.get_mut(class) {
                Some(first) if !first.is_null() => {
                    let block = *first;
                    // SAFETY: a free block begins with the address of the next one.
                    *first = unsafe { block.cast::<*mut u8>().read() };
                    block
                }
                _ => self.carve(state, BLOCK_BYTES_MIN << class),
            }
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: as the caller's; a block is at least as long as its layout, and a new mapping is zero already.
            unsafe {
                let block = self.alloc(layout);
                if class(layout).is_some() && !block.is_null() {
                    block.write_bytes(0, layout.size());
                }
                block
            }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            let Some(class) = class(layout) else {
                // SAFETY: it was mapped with this size.
                unsafe { munmap(block, layout.size()) };
                return;
            };
            // SAFETY: one thread, and no other borrow is alive.
            let state = unsafe { &mut *self.state.get() };
            if let Some(first) = state.free.get_mut(class) {
                // SAFETY: the block is ours again, and large enough for a pointer.
                unsafe { block.cast::<*mut u8>().write(*first) };
                *first = block;
            }
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
            // SAFETY: the caller keeps the size within bounds for this alignment.
            let new = unsafe { Layout::from_size_align_unchecked(bytes, layout.align()) };
            match (class(layout), class(new)) {
                (Some(old), Some(new)) if old == new => block,
                (None, None) => {
                    // SAFETY: it was mapped with this size; the kernel moves its pages without copying.
                    let at = unsafe { mremap(block, layout.size(), bytes, MREMAP_MAYMOVE) };
                    if at as isize == -1 { null_mut() } else { at }
                }
                _ => {
                    // SAFETY: the layout is valid; both blocks are at least as long as what is copied, and apart.
                    unsafe {
                        let at = self.alloc(new);
                        if !at.is_null() {
                            at.copy_from_nonoverlapping(block, layout.size().min(bytes));
                            self.dealloc(block, layout);
                        }
                        at
                    }
                }
            }
        }
    }
}
