//! The short way for plain lines gives what the general way gives.

use opentelemetry_proto::tonic::logs::v1::{LogRecord, ScopeLogs};
use prost::Message;

use super::*;
use crate::format::otlp::Otlp;

fn stream(filter: Filter) -> Stream {
    let mut stream = Stream::with(filter, 16 * 1024, false);
    stream.reader.encoder = Encoder::new(&Otlp, 16 * 1024);
    stream.read(&event_of_start());
    stream
}

/// The record in a frame, as OpenTelemetry's own types read it.
fn decoded(frame: &[u8]) -> LogRecord {
    let mut scope = ScopeLogs::decode(frame).unwrap();
    assert_eq!(scope.log_records.len(), 1);
    let mut record = scope.log_records.remove(0);
    record
        .attributes
        .sort_by(|one, other| one.key.cmp(&other.key));
    record
}

fn short(stream: &mut Stream, bytes: &[u8], room: usize) -> Option<(usize, LogRecord)> {
    let mut out = vec![0xee; room];
    let resource = Resource::default();
    let (taken, written) = stream
        .reader
        .plain_line(bytes, RECEIVED, &resource, &mut out)?;
    assert!(written <= room);
    Some((taken, decoded(&out[..written])))
}

/// Reads both: the event as Lambda writes it, and the same with a space in it, which takes the general way. True if the first was
/// taken the short way.
fn both(filter: Filter, room: usize, time: &str, raw: &str) -> bool {
    let text =
        |comma: &str| format!(r#"{{"time":"{time}"{comma}"type":"function","record":"{raw}"}}"#);
    let (event, spaced) = (text(","), text(", "));
    let Some((taken, found)) = short(&mut stream(filter), event.as_bytes(), room) else {
        return false;
    };
    assert_eq!(taken, event.len(), "{event}");
    let mut general = stream(filter);
    let element = Element {
        raw: spaced.as_bytes(),
        cut: None,
    };
    assert_eq!(general.element(&element).0, Verdict::Record, "{event}");
    assert_eq!(found, decoded(general.reader.record()), "{event}");
    true
}

fn event_of_start() -> String {
    event("platform.start", &format!(r#"{{"requestId":"{A}"}}"#))
}

#[test]
fn both_ways_agree() {
    const TIME: &str = "2026-11-21T09:15:00.101Z";
    let filters = [
        ALL,
        Filter {
            function: false,
            ..ALL
        },
        Filter {
            severity_min: 13,
            ..ALL
        },
    ];
    let lines = [
        "",
        "hello",
        "é 😀 \u{7f}",
        r"tab\tand\nline",
        r#"a \"quote\""#,
        r"\\",
        r"\u00e9 \ud83d\ude00",
        r"\ud83d",
        r"\x",
        r"bad \u12",
        "control \u{1}",
        r#"x","more":"y"#,
        r#"x","record":"y"#,
        r#"x","type":"extension"#,
        r"[INFO]\t2026-11-21T20:37:43.578Z\t44fbac8c-33c1-4302-b587-921f354973d0\tx",
        r"[ERROR] boom",
        r"2026-11-21T20:37:43.578Z\t44fbac8c-33c1-4302-b587-921f354973d0\tWARN\tx",
        r#"{\"level\":\"ERROR\",\"requestId\":\"44fbac8c-33c1-4302-b587-921f354973d0\"}"#,
        r#"{\"level\":\"INFO\"}"#,
        "{",
        "kinglet: not an extension's",
    ];
    let mut taken = 0;
    for filter in filters {
        for line in lines {
            let whole = both(filter, 4096, TIME, line);
            taken += usize::from(whole);
            for room in (0..400).step_by(9) {
                let is_taken = both(filter, room, TIME, line);
                assert!(whole || !is_taken, "{line}");
            }
            // Where a block of sixteen bytes ends makes no difference.
            for length in (0..40).step_by(3) {
                both(filter, 4096, TIME, &format!("{}{line}", "x".repeat(length)));
                both(filter, 4096, TIME, &format!("{line}{}", "x".repeat(length)));
            }
        }
        for time in [
            "2026-11-21T09:15:00.101Y",
            "2026-11-21T09:15:00.10Z",
            "2026-11-21T09:15:00.1010Z",
            "2026-11-21 09:15:00.101Z",
            "2026-13-21T09:15:00.101Z",
            "2026-11-21T09:15:00+01:00",
            "2026-11-21T09:15+01:00:0",
            "yesterday",
            "",
        ] {
            both(filter, 4096, time, "hello");
        }
    }
    assert!(taken >= 16, "{taken}");
    // A length takes a byte more from 128 on, and from 16,384 on the line is not plain any more.
    for length in (100..140).chain(15_000..17_000) {
        let is_taken = both(ALL, 20_000, TIME, &"x".repeat(length));
        assert_eq!(is_taken, length < 15_360, "{length}");
    }
}

/// If the plain lines took the general way after all, the test above would compare that with itself.
#[test]
fn plain_lines_go_the_short_way() {
    let mut stream = stream(ALL);
    for (record, is_short) in [
        (r#""hello""#, true),
        (r#""tab\t \"quoted\" é""#, true),
        (r#""{\"level\":\"INFO\"}""#, false),
        (r#""x","more":"y""#, false),
        (r#""x","more":1"#, false),
        (r#"{"message":"m"}"#, false),
        (r#""half a pair \ud83d""#, false),
        (r#""\u0041""#, false),
    ] {
        let event = event("function", record);
        // What follows is not looked at.
        let bytes = [event.as_bytes(), b",{\"time\":\""].concat();
        let length = short(&mut stream, &bytes, 4096).map(|(taken, _)| taken);
        assert_eq!(length, is_short.then_some(event.len()), "{record}");
        for end in 0..event.len() {
            assert_eq!(short(&mut stream, &bytes[..end], 4096), None);
        }
        assert_eq!(short(&mut stream, &event.as_bytes()[1..], 4096), None);
    }
    for event_type in ["extension", "platform.fault"] {
        let event = event(event_type, r#""hello""#);
        assert_eq!(short(&mut stream, event.as_bytes(), 4096), None);
    }
    // Events with invalid UTF-8 too.
    let mut event = event("function", r#""caf?""#).into_bytes();
    let place = event.iter().position(|byte| *byte == b'?').unwrap();
    event[place] = 0xe9;
    assert_eq!(short(&mut stream, &event, 4096), None);
    let element = Element {
        raw: &event,
        cut: None,
    };
    assert_eq!(stream.element(&element).0, Verdict::Record);
    let body = decoded(stream.reader.record()).body.unwrap();
    let text =
        opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue("caf\u{fffd}".into());
    assert_eq!(body.value, Some(text));
}
