//! All variables that a user can set: one row for each setting. The parser, its warnings, `--help`, the nearest name to one that
//! is none, and the README's table come from here.

use super::values::Values::{self, Any, Number, One, Text};
use crate::limits;
use crate::queue::signal::Signal;

/// What can be set, by any of some variables.
pub struct Setting {
    /// See [`packed`].
    names: &'static [u8],
    pub values: Values,
}

/// A row: name of the setting, its variables, the strongest first, what they may be, and what the README says, of which the binary
/// has nothing.
macro_rules! settings {
    ($($id:ident: $names:expr, $values:expr, $text:literal;)*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        enum Row { $($id),* }

        // A place that is not there does not compile.
        $(#[allow(clippy::indexing_slicing)]
        pub const $id: &Setting = &SETTINGS[Row::$id as usize];)*

        /// All of them, in the order in which they are told.
        pub static SETTINGS: [Setting; [$(Row::$id),*].len()] = [$(Setting {
            names: {
                const NAMES: &[&str] = $names;
                const PACKED: [u8; packed_bytes(NAMES)] = packed(NAMES);
                &PACKED
            },
            values: $values,
        }),*];

        /// What the README says of each.
        #[cfg(test)]
        pub const TEXTS: [&str; SETTINGS.len()] = [$($text),*];
    };
}

/// What [`packed`] makes of so many names.
const fn packed_bytes(names: &[&str]) -> usize {
    match names {
        [] => 0,
        [name, others @ ..] => 1 + name.len() + packed_bytes(others),
    }
}

/// Names one behind the other, each after its length: references to them would take 16 bytes each, and commas time at each start.
const fn packed<const BYTES: usize>(mut names: &[&str]) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    let mut room = bytes.as_mut_slice();
    while let ([name, others @ ..], Some((length, behind))) = (names, room.split_first_mut()) {
        *length = name.len() as u8;
        let (place, behind) = behind.split_at_mut(name.len());
        place.copy_from_slice(name.as_bytes());
        (names, room) = (others, behind);
    }
    bytes
}

/// Variables, the strongest first. One that is for one signal alone says so: see [`signal`].
pub struct Names {
    packed: &'static [u8],
}

impl Iterator for Names {
    type Item = &'static [u8];

    fn next(&mut self) -> Option<&'static [u8]> {
        let (length, behind) = self.packed.split_first()?;
        let (name, others) = behind.split_at_checked(usize::from(*length))?;
        self.packed = others;
        Some(name)
    }
}

const PORT_MAX: u32 = u16::MAX as u32;
const SWITCH: Values = One("on, off");
const PAIRS: Values = Text("name=value,name=value");

settings! {
    ENDPOINT: &[
            "KINGLET_ENDPOINT",
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ],
        Text("http://[user:password@]host[:port][/path]"),
        "without it nothing is recorded. The host is a name or an address. `/v1/logs` or `/v1/metrics` is added, but not to \
        `…_LOGS_ENDPOINT` and `…_METRICS_ENDPOINT`, and not for `ndjson`. `user:password`, percent-encoded, is sent as basic \
        authentication unless a header says otherwise";
    METRICS_ENDPOINT: &["KINGLET_METRICS_ENDPOINT"],
        Text("http://[user:password@]host[:port][/path]"),
        "the whole URL for metrics, where they go elsewhere than logs";
    METRICS: &["KINGLET_METRICS"],
        SWITCH,
        "`off`: no metrics at all";
    EXPORTER: &["OTEL_LOGS_EXPORTER", "OTEL_METRICS_EXPORTER"],
        One("otlp, none"),
        "`none`: no logs, or no metrics";
    HEADERS: &[
            "KINGLET_HEADERS",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ],
        PAIRS,
        "request headers, values percent-encoded; at most 32, and none that frames the request or names the batch \
        (`content-length`, `host`, `expect` …)";
    FORMAT: &["KINGLET_FORMAT"],
        One("otlp, otlp-json, ndjson"),
        "OTLP/HTTP with protobuf or with JSON, or one JSON object a line";
    METRICS_FORMAT: &["KINGLET_METRICS_FORMAT"],
        One("otlp, otlp-json, ndjson"),
        "the same for metrics, where it is another than for logs";
    PROTOCOL: &["OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"],
        One("http/protobuf, http/json"),
        "`otlp` or `otlp-json` where `KINGLET_FORMAT` is not set";
    COMPRESSION: &[
            "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION",
            "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
        ],
        One("none"),
        "nothing is compressed";
    FLUSH: &["KINGLET_FLUSH"],
        One("adaptive, start, end"),
        "[when it ships](#when-it-ships)";
    FLUSH_INTERVAL_MS: &["KINGLET_FLUSH_INTERVAL_MS", "OTEL_BLRP_SCHEDULE_DELAY"],
        Number(limits::FLUSH_INTERVAL_MS as u32, 0, limits::FLUSH_INTERVAL_MS_MAX as u32),
        "age of the oldest record at which a POST is due";
    FLUSH_BUDGET_MS: &["KINGLET_FLUSH_BUDGET_MS"],
        Number(limits::FLUSH_BUDGET_MS as u32, 0, limits::FLUSH_BUDGET_MS_MAX as u32),
        "longest that an invocation is held for a POST";
    TIMEOUT_MS: &[
            "KINGLET_TIMEOUT_MS",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT",
            "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ],
        Number(limits::POST_MS as u32, 1, limits::POST_MS_MAX as u32),
        "longest POST; freezes do not count";
    BUFFER_BYTES: &["KINGLET_BUFFER_BYTES"],
        Number(limits::RING_BYTES as u32, limits::RING_BYTES_MIN as u32, limits::RING_BYTES_MAX as u32),
        "the ring; it is part of the function's memory";
    TYPES: &["KINGLET_TYPES"],
        Any("platform, function, extension", 0b011),
        "which logs are shipped";
    MIN_LEVEL: &["KINGLET_MIN_LEVEL"],
        One("trace, debug, info, warn, error, fatal"),
        "lines whose level is not known are always shipped, platform events count as `info`";
    INVOCATION_LINES: &["KINGLET_INVOCATION_LINES"],
        SWITCH,
        "`off` leaves out the START, END and REPORT records";
    PORT: &["KINGLET_PORT"],
        Number(limits::TELEMETRY_PORT as u32, 0, PORT_MAX),
        "port of the listener; 0, or one that is taken, is any free one";
    TELEMETRY_MS: &["KINGLET_TELEMETRY_MS"],
        Number(limits::BUFFERING_MS, 25, 30_000),
        "buffering asked of Lambda: longest time";
    TELEMETRY_ITEMS: &["KINGLET_TELEMETRY_ITEMS"],
        Number(limits::BUFFERING_ITEMS, 1000, 10_000),
        "… events";
    TELEMETRY_BYTES: &["KINGLET_TELEMETRY_BYTES"],
        Number(limits::BUFFERING_BYTES, 262_144, 1_048_576),
        "… bytes";
    STATSD_PORT: &["KINGLET_STATSD_PORT"],
        Number(limits::STATSD_PORT as u32, 0, PORT_MAX),
        "UDP port for [StatsD](#metrics) on 127.0.0.1; 0, or one that is taken, is none";
    EMF: &["KINGLET_EMF"],
        One("both, metrics, logs"),
        "what becomes of lines in CloudWatch's embedded metric format";
    SELF_METRICS: &["KINGLET_SELF_METRICS"],
        SWITCH,
        "`off` leaves out kinglet's own cost";
    TEMPORALITY: &["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"],
        One("delta, cumulative, lowmemory"),
        "`cumulative` counts from the start of the sandbox; `lowmemory` is `delta` here";
    SERVICE_NAME: &["OTEL_SERVICE_NAME"],
        Text("text"),
        "`service.name`; without it the function's name";
    RESOURCE_ATTRIBUTES: &["OTEL_RESOURCE_ATTRIBUTES"],
        PAIRS,
        "more resource attributes, values percent-encoded; they win";
}

/// The one signal that a variable is for, if it is not for all.
#[must_use]
pub fn signal(name: &[u8]) -> Option<Signal> {
    let prefixes: [&[u8]; 3] = [b"KINGLET_", b"OTEL_EXPORTER_OTLP_", b"OTEL_"];
    let rest = prefixes
        .iter()
        .find_map(|prefix| name.strip_prefix(*prefix))?;
    if rest.starts_with(b"LOGS_") {
        Some(Signal::Log)
    } else {
        rest.starts_with(b"METRICS_").then_some(Signal::Metric)
    }
}

impl Setting {
    #[must_use]
    pub const fn names(&self) -> Names {
        Names { packed: self.names }
    }

    /// Writes the lines of `--help`: each name, and behind the first what it may be.
    pub fn push_help(&self, out: &mut Vec<u8>) {
        const COLUMN: usize = "KINGLET_FLUSH_INTERVAL_MS".len();
        for (place, name) in self.names().enumerate() {
            if place > 0 {
                out.extend_from_slice(b"  ");
            }
            out.extend_from_slice(name);
            if place == 0 {
                for _ in name.len()..COLUMN {
                    out.push(b' ');
                }
                out.extend_from_slice(b"  ");
                // The first word is the default.
                let is_told = matches!(self.values, One(_) | Text(_));
                if !is_told {
                    self.values.push_default(out);
                    out.extend_from_slice(b" (");
                }
                self.values.push_possible(out);
                if !is_told {
                    out.push(b')');
                }
            }
            out.push(b'\n');
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "metrics", feature = "json"))]
mod tests {
    use super::*;
    use crate::format::FORMATS;
    use crate::format::severity;
    use crate::text::delimited;

    fn text(push: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        push(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// Whatever can be told as the default is a value that is taken, as the default.
    #[test]
    fn defaults_are_possible() {
        for setting in &SETTINGS {
            let values = &setting.values;
            let default = text(|out| values.push_default(out));
            if !matches!(values, Text(_)) {
                assert_eq!(values.judge(&default), Some(values.default()), "{default}");
            }
        }
    }

    #[test]
    fn a_name_is_for_one_signal_or_for_all() {
        for (name, of) in [
            ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", Some(Signal::Log)),
            ("OTEL_METRICS_EXPORTER", Some(Signal::Metric)),
            ("KINGLET_METRICS_ENDPOINT", Some(Signal::Metric)),
            ("KINGLET_METRICS", None),
            ("KINGLET_SELF_METRICS", None),
            ("OTEL_EXPORTER_OTLP_HEADERS", None),
        ] {
            assert_eq!(signal(name.as_bytes()), of, "{name}");
        }
    }

    /// Words that stand for rows of other tables are in their order.
    #[test]
    fn words_are_those_of_others() {
        let formats: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
        assert_eq!(
            text(|out| FORMAT.values.push_possible(out)),
            formats.join(", ")
        );
        let levels = text(|out| MIN_LEVEL.values.push_possible(out));
        let severities = delimited::list(&levels).map(|word| severity::of_word(word.as_bytes()));
        assert_eq!(severities.collect::<Vec<_>>(), [1, 5, 9, 13, 17, 21]);
    }

    #[test]
    fn help_tells_names_defaults_and_what_is_possible() {
        for (setting, lines) in [
            (FLUSH, "KINGLET_FLUSH              adaptive, start, end\n"),
            (
                FLUSH_INTERVAL_MS,
                "KINGLET_FLUSH_INTERVAL_MS  5000 (0 to 3600000)\n  OTEL_BLRP_SCHEDULE_DELAY\n",
            ),
            (
                TYPES,
                "KINGLET_TYPES              platform,function (platform, function, extension)\n",
            ),
        ] {
            assert_eq!(text(|out| setting.push_help(out)), lines);
        }
    }
}
