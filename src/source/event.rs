//! Telemetry API and Logs API events to records: what each one means, and what it says about the invocation.
//!
//! ```text
//! {"time": …, "type": "function", "record": "text" or {…}} ──▶ Verdict + Observation, and a record in the encoder
//! ```
//!
//! The reader keeps the little that the stream itself tells about later events: which invocation lines belong to, its
//! trace, whether this is the cold start, and who we are (the log stream, the function's ARN, the tenant).

mod claims;
mod invocation;
mod lines;
mod members;
mod plain;

use crate::clock::Wall;
use crate::format::Trace;
use crate::format::resource::Resource;
use crate::format::severity;
use crate::format::{FUNCTION, Head, Value as Text};
use crate::lambda::message::OWN_PREFIX;
use crate::lambda::platform_events;
use crate::lambda::request_id::RequestId;
use crate::limits::EVENT_TYPE_BYTES_MAX;
use crate::metric::measurement::Sink;
use crate::record::encoder::Encoder;
use crate::record::text_line;
use crate::source::emf;
use crate::source::statsd;
use crate::text::json::{self, Cut, Element, Value};
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

impl Filter {
    /// Leaves nothing out.
    pub const ALL: Filter = Filter {
        platform: true,
        function: true,
        extension: true,
        invocation_lines: true,
        severity_min: 0,
        emf: Emf::Both,
    };

    /// Whether a record of this severity is shipped; 0 is unknown.
    const fn keeps(&self, severity: u8) -> bool {
        severity == 0 || severity >= self.severity_min
    }
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
    /// Those that records have of their own.
    own_timestamps: timestamp::Reader,
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
            own_timestamps: timestamp::Reader::new(),
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
        time_unix_nano: time_unix_nano.unwrap_or(received.unix_nano()),
        observed_unix_nano: received.unix_nano(),
        record,
        // A cut elsewhere than in the record took nothing that is kept.
        cut: element.cut.as_ref().filter(|_| !is_complete),
        is_complete,
    })
}

#[cfg(test)]
mod tests;
