//! Platform events as measurements, named and typed by OpenTelemetry's FaaS conventions; `aws.lambda.*` where they have no name.
//!
//! An invocation is counted once, by the status of its `runtimeDone`: `faas.invocations`, `faas.errors` or `faas.timeouts`. On
//! Managed Instances there is no such event, and its `report` stands in. A failed init counts nothing itself: the
//! invocation that it fails does. An exception that a handler throws is a success here, except on Managed Instances.

use crate::format::point::Bounds;
use crate::lambda::platform_events::member;
use crate::metric::measurement::{Change, Measurement, Sink};
use crate::text::delimited::parts;
use crate::text::double;
use crate::text::json::{self, Value};

/// For each metric what it is told by, the path of a member, its name, and its unit. It is told by an event (its type without
/// `platform.`), by the outcome of an invocation, or by a kill; `-` stands for 1. The unit says what becomes of the number:
/// milliseconds to a histogram in `s`; bytes, or mebibytes if the member ends in `MB`, to one in `By`; all else to a sum.
const LINES: &[u8] = b"\
    success - faas.invocations {invocation} \
    timeout - faas.timeouts {timeout} \
    error - faas.errors {error} \
    initStart - faas.coldstarts {coldstart} \
    restoreStart - faas.coldstarts {coldstart} \
    kill - aws.lambda.out_of_memory {kill} \
    runtimeDone metrics/durationMs faas.invoke_duration s \
    runtimeDone metrics/producedBytes aws.lambda.response_size By \
    runtimeDone spans/responseLatency aws.lambda.response_latency s \
    runtimeDone spans/responseDuration aws.lambda.response_duration s \
    runtimeDone spans/runtimeOverhead aws.lambda.runtime_overhead s \
    report metrics/maxMemoryUsedMB faas.mem_usage By \
    report metrics/billedDurationMs aws.lambda.billed_duration s \
    report spans/extensionOverhead aws.lambda.extension_overhead s \
    initReport metrics/durationMs faas.init_duration s \
    restoreReport metrics/durationMs aws.lambda.restore_duration s \
    logsDropped droppedRecords aws.lambda.logs_dropped {record}";
const DONE: &[u8] = b"runtimeDone";
const REPORT: &[u8] = b"report";

/// Hands over what an event (its type without `platform.`, and its record) measures. `is_concurrent`: Managed Instances.
/// Returns how many of its members are no such number as they ought to be; one that is missing is not counted.
#[inline(never)]
pub fn measure(event: &[u8], object: &[u8], is_concurrent: bool, sink: Sink<'_>) -> u32 {
    let text = |name: &[u8]| match member(object, name) {
        Some(Value::String(raw)) => raw,
        _ => b"",
    };
    let initialization = text(b"initializationType");
    // What stands in a snapshot ran when the version was published, and is told again after every restore.
    let is_replayed = event.starts_with(b"init") && initialization == b"snap-start";
    // An init that is repeated in an invocation follows a crash; a provisioned one keeps nobody waiting.
    let is_no_coldstart = event == b"initStart"
        && (initialization == b"provisioned-concurrency" || text(b"phase") == b"invoke");
    if is_replayed || is_no_coldstart {
        return 0;
    }
    let status = text(b"status");
    let outcome: &[u8] = if status.is_empty() || status == b"success" {
        b"success"
    } else if status == b"timeout" {
        status
    } else {
        b"error"
    };
    let is_killed = event == REPORT
        && outcome == b"error"
        && (text(b"errorType") == b"Runtime.OutOfMemory" || is_full(object));
    let is_outcome = event == if is_concurrent { REPORT } else { DONE };
    let word = |is_said: bool, word| if is_said { word } else { event };
    let told = [
        event,
        word(is_outcome, DONE),
        word(is_outcome, outcome),
        word(is_killed, b"kill"),
    ];
    let mut malformed = 0;
    let mut words = parts(LINES, b' ');
    while let (Some(by), Some(path), Some(name), Some(unit)) =
        (words.next(), words.next(), words.next(), words.next())
    {
        if !told.contains(&by) {
            continue;
        }
        let Some(value) = at(object, path) else {
            continue;
        };
        match number(&value) {
            Some(number) => sink(&mut Measurement {
                name,
                unit,
                attributes: &mut [],
                is_escaped: false,
                time_unix_nano: 0,
                change: change(path, unit, number),
            }),
            None => malformed += 1,
        }
    }
    malformed
}

/// Whether all memory was taken: Lambda ends a process that wants more than there is, and does not always say why.
fn is_full(object: &[u8]) -> bool {
    let metric = |path| member(object, path).and_then(|value| number(&value));
    let (size, used) = (
        metric(b"metrics/memorySizeMB"),
        metric(b"metrics/maxMemoryUsedMB"),
    );
    matches!((size, used), (Some(size), Some(used)) if used >= size)
}

/// The value at a path; of `spans` the duration of the one with this name.
#[inline(never)]
fn at<'a>(object: &'a [u8], path: &[u8]) -> Option<Value<'a>> {
    if path == b"-" {
        return Some(Value::Number(b"1"));
    }
    let Some(name) = path.strip_prefix(b"spans/") else {
        return member(object, path);
    };
    let Some(Value::Nested(spans)) = member(object, b"spans") else {
        return None;
    };
    for span in json::items(spans) {
        let span = json::text(&span);
        if matches!(member(span, b"name"), Some(Value::String(known)) if known == name) {
            return member(span, b"durationMs");
        }
    }
    None
}

/// A number that is not negative, or a string of one.
fn number(value: &Value<'_>) -> Option<f64> {
    double::parse(json::text(value)).filter(|number| (0.0..f64::INFINITY).contains(number))
}

fn change(path: &[u8], unit: &[u8], number: f64) -> Change<'static> {
    let (value, bounds) = match unit {
        b"s" => (seconds(number), Bounds::Seconds),
        b"By" if path.ends_with(b"MB") => (number * 1_048_576.0, Bounds::Memory),
        b"By" => (number, Bounds::Size),
        _ => {
            return Change::Add {
                value: number,
                is_monotonic: true,
            };
        }
    };
    Change::Observe {
        value,
        times: 1,
        bounds,
    }
}

/// By way of whole nanoseconds, so that 143.219 ms are the double that is written 0.143219.
fn seconds(milliseconds: f64) -> f64 {
    (milliseconds * 1e6 + 0.5) as i64 as f64 / 1e9
}

#[cfg(test)]
mod tests;
