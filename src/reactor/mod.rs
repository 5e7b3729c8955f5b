//! All descriptors, one poll, one order of work; and the state that what arrives is fed to.
//!
//! [`Reactor::turn`] builds the poll set, sleeps, and serves what is ready: the Runtime API first, for an INVOKE or a
//! SHUTDOWN decides about all else, then telemetry, then new connections. A *guest* is one descriptor of somebody who is
//! in the middle of something else (a POST, a name being resolved) and wants the world to go on meanwhile: it calls
//! [`Reactor::wait`]. What the lifecycle decides in such a wait is done at once, but for a POST, which waits its turn.

mod events;
pub mod listener;
mod measures;
pub mod place;
#[cfg_attr(not(feature = "metrics"), path = "absent/statsd_socket.rs")]
pub mod statsd_socket;
mod turns;

use std::os::fd::RawFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::{Clocks, Mono, earliest};
use crate::lambda::lifecycle::{Action, Input, Lifecycle, Policy};
use crate::lambda::message::Messages;
use crate::lambda::pause::{Pause, Room, read_bytes_max};
use crate::lambda::runtime_api::RuntimeApi;
use crate::limits::{DATAGRAM_REST_MS, WAITED_MAX};
use crate::metric::own::SelfMetrics;
use crate::queue::route::{ROUTES, Route, RouteId, can_drain};
use crate::reactor::listener::Listener;
use crate::reactor::statsd_socket::StatsdSocket;
use crate::source::intake::Intake;
use crate::sys::{self, PollFd};

/// The reactor as it is shared with ureq's transport, which wants `Send + Sync + 'static`. There is one thread; the lock is
/// never held across a call into ureq. It lives as long as the process, so nothing counts who uses it, and nothing drops it.
pub type Shared = &'static Mutex<Reactor>;

/// Locks it. A poisoned lock is as good as any: there is no other thread that could have panicked.
pub fn lock(shared: Shared) -> MutexGuard<'static, Reactor> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a wait has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waited {
    Ready,
    TimedOut,
    /// The sandbox is gone; nothing is worth waiting for.
    Gone,
}

// The order is that of [`Lifecycle`], for the same reason.
#[repr(C)]
pub struct Reactor {
    next: NextState,
    /// The POST in flight has to end then.
    post_until: Option<Mono>,
    pause: Pause,
    /// The POST in flight goes over a connection that has carried one before.
    pub post_reuses: bool,
    /// Losses are not to be sent alone: the collector has rejected the last batch, or has just got them so. (Sent alone they
    /// could make others: an endpoint that is our own listener counts each POST as a malformed event.)
    pub is_silent_on_losses: bool,
    is_gone: bool,
    /// The route of the POST in flight.
    posting: RouteId,
    /// Port of the StatsD socket; 0 is none.
    pub statsd_port: u16,
    pub messages: Messages,
    statsd: Option<StatsdSocket>,
    pub routes: [Route; ROUTES],
    /// kinglet's own cost, if it is to be told.
    own: Option<SelfMetrics>,
    pub runtime_api: RuntimeApi,
    pub lifecycle: Lifecycle,
    pub intake: Intake,
    telemetry: Option<Listener>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NextState {
    /// Not asked by the lifecycle.
    Idle,
    Outstanding,
    /// Asked by the lifecycle, but the Runtime API has to be tried again then.
    Again {
        at: Mono,
    },
}

impl Reactor {
    #[must_use]
    pub fn new(
        runtime_api: RuntimeApi,
        telemetry: Option<Listener>,
        intake: Intake,
        policy: Policy,
        own: Option<SelfMetrics>,
        messages: Messages,
    ) -> Reactor {
        Reactor {
            runtime_api,
            telemetry,
            intake,
            lifecycle: Lifecycle::new(policy),
            routes: Default::default(),
            statsd_port: 0,
            statsd: None,
            own,
            messages,
            next: NextState::Idle,
            is_gone: false,
            pause: Pause::default(),
            post_until: None,
            posting: RouteId::default(),
            post_reuses: false,
            is_silent_on_losses: false,
        }
    }

    /// What is to be done now. Next is asked here as soon as the lifecycle says so.
    pub fn decide(&mut self) -> Action {
        loop {
            if self.is_gone {
                return Action::Exit;
            }
            let now = sys::clocks();
            if let NextState::Again { at } = self.next
                && now.mono >= at
            {
                self.ask_next();
                continue;
            }
            self.look_at_room(now);
            let seen = self.seen(now);
            let action = self.lifecycle.step(Input::Turn, &seen, now);
            if action != Action::Next {
                return action;
            }
            self.intake.ledger.held_ms = self.lifecycle.held_ms();
            self.ask_next();
        }
    }

    /// Lets the world go on until the guest's descriptor is ready or the time is over.
    pub fn wait(&mut self, guest: (RawFd, i16), deadline: Mono) -> Waited {
        loop {
            let until = match self.decide() {
                Action::Wait { until } => until,
                Action::Exit if self.is_gone => return Waited::Gone,
                // A POST is in flight, so the lifecycle asks for none; the end is left to the main loop.
                Action::Post | Action::Next | Action::Exit => None,
            };
            let deadline = self
                .post_until()
                .map_or(deadline, |bound| bound.min(deadline));
            if sys::clocks().mono >= deadline {
                return Waited::TimedOut;
            }
            let until = until.map_or(deadline, |until| until.min(deadline));
            if self.turn(Some(guest), Some(until)) {
                return Waited::Ready;
            }
        }
    }

    /// Sleeps once, at most until then, and serves what is ready. True if the guest is.
    pub fn turn(&mut self, guest: Option<(RawFd, i16)>, until: Option<Mono>) -> bool {
        let now = sys::clocks();
        let is_paused = self.pause.is_on();
        let mut set = [sys::NOTHING; WAITED_MAX];
        let [runtime_api, visitor, statsd, listener, connections @ ..] = &mut set;
        (runtime_api.fd, runtime_api.events) = self.runtime_api.interest().unwrap_or((-1, 0));
        (visitor.fd, visitor.events) = guest.unwrap_or((-1, 0));
        if let Some(telemetry) = &self.telemetry
            && !is_paused
        {
            (listener.fd, listener.events) =
                (telemetry.listener(now.mono).unwrap_or(-1), sys::READABLE);
            for (slot, fd) in connections.iter_mut().zip(telemetry.connections()) {
                (slot.fd, slot.events) = (fd.unwrap_or(-1), sys::READABLE);
            }
        }
        if let Some(socket) = &self.statsd {
            (statsd.fd, statsd.events) = (socket.interest().unwrap_or(-1), sys::READABLE);
        }
        let is_resting = self.statsd.as_ref().is_some_and(StatsdSocket::is_resting);
        let rest = is_resting.then(|| now.mono.plus(DATAGRAM_REST_MS));
        let until = earliest(earliest(self.own_deadline(now.mono), until), rest);
        sys::wait(&mut set, until.map(|until| until.since(now.mono)));
        let now = sys::clocks();
        let [runtime_api, visitor, statsd, listener, connections @ ..] = &set;
        if runtime_api.ready != 0 {
            self.serve_runtime_api(now);
        }
        self.serve_telemetry(connections, listener.ready != 0, now);
        if (is_resting || statsd.ready != 0)
            && let Some(socket) = &mut self.statsd
        {
            socket.serve(&mut self.intake, now.wall);
        }
        self.observe(now);
        visitor.ready != 0
    }

    #[must_use]
    pub const fn is_gone(&self) -> bool {
        self.is_gone
    }

    fn serve_telemetry(&mut self, connections: &[PollFd], is_knocking: bool, now: Clocks) {
        let can_drain = can_drain(&self.routes, now.wall);
        let Some(telemetry) = &mut self.telemetry else {
            return;
        };
        for (place, connection) in connections.iter().enumerate() {
            if connection.ready != 0 {
                let bytes_max = read_bytes_max(self.intake.ring.free_bytes(), can_drain);
                telemetry.serve(place, bytes_max, &mut self.intake, now);
            }
        }
        if is_knocking {
            telemetry.accept(&mut self.intake, now.mono);
        }
        if !self.pause.is_on() {
            telemetry.close_stalled(&mut self.intake, now.mono);
            if !telemetry.is_in_request() {
                self.pause.answered();
            }
        }
    }

    /// Decides whether telemetry is left unread in the next turn.
    fn look_at_room(&mut self, now: Clocks) {
        let ring = &self.intake.ring;
        let room = Room {
            free_bytes: ring.free_bytes(),
            capacity_bytes: ring.capacity(),
            can_drain: can_drain(&self.routes, now.wall),
            is_posting: self.post_until.is_some(),
        };
        if self.pause.look(room, now)
            && let Some(telemetry) = &mut self.telemetry
        {
            telemetry.excuse(now.mono);
        }
    }

    /// When the reactor itself has something to do.
    fn own_deadline(&self, now: Mono) -> Option<Mono> {
        let again = match self.next {
            NextState::Again { at } => Some(at),
            NextState::Idle | NextState::Outstanding => None,
        };
        let telemetry = self.pause.ends_at().or_else(|| {
            let telemetry = self.telemetry.as_ref();
            telemetry.and_then(|telemetry| telemetry.wake_at(now))
        });
        earliest(again, telemetry)
    }
}
