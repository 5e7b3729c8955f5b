//! OTLP/JSON, as far as logs need it: <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>.

use lambda_extension::{Error, LambdaTelemetry, LambdaTelemetryRecord as Record};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logs {
    resource_logs: [ResourceLogs; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLogs {
    resource: Resource,
    scope_logs: [ScopeLogs; 1],
}

#[derive(Serialize)]
struct Resource {
    attributes: [Attribute; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeLogs {
    log_records: Vec<LogRecord>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LogRecord {
    time_unix_nano: String,
    body: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<[Attribute; 1]>,
}

#[derive(Serialize)]
struct Attribute {
    key: &'static str,
    value: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Text {
    string_value: String,
}

/// One export request: a record for each line, and one for each platform event, whose body is its JSON.
pub fn encode(
    events: Vec<LambdaTelemetry>,
    request_id: &mut Option<String>,
) -> Result<Vec<u8>, Error> {
    let mut log_records = Vec::with_capacity(events.len());
    for event in events {
        if let Record::PlatformStart { request_id: id, .. } = &event.record {
            *request_id = Some(id.clone());
        }
        let nanos = event.time.timestamp_nanos_opt().unwrap_or_default();
        let line = match event.record {
            Record::Function(line) | Record::Extension(line) => line,
            platform => serde_json::to_string(&platform)?,
        };
        log_records.push(LogRecord {
            time_unix_nano: nanos.to_string(),
            body: Text { string_value: line },
            attributes: request_id
                .clone()
                .map(|id| [attribute("faas.invocation_id", id)]),
        });
    }
    let name = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default();
    let attributes = [attribute("service.name", name)];
    Ok(serde_json::to_vec(&Logs {
        resource_logs: [ResourceLogs {
            resource: Resource { attributes },
            scope_logs: [ScopeLogs { log_records }],
        }],
    })?)
}

fn attribute(key: &'static str, string_value: String) -> Attribute {
    Attribute {
        key,
        value: Text { string_value },
    }
}
