//! Whose turn it is: which signal is to be sent next, and what the lifecycle is told of it.

use super::Reactor;
use crate::clock::{Clocks, Mono, Wall};
use crate::lambda::lifecycle::{self, Input, Seen};
use crate::limits::{ANSWER_MS_MAX, HIGH_WATER_PERCENT, SHUTDOWN_OPEN_MS_MAX};
use crate::queue::signal::Signal;
use crate::sys;

/// A signal that has something to send.
pub(super) struct Waiting {
    signal: Signal,
    breaker: lifecycle::Breaker,
    /// There is little room left for more of it.
    is_urgent: bool,
    /// Since when; `None`: for long.
    oldest: Option<Wall>,
}

impl Waiting {
    fn goes_before(&self, other: &Waiting) -> bool {
        let rank = |waiting: &Waiting| match waiting.breaker {
            lifecycle::Breaker::Closed => (0, Wall(0)),
            lifecycle::Breaker::HalfOpen => (1, Wall(0)),
            lifecycle::Breaker::Open { until } => (2, until),
        };
        let order = |waiting: &Waiting| (rank(waiting), !waiting.is_urgent, waiting.oldest);
        order(self) < order(other)
    }
}

impl Reactor {
    /// The POST has ended. `answered`: the breaker stays closed.
    pub fn post_ended(&mut self, signal: Signal, answered: bool) {
        let now = sys::clocks();
        self.post_until = None;
        let is_end = self.lifecycle.post_until().is_some();
        *self.is_given_up.of_mut(signal) |= is_end && !answered;
        // In SHUTDOWN a failure of one endpoint leaves the other its turn.
        let may_go_on = answered || (is_end && self.waiting(now).is_some());
        self.note(
            Input::PostEnded {
                answered: may_go_on,
            },
            now,
        );
    }

    /// The bound that the phase sets to the POST in flight.
    #[must_use]
    pub fn post_until(&self) -> Option<Mono> {
        match (self.lifecycle.post_until(), self.post_until) {
            (Some(phase), Some(own)) => Some(phase.min(own)),
            (phase, own) => phase.or(own),
        }
    }

    /// A POST begins, and has to end by then. In SHUTDOWN one try through a breaker that is not closed is short.
    pub fn post_begins(&mut self, signal: Signal, until: Mono) {
        let now = sys::clocks();
        let is_closed = self.breakers.of(signal).state(now.wall) == lifecycle::Breaker::Closed;
        self.post_until = Some(if is_closed || self.lifecycle.post_until().is_none() {
            until
        } else {
            until.min(now.mono.plus(SHUTDOWN_OPEN_MS_MAX))
        });
        self.posting = signal;
        self.share_shutdown(now);
        self.post_reuses = false;
    }

    /// The status has come: nothing that is still to come is worth much time.
    pub fn post_is_answered(&mut self) {
        let end = sys::clocks().mono.plus(ANSWER_MS_MAX);
        self.post_until = self.post_until.map(|until| until.min(end));
    }

    /// In SHUTDOWN the POST in flight has half of what is left, but 500 ms at least, while the other signal waits, too: an
    /// endpoint that hangs must not cost the other its turn.
    pub(super) fn share_shutdown(&mut self, now: Clocks) {
        let other = match self.posting {
            Signal::Log => Signal::Metric,
            Signal::Metric => Signal::Log,
        };
        if let (Some(own), Some(end)) = (self.post_until, self.lifecycle.post_until())
            && self.waiting_of(other, now).is_some()
        {
            let share = (end.since(now.mono) / 2).max(SHUTDOWN_OPEN_MS_MAX);
            self.post_until = Some(own.min(now.mono.plus(share)));
        }
    }

    /// Which signal a POST should carry now.
    #[must_use]
    pub fn signal_to_post(&self, now: Clocks) -> Signal {
        self.waiting(now)
            .map_or(Signal::Log, |waiting| waiting.signal)
    }

    /// What the lifecycle has to know of the ring and the exporter: of the signal whose turn it is.
    pub(super) fn seen(&self, now: Clocks) -> Seen {
        let waiting = self.waiting(now);
        Seen {
            pending: waiting.is_some(),
            high_water: waiting.as_ref().is_some_and(|waiting| waiting.is_urgent),
            oldest: waiting.as_ref().and_then(|waiting| waiting.oldest),
            breaker: waiting.map_or(self.breakers.log.state(now.wall), |waiting| waiting.breaker),
            is_done_missing: self.intake.is_done_missing,
            unread_since: self.pause.unread_since(self.intake.latest(), now),
        }
    }

    /// The signal whose turn it is: one whose collector is well before one that has failed, then one that needs room, then the
    /// one that has waited longest.
    pub(super) fn waiting(&self, now: Clocks) -> Option<Waiting> {
        let mut best: Option<Waiting> = None;
        for signal in Signal::ALL {
            if let Some(each) = self.waiting_of(signal, now)
                && best.as_ref().is_none_or(|best| each.goes_before(best))
            {
                best = Some(each);
            }
        }
        best
    }

    fn waiting_of(&self, signal: Signal, now: Clocks) -> Option<Waiting> {
        let ring = &self.intake.ring;
        let (is_pending, is_urgent, oldest) = match signal {
            Signal::Log => {
                let high_water = ring.capacity() / 100 * HIGH_WATER_PERCENT;
                let oldest = ring.oldest(signal);
                let is_pending = oldest.is_some() || self.tells_losses();
                // Settled points behind a log that waits take room, too.
                (
                    is_pending,
                    ring.capacity() - ring.room() >= high_water,
                    oldest,
                )
            }
            Signal::Metric => {
                let oldest = self.intake.oldest_measurement();
                (oldest.is_some(), self.intake.is_nearly_full(), oldest)
            }
        };
        let may_go = *self.routes.of(signal) && !*self.is_given_up.of(signal);
        (is_pending && may_go).then(|| Waiting {
            signal,
            breaker: self.breakers.of(signal).state(now.wall),
            is_urgent,
            oldest,
        })
    }

    /// Losses go out with the next records. Alone they are sent at the end, once, and not to a collector that refuses
    /// everything.
    fn tells_losses(&self) -> bool {
        let is_end = self.lifecycle.post_until().is_some();
        is_end && !self.is_silent_on_losses && self.intake.untold_losses().total() > 0
    }
}
