//! CloudWatch's units in UCUM.

use crate::text::delimited::parts;

/// Units, each followed by what it is in UCUM; where there is one for so much in a second, by that, and the unit is what stands
/// before `/s`. A count is not `1`, which is for ratios: Prometheus would name it so. One text takes less room than a table.
const UNITS: &[u8] = b"Seconds s Microseconds us Milliseconds ms Percent % Count {count}/s \
    Bytes By/s Kilobytes kBy/s Megabytes MBy/s Gigabytes GBy/s Terabytes TBy/s \
    Bits bit/s Kilobits kbit/s Megabits Mbit/s Gigabits Gbit/s Terabits Tbit/s";

/// The unit, raw as it stands in JSON, by UCUM; empty for `None`, and for what CloudWatch does not have.
#[inline(never)]
pub fn by_ucum(raw: &[u8]) -> &'static [u8] {
    let per_second = raw.strip_suffix(b"/Second");
    // PHP escapes the slash.
    let per_second = per_second.map(|unit| unit.strip_suffix(b"\\").unwrap_or(unit));
    let name = per_second.unwrap_or(raw);
    let mut words = parts(UNITS, b' ');
    while let (Some(known), Some(unit)) = (words.next(), words.next()) {
        if known == name {
            let once = unit.strip_suffix(b"/s").unwrap_or(unit);
            return match per_second {
                None => once,
                Some(_) if once.len() < unit.len() => unit,
                Some(_) => b"",
            };
        }
    }
    b""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_cloudwatch() {
        for (cloudwatch, ucum) in [
            ("Seconds", "s"),
            ("Microseconds", "us"),
            ("Milliseconds", "ms"),
            ("Bytes", "By"),
            ("Kilobytes", "kBy"),
            ("Megabytes", "MBy"),
            ("Gigabytes", "GBy"),
            ("Terabytes", "TBy"),
            ("Bits", "bit"),
            ("Kilobits", "kbit"),
            ("Megabits", "Mbit"),
            ("Gigabits", "Gbit"),
            ("Terabits", "Tbit"),
            ("Percent", "%"),
            ("Count", "{count}"),
            ("Bytes/Second", "By/s"),
            ("Kilobytes/Second", "kBy/s"),
            ("Megabytes/Second", "MBy/s"),
            ("Gigabytes/Second", "GBy/s"),
            ("Terabytes/Second", "TBy/s"),
            ("Bits/Second", "bit/s"),
            ("Kilobits/Second", "kbit/s"),
            ("Megabits/Second", "Mbit/s"),
            ("Gigabits/Second", "Gbit/s"),
            ("Terabits/Second", "Tbit/s"),
            ("Count/Second", "{count}/s"),
            ("None", ""),
            // Not CloudWatch's.
            ("Count\\/Second", "{count}/s"),
            ("Percent/Second", ""),
            ("Seconds/Second", ""),
            ("/Second", ""),
            ("milliseconds", ""),
            ("Bytes/s", ""),
            ("", ""),
        ] {
            let found = str::from_utf8(by_ucum(cloudwatch.as_bytes())).unwrap();
            assert_eq!(found, ucum, "{cloudwatch}");
        }
    }
}
