//! What real clients have sent (`tests/fixtures/statsd`): py-statsd, and Datadog's for Python, buffered and not.

use super::assert_says;
use crate::fixtures::DIRECTORY;

/// The datagrams of one client, in order.
pub fn datagrams(client: &str) -> Vec<Vec<u8>> {
    let directory = format!("{DIRECTORY}/statsd/{client}");
    let mut paths: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

#[track_caller]
fn assert_client_says(client: &str, expected: &[&[&str]]) {
    let datagrams = datagrams(client);
    assert_eq!(datagrams.len(), expected.len());
    for (datagram, expected) in datagrams.iter().zip(expected) {
        assert_says(datagram, expected);
    }
}

#[test]
fn py_statsd() {
    let expected: [&[&str]; 10] = [
        &["lambda.requests add 1"],
        &["lambda.requests add 5"],
        &["lambda.requests add -2"],
        &["lambda.temp set 70"],
        &["lambda.temp adjust -3"],
        &["lambda.dur observe 320.5x1 ms"],
        &["lambda.users member u1"],
        &["lambda.sampled add 1.000100010001"],
        &[
            "lambda.a add 1",
            "lambda.b set 1.5",
            "lambda.c observe 12x1 ms",
        ],
        &["lambda.block observe 10.134068x1 ms"],
    ];
    assert_client_says("py-statsd", &expected);
}

#[test]
fn datadog_unbuffered() {
    let expected: [&[&str]; 13] = [
        &["page.views add 1 {env=test fn=test_function}"],
        &["page.views add -2"],
        &["users.online set 123.5 {country=china}"],
        &["album.size observe 1024x1"],
        &["latency.dist observe 21.273x1 {a=b}"],
        &["query.time observe 1234x1 ms"],
        &["users.uniques member u-1 {x=y}"],
        &["sampled add 1"],
        &["log Man down!"],
        &["log app.ok"],
        &["ts.count add 3 {t=1} @1795292825"],
        &["ts.gauge set 4.5 @1795292825"],
        &["weird.näme set 1 {ünï=cödé comma_tag= plain=}"],
    ];
    assert_client_says("py-datadog-unbuffered", &expected);
}

#[test]
fn datadog_buffered() {
    let own = |values: [u32; 11]| -> Vec<String> {
        let names = [
            "metrics",
            "events",
            "service_checks",
            "bytes_sent",
            "bytes_dropped",
            "bytes_dropped_queue",
            "bytes_dropped_writer",
            "packets_sent",
            "packets_dropped",
            "packets_dropped_queue",
            "packets_dropped_writer",
        ];
        let tags = "{client=py client_version=0.56.0 client_transport=udp service=svc}";
        let line = |(name, value)| format!("datadog.dogstatsd.client.{name} add {value} {tags}");
        names.iter().zip(values).map(line).collect()
    };
    let first = own([11, 1, 1, 527, 0, 0, 0, 1, 0, 0, 0]);
    let second = own([0, 0, 0, 1306, 0, 0, 0, 2, 0, 0, 0]);
    let [first, second] =
        [&first, &second].map(|own| own.iter().map(String::as_str).collect::<Vec<_>>());
    let expected: [&[&str]; 4] = [
        &[
            "ns.page.views add 1 {env=test fn=test_function service=svc}",
            "ns.page.views add -2 {service=svc}",
            "ns.users.online set 123.5 {country=china service=svc}",
            "ns.album.size observe 1024x1 {service=svc}",
            "ns.latency.dist observe 21.273x1 {a=b service=svc}",
            "ns.query.time observe 1234x1 ms {service=svc}",
            "ns.users.uniques member u-1 {x=y service=svc}",
            "ns.sampled add 1 {service=svc}",
            "ns.weird.näme set 1 {ünï=cödé comma_tag= plain= service=svc}",
            "log Man down!",
            "log app.ok",
        ],
        &first,
        &[
            "ns.ts.count add 3 {t=1 service=svc} @1795292825",
            "ns.ts.gauge set 4.5 {service=svc} @1795292825",
        ],
        &second,
    ];
    assert_client_says("py-datadog-buffered", &expected);
}
