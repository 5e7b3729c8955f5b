//! What can be wrong with a collector, and the words for it on the command line.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::stream::{Endless, Framing, Pace};

/// How the collector treats requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fault {
    /// 200 to everything.
    #[default]
    None,
    /// 200, after this long.
    Slow(Duration),
    /// This status to everything.
    Status(u16),
    /// 503 with `Retry-After` in seconds.
    RetryAfter(u32),
    /// 503 with `Retry-After` as a date, so many seconds from now.
    RetryAt(u32),
    /// 200 with a `partialSuccess` that rejects this many records.
    Partial(u32),
    /// 200 with `Connection: close`, and closes.
    Close,
    /// Nothing listens.
    Refuse,
    /// 413 to a body of more than so many bytes, else 200.
    TooLarge(usize),
    /// 400 to a body that has this text in it, else 200: a strict receiver.
    Strict(String),
    /// Reads the request, then resets the connection.
    Reset,
    /// Reads the request, then never answers.
    Hang,
    /// Answers with bytes that are not HTTP.
    Garbage,
    /// Closes after this many bytes of the body.
    Cut(usize),
    /// This status with a body of so many bytes.
    Body(u16, usize, Framing),
    /// An answer without an end.
    Endless(Endless, Pace),
    /// 413 to more than one record, and 200 to one; each answer's body is so many bytes longer than that of the one before.
    Longer(usize, Framing),
    /// The fault for the first requests, then none.
    First(u32, Box<Fault>),
}

impl Fault {
    /// This fault for the first `requests` requests, then none.
    pub fn first(self, requests: u32) -> Fault {
        Fault::First(requests, Box::new(self))
    }

    /// The fault to apply to one request; counts down a `First`.
    pub(super) fn next(&mut self) -> Fault {
        let Fault::First(left, fault) = self else {
            return self.clone();
        };
        match left {
            0 => Fault::None,
            _ => {
                *left -= 1;
                (**fault).clone()
            }
        }
    }

    /// Whether nothing may listen while this fault holds.
    pub(super) fn refuses(&self) -> bool {
        *self == Fault::Refuse
    }
}

pub const FAULTS: &str = "none, slow:400ms, status:503, status:503*5 (the first five requests; works with all but refuse), \
    retry-after:2, retry-at:2, partial:3, too-large:60000 (413 to more bytes), strict:text (400 to a body with it), close, refuse, reset, hang, garbage, cut:1000, \
    body:200:5000 (or body:200:5000:chunked, body:200:5000:dripped: a byte each millisecond), longer:1:whole (by one byte each), \
    flood:continue (or drip:continue; also blank, fields, field, chunks, body, trailers, extension: without an end)";

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let bad = || format!("{text:?} is no collector fault; one of: {FAULTS}");
        if let Some((fault, times)) = text.rsplit_once('*') {
            let fault: Fault = fault.parse()?;
            let times = times.parse().map_err(|_| bad())?;
            return if fault.refuses() {
                Err(bad())
            } else {
                Ok(fault.first(times))
            };
        }
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        match (name, value) {
            ("none", "") => Ok(Fault::None),
            ("slow", value) => humantime::parse_duration(value)
                .map(Fault::Slow)
                .map_err(|_| bad()),
            ("status", value) => match value.parse() {
                Ok(status @ 200..=599) => Ok(Fault::Status(status)),
                _ => Err(bad()),
            },
            ("retry-after", value) => value.parse().map(Fault::RetryAfter).map_err(|_| bad()),
            ("retry-at", value) => value.parse().map(Fault::RetryAt).map_err(|_| bad()),
            ("body", value) => body(value).ok_or_else(bad),
            ("longer", value) => longer(value).ok_or_else(bad),
            ("flood", value) => endless(value, Pace::Flood).ok_or_else(bad),
            ("drip", value) => endless(value, Pace::Drip).ok_or_else(bad),
            ("partial", value) => value.parse().map(Fault::Partial).map_err(|_| bad()),
            ("cut" | "halfclose", value) => value.parse().map(Fault::Cut).map_err(|_| bad()),
            ("too-large", value) => value.parse().map(Fault::TooLarge).map_err(|_| bad()),
            ("strict", text) if !text.is_empty() => Ok(Fault::Strict(text.into())),
            ("close", "") => Ok(Fault::Close),
            ("refuse", "") => Ok(Fault::Refuse),
            ("reset", "") => Ok(Fault::Reset),
            ("hang", "") => Ok(Fault::Hang),
            ("garbage", "") => Ok(Fault::Garbage),
            _ => Err(bad()),
        }
    }
}

/// `200:5000`, `200:5000:chunked`.
fn body(text: &str) -> Option<Fault> {
    let (status, rest) = text.split_once(':')?;
    let (bytes, framing) = rest.split_once(':').unwrap_or((rest, "whole"));
    let status = status.parse().ok().filter(|s| (200..=599).contains(s))?;
    Some(Fault::Body(
        status,
        bytes.parse().ok()?,
        framing.parse().ok()?,
    ))
}

/// `1:chunked`.
fn longer(text: &str) -> Option<Fault> {
    let (bytes, framing) = text.split_once(':')?;
    Some(Fault::Longer(bytes.parse().ok()?, framing.parse().ok()?))
}

fn endless(text: &str, pace: Pace) -> Option<Fault> {
    Some(Fault::Endless(text.parse().ok()?, pace))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::None => f.write_str("none"),
            Fault::Slow(pause) => write!(f, "slow:{}", humantime::format_duration(*pause)),
            Fault::Status(status) => write!(f, "status:{status}"),
            Fault::RetryAfter(seconds) => write!(f, "retry-after:{seconds}"),
            Fault::RetryAt(seconds) => write!(f, "retry-at:{seconds}"),
            Fault::Body(status, bytes, Framing::Whole) => write!(f, "body:{status}:{bytes}"),
            Fault::Body(status, bytes, framing) => write!(f, "body:{status}:{bytes}:{framing}"),
            Fault::Longer(bytes, framing) => write!(f, "longer:{bytes}:{framing}"),
            Fault::Endless(endless, Pace::Flood) => write!(f, "flood:{endless}"),
            Fault::Endless(endless, Pace::Drip) => write!(f, "drip:{endless}"),
            Fault::Partial(count) => write!(f, "partial:{count}"),
            Fault::TooLarge(bytes) => write!(f, "too-large:{bytes}"),
            Fault::Strict(text) => write!(f, "strict:{text}"),
            Fault::Close => f.write_str("close"),
            Fault::Refuse => f.write_str("refuse"),
            Fault::Reset => f.write_str("reset"),
            Fault::Hang => f.write_str("hang"),
            Fault::Garbage => f.write_str("garbage"),
            Fault::Cut(bytes) => write!(f, "cut:{bytes}"),
            Fault::First(count, fault) => write!(f, "{fault}*{count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_and_written_alike() {
        for text in [
            "none",
            "slow:400ms",
            "status:503",
            "status:503*5",
            "retry-after:2",
            "partial:3",
            "too-large:60000",
            "strict:text",
            "close",
            "refuse",
            "reset",
            "hang",
            "hang*1",
            "garbage",
            "cut:1000",
            "retry-at:2",
            "body:200:5000",
            "body:503:5000:chunked",
            "body:200:5000:dripped*1",
            "longer:1:whole",
            "flood:continue",
            "flood:extension",
            "drip:body",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "slow",
            "slow:x",
            "status:99",
            "status:5o3",
            "refuse*2",
            "nonesuch",
            "hang:1",
            "status:503*",
            "body:5000",
            "body:99:5000",
            "body:200:5000:",
            "longer:1",
            "flood:",
            "drip:hang",
        ] {
            assert!(
                text.parse::<Fault>().unwrap_err().contains("one of"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_first_requests_only() {
        let mut fault = Fault::Status(503).first(2);
        assert_eq!(
            [fault.next(), fault.next(), fault.next()],
            [Fault::Status(503), Fault::Status(503), Fault::None]
        );
    }
}
