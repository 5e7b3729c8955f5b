use super::*;
use crate::format::point::Bounds;
use crate::format::point::{BUCKETS_AT, COUNT_AT, MAX_AT, MIN_AT, Point, SUM_AT};
use crate::limits::HISTOGRAM_BUCKETS_MAX;
use crate::limits::{METRIC_IDENTITY_BYTES_MAX, METRIC_NAME_BYTES_MAX};
use crate::metric::measurement::Change;

mod bounds;
mod model;

const SECOND: u64 = 1_000_000_000;

/// A measurement of `calls`, a counter without attributes, with exactly these differences.
struct Given<'a> {
    name: &'a str,
    unit: &'a str,
    attributes: &'a [(&'a str, &'a str)],
    time: u64,
    change: Change<'a>,
}

const fn add(value: f64) -> Change<'static> {
    Change::Add {
        value,
        is_monotonic: true,
    }
}

const CALL: Given<'static> = Given {
    name: "calls",
    unit: "",
    attributes: &[],
    time: 0,
    change: add(1.0),
};

impl Given<'_> {
    fn record(&self, table: &mut Table, second: u64) {
        let pairs = self.attributes.iter();
        let mut attributes: Vec<_> = pairs
            .map(|(key, value)| (key.as_bytes(), value.as_bytes()))
            .collect();
        let mut measurement = Measurement {
            name: self.name.as_bytes(),
            unit: self.unit.as_bytes(),
            attributes: &mut attributes,
            is_escaped: false,
            time_unix_nano: self.time,
            change: self.change,
        };
        table.record(&mut measurement, Wall(second * 1000));
    }
}

/// The values of a point, for comparing.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Data {
    Sum { value: f64, is_monotonic: bool },
    Gauge(f64),
    Count(u64),
    Histogram(Histogram, Bounds),
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Histogram {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    buckets: [u64; HISTOGRAM_BUCKETS_MAX],
}

impl Data {
    fn of(point: &Point<'_>) -> Data {
        let value = point.double(0);
        match point.kind {
            Kind::Sum { is_monotonic } => Data::Sum {
                value,
                is_monotonic,
            },
            Kind::Gauge => Data::Gauge(value),
            Kind::Set => Data::Count(value as u64),
            Kind::Histogram(bounds) => {
                let histogram = Histogram {
                    count: point.integer(COUNT_AT),
                    sum: point.double(SUM_AT),
                    min: point.double(MIN_AT),
                    max: point.double(MAX_AT),
                    buckets: std::array::from_fn(|number| point.integer(BUCKETS_AT + number)),
                };
                Data::Histogram(histogram, bounds)
            }
        }
    }
}

/// A point, for comparing.
#[derive(Clone, PartialEq, Debug)]
struct Found {
    name: String,
    attributes: String,
    start: u64,
    time: u64,
    data: Data,
}

fn drain(table: &mut Table, second: u64) -> Vec<Found> {
    let found = drain_some(table, second, &mut || true);
    assert_eq!(table.oldest(), None);
    found
}

/// Takes as many points as it is told to.
fn drain_some(table: &mut Table, second: u64, takes: &mut dyn FnMut() -> bool) -> Vec<Found> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut found = Vec::new();
    table.drain(Wall(second * 1000), &mut |bytes| {
        if !takes() {
            return false;
        }
        let point = Point::read(bytes).unwrap();
        assert!(point.start_unix_nano < point.time_unix_nano);
        assert!(point.unit.is_empty() || point.unit == b"ms");
        let attributes = point.attributes();
        let attributes: Vec<_> = attributes
            .map(|(key, value)| format!("{}={}", text(key), text(value)))
            .collect();
        found.push(Found {
            name: text(point.name),
            attributes: attributes.join(","),
            start: point.start_unix_nano,
            time: point.time_unix_nano,
            data: Data::of(&point),
        });
        true
    });
    found
}

fn values(table: &mut Table, second: u64) -> Vec<(String, f64)> {
    let found = drain(table, second).into_iter();
    found
        .map(|point| match point.data {
            Data::Sum { value, .. } | Data::Gauge(value) => (point.name, value),
            Data::Count(count) => (point.name, count as f64),
            Data::Histogram(histogram, _) => (point.name, histogram.sum),
        })
        .collect()
}

fn counters(table: &Table) -> [u64; 3] {
    [table.taken, table.overflow, table.malformed]
}

#[test]
fn attributes_make_a_series_in_any_order() {
    let mut table = Table::new(Temporality::Delta);
    for attributes in [
        [("route", "/a"), ("env", "x"), ("status", "200")],
        [("status", "200"), ("env", "x"), ("route", "/a")],
        [("env", "x"), ("status", "200"), ("route", "/a")],
    ] {
        let attributes = &attributes;
        Given { attributes, ..CALL }.record(&mut table, 1);
    }
    let attributes = &[
        ("env", "x"),
        ("", "no key"),
        ("route", "/a"),
        ("env", "a second of that name"),
        ("plain", ""),
    ];
    Given { attributes, ..CALL }.record(&mut table, 1);
    let found = drain(&mut table, 2);
    let told: Vec<_> = found
        .iter()
        .map(|point| point.attributes.as_str())
        .collect();
    assert_eq!(told, ["env=x,route=/a,status=200", "env=x,plain=,route=/a"]);
    let expected = [3.0, 1.0].map(|value| Data::Sum {
        value,
        is_monotonic: true,
    });
    assert_eq!([found[0].data, found[1].data], expected);
}

#[test]
fn whatever_differs_is_another_series() {
    let mut table = Table::new(Temporality::Delta);
    let observe = |bounds| Change::Observe {
        value: 1.0,
        times: 1,
        bounds,
    };
    let adjustable = Change::Add {
        value: 1.0,
        is_monotonic: false,
    };
    let differences = [
        CALL,
        Given {
            name: "call",
            ..CALL
        },
        Given { unit: "ms", ..CALL },
        Given {
            time: 7 * SECOND,
            ..CALL
        },
        Given {
            time: 8 * SECOND,
            ..CALL
        },
        Given {
            attributes: &[("a", "b")],
            ..CALL
        },
        Given {
            attributes: &[("a", "")],
            ..CALL
        },
        Given {
            attributes: &[("a", ""), ("b", "")],
            ..CALL
        },
        Given {
            attributes: &[("ab", "")],
            ..CALL
        },
        Given {
            change: adjustable,
            ..CALL
        },
        Given {
            change: Change::Set(1.0),
            ..CALL
        },
        Given {
            change: Change::Member(b"x"),
            ..CALL
        },
        Given {
            change: observe(Bounds::Default),
            ..CALL
        },
        Given {
            change: observe(Bounds::Seconds),
            ..CALL
        },
        Given {
            change: observe(Bounds::Memory),
            ..CALL
        },
        Given {
            change: observe(Bounds::Size),
            ..CALL
        },
    ];
    for _ in 0..2 {
        differences
            .iter()
            .for_each(|given| given.record(&mut table, 1));
    }
    assert_eq!(values(&mut table, 2).len(), differences.len());
    assert_eq!(counters(&table), [2 * differences.len() as u64, 0, 0]);
}

#[test]
fn text_is_escaped_once() {
    let mut table = Table::new(Temporality::Delta);
    let mut attributes = [(b"k\"".as_slice(), b"\xff\n".as_slice())];
    let mut measurement = Measurement {
        name: "n\\ä".as_bytes(),
        unit: b"",
        attributes: &mut attributes,
        is_escaped: false,
        time_unix_nano: 0,
        change: add(1.0),
    };
    table.record(&mut measurement, Wall(1));
    let mut attributes = [(b"k\\\"".as_slice(), "\u{fffd}\\n".as_bytes())];
    let mut measurement = Measurement {
        name: "n\\\\ä".as_bytes(),
        attributes: &mut attributes,
        is_escaped: true,
        ..measurement
    };
    table.record(&mut measurement, Wall(1));
    let found = drain(&mut table, 1);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].name, "n\\\\ä");
    assert_eq!(found[0].attributes, "k\\\"=\u{fffd}\\n");
}

#[test]
fn deltas_begin_anew_at_each_drain() {
    let mut table = Table::new(Temporality::Delta);
    assert!(drain(&mut table, 5).is_empty());
    CALL.record(&mut table, 10);
    CALL.record(&mut table, 12);
    assert_eq!(table.oldest(), Some(Wall(10_000)));
    let first = &drain(&mut table, 15)[0];
    assert_eq!((first.start, first.time), (10 * SECOND, 15 * SECOND));
    assert_eq!(table.oldest(), None);
    assert!(drain(&mut table, 20).is_empty());
    CALL.record(&mut table, 22);
    let second = &drain(&mut table, 25)[0];
    assert_eq!((second.start, second.time), (20 * SECOND, 25 * SECOND));
    let sum = |value| Data::Sum {
        value,
        is_monotonic: true,
    };
    assert_eq!((first.data, second.data), (sum(2.0), sum(1.0)));
    // At once, or with a clock that was set back: a start is before its end.
    for second in [25, 3] {
        CALL.record(&mut table, second);
        let point = &drain(&mut table, second)[0];
        assert_eq!(point.start, point.time - POINT_NANO_MIN);
    }
}

#[test]
fn cumulative_values_go_on_from_the_first_use() {
    let mut table = Table::new(Temporality::Cumulative);
    let member = Given {
        name: "users",
        change: Change::Member(b"a"),
        ..CALL
    };
    for second in [10, 20, 30] {
        CALL.record(&mut table, second);
        member.record(&mut table, second);
        let found = drain(&mut table, second + 5);
        let value = second as f64 / 10.0;
        assert_eq!(
            found[0].data,
            Data::Sum {
                value,
                is_monotonic: true
            }
        );
        assert_eq!(
            (found[0].start, found[0].time),
            (10 * SECOND, (second + 5) * SECOND)
        );
        assert_eq!(
            found[1].data,
            Data::Count(1),
            "a set counts from the last drain"
        );
        assert!(
            drain(&mut table, second + 6).is_empty(),
            "untouched series are not repeated"
        );
    }
}

#[test]
fn gauges_stand_where_they_were() {
    for temporality in [Temporality::Delta, Temporality::Cumulative] {
        let mut table = Table::new(temporality);
        let gauge = |change| Given { change, ..CALL };
        gauge(Change::Adjust(2.0)).record(&mut table, 1);
        gauge(Change::Set(10.0)).record(&mut table, 1);
        gauge(Change::Adjust(-3.5)).record(&mut table, 1);
        assert_eq!(drain(&mut table, 2)[0].data, Data::Gauge(6.5));
        assert!(drain(&mut table, 3).is_empty());
        gauge(Change::Adjust(1.0)).record(&mut table, 4);
        assert_eq!(drain(&mut table, 5)[0].data, Data::Gauge(7.5));
    }
}

#[test]
fn members_are_counted_once_for_each_set() {
    let mut table = Table::new(Temporality::Delta);
    for member in ["a", "b", "a", "", "b"] {
        let change = Change::Member(member.as_bytes());
        Given { change, ..CALL }.record(&mut table, 1);
    }
    Given {
        name: "other",
        change: Change::Member(b"a"),
        ..CALL
    }
    .record(&mut table, 1);
    assert_eq!(
        values(&mut table, 2),
        [("calls".into(), 3.0), ("other".into(), 1.0)]
    );
    Given {
        change: Change::Member(b"b"),
        ..CALL
    }
    .record(&mut table, 3);
    assert_eq!(values(&mut table, 4), [("calls".into(), 1.0)]);
}

#[test]
fn a_histogram_counts_between_its_bounds() {
    for (bounds, buckets) in [
        (Bounds::Default, 16),
        (Bounds::Seconds, 15),
        (Bounds::Memory, 14),
        (Bounds::Size, 11),
    ] {
        let boundaries = bounds.boundaries();
        assert_eq!(boundaries.len() + 1, buckets);
        assert!(boundaries.is_sorted_by(|one, other| one < other));
        let mut table = Table::new(Temporality::Delta);
        // Each boundary belongs to the bucket below it.
        let above = |bound: &f64| bound + 1e-9 * bound.max(1.0);
        let values = boundaries
            .iter()
            .copied()
            .chain(boundaries.iter().map(above));
        for value in values {
            let change = Change::Observe {
                value,
                times: 3,
                bounds,
            };
            Given { change, ..CALL }.record(&mut table, 1);
        }
        let Data::Histogram(histogram, found) = drain(&mut table, 2)[0].data else {
            panic!("no histogram");
        };
        assert_eq!(found, bounds);
        assert_eq!(histogram.count, 6 * boundaries.len() as u64);
        let mut expected = [0; 16];
        expected[..buckets].fill(6);
        (expected[0], expected[buckets - 1]) = (3, 3);
        assert_eq!(histogram.buckets, expected);
        let last = *boundaries.last().unwrap();
        assert_eq!(
            (histogram.min, histogram.max),
            (boundaries[0], above(&last))
        );
        let sum: f64 = boundaries
            .iter()
            .map(|bound| 3.0 * (bound + above(bound)))
            .sum();
        assert!((histogram.sum - sum).abs() <= 1e-9 * sum);
        let change = Change::Observe {
            value: -1.0,
            times: 1,
            bounds,
        };
        Given { change, ..CALL }.record(&mut table, 3);
        let Data::Histogram(histogram, _) = drain(&mut table, 4)[0].data else {
            panic!("no histogram");
        };
        assert_eq!(
            (histogram.count, histogram.sum, histogram.buckets[0]),
            (1, -1.0, 1)
        );
        assert_eq!(
            (histogram.min, histogram.max),
            (-1.0, -1.0),
            "the last drain's are forgotten"
        );
    }
}

/// What finds no room stays, goes on gathering, and is told from where its last point ended.
#[test]
fn what_is_not_taken_goes_on_gathering() {
    let mut table = Table::new(Temporality::Delta);
    let kinds = [
        ("sum", add(1.0)),
        ("set", Change::Member(b"a")),
        ("gauge", Change::Adjust(1.0)),
    ];
    let record = |table: &mut Table, second| {
        for (name, change) in kinds {
            Given {
                name,
                change,
                ..CALL
            }
            .record(table, second);
        }
        let time = 7 * SECOND;
        Given { time, ..CALL }.record(table, second);
    };
    record(&mut table, 10);
    let mut room = 1;
    let mut takes = || core::mem::replace(&mut room, 0) > 0;
    let found = drain_some(&mut table, 20, &mut takes);
    assert_eq!((found.len(), found[0].name.as_str()), (1, "sum"));
    assert_eq!((found[0].start, found[0].time), (10 * SECOND, 20 * SECOND));
    assert_eq!((table.oldest(), table.touched()), (Some(Wall(10_000)), 3));
    record(&mut table, 25);
    let change = Change::Member(b"b");
    Given {
        name: "set",
        change,
        ..CALL
    }
    .record(&mut table, 25);
    let found = drain(&mut table, 30);
    let expected = [("sum", 20, 1.0), ("set", 10, 2.0), ("gauge", 10, 2.0)];
    for (point, (name, start, value)) in found.iter().zip(expected) {
        let told = match point.data {
            Data::Sum { value, .. } | Data::Gauge(value) => value,
            Data::Count(count) => count as f64,
            Data::Histogram(..) => panic!("none was measured"),
        };
        assert_eq!((point.name.as_str(), told), (name, value));
        assert_eq!(
            (point.start, point.time),
            (start * SECOND, 30 * SECOND),
            "{name}"
        );
    }
    let timed = Data::Sum {
        value: 2.0,
        is_monotonic: true,
    };
    assert_eq!(
        (found.len(), found[3].time, found[3].data),
        (4, 7 * SECOND, timed)
    );
    assert_eq!(
        (table.touched, table.touched_bytes, table.store.len()),
        (0, 0, 3)
    );
}

/// A set begins anew with its point, even while another set's finds no room.
#[test]
fn a_set_begins_anew_beside_one_that_is_not_taken() {
    let mut table = Table::new(Temporality::Delta);
    let record = |table: &mut Table, name: &str, member: &[u8], second| {
        let change = Change::Member(member);
        Given {
            name,
            change,
            ..CALL
        }
        .record(table, second);
    };
    record(&mut table, "one", b"a", 1);
    record(&mut table, "other", b"a", 1);
    let mut room = 1;
    let mut takes = || core::mem::replace(&mut room, 0) > 0;
    assert_eq!(drain_some(&mut table, 2, &mut takes).len(), 1);
    for (name, member) in [
        ("one", b"a"),
        ("one", b"b"),
        ("other", b"a"),
        ("other", b"b"),
    ] {
        record(&mut table, name, member, 3);
    }
    let expected = [("one".into(), 2.0), ("other".into(), 2.0)];
    assert_eq!(values(&mut table, 4), expected);
    assert_eq!(table.members.count(), 0);
}

#[test]
fn a_time_of_its_own_is_kept_apart_and_does_not_stay() {
    for temporality in [Temporality::Delta, Temporality::Cumulative] {
        let mut table = Table::new(temporality);
        CALL.record(&mut table, 90);
        for time in [60 * SECOND, 61 * SECOND, 61 * SECOND] {
            Given { time, ..CALL }.record(&mut table, 90);
        }
        let found = drain(&mut table, 100);
        let times: Vec<_> = found
            .iter()
            .map(|point| (point.start, point.time))
            .collect();
        let before = |time| (time - POINT_NANO_MIN, time);
        assert_eq!(
            times,
            [
                (90 * SECOND, 100 * SECOND),
                before(60 * SECOND),
                before(61 * SECOND)
            ]
        );
        assert_eq!(table.store.len(), 1);
        Given {
            time: 61 * SECOND,
            ..CALL
        }
        .record(&mut table, 101);
        assert_eq!(values(&mut table, 102), [("calls".into(), 1.0)]);
    }
}
