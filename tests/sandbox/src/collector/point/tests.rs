use super::*;

const SUM: &str = r#"{"name":"orders","unit":"{order}","sum":{"aggregationTemporality":1,"isMonotonic":true,
    "dataPoints":[{"attributes":[{"key":"shop","value":{"stringValue":"north"}}],"startTimeUnixNano":"1","timeUnixNano":"9","asDouble":2.5}]}}"#;
const GAUGE: &str =
    r#"{"name":"queue","gauge":{"dataPoints":[{"attributes":[],"timeUnixNano":"9","asInt":7}]}}"#;
const HISTOGRAM: &str = r#"{"name":"size","unit":"By","histogram":{"aggregationTemporality":2,"dataPoints":[{"attributes":[],
    "startTimeUnixNano":"1","timeUnixNano":"9","count":3,"sum":16,"min":1,"max":10,"bucketCounts":[1,2],"explicitBounds":[4]}]}}"#;

fn read(metrics: &str) -> Result<Vec<Point>, String> {
    let scope = r#"{"name":"kinglet","version":"1","attributes":[]}"#;
    let body = format!(
        r#"{{"resourceMetrics":[{{"resource":{{"attributes":[]}},"scopeMetrics":[{{"scope":{scope},"metrics":[{metrics}]}}]}}]}}"#
    );
    of_otlp(
        serde_json::from_str(&body).map_err(|error| error.to_string())?,
        4,
    )
}

#[test]
fn what_is_valid_is_read() {
    let points = read(&[SUM, GAUGE, HISTOGRAM].join(",")).unwrap();
    let shown: Vec<String> = points.iter().map(Point::to_string).collect();
    assert_eq!(
        shown,
        [
            "orders{shop=north} 2.5 {order}",
            "queue 7",
            "size 3 values, sum 16 By"
        ]
    );
    assert_eq!(points[0].temporality, Some(Temporality::Delta));
    assert_eq!(
        (points[0].start, points[0].time, points[0].request),
        (1, 9, 4)
    );
    let is_monotonic = true;
    assert_eq!(
        points[0].data,
        Data::Sum {
            value: 2.5,
            is_monotonic
        }
    );
    assert_eq!(points[1].data, Data::Gauge(7.0));
    assert_eq!((points[2].count(), points[2].value()), (3, 16.0));
}

/// Each is one step from a valid one.
#[test]
fn what_careful_receivers_refuse_is_refused() {
    for (valid, right, wrong) in [
        (SUM, r#""name":"orders""#, r#""name":"""#),
        (SUM, r#""timeUnixNano":"9""#, r#""timeUnixNano":9"#),
        (
            SUM,
            r#""startTimeUnixNano":"1""#,
            r#""startTimeUnixNano":"9""#,
        ),
        (SUM, r#""startTimeUnixNano":"1","#, ""),
        (
            SUM,
            r#""aggregationTemporality":1"#,
            r#""aggregationTemporality":3"#,
        ),
        (SUM, r#""aggregationTemporality":1,"#, ""),
        (SUM, "2.5", r#""NaN""#),
        (SUM, "2.5", "-2.5"),
        (SUM, r#","asDouble":2.5"#, ""),
        (SUM, r#"asDouble":2.5"#, r#"asDouble":2.5,"asInt":2"#),
        (SUM, r#""stringValue":"north""#, ""),
        (SUM, r#""key":"shop""#, r#""key":"""#),
        (SUM, r#"isMonotonic"#, "is_monotonic"),
        (SUM, r#""unit":"{order}""#, r#""unit":null"#),
        (
            GAUGE,
            r#""dataPoints""#,
            r#""aggregationTemporality":1,"dataPoints""#,
        ),
        (GAUGE, r#""gauge""#, r#""sum""#),
        (HISTOGRAM, r#""count":3"#, r#""count":4"#),
        (HISTOGRAM, r#""sum":16"#, r#""sum":31"#),
        (HISTOGRAM, r#""min":1,"#, ""),
        (HISTOGRAM, r#""max":10"#, r#""max":3"#),
        (HISTOGRAM, "[1,2]", "[2,1,0]"),
        (HISTOGRAM, "[1,2]", "[0,3]"),
        (HISTOGRAM, r#""count":3"#, r#""count":"x""#),
    ] {
        let broken = valid.replace(right, wrong);
        assert_ne!(valid, broken, "{right}");
        assert!(read(&broken).is_err(), "{broken}");
    }
    assert!(read(&[SUM, SUM].join(",")).is_err());
    assert!(
        read(&GAUGE.replace(
            "[{\"attributes\":[],\"timeUnixNano\":\"9\",\"asInt\":7}]",
            "[]"
        ))
        .is_err()
    );
}

#[test]
fn rows_are_read() {
    let body = br#"{"time":"2026-11-21T20:37:43.578Z","type":"metric","name":"orders","unit":"{order}","kind":"sum","temporality":"delta","start":"2026-11-21T20:37:42Z","value":2.5,"attributes":{"shop":"north"}}
{"time":"2026-11-21T20:37:43.578Z","body":"a line"}
{"time":"2026-11-21T20:37:43.578Z","type":"metric","name":"size","kind":"histogram","temporality":"cumulative","start":"2026-11-21T20:37:42Z","count":3,"sum":16,"min":1,"max":10,"bounds":[4],"buckets":[1,2],"attributes":{}}
"#;
    let points = of_rows(body, 0).unwrap();
    let shown: Vec<String> = points.iter().map(Point::to_string).collect();
    assert_eq!(
        shown,
        ["orders{shop=north} 2.5 {order}", "size 3 values, sum 16"]
    );
    assert_eq!(points[0].time - points[0].start, 1_578_000_000);
    for (right, wrong) in [
        (r#""kind":"sum""#, r#""kind":"gauge""#),
        (r#""value":2.5"#, r#""value":"2.5""#),
        (r#""value":2.5,"#, ""),
        (r#""name":"orders""#, r#""name":"orders","body":"x""#),
        (r#"20:37:42Z"#, "20:37:44Z"),
    ] {
        let broken = String::from_utf8_lossy(body).replacen(right, wrong, 1);
        assert!(of_rows(broken.as_bytes(), 0).is_err(), "{broken}");
    }
}
