//! The init phase: extensions first, then the runtime; done when all have asked for the next event.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use crate::function::Function;
use crate::lambda::Lambda;
use crate::process::{Callbacks, Process, end_words};
use crate::state::{Agent, AgentState, Fatal, Party, Runtime, Stage, State};
use crate::watch::{Happening, ms};

impl Lambda {
    /// Starts everything. On failure the environment is down again. `phase` is `init`, or `invoke` when it is
    /// repeated inside an invocation.
    pub(crate) fn init(self: &Arc<Self>, phase: &str, limit: Duration) -> Result<Duration, Fatal> {
        let began = Instant::now();
        let deadline = began + limit;
        self.begin_environment(began);
        self.telemetry.init_begins();
        self.platform("platform.initStart", self.init_start(phase));
        let outcome = self.launch_extensions().and_then(|()| {
            self.await_init(deadline, Party::Extension, "to register", |state| {
                state
                    .agents
                    .iter()
                    .all(|agent| agent.state != AgentState::Started)
            })?;
            self.start_runtime().map_err(|error| Fatal {
                error_type: "Runtime.InvalidEntrypoint".into(),
                message: error.to_string(),
                of: Party::Function,
            })?;
            self.await_init(
                deadline,
                Party::Function,
                "to ask for its first invocation",
                |state| state.runtime.asked,
            )?;
            self.lock().registration_open = false;
            self.await_init(
                deadline,
                Party::Extension,
                "to ask for its first event",
                |state| {
                    state
                        .agents
                        .iter()
                        .all(|agent| agent.state == AgentState::Ready)
                },
            )
        });
        let took = began.elapsed();
        let status = match &outcome {
            Ok(()) => "success",
            Err(fatal) if fatal.error_type == "Runtime.Unknown" => "timeout",
            Err(_) => "error",
        };
        self.tell_init(phase, status, outcome.as_ref().err(), took);
        self.tell(|| Happening::InitDone {
            status: status.into(),
            ms: ms(took),
        });
        if let Err(fatal) = outcome {
            self.end_environment(if status == "timeout" {
                "timeout"
            } else {
                "failure"
            });
            return Err(fatal);
        }
        let mut state = self.lock();
        state.stage = Stage::Up;
        state.init_unbilled = (phase == "init").then_some(took);
        Ok(took)
    }

    pub(crate) fn begin_environment(&self, now: Instant) {
        let mut state = self.lock();
        state.epoch += 1;
        state.stage = Stage::Init;
        state.launched = now;
        state.agents.clear();
        state.runtime = Runtime::default();
        state.fatal = None;
        state.registration_open = true;
        state.subscription_open = true;
    }

    fn await_init(
        &self,
        deadline: Instant,
        of: Party,
        what: &str,
        ready: impl Fn(&State) -> bool,
    ) -> Result<(), Fatal> {
        let waited = self.wait(Some(deadline), |state| match &state.fatal {
            Some(fatal) => Some(Err(fatal.clone())),
            None => ready(state).then_some(Ok(())),
        });
        waited.unwrap_or_else(|| {
            let who = match of {
                Party::Function => "runtime",
                Party::Extension => "extension",
            };
            Err(Fatal {
                error_type: "Runtime.Unknown".into(),
                message: format!("init timed out waiting for the {who} {what}"),
                of,
            })
        })
    }

    fn launch_extensions(self: &Arc<Self>) -> Result<(), Fatal> {
        for path in &self.settings.extensions {
            self.launch_extension(path).map_err(|error| Fatal {
                error_type: "Extension.LaunchError".into(),
                message: format!("{} cannot be started: {error}", path.display()),
                of: Party::Extension,
            })?;
        }
        Ok(())
    }

    fn launch_extension(self: &Arc<Self>, path: &Path) -> std::io::Result<()> {
        let path = std::path::absolute(path)?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let directory = self.opt.path().join("extensions");
        std::fs::create_dir_all(&directory)?;
        let link = directory.join(&name);
        if !link.exists() {
            std::os::unix::fs::symlink(&path, &link)?;
        }
        let (api, _) = self.api.get().expect("the APIs are served first");
        let mut command = Command::new(&link);
        command
            .arg0(&link)
            .env_clear()
            .envs(self.settings.extension_environment(api))
            .current_dir(self.opt.path());
        let epoch = self.add_agent(&name);
        let (reading, ending, ended_name) = (self.clone(), self.clone(), name.clone());
        let callbacks = Callbacks {
            on_line: Arc::new(move |output, line| reading.extension_wrote(output, line)),
            on_end: Box::new(move |ended| {
                ending.extension_ended(epoch, &ended_name, &end_words(ended.status))
            }),
        };
        self.tell(|| Happening::Launched { name: name.clone() });
        let process = Process::start(command, callbacks)?;
        let mut state = self.lock();
        if let Some(agent) = state.agents.iter_mut().find(|agent| agent.name == name) {
            agent.process = Some(process);
        }
        Ok(())
    }

    /// An extension that has been launched and not yet registered; gives the environment's number.
    pub(crate) fn add_agent(&self, name: &str) -> u64 {
        let mut state = self.lock();
        state.agents.push(Agent {
            name: name.into(),
            id: Uuid::new_v4(),
            process: None,
            state: AgentState::Started,
            events: Vec::new(),
            inbox: None,
            asked: None,
            error_type: None,
        });
        state.epoch
    }

    /// Whatever its exit code, an extension that ends outside SHUTDOWN has crashed.
    fn extension_ended(&self, epoch: u64, name: &str, how: &str) {
        let mut state = self.lock();
        if state.epoch == epoch && matches!(state.stage, Stage::Init | Stage::Up) {
            let agent = state.agents.iter().find(|agent| agent.name == name);
            let reported = agent.and_then(|agent| match agent.state {
                AgentState::InitError => Some("Extension.InitError"),
                AgentState::ExitError => Some("Extension.ExitError"),
                _ => None,
            });
            let error_type = reported.unwrap_or("Extension.Crash");
            state.fail(Party::Extension, error_type, how.to_string());
        }
        drop(state);
        self.notify();
    }

    fn start_runtime(self: &Arc<Self>) -> std::io::Result<()> {
        let epoch = self.lock().epoch;
        match &self.settings.function {
            Function::BuiltIn => {
                let lambda = self.clone();
                thread::spawn(move || {
                    lambda
                        .settings
                        .init_lines
                        .iter()
                        .for_each(|line| lambda.function_wrote(line, None));
                    thread::sleep(lambda.settings.init_takes);
                    let mut state = lambda.lock();
                    state.runtime.asked |= state.epoch == epoch;
                    drop(state);
                    lambda.notify();
                });
            }
            Function::Command(text) => {
                let (api, _) = self.api.get().expect("the APIs are served first");
                let mut command = Command::new("/bin/sh");
                command.arg("-c").arg(text).env_clear();
                command.envs(self.settings.runtime_environment(api, &self.instance));
                let (reading, ending) = (self.clone(), self.clone());
                let callbacks = Callbacks {
                    on_line: Arc::new(move |_, line| reading.function_wrote(line, None)),
                    on_end: Box::new(move |ended| {
                        ending.runtime_ended(epoch, &end_words(ended.status))
                    }),
                };
                let process = Process::start(command, callbacks)?;
                self.lock().runtime.process = Some(process);
            }
        }
        Ok(())
    }

    pub(crate) fn runtime_ended(&self, epoch: u64, how: &str) {
        let mut state = self.lock();
        if state.epoch == epoch && matches!(state.stage, Stage::Init | Stage::Up) {
            let error_type = state.runtime.error_type.clone();
            state.fail(
                Party::Function,
                error_type.as_deref().unwrap_or("Runtime.ExitError"),
                format!("Runtime exited: {how}"),
            );
        }
        drop(state);
        self.notify();
    }

    fn init_start(&self, phase: &str) -> Value {
        let settings = &self.settings;
        let mut record = json!({
            "initializationType": settings.mode.initialization_type(),
            "phase": phase,
            "functionName": settings.function_name,
            "functionVersion": settings.function_version,
            "instanceId": self.instance,
            "instanceMaxMemory": settings.memory_mb << 20,
        });
        if let Function::BuiltIn = settings.function {
            record["runtimeVersion"] = "sandbox:1.v1".into();
            record["runtimeVersionArn"] = "arn:aws:lambda:eu-west-1::runtime:0f2d".into();
        }
        record
    }

    fn tell_init(&self, phase: &str, status: &str, fatal: Option<&Fatal>, took: Duration) {
        let kind = self.settings.mode.initialization_type();
        let mut done = json!({"initializationType": kind, "phase": phase, "status": status});
        if let Some(fatal) = fatal {
            done["errorType"] = fatal.error_type.as_str().into();
        }
        self.platform("platform.initRuntimeDone", done.clone());
        {
            let mut state = self.lock();
            state.subscription_open = false;
            for agent in &state.agents {
                let shown = format!("{:?}", agent.state);
                let mut record =
                    json!({"name": agent.name, "state": shown, "events": agent.events});
                if let Some(error_type) = &agent.error_type {
                    record["errorType"] = error_type.as_str().into();
                }
                self.platform("platform.extension", record);
            }
        }
        done["metrics"] = json!({"durationMs": ms(took)});
        self.platform("platform.initReport", done);
        self.telemetry.init_ends();
    }
}
