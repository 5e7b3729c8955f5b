//! Newline-delimited JSON: one object a record, for anything that takes rows (ClickHouse, VictoriaLogs, a script).
//!
//! Keys: `time` (RFC 3339), `severity`, `request_id`, `type`, `body`, `attributes`; what is not known is left out.

use super::{Format, push};
use crate::record::{Kind, Record};
use crate::resource::Resource;
use crate::{severity, timestamp};

pub struct NdJson;

impl Format for NdJson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn content_type(&self) -> &'static str {
        "application/x-ndjson"
    }

    /// The endpoint is the whole URL.
    fn path(&self) -> &'static str {
        ""
    }

    fn begin(&self, _out: &mut Vec<u8>, _resource: &Resource) {}

    fn record(&self, out: &mut Vec<u8>, record: &Record<'_>, _is_first: bool) {
        let head = &record.head;
        push(out, &[b"{\"time\":\""]);
        timestamp::push(out, head.time_unix_nano);
        for (name, value) in [
            (b"severity".as_slice(), severity::name(head.severity)),
            (b"request_id", head.request_id),
            (b"type", head.event_type),
        ] {
            if !value.is_empty() {
                push(out, &[b"\",\"", name, b"\":\"", value]);
            }
        }
        push(
            out,
            &[b"\",\"body\":\"", record.body, b"\",\"attributes\":{"],
        );
        for (position, each) in record.attributes().enumerate() {
            let quote: &[u8] = if each.kind == Kind::String {
                b"\""
            } else {
                b""
            };
            let comma: &[u8] = if position == 0 { b"" } else { b"," };
            push(
                out,
                &[comma, b"\"", each.key, b"\":", quote, each.value, quote],
            );
        }
        push(out, &[b"}}\n"]);
    }

    fn end(&self, _out: &mut Vec<u8>, _batch_id: &[u8]) {}
}
