//! The names of kinglet's own variables, and what is said of one that is none of them.

use super::table::SETTINGS;
use super::{Environment, Warn};
use crate::limits::VARIABLE_NAME_BYTES_MAX;

/// What all begin with.
const PREFIX: &[u8] = b"KINGLET_";

/// Warns of each variable that begins as kinglet's own do and is none of them, with the name that is most like it. An entry is
/// `name=value`; values are not looked at.
pub fn warn_of_unknown(environment: Environment<'_, '_>, warn: Warn<'_>) {
    for entry in environment {
        let Some(rest) = entry.strip_prefix(PREFIX) else {
            continue;
        };
        let end = rest.iter().position(|byte| *byte == b'=');
        let end = end.unwrap_or(rest.len()).min(VARIABLE_NAME_BYTES_MAX);
        let name = rest.get(..end).unwrap_or(rest);
        // In debug builds it tells where to crash.
        if cfg!(debug_assertions) && name == b"DEBUG_CRASH" {
            continue;
        }
        let (mut nearest, mut distance_min) = (b"".as_slice(), usize::MAX);
        for setting in &SETTINGS {
            for known in setting.names() {
                let Some(known) = known.strip_prefix(PREFIX) else {
                    continue;
                };
                let distance = distance(name, known);
                if distance < distance_min {
                    (nearest, distance_min) = (known, distance);
                }
            }
        }
        if distance_min > 0 {
            warn(&[
                PREFIX,
                name,
                b" is not a variable that is read; the nearest is ",
                PREFIX,
                nearest,
            ]);
        }
    }
}

/// How many bytes have to be put in, taken out or replaced to make one of the other (Levenshtein).
fn distance(one: &[u8], other: &[u8]) -> usize {
    // From the part of `one` before a byte to each beginning of `other`, the empty one apart.
    let mut row = [0; VARIABLE_NAME_BYTES_MAX];
    for (before, cell) in row.iter_mut().enumerate() {
        *cell = before + 1;
    }
    let mut last = other.len();
    for (before, byte) in one.iter().enumerate() {
        let mut diagonal = before;
        last = before + 1;
        for (cell, with) in row.iter_mut().zip(other) {
            let replaced = diagonal + usize::from(byte != with);
            diagonal = *cell;
            last = replaced.min(diagonal.min(last) + 1);
            *cell = last;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(entries: &[&'static str]) -> Vec<String> {
        let mut lines = Vec::new();
        warn_of_unknown(
            &mut entries.iter().map(|entry| entry.as_bytes()),
            &mut |parts| lines.push(String::from_utf8(parts.concat()).unwrap()),
        );
        lines
    }

    #[test]
    fn distances() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("FLUSH", "FLUSH", 0),
            ("FLUHS", "FLUSH", 2),
            ("kitten", "sitting", 3),
            ("METRIC_ENDPOINT", "METRICS_ENDPOINT", 1),
        ] {
            assert_eq!(distance(one.as_bytes(), other.as_bytes()), expected);
            assert_eq!(distance(other.as_bytes(), one.as_bytes()), expected);
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_the_nearest_and_no_value() {
        for (name, nearest) in [
            ("KINGLET_FLUHS", "KINGLET_FLUSH"),
            ("KINGLET_METRIC_ENDPOINT", "KINGLET_METRICS_ENDPOINT"),
            ("KINGLET_FLUSH_INTERVAL", "KINGLET_FLUSH_INTERVAL_MS"),
            ("KINGLET_LOGLEVEL", "KINGLET_MIN_LEVEL"),
            ("KINGLET_flush", "KINGLET_"),
            ("KINGLET_", "KINGLET_EMF"),
        ] {
            let entry: &'static str = format!("{name}=SECRET").leak();
            let lines = told(&[entry, "KINGLET_FLUSH=x", "OTEL_FOO=1", "KINGLET", "PATH=/"]);
            let [line] = lines.as_slice() else {
                panic!("{name}: {lines:?}")
            };
            assert!(
                line.starts_with(&format!("{name} is not"))
                    && line.contains(&format!(" {nearest}"))
                    && !line.contains("SECRET"),
                "{line}"
            );
        }
        let endless: &'static str = format!("KINGLET_{}", "FLUSH".repeat(10_000)).leak();
        assert!(told(&[endless])[0].len() < 200);
    }
}
