//! Platform events as the readable lines that CloudWatch shows.
//!
//! A part of a line whose member is missing or empty is left out. The members themselves are shipped as attributes all the same.

use crate::text::delimited::parts;
use crate::text::json::{self, Value};

/// A line for each event type (without `platform.`): a name, then parts of the form `label|member|unit`, each ended by `;`.
/// A member in an object is named by its path, `metrics/durationMs`. A status of success says nothing, and is left out.
const LINES: [(&str, &str); 14] = [
    ("start", "START RequestId: |requestId|; Version: |version|;"),
    ("runtimeDone", END),
    ("end", END),
    (
        "report",
        "REPORT RequestId: |requestId|;\\tDuration: |metrics/durationMs| ms;\
        \\tBilled Duration: |metrics/billedDurationMs| ms;\\tMemory Size: |metrics/memorySizeMB| MB;\
        \\tMax Memory Used: |metrics/maxMemoryUsedMB| MB;\\tInit Duration: |metrics/initDurationMs| ms;\
        \\tRestore Duration: |metrics/restoreDurationMs| ms;\\tStatus: |status|;\\tError Type: |errorType|;",
    ),
    (
        "initStart",
        "INIT_START; Runtime Version: |runtimeVersion|;\\tRuntime Version ARN: |runtimeVersionArn|;",
    ),
    (
        "initRuntimeDone",
        "INIT_RUNTIME_DONE;\\tStatus: |status|;\\tError Type: |errorType|;",
    ),
    (
        "initReport",
        "INIT_REPORT; Init Duration: |metrics/durationMs| ms;\\tPhase: |phase|;\\tStatus: |status|;\
        \\tError Type: |errorType|;",
    ),
    (
        "restoreStart",
        "RESTORE_START; Runtime Version: |runtimeVersion|;\\tRuntime Version ARN: |runtimeVersionArn|;",
    ),
    (
        "restoreRuntimeDone",
        "RESTORE_RUNTIME_DONE;\\tStatus: |status|;\\tError Type: |errorType|;",
    ),
    (
        "restoreReport",
        "RESTORE_REPORT; Restore Duration: |metrics/durationMs| ms;\\tStatus: |status|;\\tError Type: |errorType|;",
    ),
    (
        "extension",
        "EXTENSION;\\tName: |name|;\\tState: |state|;\\tEvents: |events|;\\tError Type: |errorType|;",
    ),
    (
        "telemetrySubscription",
        "TELEMETRY;\\tName: |name|;\\tState: |state|;\\tTypes: |types|;",
    ),
    (
        "logsSubscription",
        "LOGS;\\tName: |name|;\\tState: |state|;\\tTypes: |types|;",
    ),
    (
        "logsDropped",
        "LOGS_DROPPED;\\tDropped Records: |droppedRecords|;\\tDropped Bytes: |droppedBytes|;\\tReason: |reason|;",
    ),
];
const END: &str = "END RequestId: |requestId|;\\tStatus: |status|;\\tError Type: |errorType|;";

/// Whether an event is one that the option for START, END and REPORT lines switches.
#[must_use]
pub fn is_invocation_line(event: &[u8]) -> bool {
    let lines: [&[u8]; 4] = [b"start", b"runtimeDone", b"end", b"report"];
    lines.contains(&event)
}

/// Appends the line for an event (its type without `platform.`) as raw string content, at most `limit` bytes. An event
/// that is not known is shown as its JSON text. True if anything was left out.
pub fn append_line(out: &mut Vec<u8>, event: &[u8], record: &[u8], limit: usize) -> bool {
    let end = out.len().saturating_add(limit);
    let Some((_, line)) = LINES.iter().find(|(name, _)| name.as_bytes() == event) else {
        return json::append_escaped(out, record, limit);
    };
    let mut is_cut = false;
    for part in parts(line.as_bytes(), b';') {
        let mut pieces = parts(part, b'|');
        let label = pieces.next().unwrap_or_default();
        let Some(path) = pieces.next() else {
            is_cut |= !append(out, label, end);
            continue;
        };
        let value = member(record, path);
        let is_silent = matches!(value, Some(Value::String(b"")))
            || (path == b"status" && value == Some(Value::String(b"success")));
        let Some(value) = value.filter(|_| !is_silent) else {
            continue;
        };
        is_cut |= !append(out, label, end);
        let room = end.saturating_sub(out.len());
        is_cut |= match value {
            Value::String(raw) => json::append_raw_string(out, raw, room),
            other => json::append_escaped(out, json::text(&other), room),
        };
        is_cut |= !append(out, pieces.next().unwrap_or_default(), end);
    }
    is_cut
}

/// A member of an object, or of an object in it, by its path.
#[must_use]
pub fn member<'a>(object: &'a [u8], path: &[u8]) -> Option<Value<'a>> {
    let mut names = parts(path, b'/');
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
