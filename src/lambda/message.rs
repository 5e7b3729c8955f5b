//! kinglet's own words on stderr, which CloudWatch shows: one line each, all with the same beginning, few.
//!
//! Lambda hands these lines back as `extension` events; the reader knows them by their beginning and never ships them.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::limits::{MESSAGE_BYTES_MAX, MESSAGES_MAX};
use crate::sys;
use crate::text::decimal;

/// kinglet's own lines begin with this; they never re-enter the pipeline.
pub const OWN_PREFIX: &[u8] = b"kinglet: ";

/// Says at most [`MESSAGES_MAX`] lines until [`Messages::renew`].
#[derive(Debug, Default)]
pub struct Messages {
    said: u32,
}

impl Messages {
    /// Writes one line of these parts.
    pub fn say(&mut self, parts: &[&[u8]]) {
        self.said += 1;
        if self.said < MESSAGES_MAX {
            line(parts);
        } else if self.said == MESSAGES_MAX {
            line(&[b"more was to be said; only so many lines are written for one invocation"]);
        }
    }

    /// A new invocation has begun.
    pub const fn renew(&mut self) {
        self.said = 0;
    }
}

/// Lines that were not written, since the last one that was: there was no room.
static UNREAD: AtomicU64 = AtomicU64::new(0);

/// Writes one line of these parts, whatever was said before. Control characters are replaced, and a long line is cut. That
/// nobody reads it must neither end the process nor hold it: without room it is left out, and counted in the next one.
pub fn line(parts: &[&[u8]]) {
    sys::ignore_broken_pipes();
    let mut out = Vec::with_capacity(MESSAGE_BYTES_MAX);
    let unread = UNREAD.load(Relaxed);
    if unread > 0 {
        out.extend_from_slice(OWN_PREFIX);
        out.extend_from_slice(b"lines before this that nobody read: ");
        decimal::push(&mut out, unread);
        out.push(b'\n');
    }
    let bytes_max = out.len() + MESSAGE_BYTES_MAX;
    out.extend_from_slice(OWN_PREFIX);
    for byte in parts.iter().flat_map(|part| part.iter()) {
        if out.len() == bytes_max - 1 {
            break;
        }
        out.push(if byte.is_ascii_control() { b'?' } else { *byte });
    }
    out.push(b'\n');
    UNREAD.store(if sys::tell(&out) { 0 } else { unread + 1 }, Relaxed);
}
