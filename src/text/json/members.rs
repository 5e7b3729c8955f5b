//! The members of an object, where they stand.

use super::scan::{Scan, behind_space, behind_string};
use super::{Cut, Member, Value};

/// The members of an object, top level only, in order. Tolerant: stops at the first malformed byte.
pub struct Members<'a> {
    object: &'a [u8],
    rest: &'a [u8],
    /// Offset where the kept bytes of a cut value end; the length of the object once that is passed.
    cut_at: usize,
    walk: Walk,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    Before,
    Between,
    Stopped,
    EndedWell,
}

/// The members of an object. `cut` is the element's, if the object is an element.
///
/// A text that was truncated somewhere, such as a cut nested value, is walked as far as it goes: its last member
/// may be incomplete.
pub fn members<'a>(object: &'a [u8], cut: Option<&Cut>) -> Members<'a> {
    let cut_at = cut.map_or(object.len(), |cut| cut.at);
    Members {
        object,
        rest: object,
        cut_at,
        walk: Walk::Before,
    }
}

impl Members<'_> {
    /// After the last member: the object was closed, and only white space is behind it.
    pub fn ended_well(&self) -> bool {
        self.walk == Walk::EndedWell
    }

    /// Offset of the next byte to read; after a member, that behind its value.
    pub(super) fn offset(&self) -> usize {
        self.object.len().saturating_sub(self.rest.len())
    }

    /// The next byte that is not white space.
    fn token(&mut self) -> Option<u8> {
        let (&byte, rest) = behind_space(self.rest).split_first()?;
        self.rest = rest;
        Some(byte)
    }
}

impl<'a> Members<'a> {
    fn step(&mut self) -> Option<Member<'a>> {
        let first = self.walk == Walk::Before;
        let mut token = self.token()?;
        if first {
            if token != b'{' {
                return None;
            }
            self.walk = Walk::Between;
            token = self.token()?;
        }
        if token == b'}' {
            if behind_space(self.rest).is_empty() {
                self.walk = Walk::EndedWell;
            }
            return None;
        }
        if !first {
            if token != b',' {
                return None;
            }
            token = self.token()?;
        }
        if token != b'"' {
            return None;
        }
        let text = self.rest;
        self.rest = behind_string(text, &mut false)?;
        let key = text.get(..text.len().checked_sub(self.rest.len())?.checked_sub(1)?)?;
        if self.token()? != b':' {
            return None;
        }
        self.value(key)
    }

    fn value(&mut self, key: &'a [u8]) -> Option<Member<'a>> {
        let text = behind_space(self.rest);
        self.rest = text;
        let offset = self.offset();
        // The cut value has no end before `cut_at`, and every value before it does. Once passed, it is no bound.
        let window = match self.cut_at.checked_sub(offset) {
            Some(bytes) if bytes > 0 => text.get(..bytes).unwrap_or(text),
            _ => text,
        };
        let end = Scan::new().value_end(window, 0).ok()?;
        let complete = end.is_some();
        let (value_text, rest) = text.split_at_checked(end.unwrap_or(window.len()))?;
        let value = Value::of(value_text, complete)?;
        self.rest = match (value, rest) {
            (Value::String(_), [b'"', behind @ ..]) if !complete => behind,
            _ => rest,
        };
        Some(Member {
            key,
            value,
            offset,
            complete,
        })
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Member<'a>;

    fn next(&mut self) -> Option<Member<'a>> {
        if matches!(self.walk, Walk::Stopped | Walk::EndedWell) {
            return None;
        }
        let member = self.step();
        if member.is_none() && self.walk != Walk::EndedWell {
            self.walk = Walk::Stopped;
        }
        member
    }
}

impl<'a> Value<'a> {
    /// The kind is that of the first byte; an incomplete literal is taken for the one it begins.
    pub(super) fn of(text: &'a [u8], complete: bool) -> Option<Value<'a>> {
        let literal = |name: &[u8]| {
            if complete {
                text == name
            } else {
                name.starts_with(text)
            }
        };
        match text {
            [b'"', inside @ .., b'"'] if complete => Some(Value::String(inside)),
            [b'"', inside @ ..] => Some(Value::String(inside)),
            [b'{' | b'[', ..] => Some(Value::Nested(text)),
            [b'-' | b'0'..=b'9', ..] => Some(Value::Number(text)),
            [b't', ..] if literal(b"true") => Some(Value::True),
            [b'f', ..] if literal(b"false") => Some(Value::False),
            [b'n', ..] if literal(b"null") => Some(Value::Null),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::text;
    use super::*;

    #[test]
    fn members_of_truncated_and_damaged_objects() {
        for (object, expected, well) in [
            ("{}", vec![], true),
            (" { } ", vec![], true),
            (r#"{"a":1}"#, vec!["a=1"], true),
            (
                " {\"a\" : true\t,\n\"b\\\"\":[1,{}] , \"c\":\"x\" } ",
                vec!["a=true", "b\\\"=[1,{}]", "c=x"],
                true,
            ),
            (r#"{"a":1} x"#, vec!["a=1"], false),
            (r#"{"a":1}}"#, vec!["a=1"], false),
            (r#"{"a":1,}"#, vec!["a=1"], false),
            (r#"{,"a":1}"#, vec![], false),
            (r#"{"a":1 "b":2}"#, vec!["a=1"], false),
            (r#"{"a":truth,"b":1}"#, vec![], false),
            (r#"{"a":true,"b":[}]}"#, vec!["a=true"], false),
            (r#"{"a":,"b":1}"#, vec![], false),
            (r#"{"a":x}"#, vec![], false),
            (r#"{"a" 1}"#, vec![], false),
            ("{a:1}", vec![], false),
            ("", vec![], false),
            ("[]", vec![], false),
            ("[\"a\":1}", vec![], false),
            ("x\"a\":1}", vec![], false),
            ("{\"a\":truex}", vec![], false),
            ("{\"a\":tru}", vec![], false),
            ("\"a\"", vec![], false),
            (r#"{"a":12"#, vec!["a=12?"], false),
            (r#"{"a":fal"#, vec!["a=false?"], false),
            (r#"{"a":"x\"#, vec!["a=x\\?"], false),
            (r#"{"a":""#, vec!["a=?"], false),
            (r#"{"a":{"b":[1"#, vec![r#"a={"b":[1?"#], false),
            (r#"{"a":1,"b":"#, vec!["a=1"], false),
            (r#"{"a":1,"b"#, vec!["a=1"], false),
        ] {
            let mut walk = members(object.as_bytes(), None);
            let found: Vec<_> = walk
                .by_ref()
                .map(|member| {
                    let key = String::from_utf8_lossy(member.key);
                    let value = String::from_utf8_lossy(text(&member.value));
                    let mark = if member.complete { "" } else { "?" };
                    format!("{key}={value}{mark}")
                })
                .collect();
            assert_eq!(
                (found, walk.ended_well()),
                (expected.iter().map(ToString::to_string).collect(), well),
                "{object}"
            );
        }
        let offsets: Vec<_> = members(br#"{"a": 1,"b":[2]}"#, None)
            .map(|member| member.offset)
            .collect();
        assert_eq!(offsets, [6, 12]);
    }
}
