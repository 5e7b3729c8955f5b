//! Raw JSON: the elements of an array in any chunking, the members of an object, string escapes.
//!
//! Nothing here builds values. A text is found, cut, copied or escaped where it stands, because the bytes of a log
//! line are read once and written once. The scanner knows strings, escapes and brackets, and no more grammar than
//! that: what lies inside an element is judged by whoever asks for its members.
//!
//! ```text
//! body bytes ──▶ Elements ──▶ Element ──▶ members ──▶ Member ──▶ append_raw_string ──▶ batch
//! ```

mod elements;
mod escapes;
mod items;
mod members;
mod numbers;
#[cfg(test)]
mod random;
mod scan;
mod strings;

pub use elements::Elements;
pub use items::{Items, items};
pub use members::{Members, members};
pub use numbers::{integer, number_is_valid};
pub use strings::{
    append_canonical_strings, append_escaped, append_raw_string, append_text, append_unescaped,
    canonical, clean_string,
};

/// The text is not the JSON it ought to be, and nothing behind the fault can be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed;

/// One element of the array.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Element<'a> {
    /// Its text, without white space around it.
    pub raw: &'a [u8],
    /// What was taken out of it, if it was longer than the capacity.
    pub cut: Option<Cut>,
}

/// Where the value of one member was cut because its element was longer than the capacity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Offset in the element of the first byte behind the kept ones. If the value is a string, its closing quote
    /// stands there, so the element is valid JSON. If it is an object, an array or a number, the text ends there
    /// in the middle, and what stands there is what followed the value.
    pub at: usize,
    /// Bytes the value had on the wire, with its quotes or brackets.
    pub original_bytes: usize,
}

/// The value of a member, as text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// What stands between the quotes, still escaped, and not checked.
    String(&'a [u8]),
    /// Begins like a number; see `number_is_valid`.
    Number(&'a [u8]),
    True,
    False,
    Null,
    /// The text of an object or array, with its brackets. They match; its inside is not checked.
    Nested(&'a [u8]),
}

/// One member of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member<'a> {
    /// What stands between the quotes, still escaped.
    pub key: &'a [u8],
    pub value: Value<'a>,
    /// Of the value's first byte in the object's text.
    pub offset: usize,
    /// False if the value was cut, or the text ended inside it: `value` is then what is there.
    pub complete: bool,
}

/// The text of a value, without the quotes of a string.
pub fn text<'a>(value: &Value<'a>) -> &'a [u8] {
    match value {
        Value::String(text) | Value::Number(text) | Value::Nested(text) => text,
        Value::True => b"true",
        Value::False => b"false",
        Value::Null => b"null",
    }
}
