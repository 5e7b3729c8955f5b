//! Against std, which reads and writes every double exactly.

use super::*;
use crate::random::Numbers;

fn text(value: f64) -> String {
    let mut out = b"x".to_vec();
    push(&mut out, value);
    String::from_utf8(out.split_off(1)).unwrap()
}

/// Doubles between two of one sign, counted.
fn distance(one: f64, other: f64) -> u64 {
    one.to_bits().abs_diff(other.to_bits())
}

struct Random(Numbers);

impl Random {
    fn next(&mut self) -> u64 {
        self.0.next()
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Any finite double.
    fn double(&mut self) -> f64 {
        loop {
            let value = f64::from_bits(self.next());
            if value.is_finite() {
                return value;
            }
        }
    }
}

/// Doubles that are hard to read or write: powers of two and ten, and their neighbours.
fn tricky() -> Vec<f64> {
    let powers_of_two = (0..2046u64).map(|exponent| f64::from_bits(exponent << 52));
    let powers_of_ten = (-323..309).map(|tens| format!("1e{tens}").parse().unwrap());
    let mut values = vec![f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1 + 0.2, 2.0 / 3.0];
    for value in powers_of_two.chain(powers_of_ten) {
        let bits = f64::to_bits(value);
        let neighbours = [bits.saturating_sub(1), bits, bits + 1].map(f64::from_bits);
        values.extend(neighbours.into_iter().filter(|value| value.is_finite()));
    }
    values
}

#[test]
fn reads_what_is_written_by_hand() {
    for (text, expected) in [
        ("0", Some(0.0)),
        ("1", Some(1.0)),
        ("-2.5", Some(-2.5)),
        ("+7", Some(7.0)),
        (".5", Some(0.5)),
        ("5.", Some(5.0)),
        ("1e3", Some(1000.0)),
        ("1E+3", Some(1000.0)),
        ("12.5e-1", Some(1.25)),
        ("00012", Some(12.0)),
        ("1e-400", Some(0.0)),
        ("0e9999999999", Some(0.0)),
        ("1.7976931348623157e308", Some(f64::MAX)),
        ("9007199254740993", Some(9_007_199_254_740_992.0)),
        ("18446744073709551616", Some(18_446_744_073_709_551_616.0)),
        ("1e400", None),
        ("1.7976931348623159e308", None),
        ("1e99999999999999999999", None),
        ("", None),
        ("-", None),
        (".", None),
        ("e5", None),
        ("1e", None),
        ("1e+", None),
        ("1e1.5", None),
        ("1.2.3", None),
        ("--1", None),
        ("+-1", None),
        ("NaN", None),
        ("nan", None),
        ("inf", None),
        ("Infinity", None),
        ("0x10", None),
        ("1,5", None),
        (" 1", None),
        ("1 ", None),
        ("1_000", None),
    ] {
        assert_eq!(parse(text.as_bytes()), expected, "{text}");
    }
    assert!(parse(b"-0").unwrap().is_sign_negative());
}

#[test]
fn length_does_not_matter() {
    let zeros = "0".repeat(60_000);
    for (text, expected) in [
        (format!("0.{zeros}15e60001"), 1.5),
        (format!("{zeros}1.5{zeros}"), 1.5),
        (format!("15{zeros}e-60001"), 1.5),
        ("123456789".repeat(7), 1.234_567_891_234_567_9e62),
        (format!("0.{}", "3".repeat(5000)), 1.0 / 3.0),
    ] {
        assert_eq!(parse(text.as_bytes()), Some(expected));
    }
    assert_eq!(parse(format!("1{zeros}").as_bytes()), None);
}

/// Up to 2⁵³ digits and 10^±22: the same as std, always.
#[test]
fn short_numbers_are_read_exactly() {
    let mut random = Random(Numbers(0x9e37_79b9_7f4a_7c15));
    for _ in 0..400_000 {
        let digits = random.next() >> 11 >> random.below(53);
        let tens = random.below(45) as i32 - 22;
        let text = format!("{digits}e{tens}");
        assert_eq!(parse(text.as_bytes()), text.parse().ok(), "{text}");
        let places = random.below(20) as usize;
        let text = format!("-{}.{digits:0places$}", random.below(1000));
        if text.len() < 17 {
            assert_eq!(parse(text.as_bytes()), text.parse().ok(), "{text}");
        }
    }
}

/// All others: nearly always the same, else the neighbour.
#[test]
fn long_numbers_are_read_closely() {
    let mut random = Random(Numbers(0x1234_5678_9abc_def1));
    let mut neighbours = 0;
    let texts = tricky().into_iter().map(|value| format!("{value:e}"));
    let tricky_texts: Vec<_> = texts.collect();
    let count = 400_000;
    for number in 0..count {
        let text = match number % 4 {
            0 => format!("{:e}", random.double()),
            1 => format!(
                "{}",
                f64::from_bits(random.next() >> 12 | (1000 + random.below(60)) << 52)
            ),
            2 => format!("{}e{}", random.next(), random.below(640) as i32 - 340),
            _ => tricky_texts[number / 4 % tricky_texts.len()].clone(),
        };
        let expected: f64 = text.parse().unwrap();
        let found = parse(text.as_bytes());
        let far = match found {
            Some(found) => distance(found, expected),
            None => distance(f64::INFINITY, expected.abs()),
        };
        assert!(far <= 1, "{text}: {found:?}");
        neighbours += u64::from(far > 0);
    }
    println!("{neighbours} neighbours in {count}");
    assert!(neighbours < count as u64 / 100);
}

#[test]
fn writes_what_one_would_write_by_hand() {
    for (value, expected) in [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.0, "-1"),
        (0.1, "0.1"),
        (-123.5, "-123.5"),
        (185.377, "185.377"),
        (0.000_001, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (5e-324, "4.94065645841247e-324"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1.0 / 3.0, "0.3333333333333333"),
        (268_435_456.0, "268435456"),
        (1e15, "1000000000000000"),
        (1e19, "10000000000000000000"),
        (18_446_744_073_709_549_568.0, "18446744073709549568"),
        (18_446_744_073_709_551_616.0, "1.8446744073709552e19"),
        (1e21, "1e21"),
        (1e300, "1e300"),
        (-f64::MAX, "-1.7976931348623157e308"),
    ] {
        assert_eq!(text(value), expected);
    }
}

/// From 10⁻⁶ to 2⁶⁴ what is written reads back the same, and is as short as what std writes, which is the shortest.
#[test]
fn the_range_of_metrics_is_written_exactly() {
    let mut random = Random(Numbers(0x0123_4567_89ab_cdef));
    let mut values = tricky();
    for _ in 0..400_000 {
        // 2⁻²⁰ to 2⁶⁴.
        values.push(f64::from_bits(
            random.next() >> 12 | (1003 + random.below(84)) << 52,
        ));
        values.push(random.below(1 << 40) as f64 / 10f64.powi(random.below(9) as i32));
    }
    let mut checked = 0;
    for value in values {
        if !(1e-6..18_446_744_073_709_551_616.0).contains(&value) {
            continue;
        }
        let written = text(value);
        assert_eq!(written.parse(), Ok(value), "{written}");
        assert!(
            crate::text::json::number_is_valid(written.as_bytes()),
            "{written}"
        );
        let shortest = format!("{value}");
        assert!(written.len() <= shortest.len(), "{written} for {shortest}");
        assert!(written.len() <= 24, "{written}");
        checked += 1;
    }
    assert!(checked > 700_000);
}

/// Everywhere: valid JSON, not longer than 24 bytes and a sign, 15 right digits, and mostly all.
#[test]
fn every_double_is_written_closely() {
    let mut random = Random(Numbers(0xfeed_0000_0000_0001));
    let mut values = tricky();
    values.extend((0..400_000).map(|_| random.double()));
    let mut others = 0;
    for value in &values {
        let written = text(*value);
        assert!(
            crate::text::json::number_is_valid(written.as_bytes()),
            "{written}"
        );
        assert!(written.len() <= 25, "{written}");
        let read: f64 = written.parse().unwrap();
        assert!(
            distance(read, *value) <= 1,
            "{written} is {read:e}, not {value:e}"
        );
        others += u64::from(read != *value);
    }
    println!("{others} of {} read as their neighbour", values.len());
    assert!(others < values.len() as u64 / 50);
}
