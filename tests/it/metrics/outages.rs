//! One of the two endpoints fails: the other goes on as if nothing were, and what is measured meanwhile is added up and kept.

use std::time::{Duration, Instant};

use kinglet_sandbox::{Builder, Collector, Fault, Sandbox, Signal};

use super::measured::{accounts, assert_close, count, measuring, measuring_at_end, named, total};
use super::statsd_client::StatsdClient;
use crate::arrived::{events, function_lines, lines};
use crate::counters::Counters;
use crate::extension::{Bound, DEAD_SHUTDOWN_MAX, HELD_MAX, healthy_collector, invoke, spin_down};

/// kinglet that sends at the end of each invocation, with the default budget.
fn flushing(collector: &Collector) -> Builder {
    measuring(collector)
        .env("KINGLET_FLUSH", "end")
        .freezes(false)
}

/// A collector that fails one signal.
fn failing(signal: Signal, fault: &Fault) -> Collector {
    let collector = healthy_collector();
    collector.set_fault_of(signal, fault.clone());
    collector
}

fn five_invocations(lambda: &Sandbox) -> Vec<String> {
    for number in 0..5 {
        let held = invoke(lambda, lines(&format!("invocation {number}"), 10));
        assert!(held < HELD_MAX, "{held:?}");
    }
    (0..5)
        .flat_map(|number| lines(&format!("invocation {number}"), 10))
        .collect()
}

/// Ends the sandbox, which takes no longer than such a fault explains.
fn counters_in_time(lambda: &Sandbox, fault: &Fault) -> Counters {
    let exit = spin_down(lambda);
    let limit = if *fault == Fault::Hang {
        Bound::ms(2000)
    } else {
        DEAD_SHUTDOWN_MAX
    };
    assert!(exit.took < limit, "{fault}: {:?}", exit.took);
    accounts(&exit)
}

const FAULTS: [Fault; 5] = [
    Fault::Status(503),
    Fault::Status(404),
    Fault::Status(413),
    Fault::Hang,
    Fault::Reset,
];

/// Whatever happens to the metrics: every log arrives once and in order, nothing is held past the budget, and SHUTDOWN is
/// in time.
#[test]
fn logs_go_on_without_the_metrics_endpoint() {
    for fault in FAULTS {
        let collector = failing(Signal::Metric, &fault);
        let lambda = flushing(&collector).start().unwrap();
        let expected = five_invocations(&lambda);
        assert!(lambda.drain(Duration::from_secs(5)));
        let counters = counters_in_time(&lambda, &fault);
        counters.assert_all_received(&lambda);
        assert_eq!(counters.losses(), [], "{fault}");
        assert_eq!(function_lines(&collector), expected, "{fault}");
        assert_eq!(counters.get("delivered"), events(&collector), "{fault}");
        let lost = match fault {
            Fault::Status(404 | 413) => "points_rejected",
            _ => "points_abandoned",
        };
        assert!(counters.get(lost) > 0, "{fault}: {counters:?}");
        assert_eq!(
            counters.get(lost),
            counters.get("points"),
            "{fault}: {counters:?}"
        );
    }
}

/// And the other way round.
#[test]
fn metrics_go_on_without_the_logs_endpoint() {
    for fault in FAULTS {
        let collector = failing(Signal::Log, &fault);
        let lambda = flushing(&collector).start().unwrap();
        five_invocations(&lambda);
        assert!(lambda.drain(Duration::from_secs(5)));
        let counters = counters_in_time(&lambda, &fault);
        counters.assert_all_received(&lambda);
        assert_eq!(
            counters.get("points_delivered"),
            collector.points().len() as u64,
            "{fault}"
        );
        assert_eq!(
            counters.get("points_delivered"),
            counters.get("points"),
            "{fault}: {counters:?}"
        );
        assert_eq!(total(&collector, "faas.invocations"), 5.0, "{fault}");
        assert_eq!(count(&collector, "faas.mem_usage"), 5, "{fault}");
        assert_eq!(counters.get("delivered"), 0, "{fault}");
    }
}

/// Both at once: as with one, SHUTDOWN does not take twice as long.
#[test]
fn shutdown_is_bounded_when_both_fail() {
    for (logs, metrics) in [(503, 503), (503, 404), (404, 503)] {
        let collector = healthy_collector();
        collector.set_fault_of(Signal::Log, Fault::Status(logs));
        collector.set_fault_of(Signal::Metric, Fault::Status(metrics));
        let lambda = flushing(&collector).start().unwrap();
        five_invocations(&lambda);
        assert!(lambda.drain(Duration::from_secs(5)));
        let exit = spin_down(&lambda);
        assert!(
            exit.took < DEAD_SHUTDOWN_MAX,
            "{logs} {metrics}: {:?}",
            exit.took
        );
        let counters = accounts(&exit);
        counters.assert_all_received(&lambda);
        assert_eq!(
            (counters.get("delivered"), counters.get("points_delivered")),
            (0, 0)
        );
    }
}

/// While the endpoint is down, measurements are added up where they are, so that a long outage costs no more than a short
/// one. When it is back, the sums are exact.
#[test]
fn what_is_measured_in_an_outage_arrives_added_up() {
    let client = StatsdClient::new();
    let collector = failing(Signal::Metric, &Fault::Status(503));
    let lambda = client.beside(&collector).freezes(false).start().unwrap();
    let mut number = 0;
    let mut invoke_until = |is_over: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !is_over() {
            assert!(Instant::now() < deadline, "in {number} invocations");
            let lines = format!("orders:{number}|c\ntook:{number}.5|ms\ndepth:{number}|g");
            client.invoke(&lambda, [lines]);
            number += 1;
        }
    };
    // The breaker asks again after its pause, which grows with each failure.
    invoke_until(&|| collector.requests_of(Signal::Metric).len() >= 3);
    assert!(collector.points().is_empty());
    collector.set_fault_of(Signal::Metric, Fault::None);
    invoke_until(&|| !collector.points().is_empty());
    assert!(lambda.drain(Duration::from_secs(5)));
    let exit = spin_down(&lambda);
    let counters = accounts(&exit);
    assert_eq!(
        counters.get("points_delivered"),
        counters.get("points"),
        "{counters:?}"
    );
    assert!(counters.get("posts_failed") >= 3, "{counters:?}");
    let sent = counters.get("invocations");
    let numbers = || (0..sent).map(|number| number as f64);
    assert_eq!(total(&collector, "orders"), numbers().sum::<f64>());
    assert_close(
        total(&collector, "took"),
        numbers().map(|number| number + 0.5).sum(),
        "took",
    );
    assert_eq!(
        (
            count(&collector, "took"),
            total(&collector, "faas.invocations")
        ),
        (sent, sent as f64)
    );
    assert_eq!(
        named(&collector, "depth").last().unwrap().value(),
        (sent - 1) as f64
    );
    // What the first try had, what came until the outage was over, and the rest.
    let points = named(&collector, "orders").len();
    assert!(points <= 3, "{sent} invocations are {points} points");
    assert_eq!(counters.losses(), []);
}

/// A slow endpoint: everything once, no invocation past the budget.
#[test]
fn a_slow_metrics_endpoint_holds_nobody() {
    let collector = failing(Signal::Metric, &Fault::Slow(Duration::from_millis(400)));
    let lambda = flushing(&collector).start().unwrap();
    let expected = five_invocations(&lambda);
    assert!(lambda.drain(Duration::from_secs(5)));
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(function_lines(&collector), expected);
    assert_eq!(counters.losses(), []);
    assert_eq!(
        counters.get("points_delivered"),
        counters.get("points"),
        "{counters:?}"
    );
    assert_eq!(total(&collector, "faas.invocations"), 5.0);
}

/// A failing metrics endpoint is told once, with the variable to look at.
#[test]
fn an_outage_is_told_once() {
    let collector = failing(Signal::Metric, &Fault::Status(404));
    let lambda = flushing(&collector).freezes(true).start().unwrap();
    five_invocations(&lambda);
    let exit = spin_down(&lambda);
    assert_eq!(exit.stderr.len(), 2, "{:?}", exit.stderr);
    assert!(
        exit.stderr[0].contains("404") && exit.stderr[0].contains("KINGLET_ENDPOINT"),
        "{:?}",
        exit.stderr
    );
}

/// `partialSuccess` of metrics counts points.
#[test]
fn rejected_points_are_counted() {
    let collector = failing(Signal::Metric, &Fault::Partial(2).first(1));
    let lambda = measuring_at_end(&collector).start().unwrap();
    invoke(&lambda, ["a line"]);
    let counters = accounts(&spin_down(&lambda));
    assert_eq!(
        (counters.get("points_rejected"), counters.get("rejected")),
        (2, 0),
        "{counters:?}"
    );
}
