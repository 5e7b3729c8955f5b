//! What kinglet itself costs and does, as metrics: whoever pays for an extension should see what for.
//!
//! They go out with other metrics, and never are the reason for a flush: each flush would be the reason for the next.

use crate::format::point::Bounds;
use crate::limits::FLUSHES_TOLD_MAX;
use crate::metric::measurement::{Attribute, Change, Measurement, Sink};
use crate::queue::ledger::Ledger;
use crate::queue::ring::Ring;
use crate::queue::route::{ROUTES, RouteId};
use crate::text::decimal;
use crate::text::delimited::parts;

/// What is told besides the accounts.
pub struct Snapshot {
    /// CPU time of the process so far.
    pub cpu_us: u64,
    /// Largest resident memory of the process so far.
    pub resident_kilobytes_max: u64,
    /// The breaker of the route is not closed.
    pub is_open: [bool; ROUTES],
}

/// Remembers what was told, because sums grow by what is new.
#[derive(Default)]
pub struct SelfMetrics {
    /// When the process began, until that is of no use.
    began_us: u64,
    /// From there to the first next; taken when told.
    init_us: Option<u64>,
    flushes_ms: Vec<u64>,
    told: [u64; SUMS.len() + ROUTES * FATES.len()],
}

/// Name, unit, attribute, and how many of what is counted are one of the unit.
type Sum = (&'static [u8], &'static [u8], Attribute<'static>, f64);

const RECORDS: &[u8] = b"kinglet.records";
const BYTES: &[u8] = b"kinglet.io";
const RECORD: &[u8] = b"{record}";
const FATE: &[u8] = b"kinglet.fate";
const DIRECTION: &[u8] = b"kinglet.direction";
const SIGNAL: &[u8] = b"kinglet.signal";
const NONE: Attribute<'static> = (b"", b"");

const SUMS: [Sum; 12] = [
    (b"kinglet.cpu.time", b"s", NONE, 1e6),
    (b"kinglet.held", b"s", NONE, 1e3),
    (b"kinglet.posts", b"{post}", NONE, 1.0),
    (b"kinglet.posts.failed", b"{post}", NONE, 1.0),
    (BYTES, b"By", (DIRECTION, b"received"), 1.0),
    (BYTES, b"By", (DIRECTION, b"sent"), 1.0),
    (RECORDS, RECORD, (FATE, b"received"), 1.0),
    (RECORDS, RECORD, (FATE, b"filtered"), 1.0),
    (RECORDS, RECORD, (FATE, b"malformed"), 1.0),
    (
        b"kinglet.measurements",
        b"{measurement}",
        (FATE, b"malformed"),
        1.0,
    ),
    (
        b"kinglet.measurements",
        b"{measurement}",
        (FATE, b"dropped"),
        1.0,
    ),
    (b"kinglet.datagrams.dropped", b"{datagram}", NONE, 1.0),
];

/// What is told of each route's frames.
const FATES: [&[u8]; 3] = [b"delivered", b"evicted", b"rejected"];

impl SelfMetrics {
    /// `began_us`: when the process began, on any clock.
    #[must_use]
    pub fn new(began_us: u64) -> SelfMetrics {
        SelfMetrics {
            began_us,
            ..SelfMetrics::default()
        }
    }

    /// The first next was asked then, on the same clock.
    pub const fn initialized(&mut self, now_us: u64) {
        self.init_us = Some(now_us.saturating_sub(self.began_us));
    }

    /// A POST has taken so long.
    pub fn flushed(&mut self, ms: u64) {
        if self.flushes_ms.len() < FLUSHES_TOLD_MAX {
            self.flushes_ms.push(ms);
        }
    }

    /// Tells what is new.
    pub fn measure(&mut self, ledger: &Ledger, ring: &Ring, snapshot: &Snapshot, sink: Sink<'_>) {
        let values: [u64; SUMS.len()] = [
            snapshot.cpu_us,
            ledger.held_ms,
            ledger.posts,
            ledger.posts_failed,
            ledger.bytes_received,
            ledger.bytes_sent,
            ledger.received,
            ledger.filtered,
            ledger.malformed,
            ledger.measurements_malformed,
            ledger.measurements_dropped,
            ledger.datagrams_dropped,
        ];
        let mut told = self.told.iter_mut();
        for (sum, value) in SUMS.iter().zip(&values) {
            grow(sink, sum, told.next(), *value);
        }
        for route in RouteId::all() {
            let (name, unit) = route.facts().metric;
            let fate = ring.fate(route);
            let values = [fate.delivered, fate.evicted, fate.rejected];
            for (word, value) in FATES.iter().zip(&values) {
                grow(sink, &(name, unit, (FATE, word), 1.0), told.next(), *value);
            }
        }
        for ms in self.flushes_ms.drain(..) {
            let change = Change::Observe {
                value: ms as f64 / 1e3,
                times: 1,
                bounds: Bounds::Seconds,
            };
            tell(sink, b"kinglet.flush.duration", b"s", NONE, change);
        }
        let mut gauge = |name: &[u8], unit: &[u8], attribute, value: u64, parts| {
            let state = Change::Set(value as f64 / parts);
            tell(sink, name, unit, attribute, state);
        };
        let resident = snapshot.resident_kilobytes_max * 1024;
        gauge(b"kinglet.memory.resident.max", b"By", NONE, resident, 1.0);
        if let Some(us) = self.init_us.take() {
            gauge(b"kinglet.init.duration", b"s", NONE, us, 1e6);
        }
        for (route, is_open) in RouteId::all().zip(&snapshot.is_open) {
            let attribute = (SIGNAL, route.facts().name);
            let is_open = u64::from(*is_open);
            gauge(b"kinglet.breaker.open", b"1", attribute, is_open, 1.0);
        }
    }
}

/// Tells by how much a sum is larger than when it was told last.
fn grow(sink: Sink<'_>, sum: &Sum, told: Option<&mut u64>, value: u64) {
    let (name, unit, attribute, parts) = *sum;
    let told = told.map_or(value, |told| core::mem::replace(told, value));
    let new = value.saturating_sub(told);
    let change = Change::Add {
        value: new as f64 / parts,
        is_monotonic: true,
    };
    if new > 0 {
        tell(sink, name, unit, attribute, change);
    }
}

fn tell(sink: Sink<'_>, name: &[u8], unit: &[u8], attribute: Attribute<'_>, change: Change<'_>) {
    // The table leaves out an attribute without a key.
    sink(&mut Measurement {
        name,
        unit,
        attributes: &mut [attribute],
        is_escaped: true,
        time_unix_nano: 0,
        change,
    });
}

/// The largest resident memory of a process in kilobytes, by the text of its `/proc/self/status`; 0 when that does not tell.
/// `getrusage` tells what the process was that has started us, and Lambda's is larger than we are.
#[must_use]
pub fn peak_kilobytes(status: &[u8]) -> u64 {
    let mut lines = parts(status, b'\n');
    let peak = lines.find_map(|line| line.strip_prefix(b"VmHWM:")?.strip_suffix(b" kB"));
    peak.and_then(|peak| decimal::parse(peak.trim_ascii()))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Wall;
    use crate::queue::route::LOGS;

    #[test]
    fn the_peak_is_read() {
        let status =
            b"Name:\tkinglet\nVmPeak:\t    1024 kB\nVmHWM:\t     308 kB\nVmRSS:\t 300 kB\n";
        assert_eq!(peak_kilobytes(status), 308);
        for untold in [b"".as_slice(), b"VmHWM:\t308", b"VmHWM:\tmuch kB\n"] {
            assert_eq!(peak_kilobytes(untold), 0);
        }
    }

    fn told(metrics: &mut SelfMetrics, ledger: &Ledger, ring: &Ring, cpu_us: u64) -> Vec<String> {
        let mut told = Vec::new();
        let snapshot = Snapshot {
            cpu_us,
            resident_kilobytes_max: 1000,
            is_open: [true, false],
        };
        metrics.measure(ledger, ring, &snapshot, &mut |measurement| {
            let name = String::from_utf8_lossy(measurement.name).into_owned();
            let attribute = String::from_utf8_lossy(measurement.attributes[0].1).into_owned();
            told.push(match measurement.change {
                Change::Add { value, .. } => format!("{name} {attribute} +{value}"),
                Change::Set(value) => format!("{name} {attribute} ={value}"),
                Change::Observe { value, .. } => format!("{name} {attribute} ~{value}"),
                other => panic!("{other:?}"),
            });
        });
        told
    }

    #[test]
    fn sums_grow_by_what_is_new() {
        let mut metrics = SelfMetrics::new(1000);
        metrics.initialized(3500);
        let mut ledger = Ledger {
            received: 10,
            held_ms: 250,
            ..Ledger::default()
        };
        let mut ring = Ring::new(1024);
        for _ in 0..7 {
            ring.push(LOGS, Wall(0), b"");
        }
        ring.begin_flight_of(LOGS, 0, 6);
        ring.end_flight(LOGS, u64::MAX, 0);
        metrics.flushed(30);
        assert_eq!(
            told(&mut metrics, &ledger, &ring, 1500),
            [
                "kinglet.cpu.time  +0.0015",
                "kinglet.held  +0.25",
                "kinglet.records received +10",
                "kinglet.records delivered +7",
                "kinglet.flush.duration  ~0.03",
                "kinglet.memory.resident.max  =1024000",
                "kinglet.init.duration  =0.0025",
                "kinglet.breaker.open logs =1",
                "kinglet.breaker.open metrics =0",
            ]
        );
        ledger.received += 2;
        assert_eq!(
            told(&mut metrics, &ledger, &ring, 1500),
            [
                "kinglet.records received +2",
                "kinglet.memory.resident.max  =1024000",
                "kinglet.breaker.open logs =1",
                "kinglet.breaker.open metrics =0",
            ]
        );
    }

    #[test]
    fn the_list_of_flushes_is_bounded() {
        let mut metrics = SelfMetrics::default();
        (0..1000).for_each(|ms| metrics.flushed(ms));
        assert_eq!(metrics.flushes_ms.len(), FLUSHES_TOLD_MAX);
    }
}
