//! The accounts: where everything that was received has gone.
//!
//! At every moment, in telemetry events (StatsD's events and service checks among them):
//! `received = resident + delivered + evicted + rejected + filtered + malformed + abandoned`, where resident is what the
//! ring holds; and in data points of metrics: `points = resident + delivered + evicted + rejected + abandoned`. kinglet's own
//! log records are not in it, nor what the platform dropped before us. What becomes of frames is counted by the ring.

use crate::queue::ring::Ring;
use crate::queue::route::{LOGS, RouteId};
use crate::text::decimal;
use crate::text::delimited::parts;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    /// Events that came from the platform, the malformed ones included.
    pub received: u64,
    /// Not to be shipped, by configuration.
    pub filtered: u64,
    /// Not an event, or not JSON.
    pub malformed: u64,
    /// Records that were shipped shorter than they came. They are among the delivered.
    pub cut: u64,
    /// Records that Lambda says it dropped itself. They never reached us.
    pub platform_dropped: u64,
    /// Requests to the collector, and those of them that failed and are repeated.
    pub posts: u64,
    pub posts_failed: u64,
    /// Bytes of telemetry that were read, heads included, and bytes of the bodies that a collector has accepted.
    pub bytes_received: u64,
    pub bytes_sent: u64,
    /// Telemetry requests that were not HTTP as we know it, or stalled.
    pub requests_broken: u64,
    /// Milliseconds that next was held after `platform.runtimeDone`, in all.
    pub held_ms: u64,
    /// Invocations seen.
    pub invocations: u64,
    /// StatsD datagrams that came, and those that the kernel dropped because we were not quick enough or not awake.
    pub datagrams: u64,
    pub datagrams_dropped: u64,
    /// Measurements that were no number, had no name, or were not StatsD or EMF at all.
    pub measurements_malformed: u64,
    /// Measurements for which the table of series had no room.
    pub measurements_dropped: u64,
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
    /// All losses of telemetry events so far.
    #[must_use]
    pub fn losses(&self, ring: &Ring) -> Losses {
        let fate = ring.fate(LOGS);
        Losses {
            evicted: fate.evicted,
            rejected: fate.rejected,
            malformed: self.malformed,
        }
    }

    /// Appends the line of all counters, as `name=value` pairs.
    pub fn push_line(&self, out: &mut Vec<u8>, ring: &Ring) {
        let names = "received filtered malformed cut platform_dropped posts posts_failed requests_broken invocations held_ms \
                     datagrams datagrams_dropped measurements_malformed measurements_dropped";
        let values = [
            self.received,
            self.filtered,
            self.malformed,
            self.cut,
            self.platform_dropped,
            self.posts,
            self.posts_failed,
            self.requests_broken,
            self.invocations,
            self.held_ms,
            self.datagrams,
            self.datagrams_dropped,
            self.measurements_malformed,
            self.measurements_dropped,
        ];
        push_pairs(out, names, &values);
        for route in RouteId::all() {
            let fate = ring.fate(route);
            let values = [
                ring.resident(route),
                fate.delivered,
                fate.evicted,
                fate.rejected,
                fate.abandoned,
                fate.entered,
            ];
            push_pairs(out, route.facts().counters, &values);
        }
    }

    /// Whether the accounts agree.
    #[must_use]
    pub fn is_balanced(&self, ring: &Ring) -> bool {
        let is_each_frame_somewhere = RouteId::all().all(|route| {
            let fate = ring.fate(route);
            fate.entered == ring.resident(route) + fate.gone()
        });
        is_each_frame_somewhere
            && self.received == ring.fate(LOGS).entered + self.filtered + self.malformed
    }
}

/// `names`: with a space between two. There may be fewer than values.
fn push_pairs(out: &mut Vec<u8>, names: &str, values: &[u64]) {
    for (name, value) in parts(names.as_bytes(), b' ').zip(values) {
        out.push(b' ');
        out.extend_from_slice(name);
        out.push(b'=');
        decimal::push(out, *value);
    }
}
