//! Every answer to subscribe: whatever it is, the extension works and the function does not notice.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kinglet_sandbox::{Collector, Deviations, Exit, Happening, Sandbox, Subscribe};

use crate::arrived::{function_lines, of_type};
use crate::counters::Counters;
use crate::extension::{
    AT_ONCE, Bound, HELD_MAX, Held, TOLERANCE, flushing_at_end, healthy_collector, invoke,
    spin_down, the_line,
};

/// A sandbox that answers subscribe so, after three invocations and a SHUTDOWN.
struct Outcome {
    lambda: Sandbox,
    collector: Collector,
    held: Vec<Held>,
    exit: Exit,
    /// API and schema of the subscription, if there was one.
    subscribed: Option<(String, String)>,
}

fn outcome(subscribe: Subscribe) -> Outcome {
    let collector = healthy_collector();
    let subscribed = Arc::new(Mutex::new(None));
    let seen = subscribed.clone();
    let watch = move |happening: &Happening| {
        if let Happening::Subscribed { api, schema, .. } = happening {
            *seen.lock().unwrap() = Some((api.to_string(), schema.clone()));
        }
    };
    let deviations = Deviations {
        subscribe,
        ..Deviations::default()
    };
    let lambda = flushing_at_end(&collector)
        .deviations(deviations)
        .watch(watch)
        .start()
        .unwrap();
    let held = (0..3)
        .map(|number| invoke(&lambda, [format!("line {number}")]))
        .collect();
    let exit = spin_down(&lambda);
    let subscribed = subscribed.lock().unwrap().clone();
    Outcome {
        lambda,
        collector,
        held,
        exit,
        subscribed,
    }
}

/// The chain of fallbacks: the newest schema, an older one, the Logs API. Wherever anything is delivered, it arrives.
#[test]
fn there_is_a_fallback_for_every_refusal() {
    for (subscribe, api, schema) in [
        (Subscribe::Accept, "Telemetry API", "2025-01-29"),
        (Subscribe::RefuseNewest, "Telemetry API", "2022-12-13"),
        (Subscribe::RefuseTelemetry, "Logs API", "2021-03-18"),
        (Subscribe::LogsOnly, "Logs API", "2021-03-18"),
        (
            Subscribe::Slow(Duration::from_millis(300)),
            "Telemetry API",
            "2025-01-29",
        ),
    ] {
        let outcome = outcome(subscribe);
        assert_eq!(
            outcome.subscribed,
            Some((api.into(), schema.into())),
            "{subscribe:?}"
        );
        assert_eq!(
            function_lines(&outcome.collector),
            ["line 0", "line 1", "line 2"],
            "{subscribe:?}"
        );
        assert!(
            outcome.held.iter().all(|held| *held < HELD_MAX),
            "{subscribe:?}: {:?}",
            outcome.held
        );
        let counters = Counters::of(&outcome.exit);
        counters.assert_all_received(&outcome.lambda);
        assert_eq!(counters.losses(), [], "{subscribe:?}");
    }
}

/// The Logs API's own events are understood, `platform.end` among them, and lines have their request ids.
#[test]
fn the_logs_api_is_as_good() {
    let outcome = outcome(Subscribe::RefuseTelemetry);
    let ends = of_type(&outcome.collector, "platform.end");
    // The last one comes with the report, which the Logs API buffers for longer than SHUTDOWN waits.
    assert!(ends.len() >= 2);
    for (line, end) in of_type(&outcome.collector, "function").iter().zip(&ends) {
        assert!(line.request_id().is_some());
        assert_eq!(line.request_id(), end.request_id());
        assert!(end.text().starts_with("END RequestId: "), "{}", end.text());
    }
}

/// Where there is no telemetry the extension is quiet: one line says so, nothing is held, SHUTDOWN ends it at once.
#[test]
fn no_telemetry_is_no_trouble() {
    for (subscribe, status) in [
        (Subscribe::NotSupported, "202"),
        (Subscribe::NotFound, "404"),
        (Subscribe::Fail, "500"),
    ] {
        let outcome = outcome(subscribe);
        assert!(
            outcome.held.iter().all(|held| *held < AT_ONCE),
            "{subscribe:?}: {:?}",
            outcome.held
        );
        assert!(
            outcome.exit.took < TOLERANCE,
            "{subscribe:?}: {:?}",
            outcome.exit.took
        );
        the_line(&outcome.exit, status);
        assert_eq!(Counters::of(&outcome.exit).get("received"), 0);
        assert!(outcome.collector.requests().is_empty());
    }
}

/// A subscription that never delivers is waited for once, 100 ms, and then no more.
#[test]
fn a_mute_subscription_is_waited_for_once() {
    let outcome = outcome(Subscribe::Mute);
    assert!(
        outcome.held[0] < Duration::from_millis(100) + TOLERANCE,
        "{:?}",
        outcome.held
    );
    assert!(
        outcome.held[1..].iter().all(|held| *held < AT_ONCE),
        "{:?}",
        outcome.held
    );
    assert!(outcome.exit.took < TOLERANCE, "{:?}", outcome.exit.took);
    assert_eq!(Counters::of(&outcome.exit).get("received"), 0);
}

/// A platform that does not answer a subscribe in a second does not keep the init from ending. If it delivers after
/// all, that is taken.
#[test]
fn a_subscribe_that_takes_too_long_is_given_up() {
    let outcome = outcome(Subscribe::Slow(Duration::from_millis(1600)));
    assert!(
        outcome.lambda.init_took() < Bound::ms(1500),
        "{:?}",
        outcome.lambda.init_took()
    );
    assert!(
        outcome.held.iter().all(|held| *held < HELD_MAX),
        "{:?}",
        outcome.held
    );
    Counters::of(&outcome.exit);
}
