//! What must hold: section 5 of the design as checks of the [`World`], with no look at how the machine keeps them.

use super::model::{Check, End, Event, Open, World};
use crate::clock::Mono;
use crate::lambda::lifecycle::BreakerState;
use crate::limits::{
    DEADLINE_FLUSH_MS, FIRST_EVENT_MS_MAX, INVOKE_MARGIN_MS, SILENCE_MS_MAX, SILENCE_MS_MIN,
    START_EVENT_MS_MAX,
};

/// More wakes than this before the machine goes on are a loop.
const WAKES_MAX: usize = 8;

impl World {
    /// By waking up when it wants to, and with nothing else ever happening, it lets go of next by the deadline less the
    /// margin, and it exits in time.
    pub fn leads_on(&self) -> Check {
        let limit = match (self.end, self.invocation) {
            (Some(end), _) => Some(end.exit_by),
            (None, Some(open)) => open.deadline.map(|at| at.minus(INVOKE_MARGIN_MS)),
            (None, None) => None,
        };
        let limit = limit.map(|limit| limit.max(self.now.mono));
        let mut world = self.clone();
        for _ in 0..WAKES_MAX {
            if world.exited || world.next {
                let in_time = limit.is_none_or(|limit| world.now.mono <= limit);
                return in_time.then_some(()).ok_or("it leads on too late");
            }
            world.apply(Event::Wake)?;
        }
        Err("it does not lead on")
    }

    /// What the world itself keeps to, so that no table tells of what cannot be.
    pub(super) fn check_event(&self, event: Event) -> Check {
        match event {
            Event::Invoke(_) | Event::Retry(_) | Event::Shutdown(_) => {
                ensure(self.next, "an answer without a question")
            }
            Event::Sent | Event::SentPart | Event::Refused => {
                ensure(self.post, "the end of no POST")
            }
            _ => ensure(!self.exited, "an event after the exit"),
        }
    }

    pub(super) fn check_next(&self) -> Check {
        ensure(!self.next, "next is asked twice")?;
        ensure(self.end.is_none(), "next is asked after SHUTDOWN")
    }

    pub(super) fn check_post(&self) -> Check {
        ensure(!self.post, "a second POST")?;
        ensure(self.seen.pending, "a POST of nothing")?;
        if let Some(end) = self.end {
            ensure(!end.failed, "a POST in SHUTDOWN after one has failed")?;
            return ensure(self.now.mono < end.exit_by, "a POST without time for it");
        }
        let is_open = matches!(self.seen.breaker, BreakerState::Open { .. });
        ensure(!is_open, "a POST while the breaker is open")?;
        ensure(!self.may_freeze(), "a POST where a freeze may come")?;
        ensure(self.is_due(), "a POST of what is not due")
    }

    pub(super) fn check_exit(&self) -> Check {
        let end = self.end.ok_or("exit without SHUTDOWN")?;
        ensure(!self.post, "exit with a POST in flight")?;
        let is_sent = !self.seen.pending || end.failed;
        let is_done = is_sent && self.awaits_report(end).is_none();
        let is_over = self.now.mono >= end.exit_by;
        ensure(is_done || is_over, "exit with something left")
    }

    pub(super) fn check_rest(&self) -> Check {
        let post_until = self.end.map(|end| end.exit_by);
        ensure(self.lifecycle.post_until() == post_until, "bound of a POST")?;
        let is_holding = self.invocation.is_some() && self.end.is_none() && !self.next;
        ensure(
            self.lifecycle.is_holding() == is_holding,
            "who waits for us",
        )?;
        let held_ms = self.lifecycle.held_ms();
        ensure(
            held_ms <= self.unasked_ms,
            "it tells of more than it has held",
        )?;
        if let Some(end) = self.end {
            return self.check_rest_in_shutdown(end);
        }
        let comes_by = |at: Mono| self.until.is_some_and(|until| until <= at);
        ensure(!comes_by(self.now.mono), "a busy loop")?;
        if !self.next {
            let limit = self.hold_limit().ok_or("next is held for nothing")?;
            ensure(self.now.mono < limit, "next is held too long")?;
            ensure(comes_by(limit), "it would hold next too long")?;
        }
        if self.seen.pending && !self.post && !self.may_freeze() {
            let at = match self.seen.breaker {
                BreakerState::Open { until } => Some(self.now.mono_of(until)),
                _ => self.due_at(),
            };
            ensure(at.is_none_or(comes_by), "it oversleeps a POST")?;
        }
        let is_dormant = !self.latest.event && !self.seen.pending && !self.post;
        let is_waiting = self.until.is_some();
        let is_first = self.invocation.is_some_and(|open| open.is_first);
        let may_wait = !is_dormant || (self.policy.subscribed && is_first);
        ensure(!is_waiting || may_wait, "dormant, and waiting")
    }

    fn check_rest_in_shutdown(&self, end: End) -> Check {
        if self.post {
            // The driver ends it then.
            return ensure(self.until == Some(end.exit_by), "a POST beyond the end");
        }
        ensure(!self.seen.pending || end.failed, "no last POST")?;
        let report_by = self.awaits_report(end).ok_or("no exit")?;
        ensure(self.until == Some(report_by), "the wait for the report")
    }

    fn awaits_report(&self, end: End) -> Option<Mono> {
        let (number, at) = end.report?;
        (self.latest.reported != number && self.now.mono < at).then_some(at)
    }

    /// Until when next may be held now; `None`: not at all.
    fn hold_limit(&self) -> Option<Mono> {
        let open = self.invocation?;
        if self.seen.breaker != BreakerState::Closed {
            return None;
        }
        let budget_ms = self.policy.budget_ms;
        let last = open.deadline.map(|at| at.minus(INVOKE_MARGIN_MS));
        let limit = if let Some(done) = open.done {
            let has_work = if self.post {
                !self.outstayed
            } else {
                self.seen.pending
            };
            (open.flush_at_end && has_work).then(|| done.plus(budget_ms))
        } else {
            let has_work = if self.post {
                !self.outstayed
            } else {
                self.is_due()
            };
            let silent = self.silent_at().filter(|at| *at <= self.now.mono);
            let from = silent.unwrap_or(open.began);
            let for_post = has_work.then(|| from.plus(budget_ms));
            let awaits_done = open.flush_at_end && self.policy.subscribed;
            let for_done = last.filter(|_| awaits_done).and_then(|_| {
                if let Some(since) = self.seen.unread_since {
                    // The earliest moment at which it may have been done.
                    Some(since.max(open.began).plus(budget_ms))
                } else if !self.latest.event {
                    open.is_first.then(|| open.began.plus(FIRST_EVENT_MS_MAX))
                } else if self.latest.started != self.number {
                    Some(open.began.plus(START_EVENT_MS_MAX))
                } else {
                    self.silent_at()
                }
            });
            for_post.max(for_done)
        };
        limit.map(|limit| last.map_or(limit, |last| limit.min(last)))
    }

    /// When it is taken that nothing more will come, `runtimeDone` included, if it is awaited at all. How patient the machine is,
    /// and whether it still trusts, it knows itself; within bounds.
    fn silent_at(&self) -> Option<Mono> {
        let open = self.invocation?;
        let patience_ms = self.lifecycle.patience_ms;
        assert!((SILENCE_MS_MIN..=SILENCE_MS_MAX).contains(&patience_ms));
        let is_awaited = open.flush_at_end
            && open.done.is_none()
            && open.deadline.is_some()
            && self.policy.subscribed
            && self.lifecycle.trusts_done(&self.seen);
        let is_heard = self.seen.unread_since.is_none()
            && self.latest.event
            && self.latest.started == self.number;
        let heard = self.latest.heard.max(open.began);
        (is_awaited && is_heard).then(|| heard.plus(self.policy.buffering_ms + patience_ms))
    }

    /// The sandbox may be frozen before anything that is begun now has ended. After a failure it is reset instead.
    fn may_freeze(&self) -> bool {
        !self.policy.shutdown_only
            && self
                .invocation
                .is_none_or(|open| open.done.is_some() && !open.failed && self.next)
    }

    fn is_due(&self) -> bool {
        self.due_at().is_some_and(|at| at <= self.now.mono)
    }

    /// When what is pending is to be sent: at once, at some age, or before the deadline.
    fn due_at(&self) -> Option<Mono> {
        let oldest = self.seen.oldest.filter(|_| self.seen.pending)?;
        let at_end = |open: Open| open.failed || (open.done.is_some() && open.flush_at_end);
        if self.seen.high_water || self.invocation.is_some_and(at_end) {
            return Some(self.now.mono);
        }
        let by_age = if self.now.wall < oldest {
            // The clock was set back since: nobody knows how old it is.
            self.now.mono
        } else {
            self.now.mono_of(oldest.plus(self.policy.interval_ms))
        };
        let deadline = self.invocation.and_then(|open| open.deadline);
        let by_deadline = deadline.map(|at| at.minus(DEADLINE_FLUSH_MS));
        let others = [by_deadline, self.silent_at()];
        others.into_iter().flatten().chain([by_age]).min()
    }
}

fn ensure(holds: bool, otherwise: &'static str) -> Check {
    holds.then_some(()).ok_or(otherwise)
}
