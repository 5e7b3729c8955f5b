//! What is no measurement is counted, and never makes a body that a collector would refuse.

use serde_json::json;

use super::measured::{accounts, measuring_at_end, names, total};
use super::statsd_client::StatsdClient;
use crate::arrived::function_lines;
use crate::extension::{healthy_collector, invoke, spin_down};

/// Each is one that cannot be read.
#[test]
fn malformed_datagrams_are_counted() {
    let long_name = format!("{}:1|c", "n".repeat(300));
    let long_tags = format!("tagged:1|c|#key:{}", "v".repeat(60_000));
    let malformed: Vec<Vec<u8>> = [
        "no.value",
        "no.type:1",
        ":1|c",
        "nan:NaN|g",
        "inf:inf|c",
        "inf:-Infinity|ms",
        "big:1e400|c",
        "big:-1e400|g",
        "word:many|c",
        "empty:|c",
        "kind:1|x",
        "rate:1|c|@0",
        "rate:1|c|@2",
        "rate:1|c|@nan",
        "time:1|c|Tsoon",
        "|",
        "a|c",
        "\u{1}\u{2}\u{3}",
        "_e{1}:a|b",
        "_sc|only",
        "hex:0x10|c",
        "two:1:x|c",
        "over:1e308|ms|@0.000000001",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .chain([
        long_name.into_bytes(),
        long_tags.into_bytes(),
        vec![0xff; 100],
        vec![0; 100],
        vec![b'x'; 65_000],
    ])
    .collect();
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client.beside(&collector).start().unwrap();
    client.invoke(&lambda, malformed.clone());
    client.invoke(
        &lambda,
        [
            &b""[..],
            b"\n\n",
            b"good:1|c",
            b"\xff\xfe\xfd:1|c|#\xff:\xfe",
            b"quote\"\\\x07:2|c",
        ],
    );
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(
        counters.get("datagrams"),
        malformed.len() as u64 + 5,
        "{counters:?}"
    );
    assert_eq!(counters.get("datagrams_dropped"), 0, "{counters:?}");
    assert_eq!(
        counters.get("measurements_malformed"),
        malformed.len() as u64,
        "{:?}",
        names(&collector)
    );
    assert_eq!(counters.losses(), []);
    // The rest of a line with one wrong value, and names with odd bytes.
    assert_eq!(
        (total(&collector, "good"), total(&collector, "two")),
        (1.0, 1.0)
    );
    assert_eq!(
        total(&collector, "\u{fffd}\u{fffd}\u{fffd}"),
        1.0,
        "{:?}",
        names(&collector)
    );
    assert_eq!(total(&collector, "quote\"\\\u{7}"), 2.0);
    let odd = |name: &String| !name.starts_with("faas.") && !name.starts_with("aws.lambda.");
    let mut others = names(&collector);
    others.retain(odd);
    assert_eq!(others.len(), 4, "{others:?}");
}

/// Sums that would leave the numbers of JSON stay where they are.
#[test]
fn sums_never_become_infinite() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client.beside(&collector).start().unwrap();
    client.invoke(
        &lambda,
        [
            "sum:1e308|c",
            "sum:1e308|c",
            "up:1e308|g",
            "up:+1e308|g",
            "took:1e308|ms",
            "took:1e308|ms",
            "tiny:4.9e-324|g",
        ],
    );
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(counters.get("measurements_malformed"), 3, "{counters:?}");
    assert_eq!(
        (total(&collector, "sum"), total(&collector, "took")),
        (1e308, 1e308)
    );
    assert_eq!(
        super::measured::single(&collector, "tiny").value(),
        4.9e-324
    );
}

/// EMF documents that are wrong: their line is a record all the same, and what is right in them is measured.
#[test]
fn malformed_documents_are_counted() {
    let with = |metric: serde_json::Value| {
        let directive =
            json!([{"Namespace": "N", "Dimensions": [["d"]], "Metrics": [{"Name": "M"}]}]);
        json!({"_aws": {"CloudWatchMetrics": directive}, "d": "x", "M": metric}).to_string()
    };
    let long: Vec<f64> = (0..8000).map(|number| f64::from(number) + 0.5).collect();
    let wrong = [
        r#"{"_aws":1}"#.to_string(),
        r#"{"_aws":{}}"#.into(),
        r#"{"_aws":{"CloudWatchMetrics":{}}}"#.into(),
        r#"{"_aws":{"CloudWatchMetrics":[{}]}}"#.into(),
        r#"{"_aws":{"CloudWatchMetrics":[{"Namespace":"N","Dimensions":[[]],"Metrics":[{"Name":""}]}]}}"#.into(),
        with(json!("NaN")),
        with(json!(null)),
        with(json!({"Values": [], "Counts": []})),
        with(json!({"Min": 9, "Max": 1, "Sum": 5, "Count": 2})),
        with(json!([])).replace("[]}", "[1e400]}"),
        with(json!(1)).replace("\"M\":1", "\"M\":NaN"),
        with(json!(1)).replace("\"d\":\"x\"", "\"d\":7"),
    ];
    let collector = healthy_collector();
    let lambda = measuring_at_end(&collector).start().unwrap();
    invoke(&lambda, &wrong);
    invoke(&lambda, [with(json!([1, "x", 2])), with(json!(long))]);
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(counters.losses(), []);
    let told = counters.get("measurements_malformed");
    assert!(told >= wrong.len() as u64 - 2, "{counters:?}");
    let lines = function_lines(&collector);
    assert_eq!(lines[..wrong.len()], wrong, "they are lines, too");
    assert_eq!(lines.len(), wrong.len() + 2);
    assert!(collector.try_points().is_ok());
    assert!(
        total(&collector, "M") >= 3.0 + 5000.0 - 50.0,
        "{:?}",
        collector.points()
    );
}

/// Numbers of any size in platform events cannot break a body.
#[test]
fn odd_platform_numbers() {
    let collector = healthy_collector();
    let lambda = measuring_at_end(&collector).freezes(false).start().unwrap();
    invoke(&lambda, ["a line"]);
    for duration in [
        json!(-1),
        json!("NaN"),
        json!(1e308),
        json!("1e400"),
        json!(true),
        json!(null),
        json!("7"),
    ] {
        let metrics =
            json!({"durationMs": duration, "maxMemoryUsedMB": 1e300, "billedDurationMs": 1});
        lambda.inject([json!({"type": "platform.report", "record": {"requestId": "r", "status": "success", "metrics": metrics}})]);
    }
    assert!(lambda.drain(std::time::Duration::from_secs(5)));
    invoke(&lambda, ["another"]);
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(counters.losses(), []);
    assert_eq!(total(&collector, "faas.invocations"), 2.0);
    assert!(collector.try_points().is_ok());
}
