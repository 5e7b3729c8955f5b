//! The form of what is sent, beside what OpenTelemetry's SDK for Python sends (`tests/fixtures/otlp-sdk`, opentelemetry-python
//! 1.45.2): which fields, and each with which wire type. Golden files are what kinglet sends.

use std::collections::BTreeMap;
use std::fs;

use crate::fixtures::DIRECTORY;

/// By the numbers of fields from the request on, as `1.2.2.5`: the wire type.
type Form = BTreeMap<String, u64>;

/// What of a request for logs, or metrics, is a message; besides values of attributes, which are in all of them.
const LOG_MESSAGES: &[&str] = &["1", "1.1", "1.1.1", "1.2", "1.2.1", "1.2.2", "1.2.2.6"];
const METRIC_MESSAGES: &[&str] = &[
    "1",
    "1.1",
    "1.1.1",
    "1.2",
    "1.2.1",
    "1.2.2",
    "1.2.2.5",
    "1.2.2.5.1",
    "1.2.2.5.1.7",
    "1.2.2.7",
    "1.2.2.7.1",
    "1.2.2.7.1.7",
    "1.2.2.9",
    "1.2.2.9.1",
    "1.2.2.9.1.9",
];

fn varint(bytes: &mut &[u8]) -> u64 {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
    let (number, rest) = bytes.split_at(end + 1);
    *bytes = rest;
    let digits = number.iter().rev();
    digits.fold(0, |sum, byte| sum << 7 | u64::from(byte & 0x7f))
}

fn read(mut bytes: &[u8], path: &str, messages: &[&str], form: &mut Form) {
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let (number, wire_type) = (tag >> 3, tag & 7);
        let field = if path.is_empty() {
            number.to_string()
        } else {
            format!("{path}.{number}")
        };
        let length = match wire_type {
            0 => {
                varint(&mut bytes);
                0
            }
            1 => 8,
            2 => varint(&mut bytes) as usize,
            5 => 4,
            _ => panic!("{field} has wire type {wire_type}"),
        };
        let (value, rest) = bytes.split_at(length);
        bytes = rest;
        let before = form.insert(field.clone(), wire_type);
        assert!(before.is_none_or(|before| before == wire_type), "{field}");
        if messages.contains(&field.as_str()) {
            read(value, &field, messages, form);
        }
    }
}

fn form(files: &[&str], messages: &[&str]) -> Form {
    let mut form = Form::new();
    for file in files {
        let body = fs::read(format!("{DIRECTORY}/{file}.bin")).unwrap();
        read(&body, "", messages, &mut form);
    }
    form
}

/// What both set has one wire type, and no other fields than these are set by one alone.
fn assert_difference(sdk: &Form, own: &Form, only_sdk: &[&str], only_own: &[&str]) {
    for (field, wire_type) in own {
        let other = sdk.get(field).unwrap_or(wire_type);
        assert_eq!(other, wire_type, "{field}");
    }
    let only = |one: &Form, other: &Form| -> Vec<String> {
        let fields = one.keys().filter(|field| !other.contains_key(*field));
        fields.cloned().collect()
    };
    assert_eq!(only(sdk, own), only_sdk);
    assert_eq!(only(own, sdk), only_own);
}

#[test]
fn logs_have_the_form_of_an_sdk() {
    let sdk = form(&["otlp-sdk/logs"], LOG_MESSAGES);
    let own = form(
        &["golden/otlp/on-demand", "golden/otlp/python-json"],
        LOG_MESSAGES,
    );
    // The scope's version, the batch's id as an attribute of the scope, and how many attributes were dropped.
    let only_own = ["1.2.1.2", "1.2.1.3", "1.2.2.7"];
    assert_difference(&sdk, &own, &[], &only_own);
}

#[test]
fn metrics_have_the_form_of_an_sdk() {
    let sdk = form(&["otlp-sdk/metrics"], METRIC_MESSAGES);
    let own = form(
        &[
            "golden/otlp/metrics-delta",
            "golden/otlp/metrics-cumulative",
        ],
        METRIC_MESSAGES,
    );
    // A description, exemplars, and whole numbers in sums.
    let only_sdk = ["1.2.2.2", "1.2.2.7.1.5", "1.2.2.7.1.6", "1.2.2.9.1.8"];
    // The batch's id, whole numbers in gauges (how many members a set has), and doubles in sums.
    let only_own = ["1.2.1.3", "1.2.2.5.1.6", "1.2.2.7.1.4"];
    assert_difference(&sdk, &own, &only_sdk, &only_own);
}
