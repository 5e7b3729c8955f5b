//! Bodies, attributes, times and severities; cut and malformed events.

use super::*;

#[test]
fn a_string_record_is_the_body() {
    for (record, body) in [
        (r#""hello""#, "hello"),
        (r#""""#, ""),
        (
            r#""tab\tquote\"slash\\ é \u00e9""#,
            r#"tab\tquote\"slash\\ é \u00e9"#,
        ),
        (r#""half a pair \ud83d""#, r"half a pair \ufffd"),
    ] {
        let expected = Seen {
            time: TIME,
            severity: 0,
            event_type: "function".into(),
            request_id: String::new(),
            trace: None,
            coldstart: true,
            body: body.into(),
            attributes: vec![],
            original_bytes: 0,
            dropped_attributes: 0,
        };
        assert_eq!(Stream::new(ALL).line(record), expected);
    }
}

#[test]
fn an_object_record_is_body_and_attributes() {
    for (record, body, attributes) in [
        (r#"{"message":"hi"}"#, "hi", vec![]),
        (
            r#"{"message":"a\nb\"c","order":17,"paid":true,"late":false,"who":"x\ty","none":null}"#,
            r#"a\nb\"c"#,
            vec!["order=i:17", "paid=b:true", "late=b:false", r"who=s:x\ty"],
        ),
        (
            r#"{"event":"sold","price":1.5}"#,
            r#"{\"event\":\"sold\",\"price\":1.5}"#,
            vec!["event=s:sold", "price=d:1.5"],
        ),
        (
            r#"{"message":"m","items":[1,{"a":"b"}],"user":{"id":7,"tag":"\n"}}"#,
            "m",
            vec![
                r#"items=s:[1,{\"a\":\"b\"}]"#,
                r#"user=s:{\"id\":7,\"tag\":\"\\n\"}"#,
            ],
        ),
        // A message that is no string is an attribute like any other.
        (
            r#"{"message":{"a":1}}"#,
            r#"{\"message\":{\"a\":1}}"#,
            vec![r#"message=s:{\"a\":1}"#],
        ),
        (
            r#"{"message":5}"#,
            r#"{\"message\":5}"#,
            vec!["message=i:5"],
        ),
        (r#"{"message":null}"#, r#"{\"message\":null}"#, vec![]),
        (r#"{"message":""}"#, "", vec![]),
        ("{}", "{}", vec![]),
        ("{ }", "{ }", vec![]),
    ] {
        let seen = Stream::new(ALL).line(record);
        assert_eq!((seen.body.as_str(), seen.dropped_attributes), (body, 0));
        assert_eq!(seen.attributes, attributes, "{record}");
    }
}

#[test]
fn records_that_are_neither_are_kept_as_text() {
    for (record, body) in [
        ("null", "null"),
        ("true", "true"),
        ("-1.5e3", "-1.5e3"),
        (r#"["a",1]"#, r#"[\"a\",1]"#),
        ("[]", "[]"),
    ] {
        let seen = Stream::new(ALL).line(record);
        assert_eq!((seen.body.as_str(), seen.severity), (body, 0));
        assert!(seen.attributes.is_empty());
    }
}

/// An integer must survive as it is, a double be within a double's range; whatever may not is text.
#[test]
fn numbers_keep_their_value() {
    let forty_three = format!("1.{}", "3".repeat(42));
    let forty_nine = format!("1.{}", "3".repeat(48));
    for (number, kind) in [
        ("0", 'i'),
        ("1", 'i'),
        ("-17", 'i'),
        ("999999999999999999", 'i'),
        ("-999999999999999999", 'i'),
        ("9223372036854775807", 's'),
        ("12345678901234567890", 's'),
        ("-12345678901234567890", 's'),
        ("123456789012345678901234567890", 's'),
        ("1.0", 'd'),
        ("-0.0", 'd'),
        ("0.1", 'd'),
        ("1e3", 'd'),
        ("1E+3", 'd'),
        ("-2.5e-7", 'd'),
        ("1e250", 'd'),
        ("1e251", 's'),
        ("1e400", 's'),
        ("-1e400", 's'),
        ("1e-400", 's'),
        ("1e99999999999999999999", 's'),
        (&forty_three, 'd'),
        (&forty_nine, 's'),
        // Begins like a number, and is none.
        ("01", 's'),
        ("1.", 's'),
        ("-", 's'),
        ("1e", 's'),
        ("0x10", 's'),
        ("1-1", 's'),
    ] {
        let seen = Stream::new(ALL).line(&format!(r#"{{"n":{number}}}"#));
        assert_eq!(seen.attributes, [format!("n={kind}:{number}")]);
        if kind == 'd' {
            assert!(number.parse::<f64>().unwrap().is_finite());
        }
    }
}

#[test]
fn times_from_the_record_and_from_the_event() {
    let fine = 1_795_252_499_999_123_456;
    for (record, time, attributes) in [
        (
            r#"{"timestamp":"2026-11-21T09:14:59.999123456Z"}"#,
            fine,
            vec![],
        ),
        (
            r#"{"timestamp":"2026-11-21 10:14:59,999123456+01:00"}"#,
            fine,
            vec![],
        ),
        // One without a fraction would lose the order that the event's time keeps.
        (r#"{"timestamp":"2026-11-21T09:14:59Z"}"#, TIME, vec![]),
        (
            r#"{"timestamp":"yesterday"}"#,
            TIME,
            vec!["timestamp=s:yesterday"],
        ),
        (
            r#"{"timestamp":1795252499999}"#,
            TIME,
            vec!["timestamp=i:1795252499999"],
        ),
        (r#"{"time":"x"}"#, TIME, vec!["time=s:x"]),
    ] {
        let seen = Stream::new(ALL).line(record);
        assert_eq!((seen.time, seen.attributes.len()), (time, attributes.len()));
        assert_eq!(seen.attributes, attributes, "{record}");
    }
    for time in [r#""yesterday""#, "17", "null", r#""""#] {
        let event = format!(r#"{{"time":{time},"type":"function","record":"x"}}"#);
        let seen = Stream::new(ALL).see(&event);
        assert_eq!(seen.time, RECEIVED.0 * 1_000_000, "{time}");
    }
    let seen = Stream::new(ALL).see(r#"{"type":"function","record":"x"}"#);
    assert_eq!(seen.time, RECEIVED.0 * 1_000_000);
    let seen = Stream::new(ALL)
        .see(r#"{"time":"2026-11-21T09:15:00.101234Z","type":"function","record":"x"}"#);
    assert_eq!(seen.time, TIME + 234_000);
}

#[test]
fn severity_from_words_and_numbers() {
    for (level, severity) in [
        (r#""TRACE""#, 1),
        (r#""debug""#, 5),
        (r#""INFO""#, 9),
        (r#""Information""#, 9),
        (r#""notice""#, 10),
        (r#""warning""#, 13),
        (r#""ERROR""#, 17),
        (r#""CRITICAL""#, 21),
        ("10", 1),
        ("30", 9),
        ("30.0", 9),
        ("40", 13),
        ("60", 21),
        ("35", 0),
        ("-30", 0),
        (r#""loud""#, 0),
        (r#""30""#, 0),
        ("true", 0),
        ("null", 0),
        ("[30]", 0),
    ] {
        let record = format!(r#"{{"message":"m","level":{level}}}"#);
        let seen = Stream::new(ALL).line(&record);
        assert_eq!(seen.severity, severity, "{level}");
        // What is not understood is not lost.
        let is_attribute = severity == 0 && level != "null";
        assert_eq!(seen.attributes.len(), usize::from(is_attribute), "{level}");
        // A line that is one JSON object says the same of itself.
        let quoted = serde_json::to_string(&record).unwrap();
        let seen = Stream::new(ALL).line(&quoted);
        assert_eq!((seen.severity, seen.attributes.len()), (severity, 0));
        assert_eq!(format!("\"{}\"", seen.body), quoted);
    }
}

#[test]
fn names_are_kept_once_and_never_empty() {
    for (record, attributes, dropped) in [
        (r#"{"a":1,"a":2,"b":3}"#, vec!["a=i:1", "b=i:3"], 1),
        (r#"{"":"x","a":1}"#, vec!["a=i:1"], 1),
        (r#"{"Ä b":1,"q\"\\":2}"#, vec!["Ä b=i:1", r#"q\"\\=i:2"#], 0),
        (r#"{"\x":1}"#, vec![r"\\x=i:1"], 0),
        // A name that kinglet gives itself is not the function's to give.
        (r#"{"faas.invocation_id":"mine"}"#, vec![], 1),
    ] {
        let seen = Stream::new(ALL).line(record);
        assert_eq!(seen.attributes, attributes, "{record}");
        assert_eq!(seen.dropped_attributes, dropped, "{record}");
    }
    let long = format!(r#"{{"{}":1,"{}":2}}"#, "k".repeat(256), "l".repeat(257));
    let seen = Stream::new(ALL).line(&long);
    assert_eq!((seen.attributes.len(), seen.dropped_attributes), (1, 1));
    let many: String = (0..200).map(|n| format!(r#""k{n}":{n},"#)).collect();
    let seen = Stream::new(ALL).line(&format!(r#"{{{many}"z":0}}"#));
    assert_eq!((seen.attributes.len(), seen.dropped_attributes), (128, 73));
    // The last message is the body; the one before stays as what it is.
    let seen = Stream::new(ALL).line(r#"{"message":"one","message":"two"}"#);
    assert_eq!(
        (seen.body.as_str(), &seen.attributes[..]),
        ("two", &["message=s:one".to_string()][..])
    );
}

#[test]
fn what_is_not_an_event_is_malformed() {
    for event in [
        "{}",
        "[]",
        "1",
        "null",
        r#""record""#,
        r#"{"time":"2026-11-21T09:15:00.101Z","type":"function"}"#,
        r#"{"time":"2026-11-21T09:15:00.101Z","record":"x"}"#,
        r#"{"time":"2026-11-21T09:15:00.101Z","type":"","record":"x"}"#,
        r#"{"type":7,"record":"x"}"#,
        r#"{"type":"fun\u0063tion","record":"x"}"#,
        r#"{"type":"two words","record":"x"}"#,
        r#"{"type":"function","record":nope}"#,
        r#"{"type":"function","record":}"#,
        r#"{"type":"function" "record":"x"}"#,
        r#"{type:"function","record":"x"}"#,
        "",
    ] {
        let mut stream = Stream::new(ALL);
        let verdict = stream.read(event);
        assert_eq!(
            verdict,
            (Verdict::Malformed, Observation::Nothing),
            "{event}"
        );
    }
    for (bytes, verdict) in [(64, Verdict::Record), (65, Verdict::Malformed)] {
        let event = event(&"t".repeat(bytes), r#""x""#);
        assert_eq!(Stream::new(ALL).read(&event).0, verdict);
    }
}

#[test]
fn members_in_any_order_and_more_than_expected() {
    let plain = Stream::new(ALL).line(r#""hello""#);
    for event in [
        r#"{"record":"hello","type":"function","time":"2026-11-21T09:15:00.101Z"}"#,
        r#" { "type" : "function" , "time" : "2026-11-21T09:15:00.101Z" , "record" : "hello" } "#,
        r#"{"time":"2026-11-21T09:15:00.101Z","type":"function","record":"hello","new":{"a":[1]}}"#,
        r#"{"new":null,"time":"2026-11-21T09:15:00.101Z","type":"function","record":"hello"}"#,
    ] {
        assert_eq!(Stream::new(ALL).see(event), plain, "{event}");
    }
}

/// Reads the first event of a batch with room for so many bytes in an event and in a record.
pub fn cut(event: &str, event_bytes_max: usize, record_bytes_max: usize) -> Seen {
    let body = format!("[{event}]");
    let mut elements = Elements::new(event_bytes_max);
    let mut input = body.as_bytes();
    let element = elements.next(&mut input).unwrap().unwrap();
    let mut stream = Stream::with(ALL, record_bytes_max, false);
    assert_eq!(stream.element(&element).0, Verdict::Record);
    assert!(stream.reader.record().len() <= record_bytes_max);
    stream.seen()
}

#[test]
fn long_records_are_cut_and_say_how_long_they_were() {
    let text = "0123456789".repeat(1000);
    let string = event("function", &format!("\"{text}\""));
    let seen = cut(&string, 4096, 4096);
    assert!(text.starts_with(&seen.body) && seen.body.len() > 2000);
    assert_eq!(seen.original_bytes, 10_000);
    // Cut by the encoder: what is around a record is longer than what was around the event.
    let seen = cut(&string, 100_000, 5120);
    assert!(text.starts_with(&seen.body) && seen.body.len() > 4000);
    assert_eq!(seen.original_bytes, 10_000);

    let message = format!(r#"{{"level":"ERROR","requestId":"{A}","message":"{text}","after":1}}"#);
    let seen = cut(&event("function", &message), 4096, 4096);
    assert!(text.starts_with(&seen.body) && seen.body.len() > 2000);
    assert_eq!((seen.severity, seen.request_id.as_str()), (17, A));
    assert_eq!(seen.original_bytes as usize, message.len());
    assert!(seen.attributes.is_empty());

    let message = format!(
        r#"{{"message":"short","list":[{}1],"after":1}}"#,
        "1,".repeat(4000)
    );
    let seen = cut(&event("function", &message), 4096, 4096);
    assert_eq!((seen.body.as_str(), seen.attributes.len()), ("short", 0));
    assert_eq!(seen.original_bytes as usize, message.len());

    let object = format!(r#"{{"a":1,"b":"{text}","c":2}}"#);
    let seen = cut(&event("function", &object), 4096, 4096);
    assert!(seen.body.starts_with(r#"{\"a\":1,\"b\":\"0123"#) && seen.body.len() > 2000);
    assert_eq!(seen.original_bytes as usize, object.len());
    assert_eq!(seen.attributes, ["a=i:1"]);
}

/// An attribute that does not fit is dropped whole, and counted.
#[test]
fn a_record_never_exceeds_its_bound() {
    let members: String = (0..12)
        .map(|n| format!(r#""k{n}":"{}","#, "v".repeat(n * 3)))
        .collect();
    let record = format!(r#"{{"message":"hello",{members}"n":123456,"o":[1,2],"paid":false}}"#);
    let whole = cut(&event("function", &record), 4096, 4096);
    assert_eq!((whole.attributes.len(), whole.dropped_attributes), (15, 0));
    for bytes_max in 32..600 {
        let seen = cut(&event("function", &record), 4096, bytes_max);
        assert!(whole.body.starts_with(&seen.body));
        assert!(
            seen.attributes
                .iter()
                .all(|each| whole.attributes.contains(each))
        );
        let all = seen.attributes.len() as u32 + seen.dropped_attributes;
        assert_eq!(all, 15, "{bytes_max}");
    }
}

/// Keys that are the same text are one key, whatever their escapes.
#[test]
fn keys_are_compared_as_text() {
    for (record, body, severity, attributes, dropped) in [
        (
            r#"{"message":"m","a\u0062":1,"ab":2,"\u0061b":3}"#,
            "m",
            0,
            vec!["ab=i:1"],
            2,
        ),
        (
            r#"{"message":"m","faas.\u0069nvocation_id":"x","a\/b":1,"a/b":2}"#,
            "m",
            0,
            vec!["a/b=i:1"],
            2,
        ),
        (
            r#"{"m\u0065ssage":"hi","\u006cevel":"ERROR","\u0072equestId":"r-1"}"#,
            "hi",
            17,
            vec![],
            0,
        ),
        // What needs an escape has one, the same for all.
        (
            r#"{"message":"m","é\u0022\u005c\u000a":1,"\u00e9\"\\\n":2,"\ud83d":3,"\ufffd":4,"a b":5}"#,
            "m",
            0,
            vec![r#"é\"\\\n=i:1"#, "\u{fffd}=i:3", "a b=i:5"],
            2,
        ),
    ] {
        let seen = Stream::new(ALL).line(record);
        assert_eq!(
            (seen.body.as_str(), seen.severity),
            (body, severity),
            "{record}"
        );
        assert_eq!(
            (seen.attributes, seen.dropped_attributes),
            (
                attributes.iter().map(ToString::to_string).collect(),
                dropped
            ),
            "{record}"
        );
    }
}
