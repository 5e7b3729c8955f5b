//! What happens in a sandbox, told as it happens.

use std::time::Duration;

use serde::Serialize;

/// One thing that happened. Durations are in milliseconds.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "happening", rename_all = "snake_case")]
pub enum Happening {
    /// The extension was launched.
    Launched {
        name: String,
    },
    Registered {
        name: String,
        events: Vec<String>,
        after_ms: f64,
    },
    Subscribed {
        name: String,
        api: &'static str,
        schema: String,
        types: Vec<String>,
    },
    SubscribeRefused {
        name: String,
        status: u16,
    },
    InitDone {
        status: String,
        ms: f64,
    },
    Invoked {
        number: u64,
        request_id: String,
    },
    FunctionLine {
        line: String,
    },
    ExtensionLine {
        line: String,
    },
    RuntimeDone {
        request_id: String,
        status: String,
        ms: f64,
    },
    InvocationDone {
        number: u64,
        status: String,
        held_ms: f64,
        billed_ms: u64,
    },
    Frozen,
    Thawed,
    Reset {
        reason: String,
    },
    ShutdownSent {
        reason: String,
    },
    Exited {
        name: String,
        how: String,
        after_ms: f64,
    },
}

pub(crate) fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
