//! What an input changes.

use super::{BreakerState, Flush, Input, Invocation, Lifecycle, Phase, Seen};
use crate::clock::{Clocks, Mono};
use crate::lambda::request_id::RequestId;
use crate::limits::{
    ADAPTIVE_IDLE_MS, REPORT_MS_MAX, SHUTDOWN_MARGIN_MS, SHUTDOWN_OPEN_MS_MAX, SHUTDOWN_UNKNOWN_MS,
    SILENCE_MS_MAX,
};

impl Lifecycle {
    /// Takes an input without deciding yet; [`Lifecycle::step`] must follow before anyone waits.
    pub fn note(&mut self, input: Input, seen: &Seen, now: Clocks) {
        match input {
            Input::Turn => {}
            Input::Invoke { id, deadline } => self.begin_invoke(id, deadline, now),
            Input::Shutdown { deadline } => self.begin_shutdown(deadline, seen, now),
            Input::Received => self.heard = Some(now.mono),
            Input::Started(id) => self.started = Some(id),
            Input::Done { id, success, at } => {
                self.done = Some((id, success, at));
                self.trusts_start = true;
                let is_open =
                    matches!(self.phase, Phase::Invoke(invocation) if invocation.id == id);
                if (self.next_outstanding || !is_open) && self.held.done(id, at) >= self.patience_ms
                {
                    // It was only silent.
                    self.patience_ms = (self.patience_ms * 2).min(SILENCE_MS_MAX);
                }
            }
            Input::Reported(id) => self.reported = Some(id),
            Input::PostEnded { answered } => {
                (self.post_in_flight, self.post_outstayed) = (false, false);
                if let Phase::Shutdown {
                    failed,
                    until,
                    report,
                } = &mut self.phase
                {
                    *failed |= !answered;
                    // What was left unread for want of room needs its time, too.
                    if let Some((_, at)) = report
                        && seen.unread_since.is_some()
                    {
                        *at = now.mono.plus(REPORT_MS_MAX).min(*until).max(*at);
                    }
                }
            }
        }
        if let Phase::Invoke(invocation) = &mut self.phase
            && invocation.done.is_none()
            && let Some((id, success, at)) = self.done
            && id == invocation.id
        {
            invocation.done = Some(now.mono_then(at).max(invocation.began));
            invocation.failed = !success;
            // Taken, because a failed asynchronous invocation is repeated with the same id.
            self.done = None;
        }
    }

    fn begin_invoke(&mut self, id: RequestId, deadline: Option<Mono>, now: Clocks) {
        self.next_outstanding = false;
        if matches!(self.phase, Phase::Shutdown { .. }) {
            return;
        }
        // A report comes after next, so this is not of the invocation that begins, even if the id is the same.
        self.reported = None;
        let is_first = matches!(self.phase, Phase::Init);
        let was_idle = self
            .idle_since
            .is_some_and(|since| now.wall.left(since, ADAPTIVE_IDLE_MS + 1) == 0);
        self.phase = Phase::Invoke(Invocation {
            id,
            deadline: deadline.filter(|deadline| *deadline > now.mono),
            began: now.mono,
            is_first,
            flush_at_end: match self.policy.flush {
                Flush::Start => false,
                Flush::End => true,
                Flush::Adaptive => is_first || was_idle,
            },
            done: None,
            failed: false,
        });
    }

    fn begin_shutdown(&mut self, deadline: Option<Mono>, seen: &Seen, now: Clocks) {
        self.next_outstanding = false;
        let until = match deadline.filter(|deadline| *deadline > now.mono) {
            Some(deadline) => deadline.minus(SHUTDOWN_MARGIN_MS),
            None => now.mono.plus(SHUTDOWN_UNKNOWN_MS),
        };
        let bound = now.mono.plus(SHUTDOWN_OPEN_MS_MAX);
        let until = if seen.breaker == BreakerState::Closed {
            until
        } else {
            until.min(bound)
        };
        let last = match self.phase {
            Phase::Invoke(invocation) => Some(invocation.id),
            Phase::Init | Phase::Shutdown { .. } => self.started,
        };
        let report = last
            .filter(|_| self.policy.subscribed)
            .map(|id| (id, now.mono.plus(REPORT_MS_MAX).min(until)));
        self.phase = Phase::Shutdown {
            until,
            report,
            failed: false,
        };
    }
}
