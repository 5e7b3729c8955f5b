//! Carrying on after a fatal signal, so that a bug of ours never fails the function.
//!
//! It is there as soon as register has told who we are. Before that nothing can be asked: what happens then, in the reading of
//! register's answer, ends the process. From there on [`crash_if`] stands wherever the conversation about the next event, or
//! what the program is at, becomes another; the tests crash at each.
//!
//! The handler runs on a stack of its own, trusts nothing of the program's memory but the few words in here, and does the one
//! thing that Lambda needs of an extension: it asks for the next event until SHUTDOWN comes, then leaves with status 0.

use std::cell::UnsafeCell;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicUsize, Ordering::SeqCst};

use super::clocks::syscall;
use super::file::tell;
use super::poll::{PollFd, READABLE, poll};
use super::process::ignore_broken_pipes;
use super::socket::{MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_STREAM, SocketAddress};
use super::socket::{connect, raw_address, recv, send, socket};

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
    for signal in &RAISED {
        handle(*signal);
    }
}

/// Installs the others, which somebody or a limit has to send: the start does not wait for that.
pub fn install_others() {
    for signal in &SENT {
        handle(*signal);
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
