//! Whatever telemetry comes, its protobuf is one that OpenTelemetry's types read, and says what the JSON says.
#![no_main]
use kinglet::clock::Wall;
use kinglet::format::point::Temporality;
use kinglet::format::resource::Resource;
use kinglet::format::{Format, otlp, otlp_json};
use kinglet::metric::table::Table;
use kinglet::queue::ring::Ring;
use kinglet::queue::route::LOGS;
use kinglet::queue::signal::Signal;
use kinglet::record::encoder::Encoder;
use kinglet::source::event::{Filter, Reader};
use kinglet::source::intake::Intake;
use kinglet::source::telemetry::Decoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;

const RING_BYTES: usize = 1 << 20;
/// So much longer than an input that nothing is cut: the forms differ in where.
const RECORD_BYTES_MAX: usize = 128 * 1024;
const NOW: Wall = Wall(1_795_252_500_200);

/// The batch of what one request brings.
fn encode(
    format: &'static dyn Format,
    record_bytes_max: usize,
    request: &[u8],
) -> (Vec<u8>, usize) {
    let encoder = Encoder::new(format, record_bytes_max);
    let mut intake = Intake::new(
        Ring::new(RING_BYTES),
        Reader::new(Filter::ALL, encoder, false, true),
        Resource::default(),
        true,
        Some(Table::new(Temporality::Delta)),
        format,
    );
    Decoder::new(RECORD_BYTES_MAX).feed(&mut &request[..], &mut intake, NOW);
    let mut body = Vec::new();
    format.begin(&mut body, &intake.resource, Signal::Log);
    let mut records = 0;
    for frame in intake.ring.frames(LOGS) {
        if records > 0 {
            body.extend_from_slice(format.separator());
        }
        body.extend_from_slice(frame.payload);
        records += 1;
    }
    format.end(&mut body, b"batch");
    (body, records)
}

fn decode(protobuf: &[u8], records: usize) -> ExportLogsServiceRequest {
    let message = ExportLogsServiceRequest::decode(protobuf).unwrap();
    let scope = &message.resource_logs[0].scope_logs[0];
    assert_eq!(scope.scope.as_ref().unwrap().name, "kinglet");
    assert_eq!(scope.log_records.len(), records);
    // No unknown field: what the types know is all there is, but for the lengths, which may be padded.
    assert!(message.encoded_len() <= protobuf.len());
    let lengths = 3 + records * 2 * 100;
    assert!(protobuf.len() <= message.encoded_len() + lengths * 4);
    message
}

libfuzzer_sys::fuzz_target!(|input: (u16, &[u8])| {
    let (record_bytes_max, events) = input;
    let mut request = format!(
        "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n",
        events.len()
    )
    .into_bytes();
    request.extend_from_slice(events);
    let (protobuf, records) = encode(&otlp::Otlp, RECORD_BYTES_MAX, &request);
    let (json, _) = encode(&otlp_json::OtlpJson, RECORD_BYTES_MAX, &request);
    let expected: ExportLogsServiceRequest = serde_json::from_slice(&json).unwrap();
    assert_eq!(decode(&protobuf, records), expected);
    // With records of any length there is.
    let (cut, records) = encode(&otlp::Otlp, 4096 + usize::from(record_bytes_max), &request);
    decode(&cut, records);
});
