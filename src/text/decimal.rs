//! Numbers as text, without the formatting machinery of std (which costs more than a kilobyte of binary).

/// Appends `value` in decimal.
pub fn push(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0u8; 20];
    let mut used = 0;
    // Two at a time: every record has a time of 19 digits.
    for pair in digits.rchunks_exact_mut(2) {
        let low = (value % 100) as u8;
        value /= 100;
        pair.copy_from_slice(&[b'0' + low / 10, b'0' + low % 10]);
        used += 2;
        if value == 0 {
            used -= usize::from(low < 10);
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// Reads an unsigned decimal number that fills the whole of `text`.
#[must_use]
pub fn parse(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Reads hexadecimal text of exactly `2 * N` digits, either case.
#[must_use]
pub fn parse_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        for digit in pair {
            *byte = (*byte << 4) | (*digit as char).to_digit(16)? as u8;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_both_ways() {
        for value in [0, 1, 9, 10, 99, 100, 1_795_264_503_120, u64::MAX] {
            let mut text = Vec::new();
            push(&mut text, value);
            assert_eq!(text, value.to_string().as_bytes());
            assert_eq!(parse(&text), Some(value));
        }
        for wrong in ["", "-1", "1.0", "18446744073709551616", " 1"] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn hex() {
        let bytes = Some([0x00, 0x0f, 0xa5, 0xff]);
        assert_eq!(parse_hex::<4>(b"000fa5ff"), bytes);
        assert_eq!(parse_hex::<4>(b"000FA5FF"), bytes);
        for wrong in [b"000fa5f".as_slice(), b"000fa5fg", b""] {
            assert_eq!(parse_hex::<4>(wrong), None);
        }
    }
}
