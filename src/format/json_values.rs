//! Values in JSON: of an attribute, and of a data point, whose values both forms write alike but for their names.

use super::Value;
use crate::format::point::{BUCKETS_AT, COUNT_AT, Kind, MAX_AT, MIN_AT, Point, SUM_AT};
use crate::text::decimal;
use crate::text::delimited::parts;
use crate::text::double;
use crate::text::json;

/// What a format calls the values of a point.
pub struct Names {
    /// Of a sum or gauge.
    pub double: &'static [u8],
    /// Of the count of a set.
    pub integer: &'static [u8],
    pub buckets: &'static [u8],
    pub bounds: &'static [u8],
}

/// Appends a text, or the value of an attribute, of at most `room` bytes. Its quotes are not written. True if it was cut.
pub fn value(out: &mut Vec<u8>, value: &Value<'_>, room: usize) -> bool {
    match *value {
        Value::Raw(raw) => json::append_raw_string(out, raw, room),
        Value::Text(text) => json::append_escaped(out, text, room),
        Value::Integer(text) | Value::Double(text) => json::append_raw_string(out, text, room),
        Value::Boolean(true) => json::append_raw_string(out, b"true", room),
        Value::Boolean(false) => json::append_raw_string(out, b"false", room),
    }
}

/// Appends the values as members. The string before them is still open.
pub fn values(out: &mut Vec<u8>, point: &Point<'_>, names: &Names) {
    let first = match point.kind {
        Kind::Sum { .. } | Kind::Gauge => names.double,
        Kind::Set => names.integer,
        Kind::Histogram(_) => b"count",
    };
    fill(out, b"\",\"\0\":", &[first]);
    match point.kind {
        Kind::Sum { .. } | Kind::Gauge => double::push(out, point.double(0)),
        Kind::Set => integer(out, point.double(0) as u64),
        Kind::Histogram(bounds) => {
            integer(out, point.integer(COUNT_AT));
            for &(name, at) in &[(b"sum", SUM_AT), (b"min", MIN_AT), (b"max", MAX_AT)] {
                fill(out, b",\"\0\":", &[name]);
                double::push(out, point.double(at));
            }
            let boundaries = bounds.boundaries();
            fill(out, b",\"\0\":", &[names.buckets]);
            let mut before = b'[';
            for number in 0..boundaries.len() + 1 {
                out.push(before);
                integer(out, point.integer(BUCKETS_AT + number));
                before = b',';
            }
            fill(out, b"],\"\0\":", &[names.bounds]);
            before = b'[';
            for bound in boundaries {
                out.push(before);
                double::push(out, *bound);
                before = b',';
            }
            out.push(b']');
        }
    }
}

/// A number while every receiver reads it exactly, a string above.
fn integer(out: &mut Vec<u8>, value: u64) {
    let quote: &[u8] = if value < 1 << 53 { b"" } else { b"\"" };
    out.extend_from_slice(quote);
    decimal::push(out, value);
    out.extend_from_slice(quote);
}

/// Appends a text in which each zero byte stands for the next of the values.
#[inline(never)]
pub fn fill(out: &mut Vec<u8>, text: &[u8], values: &[&[u8]]) {
    let mut values = values.iter();
    for part in parts(text, 0) {
        out.extend_from_slice(part);
        out.extend_from_slice(values.next().copied().unwrap_or_default());
    }
}
