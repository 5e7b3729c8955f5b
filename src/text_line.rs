//! What a line of plain text says of itself: the level and request id that the managed runtimes put before a message.
//!
//! | runtime | form |
//! |---|---|
//! | Python | `[INFO]⇥2026-11-21T20:37:43.578Z⇥<id>⇥message`, and `[ERROR] ValueError: boom` for a raised exception |
//! | Node.js, .NET | `2026-11-21T20:37:43.578Z⇥<id>⇥INFO⇥message` |
//! | Java | `2026-11-21 20:37:43 <id> INFO Class - message` |
//! | Ruby | `I, [2026-11-21T20:37:43.578 #8]  INFO RequestId: <id> -- : message` |
//!
//! The line is raw string content, so a tab stands there as `\t`. Only these forms are read: a level word somewhere in a
//! message means nothing.

use crate::limits::{LINE_PREFIX_BYTES, LINE_PREFIX_WORDS_MAX};
use crate::severity;

/// What was found; 0 and `None` where nothing was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Prefix<'a> {
    pub severity: u8,
    pub request_id: Option<&'a [u8]>,
}

/// Reads the prefix of a line (raw string content). `current`: the id of the open invocation, which is nearly always the one
/// that is found.
#[must_use]
pub fn prefix<'a>(line: &'a [u8], current: &[u8]) -> Prefix<'a> {
    let line = line.get(..LINE_PREFIX_BYTES).unwrap_or(line);
    match line {
        [b'[', ..] => bracketed(line),
        [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', ..] => {
            tabbed(line, current).unwrap_or_else(|| found_in(line))
        }
        [letter, b',', b' ', b'[', ..] if letter.is_ascii_uppercase() => found_in(line),
        _ => Prefix::default(),
    }
}

/// Node.js and .NET, where everything has its place: the same as [`found_in`], sooner.
fn tabbed<'a>(line: &'a [u8], current: &[u8]) -> Option<Prefix<'a>> {
    let rest = line.get(24..)?.strip_prefix(b"\\t")?;
    let (id, rest) = rest.split_at_checked(36)?;
    let rest = rest.strip_prefix(b"\\t")?;
    let end = rest.iter().position(|byte| *byte == b'\\')?;
    let severity = severity::of_word(rest.get(..end)?);
    (severity != 0 && (id == current || is_request_id(id))).then_some(Prefix {
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

/// Python: the level stands in brackets.
fn bracketed(line: &[u8]) -> Prefix<'_> {
    let Some(end) = line.iter().position(|byte| *byte == b']') else {
        return Prefix::default();
    };
    let level = line.get(1..end).unwrap_or_default();
    let severity = severity::of_word(level);
    if severity == 0 {
        return Prefix::default();
    }
    let rest = line.get(end..).unwrap_or_default();
    Prefix {
        severity,
        request_id: words(rest).find(|word| is_request_id(word)),
    }
}

/// The first level word and the first request id among the first words.
fn found_in(line: &[u8]) -> Prefix<'_> {
    let mut found = Prefix::default();
    for word in words(line) {
        if found.request_id.is_none() && is_request_id(word) {
            found.request_id = Some(word);
        } else if found.severity == 0 {
            found.severity = severity::of_word(word);
        }
    }
    found
}

/// The first words of a line: separated by spaces and by tabs in their raw form.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = line;
    core::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b' ' | b'\\'))
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at_checked(end)?;
        rest = match behind {
            [b'\\', _, behind @ ..] | [_, behind @ ..] => behind,
            [] => behind,
        };
        Some(word)
    })
    .filter(|word| !word.is_empty())
    .take(LINE_PREFIX_WORDS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &[u8] = b"6505dd93-6855-4c62-995b-b7313129bf81";

    #[test]
    fn the_managed_runtimes() {
        let id = Some(ID);
        for (line, severity, request_id) in [
            (
                "[INFO]\\t2026-11-21T20:37:43.578Z\\t6505dd93-6855-4c62-995b-b7313129bf81\\tlogging",
                9,
                id,
            ),
            ("[ERROR] ValueError: boom\\rTraceback", 17, None),
            (
                "2026-11-21T20:37:43.578Z\\t6505dd93-6855-4c62-995b-b7313129bf81\\tWARN\\tmessage",
                13,
                id,
            ),
            (
                "2026-11-21T20:37:43.578Z\\tundefined\\tERROR\\tUncaught",
                17,
                None,
            ),
            (
                "2026-11-21T20:37:43.578Z\\t6505dd93-6855-4c62-995b-b7313129bf81\\tinfo\\tdotnet",
                9,
                id,
            ),
            (
                "2026-11-21 20:37:43 6505dd93-6855-4c62-995b-b7313129bf81 ERROR Orders - failed",
                17,
                id,
            ),
            (
                "I, [2026-11-21T20:37:43.578 #8]  INFO RequestId: 6505dd93-6855-4c62-995b-b7313129bf81 -- : hi",
                9,
                id,
            ),
            ("[orders] INFO is only a word here", 0, None),
            ("INFO starts a sentence", 0, None),
            ("an ERROR in the message", 0, None),
            ("[INFO", 0, None),
            ("", 0, None),
        ] {
            assert_eq!(
                prefix(line.as_bytes(), ID),
                prefix(line.as_bytes(), b""),
                "{line}"
            );
            assert_eq!(
                prefix(line.as_bytes(), b""),
                Prefix {
                    severity,
                    request_id
                },
                "{line}"
            );
        }
    }

    #[test]
    fn only_the_beginning_is_read() {
        let line = format!("2026-11-21 {}ERROR", " ".repeat(LINE_PREFIX_BYTES));
        assert_eq!(prefix(line.as_bytes(), b""), Prefix::default());
        let line = "2026-11-21 a b c d e f ERROR";
        assert_eq!(prefix(line.as_bytes(), b""), Prefix::default());
    }

    #[test]
    fn request_ids() {
        assert!(is_request_id(ID));
        for wrong in [
            "",
            "6505dd93-6855-4c62-995b-b7313129bf8",
            "6505dd93-6855-4c62-995b-b7313129bf8g",
        ] {
            assert!(!is_request_id(wrong.as_bytes()), "{wrong}");
        }
    }
}
