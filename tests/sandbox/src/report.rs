//! An invocation from the end of the runtime's part to REPORT, or to the reset.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use crate::invocation::{span, spans};
use crate::lambda::Lambda;
use crate::state::{Done, Stage};
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
    pub(crate) lambda: Arc<Lambda>,
    pub request_id: String,
}

/// How the waiting for an invocation ended.
enum Over {
    Complete(Done, Option<Instant>),
    Failed,
    TimedOut,
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
