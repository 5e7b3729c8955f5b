//! Points in every format: golden files of what a table drains, their values read back, and their length.

use serde_json::Value;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;

use super::*;
use crate::format::point::Bounds;
use crate::format::point::{Kind, Point, Temporality};
use crate::limits::{
    ATTRIBUTE_OVERHEAD_BYTES_MAX, METRIC_ATTRIBUTES_MAX, METRIC_IDENTITY_BYTES_MAX,
};
use crate::metric::measurement::{Change, Measurement};
use crate::metric::table::Table;
use crate::text::double;

/// Most that a format writes for a data point besides its identity, attributes apart.
const POINT_OVERHEAD_BYTES_MAX: usize = 1024;

type Given = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    Change<'static>,
);

const DRAINED: Wall = Wall(RECEIVED.0 + 5000);
/// Of its own, in an EMF document.
const TIME_UNIX_NANO: u64 = 1_795_252_501_222_000_000;

const fn add(value: f64) -> Change<'static> {
    Change::Add {
        value,
        is_monotonic: true,
    }
}

const fn observe(value: f64, times: u64, bounds: Bounds) -> Change<'static> {
    Change::Observe {
        value,
        times,
        bounds,
    }
}

/// What sources say, every kind of it.
const GIVEN: &[Given] = &[
    ("faas.invocations", "{invocation}", &[], add(1.0)),
    ("faas.invocations", "{invocation}", &[], add(2.0)),
    (
        "faas.invoke_duration",
        "s",
        &[],
        observe(0.185_377, 1, Bounds::Seconds),
    ),
    (
        "faas.invoke_duration",
        "s",
        &[],
        observe(12.0, 1, Bounds::Seconds),
    ),
    (
        "faas.mem_usage",
        "By",
        &[],
        observe(74_448_896.0, 1, Bounds::Memory),
    ),
    (
        "faas.net_io",
        "By",
        &[],
        observe(1_000_000.0, 1, Bounds::Size),
    ),
    (
        "orders.placed",
        "",
        &[("env", "test"), ("shop", "größe \"x\"\n")],
        add(1.5),
    ),
    ("orders.open", "", &[("plain", "")], Change::Adjust(-2.25)),
    (
        "queue",
        "",
        &[],
        Change::Add {
            value: -3.0,
            is_monotonic: false,
        },
    ),
    ("users", "", &[("country", "納品")], Change::Member(b"u-1")),
    ("users", "", &[("country", "納品")], Change::Member(b"u-2")),
    ("users", "", &[("country", "納品")], Change::Member(b"u-1")),
    (
        "query.time",
        "ms",
        &[("sampled", "0.1")],
        observe(320.0, 10, Bounds::Default),
    ),
    (
        "query.time",
        "ms",
        &[("sampled", "0.1")],
        observe(0.1 + 0.2, 1, Bounds::Default),
    ),
    ("tiny", "", &[], Change::Set(1e-9)),
    ("huge", "", &[], Change::Set(-1e300)),
];

fn points(temporality: Temporality) -> Vec<Vec<u8>> {
    let mut table = Table::new(temporality);
    let mut record = |given: &Given, time_unix_nano| {
        let pairs = given.2.iter();
        let mut attributes: Vec<_> = pairs
            .map(|(key, value)| (key.as_bytes(), value.as_bytes()))
            .collect();
        let mut measurement = Measurement {
            name: given.0.as_bytes(),
            unit: given.1.as_bytes(),
            attributes: &mut attributes,
            is_escaped: false,
            time_unix_nano,
            change: given.3,
        };
        table.record(&mut measurement, RECEIVED);
    };
    GIVEN.iter().for_each(|given| record(given, 0));
    record(&GIVEN[0], TIME_UNIX_NANO);
    let mut points = Vec::new();
    table.drain(DRAINED, &mut |point| {
        points.push(point.to_vec());
        true
    });
    assert_eq!((table.overflow, table.malformed), (0, 0));
    points
}

fn encode(format: &dyn Format, points: &[Vec<u8>]) -> Vec<u8> {
    let mut resource = Resource::default();
    resource.set(b"service.name", b"orders");
    let mut out = Vec::new();
    format.begin(&mut out, &resource, Signal::Metric);
    for (position, bytes) in points.iter().enumerate() {
        let point = Point::read(bytes).unwrap();
        if position > 0 {
            out.extend_from_slice(format.separator());
        }
        format.point(&mut out, &point);
    }
    format.end(&mut out, BATCH_ID);
    without_version(out)
}

#[test]
fn golden_files_of_metrics() {
    for format in FORMATS {
        for (name, temporality) in [
            ("metrics-delta", Temporality::Delta),
            ("metrics-cumulative", Temporality::Cumulative),
        ] {
            let encoded = encode(format, &points(temporality));
            compare_golden(format, name, &encoded);
        }
    }
}

/// Protobuf and JSON say the same, as OpenTelemetry's own types read them.
#[test]
fn both_forms_of_points_are_the_same_message() {
    for temporality in [Temporality::Delta, Temporality::Cumulative] {
        let protobuf = encode(&otlp::Otlp, &points(temporality));
        let json = encode(&otlp_json::OtlpJson, &points(temporality));
        let message = ExportMetricsServiceRequest::decode(protobuf.as_slice()).unwrap();
        let expected: ExportMetricsServiceRequest = serde_json::from_slice(&json).unwrap();
        assert_eq!(message, expected);
    }
}

/// By name, in the order of their first measurement; the last one has a time of its own.
fn values(points: &[Value]) -> Vec<(String, Value)> {
    let value = |point: &Value| (point["name"].as_str().unwrap().to_string(), point.clone());
    points.iter().map(value).collect()
}

#[test]
fn otlp_is_read_back() {
    for (temporality, number) in [(Temporality::Delta, 1), (Temporality::Cumulative, 2)] {
        let encoded = encode(&otlp_json::OtlpJson, &points(temporality));
        let found = values(&otlp_rules::check_metrics(
            str::from_utf8(&encoded).unwrap(),
        ));
        assert_eq!(found.len(), 12);
        let point = |at: usize, kind: &str| found[at].1[kind]["dataPoints"][0].clone();
        let sum = point(0, "sum");
        assert_eq!(
            (&found[0].0[..], &sum["asDouble"]),
            ("faas.invocations", &3.into())
        );
        assert_eq!(found[0].1["unit"], "{invocation}");
        assert_eq!(found[0].1["sum"]["isMonotonic"], true);
        assert_eq!(found[0].1["sum"]["aggregationTemporality"], number);
        assert_eq!(sum["startTimeUnixNano"], "1795252500200000000");
        assert_eq!(sum["timeUnixNano"], "1795252505200000000");
        let seconds = point(1, "histogram");
        assert_eq!(seconds["count"], 2);
        assert_eq!(seconds["sum"], 12.185_377);
        assert_eq!(
            (&seconds["min"], &seconds["max"]),
            (&0.185_377.into(), &12.into())
        );
        let counts = [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(seconds["bucketCounts"], Value::from(&counts[..]));
        let bounds = seconds["explicitBounds"].as_array().unwrap().iter();
        let bounds: Vec<_> = bounds.filter_map(Value::as_f64).collect();
        assert_eq!(bounds, Bounds::Seconds.boundaries());
        assert_eq!(point(2, "histogram")["bucketCounts"][3], 1);
        assert_eq!(found[4].1["sum"]["dataPoints"][0]["asDouble"], 1.5);
        assert_eq!(
            point(4, "sum")["attributes"][1]["value"]["stringValue"],
            "größe \"x\"\n"
        );
        assert_eq!(point(5, "gauge")["asDouble"], -2.25);
        assert_eq!(
            point(5, "gauge")["attributes"][0]["value"]["stringValue"],
            ""
        );
        assert_eq!(point(6, "sum")["asDouble"], -3);
        assert_eq!(found[6].1["sum"].get("isMonotonic"), None);
        assert_eq!(point(7, "gauge")["asInt"], 2);
        assert_eq!(point(8, "histogram")["count"], 11);
        assert_eq!(point(9, "gauge")["asDouble"], 1e-9);
        assert_eq!(point(10, "gauge")["asDouble"], -1e300);
        let timed = point(11, "sum");
        assert_eq!(
            (&found[11].0[..], &timed["asDouble"]),
            ("faas.invocations", &1.into())
        );
        assert_eq!(timed["timeUnixNano"], TIME_UNIX_NANO.to_string());
    }
}

#[test]
fn rows_are_read_back() {
    let encoded = encode(&ndjson::NdJson, &points(Temporality::Delta));
    let rows: Vec<Value> = str::from_utf8(&encoded)
        .unwrap()
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    assert_eq!(rows.len(), 12);
    for row in &rows {
        assert_eq!(row["type"], "metric");
        assert!(row["name"].is_string() && row["attributes"].is_object());
        let time = row["time"].as_str().unwrap();
        let is_gauge = row["kind"] == "gauge";
        assert_eq!(row.get("start").is_none(), is_gauge);
        assert!(is_gauge || row["start"].as_str().unwrap() < time);
    }
    assert_eq!(rows[0]["value"], 3);
    assert_eq!(rows[0]["start"], "2026-11-21T09:15:00.200Z");
    assert_eq!(rows[1]["buckets"][6], 1);
    assert_eq!(rows[1]["bounds"].as_array().map(Vec::len), Some(14));
    assert_eq!(rows[4]["attributes"]["shop"], "größe \"x\"\n");
    assert_eq!(rows[7]["value"], 2);
    assert_eq!(rows[8]["max"], 320);
    assert_eq!(rows[9]["value"], 1e-9);
}

/// A point of what is longest to write; every value of it has these bits.
fn longest(kind: Kind, bits: u64, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut table = Table::new(Temporality::Cumulative);
    let pairs = attributes.iter();
    let mut attributes: Vec<_> = pairs.map(|key| (key.as_slice(), b"".as_slice())).collect();
    let change = match kind {
        Kind::Sum { .. } => add(1.0),
        Kind::Gauge => Change::Set(1.0),
        Kind::Set => Change::Member(b"x"),
        Kind::Histogram(bounds) => observe(1.0, 1, bounds),
    };
    let mut measurement = Measurement {
        name: &[1; 255],
        unit: &[b'u'; 63],
        attributes: &mut attributes,
        is_escaped: false,
        time_unix_nano: u64::MAX,
        change,
    };
    table.record(&mut measurement, Wall(u64::MAX));
    let mut point = Vec::new();
    table.drain(Wall(u64::MAX), &mut |bytes| {
        point = bytes.to_vec();
        true
    });
    let values = match kind {
        Kind::Histogram(_) => 20,
        _ => 1,
    };
    let (_, words) = point.as_rchunks_mut::<8>();
    let first = words.len() - values;
    words[first..].fill(bits.to_le_bytes());
    assert!(point.len() <= METRIC_IDENTITY_BYTES_MAX + 200);
    point
}

/// What the exporter reckons with.
#[test]
fn the_longest_points_are_within_their_bound() {
    // 24 bytes as a double, 20 as an integer.
    let bits = 0x8b10_0000_0000_0001;
    let mut text = Vec::new();
    double::push(&mut text, f64::from_bits(bits));
    assert_eq!(text.len(), 24);
    let keys = (0..METRIC_ATTRIBUTES_MAX).map(|number| vec![b'a' + number as u8]);
    let attributes: Vec<_> = keys.collect();
    let mut longest_overhead = 0;
    for format in FORMATS {
        for kind in (1..8).map(Kind::of_code) {
            for attributes in [&attributes[..], &[]] {
                let bytes = longest(kind, bits, attributes);
                let point = Point::read(&bytes).unwrap();
                assert_eq!((point.kind, point.integer(0)), (kind, bits));
                let mut out = Vec::new();
                format.point(&mut out, &point);
                let count = point.attributes().count();
                assert_eq!(count, attributes.len());
                let bound = bytes.len() + count * ATTRIBUTE_OVERHEAD_BYTES_MAX;
                longest_overhead = longest_overhead.max(out.len().saturating_sub(bound));
            }
        }
    }
    println!("{longest_overhead} bytes");
    assert!(longest_overhead <= POINT_OVERHEAD_BYTES_MAX);
}
