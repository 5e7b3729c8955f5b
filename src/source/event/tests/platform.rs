//! Platform events: lines, severities, observations, and what they say about us. Their lines: see `platform.rs`.

use super::*;

#[test]
fn what_the_lifecycle_is_told() {
    let done = |success| Observation::Done { id: id(A), success };
    let with_id = |members: &str| format!(r#"{{"requestId":"{A}"{members}}}"#);
    for (event_type, record, observation, severity) in [
        ("start", with_id(""), Observation::Started(id(A)), 9),
        (
            "runtimeDone",
            with_id(r#","status":"success""#),
            done(true),
            9,
        ),
        (
            "runtimeDone",
            with_id(r#","status":"error""#),
            done(false),
            17,
        ),
        (
            "runtimeDone",
            with_id(r#","status":"timeout""#),
            done(false),
            17,
        ),
        (
            "runtimeDone",
            with_id(r#","status":"failure""#),
            done(false),
            17,
        ),
        // The Logs API: no status.
        ("end", with_id(""), done(true), 9),
        (
            "report",
            with_id(r#","status":"success""#),
            Observation::Reported(id(A)),
            9,
        ),
        (
            "report",
            with_id(r#","status":"timeout""#),
            Observation::Reported(id(A)),
            17,
        ),
        ("start", "{}".into(), Observation::Nothing, 9),
        (
            "start",
            r#"{"requestId":"two words"}"#.into(),
            Observation::Nothing,
            9,
        ),
        (
            "start",
            r#"{"requestId":7}"#.into(),
            Observation::Nothing,
            9,
        ),
        ("start", "null".into(), Observation::Nothing, 9),
        ("start", format!(r#""{A}""#), Observation::Nothing, 9),
        (
            "fault",
            r#""RequestId: x Error: exit status 1""#.into(),
            Observation::Nothing,
            17,
        ),
        ("initStart", "{}".into(), Observation::Nothing, 9),
        (
            "initReport",
            r#"{"status":"error"}"#.into(),
            Observation::Nothing,
            17,
        ),
        (
            "restoreRuntimeDone",
            r#"{"status":"failure"}"#.into(),
            Observation::Nothing,
            17,
        ),
        (
            "extension",
            r#"{"name":"a","state":"Ready"}"#.into(),
            Observation::Nothing,
            9,
        ),
        (
            "logsDropped",
            r#"{"droppedRecords":1}"#.into(),
            Observation::Nothing,
            13,
        ),
        ("newThing", with_id(""), Observation::Nothing, 9),
    ] {
        let mut stream = Stream::new(ALL);
        let event = event(&format!("platform.{event_type}"), &record);
        assert_eq!(
            stream.read(&event),
            (Verdict::Record, observation),
            "{event}"
        );
        assert_eq!(stream.seen().severity, severity, "{event}");
    }
}

#[test]
fn a_line_and_the_members_as_attributes() {
    let mut stream = Stream::new(ALL);
    let seen = stream.see(&event(
        "platform.report",
        &format!(
            r#"{{"requestId":"{A}","status":"timeout","metrics":{{"durationMs":185.377,"billedDurationMs":698}},"n":1}}"#
        ),
    ));
    let expected = Seen {
        time: TIME,
        severity: 17,
        event_type: "platform.report".into(),
        request_id: A.into(),
        trace: None,
        coldstart: true,
        body: format!(
            r"REPORT RequestId: {A}\tDuration: 185.377 ms\tBilled Duration: 698 ms\tStatus: timeout"
        ),
        attributes: vec![
            "status=s:timeout".into(),
            r#"metrics=s:{\"durationMs\":185.377,\"billedDurationMs\":698}"#.into(),
            "n=i:1".into(),
        ],
        original_bytes: 0,
        dropped_attributes: 0,
    };
    assert_eq!(seen, expected);
}

/// The shapes of the Logs API (schema 2021-03-18), and such as no schema has.
#[test]
fn records_of_any_shape() {
    let fault = format!(r"RequestId: {A} Error: Runtime exited\nRuntime.ExitError");
    for (event_type, record, body, attributes) in [
        (
            "platform.fault",
            format!("\"{fault}\""),
            fault.as_str(),
            vec![],
        ),
        (
            "platform.end",
            format!(r#"{{"requestId":"{A}"}}"#),
            &format!("END RequestId: {A}"),
            vec![],
        ),
        (
            "platform.logsSubscription",
            r#"{"name":"kinglet","state":"Subscribed","types":["platform"]}"#.into(),
            r#"LOGS\tName: kinglet\tState: Subscribed\tTypes: [\"platform\"]"#,
            vec![
                "name=s:kinglet",
                "state=s:Subscribed",
                r#"types=s:[\"platform\"]"#,
            ],
        ),
        ("platform.start", "null".into(), "null", vec![]),
        ("platform.newThing", "[1]".into(), "[1]", vec![]),
        (
            "platform.newThing",
            r#"{"a":1}"#.into(),
            r#"{\"a\":1}"#,
            vec!["a=i:1"],
        ),
        ("platform.", r#""text""#.into(), "text", vec![]),
        ("platform", r#""text""#.into(), "text", vec![]),
        (
            "newthing",
            r#"{"message":"m","a":1}"#.into(),
            "m",
            vec!["a=i:1"],
        ),
    ] {
        let seen = Stream::new(ALL).see(&event(event_type, &record));
        assert_eq!(
            (seen.event_type.as_str(), seen.body.as_str()),
            (event_type, body)
        );
        assert_eq!(seen.attributes, attributes, "{event_type}");
        assert_eq!(seen.original_bytes, 0);
    }
}

#[test]
fn what_the_platform_dropped_is_counted_and_never_filtered() {
    let nothing = Filter {
        emf: Emf::Logs,
        platform: false,
        function: false,
        extension: false,
        invocation_lines: false,
        severity_min: 21,
    };
    let mut stream = Stream::new(nothing);
    for (record, sum) in [
        (
            r#"{"droppedBytes":262190,"droppedRecords":911,"reason":"too slow"}"#,
            911,
        ),
        (r#"{"droppedRecords":9}"#, 920),
        (r#"{"droppedRecords":"9"}"#, 920),
        (r#"{"droppedRecords":-9}"#, 920),
        ("{}", 920),
        (r#""text""#, 920),
        (r#"{"droppedRecords":18446744073709551615}"#, u64::MAX),
    ] {
        let seen = stream.see(&event("platform.logsDropped", record));
        assert_eq!(seen.event_type, "platform.logsDropped");
        assert_eq!((seen.severity, stream.reader.platform_dropped), (13, sum));
    }
}

#[test]
fn what_the_stream_says_about_us() {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:orders";
    let start = event(
        "platform.start",
        &format!(r#"{{"requestId":"{A}","functionArn":"{arn}","tenantId":"blue"}}"#),
    );
    for is_concurrent in [false, true] {
        let mut stream = Stream::with(ALL, 4096, is_concurrent);
        stream.see(&event(
            "platform.initStart",
            r#"{"instanceId":"2026/11/21/[$LATEST]abc"}"#,
        ));
        stream.see(&start);
        assert_eq!(
            stream.resource_value("faas.instance"),
            Some("2026/11/21/[$LATEST]abc")
        );
        assert_eq!(stream.resource_value("aws.lambda.tenant_id"), Some("blue"));
        // Elsewhere INVOKE tells it.
        let resource_id = stream.resource_value("cloud.resource_id");
        assert_eq!(resource_id, is_concurrent.then_some(arn));
    }
}
