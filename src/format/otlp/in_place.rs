//! Records that are written where they stay.

use super::message::scalar;
use super::{ATTRIBUTES, BODY, FIRST, ITEM_LENGTH_BYTES, Otlp, SECOND, begin, severity_fields};
use crate::format::{Encoded, Head, InPlace, Times, Value};
use crate::limits::{RECORD_OVERHEAD_BYTES_MAX, RING_BYTES_MIN, record_bytes_max};
use crate::sys::scan;

/// Where in a record its times stand, behind their tags.
const TIME_AT: usize = 1 + ITEM_LENGTH_BYTES + 1;
const OBSERVED_TIME_AT: usize = TIME_AT + 8 + 1;
/// What the two bytes of a record's length can tell.
const RECORD_BYTES_MAX: usize = (1 << (7 * ITEM_LENGTH_BYTES)) - 1;
/// A longer text or record goes the general way, which keeps all of what is no longer even in the smallest ring.
const PLAIN_BYTES_MAX: usize = record_bytes_max(RING_BYTES_MIN) - RECORD_OVERHEAD_BYTES_MAX;
const _: () = assert!(PLAIN_BYTES_MAX <= RECORD_BYTES_MAX);

impl InPlace for Otlp {
    fn template(&self, out: &mut Vec<u8>, head: &Head<'_>) {
        begin(out, head);
    }

    fn text(&self, key: &[u8], text: &[u8], out: &mut [u8]) -> Option<Encoded> {
        if key.is_empty() {
            body(text, out)
        } else {
            attribute(key, text, 1, out).or_else(|| attribute(key, text, 2, out))
        }
    }

    fn scalar(&self, key: &[u8], value: &Value<'_>, out: &mut [u8]) -> Option<usize> {
        let (value, value_bytes) = scalar(value)?;
        let head_bytes = 4 + key.len();
        let (head, rest) = out.split_at_mut_checked(head_bytes)?;
        put(head, ATTRIBUTES, 2 + key.len() + 2 + value_bytes, 1);
        put_key(head.get_mut(2..)?, key)?;
        let (lengths, rest) = rest.split_first_chunk_mut::<2>()?;
        put(lengths, SECOND, value_bytes, 1);
        *rest.first_chunk_mut()? = value;
        Some(head_bytes + 2 + value_bytes)
    }

    fn end(&self, record: &mut [u8], written: usize, times: Times, severity: u8) -> Option<usize> {
        let (fields, bytes) = severity_fields(severity);
        *record.get_mut(written..)?.first_chunk_mut()? = fields;
        let written = written + bytes;
        let length = written - 1 - ITEM_LENGTH_BYTES;
        *record.get_mut(TIME_AT..)?.first_chunk_mut()? = times.time_unix_nano.to_le_bytes();
        *record.get_mut(OBSERVED_TIME_AT..)?.first_chunk_mut()? =
            times.observed_unix_nano.to_le_bytes();
        put(record, SECOND, length, ITEM_LENGTH_BYTES);
        (length <= PLAIN_BYTES_MAX).then_some(written)
    }
}

/// The body: mostly long, so its lengths have two bytes.
fn body(text: &[u8], out: &mut [u8]) -> Option<Encoded> {
    let (lengths, place) = out.split_first_chunk_mut()?;
    let copied = scan::copy_plain(text, place);
    let bytes = content(text, place, copied)?;
    let [body_low, body_high] = two(bytes + 1 + ITEM_LENGTH_BYTES);
    let [text_low, text_high] = two(bytes);
    *lengths = [BODY, body_low, body_high, FIRST, text_low, text_high];
    Some(Encoded {
        taken: copied.taken,
        written: lengths.len() + bytes,
    })
}

/// An attribute, mostly short; how long shows only when it is written. `None` too if it is too long for so many bytes of length.
fn attribute(key: &[u8], text: &[u8], length_bytes: usize, out: &mut [u8]) -> Option<Encoded> {
    let head_bytes = 3 + length_bytes + key.len();
    let (head, rest) = out.split_at_mut_checked(head_bytes)?;
    let (lengths, place) = rest.split_at_mut_checked(2 + 2 * length_bytes)?;
    let copied = scan::copy_plain(text, place);
    let bytes = content(text, place, copied)?;
    let value_bytes = 1 + length_bytes + bytes;
    let pair_bytes = 2 + key.len() + 1 + length_bytes + value_bytes;
    if pair_bytes >> (7 * length_bytes) > 0 {
        return None;
    }
    put(lengths, SECOND, value_bytes, length_bytes);
    put(
        lengths.get_mut(1 + length_bytes..)?,
        FIRST,
        bytes,
        length_bytes,
    );
    put(head, ATTRIBUTES, pair_bytes, length_bytes);
    put_key(head.get_mut(1 + length_bytes..)?, key)?;
    Some(Encoded {
        taken: copied.taken,
        written: head_bytes + lengths.len() + bytes,
    })
}

/// How long the text is that was copied, if that was all of it, and it is UTF-8.
#[inline]
fn content(text: &[u8], place: &[u8], copied: scan::Copied) -> Option<usize> {
    let is_whole = text.get(copied.taken) == Some(&b'"') && copied.written < PLAIN_BYTES_MAX;
    let is_text = copied.is_ascii || str::from_utf8(place.get(..copied.written)?).is_ok();
    (is_whole && is_text).then_some(copied.written)
}

/// A length in two bytes.
const fn two(length: usize) -> [u8; ITEM_LENGTH_BYTES] {
    [length as u8 | 128, (length >> 7) as u8 & 127]
}

/// A tag, and a length in one or two bytes.
fn put(place: &mut [u8], tag: u8, length: usize, length_bytes: usize) {
    if let (2, [a, b, c, ..]) = (length_bytes, &mut *place) {
        [*b, *c] = two(length);
        *a = tag;
    } else if let [a, b, ..] = place {
        (*a, *b) = (tag, length as u8);
    }
}

/// The key of an attribute, of less than 128 bytes.
fn put_key(place: &mut [u8], key: &[u8]) -> Option<()> {
    let (lengths, place) = place.split_first_chunk_mut::<2>()?;
    put(lengths, FIRST, key.len(), 1);
    place.get_mut(..key.len())?.copy_from_slice(key);
    Some(())
}
