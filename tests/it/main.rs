//! The shipped binary, from outside: the `kinglet` that cargo has built runs as an extension in the Lambda sandbox of
//! `tests/sandbox`, beside a function, and sends to a collector that does as it is told.
//!
//! Nothing in here knows the inside of kinglet. What is looked at is what users and Lambda see: the requests to the
//! collector, the time that invocations take, lines on standard error, the exit status. The counters of the last line
//! are always checked against each other ([`counters`]), and against what the sandbox has sent.
//!
//! Times have room for a busy machine on which many sandboxes run at once; strict ones are held elsewhere.

// What only the left out tests use stays where it is.
#![cfg_attr(
    not(all(feature = "metrics", feature = "json")),
    allow(dead_code, unused_imports)
)]

// What the tests are made of.
mod arrived;
mod counters;
mod extension;
mod launcher;
mod private_network;

// Records, from the function to the collector.
mod delivery;
mod log_formats;
mod platform_events;
mod selection;

// Data points, from wherever they come.
#[cfg(feature = "metrics")]
mod metrics;

// What goes wrong.
mod collector_answers;
mod collector_faults;
#[cfg(feature = "metrics")]
mod collector_names;
mod connections;
mod crash;
mod long_answers;
mod overflow;
mod scarcity;
mod telemetry_input;

// The life of a sandbox.
mod freeze;
mod held;
mod lifecycle;
mod managed;
mod runtime_api;
mod scripted_api;
mod shutdown;
mod subscribe;

// The people around it.
mod configuration;
mod outside;
