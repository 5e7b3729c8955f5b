//! OTLP/HTTP with JSON: `ExportLogsServiceRequest` and `ExportMetricsServiceRequest` in protobuf's JSON mapping, with trace
//! and span ids in hexadecimal as OTLP prescribes (opentelemetry-proto 1.x, "JSON Protobuf Encoding").
//!
//! Times are strings. Integers are JSON numbers while every receiver reads them exactly (below 2⁵³), strings above: rotel, for
//! one, loses values, and whole histograms, whose integers are strings.
//!
//! Sums and gauges are doubles even where they are whole: the next value may not be, and a stream that changes its type
//! between two points is two streams, or a conflict, to who stores it. Counts are integers for good.

use super::json_values::{Names, fill, value, values};
use super::{Format, Head, Value};
use crate::format::point::{Kind, Point, Temporality};
use crate::format::resource::Resource;
use crate::format::severity;
use crate::queue::signal::Signal;
use crate::text::decimal;

pub struct OtlpJson;

impl Format for OtlpJson {
    fn name(&self) -> &'static str {
        "otlp-json"
    }

    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn path(&self, signal: Signal) -> &'static str {
        super::otlp_path(signal)
    }

    fn record(&self, out: &mut Vec<u8>, head: &Head<'_>, body: &Value<'_>, room: usize) -> bool {
        out.extend_from_slice(b"{\"timeUnixNano\":\"");
        time(out, head.time_unix_nano);
        out.extend_from_slice(b"\",\"observedTimeUnixNano\":\"");
        time(out, head.observed_unix_nano);
        if head.severity > 0 {
            out.extend_from_slice(b"\",\"severityNumber\":");
            decimal::push(out, u64::from(head.severity));
            let name = severity::name(head.severity);
            fill(out, b",\"severityText\":\"\0", &[name]);
        }
        out.extend_from_slice(b"\",\"body\":{\"stringValue\":\"");
        let is_cut = value(out, body, room);
        out.extend_from_slice(b"\"},\"attributes\":[");
        head.attributes(&mut |key, value| {
            attribute(out, key, value, usize::MAX);
        });
        is_cut
    }

    fn attribute(&self, out: &mut Vec<u8>, key: &[u8], value: &Value<'_>, room: usize) -> bool {
        attribute(out, key, value, room)
    }

    fn end_record(&self, out: &mut Vec<u8>, _start: usize, head: &Head<'_>, dropped: u32) {
        out.push(b']');
        if dropped > 0 {
            out.extend_from_slice(b",\"droppedAttributesCount\":");
            decimal::push(out, u64::from(dropped));
        }
        if let Some(trace) = head.trace {
            let (name, span_id): (&[u8], &[u8]) = match &trace.span_id {
                b"0000000000000000" => (b"", b""),
                span_id => (b"\",\"spanId\":\"", span_id),
            };
            let flags: &[u8] = if trace.sampled { b"1" } else { b"0" };
            fill(
                out,
                b",\"traceId\":\"\0\0\0\",\"flags\":\0",
                &[&trace.trace_id, name, span_id, flags],
            );
        }
        out.push(b'}');
    }

    /// Each point is a metric of its own: receivers put together what has the same name.
    fn point(&self, out: &mut Vec<u8>, point: &Point<'_>) {
        let kind: &[u8] = match point.kind {
            Kind::Sum { is_monotonic: true } => b"\",\"sum\":{\"isMonotonic\":true,",
            Kind::Sum { .. } => b"\",\"sum\":{",
            Kind::Gauge | Kind::Set => b"\",\"gauge\":{",
            Kind::Histogram(_) => b"\",\"histogram\":{",
        };
        let temporality: &[u8] = match point.temporality() {
            None => b"",
            Some(Temporality::Delta) => b"\"aggregationTemporality\":1,",
            Some(Temporality::Cumulative) => b"\"aggregationTemporality\":2,",
        };
        let has_unit = !point.unit.is_empty();
        let unit: &[u8] = if has_unit { b"\",\"unit\":\"" } else { b"" };
        fill(
            out,
            b"{\"name\":\"\0\0\0\0\0\"dataPoints\":[{\"attributes\":[",
            &[point.name, unit, point.unit, kind, temporality],
        );
        for (key, value) in point.attributes() {
            attribute(out, key, &Value::Raw(value), usize::MAX);
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

    fn begin(&self, out: &mut Vec<u8>, resource: &Resource, signal: Signal) {
        let (resources, scopes): (&[u8], &[u8]) = match signal {
            Signal::Log => (b"Logs", b"Logs\":[{\"logRecords"),
            Signal::Metric => (b"Metrics", b"Metrics\":[{\"metrics"),
        };
        let start = b"{\"resource\0\":[{\"resource\":{\"attributes\":[";
        fill(out, start, &[resources]);
        for entry in resource.entries() {
            attribute(out, &entry.key, &entry.value(), usize::MAX);
        }
        fill(out, b"]},\"scope\0\":[", &[scopes]);
    }

    fn separator(&self) -> &'static [u8] {
        b","
    }

    fn end(&self, out: &mut Vec<u8>, batch_id: &[u8]) {
        fill(
            out,
            b"],\"scope\":{\"name\":\"kinglet\",\"version\":\"\0\",\"attributes\":[\
            {\"key\":\"kinglet.batch.id\",\"value\":{\"stringValue\":\"\0\"}}]}}]}]}",
            &[crate::VERSION.as_bytes(), batch_id],
        );
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

/// An attribute is the first where nothing but the beginning of their list stands before it.
fn attribute(out: &mut Vec<u8>, key: &[u8], any_value: &Value<'_>, room: usize) -> bool {
    let start = out.len();
    let comma: &[u8] = if out.ends_with(b"[") { b"" } else { b"," };
    let (name, quote): (&[u8], &[u8]) = match any_value {
        Value::Raw(_) | Value::Text(_) => (b"stringValue\":", b"\""),
        // 15 digits are below 2⁵³.
        Value::Integer(digits) if digits.len() > 15 => (b"intValue\":", b"\""),
        Value::Integer(_) => (b"intValue\":", b""),
        Value::Double(_) => (b"doubleValue\":", b""),
        Value::Boolean(_) => (b"boolValue\":", b""),
    };
    fill(
        out,
        b"\0{\"key\":\"\0\",\"value\":{\"\0\0",
        &[comma, key, name, quote],
    );
    let fits = !value(out, any_value, room);
    fill(out, b"\0}}", &[quote]);
    if !fits {
        out.truncate(start);
    }
    fits
}
