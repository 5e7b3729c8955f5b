//! Routes: the ways that frames go, each to one collector in one format. What is sent on one says nothing about the others.
//!
//! All that differs between them is a row of one table; what loops over routes asks the row.

use crate::clock::Wall;
use crate::lambda::lifecycle::BreakerState;
use crate::queue::breaker::Breaker;
use crate::queue::signal::Signal;

/// What is true of a route for good.
pub struct Facts {
    pub signal: Signal,
    /// As an attribute's value.
    pub name: &'static [u8],
    /// Name and unit of the metric that tells what became of its frames.
    pub metric: (&'static [u8], &'static [u8]),
    /// Names of its counters in the last line: what is resident, delivered, evicted, rejected and abandoned, and if it is told
    /// all that came.
    pub counters: &'static str,
    /// Its frames take the place of older ones in a full ring, whosever those are. Others find room or are not made.
    pub evicts: bool,
    /// Its batches tell of what was lost.
    pub tells_losses: bool,
}

const TABLE: [Facts; 2] = [
    Facts {
        signal: Signal::Log,
        name: b"logs",
        metric: (b"kinglet.records", b"{record}"),
        counters: "resident delivered evicted rejected abandoned",
        evicts: true,
        tells_losses: true,
    },
    Facts {
        signal: Signal::Metric,
        name: b"metrics",
        metric: (b"kinglet.points", b"{point}"),
        counters: "points_resident points_delivered points_evicted points_rejected points_abandoned points",
        evicts: false,
        tells_losses: false,
    },
];

/// How many there are.
pub const ROUTES: usize = TABLE.len();

/// A route's place in every array of routes, and in the header of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RouteId(pub u8);

pub const LOGS: RouteId = RouteId(0);
pub const METRICS: RouteId = RouteId(1);

impl RouteId {
    /// All of them, in order.
    pub fn all() -> impl Iterator<Item = RouteId> {
        (0..ROUTES as u8).map(RouteId)
    }

    #[must_use]
    pub fn facts(self) -> &'static Facts {
        self.of(&TABLE)
    }

    /// What is this route's of an array.
    #[must_use]
    pub fn of<T>(self, each: &[T; ROUTES]) -> &T {
        let [first, others @ ..] = each;
        others.get(self.behind_first()).unwrap_or(first)
    }

    /// See [`RouteId::of`].
    pub fn of_mut<T>(self, each: &mut [T; ROUTES]) -> &mut T {
        let [first, others @ ..] = each;
        others.get_mut(self.behind_first()).unwrap_or(first)
    }

    fn behind_first(self) -> usize {
        usize::from(self.0).wrapping_sub(1)
    }
}

/// How a route fares.
#[derive(Clone, Copy, Debug, Default)]
pub struct Route {
    /// It leads somewhere.
    pub is_open: bool,
    pub breaker: Breaker,
    /// A POST has failed in SHUTDOWN: no other is tried.
    pub is_given_up: bool,
}

/// Whether room in a full ring can be expected: of what makes it full all is taken.
#[must_use]
pub fn can_drain(routes: &[Route; ROUTES], now: Wall) -> bool {
    RouteId::all().all(|id| {
        let is_closed = id.of(routes).breaker.state(now) == BreakerState::Closed;
        is_closed || !id.facts().evicts
    })
}

/// What has become of a route's frames. At every moment `entered` is what the ring holds and all others together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fate {
    /// All that were ever made.
    pub entered: u64,
    /// Answered with a 2xx.
    pub delivered: u64,
    /// Overwritten in a full ring.
    pub evicted: u64,
    /// Refused by the collector for good.
    pub rejected: u64,
    /// Still unsent at exit.
    pub abandoned: u64,
}

impl Fate {
    /// Those that are not in the ring any more.
    #[must_use]
    pub const fn gone(&self) -> u64 {
        self.delivered + self.evicted + self.rejected + self.abandoned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_its_own_place_and_a_foreign_one_the_first() {
        let mut each: [u8; ROUTES] = core::array::from_fn(|place| place as u8);
        for id in RouteId::all() {
            assert_eq!((*id.of(&each), *id.of_mut(&mut each)), (id.0, id.0));
        }
        assert_eq!(*RouteId(ROUTES as u8).of(&each), 0);
        assert_eq!(*RouteId(u8::MAX).of_mut(&mut each), 0);
    }

    /// Only what fills the ring counts: a collector of metrics that is down leaves the logs theirs.
    #[test]
    fn a_ring_can_drain_while_those_that_fill_it_are_taken() {
        let now = Wall(1_000_000);
        for id in RouteId::all() {
            let mut routes = [Route::default(); ROUTES];
            assert!(can_drain(&routes, now));
            id.of_mut(&mut routes).breaker.open(now, None, 0);
            assert_eq!(can_drain(&routes, now), !id.facts().evicts);
            // Half-open is not closed.
            assert_eq!(can_drain(&routes, now.plus(10_000)), !id.facts().evicts);
        }
    }

    #[test]
    fn a_route_has_names_of_its_own() {
        let mut names = Vec::new();
        for id in RouteId::all() {
            let facts = id.facts();
            names.extend(facts.counters.split(' ').map(str::as_bytes));
            names.extend([facts.name, facts.metric.0]);
            assert!([5, 6].contains(&facts.counters.split(' ').count()));
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
