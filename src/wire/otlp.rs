//! OTLP/HTTP with JSON: `ExportLogsServiceRequest` in protobuf's JSON mapping, with trace and span ids in hexadecimal as OTLP
//! prescribes (opentelemetry-proto 1.x, "JSON Protobuf Encoding").
//!
//! Times are strings. Integers are JSON numbers while every receiver reads them exactly (below 2⁵³), strings above.

use super::{Format, push};
use crate::decimal;
use crate::record::{Attribute, Kind, Record};
use crate::resource::Resource;
use crate::severity;

pub struct Otlp;

impl Format for Otlp {
    fn name(&self) -> &'static str {
        "otlp"
    }

    fn content_type(&self) -> &'static str {
        "application/json"
    }

    fn path(&self) -> &'static str {
        "/v1/logs"
    }

    fn begin(&self, out: &mut Vec<u8>, resource: &Resource) {
        push(
            out,
            &[b"{\"resourceLogs\":[{\"resource\":{\"attributes\":["],
        );
        for (position, entry) in resource.entries().iter().enumerate() {
            let kind = if entry.is_integer {
                Kind::Integer
            } else {
                Kind::String
            };
            let (key, value) = (entry.key.as_slice(), entry.value.as_slice());
            attribute(out, &Attribute { kind, key, value }, position == 0);
        }
        push(out, &[b"]},\"scopeLogs\":[{\"logRecords\":["]);
    }

    fn record(&self, out: &mut Vec<u8>, record: &Record<'_>, is_first: bool) {
        let head = &record.head;
        push(
            out,
            &[if is_first { b"" } else { b"," }, b"{\"timeUnixNano\":\""],
        );
        decimal::push(out, head.time_unix_nano);
        if head.severity > 0 {
            push(out, &[b"\",\"severityNumber\":"]);
            decimal::push(out, u64::from(head.severity));
            push(
                out,
                &[b",\"severityText\":\"", severity::name(head.severity)],
            );
        }
        push(
            out,
            &[
                b"\",\"body\":{\"stringValue\":\"",
                record.body,
                b"\"},\"attributes\":[",
            ],
        );
        string(out, b"aws.lambda.event.type", head.event_type, true);
        if !head.request_id.is_empty() {
            string(out, b"faas.invocation_id", head.request_id, false);
        }
        let boolean = Attribute {
            kind: Kind::Boolean,
            key: b"faas.coldstart",
            value: b"true",
        };
        if head.coldstart {
            attribute(out, &boolean, false);
        }
        if record.original_bytes > 0 {
            push(
                out,
                &[b",{\"key\":\"kinglet.original_bytes\",\"value\":{\"intValue\":"],
            );
            decimal::push(out, u64::from(record.original_bytes));
            push(out, &[b"}}"]);
        }
        for each in record.attributes().filter(|each| !is_own(each.key)) {
            attribute(out, &each, false);
        }
        out.push(b']');
        if record.dropped_attributes > 0 {
            push(out, &[b",\"droppedAttributesCount\":"]);
            decimal::push(out, u64::from(record.dropped_attributes));
        }
        if let Some(trace) = &head.trace {
            push(out, &[b",\"traceId\":\""]);
            decimal::push_hex(out, &trace.trace_id);
            if trace.span_id != [0; 8] {
                push(out, &[b"\",\"spanId\":\""]);
                decimal::push_hex(out, &trace.span_id);
            }
            push(
                out,
                &[if trace.sampled {
                    b"\",\"flags\":1"
                } else {
                    b"\",\"flags\":0"
                }],
            );
        }
        out.push(b'}');
    }

    fn end(&self, out: &mut Vec<u8>, batch_id: &[u8]) {
        let scope: &[&[u8]] = &[
            b"],\"scope\":{\"name\":\"kinglet\",\"version\":\"",
            crate::VERSION.as_bytes(),
            b"\",\"attributes\":[{\"key\":\"kinglet.batch.id\",\"value\":{\"stringValue\":\"",
            batch_id,
            b"\"}}]}}]}]}",
        ];
        push(out, scope);
    }
}

/// The names that kinglet gives; keys must be unique, so a function's own of these is left out.
fn is_own(key: &[u8]) -> bool {
    matches!(
        key,
        b"aws.lambda.event.type"
            | b"faas.invocation_id"
            | b"faas.coldstart"
            | b"kinglet.original_bytes"
    )
}

fn string(out: &mut Vec<u8>, key: &[u8], value: &[u8], is_first: bool) {
    attribute(
        out,
        &Attribute {
            kind: Kind::String,
            key,
            value,
        },
        is_first,
    );
}

fn attribute(out: &mut Vec<u8>, attribute: &Attribute<'_>, is_first: bool) {
    let comma: &[u8] = if is_first { b"" } else { b"," };
    push(
        out,
        &[comma, b"{\"key\":\"", attribute.key, b"\",\"value\":{\""],
    );
    // 15 digits are below 2⁵³.
    let digits = attribute
        .value
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .count();
    let (name, quote): (&[u8], &[u8]) = match attribute.kind {
        Kind::String => (b"stringValue\":", b"\""),
        Kind::Integer if digits > 15 => (b"intValue\":", b"\""),
        Kind::Integer => (b"intValue\":", b""),
        Kind::Double => (b"doubleValue\":", b""),
        Kind::Boolean => (b"boolValue\":", b""),
    };
    push(out, &[name, quote, attribute.value, quote, b"}}"]);
}
