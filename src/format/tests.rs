//! Golden files: what sandboxes have sent, in every format (`tests/fixtures/golden/<format>/<run>`).
//! `KINGLET_UPDATE_GOLDEN=1 cargo test golden` writes them anew.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;

use super::*;
use crate::clock::Wall;
use crate::fixtures;
use crate::http::server::Wish;
use crate::queue::route::LOGS;
use crate::queue::signal::Signal;
use crate::source::telemetry::Decoder;

mod metrics;
mod otlp_rules;
mod sdk;

const BATCH_ID: &[u8] = b"1e4b9d36-ddc3-4967-85c7-8655424e7d50-1795252500101-0-9";
const RECEIVED: Wall = Wall(1_795_252_500_200);

/// All of a run in one batch.
fn encode(format: &'static dyn Format, run: &fixtures::Run) -> (Vec<u8>, usize) {
    let is_managed = run.batches.iter().any(|batch| {
        let name = b"lambda-managed-instances";
        batch.windows(name.len()).any(|bytes| bytes == name)
    });
    let mut intake = fixtures::intake_for(format, is_managed);
    intake.resource.set(b"service.name", b"orders \"x\"");
    intake.resource.set_integer(b"faas.max_memory", 268_435_456);
    let mut decoder = Decoder::new(fixtures::RECORD_BYTES_MAX);
    for batch in &run.batches {
        let request = fixtures::request(batch);
        let wish = decoder.feed(&mut &request[..], &mut intake, RECEIVED);
        assert_eq!(wish, Wish::Answer { keep_alive: true });
    }
    let mut out = Vec::new();
    format.begin(&mut out, &intake.resource, Signal::Log);
    let mut records = 0;
    for frame in intake.ring.frames(LOGS) {
        if records > 0 {
            out.extend_from_slice(format.separator());
        }
        out.extend_from_slice(frame.payload);
        records += 1;
    }
    let end = out.len();
    format.end(&mut out, BATCH_ID);
    assert!(out.len() - end <= crate::limits::BATCH_END_BYTES_MAX);
    (without_version(out), records)
}

/// A new version is no change of the format: it stands as so many `V`.
fn without_version(mut body: Vec<u8>) -> Vec<u8> {
    let version = crate::VERSION.as_bytes();
    let at = body
        .windows(version.len())
        .rposition(|window| window == version);
    if let Some(at) = at {
        body[at..at + version.len()].fill(b'V');
    }
    body
}

#[test]
fn golden_files() {
    for format in FORMATS {
        for run in fixtures::runs() {
            let (encoded, records) = encode(format, &run);
            let path = compare_golden(format, &run.name, &encoded);
            assert!(records > 10);
            match format.name() {
                "otlp" => {
                    let request = ExportLogsServiceRequest::decode(encoded.as_slice()).unwrap();
                    let found = &request.resource_logs[0].scope_logs[0].log_records;
                    assert_eq!(found.len(), records, "{path}");
                }
                "otlp-json" => assert_eq!(otlp_rules::check(text(&encoded)), records, "{path}"),
                _ => assert_eq!(rows(text(&encoded)), records, "{path}"),
            }
        }
    }
}

fn text(body: &[u8]) -> &str {
    str::from_utf8(body).unwrap()
}

/// Protobuf and JSON say the same, as OpenTelemetry's own types read them.
#[test]
fn both_forms_of_records_are_the_same_message() {
    for run in fixtures::runs() {
        let (protobuf, records) = encode(&otlp::Otlp, &run);
        let (json, _) = encode(&otlp_json::OtlpJson, &run);
        let message = ExportLogsServiceRequest::decode(protobuf.as_slice()).unwrap();
        let expected: ExportLogsServiceRequest = serde_json::from_slice(&json).unwrap();
        assert_eq!(message, expected, "{}", run.name);
        assert_eq!(
            message.resource_logs[0].scope_logs[0].log_records.len(),
            records
        );
        assert!(protobuf.len() * 100 <= json.len() * 60, "{}", run.name);
    }
}

/// Compares a body with its golden file, or writes that; returns its path.
fn compare_golden(format: &dyn Format, name: &str, encoded: &[u8]) -> String {
    // What is one document is laid out for readers; rows are that already.
    let (laid_out, extension) = match format.content_type() {
        "application/json" => (laid_out(text(encoded)).into_bytes(), "json"),
        "application/x-protobuf" => (encoded.to_vec(), "bin"),
        _ => (encoded.to_vec(), "ndjson"),
    };
    let directory = format!("{}/golden/{}", fixtures::DIRECTORY, format.name());
    let path = format!("{directory}/{name}.{extension}");
    if std::env::var_os("KINGLET_UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(&path, &laid_out).unwrap();
    }
    let golden = std::fs::read(&path).unwrap_or_default();
    if let (Ok(found), Ok(expected)) = (str::from_utf8(&laid_out), str::from_utf8(&golden)) {
        for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
            assert_eq!(found, expected, "{path}, line {}", number + 1);
        }
    }
    assert!(laid_out == golden, "{path}");
    path
}

/// Every row is an object that says when and what.
fn rows(text: &str) -> usize {
    for row in text.lines() {
        let row: serde_json::Value = serde_json::from_str(row).unwrap();
        assert!(row["time"].is_string() && row["type"].is_string());
        assert!(row["body"].is_string() && row["attributes"].is_object());
    }
    assert!(text.ends_with('\n'));
    text.lines().count()
}

/// The same JSON with line breaks: what fits into a line stands on one. Nothing else is changed.
fn laid_out(json: &str) -> String {
    const LINE_BYTES: usize = 150;
    let (mut out, mut depth, mut rest) = (String::new(), 0, json);
    let break_line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&" ".repeat(2 * depth));
    };
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '{' | '[' | '"' => value_bytes(rest),
            _ => first.len_utf8(),
        };
        let is_long = matches!(first, '{' | '[') && length > LINE_BYTES;
        let length = if is_long { 1 } else { length };
        if matches!(first, '}' | ']') {
            depth -= 1;
            break_line(&mut out, depth);
        }
        out.push_str(&rest[..length]);
        if is_long {
            depth += 1;
        }
        if is_long || first == ',' {
            break_line(&mut out, depth);
        }
        rest = &rest[length..];
    }
    out.push('\n');
    out
}

/// Length of the string, object or array at the start of valid JSON.
fn value_bytes(json: &str) -> usize {
    let (mut depth, mut in_string, mut is_escaped) = (0, false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
        if depth == 0 && !in_string {
            return at + 1;
        }
    }
    json.len()
}

/// The format of a name.
fn format(name: &str) -> Option<&'static dyn Format> {
    let mut formats = FORMATS.iter();
    formats.find(|format| format.name() == name).copied()
}

#[test]
fn formats_have_names_of_their_own() {
    for (name, signal, path) in [
        ("otlp", Signal::Log, "/v1/logs"),
        ("otlp", Signal::Metric, "/v1/metrics"),
        ("otlp-json", Signal::Log, "/v1/logs"),
        ("otlp-json", Signal::Metric, "/v1/metrics"),
        ("ndjson", Signal::Log, ""),
        ("ndjson", Signal::Metric, ""),
    ] {
        assert_eq!(format(name).map(|found| found.path(signal)), Some(path));
    }
    assert!(format("protobuf").is_none() && format("").is_none());
}
