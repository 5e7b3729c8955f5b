//! kinglet with metrics, and what a collector has got of them.

use kinglet_sandbox::{Builder, Collector, Data, Exit, Point};

use super::statsd_client;
use crate::counters::Counters;
use crate::extension::{PATIENT, beside};

/// kinglet that sends logs and metrics to this collector: all but its own, which are about this machine.
pub fn measuring(collector: &Collector) -> Builder {
    beside(collector)
        .env("KINGLET_METRICS", "on")
        .env("KINGLET_SELF_METRICS", "off")
        .env("KINGLET_STATSD_PORT", statsd_client::NO_PORT)
}

/// The same, and everything goes out at the end of each invocation, however late this machine is.
pub fn measuring_at_end(collector: &Collector) -> Builder {
    measuring(collector)
        .env("KINGLET_FLUSH", "end")
        .env(PATIENT.0, PATIENT.1)
}

/// The points of this name, in the order of arrival.
pub fn named(collector: &Collector, name: &str) -> Vec<Point> {
    let mut points = collector.points();
    points.retain(|point| point.name == name);
    points
}

/// What all points of this name come to, added up. They must be sums, or histograms (whose sums count), of one unit.
pub fn total(collector: &Collector, name: &str) -> f64 {
    let points = named(collector, name);
    let is_additive = |point: &Point| !matches!(point.data, Data::Gauge(_));
    assert!(points.iter().all(is_additive), "{name}: {points:?}");
    let is_one = points.windows(2).all(|pair| pair[0].unit == pair[1].unit);
    assert!(is_one, "{name} has one unit: {points:?}");
    points.iter().map(Point::value).sum()
}

/// How many values all histograms of this name hold.
pub fn count(collector: &Collector, name: &str) -> u64 {
    named(collector, name).iter().map(Point::count).sum()
}

/// The one point of this name.
pub fn single(collector: &Collector, name: &str) -> Point {
    let points = named(collector, name);
    let [point] = points.as_slice() else {
        panic!("one point of {name}: {points:?} of {:?}", names(collector));
    };
    point.clone()
}

/// The names of all metrics that have come, each once.
pub fn names(collector: &Collector) -> Vec<String> {
    let mut names: Vec<String> = collector
        .points()
        .into_iter()
        .map(|point| point.name)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The counters, with balanced accounts of the data points, too:
/// points = resident + delivered + evicted + rejected + abandoned.
pub fn accounts(exit: &Exit) -> Counters {
    let counters = Counters::of(exit);
    let fates = [
        "points_resident",
        "points_delivered",
        "points_evicted",
        "points_rejected",
        "points_abandoned",
    ];
    let gone: u64 = fates.iter().map(|name| counters.get(name)).sum();
    assert_eq!(counters.get("points"), gone, "{counters:?}");
    assert_eq!(counters.get("points_resident"), 0, "{counters:?}");
    counters
}

/// The same, and every point has arrived.
pub fn accounts_without_losses(exit: &Exit, collector: &Collector) -> Counters {
    let counters = accounts(exit);
    assert_eq!(
        counters.get("points_delivered"),
        counters.get("points"),
        "{counters:?}"
    );
    assert_eq!(
        counters.get("points"),
        collector.points().len() as u64,
        "{counters:?}"
    );
    assert_eq!(counters.get("measurements_dropped"), 0, "{counters:?}");
    counters
}

/// Doubles that were added up in another order.
pub fn assert_close(found: f64, wanted: f64, what: &str) {
    let slack = 1e-9 * wanted.abs().max(1.0);
    assert!(
        (found - wanted).abs() <= slack,
        "{what}: {found}, wanted {wanted}"
    );
}
