//! The end of an environment: runtime first, then SHUTDOWN to the extensions, then SIGKILL.

use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;

use crate::invocation::epoch_ms;
use crate::lambda::Lambda;
use crate::lateness::lateness;
use crate::process::{Output, Process, end_words};
use crate::state::{AgentEvent, AgentState, Party, Stage};
use crate::watch::{Happening, ms};

/// How an extension ended, and what it cost.
#[derive(Clone, Debug)]
pub struct Exit {
    pub name: String,
    pub status: ExitStatus,
    /// From the moment SHUTDOWN was there for it until the process was gone.
    pub took: Duration,
    /// It did not exit within the budget (or was not subscribed to SHUTDOWN), and got SIGKILL.
    pub killed: bool,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
    /// User and system time of its whole life.
    pub cpu: Duration,
    /// The highest VmHWM seen; looked at after each invocation and every 2 ms during SHUTDOWN.
    pub memory_peak_kb: u64,
}

/// Longest wait for the last output of a function that was killed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// The last line that a process has written, standard error first, once all of its output is read.
fn last_words(process: &Process) -> Option<String> {
    process.wait_ended(LAST_WORDS);
    let outputs = [Output::Stderr, Output::Stdout];
    outputs
        .into_iter()
        .find_map(|output| process.lines(output).pop())
}

impl Lambda {
    /// Ends everything with this reason and says how each extension ended.
    pub(crate) fn end_environment(&self, reason: &str) -> Vec<Exit> {
        self.thaw();
        let (runtime, has_agents) = {
            let mut state = self.lock();
            state.stage = Stage::ShuttingDown;
            (state.runtime.process.clone(), !state.agents.is_empty())
        };
        self.notify();
        if self.settings.is_managed() {
            self.telemetry.flush();
            self.telemetry.drain(Duration::from_secs(1));
        }
        let begin = Instant::now();
        let budget = self.settings.shutdown_budget;
        let deadline_ms = epoch_ms(SystemTime::now() + budget);
        if let Some(runtime) = &runtime {
            if has_agents {
                runtime.signal(libc::SIGTERM);
                runtime.wait_ended(budget.mul_f64(0.3));
            }
            runtime.signal(libc::SIGKILL);
        }
        let sent = Instant::now();
        self.send_shutdown(reason, deadline_ms);
        self.await_exits(begin + budget);
        let exits = self.collect_exits(sent);
        let function_words = runtime.and_then(|runtime| last_words(&runtime));
        self.telemetry.pause();
        let mut state = self.lock();
        state.epoch += 1;
        if state.stage != Stage::Closed {
            state.stage = Stage::Down;
        }
        state.last_exits = exits.clone();
        state.function_words = function_words;
        state.agents.clear();
        state.runtime = Default::default();
        drop(state);
        self.notify();
        exits
    }

    /// What the one that has failed wrote last before the environment ended.
    pub(crate) fn last_words(&self, of: Party) -> String {
        let state = self.lock();
        let (who, words) = match of {
            Party::Function => ("the function", state.function_words.clone()),
            Party::Extension => {
                let mut exits = state.last_exits.iter();
                let failed = exits.find(|exit| !exit.status.success());
                let failed = failed.or(state.last_exits.first());
                let words = failed.and_then(|exit| exit.stderr.last().or(exit.stdout.last()));
                ("the extension", words.cloned())
            }
        };
        match words {
            Some(words) => format!("{who}'s last words: {words}"),
            None => format!("{who} wrote nothing"),
        }
    }

    fn send_shutdown(&self, reason: &str, deadline_ms: u64) {
        let upper = self.settings.deviations.upper_case_reason;
        let reason = if upper {
            reason.to_uppercase()
        } else {
            reason.to_lowercase()
        };
        let body =
            json!({"eventType": "SHUTDOWN", "deadlineMs": deadline_ms, "shutdownReason": reason});
        let mut state = self.lock();
        for agent in &mut state.agents {
            let Some(process) = &agent.process else {
                continue;
            };
            process.memory_peak_kb();
            let listens = matches!(
                agent.state,
                AgentState::Registered | AgentState::Ready | AgentState::Running
            );
            if listens && agent.wants("SHUTDOWN") {
                agent.inbox = Some(AgentEvent {
                    body: body.clone(),
                    is_shutdown: true,
                });
            } else {
                process.signal(libc::SIGKILL);
            }
        }
        drop(state);
        self.tell(|| Happening::ShutdownSent { reason });
        self.notify();
    }

    fn await_exits(&self, deadline: Instant) {
        let processes = self.lock().processes();
        while processes.iter().any(|process| process.ended().is_none()) {
            // A process that had no turn on this machine is not to blame.
            if Instant::now() >= deadline + lateness() * 2 {
                break;
            }
            processes.iter().for_each(|process| {
                process.memory_peak_kb();
            });
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn collect_exits(&self, sent: Instant) -> Vec<Exit> {
        let agents: Vec<_> = {
            let state = self.lock();
            let external = state
                .agents
                .iter()
                .filter_map(|agent| Some((agent.name.clone(), agent.process.clone()?)));
            external.collect()
        };
        let mut exits = Vec::new();
        for (name, process) in agents {
            let killed = process.ended().is_none();
            process.signal(libc::SIGKILL);
            let Some(ended) = process.wait_ended(Duration::from_secs(5)) else {
                continue;
            };
            let took = ended.at.saturating_duration_since(sent);
            self.tell(|| {
                let how = if killed {
                    "killed at the deadline".into()
                } else {
                    end_words(ended.status)
                };
                Happening::Exited {
                    name: name.clone(),
                    how,
                    after_ms: ms(took),
                }
            });
            exits.push(Exit {
                name,
                status: ended.status,
                took,
                killed: killed
                    || std::os::unix::process::ExitStatusExt::signal(&ended.status)
                        == Some(libc::SIGKILL),
                stdout: process.lines(Output::Stdout),
                stderr: process.lines(Output::Stderr),
                cpu: ended.cpu,
                memory_peak_kb: process.memory_peak_kb(),
            });
        }
        exits
    }
}
