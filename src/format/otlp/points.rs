//! Data points of metrics.

use super::message::{attribute, close, eight, open, text, varint};
use super::{FIRST, ITEM_LENGTH_BYTES, SECOND};
use crate::format::Value;
use crate::format::point::{BUCKETS_AT, COUNT_AT, Kind, MAX_AT, MIN_AT, Point, SUM_AT};

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

/// Each point is a metric of its own: receivers put together what has the same name.
pub(super) fn write(out: &mut Vec<u8>, point: &Point<'_>) {
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

/// Writes the values of a point. The tag of its attributes.
#[inline(never)]
fn values(out: &mut Vec<u8>, point: &Point<'_>) -> u8 {
    match point.kind {
        Kind::Sum { .. } | Kind::Gauge => eight(out, AS_DOUBLE, point.integer(0)),
        Kind::Set => eight(out, AS_INT, point.double(0) as u64),
        Kind::Histogram(bounds) => {
            for &(tag, at) in &[
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
            for number in 0..boundaries.len() + 1 {
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
