//! What is said of a variable that asks for what was left out of this build: the name of the cargo feature that it needs.

// What is in this build is not lacking, and nothing that is said of it is in the binary.
#![cfg_attr(
    any(feature = "metrics", feature = "json"),
    allow(dead_code, unused_imports)
)]

use core::ptr;

use super::table::{self, SETTINGS, Setting};
use super::variables::Variables;
use crate::queue::signal::Signal;

/// Whether a variable of this setting asks for a feature, by its name and the value that it was judged to be.
type Asks = fn(&Setting, &[u8], Option<u64>) -> bool;

/// The features that this build has not.
const LACKING: &[(&str, Asks)] = &[
    #[cfg(not(feature = "metrics"))]
    ("metrics", asks_for_metrics),
    #[cfg(not(feature = "json"))]
    ("json", asks_for_json),
];

fn is_one_of(setting: &Setting, settings: &[&Setting]) -> bool {
    settings.iter().any(|one| ptr::eq(*one, setting))
}

fn asks_for_metrics(setting: &Setting, name: &[u8], value: Option<u64>) -> bool {
    if is_one_of(setting, &[table::METRICS, table::EXPORTER]) {
        // The standard's variable may say `otlp` for any number of programs.
        return name == b"KINGLET_METRICS" && value == Some(0);
    }
    let own = [
        table::METRICS_ENDPOINT,
        table::METRICS_FORMAT,
        table::STATSD_PORT,
        table::EMF,
        table::SELF_METRICS,
        table::TEMPORALITY,
    ];
    is_one_of(setting, &own) || table::signal(name) == Some(Signal::Metric)
}

fn asks_for_json(setting: &Setting, _name: &[u8], value: Option<u64>) -> bool {
    let formats = [table::FORMAT, table::METRICS_FORMAT, table::PROTOCOL];
    is_one_of(setting, &formats) && value > Some(0)
}

impl Variables<'_, '_> {
    /// Says it of each variable that is set so.
    pub(super) fn warn_of_lacking(&mut self) {
        for (feature, asks) in LACKING {
            self.warn_of(feature, *asks);
        }
    }

    fn warn_of(&mut self, feature: &str, asks: Asks) {
        for setting in &SETTINGS {
            for name in setting.names() {
                if let Some(value) = self.get(name)
                    && asks(setting, name, setting.values.judge(value))
                {
                    (self.warn)(&[
                        name,
                        b" asks for what this build of kinglet has not: it needs the feature ",
                        feature.as_bytes(),
                    ]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(entry: &'static str, asks: Asks) -> Vec<String> {
        let mut lines = Vec::new();
        let mut warn = |parts: &[&[u8]]| lines.push(String::from_utf8(parts.concat()).unwrap());
        let mut entries = [entry.as_bytes()].into_iter();
        Variables::new(&mut entries, &mut warn).warn_of("x", asks);
        lines
    }

    fn assert_told(asks: Asks, entries: &[(&'static str, bool)]) {
        for (entry, is_told) in entries {
            assert_eq!(told(entry, asks).len(), usize::from(*is_told), "{entry}");
        }
    }

    #[test]
    fn a_variable_that_asks_for_metrics_is_told() {
        assert_told(
            asks_for_metrics,
            &[
                ("KINGLET_METRICS_ENDPOINT=http://c", true),
                ("KINGLET_METRICS_FORMAT=otlp", true),
                ("KINGLET_METRICS=on", true),
                ("KINGLET_METRICS=off", false),
                ("KINGLET_STATSD_PORT=8125", true),
                ("KINGLET_EMF=both", true),
                ("KINGLET_SELF_METRICS=off", true),
                ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=http://c", true),
                ("OTEL_EXPORTER_OTLP_METRICS_HEADERS=a=b", true),
                ("OTEL_METRICS_EXPORTER=otlp", false),
                ("OTEL_METRICS_EXPORTER=none", false),
                ("KINGLET_ENDPOINT=http://c", false),
                ("OTEL_EXPORTER_OTLP_HEADERS=a=b", false),
            ],
        );
    }

    #[test]
    fn a_variable_that_asks_for_json_is_told() {
        assert_told(
            asks_for_json,
            &[
                ("KINGLET_FORMAT=ndjson", true),
                ("KINGLET_FORMAT=OTLP-JSON", true),
                ("KINGLET_FORMAT=otlp", false),
                ("KINGLET_FORMAT=xml", false),
                ("KINGLET_METRICS_FORMAT=ndjson", true),
                ("OTEL_EXPORTER_OTLP_PROTOCOL=http/json", true),
                ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=http/json", true),
                ("OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", false),
            ],
        );
        let line = told("KINGLET_FORMAT=ndjson", asks_for_json);
        assert_eq!(
            line,
            ["KINGLET_FORMAT asks for what this build of kinglet has not: it needs the feature x"]
        );
    }
}
