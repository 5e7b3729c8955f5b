//! Attributes in OTLP's JSON.

use serde::Deserialize;
use serde_json::{Number, Value};

use super::Attributes;
use super::integer::Whole;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyValue {
    key: String,
    value: AnyValue,
}

/// What a point's attribute can be; one of them, and nothing else.
#[derive(Deserialize)]
enum AnyValue {
    #[serde(rename = "stringValue")]
    String(String),
    #[serde(rename = "boolValue")]
    Bool(bool),
    #[serde(rename = "intValue")]
    Int(Whole<i64>),
    #[serde(rename = "doubleValue")]
    Double(f64),
}

/// Attributes as plain values; a key that is there twice is an error.
pub fn attributes(list: Vec<KeyValue>) -> Result<Attributes, String> {
    let mut attributes = Attributes::new();
    for KeyValue { key, value } in list {
        let value = match value {
            AnyValue::String(text) => Value::String(text),
            AnyValue::Bool(bool) => Value::Bool(bool),
            AnyValue::Int(integer) => integer.value().into(),
            AnyValue::Double(double) => Number::from_f64(double).map_or(Value::Null, Value::Number),
        };
        if attributes.contains_key(&key) {
            return Err(format!("the attribute {key:?} twice"));
        }
        attributes.insert(key, value);
    }
    Ok(attributes)
}
