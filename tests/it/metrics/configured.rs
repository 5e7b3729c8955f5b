//! Where metrics go, and in which form, as the user has configured it.

use kinglet_sandbox::{Builder, Signal};
use serde_json::json;

use super::measured::{
    accounts, accounts_without_losses, measuring, measuring_at_end, named, total,
};
use super::statsd_client::StatsdClient;
use crate::arrived::function_lines;
use crate::extension::{alone, beside, healthy_collector, invoke, spin_down};

/// Metrics go to `/v1/metrics` beside the logs, over the same connection, each batch with an id of its own.
#[test]
fn one_endpoint_serves_both() {
    let collector = healthy_collector();
    let lambda = measuring_at_end(&collector)
        .env("KINGLET_HEADERS", "api-key=secret")
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    invoke(&lambda, ["another"]);
    spin_down(&lambda);
    let requests = collector.requests();
    let mut paths: Vec<&str> = requests
        .iter()
        .map(|received| received.request.path.as_str())
        .collect();
    let mut ids: Vec<_> = requests
        .iter()
        .map(|received| received.request.header("idempotency-key"))
        .collect();
    assert!(
        requests
            .iter()
            .all(|received| received.request.header("api-key") == Some("secret"))
    );
    assert_eq!(collector.connections(), 1, "{paths:?}");
    paths.sort();
    paths.dedup();
    assert_eq!(paths, ["/v1/logs", "/v1/metrics"]);
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
}

/// `KINGLET_METRICS=off`, or OpenTelemetry's word for it: logs alone.
#[test]
fn metrics_can_be_switched_off() {
    for (name, value) in [
        ("KINGLET_METRICS", "off"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ] {
        let (collector, client) = (healthy_collector(), StatsdClient::new());
        let lambda = client.beside(&collector).env(name, value).start().unwrap();
        invoke(&lambda, ["a line"]);
        let counters = accounts(&spin_down(&lambda));
        assert_eq!(
            (counters.get("points"), counters.get("datagrams")),
            (0, 0),
            "{name}"
        );
        assert!(collector.requests_of(Signal::Metric).is_empty(), "{name}");
        assert_eq!(function_lines(&collector), ["a line"], "{name}");
    }
}

/// Logs and metrics to different collectors, by kinglet's variable and by OpenTelemetry's. The URL is the whole one.
#[test]
fn metrics_can_go_elsewhere() {
    for is_ours in [true, false] {
        let (logs, metrics) = (healthy_collector(), healthy_collector());
        let elsewhere = format!("{}/own/path", metrics.url());
        let builder = if is_ours {
            measuring(&logs).env(
                "KINGLET_METRICS_ENDPOINT",
                format!("{elsewhere}/v1/metrics"),
            )
        } else {
            alone()
                .env("KINGLET_METRICS", "on")
                .env("KINGLET_STATSD_PORT", "0")
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", logs.url())
                .env(
                    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
                    format!("{elsewhere}/v1/metrics"),
                )
        };
        let lambda = builder.start().unwrap();
        invoke(&lambda, ["a line"]);
        accounts(&spin_down(&lambda));
        assert_eq!(function_lines(&logs), ["a line"]);
        assert_eq!(
            (
                logs.requests_of(Signal::Metric).len(),
                metrics.records().len()
            ),
            (0, 0)
        );
        assert_eq!(total(&metrics, "faas.invocations"), 1.0);
        assert_eq!(metrics.requests()[0].request.path, "/own/path/v1/metrics");
    }
}

/// Metrics alone: no log is sent or held, and nothing is lost that was wanted.
#[test]
fn only_metrics() {
    let by_signal = |metrics: &str| -> Builder {
        alone()
            .env("KINGLET_METRICS", "on")
            .env("KINGLET_SELF_METRICS", "off")
            .env("KINGLET_METRICS_ENDPOINT", metrics)
    };
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client
        .heard_by(by_signal(&format!("{}/v1/metrics", collector.url())))
        .start()
        .unwrap();
    let emf = r#"{"_aws":{"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[[]],"Metrics":[{"Name":"Emf"}]}]},"Emf":3}"#;
    // What is shipped whatever the types that are asked for.
    let dropped = json!({"droppedRecords": 2, "droppedBytes": 64, "reason": "x"});
    lambda.inject([
        json!({"type": "platform.logsDropped", "record": dropped}),
        json!({"type": "a.type.to.come", "record": "a line"}),
    ]);
    invoke(&lambda, [emf, "a line"]);
    client.invoke(&lambda, ["orders:5|c", "_e{1,1}:a|b", "_sc|check|0"]);
    let counters = accounts_without_losses(&spin_down(&lambda), &collector);
    assert!(collector.requests_of(Signal::Log).is_empty());
    assert_eq!(
        (
            total(&collector, "faas.invocations"),
            total(&collector, "orders")
        ),
        (2.0, 5.0)
    );
    assert_eq!(total(&collector, "Emf"), 3.0);
    assert_eq!(
        counters.get("filtered"),
        counters.get("received"),
        "{counters:?}"
    );
    assert_eq!(total(&collector, "aws.lambda.logs_dropped"), 2.0);
}

/// In NDJSON a point is a row, and logs and metrics share the URL.
#[test]
fn rows() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let builder = client.beside(&collector).env("KINGLET_FORMAT", "ndjson");
    let lambda = builder
        .env("KINGLET_ENDPOINT", format!("{}/insert", collector.url()))
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    client.invoke(
        &lambda,
        [
            "orders:5|c|#shop:\"süd\"",
            "took:7|ms",
            "depth:-1.5e-7|g|#a:b",
            "users:x|s",
        ],
    );
    accounts_without_losses(&spin_down(&lambda), &collector);
    assert!(
        collector
            .requests()
            .iter()
            .all(|received| received.request.path == "/insert")
    );
    assert_eq!(function_lines(&collector), ["a line"]);
    assert_eq!(
        (
            total(&collector, "faas.invocations"),
            total(&collector, "orders")
        ),
        (2.0, 5.0)
    );
    assert_eq!(
        named(&collector, "orders")[0].attribute("shop"),
        Some("\"süd\"")
    );
    assert_eq!(
        (
            total(&collector, "took"),
            named(&collector, "took")[0].unit.as_str()
        ),
        (7.0, "ms")
    );
    assert_eq!(named(&collector, "depth")[0].value(), -1.5e-7);
    assert_eq!(named(&collector, "users")[0].value(), 1.0);
}

/// Logs and metrics each in a format of their own, from one function, by kinglet's variables and by OpenTelemetry's.
#[test]
fn a_format_belongs_to_a_route() {
    const LOGS: &str = "/v1/logs application/x-protobuf";
    for (variables, logs, metrics) in [
        (
            [("KINGLET_METRICS_FORMAT", "ndjson"), ("X", "")],
            LOGS,
            "/ application/x-ndjson",
        ),
        (
            [("KINGLET_METRICS_FORMAT", "otlp-json"), ("X", "")],
            LOGS,
            "/v1/metrics application/json",
        ),
        (
            [
                ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/json"),
                ("X", ""),
            ],
            LOGS,
            "/v1/metrics application/json",
        ),
        (
            [
                ("KINGLET_FORMAT", "ndjson"),
                ("KINGLET_METRICS_FORMAT", "otlp"),
            ],
            "/ application/x-ndjson",
            "/v1/metrics application/x-protobuf",
        ),
    ] {
        let (collector, client) = (healthy_collector(), StatsdClient::new());
        let mut builder = client.beside(&collector);
        for (name, value) in variables {
            builder = builder.env(name, value);
        }
        let lambda = builder.start().unwrap();
        invoke(&lambda, ["a line"]);
        client.invoke(&lambda, ["orders:5|c"]);
        accounts_without_losses(&spin_down(&lambda), &collector);
        assert_eq!(function_lines(&collector), ["a line"]);
        assert_eq!(total(&collector, "orders"), 5.0);
        let mut forms: Vec<_> = collector
            .requests()
            .iter()
            .map(|received| {
                let content_type = received.request.header("content-type").unwrap();
                format!("{} {content_type}", received.request.path)
            })
            .collect();
        forms.sort();
        forms.dedup();
        let mut expected = [logs, metrics];
        expected.sort_unstable();
        assert_eq!(forms, expected, "{variables:?}");
    }
}

/// A URL that is none for metrics leaves the logs alone, and is told once.
#[test]
fn a_wrong_endpoint_is_told() {
    let collector = healthy_collector();
    let lambda = beside(&collector)
        .env("KINGLET_METRICS", "on")
        .env("KINGLET_METRICS_ENDPOINT", "https://example.com/v1/metrics")
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    assert_eq!(exit.stderr.len(), 2, "{:?}", exit.stderr);
    assert!(
        exit.stderr[0].contains("KINGLET_METRICS_ENDPOINT"),
        "{:?}",
        exit.stderr
    );
    assert_eq!(function_lines(&collector), ["a line"]);
}
