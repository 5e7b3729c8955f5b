//! What a record that is an object says of itself: level, request id, time and message.

use crate::format::severity;
use crate::lambda::request_id::RequestId;
use crate::text::json::{self, Member, Value};
use crate::text::timestamp;

pub(super) const LEVEL: &[u8] = b"level";
pub(super) const TIMESTAMP: &[u8] = b"timestamp";
pub(super) const MESSAGE: &[u8] = b"message";
/// The members that name an invocation, the first of them first: Lambda's, Powertools', and the Java logger's.
pub(super) const REQUEST_ID: [&[u8]; 3] = [b"requestId", b"function_request_id", b"AWSRequestId"];

/// What an object record says of itself.
#[derive(Default)]
pub(super) struct Claims<'a> {
    pub(super) severity: u8,
    pub(super) request_id: Option<&'a [u8]>,
    pub(super) time_unix_nano: Option<u64>,
    pub(super) message: Option<(&'a [u8], bool)>,
    pub(super) is_emf: bool,
}

impl<'a> Claims<'a> {
    /// Whether a member, whose key in its canonical form is `key`, has found its place in the record's own fields.
    pub(super) fn contain(&self, key: &[u8], member: &Member<'a>) -> bool {
        let is = |claimed: Option<&[u8]>| match (claimed, member.value) {
            (Some(claimed), Value::String(raw)) => core::ptr::eq(claimed, raw),
            _ => false,
        };
        if key == LEVEL {
            level(member) != 0
        } else if key == TIMESTAMP {
            self.time_unix_nano.is_some() || time(member).is_some()
        } else if key == MESSAGE {
            is(self.message.map(|(message, _)| message))
        } else {
            REQUEST_ID.contains(&key) && is(self.request_id)
        }
    }
}

/// Level, request id, time and message of an object record (or of a line that is one).
#[inline(never)]
pub(super) fn claims(object: &[u8]) -> Claims<'_> {
    let mut claims = Claims::default();
    let mut best = REQUEST_ID.len();
    let mut room = Vec::new();
    for member in json::members(object, None) {
        let key = json::canonical(member.key, &mut room);
        let rank = REQUEST_ID.iter().position(|known| *known == key);
        if key == LEVEL {
            claims.severity = Some(level(&member))
                .filter(|level| *level != 0)
                .unwrap_or(claims.severity);
        } else if key == TIMESTAMP {
            claims.time_unix_nano = time(&member).and_then(|(time, fine)| fine.then_some(time));
        } else if key == b"_aws" {
            claims.is_emf = true;
        } else if let Value::String(raw) = member.value {
            if key == MESSAGE {
                claims.message = Some((raw, member.complete));
            } else if let Some(rank) = rank
                && rank < best
                && RequestId::new(raw).is_some()
            {
                best = rank;
                claims.request_id = Some(raw);
            }
        }
    }
    claims
}

pub(super) fn level(member: &Member<'_>) -> u8 {
    match member.value {
        Value::String(word) => severity::of_word(word),
        Value::Number(number) => json::integer(number).map_or(0, severity::of_number),
        _ => 0,
    }
}

/// The time of a record's own `timestamp`, and whether it is finer than a second: a coarse one would lose the order
/// that the event's time keeps.
pub(super) fn time(member: &Member<'_>) -> Option<(u64, bool)> {
    match member.value {
        Value::String(raw) => timestamp::parse(raw),
        _ => None,
    }
}
