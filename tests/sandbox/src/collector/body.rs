//! A request's body: which signal it is about, and its records or points.

use super::point::{self, Point};
use super::record::{self, Record};

/// What a request, or a row, is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    Log,
    Metric,
}

impl Signal {
    /// That of a request to this path. NDJSON has one path for both, and is taken for logs.
    pub fn of_path(path: &str) -> Signal {
        match path.split('?').next() {
            Some(path) if path.ends_with("/v1/metrics") => Signal::Metric,
            _ => Signal::Log,
        }
    }
}

/// Takes one request's body apart, to be shown: of a metric's data point the record has a line as its body. An error names
/// what is wrong with the body.
pub fn decode(path: &str, body: &[u8], request: usize) -> Result<Vec<Record>, String> {
    let mut records = decode_logs(path, body, request)?;
    records.extend(
        decode_points(path, body, request)?
            .into_iter()
            .map(Record::from),
    );
    Ok(records)
}

/// The log records of one request.
pub fn decode_logs(path: &str, body: &[u8], request: usize) -> Result<Vec<Record>, String> {
    if is_otlp_logs(path) {
        let document = serde_json::from_slice(body).map_err(|error| format!("{path}: {error}"))?;
        return record::of_otlp(document, request);
    }
    match Signal::of_path(path) {
        Signal::Log => record::of_rows(body, request),
        Signal::Metric => Ok(Vec::new()),
    }
}

/// The data points of one request.
pub fn decode_points(path: &str, body: &[u8], request: usize) -> Result<Vec<Point>, String> {
    match Signal::of_path(path) {
        Signal::Metric => point::of_otlp(body, request),
        Signal::Log if is_otlp_logs(path) => Ok(Vec::new()),
        Signal::Log => point::of_rows(body, request),
    }
}

fn is_otlp_logs(path: &str) -> bool {
    path.split('?')
        .next()
        .is_some_and(|path| path.ends_with("/v1/logs"))
}

/// As people want to see it.
impl From<Point> for Record {
    fn from(point: Point) -> Record {
        Record {
            signal: Signal::Metric,
            request: point.request,
            time: point.time.to_string(),
            severity_number: 0,
            severity: String::new(),
            body: point.to_string().into(),
            raw: serde_json::to_value(&point).unwrap_or_default(),
            attributes: point.attributes,
            resource: point.resource,
            scope: point.scope,
            trace_id: String::new(),
            span_id: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_apart() {
        let rows = br#"{"time":"t","request_id":"r","body":"x"}

{"time":"2026-11-21T20:37:43.578Z","type":"metric","name":"queue","kind":"gauge","value":7,"attributes":{}}
{"body":{"a":1}}"#;
        let records = decode_logs("/insert", rows, 0).unwrap();
        assert_eq!(
            (records[0].request_id(), records[1].text().as_str()),
            (Some("r"), r#"{"a":1}"#)
        );
        assert_eq!(decode_points("/insert", rows, 0).unwrap()[0].name, "queue");
        let shown = decode("/insert", rows, 0).unwrap();
        assert_eq!(shown[2].text(), "queue 7");
        let metrics = br#"{"resourceMetrics":[]}"#;
        assert_eq!(
            decode_logs("/base/v1/metrics?x=1", metrics, 0)
                .unwrap()
                .len(),
            0
        );
        assert_eq!(
            decode_points("/base/v1/metrics?x=1", metrics, 0).unwrap(),
            []
        );
        assert!(decode_points("/v1/metrics", br#"{"resourceLogs":[]}"#, 0).is_err());
    }
}
