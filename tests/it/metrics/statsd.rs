//! StatsD and DogStatsD over a real socket: counters, gauges, timers, sets, tags, sample rates, events and service checks.

use kinglet_sandbox::{Data, Point};

use super::measured::{accounts_without_losses, named, single, total};
use super::statsd_client::StatsdClient;
use crate::extension::{healthy_collector, invoke, spin_down};

/// Sends these datagrams in one invocation; what has arrived when all is over.
fn arrived(datagrams: &[&str]) -> kinglet_sandbox::Collector {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client.beside(&collector).start().unwrap();
    client.invoke(&lambda, datagrams.iter().copied());
    let exit = spin_down(&lambda);
    let counters = accounts_without_losses(&exit, &collector);
    assert_eq!(
        counters.get("datagrams"),
        datagrams.len() as u64,
        "{counters:?}"
    );
    let wrong = [
        "datagrams_dropped",
        "measurements_malformed",
        "measurements_dropped",
    ];
    assert!(
        wrong.iter().all(|name| counters.get(name) == 0),
        "{counters:?}"
    );
    collector
}

fn gauge(collector: &kinglet_sandbox::Collector, name: &str) -> f64 {
    match single(collector, name).data {
        Data::Gauge(value) => value,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn counters_add_up() {
    let collector = arrived(&[
        "orders:1|c",
        "orders:41|c",
        "orders:-2|c",
        "half:1.25|c",
        "half:0.5|c",
        "meter:3|m",
    ]);
    let orders = single(&collector, "orders");
    let (value, is_monotonic) = (40.0, false);
    assert_eq!(
        orders.data,
        Data::Sum {
            value,
            is_monotonic
        },
        "a count may go down"
    );
    assert_eq!(
        (total(&collector, "half"), total(&collector, "meter")),
        (1.75, 3.0)
    );
    assert!(orders.unit.is_empty() && orders.attributes.is_empty());
}

#[test]
fn gauges_stand_and_move() {
    let collector = arrived(&[
        "stands:5|g",
        "stands:7.5|g",
        "moves:10|g",
        "moves:+5|g",
        "moves:-3|g",
        "tagged:-4|g|#kind:dog",
        "small:1e-9|g",
    ]);
    assert_eq!(
        [gauge(&collector, "stands"), gauge(&collector, "moves")],
        [7.5, 12.0]
    );
    assert_eq!(
        [gauge(&collector, "tagged"), gauge(&collector, "small")],
        [-4.0, 1e-9]
    );
}

#[test]
fn timers_and_histograms_keep_every_value() {
    let collector = arrived(&[
        "took:3|ms",
        "took:12.5|ms",
        "took:20000|ms",
        "size:7|h",
        "spread:1:2:3|d",
    ]);
    let took = single(&collector, "took");
    let Data::Histogram(histogram) = &took.data else {
        panic!("{took:?}")
    };
    assert_eq!(
        (histogram.count, histogram.sum, histogram.min, histogram.max),
        (3, 20015.5, 3.0, 20000.0)
    );
    assert_eq!(took.unit, "ms");
    assert_eq!(
        histogram.bounds.first().zip(histogram.bounds.last()),
        Some((&0.0, &10000.0))
    );
    assert_eq!(
        histogram.buckets.last(),
        Some(&1),
        "20 s are beyond all boundaries"
    );
    let size = single(&collector, "size");
    assert_eq!(
        (size.unit.as_str(), size.count(), size.value()),
        ("", 1, 7.0)
    );
    assert_eq!(
        (
            single(&collector, "spread").count(),
            total(&collector, "spread")
        ),
        (3, 6.0)
    );
}

#[test]
fn sets_count_distinct_members() {
    let collector = arrived(&[
        "users:anna|s",
        "users:bert|s",
        "users:anna|s",
        "users:http://a:1|s",
        "other:anna|s",
    ]);
    assert_eq!(
        [gauge(&collector, "users"), gauge(&collector, "other")],
        [3.0, 1.0]
    );
}

#[test]
fn tags_make_series() {
    let collector = arrived(&[
        "hits:1|c|#shop:north,beta",
        "hits:2|c|#beta,shop:north",
        "hits:4|c|#shop:süd",
        "hits:8|c",
        "hits:16|c|#url:http://x",
    ]);
    let mut found: Vec<(Vec<(String, String)>, f64)> = named(&collector, "hits")
        .into_iter()
        .map(|point: Point| {
            let attributes = point.attributes.iter();
            let text = |(key, value): (&String, &serde_json::Value)| {
                (key.clone(), value.as_str().unwrap().to_string())
            };
            (attributes.map(text).collect(), point.value())
        })
        .collect();
    found.sort_by(|a, b| a.1.total_cmp(&b.1));
    let tags = |tags: &[(&str, &str)]| {
        tags.iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect()
    };
    assert_eq!(
        found,
        [
            (tags(&[("beta", ""), ("shop", "north")]), 3.0),
            (tags(&[("shop", "süd")]), 4.0),
            (tags(&[]), 8.0),
            (tags(&[("url", "http://x")]), 16.0),
        ]
    );
}

/// What was sampled is scaled up: counts, and the number of a timer's values.
#[test]
fn sample_rates_scale() {
    let collector = arrived(&[
        "seen:1|c|@0.1",
        "seen:3|c|@0.5",
        "took:100|ms|@0.25",
        "depth:6|g|@0.1",
    ]);
    assert_eq!(total(&collector, "seen"), 16.0);
    let took = single(&collector, "took");
    assert_eq!((took.count(), took.value()), (4, 400.0));
    assert_eq!(gauge(&collector, "depth"), 6.0);
}

/// Clients put several lines into a datagram, and 500 datagrams come to the same as one.
#[test]
fn many_lines_and_many_datagrams() {
    let collector = arrived(&["a:1|c\nb:2|g\nc:3|ms\n", "a:1|c\r\na:1|c"]);
    assert_eq!(
        (
            total(&collector, "a"),
            gauge(&collector, "b"),
            single(&collector, "c").count()
        ),
        (3.0, 2.0, 1)
    );
    let datagrams: Vec<String> = (0..500)
        .map(|number| format!("sum:{number}|c\nall:1|c|#n:{}", number % 7))
        .collect();
    let collector = arrived(&datagrams.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(
        (total(&collector, "sum"), total(&collector, "all")),
        (124_750.0, 500.0)
    );
    assert_eq!(
        named(&collector, "all").len(),
        7,
        "one point for each series, however often it is measured"
    );
}

/// A time of the client's own is the point's, apart from those of other times.
#[test]
fn times_of_their_own_stay_apart() {
    let collector = arrived(&[
        "late:5|c|T1700000000",
        "late:6|c|T1700000000",
        "late:7|c|T1700000060",
        "late:1|c",
    ]);
    let mut found: Vec<_> = named(&collector, "late")
        .into_iter()
        .map(|point| (point.time, point.value()))
        .collect();
    found.sort_by_key(|(time, _)| *time);
    assert_eq!(
        found[..2],
        [
            (1_700_000_000_000_000_000, 11.0),
            (1_700_000_060_000_000_000, 7.0)
        ]
    );
    assert_eq!((found.len(), found[2].1), (3, 1.0));
}

/// A name of the platform's or of kinglet's own cannot be given to a metric of the function: it is told under another.
#[test]
fn no_name_falsifies_a_series_of_ours() {
    let (collector, client) = (healthy_collector(), StatsdClient::new());
    let lambda = client
        .beside(&collector)
        .env("KINGLET_SELF_METRICS", "on")
        .start()
        .unwrap();
    client.invoke(
        &lambda,
        [
            "faas.invocations:1000|c\nFaaS.Errors:7|c\nkinglet.posts:5000|c|#a:b\naws.lambda.billed_duration:9|ms",
            "faastest:1|c",
        ],
    );
    let metrics = r#"[{"Name":"faas.\u0069nvocations"},{"Name":"kinglet.io"}]"#;
    let directives = format!(r#"[{{"Namespace":"N","Dimensions":[[]],"Metrics":{metrics}}}]"#);
    invoke(
        &lambda,
        [format!(
            r#"{{"_aws":{{"CloudWatchMetrics":{directives}}},"f\u0061as.invocations":500,"kinglet.io":1e9}}"#
        )],
    );
    let counters = accounts_without_losses(&spin_down(&lambda), &collector);
    assert_eq!(counters.get("measurements_malformed"), 0, "{counters:?}");
    assert_eq!(total(&collector, "faas.invocations"), 2.0);
    assert!(total(&collector, "kinglet.posts") < 100.0);
    assert!(total(&collector, "kinglet.io") < 1e6);
    assert!(total(&collector, "aws.lambda.billed_duration") < 9.0);
    for (name, value) in [
        ("function.FaaS.Errors", 7.0),
        ("function.kinglet.posts", 5000.0),
        ("function.aws.lambda.billed_duration", 9.0),
        ("function.kinglet.io", 1e9),
        ("faastest", 1.0),
    ] {
        assert_eq!(total(&collector, name), value, "{name}");
    }
    let values: Vec<_> = named(&collector, "function.faas.invocations")
        .iter()
        .map(Point::value)
        .collect();
    assert_eq!(values, [1000.0, 500.0]);
}
