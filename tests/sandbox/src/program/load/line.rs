//! The lines of a load.

use std::fmt::Write;

use clap::ValueEnum;
use serde::Serialize;

/// What the function writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Lines {
    /// Text, as a managed runtime writes it.
    Text,
    /// Objects of five members, as Lambda's JSON log format has them.
    Objects,
    /// Objects of seven members, a double and a boolean among them.
    Wide,
}

impl Lines {
    /// Line `number` as it is written, and the text of the record that it becomes.
    pub(crate) fn line(self, number: usize, request_id: &str) -> (String, String) {
        let (seconds, millis) = (number / 1000 % 60, number % 1000);
        let more = match self {
            Lines::Text => {
                let line = line(number, request_id);
                return (line.clone(), line);
            }
            Lines::Objects => String::new(),
            Lines::Wide => format!(
                r#","duration":{}.25,"cached":{}"#,
                number % 100,
                number.is_multiple_of(2)
            ),
        };
        let message = message(number);
        let line = format!(
            r#"{{"timestamp":"2026-11-21T09:15:{seconds:02}.{millis:03}Z","level":"INFO","message":{},"requestId":"{request_id}","logger":"shop.orders"{more}}}"#,
            serde_json::Value::from(message.as_str())
        );
        (line, message)
    }
}

const WORDS: [&str; 8] = [
    "order", "stored", "item", "customer", "queue", "retry", "shipped", "priced",
];

/// Line `number`: 120 to 200 bytes, as a managed runtime writes them, and unlike any other.
pub(crate) fn line(number: usize, request_id: &str) -> String {
    let (seconds, millis) = (number / 1000 % 60, number % 1000);
    let message = message(number);
    format!("2026-11-21T09:15:{seconds:02}.{millis:03}Z\t{request_id}\tINFO\t{message}")
}

fn message(number: usize) -> String {
    let mut message = format!("line {number:08}");
    let mut mixed = number.wrapping_mul(0x9E37_79B9);
    for _ in 0..4 + number % 8 {
        message.push(' ');
        message.push_str(WORDS[(mixed >> 5) % WORDS.len()]);
        mixed = mixed.wrapping_mul(31).wrapping_add(7);
    }
    write!(message, " \"id\"={:x} done", mixed & 0xFFFF).expect("writing to memory");
    message
}
