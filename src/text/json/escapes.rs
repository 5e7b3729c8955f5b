//! What a backslash begins, and where a string may be cut.

use super::scan::quote_or_backslash;

pub(super) const UNICODE_ESCAPE_BYTES: usize = 6;

/// What a backslash begins.
pub(super) enum Escape {
    /// An escape, or two of a surrogate pair: what it stands for, and its bytes.
    Character(char, usize),
    /// A `\u` escape that is half a surrogate pair.
    HalfPair,
    /// Nothing, or the text ended in it.
    Invalid,
}

/// Reads the escape at the start of `text`, which is a backslash.
pub(super) fn escape(text: &[u8]) -> Escape {
    let character = match text.get(1) {
        Some(b'n') => '\n',
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        _ => return unicode_escape(text),
    };
    Escape::Character(character, 2)
}

fn unicode_escape(text: &[u8]) -> Escape {
    let Some(first) = code_unit(text) else {
        return Escape::Invalid;
    };
    if let Some(character) = char::from_u32(first) {
        return Escape::Character(character, UNICODE_ESCAPE_BYTES);
    }
    // A surrogate: what `char` lacks below 0x10000.
    let second = text.get(UNICODE_ESCAPE_BYTES..).and_then(code_unit);
    let (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) = (first, second) else {
        return Escape::HalfPair;
    };
    match char::from_u32(0x10000 + ((first & 0x3ff) << 10) + (low & 0x3ff)) {
        Some(character) => Escape::Character(character, 2 * UNICODE_ESCAPE_BYTES),
        None => Escape::HalfPair,
    }
}

/// The sixteen bits of the `\u` escape at the start of `text`.
fn code_unit(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.first_chunk::<4>()?;
    let mut unit = 0;
    for &digit in digits {
        unit = unit << 4 | char::from(digit).to_digit(16)?;
    }
    Some(unit)
}

/// The length of the longest prefix of at most `limit` bytes that splits no character, escape or surrogate pair.
pub(super) fn boundary(text: &[u8], limit: usize) -> usize {
    let Some(window) = text.get(..limit) else {
        return text.len();
    };
    if window.len() == text.len() {
        return limit;
    }
    let mut rest = window;
    while let Some((byte, behind)) = quote_or_backslash(rest) {
        rest = behind;
        if byte == b'\\' {
            let at = limit.saturating_sub(behind.len()).saturating_sub(1);
            let bytes = match escape(text.get(at..).unwrap_or(&[])) {
                Escape::Character(_, bytes) => bytes,
                Escape::HalfPair => UNICODE_ESCAPE_BYTES,
                Escape::Invalid => 1,
            };
            match window.get(at.saturating_add(bytes)..) {
                Some(behind) => rest = behind,
                None => return at,
            }
        }
    }
    // No escape crosses the limit, but a character may, with at most three of its bytes before the limit.
    for bytes in 0..=3 {
        let end = limit.saturating_sub(bytes);
        match text.get(end) {
            Some(0x80..0xc0) => {}
            Some(0xc0..) => return end,
            _ => break,
        }
    }
    // No character, or this is not UTF-8, and any boundary will do.
    limit
}
