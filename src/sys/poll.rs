//! `poll(2)`: where the process sleeps.

use std::os::fd::RawFd;

use crate::limits::{BLIND_WAIT_MS, WAITED_MAX};

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

const _: () = assert!(size_of::<PollFd>() == 8);

unsafe extern "C" {
    pub(super) fn poll(descriptors: *mut PollFd, count: u64, timeout_ms: i32) -> i32;
}

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
