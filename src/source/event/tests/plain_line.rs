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
    both_of(filter, room, time, &format!(r#""{raw}""#))
}

fn both_of(filter: Filter, room: usize, time: &str, record: &str) -> bool {
    let text =
        |comma: &str| format!(r#"{{"time":"{time}"{comma}"type":"function","record":{record}}}"#);
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
        // What else is in the record counts, too.
        assert!(is_taken || length > 15_200, "{length}");
        assert!(!is_taken || length < 15_360, "{length}");
    }
}

/// Objects of Lambda's JSON log format: members, and whether they go the short way.
const OBJECTS: [(&str, bool); 49] = [
    (r#""message":"m""#, true),
    (
        r#""timestamp":"2026-11-21T09:15:00.102Z","level":"INFO","message":"m","requestId":"ID""#,
        true,
    ),
    (r#""level": "WARN", "message": "m", "logger": "shop""#, true),
    (r#""message":"m","a":"b","c":"d""#, true),
    (r#""message":"a \"quote\", é, 😀 and \t more""#, true),
    (r#""message":"m","a":"a \"quote\" é""#, true),
    (
        r#""message":"m","a":1,"b":-17,"c":0,"d":123456789012345678,"e":1.5,"f":-0.25e3,"g":1e100"#,
        true,
    ),
    (r#""message":"m","a":true,"b":false,"c":null"#, true),
    (r#""message":"m","a":"""#, true),
    (r#""message":"","a":"x""#, true),
    (r#""level":"info","message":"m""#, true),
    (r#""AWSRequestId":"ID","message":"m""#, true),
    (r#""message":"m","function_request_id":"ID""#, true),
    // What is unusual, and must be read with care.
    (r#""message":"m","a":1234567890123456789"#, false),
    (r#""message":"m","a":-0"#, true),
    (r#""message":"m","a":1e999"#, false),
    (r#""message":"m","a":01"#, false),
    (r#""message":"m","a":{"b":1}"#, false),
    (r#""message":"m","a":[1]"#, false),
    (r#""message":"m","a":"x","a":"y""#, false),
    (r#""message":"m","message":"n""#, false),
    (r#""message":1"#, false),
    (r#""message":null,"a":"b""#, false),
    (r#""a":"b""#, false),
    ("", false),
    (r#""message":"m","":"x""#, false),
    (r#""message":"m","faas.coldstart":"x""#, false),
    (r#""message":"m","kinglet.original_bytes":1"#, false),
    (r#""message":"m","requestId":"79104EXAMPLEB723""#, false),
    (
        r#""message":"m","requestId":"ID","AWSRequestId":"ID""#,
        false,
    ),
    (r#""message":"m","requestId":1"#, false),
    (r#""message":"m","level":"LOUD""#, false),
    (r#""message":"m","level":30"#, false),
    (r#""message":"m","level":"INFO","level":"WARN""#, false),
    (r#""message":"m","timestamp":"2026-11-21T09:15:00Z""#, false),
    (
        r#""message":"m","timestamp":"yesterday, at half past""#,
        false,
    ),
    (r#""message":"m","timestamp":1763716500"#, false),
    (
        r#""message":"m","timestamp":"2026-99-21T09:15:00.102Z""#,
        false,
    ),
    (
        r#""message":"m","timestamp":"2026-11-21T09:15:00.1+02Z","a":1"#,
        false,
    ),
    (r#""message":"m","_aws":"x""#, false),
    (r#""message":"\u00e9""#, false),
    (r#""message":"m","a":"\ud83d""#, false),
    (r#""mess\u0061ge":"m""#, false),
    (r#""message":"m","é":"x""#, false),
    (
        r#""message":"m","a key that is longer than all that are usual":"x""#,
        false,
    ),
    (r#""message":"m" ,"a":"x""#, false),
    (r#""message" :"m""#, false),
    (r#""message":"m","a":tru"#, false),
    (r#""message":"m","a":"b","c""#, false),
];

#[test]
fn both_ways_agree_on_objects() {
    const TIME: &str = "2026-11-21T09:15:00.101Z";
    let warnings = Filter {
        severity_min: 13,
        ..ALL
    };
    for (members, is_short) in OBJECTS {
        let object = format!("{{{}}}", members.replace("ID", A));
        let is_broken = members.ends_with("tru") || members.ends_with(r#""c""#);
        let check = |filter: Filter, room: usize, object: &str| {
            if is_broken {
                let event = event("function", object);
                let found = short(&mut stream(filter), event.as_bytes(), room);
                assert!(found.is_none(), "{object}");
                return false;
            }
            both_of(filter, room, TIME, object)
        };
        assert_eq!(check(ALL, 4096, &object), is_short, "{object}");
        for room in (0..500).step_by(7) {
            assert!(!check(ALL, room, &object) || is_short, "{object}");
        }
        check(warnings, 4096, &object);
    }
    // Without an invocation nothing claims its id, not even an empty one.
    let event = event("function", r#"{"message":"m","requestId":""}"#);
    let mut outside = Stream::with(ALL, 16 * 1024, false);
    outside.reader.encoder = Encoder::new(&Otlp, 16 * 1024);
    assert!(short(&mut outside, event.as_bytes(), 4096).is_none());
    // Lengths of one byte become lengths of two.
    for length in (60..260).chain([15_000, 15_359, 15_360, 16_000]) {
        let text = "x".repeat(length);
        let object = format!(r#"{{"message":"m","a":"{text}","b":"{text}"}}"#);
        let is_taken = both_of(ALL, 40_000, TIME, &object);
        assert_eq!(is_taken, length < 8_000, "{length}");
        both_of(ALL, 40_000, TIME, &format!(r#"{{"message":"{text}"}}"#));
    }
    // Together they are as long as a record of the smallest ring may be, where the general way leaves out what is too long.
    for length in (7_000..8_400).step_by(10) {
        let text = "x".repeat(length);
        let object = format!(r#"{{"message":"{text}","a":"{text}"}}"#);
        let is_taken = both_of(ALL, 40_000, TIME, &object);
        assert!(is_taken || length > 7_500, "{length}");
    }
    // So many attributes, and no more.
    for count in [11, 12, 13, 14] {
        let members: String = (0..count)
            .map(|number| format!(r#","a{number}":{number}"#))
            .collect();
        let object = format!(r#"{{"message":"m"{members}}}"#);
        assert_eq!(both_of(ALL, 4096, TIME, &object), count <= 12, "{count}");
    }
}

/// Any byte of an object replaced: the short way gives what the general way gives, or steps back.
#[test]
fn both_ways_agree_on_damaged_objects() {
    const TIME: &str = "2026-11-21T09:15:00.101Z";
    let object = format!(
        r#"{{"timestamp":"2026-11-21T09:15:00.102Z","level":"INFO","message":"m","requestId":"{A}","a":1.5,"b":true,"c":"x"}}"#
    );
    let mut random = crate::random::Numbers(0x5eed_000b);
    for _ in 0..3_000 {
        let mut damaged = object.clone().into_bytes();
        let place = 1 + random.below(damaged.len() - 2);
        damaged[place] = b"\"\\{}[],: 0-e.xtn\t"[random.below(17)];
        let Ok(damaged) = String::from_utf8(damaged) else {
            continue;
        };
        let event = event("function", &damaged);
        let Some((taken, found)) = short(&mut stream(ALL), event.as_bytes(), 4096) else {
            continue;
        };
        assert_eq!(taken, event.len(), "{event}");
        assert!(both_of(ALL, 4096, TIME, &damaged), "{damaged} {found:?}");
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
        (r#"{"message":"m"}"#, true),
        (r#"{"message":"m","a":{}}"#, false),
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

/// What a line of 139 bytes takes on the wire, in a warm invocation without a trace context.
#[test]
fn a_short_line_takes_few_bytes() {
    let mut stream = stream(ALL);
    let warm = event(
        "platform.start",
        r#"{"requestId":"44fbac8c-33c1-4302-b587-921f354973d0"}"#,
    );
    stream.read(&warm);
    let prefix = r"2026-11-21T20:37:43.578Z\t44fbac8c-33c1-4302-b587-921f354973d0\tINFO\t";
    let line = format!("{prefix}{}", "x".repeat(139 + 3 - prefix.len()));
    let mut out = vec![0; 1024];
    let event = event("function", &format!(r#""{line}""#));
    let (_, written) = stream
        .reader
        .plain_line(event.as_bytes(), RECEIVED, &Resource::default(), &mut out)
        .unwrap();
    assert_eq!(written, 236);
}
