//! What sums count from: the point before, or the start.

use std::thread;
use std::time::Duration;

use kinglet_sandbox::{Point, Temporality};

use super::measured::{accounts_without_losses, measuring_at_end, named, single, total};
use super::statsd_client::StatsdClient;
use crate::extension::{healthy_collector, invoke, spin_down, start_heard};

const PREFERENCE: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";

fn values(points: &[Point]) -> Vec<f64> {
    points.iter().map(Point::value).collect()
}

/// Each delta begins where the one before has ended: no time is counted twice, and none is missing.
#[test]
fn deltas_are_contiguous() {
    for preference in ["", "delta", "LowMemory"] {
        let collector = healthy_collector();
        let lambda = start_heard(measuring_at_end(&collector).env(PREFERENCE, preference));
        for number in 0..5 {
            invoke(&lambda, [format!("line {number}")]);
            thread::sleep(Duration::from_millis(5));
        }
        spin_down(&lambda);
        for name in ["faas.invocations", "faas.invoke_duration"] {
            let points = named(&collector, name);
            assert_eq!(points.len(), 5, "{points:?}");
            assert!(
                points
                    .iter()
                    .all(|point| point.temporality == Some(Temporality::Delta))
            );
            for pair in points.windows(2) {
                assert_eq!(
                    pair[0].time, pair[1].start,
                    "{preference} {name}: {points:?}"
                );
            }
        }
        assert_eq!(total(&collector, "faas.invocations"), 5.0);
    }
}

/// Cumulative points have one start, and each holds all before it.
#[test]
fn cumulative_totals_grow_from_one_start() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = start_heard(client.beside(&collector).env(PREFERENCE, "CUMULATIVE"));
    for number in 0..4 {
        // One that is measured every time, one that rests in between, and a gauge.
        let rests = (number % 2 == 0).then(|| "rests:10|c".to_string());
        client.invoke(
            &lambda,
            rests.into_iter().chain([format!("stands:{number}|g")]),
        );
    }
    let exit = spin_down(&lambda);
    accounts_without_losses(&exit, &collector);
    let points = collector.points();
    let cumulative: Vec<&Point> = points
        .iter()
        .filter(|point| point.kind() != "gauge")
        .collect();
    assert!(
        cumulative
            .iter()
            .all(|point| point.temporality == Some(Temporality::Cumulative))
    );
    assert!(
        cumulative
            .windows(2)
            .all(|pair| pair[0].start == pair[1].start),
        "{points:?}"
    );
    assert_eq!(
        values(&named(&collector, "faas.invocations")),
        [1.0, 2.0, 3.0, 4.0]
    );
    assert_eq!(values(&named(&collector, "rests")), [10.0, 20.0]);
    assert_eq!(values(&named(&collector, "stands")), [0.0, 1.0, 2.0, 3.0]);
    let durations = named(&collector, "faas.invoke_duration");
    assert_eq!(
        durations.iter().map(Point::count).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert!(
        durations
            .windows(2)
            .all(|pair| pair[0].value() < pair[1].value() && pair[0].time < pair[1].time)
    );
}

/// A word that is none is told once, and delta is used.
#[test]
fn a_wrong_preference_is_delta() {
    let collector = healthy_collector();
    let lambda = measuring_at_end(&collector)
        .env(PREFERENCE, "both")
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    assert!(
        exit.stderr[0].contains(PREFERENCE) && exit.stderr[0].contains("delta"),
        "{:?}",
        exit.stderr
    );
    assert_eq!(
        single(&collector, "faas.invocations").temporality,
        Some(Temporality::Delta)
    );
}
