//! When telemetry is left unread.

use super::Reactor;
use crate::clock::{Clocks, Mono};
use crate::lifecycle;
use crate::limits::RECEIVE_PAUSE_MS_MAX;

/// Telemetry is left unread while the ring is filling up and can still be emptied: better there than evicted here.
#[derive(Default)]
pub(super) struct Pause {
    pub(super) since: Option<Mono>,
    /// Room in the ring when it was looked at last. When it grows, the pause begins anew: it is of use.
    room: usize,
    /// It has lasted too long: until there is more room, telemetry is read and the oldest records are evicted.
    is_spent: bool,
    /// How long it has held next in this invocation, by hiding a `runtimeDone`.
    pub(super) held_ms: u64,
    /// Up to when that is counted.
    pub(super) counted: Mono,
}

impl Reactor {
    /// Whether telemetry is left unread in this turn.
    pub(super) fn is_paused(&mut self, now: Clocks) -> bool {
        let ring = &self.intake.ring;
        // With a POST in flight there will soon be room again, and what is in the ring then fits into the time that
        // SHUTDOWN leaves to a slow collector.
        let room_min = if self.post_until.is_some() {
            ring.capacity() / 2
        } else {
            ring.capacity() / 4
        };
        let can_drain = self.breakers.log.state(now.wall) == lifecycle::Breaker::Closed;
        let room = ring.free_bytes();
        if room > core::mem::replace(&mut self.pause.room, room) {
            self.resume(now.mono);
            self.pause.is_spent = false;
        }
        if room >= room_min || !can_drain || self.pause.is_spent {
            self.resume(now.mono);
            return false;
        }
        let began = *self.pause.since.get_or_insert(now.mono);
        if self.lifecycle.is_holding() && began < now.mono {
            self.pause.held_ms += now.mono.since(self.pause.counted.max(began));
        }
        self.pause.counted = now.mono;
        self.pause.is_spent = now.mono.since(began) >= RECEIVE_PAUSE_MS_MAX;
        !self.pause.is_spent
    }

    fn resume(&mut self, now: Mono) {
        if self.pause.since.take().is_some()
            && let Some(telemetry) = &mut self.telemetry
        {
            telemetry.excuse(now);
        }
    }
}
