//! What Lambda says, by its Runtime API and in the telemetry stream, and what the lifecycle is told of it.

use super::{NextState, Reactor};
use crate::clock::Clocks;
use crate::lambda::lifecycle::{Action, Input};
use crate::lambda::next::Event;
use crate::sys::{self, survival};

impl Reactor {
    /// Asks for the first next. Nothing can have happened before, so no clock is looked at: the first look costs page faults.
    pub fn ask_first_next(&mut self) {
        let never = Clocks::default();
        let seen = self.seen(never);
        if self.lifecycle.step(Input::Turn, &seen, never) == Action::Next {
            self.ask_next();
        }
    }

    pub(super) fn note(&mut self, input: Input, now: Clocks) {
        let seen = self.seen(now);
        self.lifecycle.note(input, &seen, now);
    }

    pub(super) fn ask_next(&mut self) {
        self.next = NextState::Outstanding;
        if self.runtime_api.ask_next().is_err() {
            let event = self.runtime_api.next_lost(sys::clocks().mono);
            self.heard(event);
        }
    }

    pub(super) fn serve_runtime_api(&mut self, now: Clocks) {
        let event = match self.runtime_api.serve() {
            Ok(None) => return,
            Ok(Some(answer)) => self.runtime_api.next_answered(&answer, now),
            Err(_) => self.runtime_api.next_lost(now.mono),
        };
        self.heard(event);
    }

    fn heard(&mut self, event: Event) {
        let now = sys::clocks();
        self.next = NextState::Idle;
        match event {
            Event::Invoke { id, deadline } => {
                self.intake.ledger.invocations += 1;
                self.messages.renew();
                if let Some(arn) = &self.runtime_api.said.invoked_function_arn {
                    self.intake.resource.set_function_arn(arn.as_bytes());
                }
                self.note(Input::Invoke { id, deadline }, now);
                survival::crash_if("invoke");
            }
            Event::Shutdown { deadline } => {
                self.messages.renew();
                self.note(Input::Shutdown { deadline }, now);
                self.share_shutdown(now);
                survival::crash_if("shutdown");
            }
            Event::Again { at } => self.next = NextState::Again { at },
            Event::Gone => self.is_gone = true,
        }
    }

    /// Tells the lifecycle what the telemetry stream has said.
    pub(super) fn observe(&mut self, now: Clocks) {
        let observed = self.intake.take_observed();
        if observed.received {
            self.note(Input::Received, now);
            survival::crash_if("telemetry");
        }
        if let Some(id) = observed.started {
            self.note(Input::Started(id), now);
        }
        if let Some((id, success, at)) = observed.done {
            self.note(Input::Done { id, success, at }, now);
            self.intake.ledger.held_ms = self.lifecycle.held_ms();
            survival::crash_if("done");
        }
        if let Some(id) = observed.reported {
            self.note(Input::Reported(id), now);
        }
    }
}
