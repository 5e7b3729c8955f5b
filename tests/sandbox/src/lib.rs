//! A Lambda sandbox to run any extension in.
//!
//! The extension is a real process that talks to a real server: it registers, subscribes, asks for events, is
//! frozen and thawed, gets SHUTDOWN, and is killed if it does not go. The function is a closure, or a real runtime.
//! The collector is a thread that keeps what it is sent. Everything is on loopback ports of its own, so that many
//! sandboxes run side by side in one test binary. Every wait has an end.
//!
//! ```no_run
//! use kinglet_sandbox::{Collector, Deviations, Fault, RuntimeDone, Sandbox, Work};
//! use std::time::Duration;
//!
//! let collector = Collector::start(Fault::None)?;
//! let lambda = Sandbox::builder("target/release/kinglet")
//!     .env("KINGLET_ENDPOINT", collector.url())
//!     .function_timeout(Duration::from_secs(3))
//!     .deviations(Deviations { runtime_done: RuntimeDone::Missing, ..Deviations::default() })
//!     .start()?; // the init phase
//!
//! let invocation = lambda.invoke(Work::lines(["first line", "second line"]).takes_ms(20))?;
//! assert!(invocation.held < Duration::from_millis(300));
//! collector.set_fault(Fault::Status(503).first(2)); // two requests fail, then all is well
//! let failed = lambda.invoke(["last words"])?; // lines alone will do
//! assert_eq!(failed.status, "success");
//! let timed_out = lambda.invoke(Work::quiet().times_out())?; // and a reset
//! assert_eq!(timed_out.status, "timeout");
//!
//! let running = lambda.begin(Work::lines(["during a freeze"]).takes_ms(500))?;
//! lambda.freeze(); // in the midst of it
//! lambda.thaw();
//! running.wait()?;
//!
//! let exit = lambda.shutdown("spindown")?;
//! assert!(exit.status.success() && exit.took < Duration::from_millis(100), "{:?}", exit.stderr);
//! let texts: Vec<String> = collector.logs().iter().map(|record| record.text()).collect();
//! assert!(texts.contains(&"second line".to_string()));
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! # In reading order
//!
//! * [`Sandbox`] and its [`Builder`]: start, invoke, freeze, thaw, shut down; or be the platform
//!   ([`Sandbox::inject`], [`Sandbox::inject_raw`]). [`Invocation`] and [`Exit`] are what comes of it.
//! * [`Function`] and [`Work`]: what runs beside the extension. [`InvocationContext`] is for closures.
//! * [`Deviations`]: emulators, old platforms, unlucky timing.
//! * [`Collector`], its [`Fault`]s, and the [`Record`]s and [`Point`]s it decodes; usable alone.
//! * [`Happening`]: what a watcher is told.
//!
//! Inside: `lambda` and `state` are what all share, `init`, `invocation`, `report` and `shutdown` are the
//! phases, `api` answers the processes,
//! `telemetry` delivers to them, `process` is one of them.
//!
//! # What is not as on Lambda
//!
//! * A freeze is a SIGSTOP: CLOCK_MONOTONIC goes on in it.
//! * `sandbox.localdomain` is 127.0.0.1; the name need not resolve. `/opt/extensions` is a temporary directory.
//! * How often a delivery is retried, and how long its answer may take, is a guess: nobody has published it.
//! * A line waits (as on a full pipe, at most 15 s) while more than 1 MiB waits for the extension; Lambda drops it.
//!   [`Deviations::drop_beyond_bytes`] drops, too.
//! * An extension is killed later than at the deadline of SHUTDOWN by twice what this machine is late ([`lateness`]).
//! * TCP destinations, SnapStart and response streaming's rate limits are missing.

mod api;
mod cleanup;
mod collector;
mod deviation;
mod function;
mod http;
mod init;
mod invocation;
mod lambda;
mod lateness;
mod process;
mod report;
mod sandbox;
mod server;
mod settings;
mod shutdown;
mod state;
mod telemetry;
mod watch;

pub use cleanup::clean_up;
pub use collector::{
    Attributes, Collector, Data, Endless, FAULTS, Fault, Framing, Histogram, OnAnswered, Pace,
    Point, Received, Record, Signal, Temporality, decode, decode_logs, decode_points,
};
pub use deviation::{Deviations, RuntimeDone, Subscribe};
pub use function::{Function, InvocationContext, Outcome, Work};
pub use http::Request;
pub use lateness::{Late, late_since, lateness};
pub use report::{Invocation, Running};
pub use sandbox::{Builder, Sandbox};
pub use settings::{Mode, environment};
pub use shutdown::Exit;
pub use telemetry::{DeliveryCount, Destination, LogFormat, Wire};
pub use watch::Happening;
