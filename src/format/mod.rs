//! Wire formats: how a record or a point becomes bytes that are ready to be sent, and what stands around them in the body of a
//! POST. A format is one file, and one line in [`FORMATS`].
//!
//! What is encoded is complete by itself: a batch is what [`Format::begin`] writes, frames with a separator between them, and what
//! [`Format::end`] writes.

pub mod bounds;
#[cfg(feature = "json")]
mod json_values;
pub mod judgement;
#[cfg(feature = "json")]
pub mod ndjson;
pub mod otlp;
#[cfg(feature = "json")]
pub mod otlp_json;
pub mod point;
pub mod resource;
pub mod severity;

use crate::format::judgement::Judgement;
use crate::format::point::Point;
use crate::format::resource::Resource;
use crate::queue::signal::Signal;

/// Trace context of an invocation, in OpenTelemetry's form: lower-case hexadecimal text, ready to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trace {
    pub trace_id: [u8; 32],
    /// All `0` when unknown.
    pub span_id: [u8; 16],
    pub sampled: bool,
}

/// All of a record but its body and the attributes of its own.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    pub time_unix_nano: u64,
    /// When it was received.
    pub observed_unix_nano: u64,
    /// OpenTelemetry's severity number, 1 to 24; 0 is unknown.
    pub severity: u8,
    /// The event type as Lambda names it (`function`, `platform.start` …), raw.
    pub event_type: &'a [u8],
    /// Empty when unknown.
    pub request_id: &'a [u8],
    pub trace: Option<&'a Trace>,
    /// It belongs to the init phase or to the first invocation of this sandbox.
    pub coldstart: bool,
    pub resource: &'a Resource,
}

/// A text that is encoded.
pub struct Encoded {
    /// Bytes of the string content that it was, without the quote.
    pub taken: usize,
    /// Bytes that were written.
    pub written: usize,
}

/// A text, or the value of an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// Raw string content of JSON, without the quotes.
    Raw(&'a [u8]),
    /// Text as it is.
    Text(&'a [u8]),
    /// The text of a JSON integer within 64 bits (signed).
    Integer(&'a [u8]),
    /// The text of any other JSON number that a double can hold.
    Double(&'a [u8]),
    Boolean(bool),
}

/// A wire format.
pub trait Format: Sync {
    /// Value of `KINGLET_FORMAT`.
    fn name(&self) -> &'static str;
    /// Value of `Content-Type`.
    fn content_type(&self) -> &'static str;
    /// What is appended to the endpoint for batches of this signal; empty if the endpoint is the whole URL.
    fn path(&self, signal: Signal) -> &'static str;
    /// Begins a record and writes its body, at most `room` bytes of it. True if it was cut.
    fn record(&self, out: &mut Vec<u8>, head: &Head<'_>, body: &Value<'_>, room: usize) -> bool;
    /// Adds an attribute to the record; its value takes at most `room` bytes. `key`: raw string content. False, and nothing is
    /// written, if it does not fit.
    fn attribute(&self, out: &mut Vec<u8>, key: &[u8], value: &Value<'_>, room: usize) -> bool;
    /// Ends the record that has begun at `start`; so many of its attributes were left out.
    fn end_record(&self, out: &mut Vec<u8>, start: usize, head: &Head<'_>, dropped: u32);
    /// How it writes a record where it will stay, if it can.
    fn in_place(&self) -> Option<&dyn InPlace> {
        None
    }
    /// Writes a data point of a metric.
    fn point(&self, out: &mut Vec<u8>, point: &Point<'_>);
    /// Writes what comes before the first record or point.
    fn begin(&self, out: &mut Vec<u8>, resource: &Resource, signal: Signal);
    /// What stands between two records or points.
    fn separator(&self) -> &'static [u8];
    /// Writes what comes after the last one, at most [`crate::limits::BATCH_END_BYTES_MAX`]. `batch_id`: plain text by which
    /// a collector can recognise a batch that is repeated; also the value of the header `Idempotency-Key`.
    fn end(&self, out: &mut Vec<u8>, batch_id: &[u8]);
    /// What the collector's answer to a batch means: its status, and its body up to [`crate::limits::ANSWER_BYTES_MAX`].
    fn judge(&self, status: u16, body: &[u8]) -> Judgement {
        Judgement::of(status, body)
    }
}

/// A format that can write a record into the place where it will stay, read once and written once. What gives `None` has met
/// something unusual, or has no room; the general way takes all.
pub trait InPlace: Sync {
    /// Writes all of a record that does not change from one plain line of an invocation to the next. `head`: without a severity.
    fn template(&self, out: &mut Vec<u8>, head: &Head<'_>);
    /// Writes the string content of JSON that `text` begins with: as the value of an attribute, or, where `key` is empty, as the
    /// body. `key`: at most 64 bytes of plain text.
    fn text(&self, key: &[u8], text: &[u8], out: &mut [u8]) -> Option<Encoded>;
    /// Writes an attribute that is a number or a boolean. Returns how many bytes.
    fn scalar(&self, key: &[u8], value: &Value<'_>, out: &mut [u8]) -> Option<usize>;
    /// Ends the record that has begun with a template, and has so many bytes. Returns how many it has in all.
    fn end(&self, record: &mut [u8], written: usize, times: Times, severity: u8) -> Option<usize>;
}

/// When something was, and when it was received.
#[derive(Clone, Copy)]
pub struct Times {
    pub time_unix_nano: u64,
    pub observed_unix_nano: u64,
}

/// All formats, the default first.
pub const FORMATS: [&dyn Format; 1 + 2 * cfg!(feature = "json") as usize] = [
    &otlp::Otlp,
    #[cfg(feature = "json")]
    &otlp_json::OtlpJson,
    #[cfg(feature = "json")]
    &ndjson::NdJson,
];

/// The event type of the function's own lines.
pub const FUNCTION: &[u8] = b"function";

// What kinglet itself says of a record, and of a batch.
const INVOCATION_ID: &[u8] = b"faas.invocation_id";
const EVENT_TYPE: &[u8] = b"aws.lambda.event.type";
const COLDSTART: &[u8] = b"faas.coldstart";
pub const ORIGINAL_BYTES: &[u8] = b"kinglet.original_bytes";
const BATCH_ID: &[u8] = b"kinglet.batch.id";

/// The names that kinglet gives to attributes of records.
pub const OWN_KEYS: [&[u8]; 4] = [INVOCATION_ID, EVENT_TYPE, COLDSTART, ORIGINAL_BYTES];

/// Whether an attribute has a name that kinglet gives: keys must be unique, so the function has none of that name.
#[must_use]
pub fn is_own(key: &[u8]) -> bool {
    OWN_KEYS.contains(&key)
}

impl Head<'_> {
    /// Gives the attributes that OTLP has for what the head says. A plain line of the function has no event type: nearly all records
    /// are that.
    fn attributes(&self, put: &mut dyn FnMut(&[u8], &Value<'_>)) {
        let event_type: &[u8] = if self.event_type == FUNCTION {
            b""
        } else {
            self.event_type
        };
        for &(key, text) in &[(INVOCATION_ID, self.request_id), (EVENT_TYPE, event_type)] {
            if !text.is_empty() {
                put(key, &Value::Raw(text));
            }
        }
        if self.coldstart {
            put(COLDSTART, &Value::Boolean(true));
        }
    }
}

impl Value<'_> {
    /// Most bytes that its text takes, if it is valid UTF-8.
    const fn bytes_max(&self) -> usize {
        match self {
            Value::Raw(text) | Value::Text(text) | Value::Integer(text) | Value::Double(text) => {
                text.len()
            }
            Value::Boolean(_) => 0,
        }
    }
}

/// OTLP/HTTP's paths.
const fn otlp_path(signal: Signal) -> &'static str {
    match signal {
        Signal::Log => "/v1/logs",
        Signal::Metric => "/v1/metrics",
    }
}

#[cfg(test)]
#[cfg(feature = "json")]
mod tests;
