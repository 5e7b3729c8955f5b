//! Asking Lambda for telemetry.

use super::Registration;
use crate::config::{Buffering, Config};
use crate::lambda::message;
use crate::lambda::runtime_api::heads;
use crate::limits::{LOGS_API_BUFFERING_MS_MIN, SUBSCRIBE_MS_MAX, record_bytes_max};
use crate::reactor::listener::Listener;
use crate::source::event::{Emf, Filter};
use crate::sys::{self, survival};
use crate::text::decimal;

/// The telemetry listener, and whether Lambda has agreed to send to it.
pub struct Subscription {
    pub(super) telemetry: Option<Listener>,
    pub(super) is_accepted: bool,
}

/// The Logs API's only schema.
const LOGS_API_SCHEMA: &str = "2021-03-18";

/// Listens and subscribes, unless there is nowhere to send to. First the Telemetry API with the newest schema of its
/// events, then with an older one, then the Logs API; an emulator that has none of them leaves a quiet extension.
pub fn subscribe(registration: &mut Registration, config: &Config) -> Subscription {
    // Made where it is returned: a constant would be 1272 bytes.
    let nothing = || Subscription {
        telemetry: None,
        is_accepted: false,
    };
    if config.endpoints.iter().all(Option::is_none) {
        return nothing();
    }
    let telemetry = match Listener::bind(config.port, record_bytes_max(config.ring_bytes)) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            let reason = sys::refusal(&error, b"no port could be bound for telemetry: ");
            message::line(&[reason, b"nothing is recorded"]);
            return nothing();
        }
    };
    let status = negotiate(registration, config, telemetry.port());
    // Without an answer it may have been understood all the same.
    let is_kept = matches!(status, 200 | 0);
    if !is_kept {
        let mut code = Vec::new();
        decimal::push(&mut code, u64::from(status));
        message::line(&[
            b"this sandbox offers no telemetry (",
            &code,
            b"): nothing is recorded",
        ]);
    }
    Subscription {
        telemetry: is_kept.then_some(telemetry),
        is_accepted: status == 200,
    }
}

/// Subscribes this port. The status of the last answer; 0 without one.
fn negotiate(registration: &mut Registration, config: &Config, port: u16) -> u16 {
    let mut status = 400;
    for schema in &["2025-01-29", "2022-12-13", LOGS_API_SCHEMA] {
        let is_logs_api = *schema == LOGS_API_SCHEMA;
        // The Logs API is worth a try where there is no Telemetry API; another schema only where the schema is at fault.
        if !(status == 400 || (is_logs_api && matches!(status, 202 | 404))) {
            continue;
        }
        let head = if is_logs_api {
            heads::SUBSCRIBE_LOGS
        } else {
            heads::SUBSCRIBE
        };
        let body = subscription(schema, port, config.buffering, config.filter);
        let own = &registration.identifier;
        let answer = registration
            .api
            .exchange(head, own, &body, Some(SUBSCRIBE_MS_MAX));
        survival::crash_if("subscribed");
        status = answer.map_or(0, |answer| answer.status);
    }
    status
}

/// The body of a subscribe request.
fn subscription(schema: &str, port: u16, buffering: Buffering, filter: Filter) -> Vec<u8> {
    let ms_min = if schema == LOGS_API_SCHEMA {
        LOGS_API_BUFFERING_MS_MIN
    } else {
        0
    };
    let mut body = Vec::with_capacity(320);
    // EMF is looked for in the function's lines.
    let function: &[u8] = if filter.function || filter.emf != Emf::Logs {
        b",\"function\""
    } else {
        b""
    };
    let extension: &[u8] = if filter.extension {
        b",\"extension\""
    } else {
        b""
    };
    for part in &[
        b"{\"schemaVersion\":\"",
        schema.as_bytes(),
        b"\",\"types\":[\"platform\"",
        function,
        extension,
    ] {
        body.extend_from_slice(part);
    }
    for (name, value) in &[
        (
            b"],\"destination\":{\"protocol\":\"HTTP\",\"URI\":\"http://sandbox.localdomain:"
                .as_slice(),
            u64::from(port),
        ),
        (b"\"},\"buffering\":{\"maxItems\":", buffering.items),
        (b",\"maxBytes\":", buffering.bytes),
        (b",\"timeoutMs\":", buffering.ms.max(u64::from(ms_min))),
    ] {
        body.extend_from_slice(name);
        decimal::push(&mut body, *value);
    }
    body.extend_from_slice(b"}}");
    body
}
