//! One invocation from START to REPORT.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::deviation::RuntimeDone;
use crate::function::{Function, InvocationContext, Outcome, Work};
use crate::lambda::{Active, AgentEvent, Done, FunctionAnswer, Lambda, Stage, State};
use crate::telemetry::{Body, Event};
use crate::watch::{Happening, ms};

/// What became of an invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub request_id: String,
    /// `success`, `error`, `timeout`: that of the report. A handler that throws has `success` (see `error`).
    pub status: String,
    pub error_type: Option<String>,
    /// What the caller gets: the function's answer, or the error.
    pub answer: Value,
    /// Whether the caller gets an error.
    pub error: bool,
    /// From START until all have asked for the next event.
    pub duration: Duration,
    /// From the end of the runtime's work until the last extension has asked for the next event.
    pub held: Duration,
    pub billed_ms: u64,
}

/// An invocation that has begun. It goes on by itself; its timeout and its report need `wait`.
#[must_use = "an invocation is over only after `wait`"]
pub struct Running {
    lambda: Arc<Lambda>,
    pub request_id: String,
}

/// How the waiting for an invocation ended.
enum Over {
    Complete(Done, Option<Instant>),
    Failed,
    TimedOut,
}

impl Lambda {
    pub(crate) fn begin(self: &Arc<Self>, work: Work) -> Result<Running> {
        self.thaw();
        let managed = self.settings.is_managed();
        let (stage, busy) = {
            let state = self.lock();
            (state.stage, !state.invocations.is_empty())
        };
        if busy && !managed {
            bail!(
                "an invocation is running already; wait for it, or use Managed Instances for several at once"
            );
        }
        if let (Stage::Down, false) = (stage, managed) {
            // A suppressed init; if it fails, the invocation fails with its error, after START.
            if let Err(fatal) = self.init("invoke", self.settings.function_timeout) {
                self.lock().fatal = Some(fatal);
            }
        } else if stage != Stage::Up {
            bail!("the sandbox has been shut down; start another one");
        }
        let running = Running {
            lambda: self.clone(),
            request_id: Uuid::new_v4().to_string(),
        };
        let number = self.dispatch(
            &running.request_id,
            work.payload.clone().unwrap_or_else(|| json!({})),
        );
        self.tell(|| Happening::Invoked {
            number,
            request_id: running.request_id.clone(),
        });
        let is_up = self.lock().stage == Stage::Up;
        if let (Function::BuiltIn, true) = (&self.settings.function, is_up) {
            self.run(running.request_id.clone(), number, work);
        }
        Ok(running)
    }

    /// Publishes START and gives the event to the runtime and to the extensions.
    fn dispatch(&self, request_id: &str, payload: Value) -> u64 {
        let timeout = self.settings.function_timeout;
        let deadline_ms = epoch_ms(SystemTime::now() + timeout);
        let (root, parent) = (
            Uuid::new_v4().simple().to_string(),
            Uuid::new_v4().simple().to_string(),
        );
        let trace = format!(
            "Root=1-{}-{};Parent={};Sampled=1",
            &root[..8],
            &root[8..],
            &parent[..16]
        );
        let mut state = self.lock();
        state.invoked += 1;
        let number = state.invoked;
        if !self.settings.deviations.start_missing {
            let record = json!({
                "requestId": request_id,
                "version": self.settings.function_version,
                "functionArn": self.settings.function_arn(),
                "tracing": {"spanId": parent[16..], "type": "X-Amzn-Trace-Id", "value": trace},
            });
            self.platform("platform.start", record);
        }
        let event = json!({
            "eventType": "INVOKE",
            "deadlineMs": if self.settings.deviations.deadline_zero { 0 } else { deadline_ms },
            "requestId": request_id,
            "invokedFunctionArn": self.settings.function_arn(),
            "tracing": {"type": "X-Amzn-Trace-Id", "value": trace},
        });
        for agent in state
            .agents
            .iter_mut()
            .filter(|agent| agent.wants("INVOKE"))
        {
            agent.inbox = Some(AgentEvent {
                body: event.clone(),
                is_shutdown: false,
            });
        }
        state.runtime.queue.push_back(request_id.into());
        state.invocations.push(Active {
            request_id: request_id.into(),
            number,
            began: Instant::now(),
            began_at: SystemTime::now(),
            deadline: Instant::now() + timeout,
            deadline_ms,
            trace,
            payload,
            answer: None,
            done: None,
        });
        drop(state);
        self.notify();
        number
    }

    /// The built-in function.
    fn run(self: &Arc<Self>, request_id: String, number: u64, work: Work) {
        let lambda = self.clone();
        let (epoch, deadline) = {
            let mut state = self.lock();
            state.runtime.queue.retain(|queued| *queued != request_id);
            (state.epoch, Instant::now() + self.settings.function_timeout)
        };
        thread::spawn(move || {
            let context = InvocationContext {
                request_id: request_id.clone(),
                deadline,
                number,
                lambda,
            };
            let outcome = work.run(&context);
            let lambda = &context.lambda;
            let (body, error_type) = match outcome {
                Outcome::Succeeds => (json!("OK"), None),
                Outcome::Throws => (
                    json!({"errorMessage": "it throws", "errorType": "Error"}),
                    Some("Function.Unknown".into()),
                ),
                Outcome::Crashes => return lambda.runtime_ended(epoch, "exit code 1"),
                Outcome::TimesOut => return,
            };
            let mut state = lambda.lock();
            if state.epoch == epoch {
                let body = body.to_string().into_bytes();
                lambda.answered(
                    &mut state,
                    &request_id,
                    FunctionAnswer {
                        at: Instant::now(),
                        body,
                        error_type,
                    },
                );
                lambda.runtime_done(&mut state, &request_id, "success", None);
            }
            drop(state);
            lambda.notify();
        });
    }

    /// The function's answer is there. On Managed Instances that is the end of the invocation.
    pub(crate) fn answered(&self, state: &mut State, request_id: &str, answer: FunctionAnswer) {
        if let Some(active) = state.active(request_id) {
            active.answer = Some(answer.clone());
        }
        if self.settings.is_managed() {
            let status = if answer.error_type.is_some() {
                "error"
            } else {
                "success"
            };
            self.runtime_done(state, request_id, status, answer.error_type);
        }
    }

    /// The runtime's part is over: it asked for the next invocation, or will never.
    pub(crate) fn runtime_done(
        &self,
        state: &mut State,
        request_id: &str,
        status: &'static str,
        error_type: Option<String>,
    ) {
        let Some(active) = state
            .active(request_id)
            .filter(|active| active.done.is_none())
        else {
            return;
        };
        let now = Instant::now();
        active.done = Some(Done {
            at: now,
            status,
            error_type: error_type.clone(),
        });
        let duration = now - active.began;
        let mut record = json!({"requestId": request_id, "status": status});
        if let Some(error_type) = &error_type {
            record["errorType"] = error_type.as_str().into();
        }
        let answer = active.answer.as_ref();
        let produced = answer
            .filter(|answer| answer.error_type.is_none())
            .map_or(0, |answer| answer.body.len());
        record["metrics"] = json!({"durationMs": ms(duration), "producedBytes": produced});
        if let Some(answer) = answer {
            record["spans"] = spans(active.began, active.began_at, answer.at, now);
        }
        record["tracing"] = json!({"type": "X-Amzn-Trace-Id", "value": active.trace});
        self.tell(|| Happening::RuntimeDone {
            request_id: request_id.into(),
            status: status.into(),
            ms: ms(duration),
        });
        if self.settings.is_managed() {
            return;
        }
        let event = Event {
            time: SystemTime::now(),
            body: Body::Platform {
                kind: "platform.runtimeDone",
                record,
            },
        };
        match self.settings.deviations.runtime_done {
            RuntimeDone::OnTime => self.telemetry.publish(event),
            RuntimeDone::Missing => {}
            RuntimeDone::Late(delay) => self.telemetry.publish_later(event, delay),
        }
    }
}

impl Running {
    /// Waits until the invocation is over: complete, failed, or timed out. Then the sandbox freezes, if it does.
    pub fn wait(self) -> Result<Invocation> {
        let lambda = &self.lambda;
        let managed = lambda.settings.is_managed();
        let deadline = {
            let mut state = lambda.lock();
            state.active(&self.request_id).map(|active| active.deadline)
        };
        let over = lambda.wait(deadline, |state| {
            if state.fatal.is_some() || state.stage != Stage::Up {
                return Some(Over::Failed);
            }
            let done = state.active(&self.request_id)?.done.clone()?;
            let mut waited_for = state
                .agents
                .iter()
                .filter(|agent| !managed && agent.wants("INVOKE"));
            let asked = waited_for.clone().filter_map(|agent| agent.asked).max();
            waited_for
                .all(|agent| agent.is_idle())
                .then_some(Over::Complete(done, asked))
        });
        Ok(self.finish(over.unwrap_or(Over::TimedOut)))
    }

    fn finish(&self, over: Over) -> Invocation {
        let lambda = &self.lambda;
        let mut invocation = match over {
            Over::Complete(done, asked) => {
                let held = asked.map_or(Duration::ZERO, |asked| {
                    asked.saturating_duration_since(done.at)
                });
                self.report(done.status, done.error_type, done.at + held, held)
            }
            Over::TimedOut => {
                self.reset("timeout", "timeout", None);
                let message = format!(
                    "Task timed out after {:?}",
                    lambda.settings.function_timeout
                );
                self.failed("timeout", "Sandbox.Timedout".into(), message)
            }
            Over::Failed => {
                let fatal = lambda.lock().fatal.take();
                let (kind, text) = fatal
                    .map_or(("Sandbox.Failure".into(), "shut down".into()), |fatal| {
                        (fatal.error_type, fatal.message)
                    });
                let fault = format!("RequestId: {} Error: {text}\n{kind}", self.request_id);
                lambda.platform("platform.fault", fault.into());
                self.reset("failure", "error", Some(kind.clone()));
                self.failed("error", kind, text)
            }
        };
        invocation.error |= invocation.status != "success";
        lambda.lock().processes().iter().for_each(|process| {
            process.memory_peak_kb();
        });
        if lambda.settings.freezes
            && !lambda.settings.is_managed()
            && lambda.lock().stage == Stage::Up
        {
            lambda.freeze();
        }
        invocation
    }

    /// The report of an invocation that broke, and the error that its caller gets.
    fn failed(&self, status: &str, error_type: String, message: String) -> Invocation {
        let mut invocation = self.report(status, Some(error_type), Instant::now(), Duration::ZERO);
        let message = format!("RequestId: {} Error: {message}", self.request_id);
        invocation.answer = json!({"errorMessage": message, "errorType": invocation.error_type});
        invocation
    }

    /// runtimeDone, then everything is ended; the next invocation starts it again.
    fn reset(&self, reason: &str, status: &'static str, error_type: Option<String>) {
        let mut state = self.lambda.lock();
        self.lambda
            .runtime_done(&mut state, &self.request_id, status, error_type);
        let is_up = state.stage == Stage::Up;
        drop(state);
        if is_up {
            self.lambda.tell(|| Happening::Reset {
                reason: reason.into(),
            });
            self.lambda.end_environment(reason);
        }
    }

    fn report(
        &self,
        status: &str,
        error_type: Option<String>,
        ended: Instant,
        held: Duration,
    ) -> Invocation {
        let lambda = &self.lambda;
        let mut state = lambda.lock();
        let at = state
            .invocations
            .iter()
            .position(|active| active.request_id == self.request_id);
        let active = state
            .invocations
            .remove(at.expect("it is active until its report"));
        let duration = ended.saturating_duration_since(active.began);
        let init = state.init_unbilled.take();
        let billed_ms = (duration + init.unwrap_or_default()).as_secs_f64() * 1e3;
        let billed_ms = billed_ms.ceil() as u64;
        let memory_kb: u64 = state
            .processes()
            .iter()
            .filter_map(|process| process.memory_kb())
            .sum();
        let mut record = json!({"requestId": self.request_id, "status": status});
        if let Some(error_type) = &error_type {
            record["errorType"] = error_type.as_str().into();
        }
        let managed = lambda.settings.is_managed();
        record["metrics"] = match managed {
            true => json!({"durationMs": ms(duration)}),
            false => json!({"durationMs": ms(duration), "billedDurationMs": billed_ms,
                "memorySizeMB": lambda.settings.memory_mb, "maxMemoryUsedMB": memory_kb.div_ceil(1024).max(1)}),
        };
        if let (Some(init), false) = (init, managed) {
            record["metrics"]["initDurationMs"] = ms(init).into();
        }
        if let (Some(done), false) = (&active.done, managed) {
            let start = active.began_at + (done.at - active.began);
            record["spans"] = json!([span("extensionOverhead", start, held)]);
        } else if let Some(answer) = &active.answer {
            let mut spans = spans(active.began, active.began_at, answer.at, answer.at);
            spans.as_array_mut().map(|spans| spans.pop());
            record["spans"] = spans;
        }
        record["tracing"] = json!({"type": "X-Amzn-Trace-Id", "value": active.trace});
        lambda.platform("platform.end", json!({"requestId": self.request_id}));
        if !lambda.settings.deviations.report_missing {
            lambda.platform("platform.report", record);
        }
        drop(state);
        let (number, shown) = (active.number, status.to_string());
        lambda.tell(|| Happening::InvocationDone {
            number,
            status: shown,
            held_ms: ms(held),
            billed_ms,
        });
        let answer = active.answer.as_ref();
        Invocation {
            request_id: self.request_id.clone(),
            status: status.into(),
            error: error_type.is_some() || answer.is_some_and(|answer| answer.error_type.is_some()),
            answer: answer.map_or(Value::Null, |answer| {
                let text = || Value::String(String::from_utf8_lossy(&answer.body).into_owned());
                serde_json::from_slice(&answer.body).unwrap_or_else(|_| text())
            }),
            error_type,
            duration,
            held,
            billed_ms,
        }
    }
}

pub(crate) fn epoch_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis() as u64
}

fn span(name: &str, start: SystemTime, duration: Duration) -> Value {
    json!({"name": name, "start": humantime::format_rfc3339_millis(start).to_string(), "durationMs": ms(duration)})
}

fn spans(began: Instant, began_at: SystemTime, answered: Instant, done: Instant) -> Value {
    let latency = answered - began;
    json!([
        span("responseLatency", began_at, latency),
        span("responseDuration", began_at + latency, Duration::ZERO),
        span(
            "runtimeOverhead",
            began_at + latency,
            done.saturating_duration_since(answered)
        ),
    ])
}
