//! The function beside the extension: a command that is a real runtime, or work done in this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lambda::Lambda;

/// What is run as the function.
#[derive(Clone, Debug, Default)]
pub enum Function {
    /// Each invocation brings its own `Work`; nothing needs installing.
    #[default]
    BuiltIn,
    /// A runtime, run by `sh -c`, such as `python3 -m awslambdaric app.handler`.
    Command(String),
}

/// How the built-in function's invocation ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Outcome {
    #[default]
    Succeeds,
    /// The handler throws, and the runtime reports it in good order.
    Throws,
    /// The runtime process exits.
    Crashes,
    /// Nothing is heard of it any more.
    TimesOut,
}

type Script = Box<dyn FnOnce(&InvocationContext) -> Outcome + Send>;

/// One invocation: its payload, and what the built-in function does in it.
#[derive(Default)]
pub struct Work {
    pub(crate) payload: Option<Value>,
    lines: Vec<String>,
    takes: Duration,
    outcome: Outcome,
    script: Option<Script>,
}

impl Work {
    /// Writes these lines, and succeeds.
    pub fn lines<L: Into<String>>(lines: impl IntoIterator<Item = L>) -> Work {
        Work {
            lines: lines.into_iter().map(Into::into).collect(),
            ..Work::default()
        }
    }

    /// Writes nothing.
    pub fn quiet() -> Work {
        Work::default()
    }

    /// Does what a closure does, through the context it is given; then lines and outcome as usual.
    pub fn script(script: impl FnOnce(&InvocationContext) -> Outcome + Send + 'static) -> Work {
        Work {
            script: Some(Box::new(script)),
            ..Work::default()
        }
    }

    /// Sleeps so long after its lines.
    pub fn takes(mut self, duration: Duration) -> Work {
        self.takes = duration;
        self
    }

    pub fn takes_ms(self, duration_ms: u64) -> Work {
        self.takes(Duration::from_millis(duration_ms))
    }

    pub fn ends(mut self, outcome: Outcome) -> Work {
        self.outcome = outcome;
        self
    }

    pub fn throws(self) -> Work {
        self.ends(Outcome::Throws)
    }

    pub fn crashes(self) -> Work {
        self.ends(Outcome::Crashes)
    }

    pub fn times_out(self) -> Work {
        self.ends(Outcome::TimesOut)
    }

    /// What the caller sends; a command sees it as the event.
    pub fn payload(mut self, payload: Value) -> Work {
        self.payload = Some(payload);
        self
    }

    pub(crate) fn run(self, context: &InvocationContext) -> Outcome {
        let scripted = self
            .script
            .map_or(Outcome::Succeeds, |script| script(context));
        self.lines.iter().for_each(|line| context.write(line));
        context.sleep(self.takes);
        if self.outcome == Outcome::Succeeds {
            scripted
        } else {
            self.outcome
        }
    }
}

impl From<&[&str]> for Work {
    fn from(lines: &[&str]) -> Work {
        Work::lines(lines.iter().copied())
    }
}

impl<const N: usize> From<[&str; N]> for Work {
    fn from(lines: [&str; N]) -> Work {
        Work::lines(lines)
    }
}

impl From<Vec<String>> for Work {
    fn from(lines: Vec<String>) -> Work {
        Work::lines(lines)
    }
}

/// What the built-in function can see and do in an invocation.
pub struct InvocationContext {
    pub request_id: String,
    /// When the invocation times out.
    pub deadline: Instant,
    /// Counted from 1.
    pub number: u64,
    pub(crate) lambda: Arc<Lambda>,
    /// The environment that it belongs to: when that has ended, so has the function, and it writes no more.
    pub(crate) epoch: u64,
}

impl InvocationContext {
    /// Writes to standard output: each line of the text becomes one telemetry event. Waits while the
    /// extension is slow.
    pub fn write(&self, text: &str) {
        self.lambda.telemetry.gate.wait_awake();
        for line in text.trim_end_matches('\n').split('\n') {
            self.wrote(line);
        }
    }

    /// Writes a log frame, as managed runtimes do: one event, however many lines it has.
    pub fn write_frame(&self, text: &str) {
        self.lambda.telemetry.gate.wait_awake();
        self.wrote(text);
    }

    fn wrote(&self, line: &str) {
        if self.lambda.lock().epoch == self.epoch {
            self.lambda.function_wrote(line, Some(&self.request_id));
        }
    }

    /// Sleeps so long, not counting the time frozen.
    pub fn sleep(&self, duration: Duration) {
        self.lambda.telemetry.gate.sleep(duration);
    }

    /// Waits until the extension has taken all telemetry so far; says whether it was in time.
    pub fn drain(&self, timeout: Duration) -> bool {
        self.lambda.telemetry.drain(timeout)
    }
}
