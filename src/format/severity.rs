//! Severity: the level words of loggers, to OpenTelemetry's severity numbers and names.

pub const TRACE: u8 = 1;
pub const DEBUG: u8 = 5;
pub const INFO: u8 = 9;
pub const WARN: u8 = 13;
pub const ERROR: u8 = 17;
pub const FATAL: u8 = 21;

/// Severities, and words for them in upper case, separated by spaces.
const WORDS: [(u8, &[u8]); 15] = [
    // What most loggers write for a level, in full and short: the words of which a line is believed that they are levels.
    (INFO, b"INFO INF"),
    (ERROR, b"ERROR ERR SEVERE"),
    (WARN, b"WARN WARNING WRN"),
    (DEBUG, b"DEBUG DBG"),
    (TRACE, b"TRACE TRC"),
    (FATAL, b"FATAL CRITICAL FTL"),
    // .NET's labels, which are words of other meanings, too.
    (ERROR, b"FAIL"),
    (DEBUG, b"DBUG"),
    (TRACE, b"TRCE"),
    (FATAL, b"CRIT"),
    // Other words of Java, Node.js, .NET, Go and syslog: levels only where it is said that there is one.
    (INFO, b"INFORMATION"),
    (INFO + 1, b"NOTICE"),
    (DEBUG, b"FINE"),
    (TRACE, b"VERBOSE FINEST ALL"),
    (FATAL, b"PANIC EMERG"),
];
/// So many of the rows are what most loggers write, and with .NET's labels.
const COMMON: usize = 6;
const WITH_LABELS: usize = 10;

/// The severity number of a level word, in either case; 0 if it is none.
#[must_use]
pub fn of_word(word: &[u8]) -> u8 {
    find(word, WORDS.len())
}

/// The severity number of a word in a column of a line: one that most loggers use, all in upper or all in lower case; 0 if it is
/// none. `has_labels`: it may be one of .NET's, too.
#[must_use]
pub fn of_column(word: &[u8], has_labels: bool) -> u8 {
    let is_one_case =
        word.iter().all(u8::is_ascii_uppercase) || word.iter().all(u8::is_ascii_lowercase);
    if is_one_case {
        find(word, if has_labels { WITH_LABELS } else { COMMON })
    } else {
        0
    }
}

fn find(word: &[u8], rows: usize) -> u8 {
    // By far the most.
    if word == b"INFO" {
        return INFO;
    }
    let mut rows = WORDS.iter().take(rows);
    let row = rows.find(|(_, words)| {
        let mut each = words.split(|byte| *byte == b' ');
        each.any(|known| known.eq_ignore_ascii_case(word))
    });
    row.map_or(0, |(severity, _)| *severity)
}

/// The severity number of a numeric level as pino and bunyan write it (10 is trace, 60 fatal); 0 if it is none.
#[must_use]
pub const fn of_number(level: u64) -> u8 {
    if level.is_multiple_of(10) && level >= 10 && level <= 60 {
        // Both scales are even.
        TRACE + (DEBUG - TRACE) * (level / 10 - 1) as u8
    } else {
        0
    }
}

/// OpenTelemetry's short names, each for four severity numbers, and of five bytes.
const NAMES: &[u8] = b"TRACEDEBUGINFO WARN ERRORFATAL";

/// OpenTelemetry's short name of a severity number, with spaces up to five bytes; `None` for 0.
#[must_use]
pub fn padded_name(severity: u8) -> Option<&'static [u8; 5]> {
    let (names, _) = NAMES.as_chunks();
    names.get(usize::from(severity.wrapping_sub(1) / 4))
}

/// OpenTelemetry's short name of a severity number; empty for 0.
#[must_use]
pub fn name(severity: u8) -> &'static [u8] {
    padded_name(severity).map_or(b"", |name| name.trim_ascii_end())
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
