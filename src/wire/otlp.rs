//! OTLP/HTTP with JSON: `ExportLogsServiceRequest` and `ExportMetricsServiceRequest` in protobuf's JSON mapping, with trace
//! and span ids in hexadecimal as OTLP prescribes (opentelemetry-proto 1.x, "JSON Protobuf Encoding").
//!
//! Times are strings. Integers are JSON numbers while every receiver reads them exactly (below 2⁵³), strings above: rotel, for
//! one, loses values, and whole histograms, whose integers are strings.
//!
//! Sums and gauges are doubles even where they are whole: the next value may not be, and a stream that changes its type
//! between two points is two streams, or a conflict, to who stores it. Counts are integers for good.

use super::values::{Names, values};
use super::{Format, push};
use crate::point::{Kind as PointKind, Point, Temporality};
use crate::record::{Attribute, Kind, Record};
use crate::resource::Resource;
use crate::signal::Signal;
use crate::{decimal, severity};

pub struct Otlp;

impl Format for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn path(&self, signal: Signal) -> &'static str {
        match signal {
            Signal::Log => "/v1/logs",
            Signal::Metric => "/v1/metrics",
        }
    }

    fn begin(&self, out: &mut Vec<u8>, resource: &Resource, signal: Signal) {
        let (resources, scopes): (&[u8], &[u8]) = match signal {
            Signal::Log => (b"Logs", b"Logs\":[{\"logRecords"),
            Signal::Metric => (b"Metrics", b"Metrics\":[{\"metrics"),
        };
        push(
            out,
            &[
                b"{\"resource",
                resources,
                b"\":[{\"resource\":{\"attributes\":[",
            ],
        );
        for (position, entry) in resource.entries().iter().enumerate() {
            let kind = if entry.is_integer {
                Kind::Integer
            } else {
                Kind::String
            };
            let (key, value) = (entry.key.as_slice(), entry.value.as_slice());
            attribute(out, &Attribute { kind, key, value }, position == 0);
        }
        push(out, &[b"]},\"scope", scopes, b"\":["]);
    }

    fn record(&self, out: &mut Vec<u8>, record: &Record<'_>, is_first: bool) {
        let head = &record.head;
        let begin: &[u8] = if is_first {
            b"{\"timeUnixNano\":\""
        } else {
            b",{\"timeUnixNano\":\""
        };
        out.extend_from_slice(begin);
        time(out, head.time_unix_nano);
        if head.severity > 0 {
            push(out, &[b"\",\"severityNumber\":"]);
            decimal::push(out, u64::from(head.severity));
            push(
                out,
                &[b",\"severityText\":\"", severity::name(head.severity)],
            );
        }
        push(
            out,
            &[
                b"\",\"body\":{\"stringValue\":\"",
                record.body,
                b"\"},\"attributes\":[",
            ],
        );
        let dropped_attributes = record.dropped_attributes + attributes(out, record);
        if dropped_attributes > 0 {
            push(out, &[b"],\"droppedAttributesCount\":"]);
            decimal::push(out, u64::from(dropped_attributes));
        } else {
            out.push(b']');
        }
        let Some(trace) = &head.trace else {
            out.push(b'}');
            return;
        };
        push(out, &[b",\"traceId\":\"", &trace.trace_id]);
        if trace.span_id != [b'0'; 16] {
            push(out, &[b"\",\"spanId\":\"", &trace.span_id]);
        }
        let flags: &[u8] = if trace.sampled {
            b"\",\"flags\":1}"
        } else {
            b"\",\"flags\":0}"
        };
        out.extend_from_slice(flags);
    }

    /// Each point is a metric of its own: receivers put together what has the same name.
    fn point(&self, out: &mut Vec<u8>, point: &Point<'_>, is_first: bool) {
        let kind: &[u8] = match point.kind {
            PointKind::Sum { is_monotonic: true } => b"\",\"sum\":{\"isMonotonic\":true,",
            PointKind::Sum { .. } => b"\",\"sum\":{",
            PointKind::Gauge | PointKind::Set => b"\",\"gauge\":{",
            PointKind::Histogram(_) => b"\",\"histogram\":{",
        };
        let temporality: &[u8] = match point.temporality() {
            None => b"",
            Some(Temporality::Delta) => b"\"aggregationTemporality\":1,",
            Some(Temporality::Cumulative) => b"\"aggregationTemporality\":2,",
        };
        let has_unit = !point.unit.is_empty();
        let pieces: &[&[u8]] = &[
            if is_first { b"" } else { b"," },
            b"{\"name\":\"",
            point.name,
            if has_unit { b"\",\"unit\":\"" } else { b"" },
            point.unit,
            kind,
            temporality,
            b"\"dataPoints\":[{\"attributes\":[",
        ];
        push(out, pieces);
        for (position, (key, value)) in point.attributes().enumerate() {
            let kind = Kind::String;
            attribute(out, &Attribute { kind, key, value }, position == 0);
        }
        out.extend_from_slice(b"],\"");
        if !temporality.is_empty() {
            out.extend_from_slice(b"startTimeUnixNano\":\"");
            time(out, point.start_unix_nano);
            out.extend_from_slice(b"\",\"");
        }
        out.extend_from_slice(b"timeUnixNano\":\"");
        time(out, point.time_unix_nano);
        values(out, point, &NAMES);
        out.extend_from_slice(b"}]}}");
    }

    fn end(&self, out: &mut Vec<u8>, batch_id: &[u8]) {
        let scope: &[&[u8]] = &[
            b"],\"scope\":{\"name\":\"kinglet\",\"version\":\"",
            crate::VERSION.as_bytes(),
            b"\",\"attributes\":[{\"key\":\"kinglet.batch.id\",\"value\":{\"stringValue\":\"",
            batch_id,
            b"\"}}]}}]}]}",
        ];
        push(out, scope);
    }
}

/// Lambda's times have milliseconds: the last six digits need no division.
fn time(out: &mut Vec<u8>, unix_nano: u64) {
    let milliseconds = unix_nano / 1_000_000;
    if milliseconds > 0 && milliseconds * 1_000_000 == unix_nano {
        decimal::push(out, milliseconds);
        out.extend_from_slice(b"000000");
    } else {
        decimal::push(out, unix_nano);
    }
}

const NAMES: Names = Names {
    double: b"asDouble",
    integer: b"asInt",
    buckets: b"bucketCounts",
    bounds: b"explicitBounds",
};

/// The attributes that kinglet gives, then the function's own. Keys must be unique, so one of the function's that has a
/// name of ours is left out; returns how many. A plain line of the function has no event type: nearly all records are that.
fn attributes(out: &mut Vec<u8>, record: &Record<'_>) -> u32 {
    let head = &record.head;
    let start = out.len();
    if !head.request_id.is_empty() {
        push(
            out,
            &[
                b"{\"key\":\"faas.invocation_id\",\"value\":{\"stringValue\":\"",
                head.request_id,
                b"\"}}",
            ],
        );
    }
    let event_type: &[u8] = if head.event_type == b"function" {
        b""
    } else {
        head.event_type
    };
    let coldstart: &[u8] = if head.coldstart { b"true" } else { b"" };
    let mut original_bytes = Vec::new();
    if record.original_bytes > 0 {
        decimal::push(&mut original_bytes, u64::from(record.original_bytes));
    }
    for (kind, key, value) in [
        (Kind::String, EVENT_TYPE, event_type),
        (Kind::Boolean, COLDSTART, coldstart),
        (Kind::Integer, ORIGINAL_BYTES, &original_bytes),
    ] {
        if !value.is_empty() {
            attribute(out, &Attribute { kind, key, value }, out.len() == start);
        }
    }
    let mut left_out = 0;
    for each in record.attributes() {
        if [INVOCATION_ID, EVENT_TYPE, COLDSTART, ORIGINAL_BYTES].contains(&each.key) {
            left_out += 1;
        } else {
            attribute(out, &each, out.len() == start);
        }
    }
    left_out
}

const INVOCATION_ID: &[u8] = b"faas.invocation_id";
const EVENT_TYPE: &[u8] = b"aws.lambda.event.type";
const COLDSTART: &[u8] = b"faas.coldstart";
const ORIGINAL_BYTES: &[u8] = b"kinglet.original_bytes";

fn attribute(out: &mut Vec<u8>, attribute: &Attribute<'_>, is_first: bool) {
    let comma: &[u8] = if is_first { b"" } else { b"," };
    push(
        out,
        &[comma, b"{\"key\":\"", attribute.key, b"\",\"value\":{\""],
    );
    let (name, quote): (&[u8], &[u8]) = match attribute.kind {
        Kind::String => (b"stringValue\":", b"\""),
        // 15 digits are below 2⁵³.
        Kind::Integer if attribute.value.len() > 15 => (b"intValue\":", b"\""),
        Kind::Integer => (b"intValue\":", b""),
        Kind::Double => (b"doubleValue\":", b""),
        Kind::Boolean => (b"boolValue\":", b""),
    };
    push(out, &[name, quote, attribute.value, quote, b"}}"]);
}
