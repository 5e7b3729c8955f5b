//! The process: its entry, arguments and environment, its end, and a number that nobody else knows.

use std::borrow::Cow;
use std::ffi::{CStr, c_char};

use super::clocks;

unsafe extern "C" {
    static environ: *const *const c_char;
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

/// A variable of the environment. What is not UTF-8 in it is replaced by U+FFFD, which no variable of kinglet's may hold: so
/// that a value that is no text is told as any wrong one. Such a copy is never given back.
#[must_use]
pub fn variable(name: &str) -> Option<&'static str> {
    // SAFETY: the C library's list ends with a null pointer, each entry with a NUL; nothing in this process changes it.
    // No byte is read behind the first that differs, and so none behind the NUL.
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
                return Some(match String::from_utf8_lossy(value) {
                    Cow::Borrowed(text) => text,
                    Cow::Owned(text) => text.leak(),
                });
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
