//! Metrics: what the platform, StatsD clients, EMF lines and kinglet itself say arrives as data points, added up exactly.

// What the tests are made of.
mod measured;
mod statsd_client;

// The sources.
mod emf;
mod managed;
mod own;
mod platform;
mod statsd;
mod statsd_socket;

// The way out.
mod configured;
mod outages;
mod temporality;

// What goes wrong.
mod bounds;
mod flood;
mod malformed;
