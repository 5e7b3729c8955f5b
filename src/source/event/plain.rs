//! The short way for what nearly all events are: a line of the function, text or an object of Lambda's JSON log format, written as
//! Lambda writes it. It is read once, and written once, to where it stays; the record is what the general way makes of it.

mod claim;

use super::members::number as number_of;
use super::*;
use crate::format::Times;
use crate::record::encoder::RecordInPlace;
use crate::sys::scan;
use crate::text::equal::equal;
use claim::{Claim, claim};

/// `{"time":"2026-11-21T20:37:43.578Z","type":"function","record":`.
const PLAIN_FRAME_BYTES: usize = 62;
const PLAIN_TIME_AT: usize = 9;
/// Bytes of a time as Lambda writes it.
const TIME_BYTES: usize = 24;
/// More attributes than this, and an object goes the general way.
const PLAIN_ATTRIBUTES_MAX: usize = 12;

/// What is known of the stream when a line is read.
struct Context<'a> {
    current_id: &'a [u8],
    filter: &'a Filter,
    timestamps: &'a mut timestamp::Reader,
}

/// What was found: how much of the text it was, and what the record says of itself.
struct Found {
    taken: usize,
    severity: u8,
    time_unix_nano: Option<u64>,
}

impl Reader {
    /// Takes the event at the beginning of `bytes`, if it is a plain one. The record is written into `out`. Returns the length of the
    /// event, and of the record; `None`: go the general way.
    #[inline(never)]
    pub fn plain_line(
        &mut self,
        bytes: &[u8],
        received: Wall,
        resource: &Resource,
        out: &mut [u8],
    ) -> Option<(usize, usize)> {
        let (frame, text) = bytes.split_first_chunk()?;
        if !self.filter.function || !is_plain_frame(frame) {
            return None;
        }
        let mut times = Times {
            time_unix_nano: self
                .timestamps
                .parse(frame.get(PLAIN_TIME_AT..PLAIN_TIME_AT + TIME_BYTES)?)?,
            observed_unix_nano: received.unix_nano(),
        };
        let Reader {
            encoder,
            filter,
            current,
            trace,
            coldstart,
            own_timestamps,
            latest_unix_nano,
            ..
        } = self;
        let current_id = current.as_ref().map_or(b"".as_slice(), RequestId::as_bytes);
        let mut head = || Head {
            time_unix_nano: 0,
            observed_unix_nano: 0,
            severity: 0,
            event_type: FUNCTION,
            request_id: current_id,
            trace: trace.as_ref().filter(|_| current.is_some()),
            coldstart: *coldstart,
            resource,
        };
        let mut record = encoder.begin_in_place(&mut head, out)?;
        let mut context = Context {
            current_id,
            filter,
            timestamps: own_timestamps,
        };
        let found = match text {
            [b'"', text @ ..] => context.string(text, &mut record),
            [b'{', text @ ..] => context.object(text, &mut record),
            _ => None,
        }?;
        // Anything else behind the record means that there are other members.
        if text.get(found.taken) != Some(&b'}') {
            return None;
        }
        *latest_unix_nano = times.time_unix_nano;
        times.time_unix_nano = found.time_unix_nano.unwrap_or(times.time_unix_nano);
        Some((
            PLAIN_FRAME_BYTES + found.taken + 1,
            record.end(times, found.severity)?,
        ))
    }
}

impl Context<'_> {
    /// `text`: what begins with the content of a string.
    fn string(&self, text: &[u8], record: &mut RecordInPlace<'_>) -> Option<Found> {
        // A line that is an object may be EMF, or say more of itself.
        if text.first() == Some(&b'{') {
            return None;
        }
        let bytes = record.text(b"", text)?;
        let prefix = text_line::prefix(text.get(..bytes)?, self.current_id);
        let is_current = prefix
            .request_id
            .is_none_or(|id| equal(id, self.current_id));
        (is_current && self.filter.keeps(prefix.severity)).then_some(Found {
            taken: bytes + 2,
            severity: prefix.severity,
            time_unix_nano: None,
        })
    }

    /// `text`: what begins with the first member of an object. Each claim of an object is made at most once, and there is a message.
    #[inline(never)]
    fn object(&mut self, text: &[u8], record: &mut RecordInPlace<'_>) -> Option<Found> {
        let mut found = Found {
            taken: 0,
            severity: 0,
            time_unix_nano: None,
        };
        let (mut has_message, mut has_id) = (false, false);
        let mut keys = [b"".as_slice(); PLAIN_ATTRIBUTES_MAX];
        let mut attributes = 0;
        let mut rest = text;
        loop {
            let (key, value) = key(rest)?;
            let claim = claim(key);
            let is_second = match claim {
                Claim::Level => found.severity != 0,
                Claim::Time => found.time_unix_nano.is_some(),
                Claim::Message => core::mem::replace(&mut has_message, true),
                Claim::RequestId => core::mem::replace(&mut has_id, true),
                Claim::Nothing => {
                    let (before, places) = keys.split_at_mut_checked(attributes)?;
                    *places.first_mut()? = key;
                    attributes += 1;
                    before.iter().any(|before| equal(before, key))
                }
                Claim::Unusual => true,
            };
            if is_second {
                return None;
            }
            rest = match value {
                [b'"', text @ ..] => {
                    let bytes = match claim {
                        Claim::Level => {
                            let bytes = scan::plain_bytes(text)?;
                            found.severity = severity::of_word(text.get(..bytes)?);
                            (found.severity != 0).then_some(bytes)
                        }
                        Claim::Time => {
                            found.time_unix_nano = Some(self.time(text)?);
                            Some(TIME_BYTES)
                        }
                        Claim::Message => record.text(b"", text),
                        Claim::RequestId => {
                            let id = text.get(..self.current_id.len())?;
                            let is_current = !id.is_empty() && equal(id, self.current_id);
                            is_current.then_some(id.len())
                        }
                        Claim::Nothing | Claim::Unusual => record.text(key, text),
                    }?;
                    let [b'"', behind @ ..] = text.get(bytes..)? else {
                        return None;
                    };
                    behind
                }
                // What claims something should be a text.
                _ if claim != Claim::Nothing => return None,
                _ => scalar(key, value, record)?,
            };
            match rest {
                [b',', behind @ ..] => rest = behind.strip_prefix(b" ").unwrap_or(behind),
                [b'}', behind @ ..] => {
                    found.taken = 1 + text.len() - behind.len();
                    return (has_message && self.filter.keeps(found.severity)).then_some(found);
                }
                _ => return None,
            }
        }
    }

    /// A time as Lambda writes it, that a string's content begins with, and its quote.
    fn time(&mut self, text: &[u8]) -> Option<u64> {
        match text.get(..=TIME_BYTES)? {
            [time @ .., b'"'] if time.last() == Some(&b'Z') && time.get(19) == Some(&b'.') => {
                self.timestamps.parse(time)
            }
            _ => None,
        }
    }
}

/// A member whose value is a number, a boolean or nothing. Returns what is behind it.
fn scalar<'a>(key: &[u8], value: &'a [u8], record: &mut RecordInPlace<'_>) -> Option<&'a [u8]> {
    if let [b'-' | b'0'..=b'9', ..] = value {
        let mut bytes = value.iter();
        let end = bytes.position(|byte| matches!(byte, b',' | b'}' | b' '))?;
        let (digits, behind) = value.split_at_checked(end)?;
        record.scalar(key, &number_of(digits))?;
        return Some(behind);
    }
    let (word, behind) = value.split_first_chunk()?;
    // Compared as numbers, not byte by byte.
    let word = u32::from_le_bytes(*word);
    if word == u32::from_le_bytes(*b"true") {
        record.scalar(key, &Text::Boolean(true))?;
    } else if word == u32::from_le_bytes(*b"fals") {
        record.scalar(key, &Text::Boolean(false))?;
        return behind.strip_prefix(b"e");
    } else if word != u32::from_le_bytes(*b"null") {
        // An attribute without a value does not exist in OTLP, but anything else is unusual.
        return None;
    }
    Some(behind)
}

/// The key that a member begins with, and what is behind its colon.
fn key(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let [b'"', text @ ..] = text else {
        return None;
    };
    let (key, behind) = text.split_at_checked(scan::plain_bytes(text)?)?;
    match behind {
        [b'"', b':', b' ', value @ ..] | [b'"', b':', value @ ..] => Some((key, value)),
        _ => None,
    }
}

/// What stands around the time, in words, some of which overlap: compared one by one, without a loop.
fn is_plain_frame(frame: &[u8; PLAIN_FRAME_BYTES]) -> bool {
    let is = |at: usize, word: &[u8; 8]| {
        let found = frame.get(at..).and_then(<[u8]>::first_chunk);
        found.is_some_and(|found| u64::from_le_bytes(*found) == u64::from_le_bytes(*word))
    };
    is(0, b"{\"time\":")
        && is(1, b"\"time\":\"")
        && is(33, b"\",\"type\"")
        && is(41, b":\"functi")
        && is(49, b"on\",\"rec")
        && is(54, b"record\":")
}
