//! Wire formats: how a batch of records, or of points, becomes the body of a POST. A format is one file, and one line in
//! [`FORMATS`].
//!
//! A batch is written one by one into a buffer of [`crate::limits::BATCH_BYTES_MAX`]; the exporter stops before the record or
//! point that would not fit, so a format needs no bound of its own.

pub mod ndjson;
pub mod otlp;
mod values;

use crate::point::Point;
use crate::record::Record;
use crate::resource::Resource;
use crate::signal::Signal;

/// A wire format.
pub trait Format: Sync {
    /// Value of `KINGLET_FORMAT`.
    fn name(&self) -> &'static str;
    /// Value of `Content-Type`.
    fn content_type(&self) -> &'static str;
    /// What is appended to the endpoint for batches of this signal; empty if the endpoint is the whole URL.
    fn path(&self, signal: Signal) -> &'static str;
    /// Writes what comes before the first record or point.
    fn begin(&self, out: &mut Vec<u8>, resource: &Resource, signal: Signal);
    /// Writes a record. `is_first`: none of this batch was written before.
    fn record(&self, out: &mut Vec<u8>, record: &Record<'_>, is_first: bool);
    /// Writes a data point of a metric, at most its bytes in the ring and [`crate::limits::POINT_OVERHEAD_BYTES_MAX`], and
    /// [`crate::limits::ATTRIBUTE_OVERHEAD_BYTES_MAX`] for each attribute. `is_first`: as for a record.
    fn point(&self, out: &mut Vec<u8>, point: &Point<'_>, is_first: bool);
    /// Writes what comes after the last one, at most [`crate::limits::BATCH_END_BYTES_MAX`]. `batch_id`: plain text by which
    /// a collector can recognise a batch that is repeated; also the value of the header `Idempotency-Key`.
    fn end(&self, out: &mut Vec<u8>, batch_id: &[u8]);
}

/// The default format, and the others.
pub const FORMATS: (&dyn Format, &[&dyn Format]) = (&otlp::Otlp, &[&ndjson::NdJson]);

/// The format of a name.
#[must_use]
pub fn format(name: &str) -> Option<&'static dyn Format> {
    let (default, others) = FORMATS;
    core::iter::once(&default)
        .chain(others)
        .find(|format| format.name() == name)
        .copied()
}

/// Appends several pieces.
fn push(out: &mut Vec<u8>, pieces: &[&[u8]]) {
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests;
