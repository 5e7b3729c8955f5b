//! What a collector's answer means for the batch that it answers: status and body in, a [`Judgement`] out.

use crate::lambda::platform_events;
use crate::text::decimal;
use crate::text::json::{self, Value};

/// What an answer means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// All is taken, but so many that were rejected.
    Taken { rejected: u64 },
    /// So many are taken, the first ones; the next is rejected, and those behind it are to be sent again.
    TakenUpTo(u64),
    /// Not now: the breaker opens.
    Later,
    /// Too large: send less.
    TooLarge,
    /// Something in it is wrong: narrow it down.
    Invalid,
    /// Not here, not so, not ever.
    Rejected,
}

impl Judgement {
    /// OTLP/HTTP specification, "Failures" and "Retryable Response Codes"; 408 by RFC 9110.
    #[must_use]
    pub fn of(status: u16, body: &[u8]) -> Judgement {
        match status {
            200..=299 => Judgement::Taken {
                rejected: partial_rejections(body),
            },
            408 | 429 | 502 | 503 | 504 => Judgement::Later,
            413 => Judgement::TooLarge,
            400 => Judgement::Invalid,
            _ => Judgement::Rejected,
        }
    }
}

/// How many items a `partialSuccess` says were rejected, in whichever form OTLP has it; 0 if it cannot be read. An answer that is
/// cut off, since it is longer than what is read of one, tells it all the same: the long part is a text behind it.
fn partial_rejections(body: &[u8]) -> u64 {
    // Text of JSON, which may begin with white space as a message does, says nothing in protobuf: a number's tag is no character of it.
    match in_protobuf(body) {
        0 => in_json(body),
        rejected => rejected,
    }
}

/// `rejectedLogRecords` or `rejectedDataPoints`: a number, or by protobuf's JSON mapping a string.
fn in_json(body: &[u8]) -> u64 {
    let member = |path: &[u8]| platform_events::member(body, path);
    let rejected = member(b"partialSuccess/rejectedLogRecords")
        .or_else(|| member(b"partialSuccess/rejectedDataPoints"));
    match rejected {
        Some(Value::Number(text)) => json::integer(text).unwrap_or(0),
        Some(Value::String(raw)) => decimal::parse(raw).unwrap_or(0),
        _ => 0,
    }
}

/// `partial_success` is field 1 of every `Export…ServiceResponse`, and the number field 1 of it. Of several the last one counts.
fn in_protobuf(mut body: &[u8]) -> u64 {
    let mut rejected = 0;
    while let Some((tag, mut message)) = field(&mut body) {
        while tag == 0x0a
            && let Some((tag, mut content)) = field(&mut message)
        {
            if tag == 0x08 {
                rejected = varint(&mut content).unwrap_or(0);
            }
        }
    }
    // A negative one is none.
    if rejected >> 63 == 0 { rejected } else { 0 }
}

/// Takes a field of a message: its tag, and its content, without a length, as far as it is there. `None`: the message has ended, or
/// is damaged.
fn field<'a>(message: &mut &'a [u8]) -> Option<(u64, &'a [u8])> {
    let tag = varint(message)?;
    let start = *message;
    let bytes = match tag & 7 {
        0 => {
            varint(message)?;
            return Some((tag, start));
        }
        1 => 8,
        2 => varint(message)?,
        5 => 4,
        _ => return None,
    };
    let rest = *message;
    let parts = rest.split_at_checked(usize::try_from(bytes).ok()?);
    let (content, behind) = parts.unwrap_or((rest, b""));
    *message = behind;
    Some((tag, content))
}

/// At most ten bytes, as every decoder takes it.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 127) << (7 * place);
        if byte & 128 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests;
