//! Telemetry from where it is born to every subscriber.

mod buffer;
mod event;
mod gate;
mod post;
mod subscriber;
mod subscription;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use self::event::{Body, Event};
pub(crate) use self::gate::Gate;
pub(crate) use self::subscriber::{Manner, Subscriber};
pub(crate) use self::subscription::{Api, Subscription};

pub use self::event::LogFormat;
pub(crate) use self::post::Poster;
pub use self::post::Wire;
pub use self::subscriber::DeliveryCount;
pub use self::subscription::Destination;

pub(crate) struct Telemetry {
    pub(crate) gate: Arc<Gate>,
    manner: Manner,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Shared, so that publishing a line need not copy the list.
    subscribers: Arc<Vec<Arc<Subscriber>>>,
    /// Events of this init phase, for those who subscribe later in it; `None` after it.
    early: Option<Vec<Event>>,
}

impl Telemetry {
    pub(crate) fn new(manner: Manner) -> Telemetry {
        Telemetry {
            gate: Arc::default(),
            manner,
            state: Arc::default(),
        }
    }

    /// Hands an event to all who want it. May wait for slow consumers if it is a line.
    pub(crate) fn publish(&self, event: Event) {
        State::publish(&self.state, event);
    }

    /// Hands it to them after a while.
    pub(crate) fn publish_later(&self, event: Event, delay: Duration) {
        let state = self.state.clone();
        thread::spawn(move || {
            thread::sleep(delay);
            State::publish(&state, event);
        });
    }

    pub(crate) fn init_begins(&self) {
        self.state.lock().unwrap().early = Some(Vec::new());
    }

    /// From now on nobody can subscribe, and whoever was paused by a reset is served again.
    pub(crate) fn init_ends(&self) {
        let mut state = self.state.lock().unwrap();
        state.early = None;
        state
            .subscribers
            .iter()
            .for_each(|subscriber| subscriber.set_paused(false));
    }

    /// The extensions are gone, their subscriptions stay (protocol reference 2.2).
    pub(crate) fn pause(&self) {
        self.state
            .lock()
            .unwrap()
            .subscribers
            .iter()
            .for_each(|subscriber| subscriber.set_paused(true));
    }

    /// Adds a subscriber with all early events, or wakes the one that is there already; says if it is new.
    pub(crate) fn subscribe(&self, name: &str, subscription: Subscription) -> bool {
        let mut state = self.state.lock().unwrap();
        let same = |other: &&Arc<Subscriber>| {
            other.name == name && other.subscription.destination == subscription.destination
        };
        if let Some(known) = state.subscribers.iter().find(same) {
            known.set_paused(false);
            return false;
        }
        let subscriber = Subscriber::start(name, subscription, self.manner, self.gate.clone());
        state
            .early
            .iter()
            .flatten()
            .for_each(|event| subscriber.publish(event));
        Arc::make_mut(&mut state.subscribers).push(subscriber);
        true
    }

    /// The API this extension has subscribed with, if it has.
    pub(crate) fn subscribed(&self, name: &str) -> Option<Api> {
        let state = self.state.lock().unwrap();
        state
            .subscribers
            .iter()
            .find(|other| other.name == name)
            .map(|other| other.subscription.api)
    }

    pub(crate) fn destination(&self) -> Option<Destination> {
        let state = self.state.lock().unwrap();
        state
            .subscribers
            .last()
            .map(|subscriber| subscriber.subscription.destination.clone())
    }

    pub(crate) fn count(&self) -> DeliveryCount {
        let state = self.state.lock().unwrap();
        state
            .subscribers
            .first()
            .map(|subscriber| subscriber.count())
            .unwrap_or_default()
    }

    pub(crate) fn flush(&self) {
        self.state
            .lock()
            .unwrap()
            .subscribers
            .iter()
            .for_each(|subscriber| subscriber.flush());
    }

    /// Waits until every subscriber has taken what was published; says whether it was in time.
    pub(crate) fn drain(&self, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let subscribers = self.state.lock().unwrap().subscribers.clone();
        subscribers
            .iter()
            .all(|subscriber| subscriber.drain(deadline.saturating_duration_since(Instant::now())))
    }

    pub(crate) fn close(&self) {
        self.state
            .lock()
            .unwrap()
            .subscribers
            .iter()
            .for_each(|subscriber| subscriber.close());
        self.gate.set_frozen(false);
    }
}

impl State {
    fn publish(state: &Mutex<State>, event: Event) {
        let subscribers = {
            let mut state = state.lock().unwrap();
            if let Some(early) = &mut state.early {
                early.push(event.clone());
            }
            if !matches!(event.body, Body::Function { .. } | Body::Extension { .. }) {
                // Platform events never wait, and their order is that of the calls.
                state
                    .subscribers
                    .iter()
                    .for_each(|subscriber| subscriber.publish(&event));
                return;
            }
            state.subscribers.clone()
        };
        subscribers
            .iter()
            .for_each(|subscriber| subscriber.publish(&event));
    }
}
