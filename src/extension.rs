//! The life of the extension, step by step, as `main` lists it.

use std::sync::Mutex;

use crate::config::{self, Buffering, Config};
use crate::event::{Filter, Reader};
use crate::exporter::Exporter;
use crate::intake::Intake;
use crate::lifecycle::{Action, Policy};
use crate::limits::{
    LOGS_API_BUFFERING_MS_MIN, REGISTER_RETRY_MS, REGISTER_TRY_MS_MAX, SUBSCRIBE_MS_MAX,
    record_bytes_max,
};
use crate::reactor::{Reactor, Shared, lock};
use crate::record::Writer;
use crate::resource::Resource;
use crate::ring::Ring;
use crate::runtime_api::{self, Answer, Endpoint, RuntimeApi, Said};
use crate::telemetry::Telemetry;
use crate::{decimal, message, sys};

/// What register has told, and the connection it was told on.
pub struct Registration {
    pub api: RuntimeApi,
    pub identifier: Vec<u8>,
    /// INVOKE was refused (Managed Instances).
    shutdown_only: bool,
    said: Said,
}

const IDENTIFIER: &[u8] = b"Lambda-Extension-Identifier";

/// Registers under the file's name (Extensions API). A failure is repeated for a second; then the sandbox is unusable
/// whatever we do, and `None` comes with one line on stderr.
pub fn register(endpoint: Endpoint, name: &[u8]) -> Option<Registration> {
    let mut api = RuntimeApi::new(endpoint);
    let began = sys::clocks().mono;
    loop {
        let mut shutdown_only = false;
        let mut answer = ask_to_register(&mut api, name, b"{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}");
        if answer.as_ref().is_some_and(|answer| answer.status == 403) {
            shutdown_only = true;
            answer = ask_to_register(&mut api, name, b"{\"events\":[\"SHUTDOWN\"]}");
        }
        if let Some(answer) = answer.as_ref().filter(|answer| answer.status == 200) {
            api.registered(&answer.identifier);
            return Some(Registration {
                api,
                identifier: answer.identifier.clone(),
                shutdown_only,
                said: runtime_api::said(&answer.body),
            });
        }
        if sys::clocks().mono.since(began) >= REGISTER_TRY_MS_MAX {
            let body = answer.map(|answer| answer.body).unwrap_or_default();
            message::line(&[b"Lambda has refused to register this extension: ", &body]);
            return None;
        }
        sys::wait(&mut [], Some(REGISTER_RETRY_MS));
    }
}

fn ask_to_register(api: &mut RuntimeApi, name: &[u8], events: &[u8]) -> Option<Answer> {
    let headers: [(&[u8], &[u8]); 2] = [
        (b"Lambda-Extension-Name", name),
        (b"Lambda-Extension-Accept-Feature", b"accountId"),
    ];
    api.exchange(
        b"POST /2020-01-01/extension/register",
        &headers,
        events,
        None,
    )
}

/// Reads the configuration from the environment; warnings go to stderr.
pub fn configure(registration: &Registration) -> (Config, Resource) {
    let mut resource = Resource::default();
    let config = config::read(
        &sys::variable,
        &mut |parts| message::line(parts),
        &mut resource,
    );
    let account = registration.said.account_id.as_deref();
    resource.set(b"cloud.account.id", account.unwrap_or_default().as_bytes());
    (config, resource)
}

/// The telemetry listener, and whether Lambda has agreed to send to it.
pub struct Subscription {
    telemetry: Option<Telemetry>,
    is_accepted: bool,
}

/// Listens and subscribes, unless there is nowhere to send to. First the Telemetry API with the newest schema of its
/// events, then with an older one, then the Logs API; an emulator that has none of them leaves a quiet extension.
pub fn subscribe(registration: &mut Registration, config: &Config) -> Subscription {
    let nothing = Subscription {
        telemetry: None,
        is_accepted: false,
    };
    if config.logs_url.is_none() {
        return nothing;
    }
    let Ok(telemetry) = Telemetry::bind(config.port, record_bytes_max(config.ring_bytes)) else {
        message::line(&[b"no port could be bound for telemetry: nothing is recorded"]);
        return nothing;
    };
    let headers = [(IDENTIFIER, registration.identifier.as_slice())];
    let mut status = 400;
    for (schema, path, is_logs_api) in [
        ("2025-01-29", b"PUT /2022-07-01/telemetry".as_slice(), false),
        ("2022-12-13", b"PUT /2022-07-01/telemetry", false),
        ("2021-03-18", b"PUT /2020-08-15/logs", true),
    ] {
        // The Logs API is worth a try where there is no Telemetry API; another schema only where the schema is at fault.
        if !(status == 400 || (is_logs_api && matches!(status, 202 | 404))) {
            continue;
        }
        let body = subscription(
            schema,
            is_logs_api,
            &telemetry,
            config.buffering,
            config.filter,
        );
        let answer = registration
            .api
            .exchange(path, &headers, &body, Some(SUBSCRIBE_MS_MAX));
        status = answer.map_or(0, |answer| answer.status);
        if status == 200 {
            return Subscription {
                telemetry: Some(telemetry),
                is_accepted: true,
            };
        }
    }
    if status == 0 {
        // It may have been understood all the same.
        return Subscription {
            telemetry: Some(telemetry),
            is_accepted: false,
        };
    }
    let mut code = Vec::new();
    decimal::push(&mut code, u64::from(status));
    message::line(&[
        b"this sandbox offers no telemetry (",
        &code,
        b"): nothing is recorded",
    ]);
    nothing
}

/// The body of a subscribe request.
fn subscription(
    schema: &str,
    is_logs_api: bool,
    telemetry: &Telemetry,
    buffering: Buffering,
    filter: Filter,
) -> Vec<u8> {
    let ms = if is_logs_api {
        buffering.ms.max(u64::from(LOGS_API_BUFFERING_MS_MIN))
    } else {
        buffering.ms
    };
    let mut body = Vec::with_capacity(320);
    let extension: &[u8] = if filter.extension {
        b",\"extension\""
    } else {
        b""
    };
    let function: &[u8] = if filter.function {
        b",\"function\""
    } else {
        b""
    };
    for part in [
        b"{\"schemaVersion\":\"",
        schema.as_bytes(),
        b"\",\"types\":[\"platform\"",
        function,
        extension,
        b"],\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:",
    ] {
        body.extend_from_slice(part);
    }
    decimal::push(&mut body, u64::from(telemetry.port()));
    for (name, value) in [
        (
            b"\"},\"buffering\":{\"maxItems\":".as_slice(),
            buffering.items,
        ),
        (b",\"maxBytes\":", buffering.bytes),
        (b",\"timeoutMs\":", ms),
    ] {
        body.extend_from_slice(name);
        decimal::push(&mut body, value);
    }
    body.extend_from_slice(b"}}");
    body
}

/// Puts the parts together. No exporter: dormant.
pub fn assemble(
    registration: Registration,
    config: &Config,
    resource: Resource,
    subscription: Subscription,
) -> (Shared, Option<Exporter>) {
    let writer = Writer::new(record_bytes_max(config.ring_bytes));
    let is_concurrent = config.is_concurrent || registration.shutdown_only;
    let reader = Reader::new(config.filter, writer, is_concurrent, config.is_coldstart);
    // A dormant extension has no use for a ring.
    let ring_bytes = if subscription.telemetry.is_some() {
        config.ring_bytes
    } else {
        0
    };
    let intake = Intake::new(Ring::new(ring_bytes), reader, resource);
    let policy = Policy {
        flush: config.flush,
        budget_ms: config.flush_budget_ms,
        interval_ms: config.flush_interval_ms,
        subscribed: subscription.is_accepted,
        shutdown_only: registration.shutdown_only,
    };
    let url = config.logs_url.as_deref();
    let exporter = url.and_then(|url| Exporter::new(url, config, registration.identifier));
    let mut reactor = Reactor::new(registration.api, intake, policy);
    reactor.telemetry = subscription.telemetry;
    (Box::leak(Box::new(Mutex::new(reactor))), exporter)
}

/// Asks for events and does what they bring, until SHUTDOWN or until the sandbox is gone.
pub fn run(shared: Shared, exporter: &mut Option<Exporter>) {
    let mut is_survivor = false;
    loop {
        let mut reactor = lock(shared);
        let action = reactor.decide();
        if !is_survivor {
            reactor.runtime_api.install_survival();
            is_survivor = true;
        }
        match action {
            Action::Exit => return,
            Action::Wait { until } => {
                reactor.turn(None, until);
            }
            Action::Post => {
                drop(reactor);
                match exporter {
                    Some(exporter) => exporter.post(shared),
                    None => lock(shared).post_ended(false),
                }
            }
            // Asked by `decide` itself.
            Action::Next => {}
        }
    }
}

/// Writes the counters line. The exit status: 1 if the sandbox was gone before SHUTDOWN came.
pub fn conclude(shared: Shared) -> u8 {
    let mut reactor = lock(shared);
    let is_gone = reactor.is_gone();
    let resident = reactor.intake.ring.resident_events();
    let ledger = &mut reactor.intake.ledger;
    ledger.abandoned += resident;
    debug_assert!(
        ledger.is_balanced(0),
        "the accounts do not agree: {ledger:?}"
    );
    let mut counters = Vec::with_capacity(256);
    ledger.push_line(&mut counters, 0);
    let reason = reactor.runtime_api.shutdown_reason.as_deref();
    let reason = reason.unwrap_or(if is_gone { "gone" } else { "unknown" });
    message::line(&[b"exit reason=", reason.as_bytes(), &counters]);
    u8::from(is_gone)
}
