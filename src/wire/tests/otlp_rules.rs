//! What every OTLP/HTTP JSON body must be (opentelemetry-proto 1.x, logs; "JSON Protobuf Encoding").

use serde_json::{Map, Value};

/// Checks a body; returns its number of log records.
pub fn check(body: &str) -> usize {
    let body: Value = serde_json::from_str(body).unwrap();
    let resource_logs = only(object(&body, &["resourceLogs"]), "resourceLogs");
    let resource_logs = object(resource_logs, &["resource", "scopeLogs"]);
    attributes(object(&resource_logs["resource"], &["attributes"]));
    let scope_logs = object(only(resource_logs, "scopeLogs"), &["scope", "logRecords"]);
    let scope = object(&scope_logs["scope"], &["name", "version", "attributes"]);
    assert_eq!(scope["name"], "kinglet");
    assert_eq!(scope["version"], "VERSION");
    attributes(scope);
    let records = scope_logs["logRecords"].as_array().unwrap();
    records.iter().for_each(record);
    records.len()
}

fn record(record: &Value) {
    let names = [
        "timeUnixNano",
        "severityNumber",
        "severityText",
        "body",
        "attributes",
        "droppedAttributesCount",
        "traceId",
        "spanId",
        "flags",
    ];
    let record = object(record, &names);
    // 64 bits are strings.
    let time = record["timeUnixNano"].as_str().unwrap();
    assert!(
        time.parse::<u64>()
            .is_ok_and(|time| time > 1_000_000_000_000_000_000)
    );
    assert_eq!(
        record.contains_key("severityNumber"),
        record.contains_key("severityText")
    );
    if let Some(number) = record.get("severityNumber") {
        assert!((1..=24).contains(&number.as_u64().unwrap()));
        assert!(!record["severityText"].as_str().unwrap().is_empty());
    }
    assert!(object(&record["body"], &["stringValue"])["stringValue"].is_string());
    attributes(record);
    if let Some(dropped) = record.get("droppedAttributesCount") {
        assert!(u32::try_from(dropped.as_u64().unwrap()).is_ok_and(|count| count > 0));
    }
    // Ids are hexadecimal here, not base64, and never all zero.
    for (name, digits) in [("traceId", 32), ("spanId", 16)] {
        let Some(id) = record.get(name) else { continue };
        let id = id.as_str().unwrap();
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        assert!(id.len() == digits && id.bytes().all(is_digit), "{id}");
        assert!(id.bytes().any(|byte| byte != b'0'));
        assert!(record.contains_key("traceId"));
    }
    if let Some(flags) = record.get("flags") {
        assert!(flags.as_u64().unwrap() <= 1);
    }
}

/// Keys are unique and not empty; a value is of exactly one kind, and is what that says.
fn attributes(holder: &Map<String, Value>) {
    let mut keys = Vec::new();
    for attribute in holder["attributes"].as_array().unwrap() {
        let attribute = object(attribute, &["key", "value"]);
        let key = attribute["key"].as_str().unwrap();
        assert!(!key.is_empty() && !keys.contains(&key), "{key}");
        keys.push(key);
        let value = attribute["value"].as_object().unwrap();
        assert_eq!(value.len(), 1, "{key}");
        let (kind, value) = value.iter().next().unwrap();
        let is_right = match kind.as_str() {
            "stringValue" => value.is_string(),
            "boolValue" => value.is_boolean(),
            "doubleValue" => value.as_f64().is_some_and(f64::is_finite),
            "intValue" => match value {
                Value::String(text) => text.parse::<i64>().is_ok(),
                // Below 2⁵³ every receiver reads a number exactly.
                number => number.as_i64().is_some_and(|value| value.abs() < 1 << 53),
            },
            _ => false,
        };
        assert!(is_right, "{key}: {kind} {value}");
    }
}

/// An object that has none but these members.
fn object<'a>(value: &'a Value, names: &[&str]) -> &'a Map<String, Value> {
    let object = value.as_object().unwrap();
    for name in object.keys() {
        assert!(names.contains(&name.as_str()), "{name}");
    }
    object
}

fn only<'a>(object: &'a Map<String, Value>, name: &str) -> &'a Value {
    match &object[name].as_array().unwrap()[..] {
        [one] => one,
        other => panic!("{} of {name}", other.len()),
    }
}
