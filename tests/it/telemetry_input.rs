//! What arrives at the telemetry listener: in any shape on the wire, and what is no telemetry at all.

use std::time::Duration;

use kinglet_sandbox::{Collector, Deviations, Exit, Sandbox, Wire};
use serde_json::json;

use crate::arrived::{function_lines, lines, of_type};
use crate::counters::Counters;
use crate::extension::{beside, healthy_collector, invoke, spin_down};

/// An awake sandbox that has been invoked once.
pub fn awake() -> (Collector, Sandbox) {
    let collector = healthy_collector();
    let lambda = beside(&collector).freezes(false).start().unwrap();
    invoke(&lambda, ["first"]);
    assert!(lambda.drain(Duration::from_secs(5)));
    (collector, lambda)
}

/// One line of the function, as an event on the wire.
pub fn event(line: &str) -> String {
    json!({"time": "2026-11-21T20:37:43.578Z", "type": "function", "record": line}).to_string()
}

pub fn finish(lambda: &Sandbox) -> (Exit, Counters) {
    invoke(lambda, ["last"]);
    let exit = spin_down(lambda);
    let counters = Counters::of(&exit);
    (exit, counters)
}

/// Deliveries in every shape that Lambda or an emulator may give them: all lines arrive, once, in order.
#[test]
fn deliveries_in_any_shape_are_understood() {
    let plain = Wire::default();
    for wire in [
        Wire {
            segment: Some(1),
            ..plain
        },
        Wire {
            segment: Some(7),
            chunked: true,
            ..plain
        },
        Wire {
            chunked: true,
            extra_headers: true,
            ..plain
        },
        Wire {
            connection_each: true,
            ..plain
        },
    ] {
        for double_batches in [false, true] {
            let collector = healthy_collector();
            let deviations = Deviations {
                wire,
                double_batches,
                ..Deviations::default()
            };
            let lambda = beside(&collector).deviations(deviations).start().unwrap();
            let sent: Vec<_> = (0..3)
                .map(|number| lines(&format!("invocation {number} ☃"), 700))
                .collect();
            for some in &sent {
                invoke(&lambda, some.clone());
            }
            let exit = spin_down(&lambda);
            assert!(function_lines(&collector) == sent.concat(), "{wire:?}");
            let counters = Counters::of(&exit);
            counters.assert_all_received(&lambda);
            assert_eq!(counters.losses(), [], "{wire:?}");
        }
    }
}

/// Bodies that are damaged in any way are answered with 200, so that they do not come again; what is whole in them is kept,
/// what is not is counted as malformed and told to the collector.
#[test]
fn malformed_telemetry_is_counted_and_told() {
    let (good, other) = (event("good"), event("other"));
    for (body, kept, malformed) in [
        (
            format!("[{good},17,{{\"no\":\"type\"}},{other}]"),
            vec!["good", "other"],
            2,
        ),
        (format!("[{good},{{\"type\":\"func"), vec!["good"], 1),
        (format!("[{good},{good}"), vec!["good", "good"], 1),
        (format!("[{good} {other}]"), vec!["good"], 1),
        ("this is not JSON".into(), vec![], 1),
        ("{\"an\":\"object\"}".into(), vec![], 1),
        ("\u{0}\u{1}\u{2}".into(), vec![], 1),
        (
            format!(" \r\n[ {good} ,\t{other} ]\n"),
            vec!["good", "other"],
            0,
        ),
        ("[]".into(), vec![], 0),
        (String::new(), vec![], 0),
    ] {
        let (collector, lambda) = awake();
        assert_eq!(
            lambda.post(body.as_bytes(), Wire::default()).unwrap(),
            200,
            "{body}"
        );
        let (_, counters) = finish(&lambda);
        let expected = [vec!["first"], kept, vec!["last"]].concat();
        assert_eq!(function_lines(&collector), expected, "{body}");
        assert_eq!(counters.get("malformed"), malformed, "{body}");
        let told: u64 = crate::arrived::told_losses(&collector)[2];
        assert_eq!(told, malformed, "{body}");
    }
}

/// Events without a time, of an unknown type, or with a record of any kind are records all the same.
#[test]
fn unusual_events_are_shipped() {
    let (collector, lambda) = awake();
    lambda.inject([
        json!({"type": "function", "record": 17, "time": "yesterday"}),
        json!({"type": "function", "record": [1, 2]}),
        json!({"type": "function", "record": null}),
        json!({"type": "function", "record": true, "more": {"a": [1, {"b": "]"}]}}),
        json!({"type": "platform.novelty", "record": {"a": 1}}),
    ]);
    assert!(lambda.drain(Duration::from_secs(5)));
    let (_, counters) = finish(&lambda);
    assert_eq!(
        function_lines(&collector),
        ["first", "17", "[1,2]", "null", "true", "last"]
    );
    let novelty = of_type(&collector, "platform.novelty")
        .pop()
        .expect("an unknown platform event");
    assert_eq!(
        (novelty.text().as_str(), novelty.attribute("a")),
        ("{\"a\":1}", Some(&json!(1)))
    );
    assert_eq!(counters.get("malformed"), 0);
}

/// A line of 1 MiB is cut at a character while it is received, and its length is told; memory stays small.
#[test]
fn a_huge_line_is_cut() {
    let (collector, lambda) = awake();
    let huge = "☃".repeat((1 << 20) / 3);
    let object = json!({"type": "function", "record": {"level": "ERROR", "message": huge.clone()}});
    let body = format!("[{},{object}]", event(&huge));
    assert_eq!(lambda.post(body.as_bytes(), Wire::default()).unwrap(), 200);
    let (exit, counters) = finish(&lambda);
    let records = of_type(&collector, "function");
    let [_first, line, object, last] = records.as_slice() else {
        panic!("{} records", records.len())
    };
    let bytes = line.text().len();
    assert!(huge.starts_with(&line.text()), "cut at a character");
    assert!((100_000..262_144).contains(&bytes), "{bytes}");
    assert_eq!(
        line.attribute("kinglet.original_bytes"),
        Some(&json!(huge.len()))
    );
    assert!(
        huge.starts_with(&object.text()) && object.text().len() > 100_000,
        "{}",
        object.text().len()
    );
    assert!(object.attribute("kinglet.original_bytes").is_some());
    assert_eq!((last.text().as_str(), counters.get("cut")), ("last", 2));
    assert!(exit.memory_peak_kb < 8 * 1024, "{} kB", exit.memory_peak_kb);
}
