//! The platform's own events: readable lines, and what the resource says.

use std::collections::BTreeMap;

use kinglet_sandbox::{Deviations, Record, Work};
use serde_json::json;

use crate::arrived::{event_type, function_lines, of_type};
use crate::counters::Counters;
use crate::extension::{KINGLET, beside, flushing_at_end, healthy_collector, invoke, spin_down};

/// Platform events arrive as the lines that CloudWatch shows, with their members as attributes.
#[test]
fn platform_events_are_readable_lines() {
    let collector = healthy_collector();
    let lambda = beside(&collector).start().unwrap();
    let id = lambda.invoke(["a line"]).unwrap().request_id;
    spin_down(&lambda);
    let name = KINGLET.rsplit('/').next().unwrap();
    let records: BTreeMap<String, Record> = collector
        .logs()
        .into_iter()
        .map(|record| (event_type(&record).to_string(), record))
        .collect();
    for (kind, begin) in [
        (
            "platform.initStart",
            "INIT_START Runtime Version: sandbox:1.v1".to_string(),
        ),
        (
            "platform.telemetrySubscription",
            format!("TELEMETRY Name: {name} State: Subscribed"),
        ),
        (
            "platform.extension",
            format!("EXTENSION Name: {name} State: Ready"),
        ),
        (
            "platform.initReport",
            "INIT_REPORT Init Duration: ".to_string(),
        ),
        (
            "platform.start",
            format!("START RequestId: {id} Version: $LATEST"),
        ),
        ("platform.runtimeDone", format!("END RequestId: {id}")),
        (
            "platform.report",
            format!("REPORT RequestId: {id} Duration: "),
        ),
    ] {
        let record = records
            .get(kind)
            .unwrap_or_else(|| panic!("{kind} in {:?}", records.keys()));
        assert!(
            words(record).starts_with(&begin),
            "{kind}: {:?}",
            record.text()
        );
        assert_eq!(record.severity, "INFO", "{kind}");
        assert_eq!(record.request_id().is_some(), begin.contains(&id), "{kind}");
    }
    assert_eq!(
        records["platform.report"].attribute("status"),
        Some(&json!("success"))
    );
    assert!(words(&records["platform.report"]).contains(" Memory Size: 256 MB Max Memory Used: "));
}

/// The body with one space wherever CloudWatch has spaces or tabs.
fn words(record: &Record) -> String {
    let text = record.text();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An invocation that did not succeed is told with severity ERROR, and its last words arrive.
#[test]
fn a_failed_invocation_is_an_error() {
    let collector = healthy_collector();
    let lambda = beside(&collector).start().unwrap();
    let crash = Work::lines(["last words"]).takes_ms(50).crashes();
    let crashed = lambda.invoke(crash).unwrap();
    assert!(crashed.error);
    let done = of_type(&collector, "platform.runtimeDone");
    assert_eq!((done.len(), done[0].severity.as_str()), (1, "ERROR"));
    assert!(
        words(&done[0]).contains(" Status: error"),
        "{}",
        done[0].text()
    );
    assert_eq!(function_lines(&collector), ["last words"]);
}

/// What Lambda itself has dropped is shipped as a record of its own kind even where platform events are not wanted, and is
/// counted apart: kinglet has not lost it.
#[test]
fn what_lambda_has_dropped_is_told() {
    let collector = healthy_collector();
    let lambda = beside(&collector)
        .env("KINGLET_TYPES", "function")
        .start()
        .unwrap();
    let dropped =
        json!({"droppedBytes": 262_190, "droppedRecords": 911, "reason": "fallen behind"});
    lambda.inject([json!({"type": "platform.logsDropped", "record": dropped})]);
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    let records = of_type(&collector, "platform.logsDropped");
    let [record] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(
        (record.severity.as_str(), record.attribute("droppedRecords")),
        ("WARN", Some(&json!(911)))
    );
    let counters = Counters::of(&exit);
    assert_eq!(
        (counters.get("platform_dropped"), counters.get("evicted")),
        (911, 0)
    );
}

/// The resource follows OpenTelemetry's FaaS and cloud conventions.
#[test]
fn the_resource_says_whose_records_these_are() {
    let collector = healthy_collector();
    let lambda = flushing_at_end(&collector)
        .memory_mb(512)
        .function_name("shop")
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    invoke(&lambda, ["another"]);
    spin_down(&lambda);
    let line = of_type(&collector, "function").pop().unwrap();
    for (name, value) in [
        ("cloud.provider", json!("aws")),
        ("cloud.platform", json!("aws_lambda")),
        ("cloud.region", json!("eu-west-1")),
        ("cloud.account.id", json!("123456789012")),
        (
            "cloud.resource_id",
            json!("arn:aws:lambda:eu-west-1:123456789012:function:shop"),
        ),
        ("faas.name", json!("shop")),
        ("faas.version", json!("$LATEST")),
        ("faas.max_memory", json!(512 << 20)),
        ("service.name", json!("shop")),
    ] {
        assert_eq!(line.resource.get(name), Some(&value), "{name}");
    }
    let instance = line.resource["faas.instance"].as_str().unwrap();
    assert!(
        instance.contains("[$LATEST]"),
        "the log stream's name: {instance}"
    );
    assert_eq!(line.scope["name"], "kinglet");
}

/// A newline that a managed runtime leaves at the end of a record is part of what the function wrote.
#[test]
fn a_newline_at_the_end_does_no_harm() {
    let collector = healthy_collector();
    let deviations = Deviations {
        trailing_newline: true,
        ..Deviations::default()
    };
    let lambda = beside(&collector).deviations(deviations).start().unwrap();
    invoke(&lambda, ["one", "two"]);
    spin_down(&lambda);
    let lines = function_lines(&collector);
    assert_eq!(
        lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>(),
        ["one", "two"]
    );
}

/// Lambda may send an asynchronous retry, which has the same request id, to the same sandbox: it is another invocation, with a
/// trace of its own, and no cold start.
#[test]
fn a_retry_in_the_same_sandbox_is_another_invocation() {
    let collector = healthy_collector();
    let lambda = flushing_at_end(&collector).freezes(false).start().unwrap();
    let id = lambda.invoke(["first"]).unwrap().request_id;
    let root = "6b012345-0123456789abcdef01234567";
    let tracing = json!({"type": "X-Amzn-Trace-Id", "value": format!("Root=1-{root};Sampled=1")});
    lambda.inject([
        json!({"type": "platform.start", "record": {"requestId": id, "tracing": tracing}}),
        json!({"type": "function", "record": "again"}),
    ]);
    spin_down(&lambda);
    let lines = of_type(&collector, "function");
    let [first, again] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    for line in [first, again] {
        assert_eq!(line.request_id(), Some(id.as_str()));
    }
    let coldstart = |line: &Record| line.attribute("faas.coldstart").cloned();
    assert_eq!(
        (coldstart(first), coldstart(again)),
        (Some(json!(true)), None)
    );
    assert_eq!(again.trace_id, root.replace('-', ""));
    assert_ne!(first.trace_id, again.trace_id);
}
