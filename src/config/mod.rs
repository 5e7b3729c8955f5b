//! The environment to a [`Config`], once. A wrong value is one warning and the default, never an error.
//!
//! `KINGLET_*` wins over the standard `OTEL_*`, and a signal's own `OTEL_*` over the general one. What can be set stands in one
//! [`table`].

mod endpoint;
mod lacking;
mod names;
mod pairs;
#[cfg(test)]
mod readme;
mod resource;
pub mod table;
mod url;
mod values;
mod variables;

use crate::format;
use crate::format::point::Temporality;
use crate::format::resource::Resource;
use crate::format::severity;
use crate::lambda::lifecycle::Flush;
use crate::queue::route::{ROUTES, RouteId};
use crate::queue::signal::Signal;
use crate::source::event::{Emf, Filter};

pub use endpoint::{Endpoint, Headers};
pub use names::warn_of_unknown;
use variables::Variables;

/// All variables, as `name=value` each.
pub type Environment<'a, 'e> = &'a mut dyn Iterator<Item = &'e [u8]>;

/// Takes one warning, in parts.
pub type Warn<'a> = &'a mut dyn FnMut(&[&[u8]]);

// In this order as few bytes as possible are spent on reaching them.
#[repr(C)]
pub struct Config {
    pub flush: Flush,
    pub flush_budget_ms: u64,
    pub flush_interval_ms: u64,
    pub ring_bytes: usize,
    /// Port of the telemetry listener; 0 is any.
    pub port: u16,
    pub filter: Filter,
    pub buffering: Buffering,
    pub temporality: Temporality,
    /// kinglet's own cost is among the metrics.
    pub self_metrics: bool,
    /// Port of the StatsD socket; 0 is none.
    pub statsd_port: u16,
    /// Several invocations may be open at once (Managed Instances).
    pub is_concurrent: bool,
    /// The init phase of this sandbox is part of a cold start.
    pub is_coldstart: bool,
    /// In which form the batches of each route are sent.
    pub formats: Formats,
    /// And where; without any: dormant.
    pub endpoints: [Option<Endpoint>; ROUTES],
}

/// The format of each route.
pub type Formats = [&'static dyn format::Format; ROUTES];

/// The buffering that is asked of Lambda.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffering {
    pub items: u64,
    pub bytes: u64,
    pub ms: u64,
}

/// What is for all signals and needs only its value, in the order in which [`read`] takes them apart.
const PLAIN: [&table::Setting; 11] = [
    table::FLUSH,
    table::FLUSH_BUDGET_MS,
    table::FLUSH_INTERVAL_MS,
    table::BUFFER_BYTES,
    table::PORT,
    table::TELEMETRY_ITEMS,
    table::TELEMETRY_BYTES,
    table::TELEMETRY_MS,
    table::TEMPORALITY,
    table::SELF_METRICS,
    table::STATSD_PORT,
];

/// Reads the whole configuration, the resource's attributes included.
pub fn read(environment: Environment<'_, '_>, warn: Warn<'_>, resource: &mut Resource) -> Config {
    let mut variables = Variables::new(environment, warn);
    resource::read(&mut variables, resource);
    let initialization = variables
        .get(b"AWS_LAMBDA_INITIALIZATION_TYPE")
        .unwrap_or_default();
    let formats =
        core::array::from_fn(|route| variables.format(RouteId(route as u8).facts().signal));
    let endpoints = variables.endpoints(&formats);
    let [has_logs, has_metrics] = endpoints.each_ref().map(Option::is_some);
    let filter = variables.filter(has_logs, has_metrics);
    let [
        flush,
        flush_budget_ms,
        flush_interval_ms,
        ring_bytes,
        port,
        items,
        bytes,
        ms,
        temporality,
        self_metrics,
        statsd_port,
    ] = PLAIN.map(|setting| variables.value(setting, None));
    variables.warn_of_lacking();
    Config {
        endpoints,
        formats,
        flush: match flush {
            1 => Flush::Start,
            2 => Flush::End,
            _ => Flush::Adaptive,
        },
        flush_budget_ms,
        flush_interval_ms,
        ring_bytes: ring_bytes as usize,
        port: port as u16,
        filter,
        buffering: Buffering { items, bytes, ms },
        // Delta and low memory are the same here: there are no asynchronous instruments that could differ.
        temporality: match temporality {
            1 => Temporality::Cumulative,
            _ => Temporality::Delta,
        },
        self_metrics: self_metrics == 0,
        statsd_port: statsd_port as u16,
        is_concurrent: initialization == "lambda-managed-instances",
        is_coldstart: initialization != "provisioned-concurrency",
    }
}

impl Variables<'_, '_> {
    /// The format of kinglet's own variable, or the form of OTLP that the standard asks for. A form that is not sent is told.
    fn format(&mut self, signal: Signal) -> &'static dyn format::Format {
        let [default, others @ ..] = &format::FORMATS;
        let signal = Some(signal);
        // Nothing is compressed, whatever is asked for.
        self.value(table::COMPRESSION, signal);
        let own = self.read(table::METRICS_FORMAT, signal);
        let own = own.or_else(|| self.read(table::FORMAT, signal));
        let own = own.map(|(_, place)| place);
        let mut place = own.unwrap_or_default();
        // The standard has two forms; what is neither of them is nothing that it could say otherwise.
        if place < 2
            && let Some((name, asked)) = self.read(table::PROTOCOL, signal)
        {
            place = own.unwrap_or(asked);
            if place != asked {
                self.say(&[
                    name.as_bytes(),
                    b" is not used: a variable of kinglet's own says otherwise",
                ]);
            }
        }
        // A form that this build has not is told as such.
        *(place as usize)
            .checked_sub(1)
            .and_then(|place| others.get(place))
            .unwrap_or(default)
    }

    fn filter(&mut self, has_logs: bool, has_metrics: bool) -> Filter {
        let types = self.value(table::TYPES, None);
        let is_shipped = |bit: u64| has_logs && types & bit != 0;
        Filter {
            platform: is_shipped(0b001),
            function: is_shipped(0b010),
            extension: is_shipped(0b100),
            emf: match self.value(table::EMF, None) {
                _ if !has_metrics => Emf::Logs,
                1 => Emf::Metrics,
                2 => Emf::Logs,
                _ => Emf::Both,
            },
            invocation_lines: self.value(table::INVOCATION_LINES, None) == 0,
            severity_min: self.severity_min(),
        }
    }

    fn severity_min(&mut self) -> u8 {
        let Some((name, word)) = self.first(table::MIN_LEVEL, None) else {
            return 0;
        };
        let severity = severity::of_word(word.as_bytes());
        if severity == 0 {
            self.wrong(table::MIN_LEVEL, name, word);
        }
        severity
    }
}

#[cfg(test)]
#[cfg(all(feature = "metrics", feature = "json"))]
mod tests {
    use super::*;

    fn read_with(variables: &[(&str, &str)]) -> (Config, Resource, Vec<String>) {
        let mut warnings = Vec::new();
        let mut resource = Resource::default();
        let entries: Vec<_> = variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut warn = |parts: &[&[u8]]| warnings.push(String::from_utf8(parts.concat()).unwrap());
        let config = read(
            &mut entries.iter().map(String::as_bytes),
            &mut warn,
            &mut resource,
        );
        (config, resource, warnings)
    }

    #[test]
    fn endpoints() {
        for (variables, url) in [
            (
                vec![("KINGLET_ENDPOINT", "http://127.0.0.1:4318")],
                Some("http://127.0.0.1:4318/v1/logs"),
            ),
            (
                vec![("KINGLET_ENDPOINT", "http://c/otlp/")],
                Some("http://c/otlp/v1/logs"),
            ),
            (
                vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/")],
                Some("http://c:4318/v1/logs"),
            ),
            (
                vec![("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://c/in")],
                Some("http://c/in"),
            ),
            (
                vec![
                    ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://c/in"),
                    ("KINGLET_ENDPOINT", "http://k"),
                ],
                Some("http://k/v1/logs"),
            ),
            (
                vec![
                    ("KINGLET_ENDPOINT", "http://c/in"),
                    ("KINGLET_FORMAT", "ndjson"),
                ],
                Some("http://c/in"),
            ),
            (
                vec![
                    ("KINGLET_ENDPOINT", ""),
                    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:4318"),
                ],
                Some("http://[::1]:4318/v1/logs"),
            ),
            (
                vec![("KINGLET_ENDPOINT", "http://c/in?key=1")],
                Some("http://c/in/v1/logs?key=1"),
            ),
            (
                vec![
                    ("KINGLET_ENDPOINT", "http://c/in/"),
                    ("KINGLET_FORMAT", "ndjson"),
                ],
                Some("http://c/in/"),
            ),
            (vec![], None),
            (vec![("KINGLET_ENDPOINT", "https://c")], None),
            (vec![("KINGLET_ENDPOINT", "c:4318")], None),
            (vec![("KINGLET_ENDPOINT", "http://c:99999")], None),
            (vec![("KINGLET_ENDPOINT", "http://:80")], None),
            (vec![("KINGLET_ENDPOINT", "http://a b")], None),
        ] {
            let (config, _, warnings) = read_with(&variables);
            let [log, _] = config.endpoints;
            let found = log.map(|endpoint| endpoint.url.to_string());
            assert_eq!(found.as_deref(), url, "{variables:?}");
            assert_eq!(warnings.len(), usize::from(url.is_none()), "{warnings:?}");
        }
    }

    #[test]
    fn secrets_are_never_printed() {
        let url = (
            "KINGLET_ENDPOINT",
            "https://user:secret@c:1/path?key=secret",
        );
        let (_, _, mut warnings) = read_with(&[url]);
        let headers = (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization secret,x=a%zzsecret",
        );
        warnings.extend(read_with(&[("KINGLET_ENDPOINT", "http://c"), headers]).2);
        assert_eq!(warnings.len(), 3);
        assert!(
            warnings.iter().all(|warning| !warning.contains("secret")),
            "{warnings:?}"
        );
        let pairs = ("OTEL_RESOURCE_ATTRIBUTES", "ok=1,secret,x=secret%zz");
        let (.., warnings) = read_with(&[("KINGLET_ENDPOINT", "http://c"), pairs]);
        let [first, second] = warnings.as_slice() else {
            panic!("{warnings:?}")
        };
        assert!(first.contains("pair 2 ") && second.contains("pair 3 "));
        assert!(warnings.iter().all(|warning| !warning.contains("secret")));
    }

    #[test]
    fn metrics_may_go_elsewhere_or_nowhere() {
        let general = ("KINGLET_ENDPOINT", "http://k");
        let otlp = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://c/in");
        for (variables, url) in [
            (vec![general], Some("http://k/v1/metrics")),
            (vec![general, otlp], Some("http://k/v1/metrics")),
            (vec![otlp], Some("http://c/in")),
            (
                vec![general, ("KINGLET_METRICS_ENDPOINT", "http://m:1/x")],
                Some("http://m:1/x"),
            ),
            (
                vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "http://o/"), otlp],
                Some("http://c/in"),
            ),
            (
                vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "http://o/")],
                Some("http://o/v1/metrics"),
            ),
            (
                vec![general, ("KINGLET_FORMAT", "ndjson")],
                Some("http://k/"),
            ),
            (vec![general, ("KINGLET_METRICS", "off")], None),
            (vec![general, ("OTEL_METRICS_EXPORTER", "none")], None),
            (vec![general, ("OTEL_METRICS_EXPORTER", "NONE")], None),
            (
                vec![general, ("OTEL_METRICS_EXPORTER", "OTLP")],
                Some("http://k/v1/metrics"),
            ),
            (
                vec![general, otlp, ("OTEL_LOGS_EXPORTER", "none")],
                Some("http://k/v1/metrics"),
            ),
        ] {
            let (config, _, warnings) = read_with(&variables);
            let [log, metric] = config.endpoints;
            let found = metric.map(|endpoint| endpoint.url.to_string());
            assert_eq!(found.as_deref(), url, "{variables:?}");
            assert!(warnings.is_empty(), "{warnings:?}");
            let has_logs = variables[0].0 != otlp.0 && variables.len() < 3;
            assert_eq!(log.is_some(), has_logs, "{variables:?}");
        }
        let (config, _, warnings) = read_with(&[general, ("KINGLET_METRICS_ENDPOINT", "m:1")]);
        assert!(matches!(config.endpoints, [Some(_), None]));
        assert!(
            warnings[0].ends_with("no metrics are recorded"),
            "{warnings:?}"
        );
    }

    #[test]
    fn headers_are_decoded() {
        let (config, ..) = read_with(&[
            ("KINGLET_ENDPOINT", "http://c"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b , x-y=1=2,"),
        ]);
        let headers = config.endpoints[0].clone().unwrap().headers;
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(headers, [("api-key", "a b"), ("x-y", "1=2")]);
    }

    #[test]
    fn wrong_values_are_one_warning_and_the_default() {
        for (variable, value) in [
            ("KINGLET_FLUSH", "fast"),
            ("KINGLET_FLUSH_BUDGET_MS", "-1"),
            ("KINGLET_FLUSH_INTERVAL_MS", "5s"),
            ("KINGLET_BUFFER_BYTES", "65535"),
            ("KINGLET_PORT", "65536"),
            ("KINGLET_TYPES", "everything"),
            ("KINGLET_MIN_LEVEL", "loud"),
            ("KINGLET_INVOCATION_LINES", "maybe"),
            ("KINGLET_FORMAT", "xml"),
            ("KINGLET_METRICS_FORMAT", "csv"),
            ("KINGLET_TELEMETRY_ITEMS", "999"),
            ("KINGLET_TELEMETRY_BYTES", "1048577"),
            ("KINGLET_TELEMETRY_MS", "24"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_SERVICE_NAME", "name\u{fffd}"),
            ("KINGLET_TYPES", ","),
            ("OTEL_LOGS_EXPORTER", "console"),
            ("OTEL_METRICS_EXPORTER", "prometheus"),
            ("KINGLET_METRICS", "maybe"),
            ("KINGLET_EMF", "neither"),
            ("KINGLET_SELF_METRICS", "some"),
            ("KINGLET_STATSD_PORT", "statsd"),
            ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "gamma"),
            ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
        ] {
            let (config, _, warnings) =
                read_with(&[("KINGLET_ENDPOINT", "http://c"), (variable, value)]);
            assert_eq!(warnings.len(), 1, "{variable}: {warnings:?}");
            assert!(
                warnings[0].contains(variable) && warnings[0].contains(value),
                "{warnings:?}"
            );
            assert_eq!(config.flush, Flush::Adaptive);
            assert_eq!(
                (config.flush_budget_ms, config.flush_interval_ms),
                (250, 5000)
            );
            assert_eq!((config.ring_bytes, config.port), (1024 * 1024, 4327));
            assert!(config.filter.platform && config.filter.function && !config.filter.extension);
            assert_eq!(
                config.buffering,
                Buffering {
                    items: 10_000,
                    bytes: 262_144,
                    ms: 25
                }
            );
            assert_eq!(config.temporality, Temporality::Delta);
            assert_eq!((config.filter.emf, config.statsd_port), (Emf::Both, 8125));
            assert_eq!(config.filter.severity_min, 0);
            assert_eq!(config.endpoints[0].clone().unwrap().timeout_ms, 10_000);
        }
    }

    /// Each route has its own format; `KINGLET_FORMAT` is for all that have none, and wins over the standard's variables.
    #[test]
    fn a_format_belongs_to_a_route() {
        const OTLP: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
        const LOGS: &str = "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL";
        const METRICS: &str = "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL";
        const OWN: &str = "KINGLET_FORMAT";
        const OWN_METRICS: &str = "KINGLET_METRICS_FORMAT";
        for (variables, formats, told) in [
            (vec![], ["otlp", "otlp"], None),
            (vec![(OWN, "ndjson")], ["ndjson", "ndjson"], None),
            (vec![(OWN_METRICS, "ndjson")], ["otlp", "ndjson"], None),
            (
                vec![(OWN, "ndjson"), (OWN_METRICS, "otlp-json")],
                ["ndjson", "otlp-json"],
                None,
            ),
            (vec![(OTLP, "http/json")], ["otlp-json", "otlp-json"], None),
            (vec![(LOGS, "http/json")], ["otlp-json", "otlp"], None),
            (vec![(METRICS, "http/json")], ["otlp", "otlp-json"], None),
            (
                vec![(OTLP, "http/json"), (METRICS, "http/protobuf")],
                ["otlp-json", "otlp"],
                None,
            ),
            (
                vec![(OTLP, "http/protobuf"), (LOGS, "http/json")],
                ["otlp-json", "otlp"],
                None,
            ),
            (
                vec![(OTLP, "grpc"), (METRICS, "http/json")],
                ["otlp", "otlp-json"],
                Some(OTLP),
            ),
            (
                vec![(OWN, "otlp"), (METRICS, "http/json")],
                ["otlp", "otlp"],
                Some(METRICS),
            ),
            (
                vec![(OWN, "ndjson"), (METRICS, "grpc"), (OTLP, "grpc")],
                ["ndjson", "ndjson"],
                None,
            ),
            (vec![(OWN, "xml")], ["otlp", "otlp"], Some(OWN)),
            (
                vec![(OWN, "ndjson"), (OWN_METRICS, "xml")],
                ["ndjson", "otlp"],
                Some(OWN_METRICS),
            ),
        ] {
            let endpoint = ("KINGLET_ENDPOINT", "http://c");
            let (config, _, warnings) = read_with(&[&[endpoint], variables.as_slice()].concat());
            let found = config.formats.map(format::Format::name);
            assert_eq!(found, formats, "{variables:?}");
            assert_eq!(warnings.len(), usize::from(told.is_some()), "{warnings:?}");
            assert!(
                told.is_none_or(|told| warnings[0].starts_with(told)),
                "{warnings:?}"
            );
        }
    }

    #[test]
    fn spaces_around_a_value_do_not_count() {
        let (config, _, warnings) = read_with(&[
            ("KINGLET_ENDPOINT", " http://c "),
            ("KINGLET_FORMAT", " "),
            ("KINGLET_FLUSH_BUDGET_MS", " 100"),
            ("KINGLET_MIN_LEVEL", "warn "),
            ("OTEL_METRICS_EXPORTER", " none"),
        ]);
        assert!(warnings.is_empty(), "{warnings:?}");
        assert_eq!(
            (config.flush_budget_ms, config.filter.severity_min),
            (100, 13)
        );
        assert!(matches!(config.endpoints, [Some(_), None]));
    }

    /// What no setting may be is told, once, with the name: there is no variable in the table that nobody reads.
    #[test]
    fn each_variable_of_the_table_is_read() {
        let mut names = std::collections::BTreeSet::new();
        for name in table::SETTINGS.iter().flat_map(table::Setting::names) {
            let name = str::from_utf8(name).unwrap();
            assert!(names.insert(name), "{name} is there twice");
            let mut variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c")];
            variables.retain(|(other, _)| *other != name);
            variables.push((name, "\u{fffd}"));
            let (.., warnings) = read_with(&variables);
            assert_eq!(warnings.len(), 1, "{name}: {warnings:?}");
            assert!(warnings[0].starts_with(name), "{name}: {warnings:?}");
        }
        assert!(names.len() > 40);
    }

    /// The timeout is read for both signals, and told once, wherever their headers come from.
    #[test]
    fn what_both_signals_read_is_told_once() {
        let (.., warnings) = read_with(&[
            ("KINGLET_ENDPOINT", "http://c"),
            ("KINGLET_TIMEOUT_MS", "0"),
            ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "a=1"),
        ]);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }

    /// That there is no endpoint is said only where that is the reason.
    #[test]
    fn what_switches_all_off_is_told() {
        let url = ("KINGLET_ENDPOINT", "http://c");
        let no_logs = ("OTEL_LOGS_EXPORTER", "none");
        let no_metrics = ("OTEL_METRICS_EXPORTER", "none");
        let bad = ("KINGLET_METRICS_ENDPOINT", "m:1");
        for (variables, words) in [
            (vec![url, no_logs, no_metrics], "OTEL_LOGS_EXPORTER"),
            (vec![no_logs, no_metrics], "OTEL_LOGS_EXPORTER"),
            (
                vec![url, no_logs, ("KINGLET_METRICS", "off")],
                "KINGLET_METRICS",
            ),
            (vec![no_metrics], "KINGLET_ENDPOINT is not set"),
            (vec![no_logs], "KINGLET_ENDPOINT is not set"),
            (vec![bad], "KINGLET_METRICS_ENDPOINT is not of the form"),
            (vec![bad, no_logs], "KINGLET_METRICS_ENDPOINT is not of"),
        ] {
            let (config, _, warnings) = read_with(&variables);
            assert!(matches!(config.endpoints, [None, None]));
            assert!(
                warnings.len() == 1 && warnings[0].contains(words),
                "{variables:?}: {warnings:?}"
            );
        }
    }

    #[test]
    fn good_values_are_taken() {
        let (config, resource, warnings) = read_with(&[
            ("KINGLET_ENDPOINT", "http://c"),
            ("KINGLET_FLUSH", "end"),
            ("KINGLET_FLUSH_BUDGET_MS", "100"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "1000"),
            ("KINGLET_BUFFER_BYTES", "65536"),
            ("KINGLET_PORT", "0"),
            ("KINGLET_TYPES", "extension, function"),
            ("KINGLET_MIN_LEVEL", "warn"),
            ("KINGLET_INVOCATION_LINES", "off"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_LOGS_EXPORTER", "console, otlp"),
            ("OTEL_METRICS_EXPORTER", "otlp"),
            ("AWS_LAMBDA_FUNCTION_NAME", "orders"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("OTEL_RESOURCE_ATTRIBUTES", "team=a%2Cb,service.name=x"),
            ("OTEL_SERVICE_NAME", "shop"),
        ]);
        assert!(warnings.is_empty(), "{warnings:?}");
        assert_eq!(
            (
                config.flush,
                config.flush_budget_ms,
                config.flush_interval_ms
            ),
            (Flush::End, 100, 1000)
        );
        assert_eq!(
            (config.ring_bytes, config.port, config.filter.severity_min),
            (65536, 0, 13)
        );
        assert!(!config.filter.platform && config.filter.function && config.filter.extension);
        assert!(!config.filter.invocation_lines);
        let entry = |key: &str| {
            resource
                .entries()
                .iter()
                .find(|entry| entry.key == key.as_bytes())
                .map(|entry| String::from_utf8_lossy(&entry.value).into_owned())
        };
        assert_eq!(entry("service.name").as_deref(), Some("shop"));
        assert_eq!(entry("team").as_deref(), Some("a,b"));
        assert_eq!(entry("faas.max_memory").as_deref(), Some("268435456"));
        assert_eq!(entry("cloud.region"), None);
    }
}
