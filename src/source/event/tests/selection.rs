//! What is shipped and what is not. Filtered events are observed all the same.

use super::*;

fn verdict(filter: Filter, event_type: &str, record: &str) -> Verdict {
    Stream::new(filter).read(&event(event_type, record)).0
}

#[test]
fn types() {
    let none = Filter {
        platform: false,
        function: false,
        extension: false,
        ..ALL
    };
    for (event_type, filter) in [
        (
            "function",
            Filter {
                function: true,
                ..none
            },
        ),
        (
            "extension",
            Filter {
                extension: true,
                ..none
            },
        ),
        (
            "platform.initStart",
            Filter {
                platform: true,
                ..none
            },
        ),
    ] {
        for record in [r#""text""#, r#"{"message":"m"}"#, "null"] {
            assert_eq!(verdict(filter, event_type, record), Verdict::Record);
            assert_eq!(verdict(none, event_type, record), Verdict::Filtered);
            assert_eq!(verdict(ALL, event_type, record), Verdict::Record);
            // A type that Lambda has added since is nobody's to switch off.
            assert_eq!(verdict(none, "audit", record), Verdict::Record);
        }
    }
    let events = [
        ("start", Observation::Started(id(A))),
        (
            "runtimeDone",
            Observation::Done {
                id: id(A),
                success: true,
            },
        ),
        ("report", Observation::Reported(id(A))),
    ];
    for (name, observation) in events {
        let event = event(
            &format!("platform.{name}"),
            &format!(r#"{{"requestId":"{A}"}}"#),
        );
        assert_eq!(
            Stream::new(none).read(&event),
            (Verdict::Filtered, observation)
        );
    }
}

#[test]
fn invocation_lines() {
    let filter = Filter {
        invocation_lines: false,
        ..ALL
    };
    for (name, is_one) in [
        ("start", true),
        ("runtimeDone", true),
        ("end", true),
        ("report", true),
        ("initStart", false),
        ("initReport", false),
        ("fault", false),
        ("extension", false),
        ("newThing", false),
    ] {
        let expected = if is_one {
            Verdict::Filtered
        } else {
            Verdict::Record
        };
        let event_type = format!("platform.{name}");
        assert_eq!(verdict(filter, &event_type, "{}"), expected, "{name}");
        assert_eq!(verdict(ALL, &event_type, "{}"), Verdict::Record, "{name}");
    }
    // The lines after a start that is not shipped are of its invocation all the same.
    let mut stream = Stream::new(filter);
    stream.read(&event(
        "platform.start",
        &format!(r#"{{"requestId":"{A}"}}"#),
    ));
    assert_eq!(stream.line(r#""in""#).request_id, A);
}

#[test]
fn the_least_severity() {
    let warnings = Filter {
        severity_min: 13,
        ..ALL
    };
    for (event_type, record, is_shipped) in [
        ("function", r#"{"message":"m","level":"INFO"}"#, false),
        ("function", r#"{"message":"m","level":"WARN"}"#, true),
        ("function", r#"{"message":"m","level":20}"#, false),
        ("function", r#"{"message":"m"}"#, true),
        ("function", r#""{\"level\":\"debug\"}""#, false),
        ("function", r#""{\"level\":\"error\"}""#, true),
        ("function", r#""[INFO]\tx""#, false),
        ("function", r#""[ERROR] x""#, true),
        ("function", r#""no level""#, true),
        ("function", "17", true),
        ("extension", r#""[INFO]\tx""#, false),
        ("platform.start", "{}", false),
        ("platform.report", r#"{"status":"timeout"}"#, true),
        ("platform.fault", r#""x""#, true),
        ("platform.logsDropped", "{}", true),
    ] {
        let expected = if is_shipped {
            Verdict::Record
        } else {
            Verdict::Filtered
        };
        assert_eq!(
            verdict(warnings, event_type, record),
            expected,
            "{event_type} {record}"
        );
        assert_eq!(verdict(ALL, event_type, record), Verdict::Record);
    }
}

/// kinglet's own lines come back to it; if they were shipped, a collector that fails would feed itself.
#[test]
fn own_lines_never_come_back() {
    for (event_type, record, expected) in [
        (
            "extension",
            r#""kinglet: the collector has answered 503""#,
            Verdict::Filtered,
        ),
        ("extension", r#""kinglet-like: text""#, Verdict::Record),
        ("extension", r#""other: kinglet: text""#, Verdict::Record),
        (
            "extension",
            r#"{"message":"kinglet: text"}"#,
            Verdict::Record,
        ),
        (
            "function",
            r#""kinglet: the function's own words""#,
            Verdict::Record,
        ),
    ] {
        assert_eq!(
            verdict(ALL, event_type, record),
            expected,
            "{event_type} {record}"
        );
    }
}
