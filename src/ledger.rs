//! The accounts: where every telemetry event that was received has gone.
//!
//! At every moment `received = resident + delivered + evicted + rejected + filtered + malformed + abandoned`, where
//! resident is what the ring holds. kinglet's own records are not in it, nor what the platform dropped before us.

use crate::decimal;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    /// Events that came from the platform, the malformed ones included.
    pub received: u64,
    /// Answered with a 2xx.
    pub delivered: u64,
    /// Overwritten in a full ring.
    pub evicted: u64,
    /// Refused by the collector for good.
    pub rejected: u64,
    /// Not to be shipped, by configuration.
    pub filtered: u64,
    /// Not an event, or not JSON.
    pub malformed: u64,
    /// Still unsent at exit.
    pub abandoned: u64,
    /// Records that were shipped shorter than they came. They are among the delivered.
    pub cut: u64,
    /// Records that Lambda says it dropped itself. They never reached us.
    pub platform_dropped: u64,
    /// Requests to the collector, and those of them that failed and are repeated.
    pub posts: u64,
    pub posts_failed: u64,
    /// Telemetry requests that were not HTTP as we know it, or stalled.
    pub requests_broken: u64,
    /// Milliseconds that next was held after `platform.runtimeDone`, in all.
    pub held_ms: u64,
    /// Invocations seen.
    pub invocations: u64,
}

/// Events that are gone for good, by reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Losses {
    pub evicted: u64,
    pub rejected: u64,
    pub malformed: u64,
}

impl Losses {
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.evicted + self.rejected + self.malformed
    }
}

impl Ledger {
    /// All losses so far.
    #[must_use]
    pub const fn losses(&self) -> Losses {
        Losses {
            evicted: self.evicted,
            rejected: self.rejected,
            malformed: self.malformed,
        }
    }

    /// Appends the line of all counters, as `name=value` pairs.
    pub fn push_line(&self, out: &mut Vec<u8>, resident: u64) {
        let names = "received resident delivered evicted rejected filtered malformed abandoned cut platform_dropped posts \
                     posts_failed requests_broken invocations held_ms";
        let values = [
            self.received,
            resident,
            self.delivered,
            self.evicted,
            self.rejected,
            self.filtered,
            self.malformed,
            self.abandoned,
            self.cut,
            self.platform_dropped,
            self.posts,
            self.posts_failed,
            self.requests_broken,
            self.invocations,
            self.held_ms,
        ];
        for (name, value) in names.as_bytes().split(|byte| *byte == b' ').zip(values) {
            out.push(b' ');
            out.extend_from_slice(name);
            out.push(b'=');
            decimal::push(out, value);
        }
    }

    /// Whether the accounts agree.
    #[must_use]
    pub const fn is_balanced(&self, resident: u64) -> bool {
        let gone = self.delivered + self.evicted + self.rejected + self.filtered;
        self.received == resident + gone + self.malformed + self.abandoned
    }
}
