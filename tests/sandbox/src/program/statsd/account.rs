//! Where the datagrams have gone: what was sent, what kinglet says of it in its last line, and what the collector has.

use serde::Serialize;

use super::datagram::{COUNTER, Sent, TIMER};
use super::run::Run;

#[derive(Debug, Default, Serialize)]
pub(crate) struct Account {
    pub(crate) sent: Sent,
    /// Of kinglet's account, which only kinglet has.
    pub(crate) received: Option<u64>,
    pub(crate) dropped_by_kernel: Option<u64>,
    /// No room in the table of series. Some may be the platform's measurements.
    pub(crate) measurements_dropped: Option<u64>,
    pub(crate) measurements_malformed: Option<u64>,
    /// At the collector: the sum of all counters, and how many values the timers hold.
    pub(crate) counters_arrived: f64,
    pub(crate) timers_arrived: u64,
    /// Different series at the collector, with those of the platform and kinglet's own.
    pub(crate) series_arrived: usize,
    pub(crate) points_arrived: usize,
}

impl Account {
    pub(crate) fn new(run: &Run) -> Account {
        let last = run.stderr.last().map_or("", String::as_str);
        let told = |name| counter(last, name);
        let named = |name| run.points.iter().filter(move |point| point.name == name);
        let mut series: Vec<String> = run
            .points
            .iter()
            .map(|point| format!("{} {:?}", point.name, point.attributes))
            .collect();
        series.sort_unstable();
        series.dedup();
        Account {
            sent: run.sent,
            received: told("datagrams"),
            dropped_by_kernel: told("datagrams_dropped"),
            measurements_dropped: told("measurements_dropped"),
            measurements_malformed: told("measurements_malformed"),
            counters_arrived: named(COUNTER).map(|point| point.value()).sum(),
            timers_arrived: named(TIMER).map(|point| point.count()).sum(),
            series_arrived: series.len(),
            points_arrived: run.points.len(),
        }
    }

    /// Datagrams that were sent, and of which nobody knows; or the other way round. It must be nothing.
    pub(crate) fn datagrams_unaccounted(&self) -> Option<f64> {
        let known = self.received? + self.dropped_by_kernel?;
        Some(self.sent.all.abs_diff(known) as f64)
    }

    /// Counters and timers that are not at the collector beyond what may be missing, or that are there too often. It must
    /// be nothing: so without a drop all is exact.
    pub(crate) fn measurements_unaccounted(&self) -> Option<f64> {
        let may_be_missing = self.dropped_by_kernel? + self.measurements_dropped?;
        let counters = self.sent.counters as f64 - self.counters_arrived;
        let timers = self.sent.timers as f64 - self.timers_arrived as f64;
        let too_many = (-counters).max(0.0) + (-timers).max(0.0);
        let missing = counters.max(0.0) + timers.max(0.0);
        Some(too_many + (missing - may_be_missing as f64).max(0.0))
    }

    /// Part of the datagrams that the kernel has dropped, in percent.
    pub(crate) fn dropped_percent(&self) -> Option<f64> {
        Some(self.dropped_by_kernel? as f64 / self.sent.all.max(1) as f64 * 100.0)
    }
}

/// The counter of this name in kinglet's last line.
fn counter(line: &str, name: &str) -> Option<u64> {
    let pairs = line.strip_prefix("kinglet: exit ")?.split(' ');
    let value = |pair: &str| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
    pairs.filter_map(value).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_has_its_whole_name() {
        let line = "kinglet: exit reason=spindown datagrams=12 datagrams_dropped=3";
        assert_eq!(counter(line, "datagrams"), Some(12));
        assert_eq!(counter(line, "datagrams_dropped"), Some(3));
        assert_eq!(counter(line, "dropped"), None);
        assert_eq!(counter("exit datagrams=12", "datagrams"), None);
    }

    #[test]
    fn what_is_missing_must_be_known_as_dropped() {
        let account = |received, dropped, counters_arrived, timers_arrived| Account {
            sent: Sent {
                all: 100,
                counters: 50,
                timers: 25,
            },
            received: Some(received),
            dropped_by_kernel: Some(dropped),
            measurements_dropped: Some(0),
            counters_arrived,
            timers_arrived,
            ..Account::default()
        };
        let both = |account: Account| {
            (
                account.datagrams_unaccounted().unwrap(),
                account.measurements_unaccounted().unwrap(),
            )
        };
        assert_eq!(both(account(100, 0, 50.0, 25)), (0.0, 0.0));
        assert_eq!(both(account(90, 10, 46.0, 20)), (0.0, 0.0));
        assert_eq!(both(account(90, 9, 46.0, 20)), (1.0, 0.0));
        assert_eq!(both(account(100, 0, 49.0, 25)), (0.0, 1.0));
        assert_eq!(both(account(100, 0, 50.0, 24)), (0.0, 1.0));
        // One too many does not make up for one that is missing.
        assert_eq!(both(account(100, 0, 51.0, 24)), (0.0, 2.0));
        assert_eq!(Account::default().datagrams_unaccounted(), None);
    }
}
