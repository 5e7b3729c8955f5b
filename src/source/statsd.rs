//! StatsD and DogStatsD datagrams to measurements; their events and service checks to log records.
//!
//! ```text
//! name:value[:value…]|type[|@rate][|#tag:value,tag…][|T<unix seconds>][|anything else]
//! _e{title bytes,text bytes}:title|text[|d:…][|h:…][|p:…][|t:…][|k:…][|s:…][|#…]
//! _sc|name|status[|d:…][|h:…][|#…][|m:message]
//! ```
//!
//! What follows the type stands in any order, and what is not known there is ignored: so DogStatsD has grown from its
//! protocol 1.0 to 1.6. Where dialects differ:
//!
//! - A count may go down. A meter (`m`) is a count.
//! - A gauge that begins with `+` moves. With `-` it moves by StatsD's rule, and is a negative value by DogStatsD's: in a
//!   line that has something only DogStatsD knows (tags, a time, an origin) and so comes from one of its clients.
//! - The value of a set may hold colons; other types have a list of values there (protocol 1.1).
//! - The rate of a count with a time counts, too: clients drop what they sample whether or not it has a time. Gauges and
//!   sets have no use for a rate, and only counts and gauges for a time.

mod log;

pub use log::{Log, write};

use crate::format::point::Bounds;
use crate::limits::{METRIC_ATTRIBUTES_MAX, SAMPLED_TIMES_MAX};
use crate::metric::measurement::{Attribute, Change, Measurement, Sink, name_of_function};
use crate::sys::scan;
use crate::text::delimited::parts;
use crate::text::double;

/// Reads datagrams: their lines, one after the other, to `sink` or `logs`. Returns how many lines were malformed; a
/// malformed value in a list counts as one, and the others are taken. Names and tags that are too long are for the table of
/// metrics to refuse, and of tags with one key it keeps the first.
pub fn read(datagrams: &[&[u8]], sink: Sink<'_>, logs: &mut dyn FnMut(&Log<'_>)) -> u64 {
    let mut attributes = Attributes::new();
    let mut malformed = 0;
    for datagram in datagrams {
        for line in parts(datagram, b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            malformed += match line {
                [] => 0,
                [b'_', b'e', b'{', ..] | [b'_', b's', b'c', b'|', ..] => match Log::read(line) {
                    Some(log) => {
                        logs(&log);
                        0
                    }
                    None => 1,
                },
                _ => metric(line, &mut attributes, sink),
            };
        }
    }
    malformed
}

/// Reads the line of a metric. Returns how much of it was malformed.
fn metric<'d>(line: &'d [u8], attributes: &mut Attributes<'d>, sink: Sink<'_>) -> u64 {
    let Some(metric) = Metric::read(line, attributes) else {
        return 1;
    };
    if metric.kind == Type::Set {
        return u64::from(!metric.send(metric.values, attributes, sink));
    }
    let mut malformed = 0;
    for value in parts(metric.values, b':') {
        malformed += u64::from(!metric.send(value, attributes, sink));
    }
    malformed
}

/// A metric's type, as StatsD calls it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Count,
    Gauge,
    Timer,
    Histogram,
    Set,
}

/// A line without its tags.
struct Metric<'d> {
    name: &'d [u8],
    values: &'d [u8],
    kind: Type,
    /// More than 0, at most 1.
    rate: f64,
    /// 0 if the line has none.
    time_unix_nano: u64,
    /// The line has something that plain StatsD does not know.
    is_dogstatsd: bool,
}

impl<'d> Metric<'d> {
    fn read(line: &'d [u8], attributes: &mut Attributes<'d>) -> Option<Metric<'d>> {
        // Were the bar first, it would be in the name.
        let end = line.iter().position(|byte| matches!(byte, b':' | b'|'))?;
        let (name, rest) = line.split_at_checked(end)?;
        let mut fields = parts(rest.strip_prefix(b":")?, b'|');
        if name.is_empty() {
            return None;
        }
        let mut metric = Metric {
            name,
            values: fields.next()?,
            kind: match fields.next()? {
                b"c" | b"m" => Type::Count,
                b"g" => Type::Gauge,
                b"ms" => Type::Timer,
                b"h" | b"d" => Type::Histogram,
                b"s" => Type::Set,
                _ => return None,
            },
            rate: 1.0,
            time_unix_nano: 0,
            is_dogstatsd: false,
        };
        attributes.used = 0;
        for part in fields {
            metric.is_dogstatsd |= match part {
                [b'@', text @ ..] => {
                    metric.rate = rate(text)?;
                    false
                }
                [b'#', list @ ..] => {
                    attributes.take(list);
                    true
                }
                [b'T', seconds @ ..] => {
                    metric.time_unix_nano = unix_nano(seconds)?;
                    true
                }
                [b'c' | b'e', b':', ..] | [b'c', b'a', b'r', b'd', b':', ..] => true,
                _ => false,
            };
        }
        if !matches!(metric.kind, Type::Count | Type::Gauge) {
            metric.time_unix_nano = 0;
        }
        Some(metric)
    }

    /// Hands one value to the sink; false if it is malformed.
    fn send(&self, value: &[u8], attributes: &mut Attributes<'_>, sink: Sink<'_>) -> bool {
        let Some(change) = self.change(value) else {
            return false;
        };
        sink(&mut Measurement {
            name: name_of_function(self.name, &mut Vec::new()),
            unit: if self.kind == Type::Timer { b"ms" } else { b"" },
            // In place: the table sorts them, and the next value finds them sorted.
            attributes: attributes
                .all
                .get_mut(..attributes.used)
                .unwrap_or_default(),
            is_escaped: false,
            time_unix_nano: self.time_unix_nano,
            change,
        });
        true
    }

    fn change<'v>(&self, value: &'v [u8]) -> Option<Change<'v>> {
        if self.kind == Type::Set {
            return (!value.is_empty()).then_some(Change::Member(value));
        }
        let number = double::parse(value)?;
        let is_move = match value {
            [b'+', ..] => true,
            [b'-', ..] => !self.is_dogstatsd,
            _ => false,
        };
        Some(match self.kind {
            Type::Gauge if is_move => Change::Adjust(number),
            Type::Gauge => Change::Set(number),
            Type::Count => {
                let value = number / self.rate;
                if !value.is_finite() {
                    return None;
                }
                Change::Add {
                    value,
                    is_monotonic: false,
                }
            }
            _ => Change::Observe {
                value: number,
                // Rounded.
                times: (1.0 / self.rate + 0.5) as u64,
                bounds: Bounds::Default,
            },
        })
    }
}

/// The tags of a line as attributes. Those that have no room are left out.
struct Attributes<'d> {
    all: [Attribute<'d>; METRIC_ATTRIBUTES_MAX],
    used: usize,
}

impl<'d> Attributes<'d> {
    const fn new() -> Attributes<'d> {
        Attributes {
            all: [(b"", b""); METRIC_ATTRIBUTES_MAX],
            used: 0,
        }
    }

    /// Adds the tags of a list.
    fn take(&mut self, list: &'d [u8]) {
        for tag in tags(list) {
            let Some(place) = self.all.get_mut(self.used) else {
                return;
            };
            *place = tag;
            self.used += 1;
        }
    }
}

/// The tags of a list: what is before and behind the first colon. Those without a key are left out.
fn tags(list: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    parts(list, b',')
        .map(|tag| cut(tag, b':').unwrap_or((tag, b"")))
        .filter(|(key, _)| !key.is_empty())
}

fn rate(text: &[u8]) -> Option<f64> {
    let rate = double::parse(text)?;
    (rate <= 1.0 && rate * SAMPLED_TIMES_MAX as f64 >= 1.0).then_some(rate)
}

/// Seconds since 1970, as text, to nanoseconds. A time of 0 is none.
fn unix_nano(seconds: &[u8]) -> Option<u64> {
    let time = crate::text::decimal::parse(seconds)?.checked_mul(1_000_000_000)?;
    (time > 0).then_some(time)
}

/// What is before and what is behind the first `delimiter`.
fn cut(text: &[u8], delimiter: u8) -> Option<(&[u8], &[u8])> {
    let at = scan::position(text, delimiter)?;
    let (before, behind) = text.split_at_checked(at)?;
    Some((before, behind.get(1..)?))
}

#[cfg(test)]
mod tests;
