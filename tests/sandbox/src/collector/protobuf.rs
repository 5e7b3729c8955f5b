//! OTLP's protobuf as the JSON that says the same, by OpenTelemetry's own types: everything else reads that.

use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use serde::Serialize;
use serde_json::Value;

use super::Signal;

/// What OpenTelemetry's types write although nothing was sent: protobuf does not know a zero from nothing.
const DEFAULTS: [&str; 10] = [
    "description",
    "droppedAttributesCount",
    "entityRefs",
    "eventName",
    "exemplars",
    "flags",
    "metadata",
    "schemaUrl",
    "spanId",
    "traceId",
];

/// The JSON of a request's body.
pub fn to_json(signal: Signal, body: &[u8]) -> Result<Value, String> {
    match signal {
        Signal::Log => convert::<ExportLogsServiceRequest>(body),
        Signal::Metric => convert::<ExportMetricsServiceRequest>(body),
    }
}

fn convert<M: Message + Default + Serialize>(body: &[u8]) -> Result<Value, String> {
    let message =
        M::decode(body).map_err(|error| format!("a body that is no protobuf: {error}"))?;
    let mut document = serde_json::to_value(&message)
        .map_err(|error| format!("a body that JSON cannot say: {error}"))?;
    leave_out_defaults(&mut document);
    Ok(document)
}

/// An answer that so many items were rejected: for logs, and in the same bytes for metrics.
pub fn partial_success(rejected: u32) -> Vec<u8> {
    let partial_success = Some(ExportLogsPartialSuccess {
        rejected_log_records: rejected.into(),
        error_message: "too many".into(),
    });
    ExportLogsServiceResponse { partial_success }.encode_to_vec()
}

fn leave_out_defaults(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, value| !(DEFAULTS.contains(&name.as_str()) && is_default(value)));
            members.values_mut().for_each(leave_out_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_defaults),
        _ => {}
    }
}

fn is_default(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}
