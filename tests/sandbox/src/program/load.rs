//! `cargo sandbox load`: many lines as fast as the extension takes them, each verified at the collector.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kinglet_sandbox::{Collector, Exit, Invocation, Outcome, Sandbox, Work};
use serde::Serialize;

use super::arguments::Load;
use super::verdict::{self, Verdict, Written};
use super::{extension, paint, table};

/// Everything that `--json` prints; times in milliseconds.
#[derive(Serialize)]
struct Report {
    extension: String,
    mb: f64,
    invocations: usize,
    /// Telemetry events that the extension has taken, platform events among them.
    events_delivered: usize,
    events_dropped: usize,
    verdict: Option<Verdict>,
    /// Why the collector's bodies cannot be decoded.
    undecodable: Option<String>,
    collector_requests: usize,
    cpu_ms: f64,
    cpu_ms_per_mb: f64,
    memory_peak_kb: u64,
    took_ms: f64,
    init_ms: f64,
    held_ms: Vec<f64>,
    held_min_ms: f64,
    held_median_ms: f64,
    held_max_ms: f64,
    held_over_5_ms: usize,
    held_over_300_ms: usize,
    failed_invocations: usize,
    exit_ms: f64,
    exit_code: Option<i32>,
    killed: bool,
    last_stderr_line: Option<String>,
}

pub(crate) fn load(load: &Load) -> Result<()> {
    let path = extension::find(load.common.extension.as_deref())?;
    let collector = Collector::start(load.common.collector_fault.clone())?;
    let mut builder = Sandbox::builder(&path)
        .freezes(false)
        .function_timeout(Duration::from_secs(60))
        .env("KINGLET_ENDPOINT", collector.url())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
    for (name, value) in &load.common.environment {
        builder = builder.env(name, value);
    }
    let sandbox = builder.start()?;
    let (began, pace) = (Instant::now(), Duration::from_millis(load.pace));
    let bytes_each = (u64::from(load.mb) << 20) / u64::from(load.invocations);
    let (mut written, mut bytes, mut invocations) = (Vec::new(), 0, Vec::new());
    for _ in 0..load.invocations {
        let first = written.len();
        let (sender, lines) = std::sync::mpsc::channel();
        let invocation = sandbox.invoke(Work::script(move |context| {
            let (mut number, mut bytes) = (first, 0);
            let began = Instant::now();
            while bytes < bytes_each {
                let due = pace.mul_f64(bytes as f64 / bytes_each as f64);
                if number % 64 == 0 && due > began.elapsed() {
                    context.sleep(due - began.elapsed());
                }
                let line = line(number, &context.request_id);
                context.write(&line);
                number += 1;
                bytes += line.len() as u64;
            }
            let _ = sender.send((number, bytes));
            context.drain(Duration::from_secs(30));
            Outcome::Succeeds
        }))?;
        let (end, count) = lines
            .recv_timeout(Duration::from_secs(1))
            .unwrap_or((first, 0));
        let id = &invocation.request_id;
        written.extend((first..end).map(|number| Written {
            line: line(number, id),
            request_id: Some(id.clone()),
        }));
        bytes += count;
        invocations.push(invocation);
    }
    let took = began.elapsed();
    let ended = sandbox
        .shutdown("spindown")
        .ok()
        .or_else(|| sandbox.last_exits().into_iter().next());
    let exit = ended.context("the extension was gone at the end")?;
    let mut report = Report::new(
        &path.display().to_string(),
        bytes,
        took,
        &sandbox,
        &invocations,
        &exit,
    );
    report.collector_requests = collector.requests().len();
    match collector.try_records() {
        Ok(records) => report.verdict = Some(verdict::compare(&written, &records)),
        Err(error) => report.undecodable = Some(error),
    }
    if load.common.json {
        paint::print(serde_json::to_string_pretty(&report)?);
    } else {
        report.show();
    }
    Ok(())
}

/// Line `number`: 120 to 200 bytes, as a managed runtime writes them, and unlike any other.
fn line(number: usize, request_id: &str) -> String {
    const WORDS: [&str; 8] = [
        "order", "stored", "item", "customer", "queue", "retry", "shipped", "priced",
    ];
    let mut line = String::with_capacity(200);
    let (seconds, millis) = (number / 1000 % 60, number % 1000);
    write!(
        line,
        "2026-11-21T09:15:{seconds:02}.{millis:03}Z\t{request_id}\tINFO\tline {number:08}"
    )
    .unwrap();
    let mut mixed = number.wrapping_mul(0x9E37_79B9);
    for _ in 0..4 + number % 8 {
        line.push(' ');
        line.push_str(WORDS[(mixed >> 5) % WORDS.len()]);
        mixed = mixed.wrapping_mul(31).wrapping_add(7);
    }
    write!(line, " \"id\"={:x} done", mixed & 0xFFFF).unwrap();
    line
}

impl Report {
    fn new(
        extension: &str,
        bytes: u64,
        took: Duration,
        sandbox: &Sandbox,
        invocations: &[Invocation],
        exit: &Exit,
    ) -> Report {
        let ms = |duration: Duration| (duration.as_secs_f64() * 1e6).round() / 1e3;
        let mb = bytes as f64 / f64::from(1 << 20);
        let held_ms: Vec<f64> = invocations
            .iter()
            .map(|invocation| ms(invocation.held))
            .collect();
        let mut sorted = held_ms.clone();
        sorted.sort_by(f64::total_cmp);
        let over = |limit: f64| held_ms.iter().filter(|held| **held > limit).count();
        let delivered = sandbox.delivered();
        Report {
            extension: extension.into(),
            mb,
            invocations: invocations.len(),
            events_delivered: delivered.delivered,
            events_dropped: delivered.dropped,
            verdict: None,
            undecodable: None,
            collector_requests: 0,
            cpu_ms: ms(exit.cpu),
            cpu_ms_per_mb: if mb > 0.0 {
                (ms(exit.cpu) / mb * 1e3).round() / 1e3
            } else {
                0.0
            },
            memory_peak_kb: exit.memory_peak_kb,
            took_ms: ms(took),
            init_ms: ms(sandbox.init_took()),
            held_min_ms: sorted.first().copied().unwrap_or(0.0),
            held_median_ms: sorted.get(sorted.len() / 2).copied().unwrap_or(0.0),
            held_max_ms: sorted.last().copied().unwrap_or(0.0),
            held_over_5_ms: over(5.0),
            held_over_300_ms: over(300.0),
            held_ms,
            failed_invocations: invocations
                .iter()
                .filter(|invocation| invocation.error)
                .count(),
            exit_ms: ms(exit.took),
            exit_code: exit.status.code(),
            killed: exit.killed,
            last_stderr_line: exit.stderr.last().cloned(),
        }
    }

    fn show(&self) {
        let lines = match (&self.verdict, &self.undecodable) {
            (Some(verdict), _) => format!(
                "{} written, {} arrived, {} lost, {} repeated, {} out of order, {} with a wrong request id",
                verdict.written,
                verdict.arrived,
                verdict.lost,
                verdict.repeated,
                verdict.out_of_order,
                verdict.wrong_request_id
            ),
            (None, error) => paint::bad(error.as_deref().unwrap_or("not known")),
        };
        let held = format!(
            "{:.3} / {:.3} / {:.3} ms (min / median / max), {} over 5 ms, {} over 300 ms",
            self.held_min_ms,
            self.held_median_ms,
            self.held_max_ms,
            self.held_over_5_ms,
            self.held_over_300_ms
        );
        let exit = match self.exit_code {
            Some(code) => format!("{:.1} ms, exit code {code}", self.exit_ms),
            None => paint::bad(format!("killed after {:.1} ms", self.exit_ms)),
        };
        let state = match &self.verdict {
            Some(verdict) if verdict.is_clean() && self.failed_invocations == 0 => {
                paint::collector("clean")
            }
            _ => paint::bad("not clean"),
        };
        let rows = [
            ("extension", self.extension.clone()),
            (
                "load",
                format!(
                    "{:.1} MB in {} invocations, {:.0} ms",
                    self.mb, self.invocations, self.took_ms
                ),
            ),
            ("lines", lines),
            (
                "events",
                format!(
                    "{} taken, {} dropped",
                    self.events_delivered, self.events_dropped
                ),
            ),
            (
                "requests",
                format!("{} at the collector", self.collector_requests),
            ),
            (
                "CPU",
                format!(
                    "{:.2} ms per MB, {:.1} ms in all",
                    self.cpu_ms_per_mb, self.cpu_ms
                ),
            ),
            ("peak memory", format!("{} kB", self.memory_peak_kb)),
            ("init", format!("{:.2} ms", self.init_ms)),
            ("held", held),
            ("failed", format!("{} invocations", self.failed_invocations)),
            ("SHUTDOWN to exit", exit),
            (
                "last words",
                self.last_stderr_line
                    .clone()
                    .unwrap_or_else(|| "none".into()),
            ),
            ("verdict", state),
        ];
        paint::print(table::pairs(&rows));
    }
}
