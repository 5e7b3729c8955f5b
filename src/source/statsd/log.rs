//! Events and service checks of DogStatsD: from their lines to log records.
//!
//! | in the line | in the record |
//! |---|---|
//! | `_e`, `_sc` | the event type: `statsd.event`, `statsd.service_check` |
//! | title and text of an event | the body, one below the other |
//! | `m:` of a check | the body; without it, name and status |
//! | `d:`, in seconds | the time; without it, now |
//! | `t:` of an event | severity ERROR for `error`, WARN for `warning`, else INFO; `statsd.event.alert_type` |
//! | `p:`, `k:`, `s:` of an event | `statsd.event.priority`, `.aggregation_key`, `.source_type` |
//! | name and status of a check | `statsd.service_check.name`, `.status`; severity INFO for 0, ERROR for 2, else WARN |
//! | `h:` | `host.name` |
//! | tags | attributes of their own names |

use crate::format::severity;
use crate::format::{Head, Value};
use crate::record::encoder::Encoder;
use crate::text::delimited::parts;
use crate::text::json;

use super::{cut, tags, unix_nano};

/// An event or a service check, as it stands in its line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Log<'a> {
    /// 0: now.
    pub time_unix_nano: u64,
    /// OpenTelemetry's severity number.
    pub severity: u8,
    /// Title of the event, or name of the check.
    pub title: &'a [u8],
    /// Text of the event, or message of the check. A line break is `\n`, two characters.
    pub text: &'a [u8],
    /// The digit of a service check, `0` to `3`. Events have none.
    pub status: Option<u8>,
    /// What follows, from its first bar.
    parts: &'a [u8],
}

const HOST: (u8, &[u8]) = (b'h', b"host.name");
const CHECK_ATTRIBUTES: [(u8, &[u8]); 1] = [HOST];
const EVENT_ATTRIBUTES: [(u8, &[u8]); 5] = [
    HOST,
    (b't', b"statsd.event.alert_type"),
    (b'p', b"statsd.event.priority"),
    (b'k', b"statsd.event.aggregation_key"),
    (b's', b"statsd.event.source_type"),
];

impl<'a> Log<'a> {
    /// Reads the line of an event or a service check. A time that is none is passed over: what was said is worth more.
    pub(super) fn read(line: &'a [u8]) -> Option<Log<'a>> {
        let mut log = match line.strip_prefix(b"_sc|") {
            Some(check) => service_check(check)?,
            None => event(line.strip_prefix(b"_e{")?)?,
        };
        let is_check = log.status.is_some();
        let mut rest = log.parts;
        // From a message to the end of the line: a bar in it is not escaped, so what is no part belongs to it.
        let mut message: Option<&[u8]> = None;
        while let Some(behind) = rest.strip_prefix(b"|") {
            let end = behind.iter().position(|byte| *byte == b'|');
            let (part, after) = behind.split_at_checked(end.unwrap_or(behind.len()))?;
            rest = after;
            match part {
                [b'm', b':', text @ ..] if is_check => {
                    log.text = text;
                    message = behind.get(2..);
                    continue;
                }
                [b'd', b':', seconds @ ..] => log.time_unix_nano = unix_nano(seconds).unwrap_or(0),
                [b't', b':', alert @ ..] if !is_check => {
                    log.severity = match alert {
                        b"error" => severity::ERROR,
                        b"warning" => severity::WARN,
                        _ => severity::INFO,
                    };
                }
                [b'#', ..]
                | [b'h' | b'c' | b'e', b':', ..]
                | [b'c', b'a', b'r', b'd', b':', ..] => {}
                _ => {
                    if let Some(message) = message {
                        let bytes = message.len().saturating_sub(after.len());
                        log.text = message.get(..bytes).unwrap_or(message);
                    }
                    continue;
                }
            }
            message = None;
        }
        Some(log)
    }
}

/// Reads an event behind `_e{`. Both lengths must be true: they are those of the escaped text in UTF-8.
fn event(line: &[u8]) -> Option<Log<'_>> {
    let (title_bytes, rest) = length(line, b',')?;
    let (text_bytes, rest) = length(rest, b'}')?;
    let (title, rest) = rest.strip_prefix(b":")?.split_at_checked(title_bytes)?;
    let (text, parts) = rest.strip_prefix(b"|")?.split_at_checked(text_bytes)?;
    let is_true = !title.is_empty() && matches!(parts, [] | [b'|', ..]);
    is_true.then_some(Log {
        time_unix_nano: 0,
        severity: severity::INFO,
        title,
        text,
        status: None,
        parts,
    })
}

fn length(text: &[u8], delimiter: u8) -> Option<(usize, &[u8])> {
    let (digits, rest) = cut(text, delimiter)?;
    let length = crate::text::decimal::parse(digits)?.try_into().ok()?;
    Some((length, rest))
}

/// Reads a service check behind `_sc|`.
fn service_check(line: &[u8]) -> Option<Log<'_>> {
    let (title, rest) = cut(line, b'|')?;
    let [status @ b'0'..=b'3', parts @ ..] = rest else {
        return None;
    };
    let is_true = !title.is_empty() && matches!(parts, [] | [b'|', ..]);
    is_true.then_some(Log {
        time_unix_nano: 0,
        severity: match status {
            b'0' => severity::INFO,
            b'2' => severity::ERROR,
            _ => severity::WARN,
        },
        title,
        text: b"",
        status: Some(*status),
        parts,
    })
}

/// Encodes the record of an event or a service check. `head`: what a record of now has besides.
pub fn write<'e>(log: &Log<'_>, head: &Head<'_>, encoder: &'e mut Encoder) -> &'e [u8] {
    let mut head = *head;
    head.severity = log.severity;
    head.event_type = match log.status {
        Some(_) => b"statsd.service_check",
        None => b"statsd.event",
    };
    if log.time_unix_nano > 0 {
        head.time_unix_nano = log.time_unix_nano;
    }
    let mut body = Vec::new();
    let is_cut = append_body(&mut body, log, encoder.body_bytes_max());
    if encoder.begin(&head, &Value::Raw(&body)) || is_cut {
        encoder.cut(log.title.len() + 1 + log.text.len());
    }
    let mut attributes = EVENT_ATTRIBUTES.as_slice();
    if let Some(status) = log.status {
        attributes = &CHECK_ATTRIBUTES;
        encoder.attribute(b"statsd.service_check.name", &Value::Text(log.title));
        encoder.attribute(b"statsd.service_check.status", &Value::Integer(&[status]));
    }
    for part in parts(log.parts, b'|') {
        if let [letter, b':', value @ ..] = part
            && !value.is_empty()
            && let Some((_, key)) = attributes.iter().find(|(known, _)| known == letter)
        {
            encoder.attribute(key, &Value::Text(value));
        }
    }
    // Last, because of equal keys the first stays.
    for part in parts(log.parts, b'|') {
        let list = part.strip_prefix(b"#").unwrap_or_default();
        for (key, value) in tags(list) {
            let mut escaped = Vec::new();
            json::append_escaped(&mut escaped, key, usize::MAX);
            encoder.attribute(&escaped, &Value::Text(value));
        }
    }
    encoder.finish(&head)
}

/// Appends at most `limit` bytes; true if anything was left out.
fn append_body(out: &mut Vec<u8>, log: &Log<'_>, limit: usize) -> bool {
    let end = out.len().saturating_add(limit);
    let (title, between): (&[u8], &[u8]) = match (log.status, log.text) {
        (None, []) => (log.title, b""),
        (None, _) => (log.title, b"\\n"),
        (Some(b'0'), []) => (log.title, b" OK"),
        (Some(b'1'), []) => (log.title, b" WARNING"),
        (Some(b'2'), []) => (log.title, b" CRITICAL"),
        (Some(_), []) => (log.title, b" UNKNOWN"),
        (Some(_), _) => (b"", b""),
    };
    let is_message = log.status.is_some();
    [title, between, log.text]
        .iter()
        .any(|piece| append_text(out, piece, end, is_message))
}

/// Appends text as JSON string content while `out` is shorter than `end`; true if anything was left out. Clients write `\n`
/// for a line break, and in a message `m\:` for `m:`; a backslash itself they leave as it is.
fn append_text(out: &mut Vec<u8>, text: &[u8], end: usize, is_message: bool) -> bool {
    let mut rest = text;
    loop {
        let at = rest.iter().position(|byte| *byte == b'\\');
        let (run, behind) = rest
            .split_at_checked(at.unwrap_or(rest.len()))
            .unwrap_or((rest, &[]));
        let (unit, after): (&[u8], &[u8]) = match behind {
            [] => (b"", behind),
            [b'\\', b'n', after @ ..] => (b"\n", after),
            [_, after @ ..] if is_message && run.ends_with(b"m") && after.starts_with(b":") => {
                (b"", after)
            }
            [_, after @ ..] => (b"\\", after),
        };
        for piece in [run, unit] {
            if json::append_escaped(out, piece, end.saturating_sub(out.len())) {
                return true;
            }
        }
        if behind.is_empty() {
            return false;
        }
        rest = after;
    }
}
