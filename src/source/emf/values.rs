//! The values of a metric: a number, an array of numbers, or a summary of many values.
//!
//! | form | who writes it |
//! |---|---|
//! | `12.5`, `[12.5, 14]` | the specification, and most |
//! | `{"Values": [12.5, 14], "Counts": [1, 3]}` | AWS's libraries for Java and Rust; CloudWatch takes it, though the specification does not say so |
//! | `{"Min": 1, "Max": 9, "Sum": 30, "Count": 6}` | OpenTelemetry's EMF exporter; as above |

use crate::lambda::platform_events::member;
use crate::limits::EMF_VALUES_MAX;
use crate::text::double;
use crate::text::json::{self, Value, items};

/// Takes a value and how many times it was seen; `None` for one that is malformed or too many.
pub type Take<'t> = &'t mut dyn FnMut(Option<(f64, u64)>);

/// Hands over each value of a metric.
pub fn each(value: Option<Value<'_>>, take: Take<'_>) {
    let Some(Value::Nested(text)) = value else {
        return take(value.and_then(number).map(|value| (value, 1)));
    };
    let inner = |name| match member(text, name) {
        Some(Value::Nested(array)) => array,
        _ => b"",
    };
    let (values, counts) = match text {
        [b'[', ..] => (text, &b""[..]),
        _ => (inner(b"Values"), inner(b"Counts")),
    };
    if values.is_empty() {
        return summary(text, take);
    }
    let mut counts_left = items(counts);
    for (place, value) in items(values).enumerate() {
        let count = match counts {
            b"" => Some(1),
            _ => counts_left.next().and_then(times),
        };
        take(number(value).zip(count).filter(|_| place < EMF_VALUES_MAX));
    }
}

/// Values that have the same count, sum, minimum and maximum: the minimum and the maximum, and the mean of the others.
fn summary(text: &[u8], take: Take<'_>) {
    let statistic = |name| member(text, name).and_then(number);
    let count = member(text, b"Count").and_then(times);
    let (Some(min), Some(max), Some(sum), Some(count)) = (
        statistic(b"Min"),
        statistic(b"Max"),
        statistic(b"Sum"),
        count,
    ) else {
        return take(None);
    };
    take(Some((min, 1)));
    if count > 1 {
        take(Some((max, 1)));
    }
    if count > 2 {
        let mean = (sum - min - max) / (count - 2) as f64;
        // Rounding has led it out, or the sum is wrong.
        let mean = if mean < max { mean } else { max };
        let mean = if mean > min { mean } else { min };
        take(Some((mean, count - 2)));
    }
}

/// A number that is neither too large for a double nor text.
fn number(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Number(text) => double::parse(text).filter(|number| number.is_finite()),
        _ => None,
    }
}

fn times(count: Value<'_>) -> Option<u64> {
    json::integer(json::text(&count)).filter(|times| *times > 0)
}
