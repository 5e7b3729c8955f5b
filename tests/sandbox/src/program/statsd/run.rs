//! One run: kinglet in a sandbox of its own, beside a function that sends datagrams and writes lines.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kinglet_sandbox::{
    Collector, Invocation, InvocationContext, Outcome, Point, Received, Sandbox, Work,
    decode_points,
};

use super::super::load::line::line;
use super::super::load::measured::{Measured, Spent};
use super::super::load::run::{own_cpu, verify};
use super::super::verdict::Written;
use super::arguments::Statsd;
use super::datagram::Sent;
use super::sender::{self, Sender};

const INVOCATIONS: u64 = 5;
/// Evenly among the datagrams.
const LINES_PER_INVOCATION: u64 = 100;
/// For the last datagrams to be taken, before the invocation is over.
const SETTLE: Duration = Duration::from_millis(20);
/// Longest wait for the extension to take what an invocation has written.
const DRAIN: Duration = Duration::from_secs(5);

/// What one run has shown.
pub(crate) struct Run {
    pub(crate) sent: Sent,
    /// All of kinglet's standard error; the last line is its account.
    pub(crate) stderr: Vec<String>,
    pub(crate) points: Vec<Point>,
    pub(crate) measured: Measured,
}

/// A function's work, from one invocation to the next.
struct Play {
    sender: Sender,
    written: Vec<Written>,
    seconds: f64,
    problem: Option<String>,
}

/// Runs the extension, beside so many datagrams.
pub(crate) fn measure(statsd: &Statsd, path: &Path, datagrams: u64) -> Result<Run> {
    let common = &statsd.common;
    let collector = Collector::start(common.collector_fault.clone())?;
    let port = sender::free_port()?;
    let seconds = f64::from(statsd.seconds);
    let mut builder = Sandbox::builder(path)
        .freezes(false)
        .function_timeout(DRAIN + Duration::from_secs_f64(seconds * 2.0 + 30.0))
        .env("KINGLET_ENDPOINT", collector.url())
        .env("KINGLET_STATSD_PORT", port.to_string());
    for (name, value) in &common.environment {
        builder = builder.env(name, value);
    }
    let sandbox = builder.start()?;
    sender::wait_heard(port)?;
    let (began, cpu_before) = (Instant::now(), own_cpu());
    let play = Play {
        sender: Sender {
            port,
            series: statsd.series,
            began,
            datagrams_per_s: datagrams as f64 / seconds,
            sent: Sent::default(),
        },
        written: Vec::new(),
        seconds,
        problem: None,
    };
    let (play, invocations) = play.perform(&sandbox, datagrams)?;
    let spent = Spent {
        took: began.elapsed(),
        own_cpu: own_cpu().saturating_sub(cpu_before),
    };
    let exit = sandbox.shutdown("spindown")?;
    collector.finish();
    let requests = collector.requests();
    let bytes = play.written.iter().map(|one| one.line.len() as u64).sum();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut measured = Measured::new(&name, bytes, &spent, &sandbox, &invocations, &exit);
    measured.collector_requests = requests.len();
    match verify(&play.written, &requests) {
        Ok(verdict) => measured.verdict = Some(verdict),
        Err(error) => measured.undecodable = Some(error),
    }
    Ok(Run {
        sent: play.sender.sent,
        stderr: exit.stderr,
        points: points(&requests)?,
        measured,
    })
}

impl Play {
    /// All invocations, one after the other.
    fn perform(self, sandbox: &Sandbox, datagrams: u64) -> Result<(Play, Vec<Invocation>)> {
        // Shared with scripts that the sandbox runs on a thread of its own, one at a time.
        let shared = Arc::new(Mutex::new(self));
        let mut invocations = Vec::new();
        for number in 1..=INVOCATIONS {
            let play = shared.clone();
            let invocation = sandbox.invoke(Work::script(move |context| {
                let mut play = play.lock().expect("no script has panicked");
                if let Err(problem) = play.invocation(context, number, datagrams) {
                    play.problem = Some(format!("{problem:#}"));
                }
                context.sleep(SETTLE);
                context.drain(DRAIN);
                Outcome::Succeeds
            }))?;
            invocations.push(invocation);
        }
        let play = Arc::into_inner(shared).context("an invocation is still under way")?;
        let play = play.into_inner().expect("no script has panicked");
        match play.problem {
            Some(problem) => bail!("{problem}"),
            None => Ok((play, invocations)),
        }
    }

    /// One invocation: its lines, and before each its part of the datagrams.
    fn invocation(
        &mut self,
        context: &InvocationContext,
        number: u64,
        datagrams: u64,
    ) -> Result<()> {
        let (all, before) = (
            INVOCATIONS * LINES_PER_INVOCATION,
            (number - 1) * LINES_PER_INVOCATION,
        );
        for done in before + 1..=before + LINES_PER_INVOCATION {
            self.sender.send_until(context, datagrams * done / all)?;
            let due = Duration::from_secs_f64(self.seconds * done as f64 / all as f64);
            context.sleep(due.saturating_sub(self.sender.began.elapsed()));
            let line = line(self.written.len(), &context.request_id);
            context.write(&line);
            self.written.push(Written {
                line,
                request_id: Some(context.request_id.clone()),
            });
        }
        Ok(())
    }
}

/// The points of all requests that were taken.
fn points(requests: &[Received]) -> Result<Vec<Point>> {
    let mut points = Vec::new();
    for (number, received) in requests.iter().enumerate() {
        if received.accepted() {
            let decoded = decode_points(&received.request, number);
            points.extend(decoded.map_err(anyhow::Error::msg)?);
        }
    }
    Ok(points)
}
