//! What variables may be, and how a value is judged.

use crate::text::decimal;
use crate::text::delimited;

use Values::{Any, Number, One, Text};

/// What a variable may be.
pub enum Values {
    /// A whole number: the default, the least and the most. The unit stands at the end of the name.
    Number(u32, u32, u32),
    /// One of these words, in either case. The first is the default.
    One(&'static str),
    /// Any of these words, as a list; the default has a bit for each, the lowest for the first.
    Any(&'static str, u8),
    /// Text of this form, which whoever uses it judges; none by default.
    Text(&'static str),
}

/// Where a word stands in a list.
fn place(words: &str, word: &str) -> Option<u64> {
    delimited::list(words)
        .zip(0..)
        .find_map(|(known, place)| word.eq_ignore_ascii_case(known).then_some(place))
}

impl Values {
    /// A value: the number, the place of the word, or a bit for the place of each. `None`: it is wrong, or text.
    #[must_use]
    pub fn judge(&self, value: &str) -> Option<u64> {
        match *self {
            Number(_, least, most) => decimal::parse(value.as_bytes())
                .filter(|number| (u64::from(least)..=u64::from(most)).contains(number)),
            One(words) => place(
                words,
                match value {
                    "1" | "true" => "on",
                    "0" | "false" => "off",
                    word => word,
                },
            ),
            Any(words, _) => {
                let mut chosen = 0;
                for word in delimited::list(value) {
                    chosen |= 1 << place(words, word)?;
                }
                (chosen > 0).then_some(chosen)
            }
            Text(_) => None,
        }
    }

    /// The same of the default.
    #[must_use]
    pub const fn default(&self) -> u64 {
        match *self {
            Number(number, ..) => number as u64,
            Any(_, chosen) => chosen as u64,
            One(_) | Text(_) => 0,
        }
    }

    /// Writes what is possible.
    pub fn push_possible(&self, out: &mut Vec<u8>) {
        match *self {
            Number(_, least, most) => {
                decimal::push(out, u64::from(least));
                out.extend_from_slice(b" to ");
                decimal::push(out, u64::from(most));
            }
            One(form) | Any(form, _) | Text(form) => out.extend_from_slice(form.as_bytes()),
        }
    }

    /// Writes the default.
    pub fn push_default(&self, out: &mut Vec<u8>) {
        let (words, mut chosen) = match *self {
            Number(number, ..) => return decimal::push(out, u64::from(number)),
            One(words) => (words, 1),
            Any(words, chosen) => (words, chosen),
            Text(_) => ("none", 1),
        };
        let mut comma: &[u8] = b"";
        for word in delimited::list(words) {
            if chosen & 1 == 1 {
                out.extend_from_slice(comma);
                out.extend_from_slice(word.as_bytes());
                comma = b",";
            }
            chosen >>= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ON_OFF: Values = One("on, off");
    const TYPES: Values = Any("platform, function, extension", 0b011);

    #[test]
    fn values_are_judged() {
        for (values, value, judged) in [
            (&ON_OFF, "on", Some(0)),
            (&ON_OFF, "OFF", Some(1)),
            (&ON_OFF, "true", Some(0)),
            (&ON_OFF, "0", Some(1)),
            (&ON_OFF, "maybe", None),
            (&Number(5, 1, 10), "1", Some(1)),
            (&Number(5, 1, 10), "10", Some(10)),
            (&Number(5, 1, 10), "0", None),
            (&Number(5, 1, 10), "11", None),
            (&Number(5, 1, 10), "4294967301", None),
            (&Number(5, 1, 10), "5s", None),
            (&TYPES, "extension,Function", Some(0b110)),
            (&TYPES, "function, function", Some(0b010)),
            (&TYPES, "function,all", None),
            (&TYPES, ",", None),
            (&Text("a=b"), "a=b", None),
        ] {
            assert_eq!(values.judge(value), judged, "{value}");
        }
    }
}
