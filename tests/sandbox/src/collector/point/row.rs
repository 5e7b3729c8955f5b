//! A data point as a row of NDJSON: `{"time":…,"type":"metric","name":…}`.

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use serde::Deserialize;

use super::{Attributes, Data, Histogram, Point, Temporality};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    time: String,
    #[serde(rename = "type")]
    _type: String,
    name: String,
    #[serde(default)]
    unit: String,
    kind: String,
    temporality: Option<String>,
    start: Option<String>,
    value: Option<f64>,
    count: Option<u64>,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    bounds: Option<Vec<f64>>,
    buckets: Option<Vec<u64>>,
    attributes: Attributes,
}

/// Whether a row is a point, and no log record.
pub fn is_point(row: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Typed {
        r#type: Option<String>,
    }
    serde_json::from_slice::<Typed>(row).is_ok_and(|row| row.r#type.as_deref() == Some("metric"))
}

pub fn read(body: &[u8], request: usize) -> Result<Vec<Point>, String> {
    let rows = body
        .split(|byte| *byte == b'\n')
        .filter(|row| is_point(row));
    rows.map(|row| {
        let shown = || String::from_utf8_lossy(row);
        let read: Row =
            serde_json::from_slice(row).map_err(|error| format!("{}: {error}", shown()))?;
        read.point(request)
            .map_err(|error| format!("{}: {error}", shown()))
    })
    .collect()
}

impl Row {
    fn point(self, request: usize) -> Result<Point, String> {
        let moments = (
            self.count,
            self.sum,
            self.min,
            self.max,
            self.bounds,
            self.buckets,
        );
        let data = match (self.kind.as_str(), self.value, moments) {
            // A row does not say whether its sum is monotonic.
            ("sum", Some(value), (None, None, None, None, None, None)) => Data::Sum {
                value,
                is_monotonic: false,
            },
            ("gauge", Some(value), (None, None, None, None, None, None)) => Data::Gauge(value),
            (
                "histogram",
                None,
                (Some(count), Some(sum), Some(min), Some(max), Some(bounds), Some(buckets)),
            ) => Data::Histogram(Histogram {
                count,
                sum,
                min,
                max,
                bounds,
                buckets,
            }),
            _ => return Err("its values do not fit its kind".into()),
        };
        Ok(Point {
            request,
            name: self.name,
            unit: self.unit,
            attributes: self.attributes,
            temporality: match self.temporality.as_deref() {
                None => None,
                Some("delta") => Some(Temporality::Delta),
                Some("cumulative") => Some(Temporality::Cumulative),
                Some(other) => return Err(format!("the temporality {other}")),
            },
            start: self.start.map_or(Ok(0), |start| nanoseconds(&start))?,
            time: nanoseconds(&self.time)?,
            data,
            resource: Arc::default(),
            scope: Arc::default(),
        })
    }
}

fn nanoseconds(time: &str) -> Result<u64, String> {
    let read = humantime::parse_rfc3339(time).map_err(|error| format!("{time}: {error}"))?;
    let since = read
        .duration_since(UNIX_EPOCH)
        .map_err(|error| error.to_string())?;
    Ok(since.as_nanos() as u64)
}
