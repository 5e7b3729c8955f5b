//! Where this Lambda differs from the ordinary one: each field is one thing that emulators, old or
//! broken platforms, or unlucky timing do.

use std::time::Duration;

use crate::telemetry::Wire;

#[derive(Clone, Debug, Default)]
pub struct Deviations {
    pub subscribe: Subscribe,
    /// How deliveries look on the wire.
    pub wire: Wire,
    /// Every batch is delivered twice.
    pub duplicate_delivery: bool,
    /// Batches may be twice `maxBytes`, as the documentation allows.
    pub double_batches: bool,
    pub runtime_done: RuntimeDone,
    /// No `platform.report`.
    pub report_missing: bool,
    /// No `platform.start`.
    pub start_missing: bool,
    /// `SPINDOWN` in place of `spindown`.
    pub upper_case_reason: bool,
    /// `deadlineMs` of INVOKE is 0.
    pub deadline_zero: bool,
    /// `AWS_LAMBDA_RUNTIME_API` is `http://host:port` with this path after it, such as `/.rt`.
    pub api_path: Option<String>,
    /// The extension's first calls of next are answered with 500.
    pub next_fails: u32,
    /// After `next_fails`: the connection of the extension's first calls of next is closed without an answer.
    pub next_drops: u32,
    /// register is answered with 503 for this long after the launch.
    pub register_fails_for: Duration,
    /// Answers of the Runtime and Extensions APIs come chunked.
    pub chunked_answers: bool,
    /// Extensions are switched off: 404 to every call of theirs.
    pub extensions_off: bool,
    /// Lines for which more than this many bytes would wait are dropped at once, with a `logsDropped`.
    /// Without it, lines wait (as on a pipe) while the extension is slow.
    pub drop_beyond_bytes: Option<usize>,
    /// Records of lines keep the newline at their end, as managed runtimes leave it.
    pub trailing_newline: bool,
}

/// What subscribe answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subscribe {
    #[default]
    Accept,
    /// 202, as the Runtime Interface Emulator and `sam local` do.
    NotSupported,
    /// 404, as old emulators do.
    NotFound,
    /// 400 for schema 2025-01-29.
    RefuseNewest,
    /// 400 for every schema of the Telemetry API; the Logs API works.
    RefuseTelemetry,
    /// 404 for the Telemetry API; the Logs API works.
    LogsOnly,
    /// 200, and nothing is ever delivered.
    Mute,
    /// 200 after this long.
    Slow(Duration),
    /// 500.
    Fail,
}

/// When `platform.runtimeDone` is generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RuntimeDone {
    #[default]
    OnTime,
    Late(Duration),
    Missing,
}
