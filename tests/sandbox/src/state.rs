//! What the sandbox knows about its environment, behind one lock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use uuid::Uuid;

use crate::process::Process;
use crate::shutdown::Exit;

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
    /// The last line that the function's process of the last environment has written, if it was a process.
    pub(crate) function_words: Option<String>,
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
    pub(crate) of: Party,
}

/// Whose failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Function,
    Extension,
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
    pub(crate) fn fail(&mut self, of: Party, error_type: &str, message: String) {
        self.fatal.get_or_insert(Fatal {
            error_type: error_type.into(),
            message,
            of,
        });
    }
}
