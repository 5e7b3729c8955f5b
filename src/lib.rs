//! kinglet: an AWS Lambda extension that records a function's logs and metrics and ships them in batches over plain HTTP.
//!
//! ```text
//! function ──stdout──▶ Lambda ──Telemetry API──▶ source::event  ┐                          bytes → events
//! function ──UDP───────────────────────────────▶ source::statsd ┤
//! kinglet itself ──────────────────────────────▶ metric::own    ┘ records, measurements     record, metric: what it means
//!                                                  │ format: encoded once, when it is made    the only place that knows the wire
//!                                                queue::ring: frames, ready to be sent        oldest first
//!                                                  │ one route at a time
//!                                                output: envelope and frames in a POST        2xx releases
//! collector ◀──────────────────────────────────────┘
//! ```
//!
//! `reactor` is the one poll and the order of a turn, `lambda` is Lambda's side, `config` what the environment says, `http`
//! and `text` are the languages spoken, and all that is unsafe is in `sys`.
//!
//! The rules that decide: the process never ends before SHUTDOWN; the function's time is not ours; nothing is lost
//! silently; one thread, and one place that sleeps ([`sys::wait`]); every bound is a number in [`limits`]; a byte must earn
//! its place. Pure modules take bytes and time as arguments and never touch the world.
//!
//! A cargo feature is a row of a table or a `mod` line. A module without its feature is made of a file of `absent`, with the
//! same interface and nothing in it.
//!
//! A folder imports only what stands below it in this file.

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

// The stages, from the end to the beginning: each imports only what stands below it.
pub mod output;
pub mod reactor;

pub mod config;

pub mod source;

pub mod metric;
pub mod record;

pub mod format;

pub mod queue;

pub mod http;
pub mod lambda;

pub mod text;

pub mod sys;

pub mod clock;
pub mod limits;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod random;

/// The version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
