//! Records from the function to a collector that is well.

use std::time::Duration;

use kinglet_sandbox::{Mode, Record, Work};

use crate::arrived::{self, function_lines, of_type};
use crate::counters::Counters;
use crate::extension::{
    beside, delivering_at_end, flushing_at_end, healthy_collector, invoke, spin_down, start_heard,
};

/// 10,000 lines over several invocations arrive once each, in order, with their bodies and request ids, in bounded memory.
#[test]
fn ten_thousand_lines_arrive_once_each_in_order() {
    let collector = healthy_collector();
    let lambda = beside(&collector).start().unwrap();
    let mut expected = Vec::new();
    for number in 0..8 {
        let lines = arrived::lines(
            &format!("invocation {number} \"quoted\" \\ tab\there ☃ 𝄞"),
            1250,
        );
        let invocation = lambda.invoke(Work::lines(lines.clone())).unwrap();
        assert_eq!(invocation.answer, "OK");
        expected.extend(
            lines
                .into_iter()
                .map(|line| (line, invocation.request_id.clone())),
        );
    }
    let exit = spin_down(&lambda);
    let received: Vec<(String, String)> = of_type(&collector, "function")
        .iter()
        .map(|record| {
            (
                record.text(),
                record.request_id().unwrap_or_default().to_string(),
            )
        })
        .collect();
    assert_eq!(received.len(), 10_000);
    assert!(
        received == expected,
        "first difference at {:?}",
        received.iter().zip(&expected).position(|(a, b)| a != b)
    );
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(counters.losses(), []);
    assert_eq!(counters.get("delivered"), arrived::events(&collector));
    assert_eq!(counters.get("invocations"), 8);
    assert!(exit.memory_peak_kb < 8 * 1024, "{} kB", exit.memory_peak_kb);
}

/// Whatever a function may write is the body, byte for byte.
#[test]
fn bodies_are_intact() {
    let collector = healthy_collector();
    let lambda = beside(&collector).start().unwrap();
    let frames = [
        String::new(),
        " ".into(),
        "\u{1b}[31mred\u{1b}[0m".into(),
        "\u{0}\u{1}\u{7f}\u{80}\u{2028}\u{fffd}\u{10ffff}".into(),
        "two\nlines\r\n\tand a third".into(),
        "{\"not\": \"closed".into(),
        "[1,2,3]".into(),
        "null".into(),
        "\\u0041 \\n \\\" / \\/".into(),
        "kinglet: is only a word in a function's line".into(),
        "é".repeat(10_000),
    ];
    let written = frames.clone();
    let script = Work::script(move |context| {
        written.iter().for_each(|frame| context.write_frame(frame));
        kinglet_sandbox::Outcome::Succeeds
    });
    lambda.invoke(script).unwrap();
    spin_down(&lambda);
    assert_eq!(function_lines(&collector), frames);
}

/// Lines of the init belong to no invocation; they and those of the first invocation are of the cold start, no others.
#[test]
fn the_cold_start_is_the_init_and_the_first_invocation() {
    let collector = healthy_collector();
    let lambda = beside(&collector)
        .function_init(["initializing"], Duration::from_millis(20))
        .start()
        .unwrap();
    let first = lambda.invoke(["first"]).unwrap();
    invoke(&lambda, ["second"]);
    spin_down(&lambda);
    let records = of_type(&collector, "function");
    let seen: Vec<_> = records
        .iter()
        .map(|record| {
            (
                record.text(),
                record
                    .attribute("faas.coldstart")
                    .is_some_and(|value| *value == true),
            )
        })
        .collect();
    let expected = [("initializing", true), ("first", true), ("second", false)];
    assert_eq!(seen, expected.map(|(text, cold)| (text.to_string(), cold)));
    assert_eq!(records[0].request_id(), None);
    assert_eq!(records[1].request_id(), Some(first.request_id.as_str()));
}

/// A sandbox that was provisioned before anybody asked for it has no cold start to tell of.
#[test]
fn provisioned_concurrency_is_no_cold_start() {
    let collector = healthy_collector();
    let mode = Mode::ProvisionedConcurrency;
    let lambda = beside(&collector).mode(mode).start().unwrap();
    invoke(&lambda, ["first"]);
    spin_down(&lambda);
    assert_eq!(function_lines(&collector), ["first"]);
    let is_cold = |record: &Record| record.attribute("faas.coldstart").is_some();
    assert!(!collector.logs().iter().any(is_cold));
}

/// Lines carry the trace of their invocation in OpenTelemetry's form.
#[test]
fn lines_carry_the_trace_of_their_invocation() {
    let collector = healthy_collector();
    let lambda = flushing_at_end(&collector).start().unwrap();
    let ids = [0, 1].map(|_| lambda.invoke(["a line"]).unwrap().request_id);
    spin_down(&lambda);
    let starts = of_type(&collector, "platform.start");
    for (line, id) in of_type(&collector, "function").iter().zip(&ids) {
        let start = starts
            .iter()
            .find(|start| start.request_id() == Some(id))
            .expect("its start");
        let tracing = start
            .attribute("tracing")
            .and_then(|text| text.as_str())
            .expect("its trace, as JSON text");
        let tracing: serde_json::Value = serde_json::from_str(tracing).unwrap();
        let root = tracing["value"]
            .as_str()
            .and_then(|value| value.get("Root=1-".len()..)?.get(..33))
            .unwrap();
        assert_eq!(line.trace_id, root.replace('-', ""));
        assert_eq!(line.span_id, tracing["spanId"].as_str().unwrap());
        assert_eq!(line.raw["flags"], 1);
    }
}

/// All batches go over one connection, one after the other, each with an id of its own.
#[test]
fn one_connection_carries_all_batches() {
    let collector = healthy_collector();
    let lambda = start_heard(delivering_at_end(&collector));
    for number in 0..4 {
        invoke(&lambda, [format!("line {number}")]);
    }
    spin_down(&lambda);
    let requests = collector.requests();
    assert!(requests.len() >= 4, "{}", requests.len());
    assert_eq!(collector.connections(), 1);
    let mut ids: Vec<_> = requests
        .iter()
        .map(|received| received.request.header("idempotency-key").unwrap())
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), requests.len());
    for (received, id) in requests.iter().zip(&ids) {
        assert_eq!(
            (
                received.request.method.as_str(),
                received.request.path.as_str()
            ),
            ("POST", "/v1/logs")
        );
        assert_eq!(
            received.request.header("content-type"),
            Some("application/x-protobuf")
        );
        assert!(
            received
                .request
                .body
                .windows(id.len())
                .any(|part| part == id.as_bytes()),
            "the scope names the batch"
        );
    }
}
