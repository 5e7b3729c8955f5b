//! The life of the extension, step by step, as `main` lists it.

mod subscribe;

use std::sync::Mutex;

use crate::config::{self, Config};
use crate::format::resource::Resource;
use crate::lambda::api_address::ApiAddress;
use crate::lambda::lifecycle::{Action, Policy};
use crate::lambda::message;
use crate::lambda::message::Messages;
use crate::lambda::runtime_api::{RuntimeApi, heads};
use crate::lambda::said::{self, Said};
use crate::limits::{REGISTER_RETRY_MS, REGISTER_TRY_MS_MAX, record_bytes_max};
use crate::metric::own::SelfMetrics;
use crate::metric::table::Table;
use crate::output::exporter::Exporter;
use crate::queue::ring::Ring;
use crate::queue::route::{LOGS, METRICS, RouteId};
use crate::reactor::{Reactor, Shared, lock};
use crate::record::encoder::Encoder;
use crate::source::event::Reader;
use crate::source::intake::Intake;
use crate::sys::{self, survival};

pub use subscribe::{Subscription, subscribe};

/// What register has told, and the connection it was told on.
// In this order as few bytes as possible are spent on reaching them.
#[repr(C)]
pub struct Registration {
    pub identifier: Vec<u8>,
    /// INVOKE was refused (Managed Instances).
    shutdown_only: bool,
    /// When the process began, nearly.
    began_us: u64,
    /// What has been said so far counts.
    messages: Messages,
    pub api: RuntimeApi,
    said: Said,
}

/// Registers under the file's name (Extensions API). A failure is repeated for a second; then the sandbox is unusable
/// whatever we do, and `None` comes with one line on stderr.
pub fn register(address: ApiAddress, name: &[u8]) -> Option<Registration> {
    let began_us = sys::microseconds();
    let mut api = RuntimeApi::new(address);
    loop {
        let mut shutdown_only = false;
        let mut answer = api.exchange(
            heads::REGISTER,
            name,
            b"{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}",
            None,
        );
        if answer.as_ref().is_some_and(|answer| answer.status == 403) {
            shutdown_only = true;
            answer = api.exchange(heads::REGISTER, name, b"{\"events\":[\"SHUTDOWN\"]}", None);
        }
        let mut body = Vec::new();
        if let Some(answer) = answer {
            if answer.status == 200 {
                api.registered(&answer.identifier);
                survival::crash_if("registered");
                return Some(Registration {
                    api,
                    identifier: answer.identifier,
                    shutdown_only,
                    said: said::read(&answer.body),
                    began_us,
                    messages: Messages::default(),
                });
            }
            body = answer.body;
        }
        if sys::microseconds() - began_us >= REGISTER_TRY_MS_MAX * 1000 {
            message::line(&[b"Lambda has refused to register this extension: ", &body]);
            // The process ends.
            core::mem::forget(api);
            return None;
        }
        sys::wait(&mut [], Some(REGISTER_RETRY_MS));
    }
}

/// Reads the configuration from the environment; warnings go to stderr.
pub fn configure(registration: &mut Registration) -> (Config, Resource) {
    let mut resource = Resource::default();
    let messages = &mut registration.messages;
    let mut warn = |parts: &[&[u8]]| messages.say(parts);
    let config = config::read(&mut sys::environment(), &mut warn, &mut resource);
    let account = registration.said.account_id.as_deref();
    resource.set(b"cloud.account.id", account.unwrap_or_default().as_bytes());
    (config, resource)
}

/// Puts the parts together.
pub fn assemble(
    registration: Registration,
    config: &mut Config,
    resource: Resource,
    subscription: Subscription,
) -> (Shared, Exporter) {
    let encoder = Encoder::new(
        *LOGS.of(&config.formats),
        record_bytes_max(config.ring_bytes),
    );
    let is_concurrent = config.is_concurrent || registration.shutdown_only;
    let reader = Reader::new(config.filter, encoder, is_concurrent, config.is_coldstart);
    // A dormant extension has no use for a ring, and no route.
    let ring_bytes = if subscription.telemetry.is_some() {
        config.ring_bytes
    } else {
        0
    };
    let exporter = Exporter::new(config, registration.identifier, ring_bytes == 0);
    let has_metrics = exporter.has(METRICS);
    let metrics = has_metrics.then(|| Table::new(config.temporality));
    let intake = Intake::new(
        Ring::new(ring_bytes),
        reader,
        resource,
        exporter.has(LOGS),
        metrics,
        *METRICS.of(&config.formats),
    );
    let policy = Policy {
        flush: config.flush,
        budget_ms: config.flush_budget_ms,
        interval_ms: config.flush_interval_ms,
        buffering_ms: config.buffering.ms,
        subscribed: subscription.is_accepted,
        shutdown_only: registration.shutdown_only,
    };
    let own = (has_metrics && config.self_metrics).then(|| SelfMetrics::new(registration.began_us));
    let mut reactor = Reactor::new(
        registration.api,
        subscription.telemetry,
        intake,
        policy,
        own,
        registration.messages,
    );
    for route in RouteId::all() {
        route.of_mut(&mut reactor.routes).is_open = exporter.has(route);
    }
    if has_metrics {
        reactor.statsd_port = config.statsd_port;
    }
    (Box::leak(Box::new(Mutex::new(reactor))), exporter)
}

/// Asks for events and does what they bring, until SHUTDOWN or until the sandbox is gone.
pub fn run(shared: Shared, exporter: &mut Exporter) {
    let mut reactor = lock(shared);
    reactor.ask_first_next();
    reactor.initialized();
    // The start does not wait for it: each name is compared with all that are known.
    let messages = &mut reactor.messages;
    config::warn_of_unknown(&mut sys::environment(), &mut |parts| messages.say(parts));
    survival::crash_if("initialized");
    drop(reactor);
    loop {
        let mut reactor = lock(shared);
        match reactor.decide() {
            Action::Exit => return,
            Action::Wait { until } => {
                reactor.turn(None, until);
            }
            Action::Post => {
                drop(reactor);
                exporter.post(shared);
            }
            // Asked by `decide` itself.
            Action::Next => {}
        }
    }
}

/// Writes the counters line. The exit status: 1 if the sandbox was gone before SHUTDOWN came.
pub fn conclude(shared: Shared) -> u8 {
    survival::crash_if("conclude");
    let mut reactor = lock(shared);
    let is_gone = reactor.is_gone();
    reactor.count_dropped_datagrams();
    reactor.intake.abandon_all();
    let (ledger, ring) = (&reactor.intake.ledger, &reactor.intake.ring);
    debug_assert!(
        ledger.is_balanced(ring),
        "the accounts do not agree: {ledger:?}"
    );
    let mut counters = Vec::with_capacity(512);
    ledger.push_line(&mut counters, ring);
    let reason = reactor.runtime_api.said.shutdown_reason.as_deref();
    let reason = reason.unwrap_or(if is_gone { "gone" } else { "unknown" });
    message::line(&[b"exit reason=", reason.as_bytes(), &counters]);
    u8::from(is_gone)
}
