//! OTLP/HTTP with protobuf: `ExportLogsServiceRequest` and `ExportMetricsServiceRequest` (opentelemetry-proto 1.x), what every
//! receiver of OTLP reads.
//!
//! A nested message's length stands before it and is not known then. So bytes are kept free for it, as many as it should need,
//! and filled in with a varint that is padded to them: every decoder takes that, and OpenTelemetry's own .NET exporter does the
//! same with four bytes. Fields may come in any order: the scope stands behind the records, where the batch's id is known.

use super::{Encoded, Format, Head, Line, Value, push};
use crate::format::point::{BUCKETS_AT, COUNT_AT, Kind, MAX_AT, MIN_AT, Point, SUM_AT};
use crate::format::resource::Resource;
use crate::limits::BATCH_BYTES_MAX;
use crate::queue::signal::Signal;
use crate::sys::scan;
use crate::text::decimal;
use crate::text::double;
use crate::text::json;

pub struct Otlp;

/// Bytes of the lengths of a batch's resource, of its scope, and of what holds both.
const LENGTH_BYTES: usize = 3;
const _: () = assert!(BATCH_BYTES_MAX < 1 << (7 * LENGTH_BYTES));
/// Bytes of a record's or point's length. A longer one is moved when it is done: few are.
const ITEM_LENGTH_BYTES: usize = 2;

/// Where in a record its times stand, behind their tags.
const TIME_AT: usize = 1 + ITEM_LENGTH_BYTES + 1;
const OBSERVED_TIME_AT: usize = TIME_AT + 8 + 1;
/// What a template ends with: the length of the body, and the tag and length of its text.
const LINE_LENGTHS_BYTES: usize = 2 * ITEM_LENGTH_BYTES + 1;
/// A longer text goes the general way: with all else it must fit the two bytes of a record's length.
const LINE_BYTES_MAX: usize = (1 << (7 * ITEM_LENGTH_BYTES)) - 1024;

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
const BOOL_VALUE: u8 = 0x10;
const INT_VALUE: u8 = 0x18;
const DOUBLE_VALUE: u8 = 0x21;
const SCOPE_VERSION: u8 = 0x12;
const SCOPE_ATTRIBUTES: u8 = 0x1a;
const METRIC_UNIT: u8 = 0x1a;
const GAUGE: u8 = 0x2a;
const SUM: u8 = 0x3a;
const HISTOGRAM: u8 = 0x4a;
/// `aggregation_temporality` of a sum or histogram.
const TEMPORALITY: u8 = 0x10;
/// `is_monotonic` of a sum that is, whole.
const MONOTONIC: &[u8] = &[0x18, 1];
const POINT_START: u8 = 0x11;
const POINT_TIME: u8 = 0x19;
const AS_DOUBLE: u8 = 0x21;
const AS_INT: u8 = 0x31;
const NUMBER_ATTRIBUTES: u8 = 0x3a;
const HISTOGRAM_COUNT: u8 = 0x21;
const HISTOGRAM_SUM: u8 = 0x29;
const BUCKET_COUNTS: u8 = 0x32;
const EXPLICIT_BOUNDS: u8 = 0x3a;
const HISTOGRAM_ATTRIBUTES: u8 = 0x4a;
const HISTOGRAM_MIN: u8 = 0x59;
const HISTOGRAM_MAX: u8 = 0x61;

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

    /// Its body's length has as many bytes as the record's. The severity comes behind it.
    fn template(&self, out: &mut Vec<u8>, head: &Head<'_>) -> bool {
        begin(out, head);
        open(out, BODY, ITEM_LENGTH_BYTES);
        open(out, FIRST, ITEM_LENGTH_BYTES);
        true
    }

    fn line(&self, template: &[u8], line: Line<'_>, out: &mut [u8]) -> Option<Encoded> {
        let (start, rest) = out.split_at_mut_checked(template.len())?;
        start.copy_from_slice(template);
        *start.get_mut(TIME_AT..)?.first_chunk_mut()? = line.time_unix_nano.to_le_bytes();
        *start.get_mut(OBSERVED_TIME_AT..)?.first_chunk_mut()? =
            line.observed_unix_nano.to_le_bytes();
        let lengths = start.last_chunk_mut::<LINE_LENGTHS_BYTES>()?;
        let copied = scan::copy_plain(line.text, rest);
        let (body, behind) = rest.split_at_mut_checked(copied.written)?;
        if line.text.get(copied.taken) != Some(&b'"')
            || body.len() >= LINE_BYTES_MAX
            || !(copied.is_ascii || str::from_utf8(body).is_ok())
        {
            return None;
        }
        let severity = (line.severity)(line.text.get(..copied.taken)?)?;
        let [body_low, body_high] = two(body.len() + 1 + ITEM_LENGTH_BYTES);
        let [text_low, text_high] = two(body.len());
        *lengths = [body_low, body_high, FIRST, text_low, text_high];
        let (fields, bytes) = severity_fields(severity);
        *behind.first_chunk_mut()? = fields;
        let written = template.len() + body.len() + bytes;
        *out.get_mut(1..)?.first_chunk_mut()? = two(written - 1 - ITEM_LENGTH_BYTES);
        Some(Encoded {
            taken: copied.taken,
            written,
        })
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

    /// Each point is a metric of its own: receivers put together what has the same name.
    fn point(&self, out: &mut Vec<u8>, point: &Point<'_>) {
        let metric = open(out, SECOND, ITEM_LENGTH_BYTES);
        text(out, FIRST, &Value::Raw(point.name), usize::MAX);
        if !point.unit.is_empty() {
            text(out, METRIC_UNIT, &Value::Raw(point.unit), usize::MAX);
        }
        let data = match point.kind {
            Kind::Sum { .. } => SUM,
            Kind::Gauge | Kind::Set => GAUGE,
            Kind::Histogram(_) => HISTOGRAM,
        };
        let data = open(out, data, ITEM_LENGTH_BYTES);
        let data_point = open(out, FIRST, ITEM_LENGTH_BYTES);
        let temporality = point.temporality();
        if temporality.is_some() {
            eight(out, POINT_START, point.start_unix_nano);
        }
        eight(out, POINT_TIME, point.time_unix_nano);
        let attributes = values(out, point);
        for (key, value) in point.attributes() {
            attribute(out, attributes, key, &Value::Raw(value), usize::MAX);
        }
        close(out, data_point);
        if let Some(temporality) = temporality {
            out.extend_from_slice(&[TEMPORALITY, temporality as u8]);
        }
        if point.kind == (Kind::Sum { is_monotonic: true }) {
            out.extend_from_slice(MONOTONIC);
        }
        close(out, data);
        close(out, metric);
    }

    fn separator(&self) -> &'static [u8] {
        b""
    }

    fn end(&self, out: &mut Vec<u8>, batch_id: &[u8]) {
        let scope = open(out, FIRST, LENGTH_BYTES);
        for (tag, name) in [(FIRST, "kinglet"), (SCOPE_VERSION, crate::VERSION)] {
            text(out, tag, &Value::Raw(name.as_bytes()), usize::MAX);
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

/// A length in two bytes.
const fn two(length: usize) -> [u8; ITEM_LENGTH_BYTES] {
    [length as u8 | 128, (length >> 7) as u8 & 127]
}

/// `severity_number` and `severity_text`, and how many bytes of it they are; none for 0.
fn severity_fields(severity: u8) -> ([u8; 9], usize) {
    let (mut fields, bytes) = match severity {
        0 => return ([0; 9], 0),
        1..=4 => (*b"\x10\x01\x1a\x05TRACE", 9),
        5..=8 => (*b"\x10\x01\x1a\x05DEBUG", 9),
        9..=12 => (*b"\x10\x01\x1a\x04INFO\0", 8),
        13..=16 => (*b"\x10\x01\x1a\x04WARN\0", 8),
        17..=20 => (*b"\x10\x01\x1a\x05ERROR", 9),
        _ => (*b"\x10\x01\x1a\x05FATAL", 9),
    };
    let [_, number, ..] = &mut fields;
    *number = severity;
    (fields, bytes)
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

/// A nested message that has begun.
#[derive(Clone, Copy)]
struct Message {
    /// Where its content begins, behind its length.
    content: usize,
    length_bytes: usize,
}

impl Message {
    /// One whose tag stands there.
    const fn at(tag: usize, length_bytes: usize) -> Message {
        Message {
            content: tag + 1 + length_bytes,
            length_bytes,
        }
    }
}

/// Begins a nested message; [`close`] fills its length in. `length_bytes`: at most 4.
fn open(out: &mut Vec<u8>, tag: u8, length_bytes: usize) -> Message {
    let start = out.len();
    let bytes = [tag, 0, 0, 0, 0];
    out.extend_from_slice(bytes.get(..=length_bytes).unwrap_or(&bytes));
    Message::at(start, length_bytes)
}

/// Ends a message. One that is longer than was thought is moved to make room for its length.
fn close(out: &mut Vec<u8>, message: Message) {
    let Message {
        content,
        mut length_bytes,
    } = message;
    let length = out.len().saturating_sub(content);
    while length >> (7 * length_bytes) > 0 {
        length_bytes += 1;
        out.push(0);
        if let Some(moved) = out.get_mut(content..) {
            moved.rotate_right(1);
        }
    }
    let mut rest = length;
    let place = out
        .get_mut(content - message.length_bytes..)
        .unwrap_or_default();
    for (number, byte) in place.iter_mut().take(length_bytes).enumerate() {
        *byte = rest as u8 & 127 | if number + 1 < length_bytes { 128 } else { 0 };
        rest >>= 7;
    }
}

/// The length of a message that was closed.
fn length(out: &[u8], message: Message) -> usize {
    let bytes = out.get(message.content - message.length_bytes..message.content);
    let digits = bytes.unwrap_or_default().iter().rev();
    digits.fold(0, |length, byte| length << 7 | usize::from(byte & 127))
}

/// Bytes of a varint of this value, at most 4.
const fn length_bytes(value: usize) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

fn eight(out: &mut Vec<u8>, tag: u8, value: u64) {
    push(out, &[&[tag], &value.to_le_bytes()]);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 128 {
        out.push(value as u8 | 128);
        value >>= 7;
    }
    out.push(value as u8);
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

/// A string of at most `room` bytes. True if it was cut.
fn text(out: &mut Vec<u8>, tag: u8, value: &Value<'_>, room: usize) -> bool {
    let message = open(out, tag, length_bytes(value.bytes_max().min(room)));
    let is_cut = match *value {
        Value::Raw(raw) => json::append_unescaped(out, raw, room),
        Value::Text(text) | Value::Integer(text) | Value::Double(text) => {
            json::append_text(out, text, room)
        }
        Value::Boolean(_) => false,
    };
    close(out, message);
    is_cut
}

/// A `KeyValue` whose value takes at most `room` bytes. False, and nothing is written, if it does not fit.
fn attribute(out: &mut Vec<u8>, tag: u8, key: &[u8], value: &Value<'_>, room: usize) -> bool {
    let start = out.len();
    let value_bytes = value.bytes_max().max(10) + 1 + LENGTH_BYTES;
    let pair = open(
        out,
        tag,
        length_bytes(value_bytes + key.len() + 2 * LENGTH_BYTES),
    );
    text(out, FIRST, &Value::Raw(key), usize::MAX);
    let any_value = open(out, SECOND, length_bytes(value_bytes));
    let mut fits = room >= 10;
    match *value {
        Value::Integer(digits) => {
            out.push(INT_VALUE);
            varint(out, integer(digits));
        }
        Value::Double(digits) => eight(
            out,
            DOUBLE_VALUE,
            double::parse(digits).unwrap_or(0.0).to_bits(),
        ),
        Value::Boolean(value) => out.extend_from_slice(&[BOOL_VALUE, u8::from(value)]),
        Value::Raw(_) | Value::Text(_) => fits = !text(out, FIRST, value, room),
    }
    close(out, any_value);
    close(out, pair);
    if !fits {
        out.truncate(start);
    }
    fits
}

/// The bits of a 64-bit integer.
fn integer(digits: &[u8]) -> u64 {
    match digits.strip_prefix(b"-") {
        Some(digits) => decimal::parse(digits).unwrap_or(0).wrapping_neg(),
        None => decimal::parse(digits).unwrap_or(0),
    }
}

/// Writes the values of a point. The tag of its attributes.
fn values(out: &mut Vec<u8>, point: &Point<'_>) -> u8 {
    match point.kind {
        Kind::Sum { .. } | Kind::Gauge => eight(out, AS_DOUBLE, point.integer(0)),
        Kind::Set => eight(out, AS_INT, point.double(0) as u64),
        Kind::Histogram(bounds) => {
            for (tag, at) in [
                (HISTOGRAM_COUNT, COUNT_AT),
                (HISTOGRAM_SUM, SUM_AT),
                (HISTOGRAM_MIN, MIN_AT),
                (HISTOGRAM_MAX, MAX_AT),
            ] {
                eight(out, tag, point.integer(at));
            }
            let boundaries = bounds.boundaries();
            // At most 16 buckets of 8 bytes: 128 takes two bytes as a varint.
            out.push(BUCKET_COUNTS);
            varint(out, 8 * (boundaries.len() as u64 + 1));
            for number in 0..=boundaries.len() {
                out.extend_from_slice(&point.integer(BUCKETS_AT + number).to_le_bytes());
            }
            out.push(EXPLICIT_BOUNDS);
            varint(out, 8 * boundaries.len() as u64);
            for bound in boundaries {
                out.extend_from_slice(&bound.to_bits().to_le_bytes());
            }
            return HISTOGRAM_ATTRIBUTES;
        }
    }
    NUMBER_ATTRIBUTES
}
