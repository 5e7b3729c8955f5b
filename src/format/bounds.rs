//! The bucket boundaries of histograms.

use crate::limits::HISTOGRAM_BUCKETS_MAX;

/// The bucket boundaries of a histogram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bounds {
    /// OpenTelemetry's default: 0 to 10,000, made for milliseconds.
    Default,
    /// Those of the FaaS conventions for durations: 5 ms to 10 s, in seconds.
    Seconds,
    /// Memory: 16 MiB to 8 GiB, in bytes.
    Memory,
    /// Payloads: 64 bytes to 16 MiB, each four times the one before, in bytes. Lambda's answers are up to 6 MB, streamed ones
    /// longer.
    Size,
}

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
