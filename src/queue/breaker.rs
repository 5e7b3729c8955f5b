//! The circuit breaker of one endpoint: after a failure nothing is tried for a while, and the while doubles.
//!
//! ```text
//!   closed ──failure──▶ open ──pause over──▶ half-open ──answer──▶ closed
//!                        ▲                        │
//!                        └───────── failure ──────┘
//! ```
//!
//! Pauses run on the wall clock: a frozen sandbox should try again at once when it thaws. So it does when that clock was set
//! back: a pause is never longer than its own length from now.

use crate::clock::Wall;
use crate::lambda::lifecycle::BreakerState;
use crate::limits::{BREAKER_MS_MAX, BREAKER_MS_MIN};

#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    /// The pause after the next failure; 0 while closed.
    pause_ms: u64,
    /// The pause that was begun last, and its length.
    opened: Wall,
    lasts_ms: u64,
}

impl Breaker {
    /// What the lifecycle is told.
    #[must_use]
    pub const fn state(&self, now: Wall) -> BreakerState {
        if self.pause_ms == 0 {
            return BreakerState::Closed;
        }
        match now.left(self.opened, self.lasts_ms) {
            0 => BreakerState::HalfOpen,
            left => BreakerState::Open {
                until: now.plus(left),
            },
        }
    }

    /// The endpoint has answered.
    pub const fn close(&mut self) {
        self.pause_ms = 0;
    }

    /// The endpoint has failed. `asked_ms`: its own `Retry-After`, at most [`BREAKER_MS_MAX`]. `random`: spreads the
    /// pauses of many sandboxes by a quarter either way.
    pub fn open(&mut self, now: Wall, asked_ms: Option<u64>, random: u64) {
        let doubled = (self.pause_ms * 2).clamp(BREAKER_MS_MIN, BREAKER_MS_MAX);
        let spread = doubled * 3 / 4 + random % (doubled / 2);
        self.pause_ms = doubled;
        self.opened = now;
        self.lasts_ms = spread.max(asked_ms.unwrap_or(0).min(BREAKER_MS_MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use BreakerState::{Closed, HalfOpen, Open};

    #[test]
    fn pauses_double_and_a_success_closes() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.state(Wall(0)), Closed);
        let mut now = Wall(1_000_000);
        for pause in [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            for random in [0, pause / 4, pause / 2 - 1] {
                let mut copy = breaker;
                copy.open(now, None, random);
                assert_eq!(
                    copy.state(now),
                    Open {
                        until: now.plus(pause * 3 / 4 + random)
                    }
                );
            }
            breaker.open(now, None, 0);
            now = now.plus(pause * 3 / 4 - 1);
            assert!(matches!(breaker.state(now), Open { .. }));
            now = now.plus(1);
            assert_eq!(breaker.state(now), HalfOpen);
        }
        breaker.close();
        assert_eq!(breaker.state(now), Closed);
    }

    #[test]
    fn retry_after_is_obeyed_within_bounds() {
        for (asked, expected) in [(5_000, 5_000), (500, 750), (1_000_000, 60_000)] {
            let mut breaker = Breaker::default();
            breaker.open(Wall(0), Some(asked), 0);
            assert_eq!(
                breaker.state(Wall(0)),
                Open {
                    until: Wall(expected)
                }
            );
        }
    }

    /// Whatever the clock does, a pause is never longer than its own length from now.
    #[test]
    fn a_clock_that_is_set_back_does_not_prolong_a_pause() {
        let mut breaker = Breaker::default();
        let opened = Wall(10_000_000);
        breaker.open(opened, Some(60_000), 0);
        for (now, left) in [
            (opened, 60_000),
            (opened.plus(50_000), 10_000),
            // From there back by half a minute, and by an hour.
            (opened.plus(20_000), 40_000),
            (Wall(opened.0 - 1), 0),
            (Wall(opened.0 - 3_600_000), 0),
            (Wall(0), 0),
        ] {
            let expected = match left {
                0 => HalfOpen,
                left => Open {
                    until: now.plus(left),
                },
            };
            assert_eq!(breaker.state(now), expected, "{now:?}");
        }
    }
}
