//! CloudWatch's Embedded Metric Format: a line that is a JSON object, and says which of its members are metrics.
//!
//! ```text
//! {"_aws": {"CloudWatchMetrics": [{"Namespace": "App", "Dimensions": [["service"]],
//!                                  "Metrics": [{"Name": "Latency", "Unit": "Milliseconds"}]}]},
//!  "service": "checkout", "Latency": [12.5, 14]}
//!      ──▶ Latency {service=checkout, aws.cloudwatch.namespace=App} ms: a histogram gets 12.5 and 14
//! ```
//!
//! As in CloudWatch each dimension set makes a series of its own, and values are kept as count, sum, minimum and maximum: a
//! histogram. `Timestamp` is not read: a line comes within moments, and with times of their own no two would be added up.
//! Names are compared as text: a document with escapes is first brought into one form. Of equal keys the first counts.
//!
//! Without escapes nothing is allocated. What is not as it ought to be makes no measurement and is counted; the rest is taken. Without a
//! `Namespace`, or an array of `Dimensions`, a metric is measured without them.

mod document;
mod unit;
mod values;

use crate::lambda::platform_events::member;
use crate::metric::measurement::Sink;
use crate::text::json::{self, Value};

/// What a document came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Read {
    /// Measurements handed over.
    pub measurements: u32,
    /// Directives, dimension sets, metrics and values that are malformed, or more than the limits allow.
    pub malformed: u32,
}

/// The attribute that holds a metric's namespace.
pub const NAMESPACE: &[u8] = b"aws.cloudwatch.namespace";

/// Hands over the measurements of an EMF document. Their names and attributes are raw string content in its canonical form, so
/// that series are the same if their text is.
pub fn read(object: &[u8], sink: Sink<'_>) -> Read {
    let mut canonical = Vec::new();
    let mut object = object;
    if object.contains(&b'\\') {
        json::append_canonical_strings(&mut canonical, object);
        object = &canonical;
    }
    let Some(metadata) = metadata(object) else {
        return Read::default();
    };
    let directives = match metadata {
        Value::Nested(metadata) => array(metadata, b"CloudWatchMetrics"),
        _ => None,
    };
    match directives {
        Some(directives) => document::read(object, directives, sink),
        None => Read {
            measurements: 0,
            malformed: 1,
        },
    }
}

fn metadata(object: &[u8]) -> Option<Value<'_>> {
    json::members(object, None)
        .find(|member| member.key == b"_aws" && member.complete)
        .map(|member| member.value)
}

/// A member that is a string, and not an empty one.
fn string<'a>(object: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match member(object, name) {
        Some(Value::String(raw)) if !raw.is_empty() => Some(raw),
        _ => None,
    }
}

/// A member that is an array.
fn array<'a>(object: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match member(object, name) {
        Some(Value::Nested(text @ [b'[', ..])) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
