//! Lists of `name=value`: headers and resource attributes, in the form of W3C Baggage, as OpenTelemetry prescribes; and what a
//! percent stands for.

use crate::text::decimal;

/// What [`super::variables::Variables`] puts where a value is not UTF-8: U+FFFD.
const NO_TEXT: &[u8] = b"\xef\xbf\xbd";

/// Whether a value of the environment is text throughout.
pub fn is_text(value: &str) -> bool {
    !value.as_bytes().windows(3).any(|letter| letter == NO_TEXT)
}

/// One pair `name=value`; the value percent-decoded. The name must be a token, the value printable.
pub fn pair(pair: &str) -> Option<(&str, String)> {
    let (name, value) = crate::text::delimited::cut(pair, b'=')?;
    let (name, value) = (name.trim_ascii(), value.trim_ascii());
    let is_name = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$&'*+^`|~".contains(&byte));
    let decoded = String::from_utf8(percent_decoded(value)?).ok()?;
    let is_value = is_text(value) && !decoded.bytes().any(|byte| byte.is_ascii_control());
    (is_name && is_value).then_some((name, decoded))
}

/// `None`: a percent sign without two hexadecimal digits behind it.
pub fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match (byte, behind) {
            (b'%', [high, low, behind @ ..]) => {
                let [byte] = decimal::parse_hex::<1>(&[*high, *low])?;
                decoded.push(byte);
                rest = behind;
            }
            (b'%', _) => return None,
            (byte, _) => decoded.push(*byte),
        }
    }
    Some(decoded)
}
