//! What happens, as people read it: one line each, with the time since the start.

use std::sync::Mutex;
use std::time::Instant;

use kinglet_sandbox::{Happening, Record, Signal};
use serde_json::{Value, json};

use super::paint;
use super::verdict::Written;

pub(crate) struct Story {
    began: Instant,
    /// Kept for the end, and nothing is printed.
    quiet: bool,
    /// The function's log format is JSON.
    json_lines: bool,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    written: Vec<Written>,
    events: Vec<Value>,
}

impl Story {
    pub(crate) fn new(quiet: bool, json_lines: bool) -> Story {
        Story {
            began: Instant::now(),
            quiet,
            json_lines,
            told: Mutex::default(),
        }
    }

    pub(crate) fn written(&self) -> Vec<Written> {
        std::mem::take(&mut self.told.lock().unwrap().written)
    }

    pub(crate) fn events(&self) -> Vec<Value> {
        std::mem::take(&mut self.told.lock().unwrap().events)
    }

    pub(crate) fn happened(&self, happening: &Happening) {
        let mut told = self.told.lock().unwrap();
        if let Happening::FunctionLine { line } = happening {
            told.written.push(Written {
                line: self.expected_text(line),
                request_id: None,
            });
        }
        if self.quiet {
            told.events
                .push(json!({"at_ms": self.at_ms(), "event": happening}));
            return;
        }
        self.line(&shown(happening));
    }

    /// One request at the collector: its records, framed.
    pub(crate) fn received(&self, number: usize, path: &str, records: Result<Vec<Record>, String>) {
        let mut told = self.told.lock().unwrap();
        if self.quiet {
            let records = records.map(|records| {
                records
                    .into_iter()
                    .map(|record| record.raw)
                    .collect::<Vec<_>>()
            });
            told.events.push(json!({"at_ms": self.at_ms(), "request": number, "path": path, "records": records.ok()}));
            return;
        }
        let records = match records {
            Ok(records) => records,
            Err(error) => {
                return self.line(&paint::bad(format!(
                    "collector  ┌ batch {number} {path}: {error}"
                )));
            }
        };
        let count = records.len();
        let kind = match records.first().map(|record| record.signal) {
            Some(Signal::Metric) => "data points",
            _ => "records",
        };
        self.line(&paint::collector(format!(
            "collector  ┌ batch {number}, {path}, {count} {kind}"
        )));
        for record in &records {
            let severity = if record.severity.is_empty() {
                "-"
            } else {
                &record.severity
            };
            let text = match record.signal {
                Signal::Log => format!("{severity:<5} {}", one_line(&record.text())),
                Signal::Metric => format!("metric {}", record.text()),
            };
            self.line(&format!("{} {text}", paint::collector("           │")));
        }
        self.line(&paint::collector("           └"));
    }

    /// What the collector's body has to be: in JSON log format the message of an object, otherwise the line.
    fn expected_text(&self, line: &str) -> String {
        let object: Value = if self.json_lines {
            serde_json::from_str(line).unwrap_or_default()
        } else {
            Value::Null
        };
        object["message"].as_str().unwrap_or(line).to_string()
    }

    fn line(&self, text: &str) {
        let at = format!("{:>9.1}", self.at_ms());
        paint::print(format!("{} {text}", paint::faint(at)));
    }

    fn at_ms(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 1e4).round() / 10.0
    }
}

fn shown(happening: &Happening) -> String {
    let platform =
        |word: &str, rest: String| format!("{} {rest}", paint::platform(format!("{word:<10}")));
    match happening {
        Happening::Launched { name } => platform("launch", name.clone()),
        Happening::Registered {
            name,
            events,
            after_ms,
        } => platform(
            "register",
            format!("{name} for {} after {after_ms:.2} ms", events.join(" and ")),
        ),
        Happening::Subscribed {
            api, schema, types, ..
        } => platform(
            "subscribe",
            format!("{api}, schema {schema}, {}", types.join(", ")),
        ),
        Happening::SubscribeRefused { status, .. } => {
            platform("subscribe", paint::bad(format!("answered {status}")))
        }
        Happening::InitDone { status, ms } => platform("init", format!("{status} in {ms:.1} ms")),
        Happening::Invoked { number, request_id } => platform(
            "invoke",
            paint::strong(format!("number {number}, {request_id}")),
        ),
        Happening::FunctionLine { line } => {
            format!("{} {}", paint::function("function  "), one_line(line))
        }
        Happening::ExtensionLine { line } => {
            format!("{} {}", paint::extension("extension "), one_line(line))
        }
        Happening::RuntimeDone { status, ms, .. } => {
            platform("done", format!("{status} after {ms:.1} ms"))
        }
        Happening::InvocationDone {
            held_ms,
            billed_ms,
            status,
            ..
        } => {
            let held = format!("held {held_ms:.1} ms, billed {billed_ms} ms, {status}");
            platform("report", held)
        }
        Happening::Frozen => platform("freeze", String::new()),
        Happening::Thawed => platform("thaw", String::new()),
        Happening::Reset { reason } => platform("reset", paint::bad(reason)),
        Happening::ShutdownSent { reason } => platform("shutdown", reason.clone()),
        Happening::Exited {
            how,
            after_ms,
            name,
        } => platform("exit", format!("{name}: {how} after {after_ms:.1} ms")),
    }
}

fn one_line(text: &str) -> String {
    text.trim_end().replace('\n', "⏎").replace('\t', " ")
}
