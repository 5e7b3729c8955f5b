//! Telemetry API and Logs API events to records: what each one means, and what it says about the invocation.
//!
//! ```text
//! {"time": …, "type": "function", "record": "text" or {…}} ──▶ Verdict + Observation, and a record in the encoder
//! ```
//!
//! The reader keeps the little that the stream itself tells about later events: which invocation lines belong to, its
//! trace, whether this is the cold start, and who we are (the log stream, the function's ARN, the tenant).

use crate::clock::Wall;
use crate::format::Trace;
use crate::format::resource::Resource;
use crate::format::severity;
use crate::format::{Head, Line, Value as Text};
use crate::lambda::message::OWN_PREFIX;
use crate::lambda::platform_events;
use crate::lambda::request_id::RequestId;
use crate::limits::EVENT_TYPE_BYTES_MAX;
use crate::metric::measurement::Sink;
use crate::metric::platform;
use crate::record::encoder::Encoder;
use crate::record::text_line;
use crate::source::emf;
use crate::source::statsd;
use crate::text::decimal;
use crate::text::equal::equal;
use crate::text::json::{self, Cut, Element, Member, Value};
use crate::text::timestamp;

/// What is shipped and what is not (`KINGLET_TYPES`, `KINGLET_MIN_LEVEL`, `KINGLET_INVOCATION_LINES`).
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    pub platform: bool,
    pub function: bool,
    pub extension: bool,
    /// START, END and REPORT lines.
    pub invocation_lines: bool,
    /// Records with a known severity below this are not shipped; 0 ships all.
    pub severity_min: u8,
    pub emf: Emf,
}

/// What becomes of a line in CloudWatch's embedded metric format (`KINGLET_EMF`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Emf {
    /// Metrics, and a record as any line.
    Both,
    /// Metrics alone: the line counts as filtered.
    Metrics,
    /// A record alone.
    Logs,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A record stands in the encoder.
    Record,
    /// The configuration says not to ship it.
    Filtered,
    /// It is not an event.
    Malformed,
}

/// What an event says to the lifecycle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observation {
    Nothing,
    Started(RequestId),
    Done { id: RequestId, success: bool },
    Reported(RequestId),
}

/// Reads events one at a time; see the module's text.
pub struct Reader {
    filter: Filter,
    encoder: Encoder,
    /// A line that is put together, or the unescaped text of a string record that is itself a JSON object.
    scratch: Vec<u8>,
    timestamps: timestamp::Reader,
    /// Of the event that was read last, by its own account.
    pub latest_unix_nano: u64,
    current: Option<RequestId>,
    /// When the latest start says that it was.
    started_unix_nano: u64,
    trace: Option<Trace>,
    /// Several invocations may be open at once (Managed Instances).
    is_concurrent: bool,
    open_invocations: u32,
    /// Two invocations were open at once: a line without an id belongs to nobody until one starts alone.
    is_ambiguous: bool,
    coldstart: bool,
    invocations: u32,
    /// Sum of `droppedRecords` of all `platform.logsDropped`.
    pub platform_dropped: u64,
    /// Measurements in platform events and EMF lines that could not be read.
    pub measurements_malformed: u64,
}

/// The three members of an event.
struct Envelope<'a> {
    event_type: &'a [u8],
    time_unix_nano: u64,
    observed_unix_nano: u64,
    record: Value<'a>,
    cut: Option<&'a Cut>,
    is_complete: bool,
}

/// What is known of a record besides its texts.
struct About {
    severity: u8,
    request_id: Option<RequestId>,
    time_unix_nano: u64,
}

/// What an object record says of itself.
#[derive(Default)]
struct Claims<'a> {
    severity: u8,
    request_id: Option<&'a [u8]>,
    time_unix_nano: Option<u64>,
    message: Option<(&'a [u8], bool)>,
    is_emf: bool,
}

impl Reader {
    /// `is_concurrent`: several invocations may be open at once. `coldstart`: the init phase is part of a cold start.
    #[must_use]
    pub const fn new(
        filter: Filter,
        encoder: Encoder,
        is_concurrent: bool,
        coldstart: bool,
    ) -> Reader {
        Reader {
            filter,
            encoder,
            scratch: Vec::new(),
            timestamps: timestamp::Reader::new(),
            latest_unix_nano: 0,
            current: None,
            started_unix_nano: 0,
            trace: None,
            is_concurrent,
            open_invocations: 0,
            is_ambiguous: false,
            coldstart,
            invocations: 0,
            platform_dropped: 0,
            measurements_malformed: 0,
        }
    }

    /// Reads a StatsD event or service check, which is like a line of the function.
    pub fn statsd(&mut self, log: &statsd::Log<'_>, now: Wall, resource: &Resource) -> Verdict {
        if !self.filter.function || self.is_below_minimum(log.severity) {
            return Verdict::Filtered;
        }
        let current = self.current;
        let now = nanoseconds(now);
        let head = Head {
            time_unix_nano: now,
            observed_unix_nano: now,
            severity: 0,
            event_type: b"",
            request_id: current.as_ref().map_or(b"", RequestId::as_bytes),
            trace: self.trace.as_ref(),
            coldstart: self.coldstart,
            resource,
        };
        statsd::write(log, &head, &mut self.encoder);
        Verdict::Record
    }

    /// The record of the last [`Verdict::Record`].
    #[must_use]
    pub fn record(&self) -> &[u8] {
        self.encoder.record()
    }

    /// The record of the last [`Verdict::Record`] is shorter than it came.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.encoder.is_cut()
    }

    /// Reads one event. `received` stands in for a time that is missing or unreadable. What it measures goes to `sink`.
    pub fn read(
        &mut self,
        element: &Element<'_>,
        received: Wall,
        resource: &mut Resource,
        sink: Sink<'_>,
    ) -> (Verdict, Observation) {
        let Some(envelope) = envelope(element, received, &mut self.timestamps) else {
            return (Verdict::Malformed, Observation::Nothing);
        };
        self.latest_unix_nano = envelope.time_unix_nano;
        match envelope.event_type.strip_prefix(b"platform.") {
            Some(event) => self.platform(event, &envelope, resource, sink),
            None => (self.line(&envelope, resource, sink), Observation::Nothing),
        }
    }

    fn platform(
        &mut self,
        event: &[u8],
        envelope: &Envelope<'_>,
        resource: &mut Resource,
        sink: Sink<'_>,
    ) -> (Verdict, Observation) {
        let object = match envelope.record {
            Value::Nested(object) => object,
            // `platform.fault` and old platform records are text.
            _ => b"",
        };
        let observation = self.observe(event, envelope.time_unix_nano, object, resource);
        let malformed = platform::measure(event, object, self.is_concurrent, sink);
        self.measurements_malformed += u64::from(malformed);
        let is_loss = event == LOGS_DROPPED;
        let is_shipped = self.filter.platform
            && (self.filter.invocation_lines || !platform_events::is_invocation_line(event));
        let severity = platform_severity(event, object);
        if !is_loss && (!is_shipped || severity < self.filter.severity_min) {
            return (Verdict::Filtered, observation);
        }
        let request_id = match envelope.record {
            Value::String(raw) => raw
                .strip_prefix(b"RequestId: ")
                .and_then(|rest| rest.get(..36)),
            _ => string(object, b"requestId"),
        };
        let request_id = request_id.and_then(RequestId::new);
        let mut line = core::mem::take(&mut self.scratch);
        line.clear();
        let mut is_cut = false;
        let body = match envelope.record {
            Value::Nested(object) => {
                is_cut = platform_events::append_line(
                    &mut line,
                    event,
                    object,
                    self.encoder.body_bytes_max(),
                );
                Text::Raw(&line)
            }
            Value::String(raw) => Text::Raw(raw),
            other => Text::Text(json::text(&other)),
        };
        let about = About {
            severity,
            request_id,
            time_unix_nano: envelope.time_unix_nano,
        };
        self.encode(envelope, &about, (&body, is_cut), resource, &mut |reader| {
            reader.attributes(object, None, &[b"requestId"]);
        });
        self.scratch = line;
        (Verdict::Record, observation)
    }

    /// Takes what a platform event says about the invocation and about us.
    fn observe(
        &mut self,
        event: &[u8],
        time_unix_nano: u64,
        object: &[u8],
        resource: &mut Resource,
    ) -> Observation {
        let text = |name: &[u8]| string(object, name).unwrap_or_default();
        // Compared one by one: a `match` on byte strings becomes a decision tree of single bytes, ten times as large.
        if event == b"initStart" || event == b"restoreStart" {
            resource.set(b"faas.instance", text(b"instanceId"));
            self.coldstart &= text(b"initializationType") != b"provisioned-concurrency";
            self.encoder.forget_template();
            return Observation::Nothing;
        }
        if event == LOGS_DROPPED {
            if let Some(Value::Number(records)) = platform_events::member(object, b"droppedRecords")
            {
                let records = json::integer(records).unwrap_or(0);
                self.platform_dropped = self.platform_dropped.saturating_add(records);
            }
            return Observation::Nothing;
        }
        let Some(id) = RequestId::new(text(b"requestId")) else {
            return Observation::Nothing;
        };
        if event == b"start" {
            self.start(id, time_unix_nano, object);
            if self.is_concurrent {
                // Elsewhere INVOKE tells it.
                let arn = core::str::from_utf8(text(b"functionArn"));
                resource.set_function_arn(arn.unwrap_or_default());
            }
            resource.set(b"aws.lambda.tenant_id", text(b"tenantId"));
            Observation::Started(id)
        } else if event == b"runtimeDone" || event == b"end" {
            let success = is_success(object);
            Observation::Done { id, success }
        } else if event == b"report" {
            self.open_invocations = self.open_invocations.saturating_sub(1);
            Observation::Reported(id)
        } else {
            Observation::Nothing
        }
    }

    fn start(&mut self, id: RequestId, time_unix_nano: u64, object: &[u8]) {
        // An asynchronous retry has the id of its first try, and a time of its own.
        if self.current == Some(id) && time_unix_nano <= self.started_unix_nano {
            // Delivered twice.
            return;
        }
        self.started_unix_nano = time_unix_nano;
        self.is_ambiguous = self.is_concurrent && self.open_invocations > 0;
        self.open_invocations += 1;
        self.current = Some(id).filter(|_| !self.is_ambiguous);
        self.trace = trace(object).filter(|_| !self.is_ambiguous);
        self.coldstart &= self.invocations == 0;
        self.encoder.forget_template();
        self.invocations = self.invocations.saturating_add(1);
    }

    /// A line of the function, of an extension, or of a type that Lambda has added since.
    fn line(&mut self, envelope: &Envelope<'_>, resource: &Resource, sink: Sink<'_>) -> Verdict {
        let is_own =
            || matches!(envelope.record, Value::String(raw) if raw.starts_with(OWN_PREFIX));
        let is_shipped = if envelope.event_type == FUNCTION {
            self.filter.function
        } else if envelope.event_type == b"extension" {
            self.filter.extension && !is_own()
        } else {
            true
        };
        let may_measure = envelope.event_type == FUNCTION && self.filter.emf != Emf::Logs;
        if !is_shipped && !may_measure {
            return Verdict::Filtered;
        }
        match envelope.record {
            Value::String(raw) => self.string_line(envelope, raw, is_shipped, resource, sink),
            Value::Nested(object) if object.first() == Some(&b'{') => {
                self.object_line(envelope, object, is_shipped, resource, sink)
            }
            _ if !is_shipped => Verdict::Filtered,
            // One that is neither a string nor an object is kept as its text.
            other => {
                let about = About {
                    severity: 0,
                    request_id: self.current,
                    time_unix_nano: envelope.time_unix_nano,
                };
                let body = Text::Text(json::text(&other));
                self.encode(envelope, &about, (&body, false), resource, &mut |_| {});
                Verdict::Record
            }
        }
    }

    /// Takes the event at the beginning of `bytes`, if it is a string line of the function, written as Lambda writes it: nearly
    /// all are that. The record is what the general way makes of it, read once and written once, into `out`. Returns the length
    /// of the event, and of the record; `None`: go the general way.
    pub fn plain_line(
        &mut self,
        bytes: &[u8],
        received: Wall,
        resource: &Resource,
        out: &mut [u8],
    ) -> Option<(usize, usize)> {
        if !self.filter.function {
            return None;
        }
        let (frame, text) = bytes.split_first_chunk()?;
        if !is_plain_frame(frame) {
            return None;
        }
        let time_unix_nano = self
            .timestamps
            .parse(frame.get(PLAIN_TIME_AT..PLAIN_TIME_AT + 24)?)?;
        let observed_unix_nano = nanoseconds(received);
        let Reader {
            encoder,
            filter,
            current,
            trace,
            coldstart,
            ..
        } = self;
        let current_id = current.as_ref().map_or(b"".as_slice(), RequestId::as_bytes);
        let mut severity = |raw: &[u8]| {
            // A line that is an object may be EMF, or say more of itself.
            if raw.first() == Some(&b'{') {
                return None;
            }
            let prefix = text_line::prefix(raw, current_id);
            let is_current = prefix.request_id.is_none_or(|id| equal(id, current_id));
            let is_kept = prefix.severity == 0 || prefix.severity >= filter.severity_min;
            (is_current && is_kept).then_some(prefix.severity)
        };
        let line = Line {
            time_unix_nano,
            observed_unix_nano,
            text,
            severity: &mut severity,
        };
        let mut head = || Head {
            time_unix_nano,
            observed_unix_nano,
            severity: 0,
            event_type: FUNCTION,
            request_id: current_id,
            trace: trace.as_ref().filter(|_| current.is_some()),
            coldstart: *coldstart,
            resource,
        };
        let encoded = encoder.line(line, &mut head, out)?;
        // Anything else behind the string's quote means that there are other members.
        let [b'"', b'}', ..] = text.get(encoded.taken..)? else {
            return None;
        };
        self.latest_unix_nano = time_unix_nano;
        Some((
            PLAIN_FRAME_BYTES + encoded.taken + PLAIN_END_BYTES,
            encoded.written,
        ))
    }

    fn string_line(
        &mut self,
        envelope: &Envelope<'_>,
        raw: &[u8],
        mut is_shipped: bool,
        resource: &Resource,
        sink: Sink<'_>,
    ) -> Verdict {
        let (severity, request_id, is_emf) = self.string_claims(raw);
        if is_emf {
            let object = core::mem::take(&mut self.scratch);
            is_shipped &= self.measure_emf(envelope, &object, sink);
            self.scratch = object;
        }
        if !is_shipped || self.is_below_minimum(severity) {
            return Verdict::Filtered;
        }
        let about = About {
            severity,
            request_id,
            time_unix_nano: envelope.time_unix_nano,
        };
        self.encode(
            envelope,
            &about,
            (&Text::Raw(raw), false),
            resource,
            &mut |_| {},
        );
        Verdict::Record
    }

    /// Severity and request id of a string record: from its prefix, or from the JSON object that it is. That object stands in
    /// the scratch; the last says whether it is EMF.
    fn string_claims(&mut self, raw: &[u8]) -> (u8, Option<RequestId>, bool) {
        let (severity, request_id, is_emf) = if raw.first() == Some(&b'{') {
            self.scratch.clear();
            json::append_unescaped(&mut self.scratch, raw, raw.len());
            let claims = claims(&self.scratch);
            (claims.severity, claims.request_id, claims.is_emf)
        } else {
            let current = self
                .current
                .as_ref()
                .map_or(b"".as_slice(), RequestId::as_bytes);
            let prefix = text_line::prefix(raw, current);
            (prefix.severity, prefix.request_id, false)
        };
        let request_id = request_id.and_then(|raw| self.request_id(raw));
        (severity, request_id.or(self.current), is_emf)
    }

    /// Measures what a line in the embedded metric format says. True unless the line itself is not to be shipped.
    fn measure_emf(&mut self, envelope: &Envelope<'_>, object: &[u8], sink: Sink<'_>) -> bool {
        if envelope.event_type != FUNCTION || self.filter.emf == Emf::Logs {
            return true;
        }
        self.measurements_malformed += u64::from(emf::read(object, sink).malformed);
        self.filter.emf == Emf::Both
    }

    fn object_line(
        &mut self,
        envelope: &Envelope<'_>,
        object: &[u8],
        mut is_shipped: bool,
        resource: &Resource,
        sink: Sink<'_>,
    ) -> Verdict {
        let claims = claims(object);
        if claims.is_emf {
            is_shipped &= self.measure_emf(envelope, object, sink);
        }
        if !is_shipped || self.is_below_minimum(claims.severity) {
            return Verdict::Filtered;
        }
        let request_id = claims
            .request_id
            .and_then(|raw| self.request_id(raw))
            .or(self.current);
        let about = About {
            severity: claims.severity,
            request_id,
            time_unix_nano: claims.time_unix_nano.unwrap_or(envelope.time_unix_nano),
        };
        let body = match claims.message {
            Some((message, is_complete)) => (&Text::Raw(message), !is_complete),
            None => (&Text::Text(object), !envelope.is_complete),
        };
        self.encode(envelope, &about, body, resource, &mut |reader| {
            reader.attributes(object, Some(&claims), &[]);
        });
        Verdict::Record
    }

    /// The id in `raw`; nearly always it is the current one.
    fn request_id(&self, raw: &[u8]) -> Option<RequestId> {
        match &self.current {
            Some(current) if current.as_bytes() == raw => self.current,
            _ => RequestId::new(raw),
        }
    }

    fn is_below_minimum(&self, severity: u8) -> bool {
        severity != 0 && severity < self.filter.severity_min
    }

    /// Encodes a record. `body`: the text, and whether something of it is missing already; its original length is told if it was cut
    /// then, or here. `attributes` adds the record's own.
    fn encode(
        &mut self,
        envelope: &Envelope<'_>,
        about: &About,
        (body, is_cut): (&Text<'_>, bool),
        resource: &Resource,
        attributes: &mut dyn FnMut(&mut Reader),
    ) {
        let quotes = if matches!(envelope.record, Value::String(_)) {
            2
        } else {
            0
        };
        self.begin(
            envelope.event_type,
            about,
            envelope.observed_unix_nano,
            body,
            resource,
            &mut |reader, cut_here| {
                let on_the_wire = match (envelope.cut, is_cut | cut_here) {
                    (Some(cut), _) => cut.original_bytes.saturating_sub(quotes),
                    (None, true) => json::text(&envelope.record).len(),
                    (None, false) => 0,
                };
                if on_the_wire > 0 {
                    reader.encoder.cut(on_the_wire);
                }
                attributes(reader);
            },
        );
    }

    /// Encodes a record; `more` adds to it, and is told whether the body was cut.
    fn begin(
        &mut self,
        event_type: &[u8],
        about: &About,
        observed_unix_nano: u64,
        body: &Text<'_>,
        resource: &Resource,
        more: &mut dyn FnMut(&mut Reader, bool),
    ) {
        let trace = self
            .trace
            .filter(|_| about.request_id.is_some() && about.request_id == self.current);
        let head = Head {
            time_unix_nano: about.time_unix_nano,
            observed_unix_nano,
            severity: about.severity,
            event_type,
            request_id: about.request_id.as_ref().map_or(b"", RequestId::as_bytes),
            trace: trace.as_ref(),
            coldstart: self.coldstart,
            resource,
        };
        let is_cut = self.encoder.begin(&head, body);
        more(self, is_cut);
        self.encoder.finish(&head);
    }

    /// Top-level members to attributes: scalars as they are, nested values as their JSON text. Those that have found a
    /// place in the record's own fields are left out.
    fn attributes(&mut self, object: &[u8], claims: Option<&Claims<'_>>, skipped: &[&[u8]]) {
        let mut room = Vec::new();
        for member in json::members(object, None) {
            let key = json::canonical(member.key, &mut room);
            let is_claimed = claims.is_some_and(|claims| claims.contain(key, &member));
            if is_claimed || !member.complete || skipped.contains(&key) {
                continue;
            }
            let value = match member.value {
                Value::Number(text) => number(text),
                Value::True => Text::Boolean(true),
                Value::False => Text::Boolean(false),
                // An attribute without a value does not exist in OTLP.
                Value::Null => continue,
                Value::String(text) => Text::Raw(text),
                Value::Nested(text) => Text::Text(text),
            };
            self.encoder.attribute(key, &value);
        }
    }
}

impl<'a> Claims<'a> {
    /// Whether a member, whose key in its canonical form is `key`, has found its place in the record's own fields.
    fn contain(&self, key: &[u8], member: &Member<'a>) -> bool {
        let is = |claimed: Option<&[u8]>| match (claimed, member.value) {
            (Some(claimed), Value::String(raw)) => core::ptr::eq(claimed, raw),
            _ => false,
        };
        if key == LEVEL {
            level(member) != 0
        } else if key == TIMESTAMP {
            self.time_unix_nano.is_some() || time(member).is_some()
        } else if key == MESSAGE {
            is(self.message.map(|(message, _)| message))
        } else {
            REQUEST_ID.contains(&key) && is(self.request_id)
        }
    }
}

/// `{"time":"2026-11-21T20:37:43.578Z","type":"function","record":"`.
const PLAIN_FRAME_BYTES: usize = 63;
const PLAIN_TIME_AT: usize = 9;
/// A quote and a brace.
const PLAIN_END_BYTES: usize = 2;
const FUNCTION: &[u8] = b"function";
const LOGS_DROPPED: &[u8] = b"logsDropped";
const LEVEL: &[u8] = b"level";
const TIMESTAMP: &[u8] = b"timestamp";
const MESSAGE: &[u8] = b"message";
/// The members that name an invocation, the first of them first: Lambda's, Powertools', and the Java logger's.
const REQUEST_ID: [&[u8]; 3] = [b"requestId", b"function_request_id", b"AWSRequestId"];

/// What stands around the time, in words, some of which overlap: compared one by one, without a loop.
fn is_plain_frame(frame: &[u8; PLAIN_FRAME_BYTES]) -> bool {
    let is = |at: usize, word: &[u8; 8]| {
        let found = frame.get(at..).and_then(<[u8]>::first_chunk);
        found.is_some_and(|found| u64::from_le_bytes(*found) == u64::from_le_bytes(*word))
    };
    is(0, b"{\"time\":")
        && is(1, b"\"time\":\"")
        && is(33, b"\",\"type\"")
        && is(41, b":\"functi")
        && is(49, b"on\",\"rec")
        && is(55, b"ecord\":\"")
}

/// Reads the three members; `None` if it is not an event.
fn envelope<'a>(
    element: &'a Element<'a>,
    received: Wall,
    timestamps: &mut timestamp::Reader,
) -> Option<Envelope<'a>> {
    let (mut event_type, mut time_unix_nano, mut record) = (None, None, None);
    for member in json::members(element.raw, element.cut.as_ref()) {
        if member.key == b"record" {
            record = Some((member.value, member.complete));
        } else if let Value::String(raw) = member.value {
            if member.key == b"time" {
                time_unix_nano = timestamps.parse(raw);
            } else if member.key == b"type" {
                event_type = Some(raw);
            }
        }
    }
    let is_type = |raw: &&[u8]| {
        let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'"' && *byte != b'\\';
        (1..=EVENT_TYPE_BYTES_MAX).contains(&raw.len()) && raw.iter().all(is_plain)
    };
    let (record, is_complete) = record?;
    Some(Envelope {
        event_type: event_type.filter(is_type)?,
        time_unix_nano: time_unix_nano.unwrap_or(nanoseconds(received)),
        observed_unix_nano: nanoseconds(received),
        record,
        // A cut elsewhere than in the record took nothing that is kept.
        cut: element.cut.as_ref().filter(|_| !is_complete),
        is_complete,
    })
}

/// Level, request id, time and message of an object record (or of a line that is one).
fn claims(object: &[u8]) -> Claims<'_> {
    let mut claims = Claims::default();
    let mut best = REQUEST_ID.len();
    let mut room = Vec::new();
    for member in json::members(object, None) {
        let key = json::canonical(member.key, &mut room);
        let rank = REQUEST_ID.iter().position(|known| *known == key);
        if key == LEVEL {
            claims.severity = Some(level(&member))
                .filter(|level| *level != 0)
                .unwrap_or(claims.severity);
        } else if key == TIMESTAMP {
            claims.time_unix_nano = time(&member).and_then(|(time, fine)| fine.then_some(time));
        } else if key == b"_aws" {
            claims.is_emf = true;
        } else if let Value::String(raw) = member.value {
            if key == MESSAGE {
                claims.message = Some((raw, member.complete));
            } else if let Some(rank) = rank
                && rank < best
                && RequestId::new(raw).is_some()
            {
                best = rank;
                claims.request_id = Some(raw);
            }
        }
    }
    claims
}

fn level(member: &Member<'_>) -> u8 {
    match member.value {
        Value::String(word) => severity::of_word(word),
        Value::Number(number) => json::integer(number).map_or(0, severity::of_number),
        _ => 0,
    }
}

/// The time of a record's own `timestamp`, and whether it is finer than a second: a coarse one would lose the order
/// that the event's time keeps.
fn time(member: &Member<'_>) -> Option<(u64, bool)> {
    match member.value {
        Value::String(raw) => timestamp::parse(raw),
        _ => None,
    }
}

/// Error for an invocation or a phase that did not succeed, warning for a loss, else info.
fn platform_severity(event: &[u8], object: &[u8]) -> u8 {
    if event == LOGS_DROPPED {
        severity::WARN
    } else if event == b"fault" || !is_success(object) {
        severity::ERROR
    } else {
        severity::INFO
    }
}

/// A status that is missing is taken as success.
fn is_success(object: &[u8]) -> bool {
    string(object, b"status").is_none_or(|status| status == b"success")
}

/// `Root=1-6b012345-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1` to OpenTelemetry's form. The span id of
/// the event itself comes before the parent's.
fn trace(object: &[u8]) -> Option<Trace> {
    let Some(Value::Nested(tracing)) = platform_events::member(object, b"tracing") else {
        return None;
    };
    let value = string(tracing, b"value")?;
    let field = |name: &[u8]| {
        value
            .split(|byte| *byte == b';')
            .find_map(|part| part.strip_prefix(name))
    };
    let root = field(b"Root=1-")?;
    let (time, unique) = (root.get(..8)?, root.get(9..)?);
    let span_id = string(tracing, b"spanId").or_else(|| field(b"Parent="));
    Some(Trace {
        trace_id: hex(&[time, unique])?,
        span_id: span_id.and_then(|id| hex(&[id])).unwrap_or([b'0'; 16]),
        sampled: field(b"Sampled=") == Some(b"1"),
    })
}

/// Exactly N hexadecimal digits, in lower case.
fn hex<const N: usize>(parts: &[&[u8]]) -> Option<[u8; N]> {
    let mut digits = [0; N];
    let mut text = parts.iter().flat_map(|part| part.iter());
    for digit in &mut digits {
        *digit = text
            .next()
            .filter(|byte| byte.is_ascii_hexdigit())?
            .to_ascii_lowercase();
    }
    text.next().is_none().then_some(digits)
}

/// A string member, raw.
fn string<'a>(object: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match platform_events::member(object, name) {
        Some(Value::String(raw)) => Some(raw),
        _ => None,
    }
}

/// How a JSON number is shipped. One that no double holds, or that is no number at all, is shipped as text.
fn number(text: &[u8]) -> Text<'_> {
    if !json::number_is_valid(text) {
        return Text::Raw(text);
    }
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    // A reader may take `-0` for a double.
    if digits.iter().all(u8::is_ascii_digit) && text != b"-0" {
        // Up to 18 digits are surely within 64 bits; a longer integer would lose digits as a double.
        return if digits.len() <= 18 {
            Text::Integer(text)
        } else {
            Text::Raw(text)
        };
    }
    let exponent = text
        .iter()
        .position(|byte| matches!(byte, b'e' | b'E'))
        .and_then(|at| text.get(at + 1..));
    // A double holds 1e308: with so many digits and such an exponent a number is surely below that.
    let is_moderate = exponent.is_none_or(|exponent| {
        let digits = exponent
            .strip_prefix(b"-")
            .or(exponent.strip_prefix(b"+"))
            .unwrap_or(exponent);
        decimal::parse(digits).is_some_and(|value| value <= 250)
    });
    if text.len() <= 48 && is_moderate {
        Text::Double(text)
    } else {
        Text::Raw(text)
    }
}

const fn nanoseconds(time: Wall) -> u64 {
    time.0.saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests;
