//! Ways in: bytes become events, and events records and measurements.

#[cfg_attr(not(feature = "metrics"), path = "absent/emf.rs")]
pub mod emf;
pub mod event;
pub mod intake;
pub mod statsd;
pub mod telemetry;
