//! What an encoder takes, and what not.

use super::captured::{Attribute, Captured, Record, ValueKind};
use super::*;
use crate::format::FORMATS;
use crate::format::Trace;
use crate::format::resource::Resource;

const TRACE: Trace = Trace {
    trace_id: [b'1'; 32],
    span_id: [b'2'; 16],
    sampled: true,
};

fn head<'a>(trace: Option<&'a Trace>, resource: &'a Resource) -> Head<'a> {
    Head {
        time_unix_nano: 1_795_264_503_120_000_000,
        observed_unix_nano: 1_795_264_503_145_000_000,
        severity: 9,
        event_type: b"function",
        request_id: b"7c0f3a4e-51a2-4d55-9a7e-0d4f2f6f2b11",
        trace,
        coldstart: true,
        resource,
    }
}

#[test]
fn what_is_written_is_read() {
    let resource = Resource::default();
    let mut encoder = Encoder::new(&Captured, 3000);
    for trace in [Some(&TRACE), None] {
        let head = head(trace, &resource);
        assert!(!encoder.begin(&head, &Value::Raw(b"hello\\n")));
        encoder.cut(12_345);
        encoder.attribute(b"order", &Value::Integer(b"17"));
        encoder.attribute(b"order", &Value::Raw(b"a second of that name"));
        encoder.attribute(b"faas.coldstart", &Value::Raw(b"one of ours"));
        encoder.attribute(b"paid", &Value::Boolean(true));
        let record = Record::read(encoder.finish(&head)).unwrap();
        let expected = captured::Head {
            time_unix_nano: head.time_unix_nano,
            severity: 9,
            event_type: b"function",
            request_id: head.request_id,
            trace: trace.copied(),
            coldstart: true,
        };
        assert_eq!(record.head, expected);
        assert_eq!(record.body, b"hello\\n");
        assert_eq!(
            (record.original_bytes, record.dropped_attributes),
            (12_345, 2)
        );
        let attributes: Vec<_> = record.attributes().collect();
        assert_eq!(
            attributes,
            [
                Attribute {
                    kind: ValueKind::Integer,
                    key: b"order",
                    value: b"17"
                },
                Attribute {
                    kind: ValueKind::Boolean,
                    key: b"paid",
                    value: b"true"
                },
            ]
        );
    }
}

#[test]
fn attributes_are_bounded_in_number_and_bytes() {
    let resource = Resource::default();
    for format in FORMATS.into_iter().chain([&Captured as &dyn Format]) {
        let mut encoder = Encoder::new(format, 30_000);
        let head = head(Some(&TRACE), &resource);
        assert!(encoder.begin(&head, &Value::Raw(&[b'x'; 40_000])));
        assert!(encoder.finish(&head).len() <= 30_000);
        encoder.begin(&head, &Value::Raw(&[b'x'; 500]));
        for number in 0..200 {
            encoder.attribute(format!("k{number}").as_bytes(), &Value::Integer(b"1"));
        }
        encoder.attribute(b"long", &Value::Raw(&[b'x'; 30_000]));
        encoder.attribute(&[b'k'; 300], &Value::Raw(b"v"));
        encoder.attribute(b"", &Value::Raw(b"v"));
        assert_eq!(encoder.dropped, 200 - ATTRIBUTES_MAX + 3);
        assert!(encoder.finish(&head).len() <= 30_000);
        // Values that fit one by one, but not together.
        encoder.begin(&head, &Value::Raw(b"x"));
        for number in 0..100 {
            encoder.attribute(format!("k{number}").as_bytes(), &Value::Text(&[b'"'; 1000]));
        }
        assert!(encoder.dropped > 0);
        assert!(encoder.finish(&head).len() <= 30_000, "{}", format.name());
    }
}
