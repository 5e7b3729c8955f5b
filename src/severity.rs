//! Severity: the level words of loggers, to OpenTelemetry's severity numbers and names.

pub const TRACE: u8 = 1;
pub const DEBUG: u8 = 5;
pub const INFO: u8 = 9;
pub const WARN: u8 = 13;
pub const ERROR: u8 = 17;
pub const FATAL: u8 = 21;

/// Level words, in upper case, of Lambda's own log levels, Python, Node, Java, .NET, Ruby, Go and syslog.
const WORDS: [(&[u8], u8); 22] = [
    (b"TRACE", TRACE),
    (b"VERBOSE", TRACE),
    (b"ALL", TRACE),
    (b"FINEST", TRACE),
    (b"TRCE", TRACE),
    (b"DEBUG", DEBUG),
    (b"DBUG", DEBUG),
    (b"FINE", DEBUG),
    (b"INFO", INFO),
    (b"INFORMATION", INFO),
    (b"NOTICE", INFO + 1),
    (b"WARN", WARN),
    (b"WARNING", WARN),
    (b"ERROR", ERROR),
    (b"ERR", ERROR),
    (b"FAIL", ERROR),
    (b"SEVERE", ERROR),
    (b"FATAL", FATAL),
    (b"CRITICAL", FATAL),
    (b"CRIT", FATAL),
    (b"PANIC", FATAL),
    (b"EMERG", FATAL),
];

/// The severity number of a level word, in either case; 0 if it is none.
#[must_use]
pub fn of_word(word: &[u8]) -> u8 {
    // By far the most.
    if word == b"INFO" {
        return INFO;
    }
    WORDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word))
        .map_or(0, |(_, severity)| *severity)
}

/// The severity number of a numeric level as pino and bunyan write it (10 is trace, 60 fatal); 0 if it is none.
#[must_use]
pub const fn of_number(level: u64) -> u8 {
    match level {
        10 => TRACE,
        20 => DEBUG,
        30 => INFO,
        40 => WARN,
        50 => ERROR,
        60 => FATAL,
        _ => 0,
    }
}

/// OpenTelemetry's short name of a severity number; empty for 0.
#[must_use]
pub const fn name(severity: u8) -> &'static [u8] {
    match severity {
        1..=4 => b"TRACE",
        5..=8 => b"DEBUG",
        9..=12 => b"INFO",
        13..=16 => b"WARN",
        17..=20 => b"ERROR",
        21..=24 => b"FATAL",
        _ => b"",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers() {
        for (word, severity) in [
            ("info", INFO),
            ("Warning", WARN),
            ("CRITICAL", FATAL),
            ("notice", 10),
            ("informal", 0),
            ("", 0),
        ] {
            assert_eq!(of_word(word.as_bytes()), severity, "{word}");
        }
        assert_eq!((of_number(50), of_number(35)), (ERROR, 0));
        assert_eq!(
            (name(10), name(0), name(25)),
            (b"INFO".as_slice(), b"".as_slice(), b"".as_slice())
        );
    }
}
