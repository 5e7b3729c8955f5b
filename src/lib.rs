//! kinglet: an AWS Lambda extension that records a function's logs and metrics and ships them in batches over plain HTTP.
//!
//! ```text
//! function ──stdout──▶ Lambda ──Telemetry API, HTTP POST──▶ reactor, telemetry   accept, read             I/O
//!    │                                                        │ bytes as they arrive
//!    │                                                      intake, http         head, framing            pure
//!    │                                                        │ body bytes, any chunking
//!    │                                                      json                 one event at a time      pure
//!    │                                                        │ &[u8]
//!    │                                                      event                event → record           pure
//!    │                                                        │       └─ platform_metrics, emf ─┐
//!    └──UDP──▶ statsd_socket ─▶ statsd ───────────────────────┼─────────────────────────────────┤ measurements
//!                                                             │ records                      metrics      pure
//!                                                           ring ◀── points, at a flush ────────┘         pure
//!                                                             │ one signal at a time, oldest first
//!                                                           wire                 encode a batch           pure
//!                                                             │ &[u8], length known
//!                                                           exporter, collector  ureq POST, transport     I/O
//! collector ◀───────────────────────────────────────────────────┘ 2xx releases through the sequence number
//! ```
//!
//! The rules that decide: the process never ends before SHUTDOWN; the function's time is not ours; nothing is lost
//! silently; one thread, and one place that sleeps ([`sys::wait`]); every bound is a number in [`limits`]; a byte must earn
//! its place. Pure modules take bytes and time as arguments and never touch the world.
//!
//! The modules stand in reading order.

// A panic would end the process (rule 1), so nothing that can panic is written down. Tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]
#![deny(unsafe_code)]

// What the process does.
pub mod extension;
pub mod outside;

// What decides.
pub mod breaker;
pub mod clock;
pub mod lifecycle;
pub mod limits;
pub mod narrowing;
pub mod pause;

// The way in.
pub mod event;
pub mod http;
pub mod intake;
pub mod json;
pub mod ledger;
pub mod place;
pub mod platform;
pub mod severity;
pub mod text_line;
pub mod timestamp;

// What is measured.
pub mod emf;
pub mod measurement;
pub mod metrics;
pub mod platform_metrics;
pub mod self_metrics;
pub mod statsd;

// What is kept.
pub mod point;
pub mod record;
pub mod resource;
pub mod ring;
pub mod signal;

// The way out.
pub mod address;
pub mod collector;
pub mod dns;
pub mod exporter;
pub mod resolver;
pub mod transport;
pub mod wire;

// The world.
pub mod config;
pub mod decimal;
pub mod delimited;
pub mod double;
pub mod message;
pub mod reactor;
pub mod runtime_api;
pub mod statsd_socket;
pub mod sys;
pub mod telemetry;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod random;

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
