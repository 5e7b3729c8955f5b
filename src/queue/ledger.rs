//! The accounts: where everything that was received has gone.
//!
//! At every moment, in telemetry events (StatsD's events and service checks among them):
//! `received = resident + delivered + evicted + rejected + filtered + malformed + abandoned`, where resident is what the
//! ring holds; and in data points of metrics: `points = resident + delivered + evicted + rejected + abandoned`. kinglet's own
//! log records are not in it, nor what the platform dropped before us.

use crate::queue::signal::PerSignal;
use crate::text::decimal;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ledger {
    /// Events that came from the platform, the malformed ones included.
    pub received: u64,
    /// Not to be shipped, by configuration.
    pub filtered: u64,
    /// Not an event, or not JSON.
    pub malformed: u64,
    /// Data points that were put into the ring.
    pub points: u64,
    /// What has become of records (logs) and of data points (metrics).
    pub fate: PerSignal<Fate>,
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

/// What has become of the frames of a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fate {
    /// Answered with a 2xx.
    pub delivered: u64,
    /// Overwritten in a full ring.
    pub evicted: u64,
    /// Refused by the collector for good.
    pub rejected: u64,
    /// Still unsent at exit.
    pub abandoned: u64,
}

impl Fate {
    const fn gone(&self) -> u64 {
        self.delivered + self.evicted + self.rejected + self.abandoned
    }
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
    pub const fn losses(&self) -> Losses {
        Losses {
            evicted: self.fate.log.evicted,
            rejected: self.fate.log.rejected,
            malformed: self.malformed,
        }
    }

    /// Counts what the ring has lost.
    pub const fn evicted(&mut self, lost: PerSignal<u64>) {
        self.fate.log.evicted += lost.log;
        self.fate.metric.evicted += lost.metric;
    }

    /// Appends the line of all counters, as `name=value` pairs.
    pub fn push_line(&self, out: &mut Vec<u8>, resident: PerSignal<u64>) {
        let names = "received resident delivered evicted rejected filtered malformed abandoned cut platform_dropped posts \
                     posts_failed requests_broken invocations held_ms points points_resident points_delivered points_evicted \
                     points_rejected points_abandoned datagrams datagrams_dropped measurements_malformed measurements_dropped";
        let (logs, metrics) = (&self.fate.log, &self.fate.metric);
        let values = [
            self.received,
            resident.log,
            logs.delivered,
            logs.evicted,
            logs.rejected,
            self.filtered,
            self.malformed,
            logs.abandoned,
            self.cut,
            self.platform_dropped,
            self.posts,
            self.posts_failed,
            self.requests_broken,
            self.invocations,
            self.held_ms,
            self.points,
            resident.metric,
            metrics.delivered,
            metrics.evicted,
            metrics.rejected,
            metrics.abandoned,
            self.datagrams,
            self.datagrams_dropped,
            self.measurements_malformed,
            self.measurements_dropped,
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
    pub const fn is_balanced(&self, resident: PerSignal<u64>) -> bool {
        let logs = self.fate.log.gone() + self.filtered + self.malformed;
        self.received == resident.log + logs
            && self.points == resident.metric + self.fate.metric.gone()
    }
}
