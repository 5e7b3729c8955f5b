//! What a line of plain text says of itself: the level and request id that runtimes and loggers put before a message.
//!
//! | who | form |
//! |---|---|
//! | Python | `[INFO]⇥2026-11-21T20:37:43.578Z⇥<id>⇥message`, and `[ERROR] ValueError: boom` for a raised exception |
//! | Node.js, .NET | `2026-11-21T20:37:43.578Z⇥<id>⇥INFO⇥message`, of .NET `info`, `fail` … |
//! | Java | `2026-11-21 20:37:43 <id> INFO Class - message` |
//! | Ruby | `I, [2026-11-21T20:37:43.578 #8]  INFO RequestId: <id> -- : message` |
//! | most loggers | a time of day, then `INFO`, `[info]` or `info:`, perhaps behind `[thread]`, a zone, or `- name -` |
//! | Serilog, env_logger … | `[12:34:56 INF] message` |
//! | without a time | `[INFO] message`, `INFO:root:message`, `SEVERE: message`, `info: Category[0]` |
//! | logfmt | `time=… level=info msg=…`, `level=info msg=…` |
//!
//! The line is raw string content, so a tab stands there as `\t`. A level counts only in these places and forms, and written in
//! one case: a line that is wrongly taken for an unimportant one is not shipped, so in doubt there is none. The same holds for an
//! id: one in a message is that of an order, perhaps.

use crate::format::severity;
use crate::limits::{LINE_PREFIX_BYTES, LINE_PREFIX_WORDS_MAX};
use crate::text::equal::equal;

/// What was found; 0 and `None` where nothing was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Prefix<'a> {
    pub severity: u8,
    pub request_id: Option<&'a [u8]>,
}

/// Reads the prefix of a line (raw string content). `current`: the id of the open invocation, which is nearly always the one
/// that is found, and then given back itself.
#[must_use]
pub fn prefix<'a>(line: &'a [u8], current: &'a [u8]) -> Prefix<'a> {
    let line = line.get(..LINE_PREFIX_BYTES).unwrap_or(line);
    let severity = match line {
        [b'0'..=b'9', _, _, _, b'-', ..] => {
            return tabbed(line, current).unwrap_or_else(|| head(line));
        }
        [b'[' | b'0'..=b'9', ..] => return head(line),
        [b'A'..=b'Z', rest @ ..] => match rest.strip_prefix(b", ") {
            Some(rest @ [b'[', ..]) => return head(rest),
            _ => before_colon(line),
        },
        [_, _, _, _, b':', b' ', ..] => of_console(line),
        [b'l', _, _, _, _, b'=', ..] => of_logfmt(line),
        _ if line.starts_with(b"time=") || line.starts_with(b"ts=") => of_logfmt(line),
        _ => 0,
    };
    Prefix {
        severity,
        request_id: None,
    }
}

/// Node.js and .NET, where everything has its place: the same as [`head`], sooner.
fn tabbed<'a>(line: &'a [u8], current: &'a [u8]) -> Option<Prefix<'a>> {
    let [b'\\', b't', rest @ ..] = line.get(24..)? else {
        return None;
    };
    let (id, rest) = rest.split_at_checked(36)?;
    let [b'\\', b't', rest @ ..] = rest else {
        return None;
    };
    let severity = if let [b'I', b'N', b'F', b'O', b'\\', ..] = rest {
        // By far the most.
        severity::INFO
    } else {
        let end = rest.iter().position(|byte| *byte == b'\\')?;
        severity::of_column(rest.get(..end)?, true)
    };
    let id = if equal(id, current) { current } else { id };
    let is_id = core::ptr::eq(id, current) || is_request_id(id);
    (severity != 0 && is_id).then_some(Prefix {
        severity,
        request_id: Some(id),
    })
}

/// Whether text has the form of a UUID, as Lambda's request ids have.
#[must_use]
pub fn is_request_id(text: &[u8]) -> bool {
    text.len() == 36
        && text.iter().enumerate().all(|(place, byte)| {
            if matches!(place, 8 | 13 | 18 | 23) {
                *byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

/// The head of a line that begins with a time or a bracket: word by word, as long as each is one of a head.
fn head(line: &[u8]) -> Prefix<'_> {
    let (mut severity, mut request_id) = (0, None);
    // A time of day was read; the word before makes an id the invocation's; the last bracket is open.
    let (mut has_clock, mut is_id_due, mut is_open) = (false, false, false);
    let (mut rest, mut before): (&[u8], &[u8]) = (line, b"");
    for _ in 0..LINE_PREFIX_WORDS_MAX {
        // What stands before the word; a space behind a bracket only pads it.
        let mut place = 0;
        while let [byte @ (b' ' | b'|' | b'[' | b']' | b'\\'), behind @ ..] = rest {
            is_open = *byte == b'[' || is_open && *byte != b']';
            if *byte != b' ' || place != b'[' {
                place = *byte;
            }
            let bytes = usize::from(*byte == b'\\');
            rest = behind.get(bytes..).unwrap_or_default();
        }
        let (word, behind) = word(rest);
        rest = behind;
        let name = word.strip_suffix(b":").unwrap_or(word);
        let is_alone = place == b'[' && matches!(behind, [b']', ..] | [b' ', b']', ..]);
        let is_column = name.len() < word.len()
            || word.first().is_some_and(u8::is_ascii_uppercase)
            || place == b'\\' && behind.first() == Some(&b'\\');
        if severity == 0 && (is_alone || has_clock && place != b'[' && is_column) {
            severity = severity::of_column(name, false);
            if severity != 0 {
                is_id_due = false;
                continue;
            }
        }
        if is_id_due && is_request_id(word) {
            request_id = Some(word);
            is_id_due = false;
        } else if is_clock(word) || has_clock && word == b"RequestId:" {
            (has_clock, is_id_due) = (true, true);
        } else if !has_clock && word.first().is_some_and(u8::is_ascii_digit) {
            // A date.
        } else if severity != 0 || !has_clock {
            break;
        } else if is_open {
            // A thread, a process, a logger.
            let end = rest.iter().position(|byte| *byte == b']');
            rest = rest.get(end.unwrap_or(rest.len())..).unwrap_or_default();
        } else {
            // A zone, a dash, Node.js's id outside of invocations, or a name between dashes.
            let is_part = matches!(word, [b'+' | b'-', ..])
                || word == b"UTC"
                || word == b"undefined"
                || before == b"-" && behind.starts_with(b" - ");
            if !is_part {
                break;
            }
        }
        before = word;
    }
    Prefix {
        severity,
        request_id,
    }
}

/// The text up to a byte that ends a word, and what follows.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text
        .iter()
        .position(|byte| matches!(byte, b' ' | b'|' | b'[' | b']' | b'\\'));
    text.split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or_default()
}

/// Whether a word holds a time of day with its seconds, or one of twelve hours: `2026-11-21T20:37:43.578Z`, `20:37:43`, `3:04PM`.
#[inline(never)]
fn is_clock(word: &[u8]) -> bool {
    let mut bytes = word.iter();
    bytes.any(|byte| *byte == b':');
    let minutes = bytes.as_slice();
    let is_digit = |text: &[u8], at| text.get(at).is_some_and(u8::is_ascii_digit);
    is_digit(word, 0)
        && is_digit(minutes, 0)
        && is_digit(minutes, 1)
        && (minutes.last() == Some(&b'M') || minutes.get(2) == Some(&b':') && is_digit(minutes, 3))
}

/// Python's basicConfig and java.util.logging: `INFO:root:message`, `SEVERE: message`.
fn before_colon(line: &[u8]) -> u8 {
    let at = line.iter().position(|byte| *byte == b':');
    let (level, rest) = line.split_at_checked(at.unwrap_or(0)).unwrap_or_default();
    let behind = rest.get(1..).unwrap_or_default();
    let (name, _) = word(behind);
    if behind.first() == Some(&b' ') || name.contains(&b':') {
        severity::of_column(level, false)
    } else {
        0
    }
}

/// The console of .NET: `info: Category[0]`.
fn of_console(line: &[u8]) -> u8 {
    let (level, rest) = line.split_at_checked(4).unwrap_or_default();
    let (_, behind) = word(rest.get(2..).unwrap_or_default());
    match behind {
        [b'[', b'0'..=b'9', ..] if level.is_ascii() => severity::of_column(level, true),
        _ => 0,
    }
}

/// Pairs of keys and values: the level is the first, or behind a time.
fn of_logfmt(line: &[u8]) -> u8 {
    let mut rest = line;
    loop {
        let (pair, behind) = word(rest);
        rest = behind.get(1..).unwrap_or_default();
        if let Some(level) = pair.strip_prefix(b"level=") {
            // Another pair follows, or it is no list of them.
            let (next, _) = word(rest);
            let is_pair = next.contains(&b'=');
            return if is_pair { severity::of_word(level) } else { 0 };
        }
        // A quote stands behind a backslash, and only a time is quoted before the level.
        let is_time = matches!(pair, [b'"'] | [b'"', b'0'..=b'9', ..]);
        if !is_time && !pair.contains(&b'=') {
            return 0;
        }
    }
}

#[cfg(test)]
mod tests;
