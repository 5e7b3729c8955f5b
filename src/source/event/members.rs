//! Members of an object as attributes.

use super::Reader;
use super::claims::Claims;
use crate::format::Value as Text;
use crate::text::decimal;
use crate::text::json::{self, Value};

impl Reader {
    /// Top-level members to attributes: scalars as they are, nested values as their JSON text. Those that have found a
    /// place in the record's own fields are left out.
    pub(super) fn attributes(
        &mut self,
        object: &[u8],
        claims: Option<&Claims<'_>>,
        skipped: &[&[u8]],
    ) {
        let mut room = Vec::new();
        for member in json::members(object, None) {
            let key = json::canonical(member.key, &mut room);
            let is_claimed = claims.is_some_and(|claims| claims.contain(key, &member));
            if is_claimed || !member.complete || skipped.contains(&key) {
                continue;
            }
            let value = match member.value {
                Value::Number(text) => number(text),
                Value::True => Text::Boolean(true),
                Value::False => Text::Boolean(false),
                // An attribute without a value does not exist in OTLP.
                Value::Null => continue,
                Value::String(text) => Text::Raw(text),
                Value::Nested(text) => Text::Text(text),
            };
            self.encoder.attribute(key, &value);
        }
    }
}

/// How a JSON number is shipped. One that no double holds, or that is no number at all, is shipped as text.
pub(super) fn number(text: &[u8]) -> Text<'_> {
    if !json::number_is_valid(text) {
        return Text::Raw(text);
    }
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    // A reader may take `-0` for a double.
    if digits.iter().all(u8::is_ascii_digit) && text != b"-0" {
        // Up to 18 digits are surely within 64 bits; a longer integer would lose digits as a double.
        return if digits.len() <= 18 {
            Text::Integer(text)
        } else {
            Text::Raw(text)
        };
    }
    let exponent = text
        .iter()
        .position(|byte| matches!(byte, b'e' | b'E'))
        .and_then(|at| text.get(at + 1..));
    // A double holds 1e308: with so many digits and such an exponent a number is surely below that.
    let is_moderate = exponent.is_none_or(|exponent| {
        let digits = exponent
            .strip_prefix(b"-")
            .or(exponent.strip_prefix(b"+"))
            .unwrap_or(exponent);
        decimal::parse(digits).is_some_and(|value| value <= 250)
    });
    if text.len() <= 48 && is_moderate {
        Text::Double(text)
    } else {
        Text::Raw(text)
    }
}
