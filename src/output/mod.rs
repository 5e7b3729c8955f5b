//! The way out: batches of frames, the collector's answers, and how it is reached.

pub mod batch;
pub mod collector;
pub mod dns;
pub mod exporter;
pub mod known;
pub mod lookup;
pub mod narrowing;
pub mod resolver;
pub mod settlement;
pub mod transport;
