//! String content from one text to another: copied, escaped or unescaped, valid and within a limit.

use super::escapes::{Escape, UNICODE_ESCAPE_BYTES, boundary, escape};
use super::scan::{behind_string, special};

/// Appends a raw (still escaped) string as the content of a JSON string, valid in JSON and in UTF-8.
///
/// What is valid is copied as it is, so the usual cost is one scan and one copy. A backslash that begins no escape
/// becomes an escaped one, half a surrogate pair becomes `\ufffd`, a control character or quote is escaped, and
/// bytes that are not UTF-8 become U+FFFD. Appends at most `limit` bytes and never splits a character, an escape
/// or a surrogate pair. True if anything was left out.
pub fn append_raw_string(out: &mut Vec<u8>, raw: &[u8], limit: usize) -> bool {
    append_content(out, raw, limit, true)
}

/// The content of the string whose opening quote stood before `text`, if it is clean: valid as it is, in JSON and in UTF-8,
/// up to its closing quote, which is in `text`, too.
pub fn clean_string(text: &[u8]) -> Option<&[u8]> {
    let (run, behind, ascii) = clean_run(text, Form::Raw);
    let is_clean = behind.first() == Some(&b'"') && (ascii || str::from_utf8(run).is_ok());
    is_clean.then_some(run)
}

/// Appends text as it is, at most `limit` bytes; what is not UTF-8 in it becomes U+FFFD. True if it was cut.
pub fn append_text(out: &mut Vec<u8>, text: &[u8], limit: usize) -> bool {
    !Sink { out, left: limit }.run(text, false)
}

/// Appends any text, which is not JSON, escaped as the content of a JSON string. Guarantees and `limit` are those
/// of `append_raw_string`.
pub fn append_escaped(out: &mut Vec<u8>, text: &[u8], limit: usize) -> bool {
    append_content(out, text, limit, false)
}

/// Appends the text that a raw string stands for, in UTF-8: at most `limit` bytes, and whole characters. True if
/// anything was left out. A backslash that begins no escape stands for itself, half a surrogate pair for U+FFFD.
pub fn append_unescaped(out: &mut Vec<u8>, raw: &[u8], limit: usize) -> bool {
    let mut sink = Sink { out, left: limit };
    let mut rest = raw;
    loop {
        let (run, behind, ascii) = clean_run(rest, Form::Unescape);
        if !sink.run(run, ascii) {
            return true;
        }
        if behind.is_empty() {
            return false;
        }
        let (character, bytes) = match escape(behind) {
            Escape::Character(character, bytes) => (character, bytes),
            Escape::HalfPair => (char::REPLACEMENT_CHARACTER, UNICODE_ESCAPE_BYTES),
            Escape::Invalid => ('\\', 1),
        };
        if !sink.unit(character.encode_utf8(&mut [0; 4]).as_bytes()) {
            return true;
        }
        rest = behind.get(bytes..).unwrap_or(&[]);
    }
}

/// Appends a raw string in its canonical form: what is equal as text is then equal in its bytes, however it was escaped.
pub fn append_canonical(out: &mut Vec<u8>, raw: &[u8]) {
    let mut text = Vec::new();
    append_unescaped(&mut text, raw, raw.len());
    append_escaped(out, &text, usize::MAX);
}

/// The canonical form of a raw key: nearly always what it is, else in `room`.
pub fn canonical<'k>(raw: &'k [u8], room: &'k mut Vec<u8>) -> &'k [u8] {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && *byte != b'\\';
    if raw.iter().all(is_plain) {
        return raw;
    }
    room.clear();
    append_canonical(room, raw);
    room
}

/// Appends JSON text with each whole string in its canonical form.
pub fn append_canonical_strings(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte == b'"') {
        let (before, string) = rest.split_at_checked(at + 1).unwrap_or_default();
        out.extend_from_slice(before);
        rest = string;
        let Some(behind) = behind_string(string, &mut false) else {
            break;
        };
        let bytes = string.len().saturating_sub(behind.len() + 1);
        append_canonical(out, string.get(..bytes).unwrap_or_default());
        out.push(b'"');
        rest = behind;
    }
    out.extend_from_slice(rest);
}

fn append_content(out: &mut Vec<u8>, text: &[u8], limit: usize, raw: bool) -> bool {
    let mut sink = Sink { out, left: limit };
    let mut rest = text;
    loop {
        let (run, behind, ascii) = clean_run(rest, if raw { Form::Raw } else { Form::Text });
        if !sink.run(run, ascii) {
            return true;
        }
        let Some((&byte, after)) = behind.split_first() else {
            return false;
        };
        rest = after;
        let fits = match byte {
            b'\\' if raw && matches!(escape(behind), Escape::HalfPair) => {
                rest = behind.get(UNICODE_ESCAPE_BYTES..).unwrap_or(&[]);
                sink.unit(b"\\ufffd")
            }
            b'\\' => sink.unit(b"\\\\"),
            b'"' => sink.unit(b"\\\""),
            b'\n' => sink.unit(b"\\n"),
            b'\r' => sink.unit(b"\\r"),
            b'\t' => sink.unit(b"\\t"),
            _ => sink.unit(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                hex_digit(byte >> 4),
                hex_digit(byte & 15),
            ]),
        };
        if !fits {
            return true;
        }
    }
}

fn hex_digit(value: u8) -> u8 {
    if value < 10 {
        b'0' + value
    } else {
        b'a' - 10 + value
    }
}

/// A buffer that takes so many bytes more.
struct Sink<'a> {
    out: &'a mut Vec<u8>,
    left: usize,
}

impl Sink<'_> {
    /// Appends all of `bytes`; if they do not fit, none, and false.
    fn unit(&mut self, bytes: &[u8]) -> bool {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            return false;
        };
        self.left = left;
        self.out.extend_from_slice(bytes);
        true
    }

    /// Appends a run as valid UTF-8; if it does not fit, what does, and false.
    fn run(&mut self, run: &[u8], ascii: bool) -> bool {
        // The usual case; worth a fifth where quotes are dense.
        if ascii && run.len() <= self.left {
            return self.unit(run);
        }
        let mut rest = run;
        while !rest.is_empty() {
            let checked = if ascii { Ok("") } else { str::from_utf8(rest) };
            let (valid, invalid) = match checked {
                Ok(_) => (rest.len(), 0),
                // No length: the run ends in the middle of a character.
                Err(error) => (error.valid_up_to(), error.error_len().unwrap_or(rest.len())),
            };
            let (text, behind) = rest.split_at_checked(valid).unwrap_or((rest, &[]));
            let fitting = text.get(..boundary(text, self.left)).unwrap_or(text);
            if !self.unit(fitting) || fitting.len() < text.len() {
                return false;
            }
            if invalid > 0 && !self.unit("\u{fffd}".as_bytes()) {
                return false;
            }
            rest = behind.get(invalid..).unwrap_or(&[]);
        }
        true
    }
}

/// How `clean_run` reads its text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A raw string that stays one: stops where it is not valid.
    Raw,
    /// Text that becomes one: stops at whatever must be escaped.
    Text,
    /// A raw string that becomes text: stops at every backslash.
    Unescape,
}

/// Splits off the longest run that can be copied as it is, but for its UTF-8; tells whether it is all ASCII.
fn clean_run(text: &[u8], form: Form) -> (&[u8], &[u8], bool) {
    let mut behind = text;
    let mut ascii = true;
    loop {
        let (offset, plain) = special(behind);
        ascii &= plain;
        behind = behind.get(offset..).unwrap_or(&[]);
        let step = match (behind.first(), form) {
            (Some(b'\\'), Form::Raw) => match behind.get(1) {
                // Nearly all are of this kind, and what they stand for does not matter here.
                Some(b'n' | b't' | b'"' | b'\\' | b'/' | b'r' | b'b' | b'f') => 2,
                _ => match escape(behind) {
                    Escape::Character(_, bytes) => bytes,
                    Escape::HalfPair | Escape::Invalid => 0,
                },
            },
            (Some(b'\\') | None, _) => 0,
            (Some(_), _) => usize::from(form == Form::Unescape),
        };
        if step == 0 {
            let run = text.len().saturating_sub(behind.len());
            return (text.get(..run).unwrap_or(text), behind, ascii);
        }
        behind = behind.get(step..).unwrap_or(&[]);
    }
}

#[cfg(test)]
mod tests;
