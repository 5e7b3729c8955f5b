//! The short way for plain lines gives what the general way gives.

use super::*;

/// Reads both: the event as Lambda writes it, and the same with a space in it, which takes the general way.
fn both(filter: Filter, record_bytes_max: usize, time: &str, raw: &str) {
    let mut outcomes = [", ", ","].map(|comma| {
        let event = format!(r#"{{"time":"{time}"{comma}"type":"function","record":"{raw}"}}"#);
        let mut stream = Stream::with(filter, record_bytes_max, false);
        stream.read(&event_of_start());
        if comma == ","
            && let Some(length) = stream.reader.plain_line(event.as_bytes())
        {
            assert_eq!(length, event.len());
            let verdict = (Verdict::Record, Observation::Nothing);
            return (verdict, Some(stream.seen()), true);
        }
        let element = Element {
            raw: event.as_bytes(),
            cut: None,
        };
        let verdict = stream.element(&element);
        (
            verdict,
            (verdict.0 == Verdict::Record).then(|| stream.seen()),
            false,
        )
    });
    let is_plain = core::mem::take(&mut outcomes[1].2);
    assert_eq!(outcomes[0], outcomes[1], "{time} {raw}");
    let is_record = outcomes[0].0.0 == Verdict::Record;
    assert!(is_record || !is_plain || !filter.function);
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
    for filter in filters {
        for line in lines {
            both(filter, 4096, TIME, line);
            for bytes_max in 60..140 {
                both(filter, bytes_max, TIME, line);
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
}

/// If the plain lines took the general way after all, the test above would compare that with itself.
#[test]
fn plain_lines_go_the_short_way() {
    let mut stream = Stream::new(ALL);
    for (record, is_short) in [
        (r#""hello""#, true),
        (r#""tab\t \"quoted\" é""#, true),
        (r#""{\"level\":\"INFO\"}""#, true),
        (r#""x","more":"y""#, false),
        (r#""x","more":1"#, false),
        (r#"{"message":"m"}"#, false),
        (r#""half a pair \ud83d""#, false),
    ] {
        let event = event("function", record);
        // What follows is not looked at.
        let bytes = [event.as_bytes(), b",{\"time\":\""].concat();
        let length = stream.reader.plain_line(&bytes);
        assert_eq!(length, is_short.then_some(event.len()), "{record}");
        for end in 0..event.len() {
            assert_eq!(stream.reader.plain_line(&bytes[..end]), None);
        }
        assert_eq!(stream.reader.plain_line(&event.as_bytes()[1..]), None);
    }
    for event_type in ["extension", "platform.fault"] {
        let event = event(event_type, r#""hello""#);
        assert_eq!(stream.reader.plain_line(event.as_bytes()), None);
    }
    // Events with invalid UTF-8 too.
    let mut event = event("function", r#""caf?""#).into_bytes();
    let place = event.iter().position(|byte| *byte == b'?').unwrap();
    event[place] = 0xe9;
    assert_eq!(stream.reader.plain_line(&event), None);
    assert_eq!(
        stream
            .element(&Element {
                raw: &event,
                cut: None
            })
            .0,
        Verdict::Record
    );
    assert_eq!(stream.seen().body, "caf\u{fffd}");
}
