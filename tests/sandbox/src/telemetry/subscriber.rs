//! One subscriber and its delivery thread: batches in order, one in flight, retries, drops.

use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::buffer::{Batch, Buffer};
use super::event::{Event, LogFormat, Stream};
use super::gate::Gate;
use super::post::{Poster, Wire};
use super::subscription::Subscription;

/// How often and how patiently Lambda retries is not known; these numbers are a guess.
const ATTEMPTS_MAX: u32 = 5;
const BACK_OFF: Duration = Duration::from_millis(50);
pub(crate) const REASON: &str =
    "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.";

/// What became of the events for one subscriber.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCount {
    /// Events the extension has taken with a 2xx, repeats not counted.
    pub delivered: usize,
    /// Lines of the function among them.
    pub lines: usize,
    /// Events given up, each told by a `platform.logsDropped`.
    pub dropped: usize,
    /// Answered requests.
    pub posts: usize,
    /// Bytes of the delivered bodies.
    pub bytes: usize,
}

/// How a subscriber is served.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) wire: Wire,
    pub(crate) duplicate: bool,
    pub(crate) mute: bool,
    pub(crate) double_batches: bool,
    /// A line that would make more than this many bytes wait is held up, at most for `patience`, then dropped; and so
    /// are at once all that follow, until something has been taken.
    pub(crate) backlog_max: usize,
    pub(crate) patience: Duration,
    pub(crate) format: LogFormat,
}

pub(crate) struct Subscriber {
    pub(crate) name: String,
    pub(crate) subscription: Subscription,
    manner: Manner,
    gate: Arc<Gate>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    buffer: Buffer,
    in_flight: bool,
    /// Nothing is delivered while the extension is being started again.
    paused: bool,
    closed: bool,
    /// A line's patience has run out, and nothing has been taken since.
    behind: bool,
    count: DeliveryCount,
    /// Lines dropped since the last notice.
    dropped: (usize, usize),
    /// The last batch was given up.
    failing: bool,
}

impl Subscriber {
    pub(crate) fn start(
        name: &str,
        subscription: Subscription,
        manner: Manner,
        gate: Arc<Gate>,
    ) -> Arc<Subscriber> {
        let bytes_max = subscription.bytes_max * if manner.double_batches { 2 } else { 1 };
        let buffer = Buffer::new(subscription.items_max, bytes_max, subscription.timeout);
        let state = State {
            buffer,
            in_flight: false,
            paused: false,
            closed: false,
            behind: false,
            count: DeliveryCount::default(),
            dropped: (0, 0),
            failing: false,
        };
        let subscriber = Arc::new(Subscriber {
            name: name.into(),
            subscription,
            manner,
            gate,
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let delivering = subscriber.clone();
        let named = thread::Builder::new().name("delivery".into());
        named
            .spawn(move || delivering.deliver())
            .expect("a thread for the delivery");
        subscriber
    }

    /// Puts an event into the buffer. Lines of the function and of extensions wait while too much waits already.
    pub(crate) fn publish(&self, event: &Event) {
        let stream = event.stream();
        let mut bytes = Vec::with_capacity(1024);
        if !self.subscription.wants(stream)
            || !event.render(&self.subscription, self.manner.format, &mut bytes)
        {
            return;
        }
        let mut state = self.state.lock().unwrap();
        if stream != Stream::Platform {
            let slow = |state: &mut State| {
                !state.closed
                    && !state.paused
                    && state.buffer.backlog() + bytes.len() > self.manner.backlog_max
            };
            let patience = if state.behind {
                Duration::ZERO
            } else {
                self.manner.patience
            };
            let waited = self
                .changed
                .wait_timeout_while(state, patience, slow)
                .unwrap();
            state = waited.0;
            if waited.1.timed_out() {
                state.behind = true;
                state.dropped = (state.dropped.0 + 1, state.dropped.1 + bytes.len());
                state.count.dropped += 1;
                return;
            }
        }
        let (was_empty, had_full) = (state.buffer.is_empty(), state.buffer.has_full());
        state
            .buffer
            .push(&bytes, stream == Stream::Function, Instant::now());
        // Only what the delivery does not know yet: a wake-up for every line is what a load would wait for.
        let due = was_empty || (!had_full && state.buffer.has_full());
        drop(state);
        if due {
            self.changed.notify_all();
        }
    }

    fn tell_dropped(&self, state: &mut State) {
        let (records, bytes) = std::mem::take(&mut state.dropped);
        if records == 0 || !self.subscription.wants(Stream::Platform) {
            return;
        }
        let record =
            serde_json::json!({"droppedBytes": bytes, "droppedRecords": records, "reason": REASON});
        let mut rendered = Vec::new();
        Event::platform("platform.logsDropped", record).render(
            &self.subscription,
            self.manner.format,
            &mut rendered,
        );
        state.buffer.push(&rendered, false, Instant::now());
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        self.state.lock().unwrap().paused = paused;
        self.changed.notify_all();
    }

    /// Makes what waits due at once.
    pub(crate) fn flush(&self) {
        self.state.lock().unwrap().buffer.flush();
        self.changed.notify_all();
    }

    pub(crate) fn close(&self) {
        self.state.lock().unwrap().closed = true;
        self.changed.notify_all();
    }

    pub(crate) fn count(&self) -> DeliveryCount {
        self.state.lock().unwrap().count
    }

    /// Waits until everything published has been taken or given up; says whether it was in time.
    pub(crate) fn drain(&self, timeout: Duration) -> bool {
        let busy =
            |state: &mut State| !state.closed && (state.in_flight || !state.buffer.is_empty());
        // What waits for an extension that is gone waits for the next one.
        let waits = |state: &mut State| busy(state) && !state.paused;
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, timeout, waits);
        !busy(&mut waited.unwrap().0)
    }

    fn deliver(&self) {
        let mut poster = Poster::default();
        while let Some(batch) = self.next_batch() {
            let taken = self.manner.mute || self.post(&mut poster, &batch);
            let mut state = self.state.lock().unwrap();
            state.in_flight = false;
            if self.manner.mute {
            } else if taken {
                state.behind = false;
                state.count.delivered += batch.events;
                state.count.lines += batch.lines;
                state.count.bytes += batch.bytes.len();
            } else {
                state.count.dropped += batch.events;
                state.dropped.0 += batch.events;
                state.dropped.1 += batch.bytes.len();
            }
            // Once for failures in a row: a notice that is given up itself is not told by another, or it would never end.
            if taken || !std::mem::replace(&mut state.failing, true) {
                self.tell_dropped(&mut state);
            }
            state.failing &= !taken;
            drop(state);
            self.changed.notify_all();
        }
    }

    fn next_batch(&self) -> Option<Batch> {
        loop {
            self.gate.wait_awake();
            let mut state = self.state.lock().unwrap();
            if state.closed {
                return None;
            }
            let awake = !state.paused && !self.gate.is_frozen();
            if let Some(batch) = awake.then(|| state.buffer.take(Instant::now())).flatten() {
                state.in_flight = true;
                return Some(batch);
            }
            let due = state.buffer.due().filter(|_| !state.paused);
            let pause = due.map_or(Duration::from_secs(3600), |due| {
                due.saturating_duration_since(Instant::now())
            });
            // Whoever freezes does not wake this thread; it looks again when the batch is due.
            drop(
                self.changed
                    .wait_timeout(state, pause.max(Duration::from_micros(100)))
                    .unwrap(),
            );
        }
    }

    /// Posts until a 2xx, a few times; says whether the batch was taken.
    fn post(&self, poster: &mut Poster, batch: &Batch) -> bool {
        let mut back_off = BACK_OFF;
        for attempt in 1..=ATTEMPTS_MAX {
            let answer = poster.post(
                &self.subscription.destination,
                self.manner.wire,
                &batch.bytes,
                &self.gate,
            );
            let taken = matches!(answer, Ok(200..=299));
            let mut state = self.state.lock().unwrap();
            state.count.posts += usize::from(answer.is_ok());
            if state.closed {
                return taken;
            }
            if taken {
                drop(state);
                if self.manner.duplicate {
                    let _ = poster.post(
                        &self.subscription.destination,
                        self.manner.wire,
                        &batch.bytes,
                        &self.gate,
                    );
                }
                return true;
            }
            if attempt < ATTEMPTS_MAX {
                state = self
                    .changed
                    .wait_timeout_while(state, back_off, |state| !state.closed)
                    .unwrap()
                    .0;
                // The extension is being started again: its subscription waits for it.
                drop(
                    self.changed
                        .wait_while(state, |state| state.paused && !state.closed)
                        .unwrap(),
                );
                self.gate.wait_awake();
                back_off *= 2;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::http::{Answer, RequestReader};
    use crate::server::Server;

    const MS: Duration = Duration::from_millis(1);

    /// A subscriber on a server that answers with these statuses, then with 200; and what the server gets.
    fn subscriber(
        statuses: Vec<u16>,
    ) -> (Arc<Subscriber>, Arc<Gate>, mpsc::Receiver<String>, Server) {
        let (sender, received) = mpsc::channel();
        let statuses = Mutex::new(statuses.into_iter());
        let server = Server::start(Arc::new(move |stream, _| {
            let mut reader = RequestReader::new(stream);
            while let Ok(Some(request)) = reader.request() {
                let status = statuses.lock().unwrap().next().unwrap_or(200);
                let _ = sender.send(String::from_utf8_lossy(&request.body).into_owned());
                let _ = Answer::new(status, "").write(reader.stream(), false);
            }
        }))
        .unwrap();
        let mut subscription = Subscription::example();
        subscription.destination.port = server.address().port();
        subscription.timeout = 25 * MS;
        let manner = Manner {
            wire: Wire::default(),
            duplicate: false,
            mute: false,
            double_batches: false,
            backlog_max: 1 << 20,
            patience: Duration::ZERO,
            format: LogFormat::Text,
        };
        let gate = Arc::new(Gate::default());
        (
            Subscriber::start("bird", subscription, manner, gate.clone()),
            gate,
            received,
            server,
        )
    }

    fn event(kind: &'static str) -> Event {
        Event::platform(kind, serde_json::json!({}))
    }

    #[test]
    fn nothing_is_delivered_in_a_freeze() {
        let (subscriber, gate, received, _server) = subscriber(vec![]);
        gate.set_frozen(true);
        subscriber.publish(&event("platform.start"));
        assert!(received.recv_timeout(100 * MS).is_err());
        gate.set_frozen(false);
        assert!(
            received
                .recv_timeout(5000 * MS)
                .unwrap()
                .contains("platform.start")
        );
        assert!(subscriber.drain(Duration::from_secs(5)));
        assert_eq!(subscriber.count().delivered, 1);
        subscriber.close();
    }

    #[test]
    fn a_refused_batch_comes_again_and_is_given_up_in_the_end() {
        let (subscriber, _gate, received, _server) = subscriber(vec![500; 7]);
        subscriber.publish(&event("platform.start"));
        let bodies: Vec<String> = (0..8)
            .map(|_| received.recv_timeout(5000 * MS).unwrap())
            .collect();
        assert!(
            bodies[..5]
                .iter()
                .all(|body| body == &bodies[0] && body.contains("platform.start"))
        );
        assert!(
            bodies[5..]
                .iter()
                .all(|body| body.contains("platform.logsDropped"))
        );
        assert!(subscriber.drain(Duration::from_secs(5)));
        let count = subscriber.count();
        assert_eq!((count.delivered, count.dropped, count.posts), (1, 1, 8));
        subscriber.close();
    }

    #[test]
    fn a_consumer_that_is_gone_for_good_is_told_once() {
        let (subscriber, _gate, received, _server) = subscriber(vec![500; 1000]);
        subscriber.publish(&event("platform.start"));
        assert!(subscriber.drain(Duration::from_secs(30)));
        assert_eq!(received.try_iter().count(), 2 * ATTEMPTS_MAX as usize);
        assert_eq!(subscriber.count().dropped, 2);
        subscriber.close();
    }

    #[test]
    fn a_consumer_that_has_fallen_behind_holds_up_one_line_only() {
        let manner = Manner {
            wire: Wire::default(),
            duplicate: false,
            mute: false,
            double_batches: false,
            backlog_max: 0,
            patience: 200 * MS,
            format: LogFormat::Text,
        };
        let gate = Arc::new(Gate::default());
        let subscriber = Subscriber::start("bird", Subscription::example(), manner, gate);
        let line = Event {
            time: std::time::SystemTime::now(),
            body: super::super::event::Body::Function {
                line: "a line".into(),
                request_id: None,
            },
        };
        let began = Instant::now();
        (0..10).for_each(|_| subscriber.publish(&line));
        let took = began.elapsed();
        assert!(took >= 200 * MS && took < 600 * MS, "{took:?}");
        assert_eq!(subscriber.count().dropped, 10);
        subscriber.close();
    }
}
