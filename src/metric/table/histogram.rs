//! The buckets of a histogram.

use crate::format::point::Bounds;
use crate::format::point::Histogram;
use crate::limits::HISTOGRAM_BUCKETS_MAX;

const MIB: f64 = 1_048_576.0;

/// OpenTelemetry SDK specification, "Explicit Bucket Histogram Aggregation".
static DEFAULT: [f64; HISTOGRAM_BUCKETS_MAX - 1] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0,
    10_000.0,
];
/// OpenTelemetry semantic conventions, "FaaS metrics": durations.
static SECONDS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Lambda's memory is 128 MiB to 10 GiB; a function may use less.
static MEMORY: [f64; 13] = [
    16.0 * MIB,
    32.0 * MIB,
    64.0 * MIB,
    128.0 * MIB,
    256.0 * MIB,
    512.0 * MIB,
    768.0 * MIB,
    1024.0 * MIB,
    2048.0 * MIB,
    3072.0 * MIB,
    4096.0 * MIB,
    6144.0 * MIB,
    8192.0 * MIB,
];
/// Payloads: an answer of Lambda's is up to 6 MB, a streamed one longer.
static SIZE: [f64; 10] = [
    64.0,
    256.0,
    1024.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    MIB,
    4.0 * MIB,
    16.0 * MIB,
];

impl Bounds {
    /// Upper ends of all buckets but the last, which has none. Each belongs to the bucket below it.
    #[must_use]
    pub fn boundaries(self) -> &'static [f64] {
        match self {
            Bounds::Default => &DEFAULT,
            Bounds::Seconds => &SECONDS,
            Bounds::Memory => &MEMORY,
            Bounds::Size => &SIZE,
        }
    }
}

pub const EMPTY: Histogram = [0; size_of::<Histogram>() / 8];

/// Takes a value so many times; together that is `amount`. False, and nothing changes, if that is more than the numbers hold.
pub fn observe(
    histogram: &mut Histogram,
    value: f64,
    times: u64,
    amount: f64,
    bounds: Bounds,
) -> bool {
    let [count, sum, min, max, buckets @ ..] = histogram;
    let new_sum = f64::from_bits(*sum) + amount;
    let below = bounds.boundaries().iter().filter(|bound| value > **bound);
    let (Some(new_count), Some(bucket)) =
        (count.checked_add(times), buckets.get_mut(below.count()))
    else {
        return false;
    };
    if !new_sum.is_finite() {
        return false;
    }
    if *count == 0 || value < f64::from_bits(*min) {
        *min = value.to_bits();
    }
    if *count == 0 || value > f64::from_bits(*max) {
        *max = value.to_bits();
    }
    (*count, *sum) = (new_count, new_sum.to_bits());
    // No bucket has more than all.
    *bucket += times;
    true
}
