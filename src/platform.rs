//! Platform events as the readable lines that CloudWatch shows.
//!
//! A line is a row of parts, each a label and a member of the event's record; a part whose member is missing or empty is
//! left out. The members themselves are shipped as attributes all the same.

use crate::json::{self, Value};

struct Part {
    /// Raw string content before the value.
    label: &'static [u8],
    /// The member of the record, or of an object in it: `metrics/durationMs`. Empty: the label stands alone.
    member: &'static [u8],
    /// Behind the value.
    unit: &'static [u8],
}

const fn part(label: &'static [u8], member: &'static [u8], unit: &'static [u8]) -> Part {
    Part {
        label,
        member,
        unit,
    }
}

const START: &[Part] = &[
    part(b"START RequestId: ", b"requestId", b""),
    part(b" Version: ", b"version", b""),
];
const END: &[Part] = &[
    part(b"END RequestId: ", b"requestId", b""),
    part(b"\\tStatus: ", b"status", b""),
    part(b"\\tError Type: ", b"errorType", b""),
];
const REPORT: &[Part] = &[
    part(b"REPORT RequestId: ", b"requestId", b""),
    part(b"\\tDuration: ", b"metrics/durationMs", b" ms"),
    part(b"\\tBilled Duration: ", b"metrics/billedDurationMs", b" ms"),
    part(b"\\tMemory Size: ", b"metrics/memorySizeMB", b" MB"),
    part(b"\\tMax Memory Used: ", b"metrics/maxMemoryUsedMB", b" MB"),
    part(b"\\tInit Duration: ", b"metrics/initDurationMs", b" ms"),
    part(
        b"\\tRestore Duration: ",
        b"metrics/restoreDurationMs",
        b" ms",
    ),
    part(b"\\tStatus: ", b"status", b""),
    part(b"\\tError Type: ", b"errorType", b""),
];
const RUNTIME: [Part; 2] = [
    part(b" Runtime Version: ", b"runtimeVersion", b""),
    part(b"\\tRuntime Version ARN: ", b"runtimeVersionArn", b""),
];
const STATUS: [Part; 2] = [
    part(b"\\tStatus: ", b"status", b""),
    part(b"\\tError Type: ", b"errorType", b""),
];
const AGENT: [Part; 5] = [
    part(b"\\tName: ", b"name", b""),
    part(b"\\tState: ", b"state", b""),
    part(b"\\tEvents: ", b"events", b""),
    part(b"\\tTypes: ", b"types", b""),
    part(b"\\tError Type: ", b"errorType", b""),
];
const DROPPED: [Part; 3] = [
    part(b"\\tDropped Records: ", b"droppedRecords", b""),
    part(b"\\tDropped Bytes: ", b"droppedBytes", b""),
    part(b"\\tReason: ", b"reason", b""),
];
const INIT_REPORT: [Part; 4] = [
    part(b"\\tInit Duration: ", b"metrics/durationMs", b" ms"),
    part(b"\\tPhase: ", b"phase", b""),
    part(b"\\tStatus: ", b"status", b""),
    part(b"\\tError Type: ", b"errorType", b""),
];
const RESTORE_REPORT: [Part; 3] = [
    part(b"\\tRestore Duration: ", b"metrics/durationMs", b" ms"),
    part(b"\\tStatus: ", b"status", b""),
    part(b"\\tError Type: ", b"errorType", b""),
];

/// The name a line begins with, and its parts; the event type is given without `platform.`.
const fn line_of(event: &[u8]) -> Option<(&'static [u8], &'static [Part])> {
    Some(match event {
        b"start" => (b"", START),
        b"runtimeDone" | b"end" => (b"", END),
        b"report" => (b"", REPORT),
        b"initStart" => (b"INIT_START", &RUNTIME),
        b"initRuntimeDone" => (b"INIT_RUNTIME_DONE", &STATUS),
        b"initReport" => (b"INIT_REPORT", &INIT_REPORT),
        b"restoreStart" => (b"RESTORE_START", &RUNTIME),
        b"restoreRuntimeDone" => (b"RESTORE_RUNTIME_DONE", &STATUS),
        b"restoreReport" => (b"RESTORE_REPORT", &RESTORE_REPORT),
        b"extension" => (b"EXTENSION", &AGENT),
        b"telemetrySubscription" => (b"TELEMETRY", &AGENT),
        b"logsSubscription" => (b"LOGS", &AGENT),
        b"logsDropped" => (b"LOGS_DROPPED", &DROPPED),
        _ => return None,
    })
}

/// Whether an event is one that the option for START, END and REPORT lines switches.
#[must_use]
pub const fn is_invocation_line(event: &[u8]) -> bool {
    matches!(event, b"start" | b"runtimeDone" | b"end" | b"report")
}

/// Appends the line for an event (its type without `platform.`) as raw string content, at most `limit` bytes. An event
/// that is not known is shown as its JSON text. True if anything was left out.
pub fn append_line(out: &mut Vec<u8>, event: &[u8], record: &[u8], limit: usize) -> bool {
    let end = out.len().saturating_add(limit);
    let Some((name, parts)) = line_of(event) else {
        return json::append_escaped(out, record, limit);
    };
    let mut is_cut = !append(out, name, end);
    for part in parts {
        let Some(value) = member(record, part.member) else {
            continue;
        };
        let is_success = part.member == b"status" && value == Value::String(b"success");
        if is_success || value == Value::String(b"") {
            continue;
        }
        is_cut |= !append(out, part.label, end);
        let room = end.saturating_sub(out.len());
        is_cut |= match value {
            Value::String(raw) => json::append_raw_string(out, raw, room),
            Value::Number(text) | Value::Nested(text) => json::append_escaped(out, text, room),
            Value::True => !append(out, b"true", end),
            Value::False => !append(out, b"false", end),
            Value::Null => false,
        };
        is_cut |= !append(out, part.unit, end);
    }
    is_cut
}

/// A member of an object, or of an object in it, by its path.
#[must_use]
pub fn member<'a>(object: &'a [u8], path: &[u8]) -> Option<Value<'a>> {
    let mut names = path.splitn(2, |byte| *byte == b'/');
    let name = names.next()?;
    let found = json::members(object, None).find(|member| member.key == name)?;
    match (names.next(), found.value) {
        (None, Value::Null) => None,
        (None, value) => Some(value),
        (Some(inner), Value::Nested(object)) => member(object, inner),
        (Some(_), _) => None,
    }
}

fn append(out: &mut Vec<u8>, text: &[u8], end: usize) -> bool {
    let fits = out.len() + text.len() <= end;
    if fits {
        out.extend_from_slice(text);
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_in_cloudwatch() {
        for (event, record, expected) in [
            (
                "start",
                r#"{"requestId":"r1","version":"$LATEST"}"#,
                "START RequestId: r1 Version: $LATEST",
            ),
            (
                "runtimeDone",
                r#"{"requestId":"r1","status":"success"}"#,
                "END RequestId: r1",
            ),
            (
                "runtimeDone",
                r#"{"requestId":"r1","status":"error","errorType":"Runtime.ExitError"}"#,
                "END RequestId: r1\\tStatus: error\\tError Type: Runtime.ExitError",
            ),
            (
                "report",
                r#"{"requestId":"r1","status":"success","metrics":{"durationMs":185.377,"billedDurationMs":698,"memorySizeMB":256,"maxMemoryUsedMB":71,"initDurationMs":511.842}}"#,
                "REPORT RequestId: r1\\tDuration: 185.377 ms\\tBilled Duration: 698 ms\\tMemory Size: 256 MB\\tMax Memory Used: 71 MB\\tInit Duration: 511.842 ms",
            ),
            (
                "initStart",
                r#"{"runtimeVersion":"","phase":"init"}"#,
                "INIT_START",
            ),
            (
                "extension",
                r#"{"name":"a","state":"Ready","events":["INVOKE","SHUTDOWN"]}"#,
                r#"EXTENSION\tName: a\tState: Ready\tEvents: [\"INVOKE\",\"SHUTDOWN\"]"#,
            ),
            (
                "logsDropped",
                r#"{"droppedBytes":262190,"droppedRecords":911,"reason":"too slow"}"#,
                "LOGS_DROPPED\\tDropped Records: 911\\tDropped Bytes: 262190\\tReason: too slow",
            ),
            ("newThing", r#"{"a":1}"#, r#"{\"a\":1}"#),
            ("start", "null", ""),
        ] {
            let mut out = Vec::new();
            assert!(
                !append_line(&mut out, event.as_bytes(), record.as_bytes(), 1000),
                "{event}"
            );
            assert_eq!(String::from_utf8_lossy(&out), expected, "{event}");
        }
    }

    #[test]
    fn a_line_is_bounded() {
        let record = format!(r#"{{"requestId":"{}"}}"#, "x".repeat(100));
        for limit in 0..120 {
            let mut out = Vec::new();
            let is_cut = append_line(&mut out, b"start", record.as_bytes(), limit);
            assert!(out.len() <= limit);
            assert_eq!(is_cut, limit < 117);
        }
    }
}
