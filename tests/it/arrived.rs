//! What a collector has got, as the tests look at it.

use kinglet_sandbox::{Collector, Record};
use serde_json::Value;

/// `count` different lines; `name` keeps them apart from those of other invocations.
pub fn lines(name: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{name} line {number:05}"))
        .collect()
}

/// The Telemetry API's event type that a record came from. A plain line of the function is the rule, and does not say so.
pub fn event_type(record: &Record) -> &str {
    let told = record
        .attribute("aws.lambda.event.type")
        .or(record.attribute("type"));
    told.and_then(Value::as_str).unwrap_or("function")
}

/// The records of this event type, in the order of arrival.
pub fn of_type(collector: &Collector, wanted: &str) -> Vec<Record> {
    let mut records = collector.logs();
    records.retain(|record| event_type(record) == wanted);
    records
}

/// The function's lines, in the order of arrival.
pub fn function_lines(collector: &Collector) -> Vec<String> {
    of_type(collector, "function")
        .iter()
        .map(Record::text)
        .collect()
}

/// Records that stand for a telemetry event: all but kinglet's own.
pub fn events(collector: &Collector) -> u64 {
    let own = |record: &&Record| event_type(record) != "kinglet.loss";
    collector.logs().iter().filter(own).count() as u64
}

/// What all loss records say together: evicted, rejected, malformed.
pub fn told_losses(collector: &Collector) -> [u64; 3] {
    let losses = of_type(collector, "kinglet.loss");
    ["evicted", "rejected", "malformed"].map(|name| {
        let told = losses
            .iter()
            .map(|record| record.attribute(name).and_then(Value::as_u64));
        told.map(|count| count.expect("a loss record tells all three"))
            .sum()
    })
}
