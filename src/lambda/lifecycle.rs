//! Init, invoke, shutdown as a pure and total state machine: an input and the time go in, one [`Action`] comes out.
//!
//! ```text
//!            INVOKE                runtimeDone              next
//!   init ───────────▶ open ───────────────────▶ held or done ─────▶ (frozen) ─ INVOKE ─▶ open …
//!     └───────────────┴──────────── SHUTDOWN ───────────────┘──────────▶ shutdown ─▶ exit
//! ```
//!
//! Two independent facts make up most of the state: whether *next* is outstanding, and whether a *POST* is in flight.
//! `step` is called for every answer of the Runtime API, every observation in the telemetry stream, every end of a POST
//! and every turn of the reactor, also from inside the wait of a POST. Telemetry can overtake the INVOKE answer, so what
//! is observed is latched by request id and compared when needed.
//!
//! Promises, walked exhaustively by the tests: at most one next outstanding and one POST in flight; every INVOKE leads to
//! next by its deadline less the margin; holding ends when the budget is spent, which counts from the time that `runtimeDone`
//! itself tells; no POST of nothing; no POST when a freeze may come at any moment; exit only after SHUTDOWN; after SHUTDOWN
//! never next.

mod held;

use crate::clock::{Clocks, Mono, Wall};
use crate::lambda::request_id::RequestId;
use crate::limits::{
    ADAPTIVE_IDLE_MS, DEADLINE_FLUSH_MS, FIRST_EVENT_MS_MAX, INVOKE_MARGIN_MS, REPORT_MS_MAX,
    SHUTDOWN_MARGIN_MS, SHUTDOWN_OPEN_MS_MAX, SHUTDOWN_UNKNOWN_MS, SILENCE_MS_MAX, SILENCE_MS_MIN,
    START_EVENT_MS_MAX,
};
use held::Held;

/// When next is held for a flush (`KINGLET_FLUSH`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flush {
    /// At INVOKE, beside the running function; never after it.
    Start,
    /// After `platform.runtimeDone`.
    End,
    /// As `Start`; as `End` too in the first invocation and after a long idle time.
    Adaptive,
}

/// What does not change while the sandbox lives.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub flush: Flush,
    /// Bound on holding next.
    pub budget_ms: u64,
    /// Age of the oldest record at which a flush is due.
    pub interval_ms: u64,
    /// So long Lambda may keep an event back until others have come.
    pub buffering_ms: u64,
    /// A subscription was accepted: telemetry may come.
    pub subscribed: bool,
    /// Registered for SHUTDOWN alone (Managed Instances): nothing is ever frozen, nothing is ever held.
    pub shutdown_only: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// Time has passed, or what is [`Seen`] has changed.
    Turn,
    /// The answer to next: an invocation. A deadline that is unknown is `None`.
    Invoke {
        id: RequestId,
        deadline: Option<Mono>,
    },
    /// The answer to next: the end. A deadline that is unknown is `None`.
    Shutdown { deadline: Option<Mono> },
    /// Any telemetry event.
    Received,
    /// `platform.start`.
    Started(RequestId),
    /// `platform.runtimeDone`, and when that was by its own account.
    Done {
        id: RequestId,
        success: bool,
        at: Wall,
    },
    /// `platform.report`.
    Reported(RequestId),
    /// The POST has ended.
    PostEnded {
        /// The collector answered, or the batch can be sent again at once, or in SHUTDOWN the other signal can still be tried.
        /// Otherwise the breaker has opened.
        answered: bool,
    },
}

/// The breaker of the endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Breaker {
    Closed,
    /// Open, but its pause is over: one batch may try.
    HalfOpen,
    Open {
        until: Wall,
    },
}

/// What `step` must know of the ring and the exporter, as it is now: of the signal whose turn it is, logs or metrics.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// There is something to send.
    pub pending: bool,
    /// There is little room left for more of it.
    pub high_water: bool,
    /// Receipt of the oldest unsettled record, or the time of the first measurement.
    pub oldest: Option<Wall>,
    pub breaker: Breaker,
    /// The stream tells that the last `runtimeDone` that should have come has not.
    pub is_done_missing: bool,
    /// Telemetry was left unread for want of room, and what has happened since then may not be seen yet.
    pub unread_since: Option<Mono>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Ask for the next event.
    Next,
    /// Send one batch.
    Post,
    /// Nothing to do before this moment unless something is observed.
    Wait { until: Option<Mono> },
    /// Everything is done: leave.
    Exit,
}

#[derive(Clone, Debug)]
pub struct Lifecycle {
    policy: Policy,
    next_outstanding: bool,
    post_in_flight: bool,
    /// Next was asked while that POST was in flight: it has had its time, and holds nothing any more.
    post_outstayed: bool,
    phase: Phase,
    /// When an event was received last in this sandbox.
    heard: Option<Mono>,
    /// No `platform.start` has failed to come since the last `runtimeDone`; see [`Lifecycle::trusts_done`].
    trusts_start: bool,
    /// How long an invocation may be silent before its `runtimeDone` is taken for lost, beyond the buffering.
    patience_ms: u64,
    /// When next was asked last.
    idle_since: Option<Wall>,
    started: Option<RequestId>,
    done: Option<(RequestId, bool, Wall)>,
    reported: Option<RequestId>,
    held: Held,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Init,
    Invoke(Invocation),
    Shutdown {
        /// Everything ends here.
        until: Mono,
        /// The report of the last invocation is awaited so long.
        report: Option<(RequestId, Mono)>,
        /// A POST has failed: no other is tried.
        failed: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Invocation {
    id: RequestId,
    deadline: Option<Mono>,
    began: Mono,
    is_first: bool,
    /// Flush, and hold next for it, when the runtime is done.
    flush_at_end: bool,
    /// When it was done, as `runtimeDone` says, but not before it began.
    done: Option<Mono>,
    /// Its status was not success.
    failed: bool,
}

impl Lifecycle {
    #[must_use]
    pub const fn new(policy: Policy) -> Lifecycle {
        Lifecycle {
            policy,
            next_outstanding: false,
            post_in_flight: false,
            post_outstayed: false,
            phase: Phase::Init,
            heard: None,
            trusts_start: true,
            patience_ms: SILENCE_MS_MIN,
            idle_since: None,
            started: None,
            done: None,
            reported: None,
            held: Held::new(),
        }
    }

    /// Takes one input and says what to do now. After [`Action::Next`] next counts as outstanding, after [`Action::Post`]
    /// a POST as in flight until [`Input::PostEnded`]. Call again with [`Input::Turn`] until it answers `Wait` or `Exit`.
    pub fn step(&mut self, input: Input, seen: &Seen, now: Clocks) -> Action {
        self.note(input, seen, now);
        let action = match self.phase {
            Phase::Init => self.in_init(seen, now),
            Phase::Invoke(invocation) => self.in_invoke(&invocation, seen, now),
            Phase::Shutdown {
                until,
                report,
                failed,
            } => self.in_shutdown(until, report, failed, seen, now),
        };
        match action {
            Action::Next => {
                self.next_outstanding = true;
                self.idle_since = Some(now.wall);
                if let Phase::Invoke(invocation) = self.phase {
                    match invocation.done {
                        Some(done) => self.held.ms += now.mono.since(done),
                        None => {
                            let ms = now.mono.since(invocation.began);
                            self.held.asked(invocation.id, now.wall, ms);
                        }
                    }
                }
            }
            Action::Post => self.post_in_flight = true,
            Action::Wait { .. } | Action::Exit => {}
        }
        action
    }

    /// When a POST in flight must end, if the phase bounds it.
    #[must_use]
    pub const fn post_until(&self) -> Option<Mono> {
        match self.phase {
            Phase::Shutdown { until, .. } => Some(until),
            Phase::Init | Phase::Invoke(_) => None,
        }
    }

    /// An invocation waits, or would wait, for us to ask next.
    #[must_use]
    pub const fn is_holding(&self) -> bool {
        matches!(self.phase, Phase::Invoke(_)) && !self.next_outstanding
    }

    /// Milliseconds that next was held after the function was done, in all, as far as `runtimeDone` was seen.
    #[must_use]
    pub const fn held_ms(&self) -> u64 {
        self.held.ms
    }

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
        let until = if seen.breaker == Breaker::Closed {
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

    fn in_init(&self, seen: &Seen, now: Clocks) -> Action {
        if !self.next_outstanding {
            return Action::Next;
        }
        if !self.policy.shutdown_only {
            return Action::Wait { until: None };
        }
        if self.may_post(seen) && self.is_due(None, seen, now) {
            return Action::Post;
        }
        Action::Wait {
            until: self.due_at(None, seen, now),
        }
    }

    fn in_invoke(&mut self, invocation: &Invocation, seen: &Seen, now: Clocks) -> Action {
        let hold = if self.next_outstanding {
            None
        } else {
            self.hold_until(invocation, seen, now)
        };
        if !self.next_outstanding && hold.is_none() {
            self.post_outstayed = self.post_in_flight;
            return Action::Next;
        }
        // With next outstanding and the runtime done, the freeze may come at any moment; but a failure is followed by a reset,
        // not by a freeze.
        let is_awake = invocation.done.is_none() || invocation.failed || !self.next_outstanding;
        if !is_awake {
            return Action::Wait { until: None };
        }
        if self.may_post(seen) && self.is_due(Some(invocation), seen, now) {
            return Action::Post;
        }
        let until = earliest(hold, self.due_at(Some(invocation), seen, now));
        Action::Wait { until }
    }

    fn in_shutdown(
        &self,
        until: Mono,
        report: Option<(RequestId, Mono)>,
        failed: bool,
        seen: &Seen,
        now: Clocks,
    ) -> Action {
        if self.post_in_flight {
            return Action::Wait { until: Some(until) };
        }
        if now.mono >= until {
            return Action::Exit;
        }
        if seen.pending && !failed {
            return Action::Post;
        }
        // After a failure too: what is on its way cannot be sent, but it is counted.
        match report {
            Some((id, at)) if self.reported != Some(id) && now.mono < at => {
                Action::Wait { until: Some(at) }
            }
            _ => Action::Exit,
        }
    }

    /// Until when next is held, or `None` if it is not. Nothing is held while the breaker is not closed.
    fn hold_until(&mut self, invocation: &Invocation, seen: &Seen, now: Clocks) -> Option<Mono> {
        if seen.breaker != Breaker::Closed {
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
    const fn trusts_done(&self, seen: &Seen) -> bool {
        self.trusts_start && !seen.is_done_missing
    }

    /// From when on the silence of an invocation that is read to its end says that its `runtimeDone` is lost, so that nothing more
    /// will come until next is asked.
    fn silent_at(&self, invocation: &Invocation, seen: &Seen) -> Option<Mono> {
        let heard = self.heard?.max(invocation.began);
        let is_expected = self.awaits_done(invocation, seen)
            && seen.unread_since.is_none()
            && self.started == Some(invocation.id);
        is_expected.then(|| heard.plus(self.policy.buffering_ms + self.patience_ms))
    }

    fn may_post(&self, seen: &Seen) -> bool {
        seen.pending && !self.post_in_flight && !matches!(seen.breaker, Breaker::Open { .. })
    }

    /// Whether what is pending should be sent now.
    fn is_due(&self, invocation: Option<&Invocation>, seen: &Seen, now: Clocks) -> bool {
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
    fn due_at(&self, invocation: Option<&Invocation>, seen: &Seen, now: Clocks) -> Option<Mono> {
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
            Breaker::Open { until } => Some(now.mono_of(until)),
            _ => earliest(earliest(by_age, by_deadline), by_silence),
        }
    }
}

fn earliest(one: Option<Mono>, other: Option<Mono>) -> Option<Mono> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests;
