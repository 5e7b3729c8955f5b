//! The mapping of events to records, and what the stream says about the invocation.

use super::*;
use crate::record::encoder::captured::{Captured, Record, ValueKind};
use crate::text::json::Elements;

mod identity;
mod mapping;
mod plain_line;
mod platform;
mod repaired;
mod selection;

const ALL: Filter = Filter::ALL;

/// 2026-11-21T09:15:00.101Z, the time of most events here.
const TIME: u64 = 1_795_252_500_101_000_000;
/// When they are received, in milliseconds.
const RECEIVED: Wall = Wall(1_795_252_500_200);

const A: &str = "6505dd93-6855-4c62-995b-b7313129bf81";
const B: &str = "44fbac8c-33c1-4302-b587-921f354973d0";
const C: &str = "b83df7b1-68d6-41b3-9e01-57489f47a6b1";

/// A reader and all that it needs.
struct Stream {
    reader: Reader,
    resource: Resource,
    /// Names of what was measured.
    measured: Vec<String>,
}

/// A record in a form that is easily compared.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    time: u64,
    severity: u8,
    event_type: String,
    request_id: String,
    trace: Option<Trace>,
    coldstart: bool,
    /// Raw string content.
    body: String,
    /// `key=s:text`, `key=i:1`, `key=d:1.5` or `key=b:true`.
    attributes: Vec<String>,
    original_bytes: u32,
    dropped_attributes: u32,
}

impl Stream {
    fn new(filter: Filter) -> Stream {
        Stream::with(filter, 64 * 1024, false)
    }

    fn with(filter: Filter, record_bytes_max: usize, is_concurrent: bool) -> Stream {
        Stream {
            reader: Reader::new(
                filter,
                Encoder::new(&Captured, record_bytes_max),
                is_concurrent,
                true,
            ),
            resource: Resource::default(),
            measured: Vec::new(),
        }
    }

    /// Several invocations may be open at once.
    fn concurrent() -> Stream {
        Stream::with(ALL, 64 * 1024, true)
    }

    fn read(&mut self, event: &str) -> (Verdict, Observation) {
        self.element(&Element {
            raw: event.as_bytes(),
            cut: None,
        })
    }

    fn element(&mut self, element: &Element<'_>) -> (Verdict, Observation) {
        let Self {
            reader,
            resource,
            measured,
        } = self;
        let sink: Sink<'_> = &mut |measurement| {
            measured.push(String::from_utf8_lossy(measurement.name).into_owned());
        };
        reader.read(element, RECEIVED, resource, sink)
    }

    /// The record of an event that gives one.
    fn see(&mut self, event: &str) -> Seen {
        assert_eq!(self.read(event).0, Verdict::Record, "{event}");
        self.seen()
    }

    fn seen(&mut self) -> Seen {
        let record = Record::read(self.reader.record()).unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let attributes = record.attributes().map(|each| {
            let kind = match each.kind {
                ValueKind::String => 's',
                ValueKind::Integer => 'i',
                ValueKind::Double => 'd',
                ValueKind::Boolean => 'b',
            };
            format!("{}={kind}:{}", text(each.key), text(each.value))
        });
        Seen {
            time: record.head.time_unix_nano,
            severity: record.head.severity,
            event_type: text(record.head.event_type),
            request_id: text(record.head.request_id),
            trace: record.head.trace,
            coldstart: record.head.coldstart,
            body: text(record.body),
            attributes: attributes.collect(),
            original_bytes: record.original_bytes,
            dropped_attributes: record.dropped_attributes,
        }
    }

    /// The record of a function line; `record` is JSON.
    fn line(&mut self, record: &str) -> Seen {
        self.see(&event("function", record))
    }

    fn start(&mut self, id: &str) -> Seen {
        self.see(&event(
            "platform.start",
            &format!(r#"{{"requestId":"{id}"}}"#),
        ))
    }

    fn report(&mut self, id: &str) -> Seen {
        self.see(&event(
            "platform.report",
            &format!(r#"{{"requestId":"{id}"}}"#),
        ))
    }

    fn resource_value(&self, key: &str) -> Option<&str> {
        let mut entries = self.resource.entries().iter();
        let entry = entries.find(|entry| entry.key == key.as_bytes())?;
        str::from_utf8(&entry.value).ok()
    }
}

/// An event as Lambda writes it; `record` is JSON.
fn event(event_type: &str, record: &str) -> String {
    format!(r#"{{"time":"2026-11-21T09:15:00.101Z","type":"{event_type}","record":{record}}}"#)
}

fn id(text: &str) -> RequestId {
    RequestId::new(text.as_bytes()).unwrap()
}
