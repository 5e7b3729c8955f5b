//! kinglet's own record of what it has lost.

use crate::clock::Clocks;
use crate::format::resource::Resource;
use crate::format::severity;
use crate::format::{Format, Head, Value};
use crate::queue::ledger::Losses;
use crate::record::encoder::Encoder;
use crate::text::decimal;

/// Appends the record of what was lost since the last one that a collector took.
pub fn record(
    out: &mut Vec<u8>,
    format: &'static dyn Format,
    resource: &Resource,
    losses: Losses,
    created: Clocks,
) {
    let now = created.wall.unix_nano();
    let head = Head {
        time_unix_nano: now,
        observed_unix_nano: now,
        severity: severity::WARN,
        event_type: b"kinglet.loss",
        request_id: b"",
        trace: None,
        coldstart: false,
        resource,
    };
    let mut body = Vec::from(b"kinglet has lost ".as_slice());
    decimal::push(&mut body, losses.total());
    body.extend_from_slice(b" telemetry events");
    let mut encoder = Encoder::new(format, usize::MAX);
    encoder.begin(&head, &Value::Raw(&body));
    for (key, value) in [
        (b"evicted".as_slice(), losses.evicted),
        (b"rejected", losses.rejected),
        (b"malformed", losses.malformed),
    ] {
        let mut text = Vec::new();
        decimal::push(&mut text, value);
        encoder.attribute(key, &Value::Integer(&text));
    }
    out.extend_from_slice(encoder.finish(&head));
}
