//! Read-only data without a name, told apart by what is in it: texts, addresses, numbers.
//!
//! The compiler keeps no names of string literals, virtual tables and promoted constants. Long texts get their beginning as
//! a name, so that a person sees what they are.

use std::ops::Range;

use super::symbol::{CONSTANTS, Owner};

const WORD_BYTES: usize = 8;

/// Shorter runs of letters may be numbers.
const TEXT_BYTES_MIN: usize = 6;

/// A text this long is an item of its own, called by so many of its characters.
const LONG_TEXT_BYTES: usize = 160;
const NAME_CHARACTERS: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Of functions in virtual tables, and of texts in slices.
    Address,
    Number,
}

/// Cuts data into runs, each with an owner. The program lies in `image`, the data at `address`.
pub(crate) fn runs(data: &[u8], address: u64, image: &Range<u64>) -> Vec<(u64, Owner)> {
    let kinds = kinds(data, address, image);
    let mut runs = Vec::new();
    let mut from = 0;
    while let Some(kind) = kinds.get(from).copied() {
        let length = kinds[from..]
            .iter()
            .take_while(|other| **other == kind)
            .count();
        runs.push((length as u64, owner(kind, &data[from..from + length])));
        from += length;
    }
    runs
}

fn owner(kind: Kind, run: &[u8]) -> Owner {
    match kind {
        Kind::Text if run.len() >= LONG_TEXT_BYTES => {
            let text = String::from_utf8_lossy(run);
            let begin: String = text.chars().take(NAME_CHARACTERS).collect();
            let begin = begin.replace(char::is_control, " ");
            Owner::new(CONSTANTS, "texts", &format!("“{begin}…”"))
        }
        Kind::Text => Owner::new(CONSTANTS, "texts", "shorter texts"),
        Kind::Address => Owner::new(CONSTANTS, "addresses", "virtual tables and slices"),
        Kind::Number => Owner::new(CONSTANTS, "numbers", "numbers and lengths"),
    }
}

/// The kind of each byte.
fn kinds(data: &[u8], address: u64, image: &Range<u64>) -> Vec<Kind> {
    let mut kinds = vec![Kind::Number; data.len()];
    let mut begin = None;
    // One byte more than there is ends the last text.
    for at in 0..=data.len() {
        let is_letter = data
            .get(at)
            .is_some_and(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t'));
        if is_letter {
            begin.get_or_insert(at);
        } else if let Some(begin) = begin.take()
            && at - begin >= TEXT_BYTES_MIN
        {
            kinds[begin..at].fill(Kind::Text);
        }
    }
    // An address lies at a multiple of its length.
    let first = address.next_multiple_of(WORD_BYTES as u64) - address;
    for at in (first as usize..data.len()).step_by(WORD_BYTES) {
        let word = data
            .get(at..at + WORD_BYTES)
            .and_then(|word| word.try_into().ok());
        if word.is_some_and(|word| image.contains(&u64::from_le_bytes(word))) {
            kinds[at..at + WORD_BYTES].fill(Kind::Address);
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_addresses_and_numbers_are_told_apart() {
        let mut data = b"a long text of letters\0\0".to_vec();
        data.extend(0x20_1000_u64.to_le_bytes());
        data.extend([1, 0, 0, 0, b'a', b'b', 0]);
        let runs = runs(&data, 0x20_0000, &(0x20_0000..0x30_0000));
        let found: Vec<(u64, &str)> = runs
            .iter()
            .map(|(bytes, owner)| (*bytes, owner.module.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                (22, "texts"),
                (2, "numbers"),
                (8, "addresses"),
                (7, "numbers")
            ]
        );
    }

    #[test]
    fn every_byte_is_in_one_run() {
        let data: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for begin in 0..9 {
            let bytes: u64 = runs(&data[begin..], 0x20_0000 + begin as u64, &(0..0))
                .iter()
                .map(|run| run.0)
                .sum();
            assert_eq!(bytes, 1000 - begin as u64);
        }
        assert!(runs(&[], 7, &(0..0)).is_empty());
    }

    #[test]
    fn a_long_text_is_called_by_its_beginning() {
        let text = b"accept-encoding".repeat(20);
        let runs = runs(&text, 0, &(0..0));
        assert_eq!(runs[0].1.item, "“accept-encodingaccept-encodingac…”");
    }
}
