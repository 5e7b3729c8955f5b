//! A request's body: which signal it is about, and its records or points.

use serde_json::Value;

use super::point::{self, Point};
use super::protobuf;
use super::record::{self, Record};
use crate::http::Request;

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
pub fn decode(request: &Request, number: usize) -> Result<Vec<Record>, String> {
    let mut records = decode_logs(request, number)?;
    records.extend(
        decode_points(request, number)?
            .into_iter()
            .map(Record::from),
    );
    Ok(records)
}

/// The log records of one request.
pub fn decode_logs(request: &Request, number: usize) -> Result<Vec<Record>, String> {
    let signal = Signal::of_path(&request.path);
    if signal == Signal::Log && is_otlp(request) {
        return record::of_otlp(document(request, signal)?, number);
    }
    match signal {
        Signal::Log => record::of_rows(&request.body, number),
        Signal::Metric => Ok(Vec::new()),
    }
}

/// The data points of one request.
pub fn decode_points(request: &Request, number: usize) -> Result<Vec<Point>, String> {
    match Signal::of_path(&request.path) {
        Signal::Metric => point::of_otlp(document(request, Signal::Metric)?, number),
        Signal::Log if is_otlp(request) => Ok(Vec::new()),
        Signal::Log => point::of_rows(&request.body, number),
    }
}

/// OTLP's JSON, which protobuf is turned into.
fn document(request: &Request, signal: Signal) -> Result<Value, String> {
    let document = if is_protobuf(request) {
        protobuf::to_json(signal, &request.body)
    } else {
        serde_json::from_slice(&request.body).map_err(|error| error.to_string())
    };
    document.map_err(|error| format!("{}: {error}", request.path))
}

fn is_protobuf(request: &Request) -> bool {
    request.header("content-type") == Some("application/x-protobuf")
}

/// Protobuf, or a path of OTLP.
fn is_otlp(request: &Request) -> bool {
    is_protobuf(request) || is_otlp_logs(&request.path)
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

/// A request of a test: no headers.
#[cfg(test)]
pub fn request(path: &str, body: &[u8]) -> Request {
    Request {
        method: "POST".into(),
        path: path.into(),
        headers: Vec::new(),
        body: body.to_vec(),
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
        let rows = request("/insert", rows);
        let records = decode_logs(&rows, 0).unwrap();
        assert_eq!(
            (records[0].request_id(), records[1].text().as_str()),
            (Some("r"), r#"{"a":1}"#)
        );
        assert_eq!(decode_points(&rows, 0).unwrap()[0].name, "queue");
        let shown = decode(&rows, 0).unwrap();
        assert_eq!(shown[2].text(), "queue 7");
        let metrics = request("/base/v1/metrics?x=1", br#"{"resourceMetrics":[]}"#);
        assert_eq!(decode_logs(&metrics, 0).unwrap().len(), 0);
        assert_eq!(decode_points(&metrics, 0).unwrap(), []);
        assert!(decode_points(&request("/v1/metrics", br#"{"resourceLogs":[]}"#), 0).is_err());
    }

    #[test]
    fn protobuf_by_its_content_type() {
        let golden = |name: &str| {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/golden/otlp");
            std::fs::read(format!("{path}/{name}.bin")).unwrap()
        };
        let protobuf = |path: &str, name: &str| Request {
            headers: vec![("Content-Type".into(), "application/x-protobuf".into())],
            ..request(path, &golden(name))
        };
        let records = decode_logs(&protobuf("/v1/logs", "on-demand"), 0).unwrap();
        let text = records[0].text();
        assert!(text.starts_with("INIT_START Runtime Version: "), "{text}");
        assert_eq!(records[0].resource["service.name"], "orders \"x\"");
        let points = decode_points(&protobuf("/v1/metrics", "metrics-delta"), 0).unwrap();
        assert_eq!(
            (points[0].name.as_str(), points.len()),
            ("faas.invocations", 12)
        );
        let broken = Request {
            body: golden("on-demand")[1..].to_vec(),
            ..protobuf("/v1/logs", "on-demand")
        };
        assert!(decode_logs(&broken, 0).is_err());
    }
}
