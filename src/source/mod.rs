//! Ways in: bytes become events, and events records and measurements.

pub mod emf;
pub mod event;
pub mod intake;
pub mod statsd;
pub mod telemetry;
