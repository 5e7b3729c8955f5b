//! The items of an array, where they stand.

use super::Value;
use super::scan::{Scan, behind_space};

/// The items of an array, top level only, in order. Tolerant: stops at the first malformed byte.
pub struct Items<'a> {
    rest: &'a [u8],
    is_first: bool,
}

/// The items of the array that is the whole of `array`. A text that is none has no items.
#[must_use]
pub fn items(array: &[u8]) -> Items<'_> {
    Items {
        rest: array,
        is_first: true,
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        let before = if self.is_first { b'[' } else { b',' };
        self.is_first = false;
        // Where nothing is taken, the rest stays, and there is nothing the next time.
        let text = behind_space(behind_space(self.rest).strip_prefix(&[before])?);
        let end = Scan::new().value_end(text, 0).ok()??;
        let (item, rest) = text.split_at_checked(end)?;
        let value = Value::of(item, true)?;
        self.rest = rest;
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    #[test]
    fn items_of_whole_and_damaged_arrays() {
        for (array, expected) in [
            ("[]", vec![]),
            (" [ ] ", vec![]),
            ("[1]", vec!["1"]),
            (
                " [ 1 ,\"a,]\\\"\"\t, [2,[3]] ,{\"b\":4},true,null ] x",
                vec!["1", "a,]\\\"", "[2,[3]]", "{\"b\":4}", "true", "null"],
            ),
            ("[1,]", vec!["1"]),
            ("[,1]", vec![]),
            ("[1 2]", vec!["1"]),
            ("[1,truth,2]", vec!["1"]),
            ("[1,x]", vec!["1"]),
            ("[1", vec![]),
            ("[\"a\",\"b", vec!["a"]),
            ("[[1,2]", vec!["[1,2]"]),
            ("[[1,2},3]", vec![]),
            ("{\"a\":1}", vec![]),
            ("1,2", vec![]),
            (",1", vec![]),
            ("", vec![]),
        ] {
            let mut walk = items(array.as_bytes());
            let found: Vec<_> = walk
                .by_ref()
                .map(|value| String::from_utf8_lossy(text(&value)).into_owned())
                .collect();
            assert_eq!(found, expected, "{array}");
            assert_eq!(walk.next(), None, "{array}");
        }
    }
}
