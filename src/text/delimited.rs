//! Text cut at single characters, without the searchers of `str`, which cost kilobytes wherever they are used.

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
    fn lists() {
        assert_eq!(list(" a ,,b,\tc,").collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(list(" , ").next(), None);
    }
}
