use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsPartialSuccess, ExportMetricsServiceResponse,
};
use prost::Message;

use super::*;
use crate::format::FORMATS;
use crate::random::Numbers;

const PARTLY: &str = r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"x"}}"#;

/// Each format's table. They are the same: none but OTLP prescribes one.
#[test]
fn what_an_answer_means() {
    let taken = |rejected| Judgement::Taken { rejected };
    for (statuses, body, judgement) in [
        (vec![200, 202, 204], "", taken(0)),
        (vec![200, 202, 299], PARTLY, taken(3)),
        (vec![408, 429, 502, 503, 504], PARTLY, Judgement::Later),
        (vec![413], PARTLY, Judgement::TooLarge),
        (vec![400], PARTLY, Judgement::Invalid),
        (
            vec![301, 307, 401, 403, 404, 405, 415, 500, 501],
            PARTLY,
            Judgement::Rejected,
        ),
    ] {
        for status in statuses {
            for format in FORMATS {
                let found = format.judge(status, body.as_bytes());
                assert_eq!(found, judgement, "{} {status}", format.name());
            }
        }
    }
}

fn rejections(body: &[u8]) -> u64 {
    match Judgement::of(200, body) {
        Judgement::Taken { rejected } => rejected,
        other => panic!("{other:?}"),
    }
}

#[test]
fn partial_success_in_json() {
    for (body, rejected) in [
        (PARTLY, 3),
        (r#"{"partialSuccess":{"rejectedLogRecords":2}}"#, 2),
        (r#"{"partialSuccess":{"rejectedDataPoints":"4"}}"#, 4),
        (r#"{"partialSuccess":{}}"#, 0),
        ("\r\n {\"partialSuccess\":{\"rejectedLogRecords\":2}}", 2),
        (
            r#"{"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"lo"#,
            3,
        ),
        ("{}", 0),
        ("", 0),
        ("OK", 0),
        ("<html>", 0),
    ] {
        assert_eq!(rejections(body.as_bytes()), rejected, "{body}");
    }
}

fn of_logs(rejected_log_records: i64, error_message: &str) -> Vec<u8> {
    let partial_success = Some(ExportLogsPartialSuccess {
        rejected_log_records,
        error_message: error_message.into(),
    });
    ExportLogsServiceResponse { partial_success }.encode_to_vec()
}

fn of_metrics(rejected_data_points: i64, error_message: &str) -> Vec<u8> {
    let partial_success = Some(ExportMetricsPartialSuccess {
        rejected_data_points,
        error_message: error_message.into(),
    });
    ExportMetricsServiceResponse { partial_success }.encode_to_vec()
}

/// As OpenTelemetry's own types write it.
#[test]
fn partial_success_in_protobuf() {
    for (number, rejected) in [
        (0, 0),
        (1, 1),
        (127, 127),
        (128, 128),
        (1 << 40, 1 << 40),
        (i64::MAX, i64::MAX as u64),
        (-1, 0),
        (i64::MIN, 0),
    ] {
        for message in ["", "x", &"long ".repeat(100)] {
            assert_eq!(rejections(&of_logs(number, message)), rejected, "{number}");
            assert_eq!(rejections(&of_metrics(number, message)), rejected);
        }
    }
    let plain = of_logs(3, "no");
    for (before, behind, rejected) in [
        // Fields that may come to be: a number, eight bytes, a text, four bytes.
        (
            b"\x10\x96\x01\x19........\x22\x02hi\x2d....".as_slice(),
            b"".as_slice(),
            3,
        ),
        (b"", b"\x10\x01", 3),
        // Of several the last one counts.
        (&of_logs(9, ""), b"", 3),
        (b"", &of_logs(9, ""), 9),
        // What is no message leaves what was read before it.
        (b"", b"\x0a", 3),
        (b"", b"\x0a\x05\x08", 3),
        (b"", b"\x0a\x05\x08\x80", 3),
        (b"", b"\x0b\x0a\x02\x08\x09", 3),
        (b"\x0b", b"", 0),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"", 0),
        (
            b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"",
            0,
        ),
    ] {
        let body = [before, &plain, behind].concat();
        assert_eq!(rejections(&body), rejected, "{body:?}");
    }
}

/// What is cut off tells the number if that is whole; and what is damaged anywhere tells what OpenTelemetry's own types read in
/// it, where they do.
#[test]
fn damage_is_no_number_of_its_own() {
    let whole = of_logs(300, &"something was wrong".repeat(10));
    // A tag, two bytes of length, a tag, two bytes of the number.
    for length in 1..whole.len() {
        let expected = if length < 6 { 0 } else { 300 };
        assert_eq!(rejections(&whole[..length]), expected, "{length}");
    }
    let whole = of_logs(300, "something was wrong");
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut read = 0;
    for _ in 0..20_000 {
        let mut body = whole.clone();
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(body.len());
            body[at] = numbers.below(256) as u8;
        }
        if body.starts_with(b"{") {
            continue;
        }
        let found = rejections(&body);
        if let Ok(message) = ExportLogsServiceResponse::decode(body.as_slice()) {
            let expected = message.partial_success.unwrap_or_default();
            let expected = u64::try_from(expected.rejected_log_records).unwrap_or(0);
            assert_eq!(found, expected, "{body:?}");
            read += usize::from(expected != 0);
        }
    }
    assert!(read > 1000, "{read}");
}
