//! The sandbox's state: one lock, one condition variable, and what everybody needs to do with them.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use uuid::Uuid;

use crate::process::Output;
use crate::settings::Settings;
use crate::state::{Runtime, Stage, State};
use crate::telemetry::{Body, Event, Manner, Telemetry};
use crate::watch::Happening;
use crate::{cleanup, deviation, telemetry};

pub(crate) struct Lambda {
    pub(crate) settings: Settings,
    pub(crate) telemetry: Telemetry,
    /// The log stream's name, which is `instanceId` in platform.initStart.
    pub(crate) instance: String,
    /// Where extensions and runtime find the APIs: the value of `AWS_LAMBDA_RUNTIME_API`, and the port.
    pub(crate) api: std::sync::OnceLock<(String, u16)>,
    /// Stands for `/opt`: holds `extensions/NAME`.
    pub(crate) opt: tempfile::TempDir,
    state: Mutex<State>,
    changed: Condvar,
}

impl Lambda {
    pub(crate) fn new(settings: Settings) -> std::io::Result<Lambda> {
        let deviations = &settings.deviations;
        let manner = Manner {
            wire: deviations.wire,
            duplicate: deviations.duplicate_delivery,
            mute: deviations.subscribe == deviation::Subscribe::Mute,
            double_batches: deviations.double_batches,
            backlog_max: deviations.drop_beyond_bytes.unwrap_or(1 << 20),
            patience: if deviations.drop_beyond_bytes.is_some() {
                Duration::ZERO
            } else {
                Duration::from_secs(15)
            },
            format: settings.log_format(),
        };
        let state = State {
            stage: Stage::Down,
            epoch: 0,
            launched: Instant::now(),
            agents: Vec::new(),
            runtime: Runtime::default(),
            invocations: Vec::new(),
            registration_open: false,
            subscription_open: false,
            fatal: None,
            next_fails: deviations.next_fails,
            next_drops: deviations.next_drops,
            invoked: 0,
            init_unbilled: None,
            last_exits: Vec::new(),
            function_words: None,
        };
        let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string()[..10]
            .replace('-', "/");
        let instance = format!(
            "{date}/[{}]{}",
            settings.function_version,
            Uuid::new_v4().simple()
        );
        let opt = tempfile::Builder::new().prefix("lambda-opt-").tempdir()?;
        cleanup::directory_made(opt.path());
        Ok(Lambda {
            telemetry: Telemetry::new(manner),
            instance,
            api: std::sync::OnceLock::new(),
            opt,
            state: Mutex::new(state),
            changed: Condvar::new(),
            settings,
        })
    }

    /// Takes the lock; whoever changes something calls `notify` after.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(crate) fn notify(&self) {
        self.changed.notify_all();
    }

    /// Waits until `ready` gives something, or the deadline has passed.
    pub(crate) fn wait<T>(
        &self,
        deadline: Option<Instant>,
        mut ready: impl FnMut(&mut State) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(value) = ready(&mut state) {
                return Some(value);
            }
            let left = match deadline {
                None => Duration::from_secs(3600),
                Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            };
            if left.is_zero() {
                return None;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .0;
        }
    }

    pub(crate) fn platform(&self, kind: &'static str, record: Value) {
        self.telemetry.publish(Event::platform(kind, record));
    }

    pub(crate) fn function_wrote(&self, line: &str, request_id: Option<&str>) {
        self.tell(|| Happening::FunctionLine { line: line.into() });
        let mut line = line.to_string();
        if self.settings.deviations.trailing_newline && !line.ends_with('\n') {
            line.push('\n');
        }
        let body = Body::Function {
            line,
            request_id: request_id.map(Into::into),
        };
        self.telemetry.publish(telemetry::Event {
            time: SystemTime::now(),
            body,
        });
    }

    pub(crate) fn extension_wrote(&self, _output: Output, line: &str) {
        self.tell(|| Happening::ExtensionLine { line: line.into() });
        let body = Body::Extension { line: line.into() };
        self.telemetry.publish(telemetry::Event {
            time: SystemTime::now(),
            body,
        });
    }

    pub(crate) fn tell(&self, happening: impl FnOnce() -> Happening) {
        if let Some(watch) = &self.settings.watch {
            watch(&happening());
        }
    }

    /// Stops everything: Lambda's deliveries first, then the processes.
    pub(crate) fn freeze(&self) {
        if self.telemetry.gate.is_frozen() {
            return;
        }
        self.telemetry.gate.set_frozen(true);
        self.lock()
            .processes()
            .iter()
            .for_each(|process| process.freeze());
        self.tell(|| Happening::Frozen);
    }

    pub(crate) fn thaw(&self) {
        if !self.telemetry.gate.is_frozen() {
            return;
        }
        self.lock()
            .processes()
            .iter()
            .for_each(|process| process.thaw());
        self.tell(|| Happening::Thawed);
        self.telemetry.gate.set_frozen(false);
    }
}

impl Drop for Lambda {
    fn drop(&mut self) {
        cleanup::directory_removed(self.opt.path());
    }
}
