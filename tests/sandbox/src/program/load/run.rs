//! One run: an extension in a sandbox of its own, beside a function that only writes.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kinglet_sandbox::{
    Collector, Invocation, InvocationContext, LogFormat, Outcome, Received, Sandbox, Work, decode,
};

use super::super::arguments::Load;
use super::super::rival::Rival;
use super::super::verdict::{Comparison, Verdict, Written};
use super::instructions::Counter;
use super::line::Lines;
use super::measured::{Measured, Spent};
use super::shape::Timetable;

/// Longest wait for the extension to take what an invocation has written. One that does not is not waited for again.
const DRAIN: Duration = Duration::from_secs(15);
/// Sleeps shorter than this are not worth their wake-up; the lines that they would space out come together.
const SLEEP_MIN: Duration = Duration::from_millis(1);
/// Everything is so many times slower under valgrind, at most.
const SLOWER: u32 = 60;

/// The load that every extension of a comparison gets.
pub(crate) struct Plan<'a> {
    pub(crate) load: &'a Load,
    pub(crate) timetable: Timetable,
}

/// What the function has written in a run.
#[derive(Default)]
struct Script {
    written: Vec<Written>,
    bytes: u64,
    invocations: Vec<Invocation>,
    /// The extension has left telemetry untaken.
    is_behind: bool,
}

impl Plan<'_> {
    /// Runs an extension, and measures it.
    pub(crate) fn measure(&self, extension: &Rival) -> Result<Measured> {
        self.run(&extension.name, &extension.path, 1)
    }

    /// Runs it once more, slowed down, and counts its instructions. Gives the number for each byte of telemetry too.
    pub(crate) fn count_instructions(&self, extension: &Rival) -> Result<(u64, Option<f64>)> {
        let counter = Counter::new(&extension.path)?;
        let measured = self.run(&extension.name, &counter.path(), SLOWER)?;
        let count = counter.count()?;
        let bytes = measured.telemetry_mb * 1e6;
        Ok((count, (bytes > 0.0).then(|| count as f64 / bytes)))
    }

    fn run(&self, name: &str, path: &Path, slower: u32) -> Result<Measured> {
        let common = &self.load.common;
        let collector = Collector::start(common.collector_fault.clone())?;
        let invocation_longest =
            DRAIN + self.timetable.due(self.bytes_each()) * 2 + Duration::from_secs(30);
        let mut builder = Sandbox::builder(path)
            .freezes(false)
            .init_timeout(Duration::from_secs(10) * slower)
            .function_timeout(invocation_longest)
            .shutdown_budget(Duration::from_secs(2) * slower)
            .env("KINGLET_ENDPOINT", collector.url())
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url());
        for (name, value) in &common.environment {
            builder = builder.env(name, value);
        }
        if self.load.lines != Lines::Text {
            builder = builder.log_format(LogFormat::Json);
        }
        let sandbox = builder.start()?;
        let (began, own_cpu) = (Instant::now(), own_cpu());
        let script = self.play(&sandbox, began)?;
        let spent = Spent {
            took: began.elapsed(),
            own_cpu: self::own_cpu().saturating_sub(own_cpu),
        };
        let ended = sandbox.shutdown("spindown").ok();
        let ended = ended.or_else(|| sandbox.last_exits().into_iter().next());
        let exit = ended.context("the extension was gone at the end")?;
        collector.finish();
        let invocations = &script.invocations;
        let mut measured = Measured::new(name, script.bytes, &spent, &sandbox, invocations, &exit);
        measured.collector_requests = collector.requests().len();
        match verify(&script.written, &collector.requests()) {
            Ok(verdict) => measured.verdict = Some(verdict),
            Err(error) => measured.undecodable = Some(error),
        }
        Ok(measured)
    }

    /// All invocations, one after the other.
    fn play(&self, sandbox: &Sandbox, began: Instant) -> Result<Script> {
        let (timetable, bytes_each) = (self.timetable, self.bytes_each());
        let lines = self.load.lines;
        let mut script = Script::default();
        for _ in 0..self.load.invocations {
            let (first, before) = (script.written.len(), script.bytes);
            let drain = if script.is_behind {
                Duration::ZERO
            } else {
                DRAIN
            };
            let (sender, end) = mpsc::channel();
            let invocation = sandbox.invoke(Work::script(move |context| {
                let (mut number, mut bytes) = (first, before);
                while bytes < before + bytes_each {
                    wait(context, began, timetable.due(bytes));
                    let (line, _) = lines.line(number, &context.request_id);
                    context.write(&line);
                    number += 1;
                    bytes += line.len() as u64;
                }
                let _ = sender.send((number, bytes, !context.drain(drain)));
                Outcome::Succeeds
            }))?;
            // Nothing comes from an invocation that was cut off, such as by a crash of the extension.
            let (end, bytes, is_behind) = end
                .recv_timeout(Duration::from_secs(1))
                .unwrap_or((first, before, true));
            script.is_behind = is_behind;
            let id = &invocation.request_id;
            script.written.extend((first..end).map(|number| Written {
                line: lines.line(number, id).1,
                request_id: Some(id.clone()),
            }));
            script.bytes = bytes;
            script.invocations.push(invocation);
        }
        Ok(script)
    }

    /// Bytes of lines in an invocation.
    fn bytes_each(&self) -> u64 {
        u64::from(self.load.mb) * 1_000_000 / u64::from(self.load.invocations)
    }
}

/// Waits until something is due, so long after the run's beginning.
fn wait(context: &InvocationContext, began: Instant, due: Duration) {
    if due.is_zero() {
        return;
    }
    let left = due.saturating_sub(began.elapsed());
    if left >= SLEEP_MIN {
        context.sleep(left);
    }
}

/// Takes one request apart after the other: all at once would be gigabytes.
pub(crate) fn verify(written: &[Written], requests: &[Received]) -> Result<Verdict, String> {
    let mut comparison = Comparison::new(written);
    for (number, received) in requests.iter().enumerate() {
        if received.accepted() {
            let records = decode(&received.request, number)?;
            records.iter().for_each(|record| comparison.take(record));
        }
    }
    Ok(comparison.verdict())
}

/// User and system time of this process, all its threads.
pub(crate) fn own_cpu() -> Duration {
    // SAFETY: getrusage(2) fills a plain structure that lives through the call.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |value: libc::timeval| {
        Duration::from_secs(value.tv_sec as u64) + Duration::from_micros(value.tv_usec as u64)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}
