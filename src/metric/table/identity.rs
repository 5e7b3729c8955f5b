//! The identity of a series: all of a measurement that is no value, in one piece of bytes, so that two measurements belong
//! together exactly if their identities are equal. Its form is that of a point.

use crate::format::point::{ATTRIBUTE_FIXED_BYTES, IDENTITY_FIXED_BYTES};
use crate::limits::{
    METRIC_ATTRIBUTES_MAX, METRIC_IDENTITY_BYTES_MAX, METRIC_NAME_BYTES_MAX, METRIC_UNIT_BYTES_MAX,
};
use crate::metric::measurement::{Attribute, Measurement};
use crate::sys::scan;
use crate::text::json;

/// Writes the identity of a measurement, and sorts its attributes. Of those with the same key the first given stays, and
/// one without a key is left out. False if it has no name, or one of its parts is too long.
pub fn write(out: &mut Vec<u8>, measurement: &mut Measurement<'_, '_>) -> bool {
    let (name, unit) = (measurement.name, measurement.unit);
    out.clear();
    if name.is_empty() || name.len() > METRIC_NAME_BYTES_MAX || unit.len() > METRIC_UNIT_BYTES_MAX {
        return false;
    }
    let is_escaped = measurement.is_escaped;
    // The length of the name is not known before it is escaped.
    let kind = measurement.change.kind().code();
    let [t0, t1, t2, t3, t4, t5, t6, t7] = measurement.time_unix_nano.to_le_bytes();
    let length = unit.len() as u8;
    out.extend_from_slice(&[kind, length, 0, 0, t0, t1, t2, t3, t4, t5, t6, t7]);
    out.extend_from_slice(unit);
    let name_at = out.len();
    let mut is_whole = push(out, name, is_escaped);
    set_length(out, 2, name_at);
    let end = measurement.attributes.len().min(METRIC_ATTRIBUTES_MAX);
    let attributes = measurement.attributes.get_mut(..end).unwrap_or_default();
    sort(attributes);
    let mut last_key = (0, 0);
    for (key, value) in attributes.iter() {
        let at = out.len();
        out.extend_from_slice(&[0; ATTRIBUTE_FIXED_BYTES]);
        let key_at = out.len();
        is_whole &= push(out, key, is_escaped);
        let (before, this) = out.split_at_checked(key_at).unwrap_or_default();
        // Compared as it is written: two that were no text may be the same now.
        if this.is_empty() || before.get(last_key.0..last_key.1) == Some(this) {
            out.truncate(at);
            continue;
        }
        last_key = (key_at, out.len());
        set_length(out, at, key_at);
        let value_at = out.len();
        is_whole &= push(out, value, is_escaped);
        set_length(out, at + 2, value_at);
    }
    is_whole && out.len() <= METRIC_IDENTITY_BYTES_MAX
}

/// Appends text as raw string content; false if it does not fit.
fn push(out: &mut Vec<u8>, text: &[u8], is_escaped: bool) -> bool {
    let room = METRIC_IDENTITY_BYTES_MAX.saturating_sub(out.len());
    (text.len() <= room && scan::append_plain(out, text))
        || !if is_escaped {
            json::append_raw_string(out, text, room)
        } else {
            json::append_escaped(out, text, room)
        }
}

/// Everything from `start` on is what the two bytes at `at` give the length of.
fn set_length(out: &mut [u8], at: usize, start: usize) {
    let length = (out.len() - start) as u16;
    if let Some(place) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = length.to_le_bytes();
    }
}

/// By key, those of the same key in their order. There are few, and mostly in order already.
fn sort(attributes: &mut [Attribute<'_>]) {
    for end in 2..=attributes.len() {
        let mut rest = attributes.get_mut(..end).unwrap_or_default();
        while let [.., before, last] = rest
            && last.0 < before.0
        {
            core::mem::swap(before, last);
            rest = rest.split_last_mut().map_or(&mut [], |(_, front)| front);
        }
    }
}

const _: () = assert!(METRIC_IDENTITY_BYTES_MAX <= u16::MAX as usize && IDENTITY_FIXED_BYTES == 12);
