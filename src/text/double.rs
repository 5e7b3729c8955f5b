//! Doubles as text and back, without std's code for it, which costs 28 kB of binary.
//!
//! Both ways rest on powers of ten. The small ones are exact, in a double up to 10²² and in 128 bits above that; with them
//! nearly every number of a real metric is read and written exactly. The large ones have 64 bits, which leaves an error far
//! below that of a double itself.

use crate::text::decimal;

/// The bits of 10¹, 10², 10⁴ … 10²⁵⁶, the first of them set.
const POWERS: [u64; 9] = [
    0xa000_0000_0000_0000,
    0xc800_0000_0000_0000,
    0x9c40_0000_0000_0000,
    0xbebc_2000_0000_0000,
    0x8e1b_c9bf_0400_0000,
    0x9dc5_ada8_2b70_b59e,
    0xc278_1f49_ffcf_a6d5,
    0x93ba_47c9_80e9_8ce0,
    0xaa7e_ebfb_9df9_de8e,
];
/// The same of 10⁻¹ … 10⁻²⁵⁶.
const NEGATIVE_POWERS: [u64; 9] = [
    0xcccc_cccc_cccc_cccd,
    0xa3d7_0a3d_70a3_d70a,
    0xd1b7_1758_e219_652c,
    0xabcc_7711_8461_cefd,
    0xe695_94be_c44d_e15b,
    0xcfb1_1ead_4539_94ba,
    0xa87f_ea27_a539_e9a5,
    0xddd0_467c_64bc_e4a1,
    0xc031_4325_637a_193a,
];
/// Largest power of ten that is exact in a double.
const EXACT_TENS_MAX: u32 = 22;
/// Whole numbers up to here are exact in a double.
const EXACT_MAX: u64 = 1 << 53;
/// One digit more fits below this.
const ANOTHER_DIGIT_MAX: u64 = u64::MAX / 10 - 1;

/// Reads a decimal number that fills the whole of `text`: digits, perhaps a sign, a point, an exponent. One that is too
/// large for a double is none. Exact (the nearest double) if the digits are a number up to 2⁵³ and the exponent is within
/// ±22; else at most the neighbour of that.
#[must_use]
pub fn parse(text: &[u8]) -> Option<f64> {
    let (is_negative, mut rest) = signed(text);
    let (mut digits, mut tens) = (0u64, 0i32);
    let (mut has_digit, mut in_fraction) = (false, false);
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match byte {
            b'0'..=b'9' => {
                has_digit = true;
                if digits < ANOTHER_DIGIT_MAX {
                    digits = digits * 10 + u64::from(byte - b'0');
                    tens -= i32::from(in_fraction);
                } else {
                    tens += i32::from(!in_fraction);
                }
            }
            b'.' if !in_fraction => in_fraction = true,
            b'e' | b'E' if has_digit => {
                tens += exponent(rest)?;
                break;
            }
            _ => return None,
        }
    }
    let value = scale(digits, tens);
    let is_number = has_digit && value.is_finite();
    is_number.then_some(if is_negative { -value } else { value })
}

fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// Far beyond a double it does not matter how far, but 0.000…1e1000 must be a number, however many zeros it has.
fn exponent(text: &[u8]) -> Option<i32> {
    const FAR: u64 = 1_000_000;
    let (is_negative, digits) = signed(text);
    let value = decimal::parse(digits)?.min(FAR) as i32;
    Some(if is_negative { -value } else { value })
}

/// `digits` · 10^`tens`; infinite if that is too large.
fn scale(digits: u64, tens: i32) -> f64 {
    if digits <= EXACT_MAX && tens.unsigned_abs() <= EXACT_TENS_MAX {
        let power = (0..tens.unsigned_abs()).fold(1.0, |power, _| power * 10.0);
        let digits = digits as f64;
        return if tens < 0 {
            digits / power
        } else {
            digits * power
        };
    }
    match tens {
        _ if digits == 0 => 0.0,
        ..-400 => 0.0,
        400.. => f64::INFINITY,
        _ => {
            let (bits, exponent) = times_power_of_ten(digits, 0, tens);
            rounded(bits, exponent)
        }
    }
}

/// `mantissa` · 2^`exponent` · 10^`tens`, as 64 bits, the first of them set, and the power of two they are multiplied with.
/// `mantissa` is not 0, `tens` within ±511.
fn times_power_of_ten(mantissa: u64, exponent: i32, tens: i32) -> (u64, i32) {
    let zeros = mantissa.leading_zeros();
    let (mut bits, mut exponent) = (mantissa << zeros, exponent - zeros as i32);
    let powers = if tens < 0 { &NEGATIVE_POWERS } else { &POWERS };
    for (number, power) in powers.iter().enumerate() {
        if tens.unsigned_abs() >> number & 1 == 0 {
            continue;
        }
        let product = u128::from(bits) * u128::from(*power);
        // Of two numbers whose first bit is set, one of the first two is.
        let shift = product.leading_zeros();
        let product = product << shift;
        // What is lost shows in the last bit, so that no tie comes out that is none.
        bits = (product >> 64) as u64 | u64::from(product as u64 != 0);
        let ten_exponent = tens.signum() << number;
        // 217706 / 2¹⁶ is the binary logarithm of ten, closely enough for all these.
        exponent += ((ten_exponent * 217_706) >> 16) + 1 - shift as i32;
    }
    (bits, exponent)
}

/// The double nearest to `bits` · 2^`exponent`; the first bit is set.
#[inline(never)]
fn rounded(bits: u64, exponent: i32) -> f64 {
    // Of the first bit; doubles below 2⁻¹⁰²² have fewer than 53 bits.
    let first = exponent + 63;
    let shift = 11 + (-1022 - first).max(0);
    if shift > 64 {
        return 0.0;
    }
    if first > 1023 {
        return f64::INFINITY;
    }
    let wide = u128::from(bits);
    let is_odd = wide >> shift & 1;
    let mantissa = (wide + (1 << (shift - 1)) - 1 + is_odd) >> shift;
    // The mantissa's own first bit adds one to the exponent.
    let biased = (first + 1022).max(0) as u64;
    f64::from_bits((biased << 52) + mantissa as u64)
}

/// Appends a finite number as JSON: the shortest of its 15, 16 or 17 digits that reads back the same, for 10⁻⁶ up to 2⁶⁴;
/// whole numbers up to there have all their digits. Beyond that, with an exponent, reading it may give the neighbour.
pub fn push(out: &mut Vec<u8>, value: f64) {
    debug_assert!(value.is_finite(), "JSON has no other numbers");
    if value < 0.0 {
        out.push(b'-');
    }
    let magnitude = value.abs();
    let whole = magnitude as u64;
    if whole as f64 == magnitude && whole < u64::MAX {
        decimal::push(out, whole);
    } else if magnitude >= 1e-6 && whole < EXACT_MAX {
        let (mantissa, exponent) = parts(magnitude);
        push_fraction(out, mantissa, exponent.unsigned_abs());
    } else {
        push_scientific(out, magnitude);
    }
}

/// The double is mantissa · 2^exponent.
fn parts(magnitude: f64) -> (u64, i32) {
    let bits = magnitude.to_bits();
    let mantissa = bits & ((1 << 52) - 1);
    match (bits >> 52) as i32 {
        0 => (mantissa, -1074),
        biased => (mantissa | 1 << 52, biased - 1075),
    }
}

/// Of the power of ten below 2^`exponent`.
const fn decimal_exponent(exponent: i32) -> i32 {
    // 78913 / 2¹⁸ is the decimal logarithm of two, closely enough for a double.
    (exponent * 78_913) >> 18
}

/// A number that is not whole: `mantissa` of 53 bits, divided by 2^`shift`, which is at most 72. All of it is exact:
/// 2⁵³ · 10²² has 126 bits.
fn push_fraction(out: &mut Vec<u8>, mantissa: u64, shift: u32) {
    // No more than 15 digits at first: the number is less than 2^(53 - shift).
    let mut places = (14 - decimal_exponent(53 - shift as i32)).max(0) as u32;
    let mut power = (0..places).fold(1, |power, _| power * 10);
    let unit = 1u128 << shift;
    let mut digits = loop {
        let exact = u128::from(mantissa) * power;
        let behind = exact & (unit - 1);
        let is_up = behind >= unit / 2;
        let error = if is_up { unit - behind } else { behind };
        // Half the distance to the next double is `power` / 2, which is more than any error of 17 digits. Below a power of two
        // it is half of that, but those from here on have 14 digits, and no error.
        if error * 2 < power {
            break (exact >> shift) as u64 + u64::from(is_up);
        }
        places += 1;
        power *= 10;
    };
    while digits.is_multiple_of(10) && places > 1 {
        digits /= 10;
        places -= 1;
    }
    let start = out.len();
    decimal::push(out, digits);
    let places = places as usize;
    while out.len() - start <= places {
        insert(out, start, b'0');
    }
    let point_at = out.len() - places;
    insert(out, point_at, b'.');
}

fn push_scientific(out: &mut Vec<u8>, magnitude: f64) {
    const DIGITS_19: u64 = 1_000_000_000_000_000_000;
    let (mantissa, exponent) = parts(magnitude);
    let mut tens = 17 - decimal_exponent(exponent + 63 - mantissa.leading_zeros() as i32);
    let (bits, exponent) = times_power_of_ten(mantissa, exponent, tens);
    // 18 digits, or 19, because the power of ten was that of the power of two below.
    let mut exact = bits >> (-exponent).clamp(0, 63);
    if exact >= DIGITS_19 {
        exact /= 10;
        tens -= 1;
    }
    let mut unit = 1000;
    let mut digits = loop {
        let digits = (exact + unit / 2) / unit * unit;
        if unit == 10 || scale(digits, -tens) == magnitude {
            break digits;
        }
        unit /= 10;
    };
    while digits >= 10 && digits.is_multiple_of(10) {
        digits /= 10;
        tens -= 1;
    }
    let start = out.len();
    decimal::push(out, digits);
    let behind_point = out.len() - start - 1;
    if behind_point > 0 {
        insert(out, start + 1, b'.');
    }
    let exponent = behind_point as i32 - tens;
    out.push(b'e');
    if exponent < 0 {
        out.push(b'-');
    }
    decimal::push(out, u64::from(exponent.unsigned_abs()));
}

/// Once in the binary, and not three times.
#[inline(never)]
fn insert(out: &mut Vec<u8>, at: usize, byte: u8) {
    out.insert(at, byte);
}

#[cfg(test)]
mod tests;
