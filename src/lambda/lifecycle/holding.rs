//! How long next is held.

use super::{BreakerState, Flush, Invocation, Lifecycle, Seen};
use crate::clock::{Clocks, Mono};
use crate::limits::{FIRST_EVENT_MS_MAX, INVOKE_MARGIN_MS, START_EVENT_MS_MAX};

impl Lifecycle {
    /// Until when next is held, or `None` if it is not. Nothing is held while the breaker is not closed.
    pub(super) fn hold_until(
        &mut self,
        invocation: &Invocation,
        seen: &Seen,
        now: Clocks,
    ) -> Option<Mono> {
        if seen.breaker != BreakerState::Closed {
            return None;
        }
        let limit = invocation
            .deadline
            .map(|deadline| deadline.minus(INVOKE_MARGIN_MS));
        let hold = if let Some(done) = invocation.done {
            let has_work = if self.post_in_flight {
                !self.post_outstayed
            } else {
                seen.pending
            };
            (invocation.flush_at_end && has_work).then(|| done.plus(self.policy.budget_ms))
        } else {
            let awaited = self.await_done_until(invocation, seen, now);
            // It seems to be done: what there is goes out first.
            let silent = self
                .silent_at(invocation, seen)
                .filter(|at| *at <= now.mono);
            let may_beside =
                self.policy.flush != Flush::End || !self.trusts_done(seen) || silent.is_some();
            let has_work = if self.post_in_flight {
                !self.post_outstayed
            } else {
                self.is_due(Some(invocation), seen, now)
            };
            let from = silent.unwrap_or(invocation.began);
            let beside = (may_beside && has_work)
                .then(|| from.plus(self.policy.budget_ms))
                .filter(|until| now.mono < *until);
            awaited.or(beside)
        };
        let until = hold.map(|until| limit.map_or(until, |limit| until.min(limit)));
        until.filter(|until| now.mono < *until)
    }

    /// Until when `runtimeDone` is awaited with next held, or `None` if it is not.
    fn await_done_until(
        &mut self,
        invocation: &Invocation,
        seen: &Seen,
        now: Clocks,
    ) -> Option<Mono> {
        if !self.awaits_done(invocation, seen) {
            return None;
        }
        let after = |moment: Mono, ms| moment.max(invocation.began).plus(ms);
        let until = if let Some(since) = seen.unread_since {
            // It may have come since then, and is hidden in what is unread: the budget is being spent.
            after(since, self.policy.budget_ms)
        } else if self.heard.is_none() {
            if !invocation.is_first {
                return None;
            }
            // No trust is lost by this: a later event may prove that telemetry does come.
            invocation.began.plus(FIRST_EVENT_MS_MAX)
        } else if let Some(at) = self.silent_at(invocation, seen) {
            at
        } else {
            let until = invocation.began.plus(START_EVENT_MS_MAX);
            self.trusts_start = now.mono < until;
            until
        };
        let last = invocation.deadline?.minus(INVOKE_MARGIN_MS);
        Some(until.min(last)).filter(|until| now.mono < *until)
    }

    const fn awaits_done(&self, invocation: &Invocation, seen: &Seen) -> bool {
        invocation.flush_at_end
            && invocation.done.is_none()
            && invocation.deadline.is_some()
            && self.policy.subscribed
            && self.trusts_done(seen)
    }

    /// `runtimeDone` has not failed to come. While false every invocation is treated as by [`Flush::Start`].
    pub(super) const fn trusts_done(&self, seen: &Seen) -> bool {
        self.trusts_start && !seen.is_done_missing
    }

    /// From when on the silence of an invocation that is read to its end says that its `runtimeDone` is lost, so that nothing more
    /// will come until next is asked.
    pub(super) fn silent_at(&self, invocation: &Invocation, seen: &Seen) -> Option<Mono> {
        let heard = self.heard?.max(invocation.began);
        let is_expected = self.awaits_done(invocation, seen)
            && seen.unread_since.is_none()
            && self.started == Some(invocation.id);
        is_expected.then(|| heard.plus(self.policy.buffering_ms + self.patience_ms))
    }
}
