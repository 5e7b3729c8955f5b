//! What kinglet's start may cost: hardly more than the least that any extension needs.

use serde::Serialize;

use super::report::{Measured, Report};

const TIMES_THE_FLOOR_MAX: f64 = 1.25;
const MEMORY_PEAK_KB_MAX: f64 = 512.0;

#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Bar {
    pub(crate) what: &'static str,
    pub(crate) is: f64,
    pub(crate) at_most: f64,
    /// Of `is` and `at_most`.
    pub(crate) unit: &'static str,
    pub(crate) met: bool,
}

/// For the first extension, starting from the page cache. What could not be measured has no bar.
pub(crate) fn bars(report: &Report) -> Vec<Bar> {
    let (Some(first), floor) = (report.extensions.first(), report.floor()) else {
        return Vec::new();
    };
    let times_the_floor = |what, of: fn(&Measured) -> Option<f64>| {
        Some(bar(
            what,
            of(first)? / of(floor?)?,
            TIMES_THE_FLOOR_MAX,
            "× floor",
        ))
    };
    let peak = first.warm.memory_peak_kb.map(|peak| peak.median);
    let all = [
        times_the_floor("exec → register", |one| {
            Some(one.warm.register_ms?.median)
        }),
        times_the_floor("exec → next", |one| Some(one.warm.next_ms?.median)),
        peak.map(|peak| bar("peak memory at next", peak, MEMORY_PEAK_KB_MAX, " kB")),
    ];
    all.into_iter().flatten().collect()
}

fn bar(what: &'static str, is: f64, at_most: f64, unit: &'static str) -> Bar {
    Bar {
        what,
        is,
        at_most,
        unit,
        met: is <= at_most,
    }
}
