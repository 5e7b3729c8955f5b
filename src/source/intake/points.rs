//! From the table of metrics into the ring: when, and how many points at once.

use super::Intake;
use crate::clock::Wall;
use crate::format::point::Point;
use crate::limits::{HIGH_WATER_PERCENT, METRIC_ROOM_PERCENT, POINTS_PERCENT};
use crate::metric::table::Table;
use crate::queue::route::{METRICS, RouteId};

impl Intake {
    /// Since when something of a route waits, and whether there is little room left for more of it.
    #[must_use]
    pub fn waiting(&self, route: RouteId) -> (Option<Wall>, bool) {
        if route == METRICS {
            return (self.oldest_measurement(), self.is_nearly_full());
        }
        let ring = &self.ring;
        let high_water = ring.capacity() / 100 * HIGH_WATER_PERCENT;
        // What is settled behind a frame that waits takes room, too.
        let used = ring.capacity() - ring.room();
        (ring.oldest(route), used >= high_water)
    }

    /// When the oldest of the metrics was measured that nobody has answered for yet. `None`: there are none, or no room to
    /// send them.
    #[must_use]
    pub fn oldest_measurement(&self) -> Option<Wall> {
        let resident = self.ring.oldest(METRICS);
        resident.or_else(|| self.oldest_drainable())
    }

    fn oldest_drainable(&self) -> Option<Wall> {
        let measured = self.metrics.as_ref().and_then(Table::oldest);
        measured.filter(|_| self.ring.has_room(self.point_bytes))
    }

    /// The table of metrics should be emptied soon.
    #[must_use]
    pub fn is_nearly_full(&self) -> bool {
        self.metrics.as_ref().is_some_and(Table::is_nearly_full)
    }

    /// Something was measured that this route takes, and all data points before it have left the ring. Until then the table goes
    /// on gathering: while a collector is down, points do not pile up.
    #[must_use]
    pub fn may_drain(&self, route: RouteId) -> bool {
        let is_sent = self.ring.oldest(METRICS).is_none();
        route == METRICS && is_sent && self.oldest_drainable().is_some()
    }

    /// All that had been measured at the last drain found room.
    #[must_use]
    pub const fn is_drained(&self) -> bool {
        self.point_bytes == 0
    }

    /// Puts what was measured into the ring, as data points: as many as there is room for without evicting anything, and no more
    /// than leave the logs theirs. The others go on gathering in the table.
    #[inline(never)]
    pub fn drain_metrics(&mut self, now: Wall) {
        let Some(metrics) = &mut self.metrics else {
            return;
        };
        let (ring, format) = (&mut self.ring, self.format);
        let mut encoded = Vec::new();
        let percent = ring.capacity() / 100;
        let mut left_bytes = percent * POINTS_PERCENT;
        let mut needed_bytes = usize::MAX;
        metrics.drain(now, &mut |point| {
            let Some(point) = Point::read(point) else {
                debug_assert!(false, "the table writes points");
                return true;
            };
            encoded.clear();
            format.point(&mut encoded, &point);
            let point = encoded.as_slice();
            let fits = point.len() <= left_bytes && ring.has_room(point.len());
            if fits {
                left_bytes -= point.len();
                ring.push(METRICS, now, point);
            } else {
                needed_bytes = needed_bytes.min(point.len());
            }
            fits
        });
        // Room for one is there soon again; a POST should have more to carry.
        self.point_bytes = if needed_bytes == usize::MAX {
            0
        } else {
            needed_bytes.max(percent * METRIC_ROOM_PERCENT / 2)
        };
    }
}
