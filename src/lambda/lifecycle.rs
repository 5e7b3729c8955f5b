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

mod due;
mod held;
mod holding;
mod noting;
mod terms;

use crate::clock::{Clocks, Mono, Wall, earliest};
use crate::lambda::request_id::RequestId;
use crate::limits::SILENCE_MS_MIN;
use held::Held;
pub use terms::{Action, BreakerState, Flush, Input, Policy, Seen};

// The small ones first: what is within 127 bytes is reached by an instruction that is three bytes shorter. So it is wherever
// the order of fields is fixed.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Lifecycle {
    next_outstanding: bool,
    post_in_flight: bool,
    /// Next was asked while that POST was in flight: it has had its time, and holds nothing any more.
    post_outstayed: bool,
    /// No `platform.start` has failed to come since the last `runtimeDone`; see [`Lifecycle::trusts_done`].
    trusts_start: bool,
    policy: Policy,
    /// How long an invocation may be silent before its `runtimeDone` is taken for lost, beyond the buffering.
    patience_ms: u64,
    /// When an event was received last in this sandbox.
    heard: Option<Mono>,
    /// When next was asked last.
    idle_since: Option<Wall>,
    phase: Phase,
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
}

#[cfg(test)]
mod tests;
