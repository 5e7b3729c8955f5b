//! Newline-delimited JSON: one object a record or point, for anything that takes rows (ClickHouse, VictoriaLogs, a script).
//!
//! Keys of a record: `time` (RFC 3339), `severity`, `request_id`, `type`, `body`, `attributes`. Of a point: `time`, `type`
//! (always `metric`), `name`, `unit`, `kind`, and, but for a gauge, `temporality` and `start`; then `value`, or `count`, `sum`,
//! `min`, `max`, `bounds`, `buckets`; and `attributes`. What is not known is left out.

use super::values::{Names, values};
use super::{Format, push};
use crate::point::{Kind as PointKind, Point, Temporality};
use crate::record::{Kind, Record};
use crate::resource::Resource;
use crate::signal::Signal;
use crate::{severity, timestamp};

pub struct NdJson;

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

    fn begin(&self, _out: &mut Vec<u8>, _resource: &Resource, _signal: Signal) {}

    fn record(&self, out: &mut Vec<u8>, record: &Record<'_>, _is_first: bool) {
        let head = &record.head;
        push(out, &[b"{\"time\":\""]);
        timestamp::push(out, head.time_unix_nano);
        for (name, value) in [
            (b"severity".as_slice(), severity::name(head.severity)),
            (b"request_id", head.request_id),
            (b"type", head.event_type),
        ] {
            if !value.is_empty() {
                push(out, &[b"\",\"", name, b"\":\"", value]);
            }
        }
        push(
            out,
            &[b"\",\"body\":\"", record.body, b"\",\"attributes\":{"],
        );
        for (position, each) in record.attributes().enumerate() {
            let quote: &[u8] = if each.kind == Kind::String {
                b"\""
            } else {
                b""
            };
            let comma: &[u8] = if position == 0 { b"" } else { b"," };
            push(
                out,
                &[comma, b"\"", each.key, b"\":", quote, each.value, quote],
            );
        }
        push(out, &[b"}}\n"]);
    }

    fn point(&self, out: &mut Vec<u8>, point: &Point<'_>, _is_first: bool) {
        let kind: &[u8] = match point.kind {
            PointKind::Sum { .. } => b"sum",
            PointKind::Gauge | PointKind::Set => b"gauge",
            PointKind::Histogram(_) => b"histogram",
        };
        let temporality: &[u8] = match point.temporality() {
            None => b"",
            Some(Temporality::Delta) => b"\",\"temporality\":\"delta\",\"start\":\"",
            Some(Temporality::Cumulative) => b"\",\"temporality\":\"cumulative\",\"start\":\"",
        };
        let has_unit = !point.unit.is_empty();
        out.extend_from_slice(b"{\"time\":\"");
        timestamp::push(out, point.time_unix_nano);
        let pieces: &[&[u8]] = &[
            b"\",\"type\":\"metric\",\"name\":\"",
            point.name,
            if has_unit { b"\",\"unit\":\"" } else { b"" },
            point.unit,
            b"\",\"kind\":\"",
            kind,
            temporality,
        ];
        push(out, pieces);
        if !temporality.is_empty() {
            timestamp::push(out, point.start_unix_nano);
        }
        values(out, point, &NAMES);
        out.extend_from_slice(b",\"attributes\":{");
        let mut before: &[u8] = b"\"";
        for (key, value) in point.attributes() {
            push(out, &[before, key, b"\":\"", value, b"\""]);
            before = b",\"";
        }
        out.extend_from_slice(b"}}\n");
    }

    fn end(&self, _out: &mut Vec<u8>, _batch_id: &[u8]) {}
}

const NAMES: Names = Names {
    double: b"value",
    integer: b"value",
    buckets: b"buckets",
    bounds: b"bounds",
};
