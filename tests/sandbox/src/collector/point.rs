//! Data points of metrics as a collector has received them, read strictly: what a careful receiver would refuse is an error.

mod any_value;
mod integer;
mod otlp;
mod row;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::record::Attributes;

/// One data point of a metric.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Number of the request that brought it, counted from 0.
    pub request: usize,
    pub name: String,
    /// Empty if the metric has none.
    pub unit: String,
    pub attributes: Attributes,
    /// Of a sum or a histogram: what it counts from.
    pub temporality: Option<Temporality>,
    /// Of a sum or a histogram: when it began to count. 0 for a gauge. Nanoseconds since 1970, as the time.
    pub start: u64,
    pub time: u64,
    pub data: Data,
    #[serde(skip)]
    pub resource: Arc<Attributes>,
    #[serde(skip)]
    pub scope: Arc<Attributes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Temporality {
    Delta,
    Cumulative,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    Sum { value: f64, is_monotonic: bool },
    Gauge(f64),
    Histogram(Histogram),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Histogram {
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    /// Upper boundaries of all buckets but the last.
    pub bounds: Vec<f64>,
    pub buckets: Vec<u64>,
}

impl Point {
    /// The value of a sum or a gauge; of a histogram its sum.
    pub fn value(&self) -> f64 {
        match &self.data {
            Data::Sum { value, .. } | Data::Gauge(value) => *value,
            Data::Histogram(histogram) => histogram.sum,
        }
    }

    /// How many values a histogram holds; 0 if it is none.
    pub fn count(&self) -> u64 {
        match &self.data {
            Data::Histogram(histogram) => histogram.count,
            Data::Sum { .. } | Data::Gauge(_) => 0,
        }
    }

    /// `sum`, `gauge` or `histogram`.
    pub fn kind(&self) -> &'static str {
        match self.data {
            Data::Sum { .. } => "sum",
            Data::Gauge(_) => "gauge",
            Data::Histogram(_) => "histogram",
        }
    }

    /// An attribute that is a string.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name)?.as_str()
    }

    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        if name.is_empty() {
            return Err("a metric without a name".into());
        }
        if self.attributes.keys().any(String::is_empty) {
            return Err(format!("{name}: an attribute without a key"));
        }
        let is_gauge = matches!(self.data, Data::Gauge(_));
        if is_gauge != self.temporality.is_none() {
            return Err(format!(
                "{name}: a temporality does not fit a {}",
                self.kind()
            ));
        }
        let is_in_order = if is_gauge {
            self.start == 0 && self.time > 0
        } else {
            0 < self.start && self.start < self.time
        };
        if !is_in_order {
            return Err(format!("{name}: from {} to {}", self.start, self.time));
        }
        match &self.data {
            Data::Histogram(histogram) => histogram.check(name),
            Data::Sum {
                value,
                is_monotonic: true,
            } if *value < 0.0 => Err(format!("{name}: a monotonic sum of {value}")),
            Data::Sum { .. } | Data::Gauge(_) => Ok(()),
        }
    }
}

impl Histogram {
    fn check(&self, name: &str) -> Result<(), String> {
        let Histogram {
            count,
            sum,
            min,
            max,
            ..
        } = *self;
        let is_ascending = self.bounds.windows(2).all(|pair| pair[0] < pair[1]);
        if !is_ascending || self.buckets.len() != self.bounds.len() + 1 {
            return Err(format!(
                "{name}: buckets and boundaries do not fit: {self:?}"
            ));
        }
        if count == 0 || self.buckets.iter().sum::<u64>() != count {
            return Err(format!("{name}: buckets and count do not fit: {self:?}"));
        }
        // The sum is rounded, as any sum of doubles.
        let slack = 1e-9 * (count as f64 * min.abs().max(max.abs()));
        let (least, most) = (count as f64 * min - slack, count as f64 * max + slack);
        if !(min <= max && (least..=most).contains(&sum)) {
            return Err(format!(
                "{name}: count, sum, minimum and maximum do not fit: {self:?}"
            ));
        }
        // A boundary belongs to the bucket below it.
        let bucket = |value: f64| self.bounds.partition_point(|bound| *bound < value);
        let used = |found: Option<usize>| found.unwrap_or(usize::MAX);
        let first = used(self.buckets.iter().position(|count| *count > 0));
        let last = used(self.buckets.iter().rposition(|count| *count > 0));
        if (first, last) != (bucket(min), bucket(max)) {
            return Err(format!(
                "{name}: minimum or maximum is not in its bucket: {self:?}"
            ));
        }
        Ok(())
    }
}

/// `orders.size{shop=north} 12 values, sum 99.5 By`, for people.
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let mut before = "{";
        for (key, value) in &self.attributes {
            match value.as_str() {
                Some(text) => write!(f, "{before}{key}={text}")?,
                None => write!(f, "{before}{key}={value}")?,
            }
            before = ", ";
        }
        if !self.attributes.is_empty() {
            f.write_str("}")?;
        }
        match &self.data {
            Data::Sum { value, .. } | Data::Gauge(value) => write!(f, " {value}")?,
            Data::Histogram(Histogram { count, sum, .. }) => {
                write!(f, " {count} values, sum {sum}")?
            }
        }
        if self.unit.is_empty() {
            return Ok(());
        }
        write!(f, " {}", self.unit)
    }
}

/// The points of an OTLP metrics request.
pub fn of_otlp(document: Value, request: usize) -> Result<Vec<Point>, String> {
    checked(otlp::read(document, request)?)
}

/// Whether a row of NDJSON is a point, and no log record.
pub use row::is_point as is_row;

/// The rows of an NDJSON body that are points.
pub fn of_rows(body: &[u8], request: usize) -> Result<Vec<Point>, String> {
    checked(row::read(body, request)?)
}

fn checked(points: Vec<Point>) -> Result<Vec<Point>, String> {
    let mut seen = BTreeSet::new();
    for point in &points {
        point.check()?;
        let attributes: BTreeMap<_, _> = point
            .attributes
            .iter()
            .map(|(key, value)| (key, value.to_string()))
            .collect();
        let series = (
            &point.name,
            &point.unit,
            point.kind(),
            attributes,
            point.start,
            point.time,
        );
        if !seen.insert(series) {
            return Err(format!("{point}: twice in one request"));
        }
    }
    Ok(points)
}

#[cfg(test)]
mod tests;
