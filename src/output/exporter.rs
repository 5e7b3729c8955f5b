//! A flush: batch → encode → POST → settle. One batch at a time, of one signal, oldest records first.
//!
//! Nothing leaves the ring before the collector has answered for it. What an answer means is one table, `Verdict::of`.
//! A batch that has to be repeated is kept as it was written, and repeated exactly, so that a collector can recognise it by its
//! id, whatever the ring has evicted meanwhile; any other range of records is another batch. Logs and metrics have a queue each: what happens to one says nothing about the other.

mod loss;

use crate::clock::Clocks;
use crate::config::Config;
use crate::format::Format;
use crate::lambda::platform_events;
use crate::limits::{BATCH_BYTES_MAX, BATCH_END_BYTES_MAX, FREEZE_MS_MIN};
use crate::output::collector::{Answer, Client, Collector, reason};
use crate::output::narrowing::Narrowing;
use crate::queue::ledger::Losses;
use crate::queue::signal::{PerSignal, Signal};
use crate::reactor::{Reactor, Shared, lock};
use crate::source::intake::Intake;
use crate::sys;
use crate::text::decimal;
use crate::text::json::{self, Value};

/// In place of a status.
const NO_ANSWER: u16 = 1;

/// The way out.
pub struct Exporter {
    client: Client,
    encoder: Encoder,
    queues: PerSignal<Option<Queue>>,
}

/// Batches of one signal, on their way to one collector.
struct Queue {
    signal: Signal,
    collector: Collector,
    /// The batch that was sent last and has to be repeated as it was.
    repeat: Option<Batch>,
    narrowing: Narrowing,
    /// The batch has had its free repetition on a fresh connection.
    is_repeated: bool,
    /// The status that was told last, so that the same trouble is told once; or [`NO_ANSWER`].
    told_status: u16,
}

/// Writes batches.
struct Encoder {
    format: &'static dyn Format,
    /// Begins every batch id.
    extension_id: Vec<u8>,
    /// Memory for the body of the next batch.
    spare: Vec<u8>,
}

/// A batch, ready to be sent. Its records are in flight until it is settled, however often that is.
struct Batch {
    /// 0: it has only the loss record.
    records: usize,
    losses: Losses,
    id: Vec<u8>,
    body: Vec<u8>,
}

/// What is to be done with a batch that was sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It is settled.
    Forget,
    /// Send it at once.
    Repeat,
    /// Send it when the breaker closes.
    Keep,
}

/// What an answer means for the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Accepted,
    /// Not now: the breaker opens.
    Later,
    /// Too large: send less.
    TooLarge,
    /// Something in it is wrong: narrow it down.
    Invalid,
    /// Not here, not so, not ever.
    Rejected,
}

impl Verdict {
    /// OTLP/HTTP specification, "Failures" and "Retryable Response Codes"; 408 by RFC 9110.
    const fn of(status: u16) -> Verdict {
        match status {
            200..=299 => Verdict::Accepted,
            408 | 429 | 502 | 503 | 504 => Verdict::Later,
            413 => Verdict::TooLarge,
            400 => Verdict::Invalid,
            _ => Verdict::Rejected,
        }
    }
}

impl Exporter {
    /// `extension_id`: begins every batch id. A signal whose endpoint is missing is never asked for.
    #[must_use]
    pub fn new(config: &Config, extension_id: Vec<u8>) -> Exporter {
        let queue = |signal| {
            let endpoint = config.endpoints.of(signal).clone()?;
            Some(Queue {
                signal,
                collector: Collector::new(endpoint, config.format.content_type()),
                repeat: None,
                narrowing: Narrowing::default(),
                is_repeated: false,
                told_status: 0,
            })
        };
        Exporter {
            client: Client::default(),
            encoder: Encoder {
                format: config.format,
                extension_id,
                spare: Vec::new(),
            },
            queues: PerSignal {
                log: queue(Signal::Log),
                metric: queue(Signal::Metric),
            },
        }
    }

    /// The signals that have somewhere to go.
    #[must_use]
    pub const fn routes(&self) -> PerSignal<bool> {
        PerSignal {
            log: self.queues.log.is_some(),
            metric: self.queues.metric.is_some(),
        }
    }

    /// Sends one batch and does with it what the answer says. The reactor turns meanwhile.
    pub fn post(&mut self, shared: Shared) {
        let began = sys::clocks();
        let mut reactor = lock(shared);
        let signal = reactor.signal_to_post(began);
        if signal == Signal::Metric {
            reactor.gather_metrics(began);
        }
        let queue = self.queues.of_mut(signal).as_mut();
        let batch = queue.and_then(|queue| {
            let batch = match queue.repeat.take() {
                Some(batch) => batch,
                None => self.encoder.encode(queue, &mut reactor.intake, began)?,
            };
            Some((queue, batch))
        });
        let Some((queue, batch)) = batch else {
            reactor.post_ended(signal, true);
            return;
        };
        reactor.intake.ledger.posts += 1;
        reactor.post_begins(signal, began.mono.plus(queue.collector.timeout_ms));
        drop(reactor);
        sys::survival::crash_if("post");
        let answer = self
            .client
            .post(shared, &queue.collector, &batch.id, &batch.body);
        let mut reactor = lock(shared);
        reactor.flushed(began);
        sys::survival::crash_if("posted");
        let next = match answer {
            Ok(answer) => queue.settle(&mut reactor, &batch, &answer),
            Err(problem) => queue.fail(&mut reactor, began, &problem),
        };
        if next == Next::Forget {
            self.encoder.spare = batch.body;
        } else {
            queue.repeat = Some(batch);
        }
        reactor.post_ended(signal, next != Next::Keep);
    }
}

impl Encoder {
    /// Writes the next batch, whose records are then in flight. `None`: there is nothing to send.
    fn encode(&mut self, queue: &Queue, intake: &mut Intake, now: Clocks) -> Option<Batch> {
        let losses = match queue.signal {
            Signal::Log => intake.untold_losses(),
            Signal::Metric => Losses::default(),
        };
        let mut body = core::mem::take(&mut self.spare);
        body.clear();
        body.reserve(BATCH_BYTES_MAX);
        self.format.begin(&mut body, &intake.resource, queue.signal);
        let separator = self.format.separator();
        let mut before: &[u8] = b"";
        if losses.total() > 0 {
            loss::record(&mut body, self.format, &intake.resource, losses, now);
            before = separator;
        }
        let (mut records, mut first, mut last, mut first_received) = (0, 0, 0, now.wall);
        for frame in intake.ring.frames(queue.signal) {
            let bytes = body.len() + before.len() + frame.payload.len() + BATCH_END_BYTES_MAX;
            let is_full = records > 0 && bytes > queue.narrowing.bytes_max;
            if is_full || records >= queue.narrowing.records_max {
                break;
            }
            if records == 0 {
                (first, first_received) = (frame.sequence, frame.received);
            }
            body.extend_from_slice(before);
            body.extend_from_slice(frame.payload);
            before = separator;
            records += 1;
            last = frame.sequence;
        }
        if records > 0 {
            intake.ring.begin_flight(queue.signal, first, last);
        } else if losses.total() == 0 {
            self.spare = body;
            return None;
        }
        let id = self.batch_id([first_received.0, first, last]);
        self.format.end(&mut body, &id);
        Some(Batch {
            records,
            losses,
            id,
            body,
        })
    }

    /// Extension id, when the first record was received, first and last sequence number.
    fn batch_id(&self, parts: [u64; 3]) -> Vec<u8> {
        let mut id = self.extension_id.clone();
        for part in parts {
            id.push(b'-');
            decimal::push(&mut id, part);
        }
        id
    }
}

impl Queue {
    /// The collector has answered.
    fn settle(&mut self, reactor: &mut Reactor, batch: &Batch, answer: &Answer) -> Next {
        self.is_repeated = false;
        let verdict = Verdict::of(answer.status);
        let is_too_large = verdict == Verdict::TooLarge;
        let is_narrowed = (is_too_large || verdict == Verdict::Invalid)
            && self
                .narrowing
                .refused(is_too_large, batch.records, batch.body.len());
        match verdict {
            Verdict::Accepted => self.accepted(reactor, batch, answer),
            Verdict::Later => {
                self.tell(reactor, answer.status, b"records are kept for later");
                self.later(reactor, answer.retry_after_ms);
                return Next::Keep;
            }
            _ if is_narrowed => {
                // They go back into the ring; less of it is sent next.
                let evicted = reactor.intake.ring.abandon_flight(self.signal);
                reactor.intake.ledger.fate.of_mut(self.signal).evicted += evicted;
                reactor.intake.ledger.posts_failed += 1;
            }
            _ => {
                self.tell(reactor, answer.status, b"records are rejected");
                self.reject(reactor, batch);
            }
        }
        reactor.breakers.of_mut(self.signal).close();
        Next::Forget
    }

    fn accepted(&mut self, reactor: &mut Reactor, batch: &Batch, answer: &Answer) {
        let records = reactor.intake.ring.settle_flight(self.signal);
        let rejected = partial_rejections(&answer.body).min(records);
        reactor.intake.ledger.bytes_sent += batch.body.len() as u64;
        let fate = reactor.intake.ledger.fate.of_mut(self.signal);
        fate.delivered += records - rejected;
        fate.rejected += rejected;
        reactor.intake.losses_told(batch.losses);
        if self.signal == Signal::Log {
            reactor.is_silent_on_losses = batch.records == 0;
        }
        self.narrowing.accepted(batch.records);
        if rejected > 0 {
            self.tell(
                reactor,
                answer.status,
                b"some records are rejected (partialSuccess)",
            );
        } else if core::mem::take(&mut self.told_status) != 0 {
            reactor
                .messages
                .say(&[b"the collector takes records again"]);
        }
    }

    fn later(&self, reactor: &mut Reactor, retry_after_ms: Option<u64>) {
        reactor.intake.ledger.posts_failed += 1;
        let breaker = reactor.breakers.of_mut(self.signal);
        breaker.open(sys::clocks().wall, retry_after_ms, sys::random());
    }

    fn reject(&self, reactor: &mut Reactor, batch: &Batch) {
        let records = reactor.intake.ring.settle_flight(self.signal);
        reactor.intake.ledger.fate.of_mut(self.signal).rejected += records;
        reactor.is_silent_on_losses |= self.signal == Signal::Log;
        if batch.records == 0 {
            // A collector that does not even take the loss record will not take it the next time.
            reactor.intake.losses_told(batch.losses);
        }
    }

    /// No answer. The batch is repeated at once on a connection that had been used before, or if a freeze has cut the POST: then a
    /// failure says nothing about the collector.
    fn fail(&mut self, reactor: &mut Reactor, began: Clocks, problem: &ureq::Error) -> Next {
        let now = sys::clocks();
        let was_frozen = now.wall.since(began.wall) >= now.mono.since(began.mono) + FREEZE_MS_MIN;
        if (reactor.post_reuses || was_frozen) && !self.is_repeated && !reactor.is_gone() {
            self.is_repeated = true;
            return Next::Repeat;
        }
        self.is_repeated = false;
        self.tell(reactor, NO_ANSWER, reason(problem));
        self.later(reactor, None);
        Next::Keep
    }

    /// Says what is the matter, once for each kind of trouble.
    fn tell(&mut self, reactor: &mut Reactor, status: u16, consequence: &[u8]) {
        if core::mem::replace(&mut self.told_status, status) == status {
            return;
        }
        let mut code = Vec::new();
        let head: &[u8] = if status == NO_ANSWER {
            b"no answer from the collector"
        } else {
            decimal::push(&mut code, u64::from(status));
            b"the collector has answered "
        };
        let parts = [
            head,
            &code,
            b": ",
            consequence,
            b" (",
            self.collector.variable.as_bytes(),
            b")",
        ];
        reactor.messages.say(&parts);
    }
}

/// `rejectedLogRecords` or `rejectedDataPoints` of a `partialSuccess` (OTLP): a number, or by protobuf's JSON mapping a
/// string.
fn partial_rejections(body: &[u8]) -> u64 {
    let member = |path: &[u8]| platform_events::member(body, path);
    let rejected = member(b"partialSuccess/rejectedLogRecords")
        .or_else(|| member(b"partialSuccess/rejectedDataPoints"));
    match rejected {
        Some(Value::Number(text)) => json::integer(text).unwrap_or(0),
        Some(Value::String(raw)) => decimal::parse(raw).unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_means() {
        for (statuses, verdict) in [
            (vec![200, 202, 204], Verdict::Accepted),
            (vec![408, 429, 502, 503, 504], Verdict::Later),
            (vec![413], Verdict::TooLarge),
            (vec![400], Verdict::Invalid),
            (
                vec![301, 307, 401, 403, 404, 405, 415, 500, 501],
                Verdict::Rejected,
            ),
        ] {
            for status in statuses {
                assert_eq!(Verdict::of(status), verdict, "{status}");
            }
        }
    }

    #[test]
    fn partial_success_in_both_forms() {
        for (body, rejected) in [
            (
                r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"x"}}"#,
                3,
            ),
            (r#"{"partialSuccess":{"rejectedLogRecords":2}}"#, 2),
            (r#"{"partialSuccess":{"rejectedDataPoints":"4"}}"#, 4),
            (r#"{"partialSuccess":{}}"#, 0),
            ("{}", 0),
            ("", 0),
            ("OK", 0),
        ] {
            assert_eq!(partial_rejections(body.as_bytes()), rejected, "{body}");
        }
    }
}
