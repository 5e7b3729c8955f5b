//! The sandbox's state: one lock, one condition variable, and what everybody needs to do with them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use uuid::Uuid;

use crate::process::{Output, Process};
use crate::settings::Settings;
use crate::shutdown::Exit;
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

pub(crate) struct State {
    pub(crate) stage: Stage,
    /// Counts environments: what belongs to an old one has no effect on the new.
    pub(crate) epoch: u64,
    pub(crate) launched: Instant,
    pub(crate) agents: Vec<Agent>,
    pub(crate) runtime: Runtime,
    pub(crate) invocations: Vec<Active>,
    pub(crate) registration_open: bool,
    pub(crate) subscription_open: bool,
    /// What made the environment unusable first.
    pub(crate) fatal: Option<Fatal>,
    pub(crate) next_fails: u32,
    pub(crate) next_drops: u32,
    /// Invocations so far.
    pub(crate) invoked: u64,
    /// Init time that the next report has to bill.
    pub(crate) init_unbilled: Option<Duration>,
    /// How the extensions of the last environment ended.
    pub(crate) last_exits: Vec<Exit>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Down,
    Init,
    Up,
    ShuttingDown,
    /// The sandbox is being dropped.
    Closed,
}

/// An extension, in Lambda's word: external ones have a process, internal ones live in the runtime.
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) id: Uuid,
    pub(crate) process: Option<Arc<Process>>,
    pub(crate) state: AgentState,
    pub(crate) events: Vec<String>,
    /// The event that its next is to answer.
    pub(crate) inbox: Option<AgentEvent>,
    pub(crate) asked: Option<Instant>,
    pub(crate) error_type: Option<String>,
}

/// The names that platform.extension shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AgentState {
    Started,
    Registered,
    Ready,
    Running,
    InitError,
    ExitError,
}

#[derive(Clone, Debug)]
pub(crate) struct AgentEvent {
    pub(crate) body: Value,
    pub(crate) is_shutdown: bool,
}

#[derive(Default)]
pub(crate) struct Runtime {
    pub(crate) process: Option<Arc<Process>>,
    /// Has called next in this environment.
    pub(crate) asked: bool,
    pub(crate) error_type: Option<String>,
    /// Invocations it has not been given yet.
    pub(crate) queue: VecDeque<String>,
    /// Those it works on.
    pub(crate) current: Vec<String>,
}

/// An invocation that has begun and is not reported yet.
pub(crate) struct Active {
    pub(crate) request_id: String,
    pub(crate) number: u64,
    pub(crate) began: Instant,
    pub(crate) began_at: SystemTime,
    pub(crate) deadline: Instant,
    pub(crate) deadline_ms: u64,
    pub(crate) trace: String,
    pub(crate) payload: Value,
    pub(crate) answer: Option<FunctionAnswer>,
    pub(crate) done: Option<Done>,
}

#[derive(Clone, Debug)]
pub(crate) struct FunctionAnswer {
    pub(crate) at: Instant,
    pub(crate) body: Vec<u8>,
    /// Posted to `/error`, with this type.
    pub(crate) error_type: Option<String>,
}

/// The runtime's part of an invocation is over.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) at: Instant,
    pub(crate) status: &'static str,
    pub(crate) error_type: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Fatal {
    pub(crate) error_type: String,
    pub(crate) message: String,
}

impl Agent {
    pub(crate) fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|wanted| wanted == event)
    }

    /// Waits in next, and nothing is on its way to it.
    pub(crate) fn is_idle(&self) -> bool {
        self.state == AgentState::Ready && self.inbox.is_none()
    }
}

impl State {
    pub(crate) fn active(&mut self, request_id: &str) -> Option<&mut Active> {
        self.invocations
            .iter_mut()
            .find(|active| active.request_id == request_id)
    }

    /// Every process of the environment.
    pub(crate) fn processes(&self) -> Vec<Arc<Process>> {
        let agents = self.agents.iter().filter_map(|agent| agent.process.clone());
        agents.chain(self.runtime.process.clone()).collect()
    }

    /// The first failure is what is reported.
    pub(crate) fn fail(&mut self, error_type: &str, message: String) {
        self.fatal.get_or_insert(Fatal {
            error_type: error_type.into(),
            message,
        });
    }
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
