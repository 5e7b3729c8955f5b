//! 64-bit integers in OTLP's JSON.

use serde::{Deserialize, Deserializer};

/// A 64-bit integer: a number, or by protobuf's JSON mapping a string.
#[derive(Deserialize)]
#[serde(
    untagged,
    bound = "W: Deserialize<'de> + std::str::FromStr, W::Err: std::fmt::Display"
)]
pub enum Whole<W> {
    Number(W),
    #[serde(deserialize_with = "digits")]
    Digits(W),
}

impl<W> Whole<W> {
    pub fn value(self) -> W {
        match self {
            Whole::Number(value) | Whole::Digits(value) => value,
        }
    }
}

fn digits<'de, D, W>(deserializer: D) -> Result<W, D::Error>
where
    D: Deserializer<'de>,
    W: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}

/// A time is a string; strict receivers refuse numbers.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    digits(deserializer)
}
