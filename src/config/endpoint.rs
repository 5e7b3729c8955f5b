//! Where batches are sent, and how a URL is judged.

use super::Reader;
use crate::signal::{PerSignal, Signal};
use crate::{decimal, delimited, limits, wire};

/// The collector of one signal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    pub url: String,
    /// The variable that told, for messages.
    pub variable: &'static str,
    /// Names and values of additional request headers.
    pub headers: Vec<(String, String)>,
    /// Bound on one POST, awake.
    pub timeout_ms: u64,
    /// The variables that told the headers and the bound.
    sources: [&'static str; 2],
}

/// The variables of a signal, the strongest first.
struct Names {
    /// In all but the last of these, and the general [`ENDPOINT`], the whole URL stands.
    urls: &'static [&'static str],
    headers: [&'static str; 3],
    timeout: [&'static str; 3],
    exporter: &'static str,
    /// What a bad URL leads to.
    consequence: &'static [u8],
}

const ENDPOINT: &str = "KINGLET_ENDPOINT";
const OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

const NAMES: PerSignal<Names> = PerSignal {
    log: Names {
        urls: &[ENDPOINT, "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", OTLP_ENDPOINT],
        headers: [
            "KINGLET_HEADERS",
            "OTEL_EXPORTER_OTLP_LOGS_HEADERS",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ],
        timeout: [
            "KINGLET_TIMEOUT_MS",
            "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ],
        exporter: "OTEL_LOGS_EXPORTER",
        consequence: b": no logs are recorded",
    },
    metric: Names {
        urls: &[
            "KINGLET_METRICS_ENDPOINT",
            ENDPOINT,
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            OTLP_ENDPOINT,
        ],
        headers: [
            "KINGLET_HEADERS",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ],
        timeout: [
            "KINGLET_TIMEOUT_MS",
            "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ],
        exporter: "OTEL_METRICS_EXPORTER",
        consequence: b": no metrics are recorded",
    },
};

impl Reader<'_> {
    pub(super) fn endpoints(&mut self, format: &dyn wire::Format) -> PerSignal<Option<Endpoint>> {
        let wants_metrics = self.switch("KINGLET_METRICS", true);
        let (log_name, log) = self.endpoint(Signal::Log, format, None, "");
        let metric = if wants_metrics {
            // What is wrong with a URL for both is told once.
            let told = if log.is_none() { log_name } else { "" };
            self.endpoint(Signal::Metric, format, log.as_ref(), told).1
        } else {
            None
        };
        if log_name.is_empty() && metric.is_none() {
            (self.warn)(&[
                b"KINGLET_ENDPOINT is not set: nothing is recorded. Set it to the URL of an OTLP/HTTP collector, such as http://10.0.0.5:4318",
            ]);
        }
        PerSignal { log, metric }
    }

    /// The variable that names the URL, if one does; and the endpoint, if it is one. `other`: the endpoint that was read
    /// before. `told`: a variable whose fault is known.
    fn endpoint(
        &mut self,
        signal: Signal,
        format: &dyn wire::Format,
        other: Option<&Endpoint>,
        told: &str,
    ) -> (&'static str, Option<Endpoint>) {
        let names = NAMES.of(signal);
        let is_off = self.get(names.exporter).as_deref() == Some("none");
        let Some((variable, value)) = self.first(names.urls).filter(|_| !is_off) else {
            return ("", None);
        };
        let url = value.trim_ascii();
        if let Some(problem) = url_problem(url) {
            if variable != told {
                let shown = without_secrets(url);
                (self.warn)(&[
                    variable.as_bytes(),
                    b"=\"",
                    shown.as_bytes(),
                    b"\" ",
                    problem.as_bytes(),
                    names.consequence,
                ]);
            }
            return (variable, None);
        }
        let path = format.path(signal);
        // A signal's own variable is the whole URL, and so is that of a format without paths.
        let url = if path.is_empty() || !matches!(variable, ENDPOINT | OTLP_ENDPOINT) {
            url.to_string()
        } else {
            let end = url.bytes().position(|byte| matches!(byte, b'?' | b'#'));
            let (base, query) = url
                .split_at_checked(end.unwrap_or(url.len()))
                .unwrap_or((url, ""));
            [base.strip_suffix('/').unwrap_or(base), path, query].concat()
        };
        let sources = [self.source(&names.headers), self.source(&names.timeout)];
        // From the same variables comes the same, and the same warnings.
        let (headers, timeout_ms) = match other.filter(|other| other.sources == sources) {
            Some(other) => (other.headers.clone(), other.timeout_ms),
            None => (
                self.headers(&names.headers),
                self.number(&names.timeout, limits::POST_MS, (1, limits::POST_MS_MAX)),
            ),
        };
        let endpoint = Endpoint {
            url,
            variable,
            headers,
            timeout_ms,
            sources,
        };
        (variable, Some(endpoint))
    }

    fn source(&self, names: &[&'static str]) -> &'static str {
        self.first(names).map_or("", |(name, _)| name)
    }

    /// `name=value,name=value`, percent-encoded (W3C Baggage, as OTLP prescribes).
    fn headers(&mut self, names: &[&str]) -> Vec<(String, String)> {
        let Some((variable, list)) = self.first(names) else {
            return Vec::new();
        };
        let mut headers = Vec::new();
        for pair in delimited::list(&list) {
            match super::pair(pair) {
                Some(header) if headers.len() < limits::HEADERS_MAX => headers.push(header),
                _ => (self.warn)(&[
                    variable.as_bytes(),
                    b": a pair is left out, because it is not of the form name=value or is one too many",
                ]),
            }
        }
        headers
    }
}

/// The parts of a URL: scheme, user info, host and port, and the path with all behind it.
fn url_parts(url: &str) -> (&str, &str, &str, &str) {
    let (scheme, rest) = delimited::cut(url, b':').unwrap_or(("", url));
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let end = rest
        .bytes()
        .position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    let (authority, path) = rest
        .split_at_checked(end.unwrap_or(rest.len()))
        .unwrap_or((rest, ""));
    let (user, host) = delimited::cut_last(authority, b'@').unwrap_or(("", authority));
    (scheme, user, host, path)
}

/// What is wrong with a URL as an endpoint, in words that follow it.
fn url_problem(url: &str) -> Option<&'static str> {
    let (scheme, _, host_and_port, _) = url_parts(url);
    if scheme.eq_ignore_ascii_case("https") {
        return Some(
            "asks for TLS, which kinglet does not speak; use an http:// collector in your VPC or in the sandbox",
        );
    }
    if !scheme.eq_ignore_ascii_case("http") || url.as_bytes().get(4..7) != Some(b"://") {
        return Some("is not an http:// URL");
    }
    let (host, port) = match delimited::cut_last(host_and_port, b':') {
        // A colon of an IPv6 address.
        Some((_, port)) if port.ends_with(']') => (host_and_port, "80"),
        Some((host, port)) => (host, port),
        None => (host_and_port, "80"),
    };
    let is_port = decimal::parse(port.as_bytes()).is_some_and(|port| (1..=65535).contains(&port));
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic());
    if host.is_empty() || !is_port || !is_plain {
        return Some("is not a URL with a host and, if any, a port from 1 to 65535");
    }
    None
}

/// A URL without its user info and its query.
fn without_secrets(url: &str) -> String {
    let (scheme, _, host, path) = url_parts(url);
    let path = delimited::cut(path, b'?').map_or(path, |(path, _)| path);
    [scheme, "://", host, path].concat()
}
