//! `ExportMetricsServiceRequest` in OTLP's JSON: only the members that OTLP knows, each in the form it prescribes.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::any_value::{KeyValue, attributes};
use super::integer::{Whole, time};
use super::{Attributes, Data, Histogram, Point, Temporality};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    resource_metrics: Vec<ResourceMetrics>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ResourceMetrics {
    resource: Resource,
    scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resource {
    attributes: Vec<KeyValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeMetrics {
    scope: Scope,
    metrics: Vec<Metric>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scope {
    name: String,
    version: String,
    attributes: Vec<KeyValue>,
}

/// One of the last three is there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metric {
    name: String,
    #[serde(default)]
    unit: String,
    sum: Option<Points<NumberPoint>>,
    gauge: Option<Points<NumberPoint>>,
    histogram: Option<Points<HistogramPoint>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Points<P> {
    aggregation_temporality: Option<u8>,
    is_monotonic: Option<bool>,
    data_points: Vec<P>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NumberPoint {
    #[serde(default)]
    attributes: Vec<KeyValue>,
    #[serde(default, deserialize_with = "time")]
    start_time_unix_nano: u64,
    #[serde(deserialize_with = "time")]
    time_unix_nano: u64,
    as_double: Option<f64>,
    as_int: Option<Whole<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct HistogramPoint {
    #[serde(default)]
    attributes: Vec<KeyValue>,
    #[serde(deserialize_with = "time")]
    start_time_unix_nano: u64,
    #[serde(deserialize_with = "time")]
    time_unix_nano: u64,
    count: Whole<u64>,
    sum: f64,
    min: f64,
    max: f64,
    bucket_counts: Vec<Whole<u64>>,
    explicit_bounds: Vec<f64>,
}

pub fn read(document: Value, request: usize) -> Result<Vec<Point>, String> {
    let document: Request = serde_json::from_value(document)
        .map_err(|error| format!("metrics that are no OTLP: {error}"))?;
    let mut points = Vec::new();
    for group in document.resource_metrics {
        let resource = Arc::new(attributes(group.resource.attributes)?);
        for scoped in group.scope_metrics {
            let mut scope = attributes(scoped.scope.attributes)?;
            scope.insert("name".into(), scoped.scope.name.into());
            scope.insert("version".into(), scoped.scope.version.into());
            let scope = Arc::new(scope);
            for metric in scoped.metrics {
                for mut point in metric.points()? {
                    (point.resource, point.scope) = (resource.clone(), scope.clone());
                    point.request = request;
                    points.push(point);
                }
            }
        }
    }
    Ok(points)
}

impl Metric {
    fn points(self) -> Result<Vec<Point>, String> {
        let Metric {
            name,
            unit,
            sum,
            gauge,
            histogram,
        } = self;
        let wrong = |what: String| format!("{name}: {what}");
        let (temporality, points): (_, Vec<_>) = match (sum, gauge, histogram) {
            (Some(sum), None, None) => {
                let is_monotonic = sum.is_monotonic.unwrap_or(false);
                let data = |value| Data::Sum {
                    value,
                    is_monotonic,
                };
                let points = sum.data_points.into_iter().map(|point| point.read(&data));
                (sum.aggregation_temporality, points.collect())
            }
            (None, Some(gauge), None) if gauge.is_monotonic.is_none() => {
                let points = gauge
                    .data_points
                    .into_iter()
                    .map(|point| point.read(&Data::Gauge));
                (gauge.aggregation_temporality, points.collect())
            }
            (None, None, Some(histogram)) if histogram.is_monotonic.is_none() => {
                let points = histogram.data_points.into_iter().map(HistogramPoint::read);
                (histogram.aggregation_temporality, points.collect())
            }
            _ => return Err(wrong("not of one kind".into())),
        };
        let temporality = match temporality {
            None => None,
            Some(1) => Some(Temporality::Delta),
            Some(2) => Some(Temporality::Cumulative),
            Some(other) => return Err(wrong(format!("the temporality {other}"))),
        };
        if points.is_empty() {
            return Err(wrong("no data points".into()));
        }
        let named = |point: Result<Point, String>| {
            let point = point.map_err(wrong)?;
            Ok(Point {
                name: name.clone(),
                unit: unit.clone(),
                temporality,
                ..point
            })
        };
        points.into_iter().map(named).collect()
    }
}

impl NumberPoint {
    fn read(self, data: &dyn Fn(f64) -> Data) -> Result<Point, String> {
        let value = match (self.as_double, self.as_int) {
            (Some(value), None) => value,
            (None, Some(value)) => value.value() as f64,
            _ => return Err("a point has one value".into()),
        };
        let attributes = attributes(self.attributes)?;
        Ok(point(
            attributes,
            self.start_time_unix_nano,
            self.time_unix_nano,
            data(value),
        ))
    }
}

impl HistogramPoint {
    fn read(self) -> Result<Point, String> {
        let histogram = Histogram {
            count: self.count.value(),
            sum: self.sum,
            min: self.min,
            max: self.max,
            bounds: self.explicit_bounds,
            buckets: self.bucket_counts.into_iter().map(Whole::value).collect(),
        };
        let attributes = attributes(self.attributes)?;
        let data = Data::Histogram(histogram);
        Ok(point(
            attributes,
            self.start_time_unix_nano,
            self.time_unix_nano,
            data,
        ))
    }
}

fn point(attributes: Attributes, start: u64, time: u64, data: Data) -> Point {
    Point {
        request: 0,
        name: String::new(),
        unit: String::new(),
        attributes,
        temporality: None,
        start,
        time,
        data,
        resource: Arc::default(),
        scope: Arc::default(),
    }
}
