//! Who gives way when all places for telemetry connections are taken and another waits.

use crate::clock::Mono;
use crate::limits::PLACE_MS_MIN;

/// A connection, as far as its place is concerned.
#[derive(Clone, Copy)]
pub struct Holder {
    /// It has been served, all that it has sent, and nothing is owed: it costs its peer nothing but a new connection.
    pub is_idle: bool,
    /// When it was accepted, or became idle, or its request began.
    pub since: Mono,
}

impl Holder {
    /// From when on it gives way. What a new connection has sent may be unread, and a request may be about to be whole: these
    /// have some time first.
    #[must_use]
    pub const fn gives_way_at(self) -> Mono {
        if self.is_idle {
            self.since
        } else {
            self.since.plus(PLACE_MS_MIN)
        }
    }
}

/// The one that gives way now: of the idle ones the one that has been so longest, or else the one that has taken longest.
pub fn yielding(holders: &mut dyn Iterator<Item = (usize, Holder)>, now: Mono) -> Option<usize> {
    let mut best: Option<(usize, Holder)> = None;
    for (place, holder) in holders {
        let is_before =
            |best: Holder| (!holder.is_idle, holder.since) < (!best.is_idle, best.since);
        if holder.gives_way_at() <= now && best.is_none_or(|(_, best)| is_before(best)) {
            best = Some((place, holder));
        }
    }
    best.map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_gives_way() {
        let idle = |since| (true, since);
        let busy = |since| (false, since);
        for (holders, now, expected) in [
            (&[][..], 9_000, None),
            // Idle ones do at once, the one that has been idle longest first.
            (&[idle(10)], 10, Some(0)),
            (&[idle(30), idle(10), idle(20)], 30, Some(1)),
            // Nobody has been served yet: what they have sent is read first.
            (&[busy(10), busy(10)], 10, None),
            (&[busy(10), busy(20)], 1_009, None),
            // Then the slowest gives way, but only if nobody is idle.
            (&[busy(20), busy(10)], 1_010, Some(1)),
            (&[busy(10), idle(1_500)], 1_600, Some(1)),
            (&[busy(1_000), idle(1_500), busy(10)], 1_600, Some(1)),
        ] {
            let mut holders = holders.iter().map(|(is_idle, since)| Holder {
                is_idle: *is_idle,
                since: Mono(*since),
            });
            let found = yielding(&mut holders.by_ref().enumerate(), Mono(now));
            assert_eq!(found, expected, "{now}");
        }
    }
}
