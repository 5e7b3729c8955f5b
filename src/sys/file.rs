//! The standard streams, and small files.

use std::ffi::{CStr, c_char};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::poll::{PollFd, WRITABLE, wait};
use crate::limits::FILE_BYTES_MAX;

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
