//! Newline-delimited JSON: one object a record or point, for anything that takes rows (ClickHouse, VictoriaLogs, a script).
//!
//! Keys of a record: `time` (RFC 3339), `severity`, `request_id`, `type`, `trace_id`, `span_id`, those of the resource, `body`,
//! `attributes`. Of a point: `time`, `type` (always `metric`), `name`, `unit`, `kind`, and, but for a gauge, `temporality` and
//! `start`; then `value`, or `count`, `sum`, `min`, `max`, `bounds`, `buckets`; and `attributes`. What is not known is left out.

use super::json_values::{Names, fill, value, values};
use super::{Format, Head, Value};
use crate::format::point::{Kind, Point, Temporality};
use crate::format::resource::Resource;
use crate::format::severity;
use crate::queue::signal::Signal;
use crate::text::timestamp;

pub struct NdJson;

/// What of the resource stands in each row, and its key there: without it the rows of two functions could not be told apart.
const RESOURCE: [(&[u8], &[u8]); 5] = [
    (b"service.name", b"service"),
    (b"faas.name", b"function"),
    (b"faas.version", b"version"),
    (b"faas.instance", b"instance"),
    (b"cloud.region", b"region"),
];

impl Format for NdJson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn content_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    /// The endpoint is the whole URL.
    fn path(&self, _signal: Signal) -> &'static str {
        ""
    }

    fn record(&self, out: &mut Vec<u8>, head: &Head<'_>, body: &Value<'_>, room: usize) -> bool {
        out.extend_from_slice(b"{\"time\":\"");
        timestamp::push(out, head.time_unix_nano);
        member(out, b"severity", severity::name(head.severity));
        member(out, b"request_id", head.request_id);
        member(out, b"type", head.event_type);
        if let Some(trace) = head.trace {
            member(out, b"trace_id", &trace.trace_id);
            member(out, b"span_id", &trace.span_id);
        }
        resource(out, head.resource);
        out.extend_from_slice(b"\",\"body\":\"");
        let is_cut = value(out, body, room);
        out.extend_from_slice(b"\",\"attributes\":{");
        is_cut
    }

    fn attribute(&self, out: &mut Vec<u8>, key: &[u8], any_value: &Value<'_>, room: usize) -> bool {
        let start = out.len();
        let comma: &[u8] = if out.ends_with(b"{") { b"" } else { b"," };
        let quote: &[u8] = match any_value {
            Value::Raw(_) | Value::Text(_) => b"\"",
            _ => b"",
        };
        fill(out, b"\0\"\0\":\0", &[comma, key, quote]);
        let fits = !value(out, any_value, room);
        out.extend_from_slice(quote);
        if !fits {
            out.truncate(start);
        }
        fits
    }

    fn end_record(&self, out: &mut Vec<u8>, _start: usize, _head: &Head<'_>, _dropped: u32) {
        out.extend_from_slice(b"}}\n");
    }

    fn point(&self, out: &mut Vec<u8>, point: &Point<'_>) {
        let kind: &[u8] = match point.kind {
            Kind::Sum { .. } => b"sum",
            Kind::Gauge | Kind::Set => b"gauge",
            Kind::Histogram(_) => b"histogram",
        };
        let temporality: &[u8] = match point.temporality() {
            None => b"",
            Some(Temporality::Delta) => b"\",\"temporality\":\"delta\",\"start\":\"",
            Some(Temporality::Cumulative) => b"\",\"temporality\":\"cumulative\",\"start\":\"",
        };
        let has_unit = !point.unit.is_empty();
        out.extend_from_slice(b"{\"time\":\"");
        timestamp::push(out, point.time_unix_nano);
        let unit: &[u8] = if has_unit { b"\",\"unit\":\"" } else { b"" };
        fill(
            out,
            b"\",\"type\":\"metric\",\"name\":\"\0\0\0\",\"kind\":\"\0\0",
            &[point.name, unit, point.unit, kind, temporality],
        );
        if !temporality.is_empty() {
            timestamp::push(out, point.start_unix_nano);
        }
        values(out, point, &NAMES);
        out.extend_from_slice(b",\"attributes\":{");
        let mut before: &[u8] = b"\"";
        for (key, value) in point.attributes() {
            fill(out, b"\0\0\":\"\0\"", &[before, key, value]);
            before = b",\"";
        }
        out.extend_from_slice(b"}}\n");
    }

    fn begin(&self, _out: &mut Vec<u8>, _resource: &Resource, _signal: Signal) {}

    fn separator(&self) -> &'static [u8] {
        b""
    }

    fn end(&self, _out: &mut Vec<u8>, _batch_id: &[u8]) {}
}

/// Appends a member whose value is not empty. The string before it is still open, and so is its own.
fn member(out: &mut Vec<u8>, name: &[u8], text: &[u8]) {
    if !text.is_empty() {
        fill(out, b"\",\"\0\":\"\0", &[name, text]);
    }
}

fn resource(out: &mut Vec<u8>, resource: &Resource) {
    for (key, name) in &RESOURCE {
        let mut entries = resource.entries().iter();
        if let Some(entry) = entries.find(|entry| entry.key == *key) {
            member(out, name, &entry.value);
        }
    }
}

const NAMES: Names = Names {
    double: b"value",
    integer: b"value",
    buckets: b"buckets",
    bounds: b"bounds",
};
