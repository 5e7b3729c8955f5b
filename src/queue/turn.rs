//! Whose turn it is: which route is to be sent next, and how long its POST may take.

use crate::clock::{Clocks, Mono, Wall};
use crate::lambda::lifecycle::BreakerState;
use crate::limits::SHUTDOWN_OPEN_MS_MAX;
use crate::queue::route::{ROUTES, RouteId};

/// A route that has something to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub route: RouteId,
    pub breaker: BreakerState,
    /// There is little room left for more of it.
    pub is_urgent: bool,
    /// Since when; `None`: for long.
    pub oldest: Option<Wall>,
}

impl Waiting {
    fn goes_before(&self, other: &Waiting) -> bool {
        let rank = |waiting: &Waiting| match waiting.breaker {
            BreakerState::Closed => (0, Wall(0)),
            BreakerState::HalfOpen => (1, Wall(0)),
            BreakerState::Open { until } => (2, until),
        };
        let order = |waiting: &Waiting| (rank(waiting), !waiting.is_urgent, waiting.oldest);
        order(self) < order(other)
    }
}

/// The one whose turn it is: one whose collector is well before one that has failed, then one that needs room, then the one that
/// has waited longest, then the first.
#[must_use]
pub fn first(all: &[Option<Waiting>; ROUTES]) -> Option<&Waiting> {
    let mut first = None;
    for each in all.iter().flatten() {
        if first.is_none_or(|first| each.goes_before(first)) {
            first = Some(each);
        }
    }
    first
}

/// What else bounds a POST.
#[derive(Clone, Copy, Debug)]
pub struct PostBounds {
    /// Everything ends then: it is SHUTDOWN.
    pub end: Option<Mono>,
    pub is_closed: bool,
    /// Another route has something to send.
    pub others_wait: bool,
}

/// When a POST has to end that may last until then. In SHUTDOWN one try through a breaker that is not closed is short; and while
/// others wait, it has half of what is left, but 500 ms at least: a collector that hangs must not cost the others their turn.
#[must_use]
pub fn post_until(until: Mono, bounds: PostBounds, now: Clocks) -> Mono {
    let Some(end) = bounds.end else {
        return until;
    };
    let short = SHUTDOWN_OPEN_MS_MAX;
    let ms = if !bounds.is_closed {
        short
    } else if bounds.others_wait {
        (end.since(now.mono) / 2).max(short)
    } else {
        return until;
    };
    until.min(now.mono.plus(ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::route::{LOGS, METRICS};
    use BreakerState::{Closed, HalfOpen, Open};

    const fn waiting(breaker: BreakerState, is_urgent: bool, oldest: Option<u64>) -> Waiting {
        Waiting {
            route: LOGS,
            breaker,
            is_urgent,
            oldest: match oldest {
                Some(ms) => Some(Wall(ms)),
                None => None,
            },
        }
    }

    /// Each goes before all that stand behind it here, in whatever order they are asked.
    #[test]
    fn whose_turn_it_is() {
        let until = |ms| Open { until: Wall(ms) };
        let in_order = [
            waiting(Closed, true, None),
            waiting(Closed, true, Some(5)),
            waiting(Closed, true, Some(6)),
            waiting(Closed, false, None),
            waiting(Closed, false, Some(5)),
            waiting(HalfOpen, true, Some(2)),
            waiting(HalfOpen, false, Some(1)),
            waiting(until(7), false, Some(9)),
            waiting(until(8), true, None),
        ];
        for (place, early) in in_order.iter().enumerate() {
            for late in &in_order[place + 1..] {
                for both in [[early, late], [late, early]] {
                    let both = both.map(|each| Some(*each));
                    assert_eq!(first(&both), Some(early), "{late:?}");
                }
            }
        }
        let [one, ..] = in_order;
        assert_eq!(first(&[None, Some(one)]), Some(&one));
        assert_eq!(first(&[None; ROUTES]), None);
    }

    /// Of two alike the first one.
    #[test]
    fn two_alike() {
        let logs = waiting(Closed, false, Some(5));
        let metrics = Waiting {
            route: METRICS,
            ..logs
        };
        assert_eq!(first(&[Some(logs), Some(metrics)]), Some(&logs));
    }

    #[test]
    fn how_long_a_post_may_take() {
        const NOW: u64 = 100_000;
        for (until, end, is_closed, others_wait, expected) in [
            // Until SHUTDOWN comes, its own time.
            (10_000, None, true, true, 10_000),
            (10_000, None, false, true, 10_000),
            (10_000, Some(1_800), true, false, 10_000),
            // Half of what is left, but 500 ms.
            (10_000, Some(1_800), true, true, 900),
            (10_000, Some(600), true, true, 500),
            (10_000, Some(0), true, true, 500),
            (10_000, Some(1_800), false, false, 500),
            (10_000, Some(1_800), false, true, 500),
            (400, Some(1_800), true, true, 400),
            (400, Some(1_800), false, true, 400),
        ] {
            let at = |ms| Mono(NOW + ms);
            let bounds = PostBounds {
                end: end.map(at),
                is_closed,
                others_wait,
            };
            let now = Clocks {
                wall: Wall(7),
                mono: Mono(NOW),
            };
            assert_eq!(
                post_until(at(until), bounds, now),
                at(expected),
                "{bounds:?}"
            );
        }
    }
}
