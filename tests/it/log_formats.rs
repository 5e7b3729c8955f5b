//! What the function's lines say of themselves, in JSON and in the text formats of the managed runtimes.

use kinglet_sandbox::{LogFormat, Wire};
use serde_json::json;

use crate::arrived::of_type;
use crate::extension::{beside, healthy_collector, spin_down};
use crate::telemetry_input::{awake, finish};

/// In JSON log format the message is the body, the level the severity, the request id the invocation id; other members
/// become attributes, nested ones as their JSON text.
#[test]
fn json_lines_become_records_with_attributes() {
    let collector = healthy_collector();
    let lambda = beside(&collector)
        .log_format(LogFormat::Json)
        .start()
        .unwrap();
    let lines = [
        json!({"timestamp": "2026-11-21T20:37:43.578Z", "level": "ERROR", "message": "no \"stock\"", "requestId": "r-1",
            "order": 17, "price": 9.5, "paid": true, "user": {"id": 7}, "tags": ["a"], "nothing": null}),
        json!({"level": "debug", "msg": "another logger's"}),
    ];
    let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines.push("not JSON".into());
    let invocation = lambda.invoke(lines.clone()).unwrap();
    spin_down(&lambda);
    let records = of_type(&collector, "function");
    let [error, other, wrapped] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(
        (
            error.text().as_str(),
            error.severity_number,
            error.severity.as_str()
        ),
        ("no \"stock\"", 17, "ERROR")
    );
    assert_eq!(error.request_id(), Some("r-1"));
    assert_eq!(error.time, "1795293463578000000");
    for (name, value) in [
        ("order", json!(17)),
        ("price", json!(9.5)),
        ("paid", json!(true)),
        ("user", json!("{\"id\":7}")),
        ("tags", json!("[\"a\"]")),
    ] {
        assert_eq!(error.attribute(name), Some(&value), "{name}");
    }
    for gone in ["message", "level", "timestamp", "requestId", "nothing"] {
        assert_eq!(error.attribute(gone), None, "{gone}");
    }
    // Without a message the whole object is the body: it is the only text there is.
    assert_eq!((other.text(), other.severity_number), (lines[1].clone(), 5));
    assert_eq!(other.request_id(), Some(invocation.request_id.as_str()));
    assert_eq!(
        (wrapped.text().as_str(), wrapped.severity.as_str()),
        ("not JSON", "INFO")
    );
    assert_eq!(wrapped.request_id(), Some(invocation.request_id.as_str()));
}

/// Severity and request id are read from the managed runtimes' text formats, and only from those.
#[test]
fn text_lines_tell_their_severity_and_request_id() {
    let collector = healthy_collector();
    let lambda = beside(&collector).start().unwrap();
    let id = "7c0f3a4e-51a2-4d55-9a7e-0d4f2f6f2b11";
    let cases = [
        (
            format!("[WARNING]\t2026-11-21T20:37:43.578Z\t{id}\tfrom Python"),
            "WARN",
            id,
        ),
        (
            format!("2026-11-21T20:37:43.578Z\t{id}\tERROR\tfrom Node.js"),
            "ERROR",
            id,
        ),
        (
            format!("2026-11-21 20:37:43 {id} INFO Orders - from Java"),
            "INFO",
            id,
        ),
        (
            format!("F, [2026-11-21T20:37:43.578 #8] FATAL RequestId: {id} -- : from Ruby"),
            "FATAL",
            id,
        ),
        (
            "{\"level\":\"error\",\"message\":\"an object in a string\"}".into(),
            "ERROR",
            "",
        ),
        ("this ERROR is only a word".into(), "", ""),
    ];
    let invocation = lambda
        .invoke(
            cases
                .iter()
                .map(|(line, ..)| line.clone())
                .collect::<Vec<_>>(),
        )
        .unwrap();
    spin_down(&lambda);
    let records = of_type(&collector, "function");
    assert_eq!(records.len(), cases.len());
    for (record, (line, severity, request_id)) in records.iter().zip(&cases) {
        let request_id = if request_id.is_empty() {
            &invocation.request_id
        } else {
            *request_id
        };
        assert_eq!(
            (
                &record.text(),
                record.severity.as_str(),
                record.request_id()
            ),
            (line, *severity, Some(request_id))
        );
    }
}

/// A member cannot stand for what kinglet says of a record, nor hide it, however its name is escaped: it is left out and counted.
#[test]
fn no_member_is_taken_for_one_of_kinglets() {
    let (collector, lambda) = awake();
    let escaped = r#"{"message":"m","faas.\u0069nvocation_id":"forged","aws.lambda.event.\u0074ype":"platform.report",
        "faas.coldstar\u0074":"forged","kinglet.\u006friginal_bytes":7,"a\u0062":1,"ab":2}"#;
    let plain: serde_json::Value = serde_json::from_str(escaped).unwrap();
    let event = |record: &str| {
        format!(r#"{{"time":"2026-11-21T20:37:43.578Z","type":"function","record":{record}}}"#)
    };
    let body = format!("[{},{}]", event(escaped), event(&plain.to_string()));
    assert_eq!(lambda.post(body.as_bytes(), Wire::default()).unwrap(), 200);
    finish(&lambda);
    let mut records = of_type(&collector, "function");
    assert_eq!(
        records.len(),
        4,
        "the first, these two, the last: {records:?}"
    );
    let id = records[0].request_id().map(String::from);
    // One member of the escaped object has the name of another, too.
    for (record, dropped) in records.drain(1..3).zip([5, 4]) {
        let keys = record.raw["attributes"].as_array().unwrap().iter();
        let keys: Vec<_> = keys.map(|each| each["key"].as_str().unwrap()).collect();
        assert_eq!(keys, ["faas.invocation_id", "faas.coldstart", "ab"]);
        assert_eq!(record.request_id(), id.as_deref());
        assert_eq!(record.attribute("faas.coldstart"), Some(&json!(true)));
        assert_eq!(record.raw["droppedAttributesCount"], json!(dropped));
    }
}
