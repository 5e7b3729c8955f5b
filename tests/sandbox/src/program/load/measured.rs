//! What one run of one extension has shown.

use std::time::Duration;

use kinglet_sandbox::{Exit, Invocation, Sandbox};
use serde::Serialize;

use super::super::verdict::Verdict;

/// Times are in milliseconds, an MB is 10⁶ bytes.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Measured {
    pub(crate) extension: String,
    /// Text of the lines that the function has written.
    pub(crate) lines_mb: f64,
    /// Bodies of the telemetry that the extension has taken: each line within its event's JSON.
    pub(crate) telemetry_mb: f64,
    pub(crate) invocations: usize,
    /// Telemetry events that the extension has taken, platform events among them.
    pub(crate) events_delivered: usize,
    /// Telemetry events that Lambda gave up, because the extension was too slow or refused them.
    pub(crate) events_dropped: usize,
    /// Nothing if the collector's bodies cannot be decoded.
    pub(crate) verdict: Option<Verdict>,
    /// Why they cannot.
    pub(crate) undecodable: Option<String>,
    pub(crate) collector_requests: usize,
    pub(crate) cpu_ms: f64,
    pub(crate) cpu_ms_per_mb_of_telemetry: Option<f64>,
    pub(crate) cpu_ms_per_mb_of_lines: Option<f64>,
    pub(crate) memory_peak_kb: u64,
    /// All invocations.
    pub(crate) took_ms: f64,
    /// CPU that the sandbox itself took meanwhile: for Lambda's part, the function's and the collector's.
    pub(crate) sandbox_cpu_ms: f64,
    pub(crate) init_ms: f64,
    pub(crate) held_ms: Vec<f64>,
    pub(crate) held_min_ms: f64,
    pub(crate) held_median_ms: f64,
    pub(crate) held_max_ms: f64,
    pub(crate) held_over_5_ms: usize,
    pub(crate) held_over_300_ms: usize,
    pub(crate) failed_invocations: usize,
    pub(crate) exit_ms: f64,
    pub(crate) exit_code: Option<i32>,
    pub(crate) killed: bool,
    pub(crate) last_stderr_line: Option<String>,
}

/// What the invocations took of the sandbox itself.
pub(crate) struct Spent {
    pub(crate) took: Duration,
    pub(crate) own_cpu: Duration,
}

impl Measured {
    pub(crate) fn new(
        extension: &str,
        bytes: u64,
        spent: &Spent,
        sandbox: &Sandbox,
        invocations: &[Invocation],
        exit: &Exit,
    ) -> Measured {
        let held_ms: Vec<f64> = invocations.iter().map(|each| ms(each.held)).collect();
        let mut sorted = held_ms.clone();
        sorted.sort_by(f64::total_cmp);
        let over = |limit: f64| held_ms.iter().filter(|held| **held > limit).count();
        let delivered = sandbox.delivered();
        let (lines_mb, telemetry_mb) = (bytes as f64 / 1e6, delivered.bytes as f64 / 1e6);
        let per = |mb: f64| (mb > 0.0).then(|| (ms(exit.cpu) / mb * 1e3).round() / 1e3);
        Measured {
            extension: extension.into(),
            lines_mb,
            telemetry_mb,
            invocations: invocations.len(),
            events_delivered: delivered.delivered,
            events_dropped: delivered.dropped,
            verdict: None,
            undecodable: None,
            collector_requests: 0,
            cpu_ms: ms(exit.cpu),
            cpu_ms_per_mb_of_telemetry: per(telemetry_mb),
            cpu_ms_per_mb_of_lines: per(lines_mb),
            memory_peak_kb: exit.memory_peak_kb,
            took_ms: ms(spent.took),
            sandbox_cpu_ms: ms(spent.own_cpu),
            init_ms: ms(sandbox.init_took()),
            held_min_ms: sorted.first().copied().unwrap_or(0.0),
            held_median_ms: sorted.get(sorted.len() / 2).copied().unwrap_or(0.0),
            held_max_ms: sorted.last().copied().unwrap_or(0.0),
            held_over_5_ms: over(5.0),
            held_over_300_ms: over(300.0),
            held_ms,
            failed_invocations: invocations.iter().filter(|each| each.error).count(),
            exit_ms: ms(exit.took),
            exit_code: exit.status.code(),
            killed: exit.killed,
            last_stderr_line: exit.stderr.last().cloned(),
        }
    }

    /// Nothing lost, repeated, out of order or with a wrong request id, and no invocation failed.
    pub(crate) fn is_clean(&self) -> bool {
        self.failed_invocations == 0 && self.verdict.as_ref().is_some_and(Verdict::is_clean)
    }
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
