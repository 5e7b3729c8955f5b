//! Telemetry events, and how each API and schema version renders them.

use std::io::Write;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::subscription::{Api, Subscription};

/// How the function's lines become records (protocol reference 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Platform,
    Function,
    Extension,
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) time: SystemTime,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Platform {
        kind: &'static str,
        record: Value,
    },
    Function {
        line: String,
        request_id: Option<String>,
    },
    Extension {
        line: String,
    },
    /// A whole event as a test made it up; belongs to the stream its `type` names.
    Raw(Value),
}

impl Event {
    pub(crate) fn platform(kind: &'static str, record: Value) -> Event {
        Event {
            time: SystemTime::now(),
            body: Body::Platform { kind, record },
        }
    }

    pub(crate) fn stream(&self) -> Stream {
        match &self.body {
            Body::Platform { .. } => Stream::Platform,
            Body::Function { .. } => Stream::Function,
            Body::Extension { .. } => Stream::Extension,
            Body::Raw(event) => match event["type"].as_str() {
                Some("function") => Stream::Function,
                Some("extension") => Stream::Extension,
                _ => Stream::Platform,
            },
        }
    }

    /// Appends this event as the subscriber's API and schema have it; `false` if it does not exist there.
    pub(crate) fn render(
        &self,
        subscription: &Subscription,
        format: LogFormat,
        into: &mut Vec<u8>,
    ) -> bool {
        let time = || humantime::format_rfc3339_millis(self.time).to_string();
        match &self.body {
            Body::Platform { kind, record } => match platform(kind, record, subscription) {
                Some(record) => append(
                    into,
                    &json!({"time": time(), "type": kind, "record": record}),
                ),
                None => return false,
            },
            Body::Function { line, request_id } => {
                let objects = format == LogFormat::Json && subscription.has_object_records();
                // Straight into memory: this is where a load's time goes.
                let at = humantime::format_rfc3339_millis(self.time);
                write!(into, r#"{{"time":"{at}","type":"function","record":"#)
                    .expect("writing to memory");
                match objects {
                    false => append(into, line),
                    true => append(into, &object(line, request_id.as_deref(), &time())),
                }
                into.push(b'}');
            }
            Body::Extension { line } => append(
                into,
                &json!({"time": time(), "type": "extension", "record": line}),
            ),
            Body::Raw(event) => append(into, event),
        }
        true
    }
}

fn append(into: &mut Vec<u8>, value: &(impl serde::Serialize + ?Sized)) {
    serde_json::to_writer(into, value).expect("JSON into memory");
}

/// A line in JSON log format: an object stays as it is, anything else is wrapped.
fn object(line: &str, request_id: Option<&str>, time: &str) -> Value {
    if let Ok(object @ Value::Object(_)) = serde_json::from_str(line) {
        return object;
    }
    let mut object = json!({"timestamp": time, "level": "INFO", "message": line});
    if let Some(request_id) = request_id {
        object["requestId"] = request_id.into();
    }
    object
}

/// The record of a platform event under this subscription, if the event exists there.
fn platform(kind: &str, record: &Value, subscription: &Subscription) -> Option<Value> {
    let only = |keys: &[&str]| {
        let members = keys
            .iter()
            .filter_map(|key| Some((key.to_string(), record.get(key)?.clone())));
        Some(Value::Object(members.collect()))
    };
    match (subscription.api, kind) {
        (Api::Telemetry, "platform.end" | "platform.fault" | "platform.logsSubscription") => None,
        (Api::Telemetry, _) => Some(record.clone()),
        (Api::Logs, "platform.telemetrySubscription") => None,
        (Api::Logs, "platform.start") => only(&["requestId", "version"]),
        (Api::Logs, "platform.runtimeDone") => match subscription.schema.as_str() {
            "2021-03-18" => {
                let mut record = only(&["requestId", "status"])?;
                if record["status"] == "error" {
                    record["status"] = "failure".into();
                }
                Some(record)
            }
            _ => None,
        },
        (Api::Logs, "platform.report") => only(&["requestId", "metrics", "tracing"]),
        (Api::Logs, "platform.extension") => only(&["name", "state", "events"]),
        (Api::Logs, _) => Some(record.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(event: &Event, api: Api, schema: &str, format: LogFormat) -> Option<Value> {
        let mut bytes = Vec::new();
        let subscription = Subscription {
            api,
            schema: schema.into(),
            ..Subscription::example()
        };
        event
            .render(&subscription, format, &mut bytes)
            .then(|| serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn lines_are_strings_or_objects() {
        let line = |line: &str| Event {
            time: SystemTime::UNIX_EPOCH,
            body: Body::Function {
                line: line.into(),
                request_id: Some("r".into()),
            },
        };
        let plain = rendered(&line("a\"b"), Api::Telemetry, "2022-12-13", LogFormat::Text).unwrap();
        assert_eq!(
            plain,
            json!({"time": "1970-01-01T00:00:00.000Z", "type": "function", "record": "a\"b"})
        );
        let json_line = line(r#"{"level":"WARN","message":"m"}"#);
        let record = |event, schema| {
            rendered(event, Api::Telemetry, schema, LogFormat::Json).unwrap()["record"].take()
        };
        assert_eq!(record(&json_line, "2022-12-13")["level"], "WARN");
        assert!(record(&json_line, "2022-07-01").is_string());
        assert_eq!(record(&line("x"), "2025-01-29")["requestId"], "r");
        assert!(
            rendered(&json_line, Api::Logs, "2021-03-18", LogFormat::Json).unwrap()["record"]
                .is_string()
        );
    }

    #[test]
    fn what_exists_in_one_api_only() {
        let done = Event::platform(
            "platform.runtimeDone",
            json!({"requestId": "r", "status": "error", "metrics": {}}),
        );
        assert_eq!(
            rendered(&done, Api::Logs, "2020-08-15", LogFormat::Text),
            None
        );
        let record =
            rendered(&done, Api::Logs, "2021-03-18", LogFormat::Text).unwrap()["record"].take();
        assert_eq!(record, json!({"requestId": "r", "status": "failure"}));
        let end = Event::platform("platform.end", json!({"requestId": "r"}));
        assert_eq!(
            rendered(&end, Api::Telemetry, "2022-12-13", LogFormat::Text),
            None
        );
        assert!(rendered(&end, Api::Logs, "2020-08-15", LogFormat::Text).is_some());
    }
}
