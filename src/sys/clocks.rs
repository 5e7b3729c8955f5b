//! What time it is, and what time this process has taken.

use crate::clock::{Clocks, Mono, Wall};

#[repr(C)]
struct TimeSpec {
    seconds: i64,
    nanoseconds: i64,
}

/// `struct rusage` of 64-bit Linux.
#[repr(C)]
#[derive(Default)]
struct ResourceUsage {
    user: [i64; 2],
    system: [i64; 2],
    others: [i64; 14],
}

const _: () = assert!(size_of::<TimeSpec>() == 16);

unsafe extern "C" {
    pub(super) fn syscall(number: i64, ...) -> i64;
    fn clock_gettime(clock: i32, time: *mut TimeSpec) -> i32;
    fn getrusage(who: i32, usage: *mut ResourceUsage) -> i32;
}

const CLOCK_REALTIME: i32 = 0;
const CLOCK_MONOTONIC: i32 = 1;
const RUSAGE_SELF: i32 = 0;

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
