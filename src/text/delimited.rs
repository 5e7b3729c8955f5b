//! Text cut at single characters, without the searchers of `str`, which cost kilobytes wherever they are used.

use crate::sys::scan;

/// What is before and what is behind the first `delimiter` (ASCII).
#[must_use]
pub fn cut(text: &str, delimiter: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == delimiter)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What is before and what is behind the last `delimiter` (ASCII).
#[must_use]
pub fn cut_last(text: &str, delimiter: u8) -> Option<(&str, &str)> {
    let at = text.bytes().rposition(|byte| byte == delimiter)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The parts of a list with commas, without white space around them; empty ones are left out.
#[must_use]
pub const fn list(text: &str) -> List<'_> {
    List { rest: text }
}

/// The parts of a text between delimiters: one more than there are of these. Unlike those of `split`, which takes a closure, all
/// share one `next`.
#[must_use]
pub const fn parts(text: &[u8], delimiter: u8) -> Parts<'_> {
    Parts {
        rest: Some(text),
        delimiter,
    }
}

pub struct Parts<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    #[inline(never)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.rest.take()?;
        let Some(at) = scan::position(text, self.delimiter) else {
            return Some(text);
        };
        self.rest = text.get(at + 1..);
        text.get(..at)
    }
}

pub struct List<'a> {
    rest: &'a str,
}

impl<'a> Iterator for List<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while !self.rest.is_empty() {
            let (part, rest) = cut(self.rest, b',').unwrap_or((self.rest, ""));
            self.rest = rest;
            let part = part.trim_ascii();
            if !part.is_empty() {
                return Some(part);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts() {
        assert_eq!(cut("a=b=c", b'='), Some(("a", "b=c")));
        assert_eq!(cut_last("a=b=c", b'='), Some(("a=b", "c")));
        assert_eq!(cut("=é", b'='), Some(("", "é")));
        assert_eq!((cut("abc", b'='), cut_last("", b'=')), (None, None));
    }

    #[test]
    fn all_parts() {
        for (text, expected) in [
            ("a=b=c", vec!["a", "b", "c"]),
            ("=", vec!["", ""]),
            ("", vec![""]),
            ("a=", vec!["a", ""]),
        ] {
            let found = parts(text.as_bytes(), b'=').map(|part| str::from_utf8(part).unwrap());
            assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn lists() {
        assert_eq!(list(" a ,,b,\tc,").collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(list(" , ").next(), None);
    }
}
