//! Times as text: RFC 3339, as Lambda and the loggers write it, to nanoseconds since 1970 and back; and what `Retry-After` says.

use crate::clock::Wall;
use crate::text::decimal;
use crate::text::equal::equal;

/// The form of a time down to the second.
const FORM: &[u8; 19] = b"0000-00-00T00:00:00";

/// Reads `2026-11-21T09:15:00.101Z`: any number of fraction digits (nine count), `Z` or an offset, `T` or a space.
/// Gives nanoseconds since 1970-01-01 UTC and whether there was a fraction. `None` before 1970 and after 2500.
#[must_use]
pub fn parse(text: &[u8]) -> Option<(u64, bool)> {
    let (time, rest) = text.split_at_checked(FORM.len())?;
    let mut fields = [0; 6];
    let mut places = fields.iter_mut();
    let mut field = places.next()?;
    for (byte, form) in time.iter().zip(FORM) {
        let digit = byte.wrapping_sub(b'0');
        if *form == b'0' && digit <= 9 {
            *field = *field * 10 + u64::from(digit);
        } else if byte == form || *form == b'T' && matches!(byte, b't' | b' ') {
            field = places.next()?;
        } else {
            return None;
        }
    }
    let local = unix_seconds(fields)?;
    let (nanoseconds, has_fraction, zone) = fraction(rest)?;
    let seconds = local.checked_add_signed(-60 * zone_minutes(zone)?)?;
    Some((seconds * 1_000_000_000 + nanoseconds, has_fraction))
}

/// How long `Retry-After` says, in milliseconds from now: seconds, or a date as HTTP writes it (RFC 9110, section 5.6.7), but
/// for the form of C's `asctime`, which nobody sends. 0 if the date has passed.
#[must_use]
pub fn delay_ms(text: &[u8], now: Wall) -> Option<u64> {
    match decimal::parse(text) {
        Some(seconds) => Some(seconds.saturating_mul(1000)),
        None => Some((http_date(text)? * 1000).saturating_sub(now.0)),
    }
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, or `Sunday, 06-Nov-94 08:49:37 GMT`, to seconds since 1970-01-01 UTC. The name of
/// the day says nothing that the date does not; a year of two digits lies between 1970 and 2069.
#[inline(never)]
fn http_date(text: &[u8]) -> Option<u64> {
    let mut parts = text.split(|byte| matches!(byte, b' ' | b'-' | b':'));
    parts.next();
    let day = number(parts.next()?)?;
    let name = parts.next()?;
    let mut names = b"JanFebMarAprMayJunJulAugSepOctNovDec".chunks_exact(3);
    let month = names.position(|other| other == name)? as u64 + 1;
    let mut year = number(parts.next()?)?;
    if year < 100 {
        year += if year < 70 { 2000 } else { 1900 };
    }
    let mut time = [0; 3];
    for value in &mut time {
        *value = number(parts.next()?)?;
    }
    let [hour, minute, second] = time;
    let fields = [year, month, day, hour, minute, second];
    let is_whole = parts.next() == Some(b"GMT") && parts.next().is_none();
    unix_seconds(fields).filter(|_| is_whole)
}

/// Seconds since 1970-01-01 UTC of a date and a time of the day. `None` before 1970 and after 2500.
fn unix_seconds([year, month, day, hour, minute, second]: [u64; 6]) -> Option<u64> {
    let is_date =
        (1970..2500).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// Reads the times of a stream, most of which have the second of the one before: only their fraction is read.
#[derive(Default)]
pub struct Reader {
    /// The last date and time down to the second, and what it is.
    second: [u8; 19],
    unix_nano: u64,
}

impl Reader {
    #[must_use]
    pub const fn new() -> Reader {
        Reader {
            second: [0; 19],
            unix_nano: 0,
        }
    }

    /// As [`parse`], without the fraction's presence.
    pub fn parse(&mut self, text: &[u8]) -> Option<u64> {
        let (second, rest) = text.split_first_chunk::<19>()?;
        if equal(second, &self.second)
            && let [
                b'.',
                m0 @ b'0'..=b'9',
                m1 @ b'0'..=b'9',
                m2 @ b'0'..=b'9',
                b'Z',
            ] = *rest
        {
            let millisecond =
                u64::from(m0 - b'0') * 100 + u64::from(m1 - b'0') * 10 + u64::from(m2 - b'0');
            return Some(self.unix_nano + millisecond * 1_000_000);
        }
        let (unix_nano, _) = parse(text)?;
        if rest.last() == Some(&b'Z') {
            (self.second, self.unix_nano) = (*second, unix_nano - unix_nano % 1_000_000_000);
        }
        Some(unix_nano)
    }
}

/// Appends `2026-11-21T09:15:00.101Z`; the fraction has three digits, or nine if it needs them.
pub fn push(out: &mut Vec<u8>, unix_nano: u64) {
    let (seconds, nanoseconds) = (unix_nano / 1_000_000_000, unix_nano % 1_000_000_000);
    let (mut year, mut day_of_year) = (1970, seconds / 86_400);
    while day_of_year >= days_of_year(year) {
        day_of_year -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while day_of_year >= days_of_month(year, month) {
        day_of_year -= days_of_month(year, month);
        month += 1;
    }
    let parts = [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day_of_year + 1, 2, b'T'),
        (seconds / 3600 % 24, 2, b':'),
        (seconds / 60 % 60, 2, b':'),
        (seconds % 60, 2, b'.'),
    ];
    for (value, digits, behind) in parts {
        push_padded(out, value, digits);
        out.push(behind);
    }
    if nanoseconds % 1_000_000 == 0 {
        push_padded(out, nanoseconds / 1_000_000, 3);
    } else {
        push_padded(out, nanoseconds, 9);
    }
    out.push(b'Z');
}

fn push_padded(out: &mut Vec<u8>, value: u64, digits: u32) {
    for place in (0..digits).rev() {
        out.push(b'0' + (value / 10u64.pow(place) % 10) as u8);
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    crate::text::decimal::parse(digits)
}

/// The fraction in nanoseconds, whether there was one, and what is behind it.
fn fraction(text: &[u8]) -> Option<(u64, bool, &[u8])> {
    let [b'.' | b',', digits @ ..] = text else {
        return Some((0, false, text));
    };
    let mut nanoseconds = 0;
    let mut scale = 100_000_000;
    let mut rest = digits;
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        nanoseconds += u64::from(digit - b'0') * scale;
        scale /= 10;
        rest = behind;
    }
    (rest.len() < digits.len()).then_some((nanoseconds, true, rest))
}

/// Minutes east of UTC.
fn zone_minutes(zone: &[u8]) -> Option<i64> {
    let (sign, digits) = match zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [sign @ (b'+' | b'-'), digits @ ..] => (*sign, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(b":").unwrap_or(minutes);
    if minutes.len() != 2 {
        return None;
    }
    let minutes = (number(hours)? * 60 + number(minutes)?) as i64;
    Some(if sign == b'-' { -minutes } else { minutes })
}

const fn is_leap(year: u64) -> bool {
    (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400)
}

const fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

const fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let before = year - 1;
    let leap_days = before / 4 - before / 100 + before / 400 - 477;
    let months: u64 = (1..month).map(|month| days_of_month(year, month)).sum();
    (year - 1970) * 365 + leap_days + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_loggers_write() {
        for (text, expected) in [
            ("1970-01-01T00:00:00.000Z", Some((0, true))),
            (
                "2026-11-21T20:37:41.591Z",
                Some((1_795_293_461_591_000_000, true)),
            ),
            (
                "2026-11-21T20:37:41Z",
                Some((1_795_293_461_000_000_000, false)),
            ),
            (
                "2026-11-21 20:37:41,591",
                Some((1_795_293_461_591_000_000, true)),
            ),
            (
                "2026-11-21T21:37:41.591123+01:00",
                Some((1_795_293_461_591_123_000, true)),
            ),
            (
                "2026-11-21T15:07:41.5911234567-0530",
                Some((1_795_293_461_591_123_456, true)),
            ),
            (
                "2024-02-29T00:00:00Z",
                Some((1_709_164_800_000_000_000, false)),
            ),
            (
                "2100-03-01T00:00:00Z",
                Some((4_107_542_400_000_000_000, false)),
            ),
            ("1970-01-01T00:00:00+01:00", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-11-21T20:37:41.Z", None),
            ("2026-11-21T20:37:41X", None),
            ("2026-11-21", None),
            ("", None),
        ] {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn retry_after_in_seconds_and_as_a_date() {
        // Sun, 22 Nov 2026 08:49:37 GMT
        let now = Wall(1_795_337_377_000);
        for (text, expected) in [
            ("0", Some(0)),
            ("120", Some(120_000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            ("Sun, 22 Nov 2026 08:49:37 GMT", Some(0)),
            ("Sun, 22 Nov 2026 08:49:39 GMT", Some(2_000)),
            ("Mon, 23 Nov 2026 08:49:37 GMT", Some(86_400_000)),
            ("Thu, 24 Dec 2026 08:49:37 GMT", Some(32 * 86_400_000)),
            ("Wed, 06 Jan 2027 08:49:37 GMT", Some(45 * 86_400_000)),
            ("Sun, 22 Nov 2026 08:49:36 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            // A leap second; a wrong name of the day.
            ("Sun, 22 Nov 2026 08:49:60 GMT", Some(23_000)),
            ("Mon, 22 Nov 2026 08:49:38 GMT", Some(1_000)),
            ("Sun, 22 nov 2026 08:49:39 GMT", None),
            ("Sun, 22 XYZ 2026 08:49:39 GMT", None),
            ("Sun, 22 ebM 2026 08:49:39 GMT", None),
            ("Sun, 22 NovDec 2026 08:49:39 GMT", None),
            ("Sun, 22  2026 08:49:39 GMT", None),
            ("Sun, 00 Nov 2026 08:49:39 GMT", None),
            ("Sun, 32 Nov 2026 08:49:39 GMT", None),
            ("Sun, 22 Nov 2026 24:49:39 GMT", None),
            ("Sun, 22 Nov 2026 08:60:39 GMT", None),
            ("Sun, 22 Nov 2026 08:49:61 GMT", None),
            ("Sun, 2x Nov 2026 08:49:39 GMT", None),
            ("Sun, 22 Nov 2026 08:49:39 UTC", None),
            ("Sun, 22 Nov 9999 08:49:39 GMT", None),
            ("Sun, 22 Nov 2026 08:49:39 GMT ", None),
            ("Sunday, 22-Nov-26 08:49:39 GMT", Some(2_000)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(0)),
            ("Sun, 22 Nov 2026 08:49:39", None),
            ("Sun, 22 Nov 2026", None),
            ("Sun, 22 Nov 99999999999999999999 08:49:39 GMT", None),
            ("Sun, 22 Nov 2026 99999999999:49:39 GMT", None),
            ("Sun Nov 22 08:49:39 2026", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(delay_ms(text.as_bytes(), now), expected, "{text}");
        }
    }

    #[test]
    fn a_stream_is_read_as_its_single_times() {
        let mut reader = Reader::new();
        for text in [
            "2026-11-21T20:37:41.591Z",
            "2026-11-21T20:37:41.592Z",
            "2026-11-21T20:37:41Z",
            "2026-11-21T20:37:41.5921Z",
            "2026-11-21T20:37:41.592+01:00",
            "2026-11-21T20:37:41.593Z",
            "2026-11-21T20:37:42.000Z",
            "2026-11-21T20:37:4x.000Z",
            "2026-11-21T20:37:42.00xZ",
        ] {
            let expected = parse(text.as_bytes()).map(|(time, _)| time);
            assert_eq!(reader.parse(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        for (nanoseconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_293_461_591_000_000, "2026-11-21T20:37:41.591Z"),
            (1_795_293_461_591_000_001, "2026-11-21T20:37:41.591000001Z"),
            (1_709_251_199_000_000_000, "2024-02-29T23:59:59.000Z"),
            (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000Z"),
        ] {
            let mut out = Vec::new();
            push(&mut out, nanoseconds);
            assert_eq!(String::from_utf8_lossy(&out), text);
            assert_eq!(parse(&out).map(|(time, _)| time), Some(nanoseconds));
        }
    }
}
