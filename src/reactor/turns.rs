//! POSTs, one after the other: what the lifecycle is told of the routes, and what becomes of the bound of one in flight.

use super::Reactor;
use crate::clock::{Clocks, Mono, earliest};
use crate::lambda::lifecycle::{BreakerState, Input, Seen};
use crate::limits::ANSWER_MS_MAX;
use crate::queue::route::{ROUTES, RouteId};
use crate::queue::turn::{self, PostBounds, Waiting};
use crate::sys;

impl Reactor {
    /// The POST has ended. `answered`: the breaker stays closed.
    pub fn post_ended(&mut self, route: RouteId, answered: bool) {
        let now = sys::clocks();
        self.post_until = None;
        let is_end = self.lifecycle.post_until().is_some();
        route.of_mut(&mut self.routes).is_given_up |= is_end && !answered;
        // In SHUTDOWN a failure of one collector leaves the others their turn.
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
        earliest(self.lifecycle.post_until(), self.post_until)
    }

    /// A POST begins, and has to end by then.
    pub fn post_begins(&mut self, route: RouteId, until: Mono) {
        let now = sys::clocks();
        let state = route.of(&self.routes).breaker.state(now.wall);
        (self.posting, self.post_reuses) = (route, false);
        self.bound_post(until, state == BreakerState::Closed, now);
    }

    /// The status has come: nothing that is still to come is worth much time.
    pub fn post_is_answered(&mut self) {
        let end = sys::clocks().mono.plus(ANSWER_MS_MAX);
        self.post_until = self.post_until.map(|until| until.min(end));
    }

    /// SHUTDOWN has come: a POST in flight leaves others their turn.
    pub(super) fn share_shutdown(&mut self, now: Clocks) {
        if let Some(until) = self.post_until {
            self.bound_post(until, true, now);
        }
    }

    fn bound_post(&mut self, until: Mono, is_closed: bool, now: Clocks) {
        let bounds = PostBounds {
            end: self.lifecycle.post_until(),
            is_closed,
            others_wait: self
                .all_waiting(now)
                .iter()
                .flatten()
                .any(|each| each.route != self.posting),
        };
        self.post_until = Some(turn::post_until(until, bounds, now));
    }

    /// What the lifecycle has to know of the ring and the exporter: of the route whose turn it is, or of the first.
    pub(super) fn seen(&self, now: Clocks) -> Seen {
        let waiting = self.waiting(now);
        let [first, ..] = &self.routes;
        Seen {
            pending: waiting.is_some(),
            high_water: waiting.as_ref().is_some_and(|waiting| waiting.is_urgent),
            oldest: waiting.as_ref().and_then(|waiting| waiting.oldest),
            breaker: waiting.map_or(first.breaker.state(now.wall), |waiting| waiting.breaker),
            is_done_missing: self.intake.is_done_missing,
            unread_since: self.pause.unread_since(self.intake.latest(), now),
        }
    }

    /// The route whose turn it is.
    #[must_use]
    pub fn waiting(&self, now: Clocks) -> Option<Waiting> {
        turn::first(&self.all_waiting(now)).copied()
    }

    fn all_waiting(&self, now: Clocks) -> [Option<Waiting>; ROUTES] {
        let mut all = [None; ROUTES];
        for (waiting, id) in all.iter_mut().zip(RouteId::all()) {
            let route = id.of(&self.routes);
            let (oldest, is_urgent) = self.intake.waiting(id);
            let has_losses = id.facts().tells_losses && self.tells_losses();
            if route.is_open && !route.is_given_up && (oldest.is_some() || has_losses) {
                *waiting = Some(Waiting {
                    route: id,
                    breaker: route.breaker.state(now.wall),
                    is_urgent,
                    oldest,
                });
            }
        }
        all
    }

    /// Losses go out with the next records. Alone they are sent at the end, once, and not to a collector that refuses
    /// everything.
    fn tells_losses(&self) -> bool {
        let is_end = self.lifecycle.post_until().is_some();
        is_end && !self.is_silent_on_losses && self.intake.untold_losses().total() > 0
    }
}
