//! One data point of a metric as it lies in the ring: what the table of metrics writes and every wire format can be written
//! from. As in a record, names and attributes are raw string content, valid and already escaped.
//!
//! ```text
//! start u64 │ time u64 │ temporality u8 │ identity │ values
//! identity: kind u8 │ unit length u8 │ name length u16 │ time u64 │ unit │ name │ attribute*
//! attribute: key length u16 │ value length u16 │ key │ value
//! values, each of 8 bytes: a double; of a histogram: count u64 │ sum │ min │ max, doubles │ 16 buckets, each u64
//! ```
//!
//! What stands in the identity is what makes a series: points of the same identity belong together. Its time is that of the
//! measurement if the source gave one, else 0.

pub use super::bounds::Bounds;
use crate::limits::HISTOGRAM_BUCKETS_MAX;

/// What a sum or histogram counts from; the numbers are OTLP's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Temporality {
    /// From the point before.
    Delta = 1,
    /// From the start of the process.
    Cumulative = 2,
}

/// What kind of series it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Sum {
        is_monotonic: bool,
    },
    Gauge,
    /// The number of distinct members.
    Set,
    Histogram(Bounds),
}

impl Kind {
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Kind::Sum { is_monotonic } => is_monotonic as u8,
            Kind::Gauge => 2,
            Kind::Set => 3,
            Kind::Histogram(Bounds::Default) => 4,
            Kind::Histogram(Bounds::Seconds) => 5,
            Kind::Histogram(Bounds::Memory) => 6,
            Kind::Histogram(Bounds::Size) => 7,
        }
    }

    #[must_use]
    pub const fn of_code(code: u8) -> Kind {
        match code {
            0 | 1 => Kind::Sum {
                is_monotonic: code == 1,
            },
            2 => Kind::Gauge,
            3 => Kind::Set,
            4 => Kind::Histogram(Bounds::Default),
            5 => Kind::Histogram(Bounds::Seconds),
            6 => Kind::Histogram(Bounds::Memory),
            _ => Kind::Histogram(Bounds::Size),
        }
    }
}

/// The values of a histogram: a count, the bits of three doubles, and counts: one more than there are boundaries are in use.
pub type Histogram = [u64; BUCKETS_AT + HISTOGRAM_BUCKETS_MAX];

/// Where in a histogram its values stand. The only value of other kinds is the first.
pub const COUNT_AT: usize = 0;
pub const SUM_AT: usize = 1;
pub const MIN_AT: usize = 2;
pub const MAX_AT: usize = 3;
pub const BUCKETS_AT: usize = 4;

/// A point read back from the ring.
#[derive(Clone, Copy, Debug)]
pub struct Point<'a> {
    /// Raw string content, never empty.
    pub name: &'a [u8],
    /// Plain text; empty when unknown.
    pub unit: &'a [u8],
    /// What a sum or histogram was gathered in: after `start`, up to `time`. `start` is always the smaller one.
    pub start_unix_nano: u64,
    pub time_unix_nano: u64,
    pub kind: Kind,
    temporality: Temporality,
    attributes: &'a [u8],
    values: &'a [u8],
}

/// The fixed part of an identity.
pub const IDENTITY_FIXED_BYTES: usize = 12;
pub const ATTRIBUTE_FIXED_BYTES: usize = 4;

impl<'a> Point<'a> {
    /// Reads a point; `None` if it is none.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Point<'a>> {
        let (start_unix_nano, rest) = integer(bytes)?;
        let (time_unix_nano, rest) = integer(rest)?;
        let (temporality, rest) = rest.split_first()?;
        let (kind, _) = rest.split_first()?;
        let kind = Kind::of_code(*kind);
        let value_bytes = match kind {
            Kind::Histogram(_) => size_of::<Histogram>(),
            _ => size_of::<f64>(),
        };
        let (identity, values) = rest.split_at_checked(rest.len().checked_sub(value_bytes)?)?;
        let ([_, unit_bytes, n0, n1], rest) = identity.split_first_chunk()?;
        let (_, rest) = integer(rest)?;
        let (unit, rest) = rest.split_at_checked(usize::from(*unit_bytes))?;
        let (name, attributes) =
            rest.split_at_checked(usize::from(u16::from_le_bytes([*n0, *n1])))?;
        Some(Point {
            name,
            unit,
            start_unix_nano,
            time_unix_nano,
            temporality: match temporality {
                1 => Temporality::Delta,
                _ => Temporality::Cumulative,
            },
            kind,
            attributes,
            values,
        })
    }

    #[must_use]
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes {
            bytes: self.attributes,
        }
    }

    /// A gauge, and the count of a set, has none, and no start.
    #[must_use]
    pub const fn temporality(&self) -> Option<Temporality> {
        match self.kind {
            Kind::Gauge | Kind::Set => None,
            Kind::Sum { .. } | Kind::Histogram(_) => Some(self.temporality),
        }
    }

    /// The value at a place.
    #[must_use]
    pub fn integer(&self, at: usize) -> u64 {
        let (values, _) = self.values.as_chunks();
        values.get(at).map_or(0, |value| u64::from_le_bytes(*value))
    }

    /// The same as a double. It is finite.
    #[must_use]
    pub fn double(&self, at: usize) -> f64 {
        f64::from_bits(self.integer(at))
    }
}

/// The time in an identity, in nanoseconds; 0: none.
#[must_use]
pub fn identity_time(identity: &[u8]) -> u64 {
    let time = identity.get(4..).and_then(integer);
    time.map_or(0, |(time, _)| time)
}

fn integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (integer, rest) = bytes.split_first_chunk()?;
    Some((u64::from_le_bytes(*integer), rest))
}

/// Keys and values of a point, all strings, sorted by key.
pub struct Attributes<'a> {
    bytes: &'a [u8],
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let ([k0, k1, v0, v1], rest) = self.bytes.split_first_chunk::<ATTRIBUTE_FIXED_BYTES>()?;
        let (key, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([*k0, *k1])))?;
        let (value, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([*v0, *v1])))?;
        self.bytes = rest;
        Some((key, value))
    }
}
