//! CloudWatch's embedded metric format: lines that are metrics, records, or both.

use kinglet_sandbox::{Collector, Data, LogFormat, Sandbox};
use serde_json::{Value, json};

use super::measured::{accounts, accounts_without_losses, measuring_at_end, named, single, total};
use crate::arrived::function_lines;
use crate::counters::Counters;
use crate::extension::{healthy_collector, invoke, spin_down};

/// A document with one directive.
fn document(metrics: Value, dimensions: Value, members: Value) -> String {
    let directive = json!({"Namespace": "Shop", "Dimensions": dimensions, "Metrics": metrics});
    let mut document =
        json!({"_aws": {"Timestamp": 1_795_293_768_895_u64, "CloudWatchMetrics": [directive]}});
    document
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    document.to_string()
}

fn latency(value: Value) -> String {
    let metrics = json!([{"Name": "Latency", "Unit": "Milliseconds"}]);
    document(
        metrics,
        json!([["service"]]),
        json!({"service": "checkout", "Latency": value}),
    )
}

fn play(
    variables: &[(&str, &str)],
    format: LogFormat,
    lines: &[String],
) -> (Collector, Sandbox, Counters) {
    let collector = healthy_collector();
    let mut builder = measuring_at_end(&collector).log_format(format);
    for (name, value) in variables {
        builder = builder.env(*name, *value);
    }
    let lambda = builder.start().unwrap();
    invoke(&lambda, lines);
    let counters = accounts_without_losses(&spin_down(&lambda), &collector);
    (collector, lambda, counters)
}

/// By default a line is a metric and a record; it can be either alone. In the platform's JSON log format as in text.
#[test]
fn lines_are_metrics_records_or_both() {
    for format in [LogFormat::Text, LogFormat::Json] {
        for (choice, is_metric, is_record) in [
            ("", true, true),
            ("both", true, true),
            ("metrics", true, false),
            ("logs", false, true),
        ] {
            let lines = [
                latency(json!(12.5)),
                "plain".into(),
                latency(json!([14, 3.5])),
            ];
            let (collector, lambda, counters) = play(&[("KINGLET_EMF", choice)], format, &lines);
            let case = format!("{choice} {format:?}");
            counters.assert_all_received(&lambda);
            let expected = if is_record {
                lines.to_vec()
            } else {
                vec![lines[1].clone()]
            };
            assert_eq!(function_lines(&collector), expected, "{case}");
            assert_eq!(
                counters.get("filtered"),
                3 - expected.len() as u64,
                "{case}"
            );
            assert_eq!(counters.get("measurements_malformed"), 0, "{case}");
            if !is_metric {
                assert!(named(&collector, "Latency").is_empty(), "{case}");
                continue;
            }
            let point = single(&collector, "Latency");
            assert_eq!(
                (point.count(), point.value(), point.unit.as_str()),
                (3, 30.0, "ms"),
                "{case}"
            );
            let attributes = (
                point.attribute("service"),
                point.attribute("aws.cloudwatch.namespace"),
            );
            assert_eq!(attributes, (Some("checkout"), Some("Shop")), "{case}");
            let Data::Histogram(histogram) = point.data else {
                panic!("{case}")
            };
            assert_eq!((histogram.min, histogram.max), (3.5, 14.0), "{case}");
        }
    }
}

/// Each dimension set is a series of its own, as in CloudWatch.
#[test]
fn dimension_sets_are_series() {
    let metrics =
        json!([{"Name": "Orders", "Unit": "Count"}, {"Name": "Bytes", "Unit": "Bytes/Second"}]);
    let members = json!({"service": "checkout", "shop": "süd \"1\"", "Orders": 2, "Bytes": [1, 2]});
    let line = document(
        metrics,
        json!([[], ["service"], ["service", "shop"]]),
        members,
    );
    let (collector, ..) = play(&[], LogFormat::Text, &[line.clone(), line]);
    for (name, unit, count, sum) in [("Orders", "{count}", 2, 4.0), ("Bytes", "By/s", 4, 6.0)] {
        let points = named(&collector, name);
        assert_eq!(points.len(), 3, "{points:?}");
        for point in &points {
            assert_eq!(
                (point.unit.as_str(), point.count(), point.value()),
                (unit, count, sum),
                "{point:?}"
            );
        }
        let shops: Vec<_> = points
            .iter()
            .filter_map(|point| point.attribute("shop"))
            .collect();
        assert_eq!(shops, ["süd \"1\""]);
    }
}

/// The lines that AWS's own libraries have written.
#[test]
fn libraries_are_understood() {
    let read = |file: &str| {
        let path = format!("{}/tests/fixtures/emf/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(String::from).collect::<Vec<_>>()
    };
    let lines = [
        read("py-aws-embedded-metrics.jsonl"),
        read("py-powertools-metrics.jsonl"),
    ]
    .concat();
    let (collector, _, counters) = play(&[], LogFormat::Text, &lines);
    assert_eq!(counters.get("measurements_malformed"), 0);
    for (name, unit, count, sum) in [
        ("ProcessingLatency", "ms", 2, 220.0),
        ("HiRes", "{count}", 1, 3.5),
        ("Single", "By", 1, 10.0),
        ("ColdStart", "{count}", 1, 1.0),
        ("Orders", "{count}", 1, 1.0),
        ("Latency", "ms", 2, 26.5),
        ("Hi", "{count}", 1, 1.0),
    ] {
        let point = single(&collector, name);
        assert_eq!(
            (point.unit.as_str(), point.count(), point.value()),
            (unit, count, sum),
            "{name}"
        );
    }
    assert_eq!(single(&collector, "Orders").attribute("env"), Some("test"));
}

/// Extensions' lines, and metrics that nobody wants, are not read.
#[test]
fn without_metrics_it_is_a_line() {
    let lines = [latency(json!(1))];
    let collector = healthy_collector();
    let builder = measuring_at_end(&collector)
        .env("KINGLET_METRICS", "off")
        .env("KINGLET_EMF", "metrics");
    let lambda = builder.start().unwrap();
    invoke(&lambda, &lines);
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(function_lines(&collector), lines, "it is not lost");
    assert_eq!((counters.get("points"), collector.points().len()), (0, 0));
}

/// With `KINGLET_TYPES=platform` the function's lines are not shipped, but their metrics are.
#[test]
fn unwanted_lines_are_measured() {
    let collector = healthy_collector();
    let lambda = measuring_at_end(&collector)
        .env("KINGLET_TYPES", "platform")
        .start()
        .unwrap();
    invoke(&lambda, [latency(json!(7)), "plain".to_string()]);
    spin_down(&lambda);
    assert!(function_lines(&collector).is_empty());
    assert_eq!(total(&collector, "Latency"), 7.0);
}
