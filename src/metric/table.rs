//! The table of metrics: measurements come in, and points go out at every flush. Between two flushes each series takes one
//! value, however often it is measured, so that a busy function costs no more bytes than a calm one.
//!
//! ```text
//! Measurement ─▶ identity ─▶ hash ─▶ series: a sum, gauge, histogram or set ─▶ drain ─▶ point ─▶ ring
//! ```
//!
//! Nothing is allocated before the first measurement, and nothing for one whose series is there. All bounds are in
//! [`crate::limits`]: what has no room is counted, and the table does not grow.
//!
//! A series stays after a drain, because it will probably be measured again. When room is needed, those that were not
//! measured since give way: at first all that would begin anew anyway, then gauges, the oldest first, because a gauge goes on
//! from where it stands. Cumulative sums and histograms stay for good.

mod change;
mod histogram;
mod identity;
mod members;
mod store;

use crate::clock::Wall;
use crate::format::point::{self, Kind, Temporality};
use crate::limits::{SERIES_BYTES_MAX, SERIES_CONVENTIONAL_MAX, SERIES_MAX, SET_MEMBERS_MAX};
use crate::metric::measurement::{Measurement, is_reserved};

use crate::text::hash::hash;
use change::{amount, change_value};
use members::Members;
use store::Store;

/// Points of sums start before they end, by a millisecond at least: that is how fine our clock and those of sources are.
const POINT_NANO_MIN: u64 = 1_000_000;
/// Gauges that give way at once, so that not each new series has to look for one.
const GAUGES_LEAVING: usize = 64;

pub struct Table {
    temporality: Temporality,
    /// Measurements that are in a series.
    pub taken: u64,
    /// Measurements that had no room.
    pub overflow: u64,
    /// Measurements that were none: no name or too long a one, too long an identity, a value that cannot be added.
    pub malformed: u64,
    /// What cumulative sums and histograms count from: the first measurement of all.
    start: Option<Wall>,
    /// What others count from: the last drain, or the first measurement of all.
    drained: Wall,
    oldest: Option<Wall>,
    store: Store,
    members: Members,
    /// Series measured since their last point, and the bytes of their identities.
    touched: usize,
    touched_bytes: usize,
    /// Some series can perhaps give way.
    has_idle: bool,
    /// The identity or the point at hand.
    scratch: Vec<u8>,
}

/// Why a measurement is in no series.
enum Refusal {
    Overflow,
    Malformed,
}

impl Table {
    #[must_use]
    pub const fn new(temporality: Temporality) -> Table {
        Table {
            temporality,
            taken: 0,
            overflow: 0,
            malformed: 0,
            start: None,
            drained: Wall(0),
            oldest: None,
            store: Store::new(),
            members: Members::new(),
            touched: 0,
            touched_bytes: 0,
            has_idle: false,
            scratch: Vec::new(),
        }
    }

    /// Takes a measurement into its series, or counts why not. Sorts its attributes.
    pub fn record(&mut self, measurement: &mut Measurement<'_, '_>, now: Wall) {
        if self.start.is_none() {
            self.drained = now;
        }
        match self.take(measurement) {
            Ok(()) => {
                self.taken += 1;
                self.start.get_or_insert(now);
                self.oldest.get_or_insert(now);
            }
            Err(Refusal::Overflow) => self.overflow += 1,
            Err(Refusal::Malformed) => self.malformed += 1,
        }
    }

    fn take(&mut self, measurement: &mut Measurement<'_, '_>) -> Result<(), Refusal> {
        let change = measurement.change;
        let amount = amount(&change);
        // No body can say infinity, nor what is no number.
        if !amount.is_finite() || !identity::write(&mut self.scratch, measurement) {
            return Err(Refusal::Malformed);
        }
        let hash = hash(&self.scratch, 0);
        let number = match self.store.find(hash, &self.scratch) {
            Some(number) => number,
            None => {
                // The platform's and kinglet's own, which a function with too many series must not push out.
                let more = if is_reserved(measurement.name) {
                    SERIES_CONVENTIONAL_MAX
                } else {
                    0
                };
                self.add_series(hash, change.kind(), more)?
            }
        };
        let mut entry = self.store.entry(number).ok_or(Refusal::Overflow)?;
        let is_touched = entry.series.is_touched;
        if !is_touched {
            entry.series.since = self.drained;
        }
        change_value(&mut entry, &change, amount, hash, &mut self.members)?;
        if !is_touched {
            entry.series.is_touched = true;
            self.touched += 1;
            self.touched_bytes += entry.identity.len();
        }
        Ok(())
    }

    /// `more`: so many series beyond the bound for all.
    fn add_series(&mut self, hash: u64, kind: Kind, more: usize) -> Result<usize, Refusal> {
        let (store, bytes) = (&mut self.store, self.scratch.len());
        if self.has_idle && !store.has_room(bytes, more) {
            let is_cumulative = self.temporality == Temporality::Cumulative;
            self.has_idle = store.retain(&mut |series| {
                series.is_touched
                    || match series.kind {
                        Kind::Gauge => true,
                        Kind::Set => false,
                        Kind::Sum { .. } | Kind::Histogram(_) => is_cumulative,
                    }
            });
            if !store.has_room(bytes, more) {
                let mut leaving = GAUGES_LEAVING;
                self.has_idle |= store.retain(&mut |series| {
                    let leaves = series.kind == Kind::Gauge && !series.is_touched && leaving > 0;
                    leaving -= usize::from(leaves);
                    !leaves
                });
            }
        }
        if !store.has_room(bytes, more) {
            return Err(Refusal::Overflow);
        }
        Ok(store.add(hash, &self.scratch, kind))
    }

    /// When the first measurement was taken since all that was drained; `None`: there is nothing to drain.
    #[must_use]
    pub const fn oldest(&self) -> Option<Wall> {
        self.oldest
    }

    /// How many points a drain gives.
    #[must_use]
    pub const fn touched(&self) -> usize {
        self.touched
    }

    /// Most of some room is taken by what a drain would free: better drain soon.
    #[must_use]
    pub const fn is_nearly_full(&self) -> bool {
        self.touched > SERIES_MAX / 4 * 3
            || self.touched_bytes > SERIES_BYTES_MAX / 4 * 3
            || self.members.count() > SET_MEMBERS_MAX / 4 * 3
    }

    /// Gives each series that was measured since its last point as one point, and begins it anew, if `emit` takes that. What is
    /// not taken goes on gathering.
    pub fn drain(&mut self, now: Wall, emit: &mut dyn FnMut(&[u8]) -> bool) {
        let Some(start) = self.start else { return };
        if self.oldest.is_some() {
            (self.touched, self.touched_bytes, self.has_idle) = (0, 0, true);
            let mut has_set = false;
            for number in 0..self.store.len() {
                has_set |= self.drain_series(number, start, now, emit);
            }
            // A time does not come again.
            self.store
                .retain(&mut |series| series.is_touched || !series.is_timed);
            if !has_set {
                self.members.clear();
            }
            if self.touched == 0 {
                self.oldest = None;
            }
        }
        self.drained = now;
    }

    /// True if it is a set whose point is not taken.
    fn drain_series(
        &mut self,
        number: usize,
        start: Wall,
        now: Wall,
        emit: &mut dyn FnMut(&[u8]) -> bool,
    ) -> bool {
        let Some(entry) = self.store.entry(number) else {
            return false;
        };
        let series = entry.series;
        if !series.is_touched {
            return false;
        }
        let own_time = point::identity_time(entry.identity);
        let time = if own_time > 0 {
            own_time
        } else {
            now.unix_nano()
        };
        let latest_start = time.saturating_sub(POINT_NANO_MIN);
        let is_cumulative = self.temporality == Temporality::Cumulative;
        let start = match is_cumulative {
            _ if own_time > 0 => latest_start,
            true => latest_start.min(start.unix_nano()),
            false => latest_start.min(series.since.unix_nano()),
        };
        let out = &mut self.scratch;
        out.clear();
        for part in [
            start.to_le_bytes().as_slice(),
            &time.to_le_bytes(),
            &[self.temporality as u8],
            entry.identity,
        ] {
            out.extend_from_slice(part);
        }
        let value = [series.value.to_bits()];
        let values = entry
            .histogram
            .as_deref()
            .map_or(value.as_slice(), |values| values);
        for value in values {
            out.extend_from_slice(&value.to_le_bytes());
        }
        if !emit(out) {
            self.touched += 1;
            self.touched_bytes += entry.identity.len();
            return series.kind == Kind::Set;
        }
        series.is_touched = false;
        let is_kept = is_cumulative && series.kind != Kind::Set;
        if !is_kept && series.kind != Kind::Gauge {
            series.value = 0.0;
            if let Some(histogram) = entry.histogram {
                *histogram = histogram::EMPTY;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
