//! `cargo sandbox`: a few invocations with freezes between them, told as they happen.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use kinglet_sandbox::{
    Collector, Exit, Fault, Function, Happening, Invocation, Outcome, Record, Request, Sandbox,
    Work,
};
use serde_json::{Map, Value, json};

use super::arguments::{Format, Kind, Run};
use super::story::Story;
use super::verdict::{self, Verdict};
use super::{extension, paint, plain, table};

/// All that happens goes into the report, though it should end early.
pub(crate) fn run(run: &Run, report: &mut Map<String, Value>) -> Result<()> {
    let path = extension::subject(&run.common)?;
    let payload = match &run.payload {
        None => json!({"order": 17}),
        Some(file) => {
            let text = std::fs::read_to_string(file)
                .with_context(|| format!("the payload {}", file.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("{} must hold JSON", file.display()))?
        }
    };
    let is_json = matches!(
        (run.log_format, run.mode),
        (Some(Format::Json), _) | (None, Kind::ManagedInstances)
    );
    let story = Arc::new(Story::new(run.common.json, is_json));
    let outcome = play(run, &path, &payload, &story, report);
    report.insert("events".into(), story.events().into());
    outcome
}

fn play(
    run: &Run,
    path: &Path,
    payload: &Value,
    story: &Arc<Story>,
    report: &mut Map<String, Value>,
) -> Result<()> {
    let hearing = story.clone();
    let on_answered = Box::new(move |number, request: &Request, status| {
        hearing.received(number, request, status)
    });
    let collector = match &run.collector {
        Some(_) => None,
        None => Some(Collector::start_with(
            run.common.collector_fault.clone(),
            Some(on_answered),
        )?),
    };
    let endpoint = match (&collector, &run.collector) {
        (Some(collector), _) => collector.url(),
        (None, url) => url.clone().unwrap_or_default(),
    };
    let sandbox = start(run, path, &endpoint, story)?;
    let mut invocations = Vec::new();
    for number in 0..run.invocations {
        if number > 0 {
            thread::sleep(Duration::from_millis(run.gap));
        }
        let work = if run.function.is_some() {
            Work::quiet()
        } else {
            small_function()
        };
        invocations.push(sandbox.invoke(work.payload(payload.clone()))?);
    }
    thread::sleep(Duration::from_millis(run.gap));
    // After a reset in the last invocation there is nothing left to shut down.
    let ended = sandbox
        .shutdown("spindown")
        .ok()
        .or_else(|| sandbox.last_exits().into_iter().next());
    let exit = ended.context("the extension was gone at the end")?;
    let outcome = Outcomes {
        invocations,
        exit,
        verdict: collector.map(|collector| {
            collector.finish();
            let mut records = collector.try_records()?;
            records.extend(collector.try_points()?.into_iter().map(Record::from));
            Ok(verdict::compare(&story.written(), &records))
        }),
        sandbox,
        fault: run.common.collector_fault.clone(),
    };
    if let Value::Object(outcome) = outcome.json() {
        report.extend(outcome);
    }
    if !run.common.json {
        outcome.show();
    }
    match outcome.problem() {
        None => Ok(()),
        Some(problem) => Err(anyhow!(problem)),
    }
}

fn start(run: &Run, path: &Path, endpoint: &str, story: &Arc<Story>) -> Result<Sandbox> {
    let watching = story.clone();
    let mut builder = Sandbox::builder(path)
        .mode(run.mode.into())
        .env("KINGLET_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .watch(move |happening: &Happening| watching.happened(happening));
    if let Some(format) = run.log_format {
        builder = builder.log_format(format.into());
    }
    if let Some(flush) = &run.flush {
        builder = builder.env("KINGLET_FLUSH", flush);
    }
    for (name, value) in &run.common.environment {
        builder = builder.env(name, value);
    }
    builder = match &run.function {
        Some(command) => builder.function(Function::Command(command.clone())),
        None => builder.function_init(["orders: starting"], Duration::from_millis(20)),
    };
    builder.start()
}

/// What the built-in function does: a few lines of several kinds, and 40 ms.
fn small_function() -> Work {
    Work::script(|context| {
        let (id, number) = (&context.request_id, context.number);
        let now = humantime::format_rfc3339_millis(std::time::SystemTime::now());
        context.write(&format!(
            "{now}\t{id}\tINFO\tstored order {number} for customer {}",
            100 + number
        ));
        context.sleep(Duration::from_millis(20));
        context.write(
            &json!({"level": "WARN", "message": format!("order {number} is late"), "minutes": 12})
                .to_string(),
        );
        context.sleep(Duration::from_millis(20));
        context.write(&format!("plain text from order {number}"));
        Outcome::Succeeds
    })
}

struct Outcomes {
    invocations: Vec<Invocation>,
    exit: Exit,
    /// `None` with a collector elsewhere; an error if its bodies cannot be decoded.
    verdict: Option<Result<Verdict, String>>,
    sandbox: Sandbox,
    fault: Fault,
}

impl Outcomes {
    /// What the extension has done wrong. What the function does, and what a collector refuses, is theirs.
    fn problem(&self) -> Option<String> {
        let crashed = self.invocations.iter().find_map(|invocation| {
            let error_type = invocation.error_type.as_deref()?;
            error_type.starts_with("Extension.").then_some(error_type)
        });
        match crashed {
            Some(error_type) => Some(format!("an invocation has failed with {error_type}")),
            None if self.exit.killed => Some("the extension had to be killed".into()),
            None if !self.exit.status.success() => {
                Some(format!("the extension ended with {}", self.exit.status))
            }
            None => None,
        }
    }

    fn json(&self) -> Value {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let invocations = self.invocations.iter().map(|invocation| {
            json!({
                "request_id": invocation.request_id, "status": invocation.status, "error": invocation.error,
                "answer": invocation.answer, "duration_ms": ms(invocation.duration), "held_ms": ms(invocation.held),
                "billed_ms": invocation.billed_ms,
            })
        });
        let delivered = self.sandbox.delivered();
        json!({
            "init_ms": ms(self.sandbox.init_took()),
            "invocations": invocations.collect::<Vec<_>>(),
            "received_events": delivered.delivered,
            "received_lines": delivered.lines,
            "dropped_events": delivered.dropped,
            "collector": match &self.verdict {
                Some(Ok(verdict)) => json!(verdict),
                Some(Err(error)) => json!({"undecodable": error}),
                None => Value::Null,
            },
            "exit_ms": ms(self.exit.took),
            "exit_code": self.exit.status.code(),
            "killed": self.exit.killed,
            "memory_peak_kb": self.exit.memory_peak_kb,
            "cpu_ms": ms(self.exit.cpu),
            "stderr": self.exit.stderr,
        })
    }

    fn show(&self) {
        let ms = |duration: Duration| format!("{:.1}", duration.as_secs_f64() * 1e3);
        let rows = self
            .invocations
            .iter()
            .enumerate()
            .map(|(number, invocation)| {
                let numbers = [
                    ms(invocation.duration),
                    ms(invocation.held),
                    invocation.billed_ms.to_string(),
                ];
                let mut row = vec![format!("{}", number + 1), invocation.status.clone()];
                row.extend(numbers);
                row
            });
        let head = [
            "invocation",
            "status",
            "duration ms",
            "held ms",
            "billed ms",
        ];
        paint::print(format!(
            "\n{}",
            table::columns(&head, &rows.collect::<Vec<_>>())
        ));
        let delivered = self.sandbox.delivered();
        let (arrived, lost) = match &self.verdict {
            None => (
                "not known: the collector is not ours".to_string(),
                "not known".to_string(),
            ),
            Some(Err(error)) => (
                paint::bad(plain::line(&format!("undecodable: {error}"))),
                "not known".to_string(),
            ),
            Some(Ok(verdict)) => {
                let all = format!(
                    "{} log records, {} data points of metrics",
                    verdict.log_records, verdict.metric_points
                );
                let lost = format!(
                    "{} of {} lines, {} repeated, {} cut",
                    verdict.lost, verdict.written, verdict.repeated, verdict.cut
                );
                (
                    all,
                    if verdict.lost > 0 {
                        paint::bad(lost)
                    } else {
                        lost
                    },
                )
            }
        };
        let exit = match self.exit.killed {
            true => paint::bad(format!("killed after {} ms", ms(self.exit.took))),
            false => format!("{} ms, {}", ms(self.exit.took), self.exit.status),
        };
        let rows = [
            ("init", format!("{} ms", ms(self.sandbox.init_took()))),
            (
                "received",
                format!(
                    "{} telemetry events, {} of them lines",
                    delivered.delivered, delivered.lines
                ),
            ),
            ("delivered", arrived),
            ("lost", lost),
            ("SHUTDOWN to exit", exit),
            ("peak memory", format!("{} kB", self.exit.memory_peak_kb)),
            ("CPU time", format!("{} ms", ms(self.exit.cpu))),
        ];
        paint::print(table::pairs(&rows));
        if self.fault != Fault::None {
            paint::print(paint::faint(format!(
                "the collector's fault was {}",
                self.fault
            )));
        }
    }
}
