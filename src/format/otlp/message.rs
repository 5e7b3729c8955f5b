//! What protobuf's messages are made of.

use super::{FIRST, LENGTH_BYTES, SECOND};
use crate::format::Value;
use crate::text::decimal;
use crate::text::double;
use crate::text::json;

const BOOL_VALUE: u8 = 0x10;
const INT_VALUE: u8 = 0x18;
const DOUBLE_VALUE: u8 = 0x21;

/// A nested message that has begun.
#[derive(Clone, Copy)]
pub(super) struct Message {
    /// Where its content begins, behind its length.
    pub(super) content: usize,
    length_bytes: usize,
}

impl Message {
    /// One whose tag stands there.
    pub(super) const fn at(tag: usize, length_bytes: usize) -> Message {
        Message {
            content: tag + 1 + length_bytes,
            length_bytes,
        }
    }
}

/// Begins a nested message; [`close`] fills its length in. `length_bytes`: at most 4.
pub(super) fn open(out: &mut Vec<u8>, tag: u8, length_bytes: usize) -> Message {
    let start = out.len();
    let bytes = [tag, 0, 0, 0, 0];
    out.extend_from_slice(bytes.get(..=length_bytes).unwrap_or(&bytes));
    Message::at(start, length_bytes)
}

/// Ends a message. One that is longer than was thought is moved to make room for its length.
pub(super) fn close(out: &mut Vec<u8>, message: Message) {
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
pub(super) fn length(out: &[u8], message: Message) -> usize {
    let bytes = out.get(message.content - message.length_bytes..message.content);
    let digits = bytes.unwrap_or_default().iter().rev();
    digits.fold(0, |length, byte| length << 7 | usize::from(byte & 127))
}

/// Bytes of a varint of this value, at most 4.
pub(super) const fn length_bytes(value: usize) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}

pub(super) fn eight(out: &mut Vec<u8>, tag: u8, value: u64) {
    out.push(tag);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Longest varint of 64 bits.
const VARINT_BYTES_MAX: usize = 10;

pub(super) fn varint(out: &mut Vec<u8>, value: u64) {
    let (digits, bytes) = digits(value);
    out.extend_from_slice(digits.get(..bytes).unwrap_or_default());
}

/// A varint, and how many bytes it has.
fn digits(mut value: u64) -> ([u8; VARINT_BYTES_MAX], usize) {
    let mut digits = [0; VARINT_BYTES_MAX];
    let mut bytes = 0;
    for digit in &mut digits {
        bytes += 1;
        *digit = value as u8 & 127;
        value >>= 7;
        if value == 0 {
            break;
        }
        *digit |= 128;
    }
    (digits, bytes)
}

/// A string of at most `room` bytes. True if it was cut.
pub(super) fn text(out: &mut Vec<u8>, tag: u8, value: &Value<'_>, room: usize) -> bool {
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
pub(super) fn attribute(
    out: &mut Vec<u8>,
    tag: u8,
    key: &[u8],
    value: &Value<'_>,
    room: usize,
) -> bool {
    let start = out.len();
    let value_bytes = value.bytes_max().max(10) + 1 + LENGTH_BYTES;
    let pair = open(
        out,
        tag,
        length_bytes(value_bytes + key.len() + 2 * LENGTH_BYTES),
    );
    text(out, FIRST, &Value::Raw(key), usize::MAX);
    let any_value = open(out, SECOND, length_bytes(value_bytes));
    let fits = match scalar(value) {
        Some((bytes, length)) => {
            out.extend_from_slice(bytes.get(..length).unwrap_or_default());
            room >= 10
        }
        None => room >= 10 && !text(out, FIRST, value, room),
    };
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

/// Longest [`scalar`]: a tag, and a varint.
pub(super) const SCALAR_BYTES_MAX: usize = 1 + VARINT_BYTES_MAX;

/// The value of an attribute that is not a text, and how many bytes it has.
pub(super) fn scalar(value: &Value<'_>) -> Option<([u8; SCALAR_BYTES_MAX], usize)> {
    let (tag, (content, bytes)) = match *value {
        Value::Integer(text) => (INT_VALUE, digits(integer(text))),
        Value::Boolean(value) => (BOOL_VALUE, digits(u64::from(value))),
        Value::Double(text) => {
            let [a, b, c, d, e, f, g, h] = double::parse(text).unwrap_or(0.0).to_le_bytes();
            (DOUBLE_VALUE, ([a, b, c, d, e, f, g, h, 0, 0], 8))
        }
        Value::Raw(_) | Value::Text(_) => return None,
    };
    let mut scalar = [0; SCALAR_BYTES_MAX];
    let [first, rest @ ..] = &mut scalar;
    *first = tag;
    *rest = content;
    Some((scalar, 1 + bytes))
}
