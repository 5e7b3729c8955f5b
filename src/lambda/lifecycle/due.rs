//! When what is pending is sent.

use super::{BreakerState, Invocation, Lifecycle, Seen};
use crate::clock::{Clocks, Mono, earliest};
use crate::limits::DEADLINE_FLUSH_MS;

impl Lifecycle {
    pub(super) fn may_post(&self, seen: &Seen) -> bool {
        seen.pending && !self.post_in_flight && !matches!(seen.breaker, BreakerState::Open { .. })
    }

    /// Whether what is pending should be sent now.
    pub(super) fn is_due(&self, invocation: Option<&Invocation>, seen: &Seen, now: Clocks) -> bool {
        let by_age = |oldest| now.wall.left(oldest, self.policy.interval_ms) == 0;
        let by_invocation = |invocation: &Invocation| {
            let at_end = invocation.done.is_some() && invocation.flush_at_end;
            let at_deadline = invocation
                .deadline
                .is_some_and(|deadline| now.mono >= deadline.minus(DEADLINE_FLUSH_MS));
            let is_silent = self
                .silent_at(invocation, seen)
                .is_some_and(|at| now.mono >= at);
            at_end || at_deadline || invocation.failed || is_silent
        };
        seen.pending
            && (seen.high_water
                || seen.oldest.is_some_and(by_age)
                || invocation.is_some_and(by_invocation))
    }

    /// When something that is pending but not due becomes due, or the breaker lets it through.
    pub(super) fn due_at(
        &self,
        invocation: Option<&Invocation>,
        seen: &Seen,
        now: Clocks,
    ) -> Option<Mono> {
        if self.post_in_flight || !seen.pending {
            return None;
        }
        let by_age = seen.oldest.map(|oldest| {
            now.mono
                .plus(now.wall.left(oldest, self.policy.interval_ms))
        });
        let by_deadline = invocation
            .and_then(|invocation| invocation.deadline)
            .map(|deadline| deadline.minus(DEADLINE_FLUSH_MS));
        let by_silence = invocation.and_then(|invocation| self.silent_at(invocation, seen));
        match seen.breaker {
            BreakerState::Open { until } => Some(now.mono_of(until)),
            _ => earliest(earliest(by_age, by_deadline), by_silence),
        }
    }
}
