//! Walks over JSON text without reading it: to the end of a value or a string, resumable at every byte.

use super::Malformed;

/// The state of a walk to the end of one value, resumable at every byte.
pub(super) struct Scan {
    /// Open brackets.
    depth: u32,
    /// Bit n tells that the bracket at depth n is `[`. Deeper ones than 64 are only counted.
    arrays: u64,
    in_string: bool,
    /// The last byte was the backslash of an escape.
    in_escape: bool,
}

impl Scan {
    pub(super) const fn new() -> Self {
        Scan {
            depth: 0,
            arrays: 0,
            in_string: false,
            in_escape: false,
        }
    }

    /// The offset behind the value that began at depth `floor`; `None` if it goes on behind `bytes`.
    ///
    /// A string or bracketed value ends with its last byte. A number or literal ends before the comma, bracket or
    /// white space that follows it.
    pub(super) fn value_end(
        &mut self,
        bytes: &[u8],
        floor: u32,
    ) -> Result<Option<usize>, Malformed> {
        let mut rest = bytes;
        loop {
            if self.in_string {
                let Some(behind) = behind_string(rest, &mut self.in_escape) else {
                    return Ok(None);
                };
                self.in_string = false;
                rest = behind;
                if self.depth == floor {
                    break;
                }
                // Between two strings there is mostly nothing but this.
                if let [b':' | b',', b'"', behind @ ..] = rest {
                    self.in_string = true;
                    rest = behind;
                    continue;
                }
            }
            let Some((&byte, behind)) = rest.split_first() else {
                return Ok(None);
            };
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.open(byte == b'[')?,
                b'}' | b']' => {
                    if self.depth == floor {
                        break;
                    }
                    self.close(byte == b']')?;
                    if self.depth == floor {
                        rest = behind;
                        break;
                    }
                }
                b',' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == floor => break,
                _ => {}
            }
            rest = behind;
        }
        Ok(Some(bytes.len().saturating_sub(rest.len())))
    }

    fn open(&mut self, array: bool) -> Result<(), Malformed> {
        let bit = 1u64.checked_shl(self.depth).unwrap_or(0);
        self.arrays = if array {
            self.arrays | bit
        } else {
            self.arrays & !bit
        };
        self.depth = self.depth.checked_add(1).ok_or(Malformed)?;
        Ok(())
    }

    fn close(&mut self, array: bool) -> Result<(), Malformed> {
        self.depth = self.depth.checked_sub(1).ok_or(Malformed)?;
        match 1u64.checked_shl(self.depth) {
            Some(bit) if (self.arrays & bit != 0) != array => Err(Malformed),
            _ => Ok(()),
        }
    }
}

/// What follows the string's closing quote; `None` if the text ends before that. `in_escape` tells that a backslash
/// was the last byte before the text, and then whether it is the last of it.
pub(super) fn behind_string<'t>(text: &'t [u8], in_escape: &mut bool) -> Option<&'t [u8]> {
    let mut rest = text;
    loop {
        if *in_escape {
            (_, rest) = rest.split_first()?;
            *in_escape = false;
        }
        let (byte, behind) = quote_or_backslash(rest)?;
        rest = behind;
        if byte == b'"' {
            return Some(rest);
        }
        *in_escape = true;
    }
}

/// What follows the white space at the start of the text.
pub(super) fn behind_space(text: &[u8]) -> &[u8] {
    let mut rest = text;
    while let [b' ' | b'\t' | b'\n' | b'\r', behind @ ..] = rest {
        rest = behind;
    }
    rest
}

// Eight bytes at a time. In a word of eight bytes, `x - 0x01…` borrows into the high bit of the bytes that were zero;
// a borrow can reach a byte above such a one and mark it wrongly, so only the lowest mark is exact, and it is the
// only one that is used.

const ONES: u64 = u64::from_le_bytes([1; 8]);
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
const SECOND_BITS: u64 = u64::from_le_bytes([2; 8]);
const EXCLAMATIONS: u64 = u64::from_le_bytes([b'!'; 8]);

/// Marks the lowest zero byte in its high bit; the other bits are noise.
#[inline(always)]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word
}

/// The first quote or backslash, and what follows it.
#[inline]
pub(super) fn quote_or_backslash(text: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = text;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let found = (zero_bytes(word ^ QUOTES) | zero_bytes(word ^ BACKSLASHES)) & HIGH_BITS;
        if found != 0 {
            let (&byte, behind) = rest
                .get(found.trailing_zeros() as usize / 8..)?
                .split_first()?;
            return Some((byte, behind));
        }
        rest = behind;
    }
    while let Some((&byte, behind)) = rest.split_first() {
        if matches!(byte, b'"' | b'\\') {
            return Some((byte, behind));
        }
        rest = behind;
    }
    None
}

/// The offset of the first quote, backslash or control character, or the length; and whether all before it is
/// ASCII. That may be denied wrongly.
#[inline]
pub(super) fn special(text: &[u8]) -> (usize, bool) {
    let mut high = 0;
    let mut rest = text;
    while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        // With its second bit turned a quote stands right above the control characters, and below all else.
        let control_or_quote = (word ^ SECOND_BITS).wrapping_sub(EXCLAMATIONS) & !word;
        let found = (control_or_quote | zero_bytes(word ^ BACKSLASHES)) & HIGH_BITS;
        high |= word & HIGH_BITS;
        if found != 0 {
            let offset = text.len().saturating_sub(rest.len());
            return (
                offset.saturating_add(found.trailing_zeros() as usize / 8),
                high == 0,
            );
        }
        rest = behind;
    }
    let mut ascii = high == 0;
    while let Some((&byte, behind)) = rest.split_first() {
        if matches!(byte, b'"' | b'\\' | ..b' ') {
            break;
        }
        ascii &= byte < 0x80;
        rest = behind;
    }
    (text.len().saturating_sub(rest.len()), ascii)
}

#[cfg(test)]
mod tests {
    use super::super::random::Numbers;
    use super::*;

    #[test]
    fn the_word_at_a_time_scans_find_what_a_byte_loop_finds() {
        let mut numbers = Numbers(3);
        for _ in 0..20_000 {
            // Mostly harmless bytes, so that the special ones stand in any place of a word.
            let text: Vec<u8> = (0..numbers.below(40))
                .map(|_| match numbers.below(8) {
                    0 => *numbers.pick(&[b"\"", b"\\", b"\x1f", b"\0"]),
                    1 => *numbers.pick(&[b"\xa2", b"\xdc", b"\x9f", b"\x80", b"\xff"]),
                    _ => *numbers.pick(&[b"b", b"\x20", b"\x21", b"\x23", b"\x5b", b"\x5d"]),
                })
                .map(|[byte]| byte)
                .collect();
            let expected = text.iter().position(|byte| matches!(byte, b'"' | b'\\'));
            let found = quote_or_backslash(&text).map(|(byte, behind)| {
                let at = text.len() - behind.len() - 1;
                assert_eq!(byte, text[at]);
                at
            });
            assert_eq!(found, expected, "{text:?}");
            let expected = text
                .iter()
                .position(|&byte| byte < b' ' || matches!(byte, b'"' | b'\\'))
                .unwrap_or(text.len());
            let (at, ascii) = special(&text);
            assert_eq!(at, expected, "{text:?}");
            assert!(!ascii || text[..at].is_ascii());
            assert!(ascii || !text.is_ascii());
        }
    }
}
