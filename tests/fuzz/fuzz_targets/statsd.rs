//! Whatever a datagram holds, what it says is within its bounds, and its lines say the same one by one.
#![no_main]
use kinglet::format::resource::Resource;
use kinglet::format::{Head, otlp_json};
use kinglet::limits::{METRIC_ATTRIBUTES_MAX, SAMPLED_TIMES_MAX};
use kinglet::metric::measurement::{Change, Measurement};
use kinglet::record::encoder::Encoder;
use kinglet::source::statsd::{self, Log};
use serde_json::Value;

fn check(measurement: &Measurement<'_, '_>) {
    assert!(!measurement.name.is_empty() && measurement.attributes.len() <= METRIC_ATTRIBUTES_MAX);
    assert!(
        measurement
            .attributes
            .iter()
            .all(|(key, _)| !key.is_empty())
    );
    match measurement.change {
        Change::Add { value, .. } | Change::Set(value) | Change::Adjust(value) => {
            assert!(value.is_finite());
        }
        Change::Observe { value, times, .. } => {
            assert!(value.is_finite() && (1..=SAMPLED_TIMES_MAX).contains(&times));
            assert_eq!(measurement.time_unix_nano, 0);
        }
        Change::Member(member) => assert!(!member.is_empty()),
    }
}

fn check_log(log: &Log<'_>, encoder: &mut Encoder) {
    let now = Head {
        time_unix_nano: 1,
        observed_unix_nano: 1,
        severity: 0,
        event_type: b"",
        request_id: b"",
        trace: None,
        coldstart: false,
        resource: &Resource::default(),
    };
    let record: Value = serde_json::from_slice(statsd::write(log, &now, encoder)).unwrap();
    assert!(record["body"]["stringValue"].is_string());
    let attributes = record["attributes"].as_array().unwrap();
    assert!(attributes.iter().all(|one| one["key"] != ""));
}

/// What a datagram says, as text, metrics before logs, and how much of it is malformed.
fn said(datagram: &[u8], encoder: &mut Encoder) -> (Vec<String>, Vec<String>, u64) {
    let (mut metrics, mut logs) = (Vec::new(), Vec::new());
    let malformed = statsd::read(
        &[datagram],
        &mut |measurement| {
            check(measurement);
            metrics.push(format!("{measurement:?}"));
            // As the table does.
            measurement.attributes.sort_by_key(|(key, _)| *key);
        },
        &mut |log| {
            check_log(log, encoder);
            logs.push(format!("{log:?}"));
        },
    );
    (metrics, logs, malformed)
}

libfuzzer_sys::fuzz_target!(|input: (u16, &[u8])| {
    let (bytes_max, datagram) = input;
    let mut encoder = Encoder::new(&otlp_json::OtlpJson, usize::from(bytes_max));
    let (mut metrics, mut logs, mut malformed) = (Vec::new(), Vec::new(), 0);
    for line in datagram.split(|byte| *byte == b'\n') {
        let of_line = said(line, &mut encoder);
        metrics.extend(of_line.0);
        logs.extend(of_line.1);
        malformed += of_line.2;
    }
    assert_eq!(said(datagram, &mut encoder), (metrics, logs, malformed));
});
