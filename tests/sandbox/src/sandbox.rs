//! The sandbox as a test holds it.

use std::ffi::OsString;
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use crate::api;
use crate::deviation::Deviations;
use crate::function::{Function, Work};
use crate::lambda::Lambda;
use crate::lateness;
use crate::process::{self, Output};
use crate::report::{Invocation, Running};
use crate::server::Server;
use crate::settings::{Mode, Settings};
use crate::shutdown::Exit;
use crate::state::Stage;
use crate::telemetry::{Body, DeliveryCount, Destination, Event, LogFormat, Poster, Wire};
use crate::watch::Happening;

/// What a sandbox is to be like; every setting has a default.
#[derive(Clone)]
#[must_use]
pub struct Builder {
    settings: Settings,
    keep_failed_init: bool,
}

impl Builder {
    /// One more extension beside the first.
    pub fn extension(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.extensions.push(path.into());
        self
    }

    /// A variable that the user of the function has configured: extension and function see it.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<OsString>) -> Self {
        self.settings.environment.push((name.into(), value.into()));
        self
    }

    pub fn function(mut self, function: Function) -> Self {
        self.settings.function = function;
        self
    }

    pub fn mode(mut self, mode: Mode) -> Self {
        self.settings.mode = mode;
        self
    }

    /// Text by default; JSON on Managed Instances.
    pub fn log_format(mut self, format: LogFormat) -> Self {
        self.settings.log_format = Some(format);
        self
    }

    /// `Deviations { duplicate_delivery: true, ..Deviations::default() }`.
    pub fn deviations(mut self, deviations: Deviations) -> Self {
        self.settings.deviations = deviations;
        self
    }

    /// Lines the built-in function writes in its init, and how long that takes.
    pub fn function_init(
        mut self,
        lines: impl IntoIterator<Item = impl Into<String>>,
        takes: Duration,
    ) -> Self {
        self.settings.init_lines = lines.into_iter().map(Into::into).collect();
        self.settings.init_takes = takes;
        self
    }

    /// 256 by default.
    pub fn memory_mb(mut self, memory_mb: u64) -> Self {
        self.settings.memory_mb = memory_mb;
        self
    }

    /// `orders` by default.
    pub fn function_name(mut self, name: impl Into<String>) -> Self {
        self.settings.function_name = name.into();
        self
    }

    /// 10 s by default, as on Lambda.
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.settings.init_timeout = timeout;
        self
    }

    /// The function's timeout; 30 s by default.
    pub fn function_timeout(mut self, timeout: Duration) -> Self {
        self.settings.function_timeout = timeout;
        self
    }

    /// 2000 ms by default; the runtime may take 30 % of it.
    pub fn shutdown_budget(mut self, budget: Duration) -> Self {
        self.settings.shutdown_budget = budget;
        self
    }

    /// Whether the sandbox freezes after each invocation, until the next one or SHUTDOWN. It does by default.
    pub fn freezes(mut self, freezes: bool) -> Self {
        self.settings.freezes = freezes;
        self
    }

    /// `start` succeeds though the init fails; the first invocation repeats it, as on Lambda.
    pub fn keep_failed_init(mut self) -> Self {
        self.keep_failed_init = true;
        self
    }

    /// Called for everything that happens, on the thread where it happens.
    pub fn watch(mut self, watch: impl Fn(&Happening) + Send + Sync + 'static) -> Self {
        self.settings.watch = Some(Arc::new(watch));
        self
    }

    /// Runs the init phase.
    pub fn start(self) -> Result<Sandbox> {
        for path in &self.settings.extensions {
            process::check_executable(path).map_err(|problem| anyhow!(problem))?;
        }
        lateness::watch();
        let init_timeout = self.settings.init_timeout;
        let lambda =
            Arc::new(Lambda::new(self.settings).context("a temporary directory is needed")?);
        let server = api::serve(&lambda).context("no loopback port for the Lambda APIs")?;
        let mut sandbox = Sandbox {
            lambda,
            _server: server,
            init_took: Duration::ZERO,
        };
        match sandbox.lambda.init("init", init_timeout) {
            Ok(took) => sandbox.init_took = took,
            Err(_) if self.keep_failed_init => {}
            Err(fatal) => {
                let words = sandbox.lambda.last_words(fatal.of);
                return Err(anyhow!(
                    "init failed with {}: {} ({words})",
                    fatal.error_type,
                    fatal.message
                ));
            }
        }
        Ok(sandbox)
    }
}

/// A running sandbox. Dropping it kills whatever still runs in it.
pub struct Sandbox {
    lambda: Arc<Lambda>,
    _server: Server,
    init_took: Duration,
}

impl Sandbox {
    /// A sandbox for this extension. Its name is the file's.
    pub fn builder(extension: impl Into<PathBuf>) -> Builder {
        Builder {
            settings: Settings::new(extension.into()),
            keep_failed_init: false,
        }
    }

    /// How long the init phase took; zero if it failed.
    pub fn init_took(&self) -> Duration {
        self.init_took
    }

    /// One invocation from START to REPORT, and the freeze after it. Thaws first.
    pub fn invoke(&self, work: impl Into<Work>) -> Result<Invocation> {
        self.begin(work)?.wait()
    }

    /// Begins an invocation; `wait` on what it returns ends it. On Managed Instances several can run at once.
    pub fn begin(&self, work: impl Into<Work>) -> Result<Running> {
        self.lambda.begin(work.into())
    }

    /// Stops extension, runtime and deliveries now, whatever they are at. CLOCK_MONOTONIC goes on, unlike on Lambda.
    pub fn freeze(&self) {
        self.lambda.freeze();
    }

    pub fn thaw(&self) {
        self.lambda.thaw();
    }

    /// SHUTDOWN with this reason (`spindown`, `timeout`, `failure`); how the first extension ended.
    pub fn shutdown(&self, reason: &str) -> Result<Exit> {
        let exits = self.shutdown_all(reason)?;
        exits
            .into_iter()
            .next()
            .ok_or_else(|| anyhow!("there was no extension to end"))
    }

    /// How each extension ended.
    pub fn shutdown_all(&self, reason: &str) -> Result<Vec<Exit>> {
        if self.lambda.lock().stage != Stage::Up {
            return Err(anyhow!(
                "the environment is down already; an invocation would start it again"
            ));
        }
        let exits = self.lambda.end_environment(reason);
        self.lambda.lock().stage = Stage::Closed;
        self.lambda.telemetry.close();
        self.lambda.notify();
        Ok(exits)
    }

    /// How the extensions of the last environment ended: after a reset, or after `shutdown`.
    pub fn last_exits(&self) -> Vec<Exit> {
        self.lambda.lock().last_exits.clone()
    }

    /// Where the extension wants its telemetry, once it has subscribed.
    pub fn destination(&self) -> Option<Destination> {
        self.lambda.telemetry.destination()
    }

    /// What the (first) subscriber has been sent.
    pub fn delivered(&self) -> DeliveryCount {
        self.lambda.telemetry.count()
    }

    /// Puts whole events, made up by the test, into the ordinary delivery. `time` is added if missing.
    pub fn inject(&self, events: impl IntoIterator<Item = Value>) {
        for mut event in events {
            let time = SystemTime::now();
            if let Value::Object(members) = &mut event {
                let shown = || humantime::format_rfc3339_millis(time).to_string().into();
                members.entry("time").or_insert_with(shown);
            }
            self.lambda.telemetry.publish(Event {
                time,
                body: Body::Raw(event),
            });
        }
    }

    /// Writes bytes to the extension's listener on a connection of its own, which is returned for more.
    pub fn inject_raw(&self, bytes: &[u8]) -> Result<TcpStream> {
        let destination = self
            .destination()
            .context("the extension has not subscribed")?;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, destination.port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.set_write_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(bytes)?;
        Ok(stream)
    }

    /// Posts a body, whatever it is, on a connection of its own; the answer's status.
    pub fn post(&self, body: &[u8], wire: Wire) -> Result<u16> {
        let destination = self
            .destination()
            .context("the extension has not subscribed")?;
        Ok(Poster::default().post(&destination, wire, body, &self.lambda.telemetry.gate)?)
    }

    /// Waits until the extension has taken all telemetry so far; says whether it was in time.
    pub fn drain(&self, timeout: Duration) -> bool {
        self.lambda.telemetry.drain(timeout)
    }

    /// The first extension's process id, while it has one.
    pub fn pid(&self) -> Option<i32> {
        Some(self.first_process()?.pid())
    }

    /// The highest VmHWM of the first extension seen so far; looks now.
    pub fn memory_peak_kb(&self) -> u64 {
        self.first_process()
            .map_or(0, |process| process.memory_peak_kb())
    }

    /// What the first extension has written to standard error so far.
    pub fn stderr(&self) -> Vec<String> {
        self.first_process()
            .map(|process| process.lines(Output::Stderr))
            .unwrap_or_default()
    }

    fn first_process(&self) -> Option<Arc<process::Process>> {
        self.lambda.lock().agents.first()?.process.clone()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let processes = {
            let mut state = self.lambda.lock();
            state.stage = Stage::Closed;
            state.processes()
        };
        self.lambda.notify();
        self.lambda.telemetry.close();
        for process in processes {
            process.signal(libc::SIGKILL);
            process.wait_ended(Duration::from_secs(1));
        }
    }
}
