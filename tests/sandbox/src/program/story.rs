//! What happens, as people read it: one line each, with the time since the start.

use std::sync::Mutex;
use std::time::Instant;

use kinglet_sandbox::{Happening, Request, Signal, decode};
use serde_json::{Value, json};

use super::verdict::Written;
use super::{paint, plain};

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
        let (label, text, style) = shown(happening);
        self.line(&label, &text, style);
    }

    /// One request at the collector, and its status: its records, framed, if it was taken.
    pub(crate) fn received(&self, number: usize, request: &Request, status: u16) {
        let (path, taken) = (&request.path, (200..300).contains(&status));
        let records = taken.then(|| decode(request, number));
        let mut told = self.told.lock().unwrap();
        if self.quiet {
            let records = records.and_then(Result::ok).map(|records| {
                records
                    .into_iter()
                    .map(|record| record.raw)
                    .collect::<Vec<_>>()
            });
            told.events.push(
                json!({"at_ms": self.at_ms(), "request": number, "path": path, "status": status,
                "records": records}),
            );
            return;
        }
        let label = |text: &str| paint::collector(text);
        let records = match records {
            Some(Ok(records)) => records,
            Some(Err(error)) => {
                let text = format!("batch {number} {path}: {error}");
                return self.line(&label("collector  ┌"), &text, Some(paint::bad));
            }
            None => {
                let text = format!("request {number}, {path}: answered {status}");
                return self.line(&label("collector   "), &text, Some(paint::bad));
            }
        };
        let count = records.len();
        let kind = match records.first().map(|record| record.signal) {
            Some(Signal::Metric) => "data points",
            _ => "records",
        };
        let text = format!("batch {number}, {path}, {count} {kind}");
        self.line(&label("collector  ┌"), &text, Some(paint::collector));
        for record in &records {
            let severity = if record.severity.is_empty() {
                "-"
            } else {
                &record.severity
            };
            let text = match record.signal {
                Signal::Log => format!("{severity:<5} {}", record.text()),
                Signal::Metric => format!("metric {}", record.text()),
            };
            self.line(&label("           │"), &text, None);
        }
        self.line(&label("           └"), "", None);
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

    /// Whatever the text is, and whoever has said it, it is one line of ordinary characters.
    fn line(&self, label: &str, text: &str, style: Option<Style>) {
        let at = paint::faint(format!("{:>9.1}", self.at_ms()));
        let text = plain::line(text);
        let text = style.map_or(text.clone(), |style| style(text));
        paint::print(format!("{at} {label} {text}").trim_end());
    }

    fn at_ms(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 1e4).round() / 10.0
    }
}

type Style = fn(String) -> String;

/// Who says it, what it is, and how that is painted.
fn shown(happening: &Happening) -> (String, String, Option<Style>) {
    let (word, text, style): (_, _, Option<Style>) = match happening {
        Happening::FunctionLine { line } => {
            return (paint::function("function  "), line.clone(), None);
        }
        Happening::ExtensionLine { line } => {
            return (paint::extension("extension "), line.clone(), None);
        }
        Happening::Launched { name } => ("launch", name.clone(), None),
        Happening::Registered {
            name,
            events,
            after_ms,
        } => {
            let events = events.join(" and ");
            let text = format!("{name} for {events} after {after_ms:.2} ms");
            ("register", text, None)
        }
        Happening::Subscribed {
            api, schema, types, ..
        } => {
            let text = format!("{api}, schema {schema}, {}", types.join(", "));
            ("subscribe", text, None)
        }
        Happening::SubscribeRefused { status, .. } => {
            ("subscribe", format!("answered {status}"), Some(paint::bad))
        }
        Happening::InitDone { status, ms } => ("init", format!("{status} in {ms:.1} ms"), None),
        Happening::Invoked { number, request_id } => {
            let text = format!("number {number}, {request_id}");
            ("invoke", text, Some(paint::strong))
        }
        Happening::RuntimeDone { status, ms, .. } => {
            ("done", format!("{status} after {ms:.1} ms"), None)
        }
        Happening::InvocationDone {
            held_ms,
            billed_ms,
            status,
            ..
        } => {
            let text = format!("held {held_ms:.1} ms, billed {billed_ms} ms, {status}");
            ("report", text, None)
        }
        Happening::Frozen => ("freeze", String::new(), None),
        Happening::Thawed => ("thaw", String::new(), None),
        Happening::Reset { reason } => ("reset", reason.clone(), Some(paint::bad)),
        Happening::ShutdownSent { reason } => ("shutdown", reason.clone(), None),
        Happening::Exited {
            how,
            after_ms,
            name,
        } => {
            let text = format!("{name}: {how} after {after_ms:.1} ms");
            ("exit", text, None)
        }
    };
    (paint::platform(format!("{word:<10}")), text, style)
}
