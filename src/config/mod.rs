//! The environment to a [`Config`], once. A wrong value is one warning and the default, never an error.
//!
//! `KINGLET_*` wins over the standard `OTEL_*`, and a signal's own `OTEL_*` over the general one.

mod endpoint;
mod names;
mod pairs;

use crate::format;
use crate::format::point::Temporality;
use crate::format::resource::Resource;
use crate::format::severity;
use crate::lambda::lifecycle::Flush;
use crate::limits;
use crate::queue::route::ROUTES;
use crate::source::event::{Emf, Filter};
use crate::text::decimal;
use crate::text::delimited;

pub use endpoint::{Endpoint, Headers};
pub use names::warn_of_unknown;

/// Values of `OTEL_EXPORTER_OTLP_PROTOCOL` that can be had.
const PROTOBUF: &str = "http/protobuf";
const JSON: &str = "http/json";

const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
const LOGS_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL";
const METRICS_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL";

/// Looks up a variable.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Takes one warning, in parts.
pub type Warn<'a> = &'a mut dyn FnMut(&[&[u8]]);

pub struct Config {
    /// Where the batches of each route are sent; without any: dormant.
    pub endpoints: [Option<Endpoint>; ROUTES],
    /// And in which form.
    pub formats: Formats,
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

struct Reader<'a> {
    variables: Variables<'a>,
    warn: Warn<'a>,
}

/// Reads the whole configuration, the resource's attributes included.
pub fn read(variables: Variables<'_>, warn: Warn<'_>, resource: &mut Resource) -> Config {
    let mut reader = Reader { variables, warn };
    reader.resource(resource);
    let initialization = reader
        .get("AWS_LAMBDA_INITIALIZATION_TYPE")
        .unwrap_or_default();
    let formats = reader.formats();
    reader.warn_of_unsupported(&formats);
    let endpoints = reader.endpoints(&formats);
    let [has_logs, has_metrics] = endpoints.each_ref().map(Option::is_some);
    Config {
        endpoints,
        formats,
        flush: reader.flush(),
        flush_budget_ms: reader.number(
            &["KINGLET_FLUSH_BUDGET_MS"],
            limits::FLUSH_BUDGET_MS,
            (0, limits::FLUSH_BUDGET_MS_MAX),
        ),
        flush_interval_ms: reader.number(
            &["KINGLET_FLUSH_INTERVAL_MS", "OTEL_BLRP_SCHEDULE_DELAY"],
            limits::FLUSH_INTERVAL_MS,
            (0, limits::FLUSH_INTERVAL_MS_MAX),
        ),
        ring_bytes: reader.number(
            &["KINGLET_BUFFER_BYTES"],
            limits::RING_BYTES as u64,
            (limits::RING_BYTES_MIN as u64, limits::RING_BYTES_MAX as u64),
        ) as usize,
        port: reader.number(
            &["KINGLET_PORT"],
            u64::from(limits::TELEMETRY_PORT),
            (0, u64::from(u16::MAX)),
        ) as u16,
        filter: reader.filter(has_logs, has_metrics),
        buffering: reader.buffering(),
        temporality: reader.temporality(),
        self_metrics: reader.switch("KINGLET_SELF_METRICS", true),
        statsd_port: reader.number(
            &["KINGLET_STATSD_PORT"],
            u64::from(limits::STATSD_PORT),
            (0, u64::from(u16::MAX)),
        ) as u16,
        is_concurrent: initialization == "lambda-managed-instances",
        is_coldstart: initialization != "provisioned-concurrency",
    }
}

impl Reader<'_> {
    /// A variable that is set and not empty: OpenTelemetry takes an empty one as unset.
    fn get(&self, name: &str) -> Option<String> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// The first of these that is set, with its name.
    fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, String)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }

    fn wrong(&mut self, name: &str, value: &str, problem: &str) {
        let value = value.get(..value.floor_char_boundary(64));
        (self.warn)(&[
            name.as_bytes(),
            b"=\"",
            value.unwrap_or_default().as_bytes(),
            b"\" ",
            problem.as_bytes(),
        ]);
    }

    fn number(&mut self, names: &[&str], default: u64, (least, most): (u64, u64)) -> u64 {
        let Some((name, value)) = self.first(names) else {
            return default;
        };
        match decimal::parse(value.trim_ascii().as_bytes()) {
            Some(number) if (least..=most).contains(&number) => number,
            _ => {
                let mut problem = Vec::from(b"is not a whole number from ".as_slice());
                decimal::push(&mut problem, least);
                problem.extend_from_slice(b" to ");
                decimal::push(&mut problem, most);
                problem.extend_from_slice(b"; used instead: ");
                decimal::push(&mut problem, default);
                self.wrong(
                    name,
                    &value,
                    core::str::from_utf8(&problem).unwrap_or_default(),
                );
                default
            }
        }
    }

    /// The format of each route: that of kinglet's own variables, or the form of OTLP that the standard asks for.
    fn formats(&mut self) -> Formats {
        let mut told = "";
        [
            (["KINGLET_FORMAT"].as_slice(), LOGS_PROTOCOL),
            (
                &["KINGLET_METRICS_FORMAT", "KINGLET_FORMAT"],
                METRICS_PROTOCOL,
            ),
        ]
        .map(|(names, protocol)| {
            let Some((variable, name)) = self.first(names) else {
                let asked = self.first(&[protocol, PROTOCOL]);
                let is_json = asked.is_some_and(|(_, protocol)| protocol == JSON);
                return if is_json {
                    &format::otlp_json::OtlpJson as &dyn format::Format
                } else {
                    &format::otlp::Otlp
                };
            };
            format::format(&name).unwrap_or_else(|| {
                if core::mem::replace(&mut told, variable) != variable {
                    self.wrong(
                        variable,
                        &name,
                        "is not otlp, otlp-json or ndjson; used instead: otlp",
                    );
                }
                &format::otlp::Otlp
            })
        })
    }

    /// kinglet sends one form for each route, uncompressed, over plain HTTP, whatever else is asked for.
    fn warn_of_unsupported(&mut self, formats: &Formats) {
        const COMPRESSION: (&str, &str) = ("none", "is not supported; nothing is compressed");
        let [logs, metrics] = formats.map(|format| match format.name() {
            "otlp" => (PROTOBUF, "is not sent; http/protobuf is"),
            "otlp-json" => (JSON, "is not sent; http/json is"),
            _ => ("", ""),
        });
        for (name, (supported, problem), (other, _)) in [
            (LOGS_PROTOCOL, logs, logs),
            (METRICS_PROTOCOL, metrics, metrics),
            // For one of them is enough.
            (PROTOCOL, logs, metrics),
            (
                "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION",
                COMPRESSION,
                COMPRESSION,
            ),
            (
                "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
                COMPRESSION,
                COMPRESSION,
            ),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", COMPRESSION, COMPRESSION),
        ] {
            if let Some(value) = self.get(name)
                && ![supported, other, ""].contains(&value.as_str())
                && !supported.is_empty()
                && !other.is_empty()
            {
                self.wrong(name, &value, problem);
            }
        }
    }

    fn flush(&mut self) -> Flush {
        match self.get("KINGLET_FLUSH").as_deref() {
            None | Some("adaptive") => Flush::Adaptive,
            Some("start") => Flush::Start,
            Some("end") => Flush::End,
            Some(other) => {
                self.wrong(
                    "KINGLET_FLUSH",
                    other,
                    "is not start, end or adaptive; used instead: adaptive",
                );
                Flush::Adaptive
            }
        }
    }

    /// Delta and low memory are the same here: there are no asynchronous instruments that could differ.
    fn temporality(&mut self) -> Temporality {
        let name = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
        let value = self.get(name).unwrap_or_default();
        for (word, temporality) in [
            ("", Temporality::Delta),
            ("delta", Temporality::Delta),
            ("lowmemory", Temporality::Delta),
            ("cumulative", Temporality::Cumulative),
        ] {
            if value.eq_ignore_ascii_case(word) {
                return temporality;
            }
        }
        self.wrong(
            name,
            &value,
            "is not delta, cumulative or lowmemory; used instead: delta",
        );
        Temporality::Delta
    }

    fn emf(&mut self) -> Emf {
        match self.get("KINGLET_EMF").as_deref() {
            None | Some("both") => Emf::Both,
            Some("metrics") => Emf::Metrics,
            Some("logs") => Emf::Logs,
            Some(other) => {
                self.wrong(
                    "KINGLET_EMF",
                    other,
                    "is not both, metrics or logs; used instead: both",
                );
                Emf::Both
            }
        }
    }

    fn filter(&mut self, has_logs: bool, has_metrics: bool) -> Filter {
        let emf = self.emf();
        let mut filter = Filter {
            platform: true,
            function: true,
            extension: false,
            emf: if has_metrics { emf } else { Emf::Logs },
            invocation_lines: self.switch("KINGLET_INVOCATION_LINES", true),
            severity_min: self.severity_min(),
        };
        if let Some(types) = self.get("KINGLET_TYPES") {
            let mut chosen = [false; 3];
            let mut wrong = Some(types.as_str());
            for word in delimited::list(&types) {
                let [platform, function, extension] = &mut chosen;
                wrong = None;
                match word {
                    "platform" => *platform = true,
                    "function" => *function = true,
                    "extension" => *extension = true,
                    _ => {
                        wrong = Some(word);
                        break;
                    }
                }
            }
            match wrong {
                None => [filter.platform, filter.function, filter.extension] = chosen,
                Some(word) => self.wrong(
                    "KINGLET_TYPES",
                    word,
                    "is not platform, function or extension; used instead: platform,function",
                ),
            }
        }
        if !has_logs {
            (filter.platform, filter.function, filter.extension) = (false, false, false);
        }
        filter
    }

    fn severity_min(&mut self) -> u8 {
        let Some(word) = self.get("KINGLET_MIN_LEVEL") else {
            return 0;
        };
        let severity = severity::of_word(word.as_bytes());
        if severity == 0 {
            self.wrong(
                "KINGLET_MIN_LEVEL",
                &word,
                "is not trace, debug, info, warn, error or fatal; used instead: trace",
            );
        }
        severity
    }

    fn switch(&mut self, name: &str, default: bool) -> bool {
        match self.get(name).as_deref() {
            None => default,
            Some("on" | "1" | "true") => true,
            Some("off" | "0" | "false") => false,
            Some(other) => {
                let problem = if default {
                    "is not on or off; used instead: on"
                } else {
                    "is not on or off; used instead: off"
                };
                self.wrong(name, other, problem);
                default
            }
        }
    }

    /// The bounds are those of the Telemetry API.
    fn buffering(&mut self) -> Buffering {
        Buffering {
            items: self.number(
                &["KINGLET_TELEMETRY_ITEMS"],
                u64::from(limits::BUFFERING_ITEMS),
                (1000, 10_000),
            ),
            bytes: self.number(
                &["KINGLET_TELEMETRY_BYTES"],
                u64::from(limits::BUFFERING_BYTES),
                (262_144, 1_048_576),
            ),
            ms: self.number(
                &["KINGLET_TELEMETRY_MS"],
                u64::from(limits::BUFFERING_MS),
                (25, 30_000),
            ),
        }
    }

    fn resource(&mut self, resource: &mut Resource) {
        resource.set(b"cloud.provider", b"aws");
        resource.set(b"cloud.platform", b"aws_lambda");
        let from_environment: [(&[u8], &str); 4] = [
            (b"cloud.region", "AWS_REGION"),
            (b"faas.name", "AWS_LAMBDA_FUNCTION_NAME"),
            (b"faas.version", "AWS_LAMBDA_FUNCTION_VERSION"),
            (b"service.name", "AWS_LAMBDA_FUNCTION_NAME"),
        ];
        for (key, variable) in from_environment {
            resource.set(key, self.get(variable).unwrap_or_default().as_bytes());
        }
        let memory = self.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
        if let Some(megabytes) = memory.and_then(|text| decimal::parse(text.as_bytes())) {
            resource.set_integer(b"faas.max_memory", megabytes.saturating_mul(1024 * 1024));
        }
        let name = "OTEL_RESOURCE_ATTRIBUTES";
        let list = self.get(name).unwrap_or_default();
        let mut place = 0;
        for pair in delimited::list(&list) {
            place += 1;
            let is_set = pairs::pair(pair)
                .is_some_and(|(key, value)| resource.set_fixed(key.as_bytes(), value.as_bytes()));
            if !is_set {
                self.left_out(name, place);
            }
        }
        let name = "OTEL_SERVICE_NAME";
        if let Some(value) = self.get(name)
            && !(pairs::is_text(&value) && resource.set_fixed(b"service.name", value.as_bytes()))
        {
            self.wrong(name, &value, "is not used: it is too long, or not UTF-8");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(variables: &[(&str, &str)]) -> (Config, Resource, Vec<String>) {
        let mut warnings = Vec::new();
        let mut resource = Resource::default();
        let lookup = |name: &str| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_string())
        };
        let mut warn = |parts: &[&[u8]]| warnings.push(String::from_utf8(parts.concat()).unwrap());
        let config = read(&lookup, &mut warn, &mut resource);
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
                told.is_none_or(|told| warnings[0].starts_with(&format!("{told}="))),
                "{warnings:?}"
            );
        }
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
