//! What is refused, and what gives way.

use super::*;
use crate::metric::measurement::Change;

#[test]
fn what_is_no_measurement_is_malformed() {
    let mut table = Table::new(Temporality::Delta);
    let observe = |value, times| Change::Observe {
        value,
        times,
        bounds: Bounds::Default,
    };
    let long_name = "n".repeat(METRIC_NAME_BYTES_MAX + 1);
    let long_unit = "u".repeat(64);
    let long_value = "v".repeat(METRIC_IDENTITY_BYTES_MAX);
    let quotes = "\"".repeat(METRIC_IDENTITY_BYTES_MAX / 2);
    let change = |change| Given { change, ..CALL };
    let wrong = [
        Given { name: "", ..CALL },
        Given {
            name: &long_name,
            ..CALL
        },
        Given {
            unit: &long_unit,
            ..CALL
        },
        Given {
            attributes: &[("k", &long_value)],
            ..CALL
        },
        Given {
            attributes: &[("k", &quotes)],
            ..CALL
        },
        change(add(f64::NAN)),
        change(add(f64::INFINITY)),
        change(add(-1.0)),
        change(Change::Set(f64::NEG_INFINITY)),
        change(Change::Adjust(f64::NAN)),
        change(observe(f64::NAN, 1)),
        change(observe(f64::MAX, 2)),
        change(observe(1.0, 0)),
    ];
    for (number, given) in wrong.iter().enumerate() {
        given.record(&mut table, 1);
        assert_eq!(counters(&table), [0, 0, number as u64 + 1]);
    }
    assert_eq!(table.oldest(), None);
    assert_eq!(table.store.len(), 0);
    let long_name = "n".repeat(METRIC_NAME_BYTES_MAX);
    let long_value = "v".repeat(METRIC_IDENTITY_BYTES_MAX - METRIC_NAME_BYTES_MAX - 12 - 5);
    let attributes = &[("k", long_value.as_str())];
    Given {
        name: &long_name,
        attributes,
        ..CALL
    }
    .record(&mut table, 1);
    assert_eq!(table.taken, 1);
    assert_eq!(
        drain(&mut table, 2)[0].attributes.len(),
        long_value.len() + 2
    );
}

#[test]
fn no_value_becomes_infinite() {
    let mut table = Table::new(Temporality::Delta);
    let observe = |value, times| Change::Observe {
        value,
        times,
        bounds: Bounds::Default,
    };
    for change in [
        add(f64::MAX),
        Change::Adjust(f64::MAX),
        observe(f64::MAX, 1),
    ] {
        for _ in 0..3 {
            Given { change, ..CALL }.record(&mut table, 1);
        }
    }
    assert_eq!(counters(&table), [3, 0, 6]);
    for change in [observe(0.0, u64::MAX), observe(0.0, 1)] {
        Given {
            name: "counts",
            change,
            ..CALL
        }
        .record(&mut table, 1);
    }
    assert_eq!(counters(&table), [4, 0, 7]);
    let found = drain(&mut table, 2);
    assert_eq!(
        found[0].data,
        Data::Sum {
            value: f64::MAX,
            is_monotonic: true
        }
    );
    assert_eq!(found[1].data, Data::Gauge(f64::MAX));
    for (point, count, sum) in [(&found[2], 1, f64::MAX), (&found[3], u64::MAX, 0.0)] {
        let Data::Histogram(histogram, _) = point.data else {
            panic!("no histogram");
        };
        assert_eq!((histogram.count, histogram.sum), (count, sum));
        assert_eq!(histogram.buckets.iter().sum::<u64>(), count);
    }
}

#[test]
fn attributes_are_bounded() {
    let mut table = Table::new(Temporality::Delta);
    let keys: Vec<_> = (0..40).map(|number| format!("k{number:02}")).collect();
    let attributes: Vec<_> = keys.iter().map(|key| (key.as_str(), "v")).collect();
    Given {
        attributes: &attributes,
        ..CALL
    }
    .record(&mut table, 1);
    assert_eq!(drain(&mut table, 2)[0].attributes.matches('=').count(), 32);
}

fn record_many(table: &mut Table, prefix: &str, change: Change<'_>, count: usize) {
    for number in 0..count {
        let name = format!("{prefix}{number}");
        Given {
            name: &name,
            change,
            ..CALL
        }
        .record(table, 1);
    }
}

#[test]
fn a_function_with_too_many_series_leaves_the_platform_its_own() {
    let mut table = Table::new(Temporality::Cumulative);
    record_many(&mut table, "sum", add(1.0), SERIES_MAX + 10);
    assert_eq!(counters(&table), [SERIES_MAX as u64, 10, 0]);
    for prefix in ["faas.", "aws.lambda.", "kinglet."] {
        record_many(&mut table, prefix, add(1.0), 20);
    }
    assert_eq!(counters(&table), [SERIES_MAX as u64 + 60, 10, 0]);
    record_many(&mut table, "faas.more", add(1.0), 10);
    assert_eq!(
        table.overflow,
        10 + 10 - (SERIES_CONVENTIONAL_MAX as u64 - 60)
    );
}

#[test]
fn series_are_bounded_and_idle_ones_give_way() {
    let mut table = Table::new(Temporality::Delta);
    record_many(&mut table, "gauge", Change::Set(1.0), 100);
    record_many(&mut table, "sum", add(1.0), SERIES_MAX);
    assert_eq!(counters(&table), [SERIES_MAX as u64, 100, 0]);
    assert!(table.is_nearly_full());
    assert_eq!(drain(&mut table, 2).len(), SERIES_MAX);
    assert!(!table.is_nearly_full());
    // The sums give way, the gauges stay.
    record_many(&mut table, "new", add(1.0), SERIES_MAX - 100);
    assert_eq!(table.overflow, 100);
    let gauge = Given {
        name: "gauge99",
        change: Change::Adjust(1.0),
        ..CALL
    };
    gauge.record(&mut table, 3);
    // Then the oldest gauges do, but not those that are measured.
    record_many(&mut table, "newer", add(1.0), 100);
    assert_eq!(table.overflow, 101);
    let found = values(&mut table, 4);
    assert_eq!(found.len(), SERIES_MAX);
    assert!(found.contains(&("gauge99".into(), 2.0)));
    // All that were drained can go now, the last gauge, too.
    record_many(&mut table, "newest", add(1.0), SERIES_MAX);
    assert_eq!(table.overflow, 101);
}

#[test]
fn cumulative_series_stay() {
    let mut table = Table::new(Temporality::Cumulative);
    record_many(&mut table, "sum", add(1.0), SERIES_MAX - 1);
    Given {
        name: "set",
        change: Change::Member(b"m"),
        ..CALL
    }
    .record(&mut table, 1);
    drain(&mut table, 2);
    record_many(&mut table, "new", add(1.0), 10);
    assert_eq!(table.overflow, 9, "only the set gave way");
    record_many(&mut table, "sum", add(1.0), SERIES_MAX - 1);
    assert!(values(&mut table, 3).contains(&("sum0".into(), 2.0)));
}

#[test]
fn identities_are_bounded_together() {
    let mut table = Table::new(Temporality::Delta);
    let value = "v".repeat(4000);
    let attributes = &[("k", value.as_str())];
    for number in 0..40 {
        let name = format!("n{number}");
        Given {
            name: &name,
            attributes,
            ..CALL
        }
        .record(&mut table, 1);
    }
    assert_eq!(counters(&table), [32, 8, 0]);
    assert!(table.is_nearly_full());
    drain(&mut table, 2);
    let kept = Given {
        name: "n39",
        attributes,
        ..CALL
    };
    kept.record(&mut table, 3);
    assert_eq!(counters(&table), [33, 8, 0]);
}

#[test]
fn members_are_bounded_together() {
    let mut table = Table::new(Temporality::Delta);
    for number in 0..SET_MEMBERS_MAX + 10 {
        let member = number.to_string();
        let name = if number % 2 == 0 { "even" } else { "odd" };
        let change = Change::Member(member.as_bytes());
        Given {
            name,
            change,
            ..CALL
        }
        .record(&mut table, 1);
    }
    // A member that is known needs no room.
    Given {
        name: "even",
        change: Change::Member(b"0"),
        ..CALL
    }
    .record(&mut table, 1);
    assert_eq!(counters(&table), [SET_MEMBERS_MAX as u64 + 1, 10, 0]);
    assert!(table.is_nearly_full());
    let half = SET_MEMBERS_MAX as f64 / 2.0;
    assert_eq!(
        values(&mut table, 2),
        [("even".into(), half), ("odd".into(), half)]
    );
    Given {
        change: Change::Member(b"0"),
        ..CALL
    }
    .record(&mut table, 3);
    assert_eq!(table.overflow, 10);
}

/// What the table holds in memory.
fn capacity(table: &Table) -> usize {
    table.store.capacity() + table.members.capacity() + table.scratch.capacity()
}

#[test]
fn memory_is_taken_at_first_use_and_not_again() {
    let mut table = Table::new(Temporality::Delta);
    assert_eq!(capacity(&table), 0);
    drain(&mut table, 1);
    assert_eq!(capacity(&table), 0);
    let run = |table: &mut Table| {
        record_many(table, "a", add(1.0), 50);
        record_many(table, "b", Change::Member(b"x"), 50);
        let change = Change::Observe {
            value: 1.0,
            times: 1,
            bounds: Bounds::Seconds,
        };
        record_many(table, "c", change, 50);
        drain(table, 2);
    };
    run(&mut table);
    let first = capacity(&table);
    for _ in 0..10 {
        run(&mut table);
    }
    assert_eq!(capacity(&table), first);
    assert!(first < 160 * 1024, "{first}");
}
