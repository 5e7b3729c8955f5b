//! Whose line it is: request ids, traces, cold starts.

use super::*;

#[test]
fn request_ids_in_their_order() {
    let of_object = |members: &str| format!(r#"{{"message":"m"{members}}}"#);
    for (members, expected, attributes) in [
        // The latest start of the stream.
        (String::new(), A, 0),
        // What the record itself says comes first.
        (format!(r#","requestId":"{B}""#), B, 0),
        (format!(r#","function_request_id":"{B}""#), B, 0),
        (format!(r#","AWSRequestId":"{B}""#), B, 0),
        (format!(r#","requestId":"{A}""#), A, 0),
        (
            format!(r#","requestId":"{B}","function_request_id":"{C}""#),
            B,
            1,
        ),
        (format!(r#","requestId":"{B}","AWSRequestId":"{C}""#), B, 1),
        (
            format!(r#","function_request_id":"{B}","AWSRequestId":"{C}""#),
            B,
            1,
        ),
        // Not an id that could be one.
        (r#","requestId":"two words""#.into(), A, 1),
        (r#","requestId":"""#.into(), A, 1),
        (r#","requestId":17"#.into(), A, 1),
        (format!(r#","requestId":17,"AWSRequestId":"{B}""#), B, 1),
        (format!(r#","requestId":"{}""#, "x".repeat(65)), A, 1),
    ] {
        let mut stream = Stream::new(ALL);
        stream.start(A);
        let seen = stream.line(&of_object(&members));
        assert_eq!(seen.request_id, expected, "{members}");
        assert_eq!(seen.attributes.len(), attributes, "{members}");
        // A line that is one JSON object keeps its text, and its id is read all the same.
        let quoted = serde_json::to_string(&of_object(&members)).unwrap();
        let seen = stream.line(&quoted);
        assert_eq!(seen.request_id, expected, "{quoted}");
        assert_eq!(format!("\"{}\"", seen.body), quoted);
    }
}

#[test]
fn prefixes_of_the_managed_runtimes() {
    for (line, severity, request_id) in [
        (
            format!(r"[WARNING]\t2026-11-21T20:37:43.578Z\t{B}\tmulti"),
            13,
            B,
        ),
        (r"[ERROR] ValueError: boom\rTraceback".into(), 17, A),
        (format!(r"2026-11-21T20:37:43.578Z\t{B}\tINFO\thi"), 9, B),
        (format!(r"2026-11-21T20:37:43.578Z\t{A}\tERROR\thi"), 17, A),
        (
            r"2026-11-21T20:37:43.578Z\tundefined\tERROR\tUncaught".into(),
            17,
            A,
        ),
        (
            format!(r"2026-11-21 20:37:43 {B} ERROR Orders - failed"),
            17,
            B,
        ),
        (
            format!(r"I, [2026-11-21T20:37:43.578 #8]  INFO RequestId: {B} -- : hi"),
            9,
            B,
        ),
        (r"an ERROR in the message".into(), 0, A),
        (format!("a line about {B}"), 0, A),
    ] {
        let mut stream = Stream::new(ALL);
        stream.start(A);
        let seen = stream.line(&format!("\"{line}\""));
        assert_eq!(
            (seen.severity, seen.request_id.as_str()),
            (severity, request_id),
            "{line}"
        );
        assert_eq!((&seen.body, seen.attributes.len()), (&line, 0));
    }
}

#[test]
fn an_invocation_owns_its_lines_until_the_next_starts() {
    let mut stream = Stream::new(ALL);
    assert_eq!(stream.line(r#""init""#).request_id, "");
    stream.start(A);
    assert_eq!(stream.line(r#""in""#).request_id, A);
    stream.report(A);
    // Lines arrive after runtimeDone and report.
    assert_eq!(stream.line(r#""late""#).request_id, A);
    stream.start(B);
    assert_eq!(stream.line(r#""in""#).request_id, B);
    assert_eq!(stream.see(&event("extension", r#""x""#)).request_id, B);
    assert_eq!(stream.line("null").request_id, B);
    // A second start without a report between them: outside of Managed Instances the first is over.
    stream.start(C);
    assert_eq!(stream.line(r#""in""#).request_id, C);
    // A platform event belongs to whom it names, or to nobody.
    assert_eq!(stream.report(A).request_id, A);
    let seen = stream.see(&event("platform.extension", r#"{"name":"x"}"#));
    assert_eq!(seen.request_id, "");
}

#[test]
fn of_two_open_invocations_no_line_is_guessed() {
    let mut stream = Stream::concurrent();
    stream.start(A);
    assert_eq!(stream.line(r#""alone""#).request_id, A);
    stream.start(B);
    assert_eq!(stream.line(r#""whose?""#).request_id, "");
    assert_eq!(stream.line(r#"{"message":"whose?"}"#).request_id, "");
    assert_eq!(stream.line("null").request_id, "");
    let own = format!(r#"{{"message":"mine","requestId":"{A}"}}"#);
    assert_eq!(stream.line(&own).request_id, A);
    let text = format!(r#""[INFO]\t2026-11-21T20:37:43.578Z\t{B}\tmine""#);
    assert_eq!(stream.line(&text).request_id, B);
    stream.report(A);
    assert_eq!(stream.line(r#""B's, or a late one of A""#).request_id, "");
    stream.report(B);
    assert_eq!(stream.line(r#""late, of A or B""#).request_id, "");
    stream.start(C);
    assert_eq!(stream.line(r#""alone""#).request_id, C);
}

#[test]
fn the_cold_start_is_init_and_the_first_invocation() {
    let mut stream = Stream::new(ALL);
    assert!(stream.see(&event("platform.initStart", "{}")).coldstart);
    assert!(stream.line(r#""init""#).coldstart);
    assert!(stream.start(A).coldstart);
    assert!(stream.line(r#""first""#).coldstart);
    assert!(stream.report(A).coldstart);
    assert!(stream.line(r#""late""#).coldstart);
    assert!(!stream.start(B).coldstart);
    assert!(!stream.line(r#""second""#).coldstart);

    let init = |how: &str| {
        event(
            "platform.initStart",
            &format!(r#"{{"initializationType":"{how}"}}"#),
        )
    };
    for (how, coldstart) in [
        ("on-demand", true),
        ("snap-start", true),
        ("lambda-managed-instances", true),
        ("provisioned-concurrency", false),
    ] {
        let mut stream = Stream::new(ALL);
        assert_eq!(stream.see(&init(how)).coldstart, coldstart, "{how}");
        assert_eq!(stream.start(A).coldstart, coldstart, "{how}");
        assert_eq!(stream.line(r#""first""#).coldstart, coldstart, "{how}");
    }
    let mut warm = Stream::new(ALL);
    warm.reader = Reader::new(ALL, Encoder::new(&Captured, 4096), false, false);
    assert!(!warm.line(r#""init""#).coldstart);
}

fn traced(id: &str, tracing: &str) -> String {
    event(
        "platform.start",
        &format!(r#"{{"requestId":"{id}","tracing":{tracing}}}"#),
    )
}

#[test]
fn the_trace_of_an_invocation() {
    const ROOT: &str = "Root=1-6b012345-0123456789ABCDEF01234567";
    const TRACE_ID: &[u8; 32] = b"6b0123450123456789abcdef01234567";
    let value = |text: &str| format!(r#"{{"type":"X-Amzn-Trace-Id","value":"{text}"}}"#);
    let with_span = format!(
        r#"{{"spanId":"54565fb41ac79632","type":"X-Amzn-Trace-Id","value":"{ROOT};Parent=53995c3f42cd8ad8;Sampled=1"}}"#
    );
    for (tracing, expected) in [
        (with_span, Some((b"54565fb41ac79632", true))),
        (
            value(&format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=1")),
            Some((b"53995c3f42cd8ad8", true)),
        ),
        (
            value(&format!("{ROOT};Parent=53995c3f42cd8ad8;Sampled=0")),
            Some((b"53995c3f42cd8ad8", false)),
        ),
        (
            value(&format!("Sampled=1;{ROOT};Lineage=a:0")),
            Some((b"0000000000000000", true)),
        ),
        (
            value(&format!("{ROOT};Parent=short")),
            Some((b"0000000000000000", false)),
        ),
        (value("Root=1-6b012345-0123456789abcdef0123456"), None),
        (value("Root=1-6b012345-0123456789abcdef012345678"), None),
        (value("Root=1-6b012345-0123456789abcdefg1234567"), None),
        (value("Root=1-"), None),
        (value("Root=2-6b012345-0123456789abcdef01234567"), None),
        (value(""), None),
        ("{}".into(), None),
        ("null".into(), None),
        (r#""Root=1-6b012345-0123456789abcdef01234567""#.into(), None),
    ] {
        let expected = expected.map(|(span_id, sampled)| Trace {
            trace_id: *TRACE_ID,
            span_id: *span_id,
            sampled,
        });
        let mut stream = Stream::new(ALL);
        let start = stream.see(&traced(A, &tracing));
        assert_eq!(start.trace, expected, "{tracing}");
        assert_eq!(stream.line(r#""in""#).trace, expected, "{tracing}");
        assert_eq!(stream.report(A).trace, expected);
        // It is the trace of that invocation alone.
        let other = format!(r#"{{"message":"m","requestId":"{B}"}}"#);
        assert_eq!(stream.line(&other).trace, None);
        assert_eq!(stream.start(B).trace, None);
        assert_eq!(stream.line(r#""in""#).trace, None);
    }
    // Of two open invocations none is guessed.
    let mut stream = Stream::concurrent();
    let tracing = value(&format!("{ROOT};Sampled=1"));
    assert!(stream.see(&traced(A, &tracing)).trace.is_some());
    stream.see(&traced(B, &tracing));
    assert_eq!(stream.line(r#""whose?""#).trace, None);
}

/// An asynchronous retry has the request id of its first try, and may come to the same sandbox.
#[test]
fn a_retry_is_another_invocation_and_a_repeated_start_is_not() {
    let start = |time: &str, root: &str| {
        let tracing = format!(r#"{{"value":"Root=1-{root}-0123456789abcdef01234567;Sampled=1"}}"#);
        let record = format!(r#"{{"requestId":"{A}","tracing":{tracing}}}"#);
        format!(r#"{{"time":"{time}","type":"platform.start","record":{record}}}"#)
    };
    let first = start("2026-11-21T09:15:00.101Z", "6b012345");
    let retry = start("2026-11-21T09:16:03.004Z", "6b012384");
    for is_concurrent in [false, true] {
        let mut stream = Stream::with(ALL, 64 * 1024, is_concurrent);
        let trace = |seen: &Seen| {
            let trace = seen.trace.map(|trace| trace.trace_id[..8].to_vec());
            (trace.unwrap_or_default(), seen.coldstart)
        };
        let (of_first, of_retry) = ((b"6b012345".to_vec(), true), (b"6b012384".to_vec(), false));
        assert_eq!(trace(&stream.see(&first)), of_first);
        // A batch is delivered again, in the middle of the invocation or after it.
        assert_eq!(trace(&stream.see(&first)), of_first);
        assert_eq!(trace(&stream.line(r#""first""#)), of_first);
        stream.report(A);
        assert_eq!(trace(&stream.see(&first)), of_first);
        assert_eq!(trace(&stream.line(r#""late""#)), of_first);
        assert_eq!(trace(&stream.see(&retry)), of_retry);
        assert_eq!(trace(&stream.line(r#""again""#)), of_retry);
        assert_eq!(trace(&stream.see(&retry)), of_retry);
        // The first one is still what it was, should it come once more.
        assert_eq!(trace(&stream.see(&first)), of_retry);
        assert_eq!(trace(&stream.line(r#""again""#)), of_retry);
    }
}
