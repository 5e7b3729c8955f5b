//! What the lifecycle is told, and what it says.

use crate::clock::{Mono, Wall};
use crate::lambda::request_id::RequestId;

/// When next is held for a flush (`KINGLET_FLUSH`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flush {
    /// At INVOKE, beside the running function; never after it.
    Start,
    /// After `platform.runtimeDone`.
    End,
    /// As `Start`; as `End` too in the first invocation and after a long idle time.
    Adaptive,
}

/// What does not change while the sandbox lives.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub flush: Flush,
    /// Bound on holding next.
    pub budget_ms: u64,
    /// Age of the oldest record at which a flush is due.
    pub interval_ms: u64,
    /// So long Lambda may keep an event back until others have come.
    pub buffering_ms: u64,
    /// A subscription was accepted: telemetry may come.
    pub subscribed: bool,
    /// Registered for SHUTDOWN alone (Managed Instances): nothing is ever frozen, nothing is ever held.
    pub shutdown_only: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// Time has passed, or what is [`Seen`] has changed.
    Turn,
    /// The answer to next: an invocation. A deadline that is unknown is `None`.
    Invoke {
        id: RequestId,
        deadline: Option<Mono>,
    },
    /// The answer to next: the end. A deadline that is unknown is `None`.
    Shutdown { deadline: Option<Mono> },
    /// Any telemetry event.
    Received,
    /// `platform.start`.
    Started(RequestId),
    /// `platform.runtimeDone`, and when that was by its own account.
    Done {
        id: RequestId,
        success: bool,
        at: Wall,
    },
    /// `platform.report`.
    Reported(RequestId),
    /// The POST has ended.
    PostEnded {
        /// The collector answered, or the batch can be sent again at once, or in SHUTDOWN another route can still be tried.
        /// Otherwise the breaker has opened.
        answered: bool,
    },
}

/// The breaker of the collector.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BreakerState {
    Closed,
    /// Open, but its pause is over: one batch may try.
    HalfOpen,
    Open {
        until: Wall,
    },
}

/// What `step` must know of the ring and the exporter, as it is now: of the route whose turn it is.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// There is something to send.
    pub pending: bool,
    /// There is little room left for more of it.
    pub high_water: bool,
    /// Receipt of the oldest unsettled record, or the time of the first measurement.
    pub oldest: Option<Wall>,
    pub breaker: BreakerState,
    /// The stream tells that the last `runtimeDone` that should have come has not.
    pub is_done_missing: bool,
    /// Telemetry was left unread for want of room, and what has happened since then may not be seen yet.
    pub unread_since: Option<Mono>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Ask for the next event.
    Next,
    /// Send one batch.
    Post,
    /// Nothing to do before this moment unless something is observed.
    Wait { until: Option<Mono> },
    /// Everything is done: leave.
    Exit,
}
