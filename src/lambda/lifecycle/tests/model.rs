//! What surrounds the machine: Lambda, the function, the collector and the clocks. Every [`Event`] drives `step` to rest,
//! as the reactor does, and every action and every rest is checked against the [`super::law`].

use crate::clock::{Clocks, Mono, Wall};
use crate::lambda::lifecycle::{Action, BreakerState, Flush, Input, Lifecycle, Policy, Seen};
use crate::lambda::request_id::RequestId;
use crate::limits::{
    ADAPTIVE_IDLE_MS, BREAKER_MS_MIN, REPORT_MS_MAX, SHUTDOWN_MARGIN_MS, SHUTDOWN_OPEN_MS_MAX,
    SHUTDOWN_UNKNOWN_MS,
};

/// Next, a POST, and the rest: more is a loop.
const ACTIONS_MAX: usize = 3;
pub const FREEZE_MS: u64 = 3_600_000;

/// What can happen. Invocations are numbered from 1, deadlines count from now, 0 is one that has passed.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    Invoke(Option<u64>),
    /// An invocation with the id of the last one: Lambda repeats a failed asynchronous one so.
    Retry(Option<u64>),
    Shutdown(Option<u64>),
    /// One record.
    Line,
    /// Records up to the high-water mark.
    Flood,
    Started(u64),
    Done(u64, bool),
    /// Successfully, so many milliseconds ago: it was late, or left unread.
    DoneAgo(u64, u64),
    /// From here on telemetry is left unread; and all of it is read.
    Unread,
    Read,
    Reported(u64),
    /// The POST is answered, and the ring is empty.
    Sent,
    /// The POST is answered, and there is more.
    SentPart,
    /// The POST has failed.
    Refused,
    /// So long awake, without regard to what the machine waits for: it may be late.
    Pass(u64),
    /// To the moment that the machine waits for.
    Wake,
    Freeze,
    /// The wall clock is set back by an hour.
    SetBack,
}

/// What is broken, if something is.
pub type Check = Result<(), &'static str>;

#[derive(Clone, Debug)]
pub struct World {
    pub(super) lifecycle: Lifecycle,
    pub policy: Policy,
    pub now: Clocks,
    pub seen: Seen,
    pub exited: bool,
    /// What the last event led to: every action but a `Wait` that was not the last.
    pub actions: Vec<Action>,
    /// Invocations so far.
    pub(super) number: u64,
    pub(super) latest: Latest,
    pub(super) invocation: Option<Open>,
    pub(super) end: Option<End>,
    pub(super) asked: Wall,
    pub(super) until: Option<Mono>,
    pub(super) next: bool,
    pub(super) post: bool,
    /// Next was asked while it was in flight.
    pub(super) outstayed: bool,
    /// How long next was not outstanding in all invocations.
    pub(super) unasked_ms: u64,
}

/// The number of the invocation of which it was observed last.
#[derive(Clone, Copy, Default, Debug)]
pub struct Latest {
    pub event: bool,
    /// When that was.
    pub heard: Mono,
    pub started: u64,
    /// It was started, and no `runtimeDone` has come since.
    pub is_open: bool,
    pub done: u64,
    /// When, by its own account.
    pub done_at: Mono,
    /// The status of that was not success.
    pub failed: bool,
    pub reported: u64,
}

#[derive(Clone, Copy, Debug)]
pub struct Open {
    pub began: Mono,
    pub deadline: Option<Mono>,
    pub is_first: bool,
    pub done: Option<Mono>,
    pub failed: bool,
    pub flush_at_end: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct End {
    pub exit_by: Mono,
    /// The report of this invocation is awaited so long.
    pub report: Option<(u64, Mono)>,
    pub failed: bool,
}

pub fn id(number: u64) -> RequestId {
    RequestId::new(number.to_string().as_bytes()).unwrap()
}

impl World {
    pub fn new(policy: Policy) -> World {
        World {
            lifecycle: Lifecycle::new(policy),
            policy,
            now: Clocks {
                wall: Wall(1_700_000_000_000),
                mono: Mono(100_000),
            },
            seen: Seen {
                pending: false,
                high_water: false,
                oldest: None,
                breaker: BreakerState::Closed,
                is_done_missing: false,
                unread_since: None,
            },
            exited: false,
            actions: Vec::new(),
            number: 0,
            latest: Latest::default(),
            invocation: None,
            end: None,
            asked: Wall(0),
            until: None,
            next: false,
            post: false,
            outstayed: false,
            unasked_ms: 0,
        }
    }

    /// Everything that can happen now.
    pub fn events(&self) -> Vec<Event> {
        if self.exited {
            return Vec::new();
        }
        let mut events = vec![Event::Line, Event::Flood];
        events.extend([1, 25, 100, 300].map(Event::Pass));
        events.extend(self.until.map(|_| Event::Wake));
        if self.post {
            events.extend([Event::Sent, Event::SentPart, Event::Refused]);
        }
        let on_demand = !self.policy.shutdown_only;
        if self.next && on_demand {
            // 80 is less than the margin, 350 less than the flush before the deadline.
            events.extend([None, Some(0), Some(80), Some(350), Some(3_000)].map(Event::Invoke));
            let Latest { started, done, .. } = self.latest;
            if self.number > 0 && started.max(done) <= self.number {
                events.push(Event::Retry(Some(3_000)));
            }
            events.push(Event::Freeze);
        }
        events.push(Event::SetBack);
        if self.next {
            // 150 is less than the margin, 220 less than the margin and the wait for the report.
            events.extend([None, Some(0), Some(150), Some(220), Some(2_000)].map(Event::Shutdown));
        }
        if self.policy.subscribed {
            // What was left unread has begun to come.
            events.extend(match self.seen.unread_since {
                None => (self.latest.event && !self.next).then_some(Event::Unread),
                Some(_) => Some(Event::Read),
            });
            // Of the last, this, or the one that Lambda has begun while we have not read its INVOKE.
            let begun = self.number + u64::from(self.next);
            for number in self.number.max(2) - 1..=begun {
                if number > self.latest.started {
                    events.push(Event::Started(number));
                }
                if number > self.latest.done && on_demand {
                    events.extend([true, false].map(|success| Event::Done(number, success)));
                    events.push(Event::DoneAgo(number, 200));
                }
                // A report comes after next.
                if number > self.latest.reported && (number <= self.number || !on_demand) {
                    events.push(Event::Reported(number));
                }
            }
        }
        events
    }

    pub fn apply(&mut self, event: Event) -> Check {
        self.actions.clear();
        self.check_event(event)?;
        let to_mono = |ms: u64| match ms {
            0 => self.now.mono.minus(1),
            ms => self.now.mono.plus(ms),
        };
        match event {
            Event::Invoke(ms) => {
                self.number += 1;
                self.invoke(ms.map(to_mono))
            }
            Event::Retry(ms) => {
                self.latest.done = self.latest.done.min(self.number - 1);
                self.latest.reported = self.latest.reported.min(self.number - 1);
                self.invoke(ms.map(to_mono))
            }
            Event::Shutdown(ms) => self.shutdown(ms.map(to_mono)),
            Event::Line | Event::Flood => {
                self.seen.pending = true;
                self.seen.high_water |= matches!(event, Event::Flood);
                self.seen.oldest = self.seen.oldest.or(Some(self.now.wall));
                self.receive();
                self.settle(Input::Turn)
            }
            Event::Started(number) => {
                self.receive();
                self.seen.is_done_missing |= self.latest.is_open;
                (self.latest.started, self.latest.is_open) = (number, true);
                self.settle(Input::Started(id(number)))
            }
            Event::Done(number, success) => {
                self.receive();
                self.latest.done = number;
                (self.latest.is_open, self.seen.is_done_missing) = (false, false);
                self.latest.done_at = self.now.mono;
                self.latest.failed = !success;
                self.observe_done();
                let (id, at) = (id(number), self.now.wall);
                self.settle(Input::Done { id, success, at })
            }
            Event::DoneAgo(number, ms) => {
                self.receive();
                (self.latest.done, self.latest.failed) = (number, false);
                (self.latest.is_open, self.seen.is_done_missing) = (false, false);
                self.latest.done_at = self.now.mono.minus(ms);
                self.observe_done();
                let (id, at) = (id(number), Wall(self.now.wall.0 - ms));
                let success = true;
                self.settle(Input::Done { id, success, at })
            }
            Event::Unread => {
                self.seen.unread_since = Some(self.now.mono);
                self.settle(Input::Turn)
            }
            Event::Read => {
                self.seen.unread_since = None;
                self.settle(Input::Turn)
            }
            Event::Reported(number) => {
                self.receive();
                self.latest.reported = number;
                self.seen.is_done_missing |= self.latest.is_open && self.latest.started == number;
                self.settle(Input::Reported(id(number)))
            }
            Event::Sent | Event::SentPart => {
                let more = matches!(event, Event::SentPart);
                self.seen.pending = more;
                self.seen.high_water = false;
                self.seen.oldest = more.then_some(self.now.wall);
                self.seen.breaker = BreakerState::Closed;
                self.end_post(true)
            }
            Event::Refused => self.end_post(false),
            Event::Pass(ms) => {
                self.advance(ms);
                self.settle(Input::Turn)
            }
            Event::Wake => {
                let until = self.until.ok_or("it waits for ever")?;
                self.advance(until.since(self.now.mono));
                self.settle(Input::Turn)
            }
            Event::Freeze => {
                self.now.wall = self.now.wall.plus(FREEZE_MS);
                self.advance(0);
                self.settle(Input::Turn)
            }
            Event::SetBack => {
                self.now.wall = Wall(self.now.wall.0 - FREEZE_MS);
                // As the breaker has it: see there.
                if let BreakerState::Open { .. } = self.seen.breaker {
                    self.seen.breaker = BreakerState::HalfOpen;
                }
                self.settle(Input::Turn)
            }
        }?;
        // The driver keeps to `post_until`.
        match self.end {
            Some(end) if self.post && self.now.mono >= end.exit_by => self.end_post(false),
            _ => Ok(()),
        }
    }

    /// Time passes, and the machine is not asked.
    pub fn advance(&mut self, ms: u64) {
        self.now.mono = self.now.mono.plus(ms);
        self.now.wall = self.now.wall.plus(ms);
        if let BreakerState::Open { until } = self.seen.breaker
            && self.now.wall >= until
        {
            self.seen.breaker = BreakerState::HalfOpen;
        }
    }

    fn invoke(&mut self, deadline: Option<Mono>) -> Check {
        // The clock may have been set back.
        let was_idle =
            self.now.wall < self.asked || self.now.wall.since(self.asked) > ADAPTIVE_IDLE_MS;
        self.next = false;
        let is_first = self.invocation.is_none();
        self.invocation = Some(Open {
            began: self.now.mono,
            deadline: deadline.filter(|at| *at > self.now.mono),
            is_first,
            done: None,
            failed: false,
            flush_at_end: match self.policy.flush {
                Flush::Start => false,
                Flush::End => true,
                Flush::Adaptive => is_first || was_idle,
            },
        });
        self.observe_done();
        let id = id(self.number);
        self.settle(Input::Invoke { id, deadline })
    }

    fn observe_done(&mut self) {
        if let Some(open) = &mut self.invocation
            && self.latest.done == self.number
        {
            if open.done.is_none() {
                open.failed = self.latest.failed;
            }
            open.done = open.done.or(Some(self.latest.done_at.max(open.began)));
        }
    }

    fn shutdown(&mut self, deadline: Option<Mono>) -> Check {
        let now = self.now.mono;
        self.next = false;
        let mut exit_by = match deadline.filter(|at| *at > now) {
            Some(at) => at.minus(SHUTDOWN_MARGIN_MS),
            None => now.plus(SHUTDOWN_UNKNOWN_MS),
        };
        if self.seen.breaker != BreakerState::Closed {
            exit_by = exit_by.min(now.plus(SHUTDOWN_OPEN_MS_MAX));
        }
        let last = match self.number {
            0 => self.latest.started,
            number => number,
        };
        let is_awaited = last > 0 && self.policy.subscribed;
        self.end = Some(End {
            exit_by,
            report: is_awaited.then(|| (last, exit_by.min(now.plus(REPORT_MS_MAX)))),
            failed: false,
        });
        self.settle(Input::Shutdown { deadline })
    }

    /// Any telemetry event: noted, and what it says in detail follows with a step.
    fn receive(&mut self) {
        if self.policy.subscribed {
            self.latest.event = true;
            self.latest.heard = self.now.mono;
            self.lifecycle.note(Input::Received, &self.seen, self.now);
        }
    }

    fn end_post(&mut self, answered: bool) -> Check {
        (self.post, self.outstayed) = (false, false);
        if !answered {
            let until = self.now.wall.plus(BREAKER_MS_MIN);
            self.seen.breaker = BreakerState::Open { until };
            if let Some(end) = &mut self.end {
                end.failed = true;
            }
        }
        if let Some(end) = &mut self.end
            && let Some((_, at)) = &mut end.report
            && self.seen.unread_since.is_some()
        {
            // What was left unread needs its time.
            *at = end.exit_by.min(self.now.mono.plus(REPORT_MS_MAX)).max(*at);
        }
        self.settle(Input::PostEnded { answered })
    }

    /// What the reactor does: takes actions until there is none.
    fn settle(&mut self, mut input: Input) -> Check {
        for _ in 0..ACTIONS_MAX {
            let action = self.lifecycle.step(input, &self.seen, self.now);
            input = Input::Turn;
            if matches!(self.actions.last(), Some(Action::Wait { .. })) {
                self.actions.pop();
            }
            self.actions.push(action);
            match action {
                Action::Next => {
                    self.check_next()?;
                    self.next = true;
                    self.outstayed = self.post;
                    self.asked = self.now.wall;
                    let open = self.invocation.map(|open| self.now.mono.since(open.began));
                    self.unasked_ms += open.unwrap_or(0);
                }
                Action::Post => {
                    self.check_post()?;
                    self.post = true;
                }
                Action::Wait { until } => {
                    self.until = until;
                    return self.check_rest();
                }
                Action::Exit => {
                    self.exited = true;
                    return self.check_exit();
                }
            }
        }
        Err("it does not come to rest")
    }
}
