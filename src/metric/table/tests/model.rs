//! The table against plain maps, with few and many series.

use super::*;
use crate::metric::measurement::Change;
use crate::random::Numbers;
use std::collections::{BTreeMap, HashSet};

#[derive(Default)]
struct Model {
    sums: BTreeMap<String, f64>,
    gauges: BTreeMap<String, f64>,
    sets: BTreeMap<String, HashSet<u64>>,
    histograms: BTreeMap<String, (u64, f64)>,
    touched: HashSet<String>,
    /// When the last point of a series ended.
    ends: BTreeMap<String, u64>,
}

#[test]
fn against_a_model() {
    let mut random = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut next = move |below: u64| random.below(below as usize) as u64;
    for (temporality, names) in [
        (Temporality::Delta, 5),
        (Temporality::Delta, 200),
        (Temporality::Cumulative, 200),
    ] {
        let mut table = Table::new(temporality);
        let mut model = Model::default();
        for step in 0..30_000u64 {
            if next(500) == 0 {
                // All, half, or a few of the points find room.
                let share = 1 + next(3);
                let mut takes = || share == 1 || next(share) == 0;
                compare(&mut table, &mut model, step, temporality, &mut takes);
                continue;
            }
            let (kind, number) = (next(4), next(names));
            let name = format!("{kind}.{number}");
            let value = next(100) as f64;
            let member = next(20);
            let change = match kind {
                0 => add(value),
                1 => Change::Adjust(value),
                2 => Change::Member(&member.to_le_bytes()),
                _ => Change::Observe {
                    value,
                    times: 2,
                    bounds: Bounds::Default,
                },
            };
            Given {
                name: &name,
                change,
                ..CALL
            }
            .record(&mut table, step);
            model.touched.insert(name.clone());
            match kind {
                0 => *model.sums.entry(name).or_default() += value,
                1 => *model.gauges.entry(name).or_default() += value,
                2 => drop(model.sets.entry(name).or_default().insert(member)),
                _ => {
                    let entry = model.histograms.entry(name).or_default();
                    *entry = (entry.0 + 2, entry.1 + 2.0 * value);
                }
            }
        }
        assert_eq!((table.overflow, table.malformed), (0, 0));
    }
}

fn compare(
    table: &mut Table,
    model: &mut Model,
    step: u64,
    temporality: Temporality,
    takes: &mut dyn FnMut() -> bool,
) {
    let is_delta = temporality == Temporality::Delta;
    for point in drain_some(table, step, takes) {
        let name = &point.name;
        assert!(model.touched.remove(name), "{name}");
        match point.data {
            Data::Sum { value, .. } => {
                assert_eq!(model.sums[name], value);
                is_delta.then(|| model.sums.remove(name));
            }
            Data::Gauge(value) => assert_eq!(model.gauges[name], value),
            Data::Count(count) => {
                assert_eq!(model.sets.remove(name).unwrap().len() as u64, count);
            }
            Data::Histogram(histogram, _) => {
                let found = (histogram.count, histogram.sum);
                assert_eq!(model.histograms[name], found);
                assert_eq!(histogram.buckets.iter().sum::<u64>(), histogram.count);
                is_delta.then(|| model.histograms.remove(name));
            }
        }
        if is_delta {
            // Each series' points stand one behind the other, without a gap between them or a time told twice.
            let end = model.ends.insert(point.name, point.time);
            let is_after = |end| point.start >= end || point.start == point.time - POINT_NANO_MIN;
            assert!(end.is_none_or(is_after), "{end:?} {}", point.start);
        }
    }
    assert_eq!(table.touched, model.touched.len());
    assert_eq!(table.oldest().is_none(), model.touched.is_empty());
}
