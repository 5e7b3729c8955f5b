//! What the extension sees of the sandbox: the events of each kind of Lambda, and each deviation.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use kinglet_sandbox::*;
use serde_json::json;

fn minimal_extension() -> PathBuf {
    env!("CARGO_BIN_EXE_minimal_extension").into()
}

fn forwarding(collector: &Collector) -> Builder {
    Sandbox::builder(minimal_extension())
        .env("KINGLET_ENDPOINT", collector.url())
        .env("MINIMAL_FORWARD", "all")
        .freezes(false)
}

/// Runs one invocation to the end, and gives type and record of each event the extension was sent.
fn events(change: impl FnOnce(Builder) -> Builder) -> Vec<(String, serde_json::Value)> {
    let collector = Collector::start(Fault::None).unwrap();
    let lambda = change(forwarding(&collector)).start().unwrap();
    lambda.invoke(Work::lines(["a line"]).takes_ms(60)).unwrap();
    lambda.drain(Duration::from_secs(2));
    assert!(lambda.shutdown("spindown").unwrap().status.success());
    let event = |record: Record| match record.attribute("type") {
        Some(kind) => (
            kind.as_str()
                .unwrap()
                .trim_start_matches("platform.")
                .to_string(),
            record.body,
        ),
        None => ("function".into(), record.body),
    };
    collector.records().into_iter().map(event).collect()
}

fn types(events: &[(String, serde_json::Value)]) -> Vec<&str> {
    events.iter().map(|(kind, _)| kind.as_str()).collect()
}

const COLD: [&str; 9] = [
    "initStart",
    "telemetrySubscription",
    "initRuntimeDone",
    "extension",
    "initReport",
    "start",
    "function",
    "runtimeDone",
    "report",
];

#[test]
fn a_cold_start_in_order_with_its_fields() {
    let events = events(|builder| builder);
    assert_eq!(types(&events), COLD);
    let record = |kind: &str| &events.iter().find(|(other, _)| other == kind).unwrap().1;
    assert_eq!(record("initStart")["instanceMaxMemory"], 256 << 20);
    assert_eq!(record("extension")["state"], "Ready");
    assert_eq!(
        record("telemetrySubscription")["types"],
        json!(["platform", "function"])
    );
    assert_eq!(record("runtimeDone")["status"], "success");
    assert_eq!(record("runtimeDone")["spans"].as_array().unwrap().len(), 3);
    assert!(record("report")["metrics"]["initDurationMs"].is_number());
    assert!(record("report")["metrics"]["billedDurationMs"].is_u64());
}

#[test]
fn subscribe_falls_back_as_far_as_it_must() {
    let with = |subscribe| {
        events(move |builder| {
            builder.deviations(Deviations {
                subscribe,
                ..Deviations::default()
            })
        })
    };
    assert_eq!(types(&with(Subscribe::RefuseNewest)), COLD);
    let legacy = [
        "initStart",
        "logsSubscription",
        "initRuntimeDone",
        "extension",
        "initReport",
        "start",
        "function",
        "runtimeDone",
        "end",
        "report",
    ];
    for subscribe in [Subscribe::RefuseTelemetry, Subscribe::LogsOnly] {
        let events = with(subscribe);
        assert_eq!(types(&events), legacy);
        assert!(events[9].1.get("status").is_none());
    }
    for subscribe in [
        Subscribe::NotSupported,
        Subscribe::NotFound,
        Subscribe::Mute,
        Subscribe::Fail,
    ] {
        assert_eq!(with(subscribe), []);
    }
    assert_eq!(
        types(&with(Subscribe::Slow(Duration::from_millis(100)))),
        COLD
    );
}

#[test]
fn missing_and_repeated_events() {
    let with = |deviations| events(move |builder| builder.deviations(deviations));
    let seen = with(Deviations {
        runtime_done: RuntimeDone::Missing,
        report_missing: true,
        ..Deviations::default()
    });
    assert_eq!(types(&seen), &COLD[..7]);
    let late = RuntimeDone::Late(Duration::from_millis(20));
    assert_eq!(
        types(&with(Deviations {
            runtime_done: late,
            ..Deviations::default()
        }))
        .len(),
        9
    );
    let twice = with(Deviations {
        duplicate_delivery: true,
        ..Deviations::default()
    });
    assert_eq!(twice.len(), 18);
    let segmented = Wire {
        segment: Some(1),
        connection_each: true,
        extra_headers: true,
        ..Wire::default()
    };
    assert_eq!(
        types(&with(Deviations {
            wire: segmented,
            ..Deviations::default()
        })),
        COLD
    );
}

#[test]
fn json_lines_are_objects() {
    let events = events(|builder| builder.log_format(LogFormat::Json));
    let (_, record) = events.iter().find(|(kind, _)| kind == "function").unwrap();
    assert_eq!(
        (&record["message"], &record["level"]),
        (&json!("a line"), &json!("INFO"))
    );
    assert!(record["requestId"].is_string());
}

#[test]
fn managed_instances_have_slim_reports_and_no_runtime_done() {
    let events = events(|builder| builder.mode(Mode::ManagedInstances));
    assert!(!types(&events).contains(&"runtimeDone"));
    let (_, report) = events.iter().find(|(kind, _)| kind == "report").unwrap();
    assert_eq!(report["metrics"].as_object().unwrap().len(), 1);
    assert_eq!(
        events[0].1["initializationType"],
        "lambda-managed-instances"
    );
}

#[test]
fn a_reset_keeps_the_reason_in_its_events() {
    let collector = Collector::start(Fault::None).unwrap();
    let lambda = forwarding(&collector)
        .function_timeout(Duration::from_millis(200))
        .start()
        .unwrap();
    assert_eq!(
        lambda.invoke(Work::quiet().times_out()).unwrap().status,
        "timeout"
    );
    // The extension takes any free port, so the old subscription fails and the new one has the new events only.
    lambda.invoke(Work::quiet().takes_ms(60)).unwrap();
    let seen = collector.wait_records(Duration::from_secs(2), |records| {
        records
            .iter()
            .any(|record| record.body["phase"] == "invoke")
    });
    let statuses: Vec<_> = seen
        .iter()
        .filter(|record| record.attributes["type"] == "platform.runtimeDone")
        .collect();
    assert_eq!(statuses[0].body["status"], "timeout");
    assert!(seen.iter().any(|record| record.body["phase"] == "invoke"));
}

#[test]
fn a_slow_consumer_loses_lines_and_is_told() {
    let collector = Collector::start(Fault::Slow(Duration::from_millis(300))).unwrap();
    let deviations = Deviations {
        drop_beyond_bytes: Some(10_000),
        ..Deviations::default()
    };
    let lambda = forwarding(&collector)
        .deviations(deviations)
        .start()
        .unwrap();
    lambda
        .invoke(Work::lines(
            (0..1000).map(|number| format!("line {number}")),
        ))
        .unwrap();
    assert!(lambda.drain(Duration::from_secs(5)));
    let count = lambda.delivered();
    assert_eq!(count.lines + count.dropped, 1000);
    let records = collector.wait_records(Duration::from_secs(2), |records| {
        records
            .iter()
            .any(|record| record.body["droppedRecords"] == count.dropped)
    });
    assert!(
        records
            .iter()
            .any(|record| record.body["droppedRecords"] == count.dropped),
        "{count:?}"
    );
}

#[test]
fn a_test_can_be_the_platform() {
    let collector = Collector::start(Fault::None).unwrap();
    let lambda = forwarding(&collector).start().unwrap();
    assert_eq!(lambda.destination().unwrap().path, "/telemetry");
    lambda.inject([json!({"type": "platform.news", "record": {"n": 1}})]);
    assert!(lambda.drain(Duration::from_secs(1)));
    let body = r#"[{"type":"platform.news","record":{"n":2}}]"#;
    assert_eq!(lambda.post(body.as_bytes(), Wire::default()).unwrap(), 200);
    let body = body.replace('2', "3");
    let request = format!(
        "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut connection = lambda.inject_raw(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    let records = collector.records();
    let numbers = records
        .iter()
        .filter_map(|record| record.body["n"].as_i64());
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn next_and_register_that_fail_reach_the_extension() {
    let next_fails = Deviations {
        next_fails: 1,
        ..Deviations::default()
    };
    let error = Sandbox::builder(minimal_extension())
        .deviations(next_fails)
        .start()
        .err()
        .unwrap();
    assert!(error.to_string().contains("exit code 8"), "{error}");
    let not_yet = Deviations {
        register_fails_for: Duration::from_secs(1),
        ..Deviations::default()
    };
    let error = Sandbox::builder(minimal_extension())
        .deviations(not_yet)
        .start()
        .err()
        .unwrap();
    assert!(error.to_string().contains("exit code 7"), "{error}");
}
