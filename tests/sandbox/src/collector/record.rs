//! Log records as a collector has received them: OTLP/HTTP JSON, and NDJSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::body::Signal;
use super::point;

/// Attribute names to values; OTLP's `AnyValue` wrapping is undone.
pub type Attributes = BTreeMap<String, Value>;

/// One log record, as the collector got it.
#[derive(Clone, Debug)]
pub struct Record {
    pub signal: Signal,
    /// Number of the request that brought it, counted from 0.
    pub request: usize,
    /// OTLP: `timeUnixNano`, a decimal number; NDJSON: `time` as sent. Empty if missing.
    pub time: String,
    pub severity_number: i64,
    pub severity: String,
    pub body: Value,
    pub attributes: Attributes,
    pub resource: Arc<Attributes>,
    pub scope: Arc<Attributes>,
    pub trace_id: String,
    pub span_id: String,
    /// The record as sent.
    pub raw: Value,
}

impl Record {
    /// The body as text: a string as it is, anything else as JSON.
    pub fn text(&self) -> String {
        match &self.body {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }

    pub fn attribute(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// The Lambda request id this record belongs to (`faas.invocation_id`, or NDJSON's `request_id`).
    pub fn request_id(&self) -> Option<&str> {
        self.attributes
            .get("faas.invocation_id")
            .or_else(|| self.attributes.get("request_id"))?
            .as_str()
    }
}

/// The records of an OTLP logs request.
pub fn of_otlp(mut document: Value, request: usize) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    for mut group in array(&mut document, "resourceLogs")? {
        let resource = Arc::new(attributes(&group["resource"]["attributes"])?);
        for mut scoped in array(&mut group, "scopeLogs")? {
            let scope = Arc::new(scope(&scoped["scope"])?);
            for raw in array(&mut scoped, "logRecords")? {
                records.push(Record {
                    signal: Signal::Log,
                    request,
                    time: time(&raw)?,
                    severity_number: raw["severityNumber"].as_i64().unwrap_or(0),
                    severity: text(&raw["severityText"]),
                    body: any_value(&raw["body"])?,
                    attributes: attributes(&raw["attributes"])?,
                    resource: resource.clone(),
                    scope: scope.clone(),
                    trace_id: text(&raw["traceId"]),
                    span_id: text(&raw["spanId"]),
                    raw,
                });
            }
        }
    }
    Ok(records)
}

/// The rows of an NDJSON body that are records.
pub fn of_rows(body: &[u8], request: usize) -> Result<Vec<Record>, String> {
    let (resource, scope) = (Arc::default(), Arc::default());
    let lines = body
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty() && !point::is_row(line));
    lines
        .map(|line| {
            let raw: Value = serde_json::from_slice(line)
                .map_err(|error| format!("a line of NDJSON: {error}"))?;
            let mut attributes: Attributes = match &raw["attributes"] {
                Value::Object(members) => members.clone().into_iter().collect(),
                _ => Attributes::new(),
            };
            for key in ["request_id", "type"] {
                if let Some(value) = raw.get(key) {
                    attributes.insert(key.into(), value.clone());
                }
            }
            Ok(Record {
                signal: Signal::Log,
                request,
                time: text(&raw["time"]),
                severity_number: 0,
                severity: text(&raw["severity"]),
                body: raw["body"].clone(),
                attributes,
                resource: Arc::clone(&resource),
                scope: Arc::clone(&scope),
                trace_id: text(&raw["trace_id"]),
                span_id: text(&raw["span_id"]),
                raw,
            })
        })
        .collect()
}

fn array(object: &mut Value, key: &str) -> Result<Vec<Value>, String> {
    match object.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(_) => Err(format!("{key} is not an array")),
    }
}

fn scope(scope: &Value) -> Result<Attributes, String> {
    let mut all = attributes(&scope["attributes"])?;
    all.insert("name".into(), scope["name"].clone());
    all.insert("version".into(), scope["version"].clone());
    Ok(all)
}

fn attributes(list: &Value) -> Result<Attributes, String> {
    let entries = list.as_array().into_iter().flatten();
    entries
        .map(|entry| match entry["key"].as_str() {
            Some(key) => Ok((key.to_string(), any_value(&entry["value"])?)),
            None => Err("an attribute without a key".to_string()),
        })
        .collect()
}

/// Undoes OTLP's `AnyValue`; an empty one is an error, because receivers refuse it.
fn any_value(value: &Value) -> Result<Value, String> {
    let Some((kind, inner)) = value.as_object().and_then(|members| members.iter().next()) else {
        return if value.is_null() {
            Ok(Value::Null)
        } else {
            Err("an AnyValue without a value".into())
        };
    };
    match kind.as_str() {
        "stringValue" | "boolValue" | "doubleValue" | "bytesValue" => Ok(inner.clone()),
        "intValue" => match inner {
            Value::Number(_) => Ok(inner.clone()),
            other => {
                let number: i64 = text(other)
                    .parse()
                    .map_err(|_| format!("intValue {other} is no integer"))?;
                Ok(number.into())
            }
        },
        "arrayValue" => {
            let items = inner["values"].as_array().into_iter().flatten();
            Ok(Value::Array(
                items.map(any_value).collect::<Result<_, _>>()?,
            ))
        }
        "kvlistValue" => Ok(Value::Object(
            attributes(&inner["values"])?.into_iter().collect(),
        )),
        other => Err(format!("{other:?} is no member of AnyValue")),
    }
}

/// OTLP JSON writes 64-bit times as strings; strict receivers refuse numbers.
fn time(record: &Value) -> Result<String, String> {
    match &record["timeUnixNano"] {
        Value::Null => Ok(String::new()),
        Value::String(digits) => Ok(digits.clone()),
        other => Err(format!("timeUnixNano {other} is not a string")),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use crate::collector::body::{decode, request};

    #[test]
    fn otlp_logs() {
        let body = br#"{"resourceLogs":[{"resource":{"attributes":[{"key":"faas.name","value":{"stringValue":"orders"}}]},
            "scopeLogs":[{"scope":{"name":"kinglet"},"logRecords":[{"timeUnixNano":"17","severityNumber":9,
            "severityText":"INFO","body":{"stringValue":"hello"},"attributes":[
            {"key":"faas.invocation_id","value":{"stringValue":"r1"}},{"key":"n","value":{"intValue":"7"}}]}]}]}]}"#;
        let records = decode(&request("/v1/logs", body), 3).unwrap();
        assert_eq!(records.len(), 1);
        let record = &records[0];
        assert_eq!(
            (record.text().as_str(), record.request_id(), record.request),
            ("hello", Some("r1"), 3)
        );
        assert_eq!(
            (
                record.resource["faas.name"].as_str(),
                record.attributes["n"].as_i64()
            ),
            (Some("orders"), Some(7))
        );
    }

    #[test]
    fn what_strict_receivers_refuse_is_refused() {
        let log = |record: &str| {
            format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{record}]}}]}}]}}"#)
        };
        for record in [
            r#"{"timeUnixNano":17}"#,
            r#"{"body":{}}"#,
            r#"{"body":{"strValue":"x"}}"#,
        ] {
            assert!(
                decode(&request("/v1/logs", log(record).as_bytes()), 0).is_err(),
                "{record}"
            );
        }
        assert!(decode(&request("/v1/logs", b"{"), 0).is_err());
    }
}
