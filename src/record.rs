//! One record as it lies in the ring: a compact form that every wire format can be written from.
//!
//! Text arrives as JSON and leaves as JSON, so the body, the attribute keys and the string values are kept as *raw string
//! content*: valid UTF-8, already escaped, without the quotes. Nothing is unescaped and escaped again on the way through.
//!
//! ```text
//! time u64 │ severity u8 │ flags u8 │ type length u8 │ request id length u8 │ body length u32 │ original bytes u32 │
//! dropped attributes u32 │ [trace id 32, span id 16] │ type │ request id │ body │ attribute*
//! attribute: kind u8 │ key length u16 │ value length u32 │ key │ value
//! ```

use crate::limits::{ATTRIBUTE_KEY_BYTES_MAX, ATTRIBUTES_MAX, REQUEST_ID_BYTES_MAX};

/// A request id (Lambda: a UUID), compared by its bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct RequestId {
    length: u8,
    bytes: [u8; REQUEST_ID_BYTES_MAX],
}

impl RequestId {
    /// The id in `text`; none if that is empty, longer than [`REQUEST_ID_BYTES_MAX`], or would need escaping in JSON.
    #[must_use]
    pub fn new(text: &[u8]) -> Option<RequestId> {
        let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'"' && *byte != b'\\';
        if text.is_empty() || !text.iter().all(is_plain) {
            return None;
        }
        let mut bytes = [0; REQUEST_ID_BYTES_MAX];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(RequestId {
            length: text.len() as u8,
            bytes,
        })
    }

    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes
            .get(..usize::from(self.length))
            .unwrap_or_default()
    }
}

/// Trace context of an invocation, in OpenTelemetry's form: lower-case hexadecimal text, ready to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trace {
    pub trace_id: [u8; 32],
    /// All `0` when unknown.
    pub span_id: [u8; 16],
    pub sampled: bool,
}

/// All of a record but its body and attributes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head<'a> {
    pub time_unix_nano: u64,
    /// OpenTelemetry's severity number, 1 to 24; 0 is unknown.
    pub severity: u8,
    /// The event type as Lambda names it (`function`, `platform.start` …), raw.
    pub event_type: &'a [u8],
    /// Empty when unknown.
    pub request_id: &'a [u8],
    pub trace: Option<Trace>,
    /// It belongs to the init phase or to the first invocation of this sandbox.
    pub coldstart: bool,
}

/// What kind of value an attribute has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
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
    pub kind: Kind,
    pub key: &'a [u8],
    pub value: &'a [u8],
}

/// A record read back from the ring.
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
const TRACE_BYTES: usize = 48;
const ATTRIBUTE_FIXED_BYTES: usize = 7;

/// Writes one record after the other into the same memory.
pub struct Writer {
    bytes: Vec<u8>,
    bytes_max: usize,
    body_at: usize,
    attributes: u32,
    dropped_attributes: u32,
    original_bytes: u32,
}

impl Writer {
    /// `bytes_max`: longest record, see [`crate::limits::record_bytes_max`]. Memory is taken as it is needed.
    #[must_use]
    pub const fn new(bytes_max: usize) -> Writer {
        Writer {
            bytes: Vec::new(),
            bytes_max,
            body_at: 0,
            attributes: 0,
            dropped_attributes: 0,
            original_bytes: 0,
        }
    }

    /// Begins a record. The body follows: push it with [`Writer::body`], then call [`Writer::end_body`].
    pub fn begin(&mut self, head: &Head<'_>) {
        (
            self.attributes,
            self.dropped_attributes,
            self.original_bytes,
        ) = (0, 0, 0);
        let mut flags = if head.coldstart { COLDSTART } else { 0 };
        if let Some(trace) = &head.trace {
            flags |= TRACE | if trace.sampled { SAMPLED } else { 0 };
        }
        // The intake bounds both lengths to 64.
        let facts = [
            head.severity,
            flags,
            head.event_type.len() as u8,
            head.request_id.len() as u8,
        ];
        // Put together first: an append costs more than the bytes that it copies.
        let mut start = [0; FIXED_BYTES + TRACE_BYTES];
        let (fixed, ids) = start.split_at_mut(FIXED_BYTES);
        let (time, rest) = fixed.split_at_mut(8);
        time.copy_from_slice(&head.time_unix_nano.to_le_bytes());
        if let Some(place) = rest.first_chunk_mut() {
            *place = facts;
        }
        let mut bytes = FIXED_BYTES;
        if let Some(trace) = &head.trace {
            let (trace_id, span_id) = ids.split_at_mut(trace.trace_id.len());
            trace_id.copy_from_slice(&trace.trace_id);
            span_id.copy_from_slice(&trace.span_id);
            bytes += TRACE_BYTES;
        }
        let out = &mut self.bytes;
        out.clear();
        out.extend_from_slice(start.get(..bytes).unwrap_or(&start));
        out.extend_from_slice(head.event_type);
        out.extend_from_slice(head.request_id);
        self.body_at = out.len();
    }

    /// Where the body's raw string content is appended; at most [`Writer::room`] bytes of it.
    pub const fn body(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Bytes that can still be appended to this record.
    #[must_use]
    pub const fn room(&self) -> usize {
        self.bytes_max.saturating_sub(self.bytes.len())
    }

    /// The body is complete. `original_bytes`: how long the value was on the wire if it was cut, else 0.
    pub fn end_body(&mut self, original_bytes: usize) {
        self.original_bytes = u32::try_from(original_bytes).unwrap_or(u32::MAX);
        let length = (self.bytes.len() - self.body_at) as u32;
        self.patch(BODY_LENGTH_AT, length);
    }

    /// Appends an attribute whose value is ready. One that is too many or too long, or whose key is empty (OpenTelemetry
    /// allows none) or that of one before, is counted as dropped.
    pub fn attribute(&mut self, kind: Kind, key: &[u8], value: &[u8]) {
        self.attribute_with(kind, key, &mut |out, room| {
            let fits = value.len() <= room;
            if fits {
                out.extend_from_slice(value);
            }
            fits
        });
    }

    /// As [`Writer::attribute`]; `write` appends the value, at most so many bytes, and says whether it is whole.
    pub fn attribute_with(
        &mut self,
        kind: Kind,
        key: &[u8],
        write: &mut dyn FnMut(&mut Vec<u8>, usize) -> bool,
    ) {
        let start = self.bytes.len();
        let room = self
            .room()
            .saturating_sub(ATTRIBUTE_FIXED_BYTES + key.len());
        if self.attributes >= ATTRIBUTES_MAX
            || key.is_empty()
            || key.len() > ATTRIBUTE_KEY_BYTES_MAX
            || room == 0
            || self.has_attribute(key)
        {
            self.dropped_attributes += 1;
            return;
        }
        self.bytes.push(kind as u8);
        self.bytes
            .extend_from_slice(&(key.len() as u16).to_le_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        self.bytes.extend_from_slice(key);
        let value_at = self.bytes.len();
        if write(&mut self.bytes, room) {
            self.attributes += 1;
            let length = (self.bytes.len() - value_at) as u32;
            self.patch(start + 3, length);
        } else {
            self.bytes.truncate(start);
            self.dropped_attributes += 1;
        }
    }

    /// The body was cut.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.original_bytes > 0
    }

    /// The finished record.
    pub fn finish(&mut self) -> &[u8] {
        self.patch(BODY_LENGTH_AT + 4, self.original_bytes);
        self.patch(BODY_LENGTH_AT + 8, self.dropped_attributes);
        &self.bytes
    }

    /// OpenTelemetry wants attribute keys to be unique; the first of a name stays.
    fn has_attribute(&self, key: &[u8]) -> bool {
        Record::read(&self.bytes)
            .is_some_and(|record| record.attributes().any(|other| other.key == key))
    }

    fn patch(&mut self, at: usize, value: u32) {
        if let Some(place) = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *place = value.to_le_bytes();
        }
    }
}

impl<'a> Record<'a> {
    /// Reads what a [`Writer`] wrote; `None` if it is not that.
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
            0 => Kind::String,
            1 => Kind::Integer,
            2 => Kind::Double,
            _ => Kind::Boolean,
        };
        Some(Attribute { kind, key, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head<'static> {
        Head {
            time_unix_nano: 1_795_264_503_120_000_000,
            severity: 9,
            event_type: b"function",
            request_id: b"7c0f3a4e-51a2-4d55-9a7e-0d4f2f6f2b11",
            trace: Some(Trace {
                trace_id: [b'1'; 32],
                span_id: [b'2'; 16],
                sampled: true,
            }),
            coldstart: true,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::new(1000);
        for trace in [head().trace, None] {
            writer.begin(&Head { trace, ..head() });
            writer.body().extend_from_slice(b"hello\\n");
            writer.end_body(12_345);
            writer.attribute(Kind::Integer, b"order", b"17");
            writer.attribute(Kind::String, b"order", b"a second of that name");
            writer.attribute(Kind::Boolean, b"paid", b"true");
            let record = Record::read(writer.finish()).unwrap();
            assert_eq!(record.head, Head { trace, ..head() });
            assert_eq!(record.body, b"hello\\n");
            assert_eq!(
                (record.original_bytes, record.dropped_attributes),
                (12_345, 1)
            );
            let attributes: Vec<_> = record.attributes().collect();
            assert_eq!(
                attributes,
                [
                    Attribute {
                        kind: Kind::Integer,
                        key: b"order",
                        value: b"17"
                    },
                    Attribute {
                        kind: Kind::Boolean,
                        key: b"paid",
                        value: b"true"
                    },
                ]
            );
        }
    }

    #[test]
    fn attributes_are_bounded_in_number_and_bytes() {
        let mut writer = Writer::new(2000);
        writer.begin(&head());
        writer.end_body(0);
        for number in 0..200 {
            writer.attribute(Kind::Integer, format!("k{number}").as_bytes(), b"1");
        }
        writer.attribute(Kind::String, b"long", &[b'x'; 3000]);
        writer.attribute(Kind::String, &[b'k'; 300], b"v");
        writer.attribute(Kind::String, b"", b"v");
        let bytes = writer.finish();
        assert!(bytes.len() <= 2000);
        let record = Record::read(bytes).unwrap();
        assert_eq!(record.attributes().count() as u32, ATTRIBUTES_MAX);
        assert_eq!(record.dropped_attributes, 200 - ATTRIBUTES_MAX + 3);
    }

    #[test]
    fn a_request_id_is_plain_text() {
        assert_eq!(
            RequestId::new(b"abc").as_ref().map(RequestId::as_bytes),
            Some(b"abc".as_slice())
        );
        for wrong in [b"".as_slice(), b"a b", b"a\"b", b"a\\b", &[b'x'; 65]] {
            assert_eq!(RequestId::new(wrong), None);
        }
    }
}
