//! Numbers as people read them.

/// `232,960`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The difference with its sign: `+312`, `-1,024`, and `0` as it is.
pub(crate) fn change(now: u64, before: u64) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Greater => format!("+{}", grouped(now - before)),
        std::cmp::Ordering::Equal => "0".to_string(),
        std::cmp::Ordering::Less => format!("-{}", grouped(before - now)),
    }
}

/// `12.3 %` of a whole.
pub(crate) fn share(part: u64, whole: u64) -> String {
    format!("{:.1} %", percent(part, whole))
}

pub(crate) fn percent(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn a_change_has_a_sign() {
        assert_eq!(change(1500, 100), "+1,400");
        assert_eq!(change(100, 1500), "-1,400");
        assert_eq!(change(7, 7), "0");
    }
}
