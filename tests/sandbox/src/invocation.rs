//! An invocation from START to the end of the runtime's part.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::deviation::RuntimeDone;
use crate::function::{Function, InvocationContext, Outcome, Work};
use crate::lambda::Lambda;
use crate::report::Running;
use crate::state::{Active, AgentEvent, Done, FunctionAnswer, Stage, State};
use crate::telemetry::{Body, Event};
use crate::watch::{Happening, ms};

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
                epoch,
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

pub(crate) fn epoch_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_millis() as u64
}

pub(crate) fn span(name: &str, start: SystemTime, duration: Duration) -> Value {
    json!({"name": name, "start": humantime::format_rfc3339_millis(start).to_string(), "durationMs": ms(duration)})
}

pub(crate) fn spans(
    began: Instant,
    began_at: SystemTime,
    answered: Instant,
    done: Instant,
) -> Value {
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
