//! The way in: events and measurements to records and points in the ring, counted.
//!
//! The [`Intake`] is shared by all sources and owns the ring, the accounts and what the telemetry stream has said so far.

mod points;

use crate::clock::Wall;
use crate::format::Format;
use crate::format::resource::Resource;
use crate::lambda::request_id::RequestId;
use crate::limits::PLAIN_RECORD_BYTES_MIN;
use crate::metric::measurement::{Measurement, Sink};
use crate::metric::own::{SelfMetrics, Snapshot};
use crate::metric::table::Table;
use crate::queue::ledger::{Ledger, Losses};
use crate::queue::ring::Ring;
use crate::queue::route::{LOGS, METRICS, RouteId};
use crate::source::event::{Observation, Reader, Verdict};
use crate::source::statsd;
use crate::text::json::Element;

/// What the telemetry stream has said since it was asked last. Only the latest of each kind matters: of two starts
/// the earlier invocation is over.
#[derive(Clone, Copy, Debug, Default)]
pub struct Observed {
    pub received: bool,
    pub started: Option<RequestId>,
    /// With success or not, and the time of the event by its own account.
    pub done: Option<(RequestId, bool, Wall)>,
    pub reported: Option<RequestId>,
}

pub struct Intake {
    pub ring: Ring,
    pub ledger: Ledger,
    pub resource: Resource,
    /// There is somewhere to send records to.
    ships_logs: bool,
    /// `None`: there is nowhere to send metrics to.
    metrics: Option<Table>,
    /// What a point needs that found no room at the last drain. 0: all had room.
    point_bytes: usize,
    /// Of data points.
    format: &'static dyn Format,
    reader: Reader,
    observed: Observed,
    /// The invocation that was started last, until a `runtimeDone` comes.
    open: Option<RequestId>,
    /// It has not come before what follows it: the report of its invocation, or another start. Until one comes again.
    pub is_done_missing: bool,
    /// Losses that a collector has been told of.
    told: Losses,
    /// StatsD lines that could not be read.
    statsd_malformed: u64,
}

/// Records a measurement if there is somewhere to send it to.
fn record(metrics: &mut Option<Table>, measurement: &mut Measurement<'_, '_>, now: Wall) {
    if let Some(table) = metrics {
        table.record(measurement, now);
    }
}

/// Puts the reader's record into the ring.
fn keep(reader: &mut Reader, ring: &mut Ring, ledger: &mut Ledger, now: Wall) {
    ledger.cut += u64::from(reader.is_cut());
    ring.push(LOGS, now, reader.record());
}

impl Intake {
    #[must_use]
    pub fn new(
        mut ring: Ring,
        reader: Reader,
        resource: Resource,
        ships_logs: bool,
        metrics: Option<Table>,
        format: &'static dyn Format,
    ) -> Intake {
        if metrics.is_some() {
            ring.keep_room();
        }
        Intake {
            ring,
            ledger: Ledger::default(),
            resource,
            ships_logs,
            metrics,
            point_bytes: 0,
            format,
            reader,
            observed: Observed::default(),
            open: None,
            is_done_missing: false,
            told: Losses::default(),
            statsd_malformed: 0,
        }
    }

    /// What was observed since the last call.
    pub fn take_observed(&mut self) -> Observed {
        core::mem::take(&mut self.observed)
    }

    /// The time of the event that was read last, by its own account.
    #[must_use]
    pub const fn latest(&self) -> Wall {
        Wall(self.reader.latest_unix_nano / 1_000_000)
    }

    /// Losses that no collector knows of yet.
    #[must_use]
    pub fn untold_losses(&self) -> Losses {
        let all = self.ledger.losses(&self.ring);
        Losses {
            evicted: all.evicted - self.told.evicted,
            rejected: all.rejected - self.told.rejected,
            malformed: all.malformed - self.told.malformed,
        }
    }

    /// A collector has accepted a record of these losses.
    pub const fn losses_told(&mut self, losses: Losses) {
        self.told.evicted += losses.evicted;
        self.told.rejected += losses.rejected;
        self.told.malformed += losses.malformed;
    }

    /// Takes one event.
    #[inline(never)]
    pub(super) fn event(&mut self, element: &Element<'_>, now: Wall) {
        self.ledger.received += 1;
        let metrics = &mut self.metrics;
        let sink: Sink<'_> = &mut |measurement| record(metrics, measurement, now);
        let (verdict, observation) = self.reader.read(element, now, &mut self.resource, sink);
        match verdict {
            Verdict::Record => self.keep(now),
            Verdict::Filtered => self.ledger.filtered += 1,
            Verdict::Malformed => self.ledger.malformed += 1,
        }
        self.observed.received |= verdict != Verdict::Malformed;
        match observation {
            Observation::Nothing => {}
            Observation::Started(id) => {
                // Events may be delivered twice.
                self.is_done_missing |= self.open.is_some_and(|open| open != id);
                self.open = Some(id);
                self.observed.started = Some(id);
            }
            Observation::Done { id, success } => {
                (self.open, self.is_done_missing) = (None, false);
                self.observed.done = Some((id, success, self.latest()));
            }
            Observation::Reported(id) => {
                self.is_done_missing |= self.open == Some(id);
                self.observed.reported = Some(id);
            }
        }
    }

    /// Takes the event at the beginning of `bytes` the short way; see [`Reader::plain_line`].
    pub(super) fn plain_line(&mut self, bytes: &[u8], now: Wall) -> Option<usize> {
        let place = self.ring.grant(PLAIN_RECORD_BYTES_MIN)?;
        let (taken, written) = self.reader.plain_line(bytes, now, &self.resource, place)?;
        self.ledger.received += 1;
        self.observed.received = true;
        self.ring.commit(LOGS, now, written);
        Some(taken)
    }

    /// Puts the reader's record into the ring, if there is somewhere to send it to: there it would stay.
    fn keep(&mut self, now: Wall) {
        if !self.ships_logs {
            self.ledger.filtered += 1;
            return;
        }
        keep(&mut self.reader, &mut self.ring, &mut self.ledger, now);
    }

    /// Takes StatsD datagrams. Their events and service checks become records.
    #[inline(never)]
    pub fn datagrams(&mut self, datagrams: &[&[u8]], now: Wall) {
        let Intake {
            ring,
            ledger,
            metrics,
            reader,
            ships_logs,
            resource,
            ..
        } = self;
        ledger.datagrams += datagrams.len() as u64;
        let sink: Sink<'_> = &mut |measurement| record(metrics, measurement, now);
        let malformed = statsd::read(datagrams, sink, &mut |log| {
            ledger.received += 1;
            match reader.statsd(log, now, resource) {
                Verdict::Record if *ships_logs => keep(reader, ring, ledger, now),
                _ => ledger.filtered += 1,
            }
        });
        self.statsd_malformed += malformed;
    }

    /// Adds what kinglet itself has cost to the metrics.
    pub fn measure_own(&mut self, own: &mut SelfMetrics, snapshot: &Snapshot, now: Wall) {
        self.settle_accounts();
        let metrics = &mut self.metrics;
        own.measure(&self.ledger, &self.ring, snapshot, &mut |measurement| {
            record(metrics, measurement, now);
        });
    }

    /// Counts what the ring still holds, and what was measured last: nobody takes them any more.
    pub fn abandon_all(&mut self) {
        self.settle_accounts();
        let measured = self.metrics.as_ref().map_or(0, Table::touched) as u64;
        self.ring.abandon(METRICS, measured);
        for route in RouteId::all() {
            self.ring.abandon(route, 0);
        }
    }

    /// Brings the counters up to date that others keep.
    pub fn settle_accounts(&mut self) {
        let ledger = &mut self.ledger;
        ledger.platform_dropped = self.reader.platform_dropped;
        ledger.measurements_malformed = self.reader.measurements_malformed + self.statsd_malformed;
        if let Some(metrics) = &self.metrics {
            ledger.measurements_malformed += metrics.malformed;
            ledger.measurements_dropped = metrics.overflow;
        }
    }

    /// Counts a body that was not an array of events to its end.
    pub(super) const fn broken_body(&mut self) {
        self.ledger.received += 1;
        self.ledger.malformed += 1;
    }
}

#[cfg(test)]
#[cfg(all(feature = "metrics", feature = "json"))]
mod tests;
