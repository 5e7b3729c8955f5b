//! What every OTLP/HTTP JSON body must be (opentelemetry-proto 1.x, logs and metrics; "JSON Protobuf Encoding").

use serde_json::{Map, Value};

/// Checks a body of logs; returns its number of log records.
pub fn check(body: &str) -> usize {
    let body: Value = serde_json::from_str(body).unwrap();
    let records = scope(&body, "Logs", "logRecords");
    records.iter().for_each(record);
    records.len()
}

/// Checks a body of metrics; returns its metrics.
pub fn check_metrics(body: &str) -> Vec<Value> {
    let body: Value = serde_json::from_str(body).unwrap();
    let metrics = scope(&body, "Metrics", "metrics");
    metrics.iter().for_each(metric);
    metrics.clone()
}

/// What is in the only scope of the only resource.
fn scope<'a>(body: &'a Value, signal: &str, items: &str) -> &'a Vec<Value> {
    let (resources, scopes) = (format!("resource{signal}"), format!("scope{signal}"));
    let resource = object(
        only(object(body, &[&resources]), &resources),
        &["resource", &scopes],
    );
    attributes(object(&resource["resource"], &["attributes"]));
    let holder = object(only(resource, &scopes), &["scope", items]);
    let scope = object(&holder["scope"], &["name", "version", "attributes"]);
    assert_eq!(scope["name"], "kinglet");
    assert_eq!(scope["version"], "V".repeat(crate::VERSION.len()));
    attributes(scope);
    holder[items].as_array().unwrap()
}

fn metric(metric: &Value) {
    let metric = object(metric, &["name", "unit", "sum", "gauge", "histogram"]);
    assert!(!metric["name"].as_str().unwrap().is_empty());
    assert!(
        metric
            .get("unit")
            .is_none_or(|unit| unit.as_str().is_some_and(|unit| !unit.is_empty()))
    );
    let kinds = ["sum", "gauge", "histogram"];
    let [kind] = kinds
        .iter()
        .filter(|kind| metric.contains_key(**kind))
        .collect::<Vec<_>>()[..]
    else {
        panic!("not one kind: {metric:?}");
    };
    let names: &[&str] = match *kind {
        "sum" => &["aggregationTemporality", "isMonotonic", "dataPoints"],
        "gauge" => &["dataPoints"],
        _ => &["aggregationTemporality", "dataPoints"],
    };
    let data = object(&metric[*kind], names);
    if *kind != "gauge" {
        assert!(matches!(
            data["aggregationTemporality"].as_u64(),
            Some(1 | 2)
        ));
    }
    assert!(data.get("isMonotonic").is_none_or(Value::is_boolean));
    for point in data["dataPoints"].as_array().unwrap() {
        match *kind {
            "histogram" => histogram_point(point),
            _ => number_point(point, *kind == "gauge"),
        }
    }
}

fn number_point(point: &Value, is_gauge: bool) {
    let names = [
        "attributes",
        "startTimeUnixNano",
        "timeUnixNano",
        "asDouble",
        "asInt",
    ];
    let point = object(point, &names);
    attributes(point);
    times(point, is_gauge);
    match (point.get("asDouble"), point.get("asInt")) {
        (Some(value), None) => assert!(value.as_f64().is_some_and(f64::is_finite)),
        (None, Some(value)) => drop(integer(value)),
        _ => panic!("not one value: {point:?}"),
    }
}

fn histogram_point(point: &Value) {
    let names = [
        "attributes",
        "startTimeUnixNano",
        "timeUnixNano",
        "count",
        "sum",
        "min",
        "max",
        "bucketCounts",
        "explicitBounds",
    ];
    let point = object(point, &names);
    attributes(point);
    times(point, false);
    for name in ["sum", "min", "max"] {
        assert!(point[name].as_f64().is_some_and(f64::is_finite));
    }
    let counts = point["bucketCounts"].as_array().unwrap();
    let bounds = point["explicitBounds"].as_array().unwrap();
    assert_eq!(counts.len(), bounds.len() + 1);
    assert!(
        bounds
            .iter()
            .map(Value::as_f64)
            .is_sorted_by(|one, other| one < other)
    );
    let sum = counts.iter().map(integer).sum::<u64>();
    assert_eq!(sum, integer(&point["count"]));
}

/// An interval has a start, and that is before its end.
fn times(point: &Map<String, Value>, is_gauge: bool) {
    let time = |name: &str| {
        point
            .get(name)
            .map(|time| time.as_str().unwrap().parse::<u64>().unwrap())
    };
    assert!(time("timeUnixNano") > Some(1_000_000_000_000_000_000));
    match time("startTimeUnixNano") {
        None => assert!(is_gauge),
        start => assert!(start < time("timeUnixNano")),
    }
}

/// Below 2⁵³ a number, which every receiver reads exactly, else a string.
fn integer(value: &Value) -> u64 {
    match value {
        Value::String(text) => {
            let value = text.parse().unwrap();
            assert!(value >= 1 << 53);
            value
        }
        number => number.as_u64().filter(|value| *value < 1 << 53).unwrap(),
    }
}

fn record(record: &Value) {
    let names = [
        "timeUnixNano",
        "observedTimeUnixNano",
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
    for name in ["timeUnixNano", "observedTimeUnixNano"] {
        let time = record[name].as_str().unwrap();
        assert!(
            time.parse::<u64>()
                .is_ok_and(|time| time > 1_000_000_000_000_000_000)
        );
    }
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
