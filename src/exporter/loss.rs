//! kinglet's own record of what it has lost.

use crate::clock::Clocks;
use crate::ledger::Losses;
use crate::record::{Head, Kind, Record, Writer};
use crate::{decimal, severity};

/// The record of what was lost since the last one that a collector took.
pub fn record(writer: &mut Writer, losses: Losses, created: Clocks) -> Option<Record<'_>> {
    writer.begin(&Head {
        time_unix_nano: created.wall.0.saturating_mul(1_000_000),
        severity: severity::WARN,
        event_type: b"kinglet.loss",
        request_id: b"",
        trace: None,
        coldstart: false,
    });
    let body = writer.body();
    body.extend_from_slice(b"kinglet has lost ");
    decimal::push(body, losses.total());
    body.extend_from_slice(b" telemetry events");
    writer.end_body(0);
    for (key, value) in [
        (b"evicted".as_slice(), losses.evicted),
        (b"rejected", losses.rejected),
        (b"malformed", losses.malformed),
    ] {
        let mut text = Vec::new();
        decimal::push(&mut text, value);
        writer.attribute(Kind::Integer, key, &text);
    }
    Record::read(writer.finish())
}
