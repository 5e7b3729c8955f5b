//! A flush: batch → encode → POST → settle. One batch at a time, oldest records first.
//!
//! Nothing leaves the ring before the collector has answered for it. What an answer means is one table, `Verdict::of`.
//! A batch that has to be repeated is repeated exactly, so that a collector can recognise it by its id; any other range of
//! records is another batch.

use std::io::Read;
use std::sync::Mutex;

use ureq::Agent;
use ureq::config::Config as AgentConfig;
use ureq::http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::clock::Clocks;
use crate::config::Config;
use crate::json::{self, Value};
use crate::ledger::Losses;
use crate::limits::{
    ANSWER_BYTES_MAX, ATTRIBUTE_OVERHEAD_BYTES_MAX, BATCH_BYTES_MAX, BATCH_END_BYTES_MAX,
    FREEZE_MS_MIN, RECORD_OVERHEAD_BYTES_MAX, REJECT_RECORDS,
};
use crate::reactor::{Reactor, Shared, lock};
use crate::record::{Head, Kind, Record, Writer};
use crate::resolver::CollectorResolver;
use crate::ring::Signal;
use crate::transport::CollectorConnector;
use crate::wire::Format;
use crate::{decimal, platform, severity, sys};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// In place of a status.
const NO_ANSWER: u16 = 1;

/// The way to the collector.
pub struct Exporter {
    url: Uri,
    /// The variable that named the URL, for messages.
    variable: &'static str,
    headers: Vec<(String, String)>,
    format: &'static dyn Format,
    timeout_ms: u64,
    /// Built at the first flush: a cold start does not pay for it.
    agent: Option<Agent>,
    extension_id: Vec<u8>,
    body: Vec<u8>,
    /// The batch that was sent last and has to be repeated as it was.
    repeat: Option<Batch>,
    /// A batch may have so many records; less after a 400 or 413.
    records_max: usize,
    /// The batch has had its free repetition on a fresh connection.
    is_repeated: bool,
    /// The status that was told last, so that the same trouble is told once; or [`NO_ANSWER`].
    told_status: u16,
}

/// What is in a batch.
#[derive(Clone)]
struct Batch {
    /// Sequence numbers of the first and last record; `None`: it has only the loss record.
    range: Option<(u64, u64)>,
    records: usize,
    losses: Losses,
    /// Of the loss record.
    created: Clocks,
    id: Vec<u8>,
}

/// An answer of the collector, as far as it matters.
struct Answer {
    status: u16,
    retry_after_ms: Option<u64>,
    body: Vec<u8>,
}

/// What an answer means for the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Accepted,
    /// Not now: the breaker opens.
    Later,
    /// Too large: halve it.
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
    /// `url`: where log batches go; `None` if it is none. `extension_id`: begins every batch id.
    #[must_use]
    pub fn new(url: &str, config: &Config, extension_id: Vec<u8>) -> Option<Exporter> {
        Some(Exporter {
            url: Uri::try_from(url).ok()?,
            variable: config.logs_variable,
            headers: config.headers.clone(),
            format: config.format,
            timeout_ms: config.timeout_ms,
            agent: None,
            extension_id,
            body: Vec::new(),
            repeat: None,
            records_max: usize::MAX,
            is_repeated: false,
            told_status: 0,
        })
    }

    /// Sends one batch and does with it what the answer says. The reactor turns meanwhile.
    pub fn post(&mut self, shared: Shared) {
        let began = sys::clocks();
        let mut reactor = lock(shared);
        let Some(batch) = self.encode(&reactor, began) else {
            reactor.post_ended(true);
            return;
        };
        if let Some((first, last)) = batch.range {
            reactor.intake.ring.begin_flight(Signal::Log, first, last);
        }
        reactor.intake.ledger.posts += 1;
        reactor.post_begins(began.mono.plus(self.timeout_ms));
        drop(reactor);
        sys::survival::crash_if("post");
        let answer = self.send(shared, &batch.id);
        let mut reactor = lock(shared);
        let answered = match answer {
            Ok(answer) => self.settle(&mut reactor, batch, &answer),
            Err(problem) => self.fail(&mut reactor, batch, began, problem),
        };
        reactor.post_ended(answered);
    }

    /// Writes the next batch into the body. `None`: there is nothing to send.
    fn encode(&mut self, reactor: &Reactor, now: Clocks) -> Option<Batch> {
        let intake = &reactor.intake;
        let first = intake
            .ring
            .frames(Signal::Log)
            .next()
            .map(|frame| frame.sequence);
        let repeat = self
            .repeat
            .take()
            .filter(|repeat| repeat.range.map(|(first, _)| first) == first);
        let (losses, created) = match &repeat {
            Some(repeat) => (repeat.losses, repeat.created),
            None => (intake.untold_losses(), now),
        };
        let last_max = repeat
            .and_then(|repeat| repeat.range)
            .map_or(u64::MAX, |(_, last)| last);
        self.body.clear();
        self.body.reserve(BATCH_BYTES_MAX);
        self.format.begin(&mut self.body, &intake.resource);
        if losses.total() > 0 {
            let mut writer = Writer::new(usize::MAX);
            if let Some(record) = loss_record(&mut writer, losses, created) {
                self.format.record(&mut self.body, &record, true);
            }
        }
        let (mut records, mut last, mut first_time) = (0, None, created.wall.0);
        for frame in intake.ring.frames(Signal::Log) {
            let Some(record) = Record::read(frame.payload) else {
                debug_assert!(false, "the ring holds what a writer wrote");
                // It goes with the others, or nothing would ever go.
                (records, last) = (records + 1, Some(frame.sequence));
                continue;
            };
            let bound = frame.payload.len()
                + RECORD_OVERHEAD_BYTES_MAX
                + record.attributes().count() * ATTRIBUTE_OVERHEAD_BYTES_MAX;
            let is_full = self.body.len() + bound + BATCH_END_BYTES_MAX > BATCH_BYTES_MAX;
            if frame.sequence > last_max || records >= self.records_max || (records > 0 && is_full)
            {
                break;
            }
            if records == 0 {
                first_time = record.head.time_unix_nano / 1_000_000;
            }
            let is_first = records == 0 && losses.total() == 0;
            self.format.record(&mut self.body, &record, is_first);
            records += 1;
            last = Some(frame.sequence);
        }
        if records == 0 && losses.total() == 0 {
            return None;
        }
        let range = first.zip(last);
        let id = self.batch_id(first_time, range);
        self.format.end(&mut self.body, &id);
        Some(Batch {
            range,
            records,
            losses,
            created,
            id,
        })
    }

    /// Extension id, time of the first record, first and last sequence number.
    fn batch_id(&self, first_time: u64, range: Option<(u64, u64)>) -> Vec<u8> {
        let mut id = self.extension_id.clone();
        let (first, last) = range.unwrap_or_default();
        for part in [first_time, first, last] {
            id.push(b'-');
            decimal::push(&mut id, part);
        }
        id
    }

    /// One POST, to the end of the answer.
    fn send(&mut self, shared: Shared, batch_id: &[u8]) -> Result<Answer, ureq::Error> {
        let mut request = Request::new(self.body.as_slice());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        self.set_headers(request.headers_mut(), batch_id);
        let agent = self.agent.get_or_insert_with(|| new_agent(shared));
        let (parts, mut body) = agent.run(request)?.into_parts();
        let retry_after_ms = parts
            .headers
            .get(RETRY_AFTER)
            .and_then(|value| decimal::parse(value.as_bytes()))
            .map(|seconds| seconds.saturating_mul(1000));
        // The connection can be used again only if the answer was read to its end.
        let mut start = vec![0; ANSWER_BYTES_MAX];
        let mut reader = body.as_reader();
        let mut used = 0;
        while let Ok(count @ 1..) = reader.read(start.get_mut(used..).unwrap_or_default()) {
            used += count;
        }
        start.truncate(used);
        Ok(Answer {
            status: parts.status.as_u16(),
            retry_after_ms,
            body: start,
        })
    }

    /// Ours, then the user's, which win.
    fn set_headers(&self, headers: &mut HeaderMap, batch_id: &[u8]) {
        let ours = [
            (
                USER_AGENT,
                concat!("kinglet/", env!("CARGO_PKG_VERSION")).as_bytes(),
            ),
            (CONTENT_TYPE, self.format.content_type().as_bytes()),
            (IDEMPOTENCY_KEY, batch_id),
        ];
        let users = self.headers.iter().filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, value.as_bytes()))
        });
        for (name, value) in ours.into_iter().chain(users) {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                headers.insert(name, value);
            }
        }
    }

    /// The collector has answered. True unless the breaker has opened.
    fn settle(&mut self, reactor: &mut Reactor, batch: Batch, answer: &Answer) -> bool {
        self.is_repeated = false;
        match Verdict::of(answer.status) {
            Verdict::Accepted => self.accepted(reactor, &batch, answer),
            Verdict::Later => {
                self.tell(reactor, answer.status, b"records are kept for later");
                self.later(reactor, batch, answer.retry_after_ms);
                return false;
            }
            Verdict::TooLarge if batch.records > 1 => self.narrow(reactor, &batch),
            Verdict::Invalid if batch.records > REJECT_RECORDS as usize => {
                self.narrow(reactor, &batch)
            }
            Verdict::TooLarge | Verdict::Invalid => {
                self.tell(reactor, answer.status, b"records are rejected");
                self.reject(reactor, &batch);
            }
            Verdict::Rejected => {
                self.tell(reactor, answer.status, b"records are rejected");
                self.reject(reactor, &batch);
            }
        }
        reactor.breaker.close();
        true
    }

    fn accepted(&mut self, reactor: &mut Reactor, batch: &Batch, answer: &Answer) {
        let events = reactor.intake.ring.settle_flight();
        let rejected = partial_rejections(&answer.body).min(events);
        reactor.intake.ledger.delivered += events - rejected;
        reactor.intake.ledger.rejected += rejected;
        reactor.intake.losses_told(batch.losses);
        reactor.is_silent_on_losses = batch.range.is_none();
        self.records_max = self.records_max.saturating_mul(2);
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

    /// Gives the records back to the ring.
    fn give_back(reactor: &mut Reactor) {
        reactor.intake.ledger.evicted += reactor.intake.ring.abandon_flight();
    }

    fn later(&mut self, reactor: &mut Reactor, batch: Batch, retry_after_ms: Option<u64>) {
        Self::give_back(reactor);
        reactor.intake.ledger.posts_failed += 1;
        self.repeat = Some(batch);
        reactor
            .breaker
            .open(sys::clocks().wall, retry_after_ms, sys::random());
    }

    /// Sends half of it next.
    fn narrow(&mut self, reactor: &mut Reactor, batch: &Batch) {
        Self::give_back(reactor);
        reactor.intake.ledger.posts_failed += 1;
        self.records_max = (batch.records / 2).max(1);
    }

    fn reject(&mut self, reactor: &mut Reactor, batch: &Batch) {
        let events = reactor.intake.ring.settle_flight();
        reactor.intake.ledger.rejected += events;
        reactor.is_silent_on_losses = true;
        if batch.range.is_none() {
            // A collector that does not even take the loss record will not take it the next time.
            reactor.intake.losses_told(batch.losses);
        }
        self.records_max = usize::MAX;
    }

    /// No answer. True if the batch is repeated at once: on a connection that had been used before, or in a POST that a
    /// freeze has cut, a failure says nothing about the collector.
    fn fail(
        &mut self,
        reactor: &mut Reactor,
        batch: Batch,
        began: Clocks,
        problem: ureq::Error,
    ) -> bool {
        let now = sys::clocks();
        let was_frozen = now.wall.since(began.wall) >= now.mono.since(began.mono) + FREEZE_MS_MIN;
        if (reactor.post_reuses || was_frozen) && !self.is_repeated && !reactor.is_gone() {
            self.is_repeated = true;
            Self::give_back(reactor);
            self.repeat = Some(batch);
            return true;
        }
        self.is_repeated = false;
        self.tell(reactor, NO_ANSWER, reason(&problem));
        self.later(reactor, batch, None);
        false
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
            self.variable.as_bytes(),
            b")",
        ];
        reactor.messages.say(&parts);
    }
}

fn new_agent(shared: Shared) -> Agent {
    let config = AgentConfig::builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .build();
    let connector = CollectorConnector { reactor: shared };
    let resolver = CollectorResolver {
        reactor: shared,
        known: Mutex::new(None),
    };
    Agent::with_parts(config, connector, resolver)
}

/// Why there was no answer, in a few words.
fn reason(problem: &ureq::Error) -> &'static [u8] {
    match problem {
        ureq::Error::Timeout(_) => b"out of time",
        ureq::Error::HostNotFound => b"its name is not known",
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => b"connection refused",
            std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe => {
                b"connection reset"
            }
            _ => b"connection failed",
        },
        _ => b"what came is not HTTP",
    }
}

/// `rejectedLogRecords` of a `partialSuccess` (OTLP): a number, or by protobuf's JSON mapping a string.
fn partial_rejections(body: &[u8]) -> u64 {
    match platform::member(body, b"partialSuccess/rejectedLogRecords") {
        Some(Value::Number(text)) => json::integer(text).unwrap_or(0),
        Some(Value::String(raw)) => decimal::parse(raw).unwrap_or(0),
        _ => 0,
    }
}

/// kinglet's own record of what was lost since the last one that a collector took.
fn loss_record(writer: &mut Writer, losses: Losses, created: Clocks) -> Option<Record<'_>> {
    writer.begin(&Head {
        time_unix_nano: created.wall.0.saturating_mul(1_000_000),
        severity: severity::WARN,
        event_type: b"kinglet.loss",
        request_id: b"",
        trace: None,
        coldstart: false,
    });
    let body = writer.body();
    body.extend_from_slice(b"kinglet has lost ");
    decimal::push(body, losses.total());
    body.extend_from_slice(b" telemetry events");
    writer.end_body(0);
    for (key, value) in [
        (b"evicted".as_slice(), losses.evicted),
        (b"rejected", losses.rejected),
        (b"malformed", losses.malformed),
    ] {
        let mut text = Vec::new();
        decimal::push(&mut text, value);
        writer.attribute(Kind::Integer, key, &text);
    }
    Record::read(writer.finish())
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
            (r#"{"partialSuccess":{}}"#, 0),
            ("{}", 0),
            ("", 0),
            ("OK", 0),
        ] {
            assert_eq!(partial_rejections(body.as_bytes()), rejected, "{body}");
        }
    }
}
