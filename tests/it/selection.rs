//! What is shipped, where to, and in which form, as the user has configured it.

use kinglet_sandbox::Record;
use serde_json::json;

use crate::arrived::{event_type, events, function_lines, of_type};
use crate::counters::Counters;
use crate::extension::{alone, beside, healthy_collector, invoke, spin_down};

const LEVELS: [&str; 4] = [
    "[DEBUG]\t2026-11-21T20:37:43.578Z\tdebug",
    "[WARNING]\t2026-11-21T20:37:43.578Z\twarning",
    "[ERROR]\t2026-11-21T20:37:43.578Z\terror",
    "without a level",
];

/// `KINGLET_TYPES`, `KINGLET_MIN_LEVEL` and `KINGLET_INVOCATION_LINES` choose what is shipped; the rest is counted as
/// filtered. A line without a level is never taken for an unimportant one.
#[test]
fn what_is_not_wanted_is_filtered_and_counted() {
    let all_levels = [0, 1, 2, 3].as_slice();
    for (variable, value, lines, has_start, has_init) in [
        ("KINGLET_TYPES", "function", all_levels, false, false),
        ("KINGLET_TYPES", "platform", &[], true, true),
        (
            "KINGLET_TYPES",
            "platform, function",
            all_levels,
            true,
            true,
        ),
        ("KINGLET_MIN_LEVEL", "warn", &[1, 2, 3], false, false),
        ("KINGLET_INVOCATION_LINES", "off", all_levels, false, true),
    ] {
        let collector = healthy_collector();
        let lambda = beside(&collector).env(variable, value).start().unwrap();
        invoke(&lambda, LEVELS);
        let exit = spin_down(&lambda);
        let case = format!("{variable}={value}");
        assert_eq!(
            function_lines(&collector),
            lines.iter().map(|at| LEVELS[*at]).collect::<Vec<_>>(),
            "{case}"
        );
        assert_eq!(
            !of_type(&collector, "platform.start").is_empty(),
            has_start,
            "{case}"
        );
        assert_eq!(
            !of_type(&collector, "platform.initStart").is_empty(),
            has_init,
            "{case}"
        );
        let counters = Counters::of(&exit);
        counters.assert_all_received(&lambda);
        assert_eq!(
            counters.get("filtered"),
            counters.get("received") - events(&collector),
            "{case}"
        );
    }
}

/// Level words in prose are no levels: whatever the least level is, such lines are shipped, and have no severity.
#[test]
fn prose_is_shipped_at_any_level() {
    let prose = [
        "2026-11-24 10:00:00 All orders have failed",
        "2026-11-24 10:00:00 everything is fine",
        "2026-11-24 10:00:00 no error occurred",
        "2026-11-24 10:00:00 panic button pressed",
        "2026-11-24 10:00:00 info desk opened",
        "2026-11-24 10:00:00 a trace of doubt",
        "2026-11-24 10:00:00 debug symbols are stripped",
        "2026-11-24 10:00:00 ALL orders have failed",
        "2026-11-24T10:00:00.000Z all orders have failed",
        "[all] orders have failed",
        "[fine] as it is",
        "[orders] DEBUG is only a word here",
        "debug: false",
        "info: see below",
        "level=debug is now set",
        "all is fine",
    ];
    for level in ["info", "fatal"] {
        let collector = healthy_collector();
        let lambda = beside(&collector)
            .env("KINGLET_MIN_LEVEL", level)
            .start()
            .unwrap();
        invoke(&lambda, prose);
        spin_down(&lambda);
        let lines = of_type(&collector, "function");
        let texts: Vec<_> = lines.iter().map(Record::text).collect();
        assert_eq!(texts, prose, "{level}");
        assert!(
            lines.iter().all(|line| line.severity.is_empty()),
            "{lines:?}"
        );
    }
}

/// Lines of other extensions are shipped on demand; kinglet's own never re-enter the pipeline.
#[test]
fn own_lines_never_re_enter_the_pipeline() {
    let collector = healthy_collector();
    // The wrong value makes kinglet say something in its init.
    let builder = beside(&collector)
        .env("KINGLET_TYPES", "extension,function")
        .env("KINGLET_FLUSH", "never");
    let lambda = builder.start().unwrap();
    lambda.inject([json!({"type": "extension", "record": "another extension's line"})]);
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    let texts: Vec<_> = of_type(&collector, "extension")
        .iter()
        .map(|record| record.text())
        .collect();
    assert_eq!(texts, ["another extension's line"]);
    assert!(Counters::of(&exit).get("filtered") > 0);
}

/// NDJSON: the endpoint is the whole URL, each record one line.
#[cfg(feature = "json")]
#[test]
fn ndjson_is_one_object_a_line() {
    let collector = healthy_collector();
    let url = format!("{}/insert?table=logs", collector.url());
    let builder = alone()
        .env("KINGLET_ENDPOINT", url)
        .env("KINGLET_FORMAT", "ndjson");
    let lambda = builder.start().unwrap();
    let line = "[ERROR]\t2026-11-21T20:37:43.578Z\tout of \"stock\"";
    let id = lambda.invoke([line]).unwrap().request_id;
    spin_down(&lambda);
    let received = collector.requests();
    assert!(
        received
            .iter()
            .all(|each| each.request.path == "/insert?table=logs")
    );
    assert!(
        received
            .iter()
            .all(|each| each.request.header("content-type") == Some("application/x-ndjson"))
    );
    let records = of_type(&collector, "function");
    let [record] = records.as_slice() else {
        panic!("{records:?}")
    };
    assert_eq!(
        (
            record.text().as_str(),
            record.severity.as_str(),
            record.request_id()
        ),
        (line, "ERROR", Some(id.as_str()))
    );
    assert!(
        record.time.ends_with('Z') && record.time.starts_with("20"),
        "{}",
        record.time
    );
    assert!(records_have_types(&collector.logs()));
}

fn records_have_types(records: &[kinglet_sandbox::Record]) -> bool {
    records.iter().all(|record| !event_type(record).is_empty())
}

/// OpenTelemetry's own variables are understood: endpoint, headers, service name, resource attributes.
#[test]
fn the_standard_variables_are_understood() {
    let collector = healthy_collector();
    let lambda = alone()
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            format!("{}/otlp/", collector.url()),
        )
        .env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "api-key=a%20secret,x-tenant=shop",
        )
        .env("OTEL_SERVICE_NAME", "checkout")
        .env(
            "OTEL_RESOURCE_ATTRIBUTES",
            "team=payments,deployment.environment=prod%2Ceu,service.name=loses",
        )
        .start()
        .unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    for received in collector.requests() {
        assert_eq!(received.request.path, "/otlp/v1/logs");
        assert_eq!(received.request.header("api-key"), Some("a secret"));
        assert_eq!(received.request.header("x-tenant"), Some("shop"));
    }
    let line = of_type(&collector, "function").pop().unwrap();
    for (name, value) in [
        ("service.name", "checkout"),
        ("team", "payments"),
        ("deployment.environment", "prod,eu"),
    ] {
        assert_eq!(line.resource.get(name), Some(&json!(value)), "{name}");
    }
    assert_eq!(
        exit.stderr.len(),
        1,
        "nothing but the counters is said: {:?}",
        exit.stderr
    );
}

/// A signal's own variable is the whole URL and wins over the general one; kinglet's own wins over both.
#[test]
fn the_more_special_endpoint_wins() {
    let (general, own) = (healthy_collector(), healthy_collector());
    for (name, value, path) in [
        (
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            format!("{}/in", own.url()),
            "/in",
        ),
        ("KINGLET_ENDPOINT", own.url(), "/v1/logs"),
    ] {
        let before = own.requests().len();
        let builder = alone()
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", general.url())
            .env(name, value);
        let lambda = builder.start().unwrap();
        invoke(&lambda, ["a line"]);
        spin_down(&lambda);
        let requests = own.requests();
        assert!(requests.len() > before, "{name}");
        assert!(
            requests[before..]
                .iter()
                .all(|each| each.request.path == path),
            "{name}"
        );
    }
    assert_eq!(general.requests().len(), 0);
}

/// A collector is found by its name, too: here by the hosts file.
#[test]
fn a_host_name_is_an_endpoint() {
    let collector = healthy_collector();
    let url = format!("http://localhost:{}", collector.address().port());
    let lambda = alone().env("KINGLET_ENDPOINT", url).start().unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    assert_eq!(function_lines(&collector), ["a line"]);
    assert_eq!(Counters::of(&exit).get("posts_failed"), 0);
}

/// A name that nobody knows is a collector that is down, not a disaster: the records are abandoned at the end, and told.
#[test]
fn an_unknown_host_name_holds_nobody() {
    let lambda = alone()
        .env("KINGLET_ENDPOINT", "http://no-such-host.invalid:4318")
        .start()
        .unwrap();
    for _ in 0..3 {
        assert!(invoke(&lambda, ["a line"]) < crate::extension::HELD_MAX);
    }
    let exit = spin_down(&lambda);
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(counters.get("abandoned"), counters.get("received"));
    assert!(counters.get("abandoned") > 0);
}
