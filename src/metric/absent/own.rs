//! What stands for kinglet's own cost without the feature `metrics`: it is not told.

use crate::metric::measurement::Sink;
use crate::queue::ledger::Ledger;
use crate::queue::ring::Ring;
use crate::queue::route::ROUTES;

pub struct Snapshot {
    pub cpu_us: u64,
    pub resident_kilobytes_max: u64,
    pub is_open: [bool; ROUTES],
}

pub struct SelfMetrics;

impl SelfMetrics {
    #[must_use]
    pub const fn new(_began_us: u64) -> SelfMetrics {
        SelfMetrics
    }

    pub const fn initialized(&mut self, _now_us: u64) {}

    pub const fn flushed(&mut self, _ms: u64) {}

    pub const fn measure(
        &mut self,
        _ledger: &Ledger,
        _ring: &Ring,
        _snapshot: &Snapshot,
        _sink: Sink<'_>,
    ) {
    }
}

#[must_use]
pub const fn peak_kilobytes(_status: &[u8]) -> u64 {
    0
}
