//! OTLP/HTTP with protobuf: `ExportLogsServiceRequest` and `ExportMetricsServiceRequest` (opentelemetry-proto 1.x), what every
//! receiver of OTLP reads.
//!
//! A nested message's length stands before it and is not known then. So bytes are kept free for it, as many as it should need,
//! and filled in with a varint that is padded to them: every decoder takes that, and OpenTelemetry's own .NET exporter does the
//! same with four bytes. Fields may come in any order: the scope stands behind the records, where the batch's id is known.

mod in_place;
mod message;
#[cfg_attr(not(feature = "metrics"), path = "otlp/absent/points.rs")]
mod points;

use self::message::{Message, attribute, close, eight, length, length_bytes, open, text, varint};
use super::{Format, Head, InPlace, Value};
use crate::format::point::Point;
use crate::format::resource::Resource;
use crate::format::severity;
use crate::limits::BATCH_BYTES_MAX;
use crate::queue::signal::Signal;

pub struct Otlp;

/// Bytes of the lengths of a batch's resource, of its scope, and of what holds both.
const LENGTH_BYTES: usize = 3;
const _: () = assert!(BATCH_BYTES_MAX < 1 << (7 * LENGTH_BYTES));
/// Bytes of a record's or point's length. A longer one is moved when it is done: few are.
const ITEM_LENGTH_BYTES: usize = 2;

// Tags: the number of a field times 8, and its wire type: 0 a varint, 1 eight bytes, 2 a length and bytes, 5 four bytes.

/// `resource_logs` and `resource_metrics` of a request, `resource` of these, `name` of a scope or metric, `key` of an attribute,
/// `string_value`, and `data_points` of a sum, gauge or histogram: field 1.
const FIRST: u8 = 0x0a;
/// `scope_logs`, `scope_metrics`, `log_records`, `metrics`, and `value` of an attribute: field 2.
const SECOND: u8 = 0x12;
const TIME: u8 = 0x09;
const OBSERVED_TIME: u8 = 0x59;
const BODY: u8 = 0x2a;
const ATTRIBUTES: u8 = 0x32;
const DROPPED_ATTRIBUTES: u8 = 0x38;
const TRACE_ID: u8 = 0x4a;
const SPAN_ID: u8 = 0x52;
/// `flags` of a record that is sampled, whole.
const SAMPLED: &[u8] = &[0x45, 1, 0, 0, 0];
const SCOPE_VERSION: u8 = 0x12;
const SCOPE_ATTRIBUTES: u8 = 0x1a;
impl Format for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn content_type(&self) -> &'static str {
        "application/x-protobuf"
    }

    fn path(&self, signal: Signal) -> &'static str {
        super::otlp_path(signal)
    }

    fn begin(&self, out: &mut Vec<u8>, resource: &Resource, _signal: Signal) {
        open(out, FIRST, LENGTH_BYTES);
        let message = open(out, FIRST, LENGTH_BYTES);
        for entry in resource.entries() {
            attribute(out, FIRST, &entry.key, &entry.value(), usize::MAX);
        }
        close(out, message);
        open(out, SECOND, LENGTH_BYTES);
    }

    fn record(&self, out: &mut Vec<u8>, head: &Head<'_>, body: &Value<'_>, room: usize) -> bool {
        begin(out, head);
        let (fields, bytes) = severity_fields(head.severity);
        out.extend_from_slice(fields.get(..bytes).unwrap_or_default());
        let message = open(out, BODY, length_bytes(body.bytes_max() + 1 + LENGTH_BYTES));
        let is_cut = text(out, FIRST, body, room);
        close(out, message);
        is_cut
    }

    fn attribute(&self, out: &mut Vec<u8>, key: &[u8], value: &Value<'_>, room: usize) -> bool {
        attribute(out, ATTRIBUTES, key, value, room)
    }

    fn end_record(&self, out: &mut Vec<u8>, start: usize, _head: &Head<'_>, dropped: u32) {
        if dropped > 0 {
            out.push(DROPPED_ATTRIBUTES);
            varint(out, u64::from(dropped));
        }
        close(out, Message::at(start, ITEM_LENGTH_BYTES));
    }

    fn in_place(&self) -> Option<&dyn InPlace> {
        Some(self)
    }

    fn point(&self, out: &mut Vec<u8>, point: &Point<'_>) {
        points::write(out, point);
    }

    fn separator(&self) -> &'static [u8] {
        b""
    }

    fn end(&self, out: &mut Vec<u8>, batch_id: &[u8]) {
        let scope = open(out, FIRST, LENGTH_BYTES);
        for (tag, name) in &[(FIRST, "kinglet"), (SCOPE_VERSION, crate::VERSION)] {
            text(out, *tag, &Value::Raw(name.as_bytes()), usize::MAX);
        }
        attribute(
            out,
            SCOPE_ATTRIBUTES,
            super::BATCH_ID,
            &Value::Raw(batch_id),
            usize::MAX,
        );
        close(out, scope);
        // The scopes began behind the resource, whose length is known.
        let resource = Message::at(1 + LENGTH_BYTES, LENGTH_BYTES);
        let scopes = resource.content + length(out, resource);
        close(out, Message::at(scopes, LENGTH_BYTES));
        close(out, Message::at(0, LENGTH_BYTES));
    }
}

/// `severity_number` and `severity_text`, and how many bytes of it they are; none for 0.
fn severity_fields(severity: u8) -> ([u8; 9], usize) {
    let Some(&[n0, n1, n2, n3, n4]) = severity::padded_name(severity) else {
        return ([0; 9], 0);
    };
    let is_short = u8::from(n4 == b' ');
    let fields = [0x10, severity, 0x1a, 5 - is_short, n0, n1, n2, n3, n4];
    (fields, 9 - usize::from(is_short))
}

/// Writes a record up to its severity.
fn begin(out: &mut Vec<u8>, head: &Head<'_>) {
    open(out, SECOND, ITEM_LENGTH_BYTES);
    eight(out, TIME, head.time_unix_nano);
    eight(out, OBSERVED_TIME, head.observed_unix_nano);
    head.attributes(&mut |key, value| {
        attribute(out, ATTRIBUTES, key, value, usize::MAX);
    });
    if let Some(trace) = &head.trace {
        id(out, TRACE_ID, &trace.trace_id);
        id(out, SPAN_ID, &trace.span_id);
        if trace.sampled {
            out.extend_from_slice(SAMPLED);
        }
    }
}

/// An id from its lower-case hexadecimal digits. One of zeros is none.
fn id(out: &mut Vec<u8>, tag: u8, digits: &[u8]) {
    if digits.iter().all(|digit| *digit == b'0') {
        return;
    }
    out.extend_from_slice(&[tag, digits.len() as u8 / 2]);
    let mut byte = 0;
    for (place, digit) in digits.iter().enumerate() {
        // A letter has a bit that a digit has not: it counts from 9 on.
        byte = byte << 4 | ((digit & 15) + 9 * (digit >> 6));
        if place % 2 == 1 {
            out.push(byte);
        }
    }
}
