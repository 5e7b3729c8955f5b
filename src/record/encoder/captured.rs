//! For tests: a format whose records can be read back, so that tests of what a record says need not know how it is sent.
//!
//! ```text
//! time u64 │ severity u8 │ flags u8 │ type length u8 │ request id length u8 │ body length u32 │ dropped attributes u32 │
//! [trace id 32, span id 16] │ type │ request id │ body │ attribute*
//! attribute: kind u8 │ key length u16 │ value length u32 │ key │ value
//! ```
//!
//! Texts are raw string content of JSON.

use crate::format::Trace;
use crate::format::point::Point;
use crate::format::resource::Resource;
use crate::format::{Format, Head as FormatHead, ORIGINAL_BYTES, Value};
use crate::queue::signal::Signal;
use crate::text::json;

/// The head of a record, without what a format knows besides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head<'a> {
    pub time_unix_nano: u64,
    pub severity: u8,
    pub event_type: &'a [u8],
    pub request_id: &'a [u8],
    pub trace: Option<Trace>,
    pub coldstart: bool,
}

/// What kind of value an attribute has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ValueKind {
    /// Raw string content.
    String,
    /// The text of a JSON integer within 64 bits (signed).
    Integer,
    /// The text of any other JSON number that a double can hold.
    Double,
    /// `true` or `false`.
    Boolean,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribute<'a> {
    pub kind: ValueKind,
    pub key: &'a [u8],
    pub value: &'a [u8],
}

/// A record read back.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub head: Head<'a>,
    /// Raw string content.
    pub body: &'a [u8],
    /// Length of the value on the wire, in bytes, if it was cut; else 0.
    pub original_bytes: u32,
    pub dropped_attributes: u32,
    attributes: &'a [u8],
}

const COLDSTART: u8 = 1;
const TRACE: u8 = 2;
const SAMPLED: u8 = 4;
const BODY_LENGTH_AT: usize = 12;
const FIXED_BYTES: usize = 24;
const ATTRIBUTE_FIXED_BYTES: usize = 7;

/// The format.
pub struct Captured;

impl Format for Captured {
    fn name(&self) -> &'static str {
        "captured"
    }

    fn content_type(&self) -> &'static str {
        ""
    }

    fn path(&self, _signal: Signal) -> &'static str {
        ""
    }

    fn record(
        &self,
        out: &mut Vec<u8>,
        head: &FormatHead<'_>,
        body: &Value<'_>,
        room: usize,
    ) -> bool {
        let mut flags = if head.coldstart { COLDSTART } else { 0 };
        if let Some(trace) = head.trace {
            flags |= TRACE | if trace.sampled { SAMPLED } else { 0 };
        }
        out.extend_from_slice(&head.time_unix_nano.to_le_bytes());
        out.extend_from_slice(&[
            head.severity,
            flags,
            head.event_type.len() as u8,
            head.request_id.len() as u8,
        ]);
        out.extend_from_slice(&[0; FIXED_BYTES - BODY_LENGTH_AT]);
        if let Some(trace) = head.trace {
            out.extend_from_slice(&trace.trace_id);
            out.extend_from_slice(&trace.span_id);
        }
        out.extend_from_slice(head.event_type);
        out.extend_from_slice(head.request_id);
        let body_at = out.len();
        let is_cut = append(out, body, room);
        let length = (out.len() - body_at) as u32;
        out[BODY_LENGTH_AT..BODY_LENGTH_AT + 4].copy_from_slice(&length.to_le_bytes());
        is_cut
    }

    fn attribute(&self, out: &mut Vec<u8>, key: &[u8], value: &Value<'_>, room: usize) -> bool {
        if key == ORIGINAL_BYTES {
            let mut text = Vec::new();
            append(&mut text, value, room);
            let bytes: u32 = str::from_utf8(&text).unwrap().parse().unwrap();
            out[BODY_LENGTH_AT + 4..BODY_LENGTH_AT + 8].copy_from_slice(&bytes.to_le_bytes());
            return true;
        }
        let kind = match value {
            Value::Raw(_) | Value::Text(_) => ValueKind::String,
            Value::Integer(_) => ValueKind::Integer,
            Value::Double(_) => ValueKind::Double,
            Value::Boolean(_) => ValueKind::Boolean,
        };
        let start = out.len();
        out.push(kind as u8);
        out.extend_from_slice(&(key.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(key);
        let value_at = out.len();
        let is_cut = append(out, value, room);
        let length = (out.len() - value_at) as u32;
        out[start + 3..start + 7].copy_from_slice(&length.to_le_bytes());
        if is_cut {
            out.truncate(start);
        }
        !is_cut
    }

    fn end_record(&self, out: &mut Vec<u8>, start: usize, _head: &FormatHead<'_>, dropped: u32) {
        let at = start + BODY_LENGTH_AT + 8;
        out[at..at + 4].copy_from_slice(&dropped.to_le_bytes());
    }

    fn point(&self, _out: &mut Vec<u8>, _point: &Point<'_>) {
        unimplemented!("points are read back from what a table drains");
    }

    fn begin(&self, _out: &mut Vec<u8>, _resource: &Resource, _signal: Signal) {}

    fn separator(&self) -> &'static [u8] {
        b""
    }

    fn end(&self, _out: &mut Vec<u8>, _batch_id: &[u8]) {}
}

fn append(out: &mut Vec<u8>, value: &Value<'_>, room: usize) -> bool {
    match *value {
        Value::Raw(raw) => json::append_raw_string(out, raw, room),
        Value::Text(text) => json::append_escaped(out, text, room),
        Value::Integer(text) | Value::Double(text) => json::append_escaped(out, text, room),
        Value::Boolean(true) => json::append_escaped(out, b"true", room),
        Value::Boolean(false) => json::append_escaped(out, b"false", room),
    }
}

impl<'a> Record<'a> {
    /// Reads what [`Captured`] wrote; `None` if it is not that.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Record<'a>> {
        let (fixed, rest) = bytes.split_first_chunk::<FIXED_BYTES>()?;
        let (time, fixed) = fixed.split_first_chunk::<8>()?;
        let ([severity, flags, type_bytes, id_bytes], fixed) = fixed.split_first_chunk::<4>()?;
        let (body_bytes, fixed) = fixed.split_first_chunk::<4>()?;
        let (original_bytes, fixed) = fixed.split_first_chunk::<4>()?;
        let (dropped_attributes, _) = fixed.split_first_chunk::<4>()?;
        let (trace, rest) = if flags & TRACE == 0 {
            (None, rest)
        } else {
            let (trace_id, rest) = rest.split_first_chunk()?;
            let (span_id, rest) = rest.split_first_chunk()?;
            let trace = Trace {
                trace_id: *trace_id,
                span_id: *span_id,
                sampled: flags & SAMPLED != 0,
            };
            (Some(trace), rest)
        };
        let (event_type, rest) = rest.split_at_checked(usize::from(*type_bytes))?;
        let (request_id, rest) = rest.split_at_checked(usize::from(*id_bytes))?;
        let (body, attributes) = rest.split_at_checked(u32::from_le_bytes(*body_bytes) as usize)?;
        Some(Record {
            head: Head {
                time_unix_nano: u64::from_le_bytes(*time),
                severity: *severity,
                event_type,
                request_id,
                trace,
                coldstart: flags & COLDSTART != 0,
            },
            body,
            original_bytes: u32::from_le_bytes(*original_bytes),
            dropped_attributes: u32::from_le_bytes(*dropped_attributes),
            attributes,
        })
    }

    #[must_use]
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes {
            bytes: self.attributes,
        }
    }
}

/// The attributes of a record, in the order of the function's object.
pub struct Attributes<'a> {
    bytes: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Attribute<'a>> {
        let ([kind, k0, k1, v0, v1, v2, v3], rest) =
            self.bytes.split_first_chunk::<ATTRIBUTE_FIXED_BYTES>()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([*k0, *k1])))?;
        let (value, rest) =
            rest.split_at_checked(u32::from_le_bytes([*v0, *v1, *v2, *v3]) as usize)?;
        self.bytes = rest;
        let kind = match kind {
            0 => ValueKind::String,
            1 => ValueKind::Integer,
            2 => ValueKind::Double,
            _ => ValueKind::Boolean,
        };
        Some(Attribute { kind, key, value })
    }
}
