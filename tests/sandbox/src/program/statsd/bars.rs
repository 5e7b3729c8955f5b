//! What a datagram may cost, and what must not suffer from it.

use serde::Serialize;

use super::account::Account;
use super::arguments::Statsd;
use super::run::Run;
use crate::program::load::bars::{Bar, bar};

const CPU_US_PER_DATAGRAM_MAX: f64 = 3.0;
/// The budget of a hold, and a busy machine.
const HELD_MS_MAX: f64 = 300.0;
/// As many series as kinglet keeps, with the longest buckets, beside what a load of lines takes.
const MEMORY_LAYER_MB_MAX: f64 = 2.5;
const MEMORY_MB_MAX: f64 = 4.0;

/// CPU of kinglet, in microseconds for each datagram that it has received.
#[derive(Debug, Serialize)]
pub(crate) struct Costs {
    /// What the datagrams have added to a run without them.
    pub(crate) added_us: Option<f64>,
    /// All of the run.
    pub(crate) whole_us: Option<f64>,
    /// Peak memory in kB that they have added.
    pub(crate) added_kb: i64,
}

impl Costs {
    pub(crate) fn new(loaded: &Run, quiet: &Run) -> Costs {
        let received = Account::new(loaded).received.filter(|count| *count > 0);
        let each = |ms: f64| received.map(|count| (ms * 1e6 / count as f64).round() / 1e3);
        let (with, without) = (&loaded.measured, &quiet.measured);
        Costs {
            added_us: each(with.cpu_ms - without.cpu_ms),
            whole_us: each(with.cpu_ms),
            added_kb: with.memory_peak_kb as i64 - without.memory_peak_kb as i64,
        }
    }
}

pub(crate) fn bars(statsd: &Statsd, run: &Run, account: &Account, costs: &Costs) -> Vec<Bar> {
    let measured = &run.measured;
    let damage = measured.verdict.as_ref().map(|verdict| {
        let lines = verdict.damage();
        (lines + measured.events_dropped + measured.failed_invocations) as f64
    });
    let memory = measured.memory_peak_kb as f64 * 1024.0 / 1e6;
    let memory_max = match statsd.common.layer {
        true => MEMORY_LAYER_MB_MAX,
        false => MEMORY_MB_MAX,
    };
    let malformed = account.measurements_malformed.map(|count| count as f64);
    vec![
        bar(
            "CPU, µs per datagram",
            costs.added_us,
            CPU_US_PER_DATAGRAM_MAX,
        ),
        bar("peak resident memory, MB", Some(memory), memory_max),
        bar("longest hold, ms", Some(measured.held_max_ms), HELD_MS_MAX),
        bar(
            "datagrams neither received nor counted",
            account.datagrams_unaccounted(),
            0.0,
        ),
        bar(
            "measurements lost uncounted, or too many",
            account.measurements_unaccounted(),
            0.0,
        ),
        bar("measurements called malformed", malformed, 0.0),
        bar(
            "lines lost, repeated, out of order, misattributed, dropped",
            damage,
            0.0,
        ),
    ]
}
