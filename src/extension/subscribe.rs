//! Asking Lambda for telemetry.

use super::Registration;
use crate::config::{Buffering, Config};
use crate::lambda::message;
use crate::lambda::runtime_api::heads;
use crate::limits::{LOGS_API_BUFFERING_MS_MIN, SUBSCRIBE_MS_MAX, record_bytes_max};
use crate::reactor::telemetry::Telemetry;
use crate::source::event::{Emf, Filter};
use crate::sys::{self, survival};
use crate::text::decimal;

/// The telemetry listener, and whether Lambda has agreed to send to it.
pub struct Subscription {
    pub(super) telemetry: Option<Telemetry>,
    pub(super) is_accepted: bool,
}

/// Listens and subscribes, unless there is nowhere to send to. First the Telemetry API with the newest schema of its
/// events, then with an older one, then the Logs API; an emulator that has none of them leaves a quiet extension.
pub fn subscribe(registration: &mut Registration, config: &Config) -> Subscription {
    let nothing = Subscription {
        telemetry: None,
        is_accepted: false,
    };
    if config.endpoints.iter().all(Option::is_none) {
        return nothing;
    }
    let telemetry = match Telemetry::bind(config.port, record_bytes_max(config.ring_bytes)) {
        Ok(telemetry) => telemetry,
        Err(error) => {
            let reason = if sys::is_out_of_descriptors(&error) {
                sys::OUT_OF_DESCRIPTORS
            } else {
                b"no port could be bound for telemetry: "
            };
            message::line(&[reason, b"nothing is recorded"]);
            return nothing;
        }
    };
    let mut status = 400;
    for (schema, head, is_logs_api) in [
        ("2025-01-29", heads::SUBSCRIBE, false),
        ("2022-12-13", heads::SUBSCRIBE, false),
        ("2021-03-18", heads::SUBSCRIBE_LOGS, true),
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
        let own = &registration.identifier;
        let answer = registration
            .api
            .exchange(head, own, &body, Some(SUBSCRIBE_MS_MAX));
        survival::crash_if("subscribed");
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
    let function: &[u8] = if filter.function || filter.emf != Emf::Logs {
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
