//! Collectors that are slow, down, broken or picky: the function's time and answers stay its own, and what is lost is told.

use std::thread;
use std::time::Duration;

use kinglet_sandbox::{Collector, Fault, Sandbox};

use crate::arrived::{events, function_lines, lines, of_type, told_losses};
use crate::counters::Counters;
use crate::extension::{
    AT_ONCE, HELD_MAX, Held, TOLERANCE, faulty_collector, flushing_at_end, healthy_collector,
    invoke, spin_down,
};

/// A few invocations beside this collector, flushed at the end of each: the setting that waits most for the collector.
pub fn five_invocations(fault: &Fault) -> (Collector, Sandbox, Vec<Held>) {
    let collector = faulty_collector(fault.clone());
    let lambda = flushing_at_end(&collector).start().unwrap();
    let held = invoke_five_times(&lambda);
    (collector, lambda, held)
}

pub fn invoke_five_times(lambda: &Sandbox) -> Vec<Held> {
    (0..5)
        .map(|number| invoke(lambda, lines(&format!("invocation {number}"), 10)))
        .collect()
}

/// Every line is at the collector or in the counters, and no invocation was held past the budget.
fn assert_harmless(fault: &Fault) {
    let (collector, lambda, held) = five_invocations(fault);
    let exit = spin_down(&lambda);
    assert!(
        held.iter().all(|held| *held < HELD_MAX),
        "{fault}: {held:?}"
    );
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(counters.get("evicted"), 0, "{fault}: {counters:?}");
    // What was answered with a 2xx was delivered, but for what its answer has rejected.
    let arrived = counters.get("delivered")
        + if let Fault::Partial(_) = fault {
            counters.get("rejected")
        } else {
            0
        };
    assert_eq!(arrived, events(&collector), "{fault}: {counters:?}");
    let mut seen = function_lines(&collector);
    let count = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), count, "{fault}: nothing is accepted twice");
}

/// No fault of the collector's changes an answer of the function, holds an invocation past the budget, or loses anything
/// without a trace.
#[test]
fn no_fault_harms_the_function() {
    let faults = [
        Fault::Slow(Duration::from_millis(100)),
        Fault::Slow(Duration::from_millis(400)),
        Fault::Status(503),
        Fault::Refuse,
        Fault::Reset,
        Fault::Hang,
        Fault::Garbage,
        Fault::Cut(100),
        Fault::RetryAfter(2),
        Fault::Partial(3),
        Fault::Close,
        Fault::Status(413),
        Fault::Status(400),
        Fault::Status(404),
        Fault::Status(401),
        Fault::Status(500),
        Fault::Status(302),
        Fault::Status(204),
    ];
    for pair in faults.chunks(3) {
        thread::scope(|scope| {
            pair.iter()
                .for_each(|fault| drop(scope.spawn(|| assert_harmless(fault))))
        });
    }
}

/// After the first failure nothing is held: the breaker is open, and half-open it does not hold either.
#[test]
fn nothing_is_held_after_the_first_failure() {
    for fault in [
        Fault::Status(503),
        Fault::Refuse,
        Fault::Reset,
        Fault::Garbage,
    ] {
        let collector = faulty_collector(fault.clone());
        let lambda = flushing_at_end(&collector).freezes(false).start().unwrap();
        assert!(invoke(&lambda, lines("first", 10)) < HELD_MAX);
        let held: Vec<_> = (0..8)
            .map(|number| {
                // The first pause of the breaker ends somewhere in here.
                thread::sleep(Duration::from_millis(170));
                invoke(&lambda, lines(&format!("invocation {number}"), 10))
            })
            .collect();
        let brief = held.iter().filter(|held| **held < AT_ONCE).count();
        assert!(brief >= 7, "{fault}: {held:?}");
        spin_down(&lambda);
    }
}

/// A collector that answers after 400 ms, longer than the budget: nothing lost, nothing repeated.
#[test]
fn a_slow_collector_loses_and_repeats_nothing() {
    let fault = Fault::Slow(Duration::from_millis(400));
    let (collector, lambda, held) = five_invocations(&fault);
    let exit = spin_down(&lambda);
    assert!(held.iter().all(|held| *held < HELD_MAX), "{held:?}");
    let expected: Vec<String> = (0..5)
        .flat_map(|number| lines(&format!("invocation {number}"), 10))
        .collect();
    assert_eq!(function_lines(&collector), expected);
    Counters::of(&exit).assert_clean(&lambda);
}

/// 503, then 200: the loss records together tell exactly what is missing at the collector.
#[test]
fn the_loss_record_equals_what_is_missing() {
    for failures in [1, 2] {
        let collector = faulty_collector(Fault::Status(503).first(failures));
        let lambda = flushing_at_end(&collector)
            .env("KINGLET_BUFFER_BYTES", "65536")
            .freezes(false)
            .start()
            .unwrap();
        let mut sent = Vec::new();
        for number in 0..6 {
            let some = lines(&format!("invocation {number} {}", "x".repeat(60)), 300);
            sent.extend(some.clone());
            invoke(&lambda, some);
            thread::sleep(Duration::from_millis(if failures > 1 { 400 } else { 20 }));
        }
        let exit = spin_down(&lambda);
        let counters = Counters::of(&exit);
        counters.assert_all_received(&lambda);
        let [evicted, rejected, malformed] = told_losses(&collector);
        assert_eq!((rejected, malformed), (0, 0));
        assert!(evicted > 500, "the ring has overflowed: {evicted}");
        assert_eq!(evicted, counters.get("evicted"));
        assert_eq!(
            evicted,
            counters.get("received") - events(&collector),
            "{counters:?}"
        );
        // What is there is in order, and the newest is there.
        let arrived = function_lines(&collector);
        let mut remaining = sent.iter();
        assert!(
            arrived
                .iter()
                .all(|line| remaining.any(|other| other == line)),
            "in order, once each"
        );
        assert_eq!(arrived.last(), sent.last());
        assert!(
            of_type(&collector, "kinglet.loss")
                .iter()
                .all(|loss| loss.severity == "WARN")
        );
    }
}

/// Own messages are few, whatever a collector does for many invocations.
#[test]
fn a_broken_collector_is_told_once() {
    let collector = faulty_collector(Fault::Status(503));
    let lambda = flushing_at_end(&collector).start().unwrap();
    for number in 0..30 {
        invoke(&lambda, [format!("line {number}")]);
    }
    let exit = spin_down(&lambda);
    assert!(exit.stderr.len() <= 3, "{:?}", exit.stderr);
    assert!(
        exit.stderr[0].contains("503") && exit.stderr[0].contains("KINGLET_ENDPOINT"),
        "{:?}",
        exit.stderr
    );
}

/// A healthy collector costs little even where every invocation waits for it.
#[test]
fn a_healthy_collector_is_quick() {
    let collector = healthy_collector();
    let lambda = flushing_at_end(&collector).start().unwrap();
    let held: Vec<_> = (0..9)
        .map(|number| invoke(&lambda, [format!("line {number}")]))
        .collect();
    // Lambda buffers for 25 ms; then one POST.
    let quick = held.iter().filter(|held| **held < TOLERANCE).count();
    assert!(quick >= 5, "{held:?}");
    spin_down(&lambda);
}
