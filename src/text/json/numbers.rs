//! JSON numbers, as far as they are looked into.

/// Whether the text is a number by the grammar of RFC 8259, section 6.
pub fn number_is_valid(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let mut rest = match text {
        [b'0', rest @ ..] => rest,
        _ => match behind_digits(text) {
            Some(rest) => rest,
            None => return false,
        },
    };
    if let [b'.', fraction @ ..] = rest {
        match behind_digits(fraction) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    if let [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] = rest {
        match behind_digits(exponent) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    rest.is_empty()
}

/// The value of a JSON number that is a whole one and fits, written as `694` or `694.0`. No signs, no exponents.
pub fn integer(text: &[u8]) -> Option<u64> {
    if !number_is_valid(text) {
        return None;
    }
    let mut value = 0u64;
    let mut in_fraction = false;
    for &byte in text {
        match byte {
            b'.' => in_fraction = true,
            b'0' if in_fraction => {}
            b'0'..=b'9' if !in_fraction => {
                value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
            }
            _ => return None,
        }
    }
    Some(value)
}

/// What follows the digits at the start of the text, if there is one.
fn behind_digits(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text;
    while let [b'0'..=b'9', behind @ ..] = rest {
        rest = behind;
    }
    (rest.len() < text.len()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, valid, value) in [
            ("0", true, Some(0)),
            ("694", true, Some(694)),
            ("694.0", true, Some(694)),
            ("694.000", true, Some(694)),
            ("694.5", true, None),
            ("6.94e2", true, None),
            ("18446744073709551615", true, Some(u64::MAX)),
            ("18446744073709551616", true, None),
            ("99999999999999999999999", true, None),
            ("-1", true, None),
            ("-0", true, None),
            ("0.1", true, None),
            ("-0.0e+10", true, None),
            ("1E9", true, None),
            ("1e-9", true, None),
            ("007", false, None),
            ("01", false, None),
            ("", false, None),
            ("-", false, None),
            ("+1", false, None),
            ("1.", false, None),
            (".5", false, None),
            ("1e", false, None),
            ("1e+", false, None),
            ("1x", false, None),
            ("0x10", false, None),
            ("1.0.0", false, None),
            ("NaN", false, None),
        ] {
            assert_eq!(number_is_valid(text.as_bytes()), valid, "{text}");
            assert_eq!(integer(text.as_bytes()), value, "{text}");
            assert_eq!(
                serde_json::from_str::<serde_json::Number>(text).is_ok(),
                valid,
                "{text}"
            );
        }
    }
}
