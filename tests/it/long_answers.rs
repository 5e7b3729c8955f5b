//! Answers of any length, at any pace, and without an end: the status counts as soon as it is there, and nobody waits for the
//! rest.

use std::thread;
use std::time::Duration;

use kinglet_sandbox::{Collector, Endless, Exit, Fault, Framing, Mode, Pace, Sandbox};

use crate::arrived::{events, function_lines, lines};
use crate::counters::Counters;
use crate::extension::{
    DEAD_SHUTDOWN_MAX, HELD_MAX, Held, beside, faulty_collector, flushing_at_end, invoke, spin_down,
};

/// What SHUTDOWN may take when the status is a 2xx, and the tolerance.
const SHUTDOWN_MAX: Duration = Duration::from_millis(100 + 200);
/// The longest answer that is looked at.
const BYTES_MAX: usize = 20_000;

/// Where something ends: what is read of a body, the input buffer, and a TCP segment of the loopback device; the head is
/// somewhere before. Longer ones have been seen to hang.
fn borders() -> impl Iterator<Item = usize> {
    let around = [4096, 10_240, 16_384, BYTES_MAX];
    let around = around
        .into_iter()
        .flat_map(|border| [border - 90, border - 1, border, border + 1]);
    [0, 1, 2, 3, 5000].into_iter().chain(around)
}

/// A few invocations that wait for the collector, and then SHUTDOWN with something left to send.
fn run(collector: &Collector) -> (Sandbox, Vec<Held>, Exit) {
    let lambda = flushing_at_end(collector).start().unwrap();
    let held = (0..3)
        .map(|number| invoke(&lambda, lines(&format!("invocation {number}"), 10)))
        .collect();
    let exit = spin_down(&lambda);
    (lambda, held, exit)
}

/// Runs `check` for each on a few threads.
fn for_each<T: Send>(all: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    let mut all: Vec<T> = all.into_iter().collect();
    while !all.is_empty() {
        let some = all.split_off(all.len().saturating_sub(4));
        thread::scope(|scope| {
            for each in some {
                scope.spawn(|| check(each));
            }
        });
    }
}

/// A 2xx is a 2xx, however long its body is and however slowly it comes: everything is delivered once, next is not held for
/// it, and SHUTDOWN does not wait.
#[test]
fn a_long_answer_holds_nothing() {
    let framings = [Framing::Whole, Framing::Chunked, Framing::Dripped];
    let all = framings
        .into_iter()
        .flat_map(|framing| borders().map(move |bytes| (bytes, framing)));
    for_each(all, |(bytes, framing)| {
        let fault = Fault::Body(200, bytes, framing);
        let collector = faulty_collector(fault.clone());
        let (lambda, held, exit) = run(&collector);
        assert!(
            held.iter().all(|held| *held < HELD_MAX),
            "{fault}: {held:?}"
        );
        assert!(exit.took < SHUTDOWN_MAX, "{fault}: {:?}", exit.took);
        Counters::of(&exit).assert_clean(&lambda);
        assert_eq!(function_lines(&collector).len(), 30, "{fault}");
    });
}

/// The same for every length there is, one answer after the other, as fast as they come.
#[test]
fn every_length_is_an_answer() {
    for_each(
        [(1, Framing::Whole), (7, Framing::Chunked)],
        |(step, framing)| {
            let fault = Fault::Longer(step, framing);
            let collector = faulty_collector(fault.clone());
            let lambda = beside(&collector)
                .mode(Mode::ManagedInstances)
                .env("KINGLET_FLUSH_INTERVAL_MS", "1")
                .env("KINGLET_BUFFER_BYTES", "16777216")
                .shutdown_budget(Duration::from_secs(20))
                .start()
                .unwrap();
            let answers = BYTES_MAX / step + 1;
            let mut sent = Vec::new();
            // With a 413 to whatever is more than one record it is at least one answer a record.
            while !collector.wait_requests(answers, Duration::ZERO) {
                let some = lines(&format!("after {}", sent.len()), 500);
                invoke(&lambda, some.clone());
                sent.extend(some);
                let is_answered = collector.wait_requests(sent.len(), Duration::from_secs(60));
                assert!(is_answered, "{fault}: {}", collector.requests().len());
            }
            // What is left goes at once.
            collector.set_fault(Fault::None);
            let exit = spin_down(&lambda);
            let counters = Counters::of(&exit);
            counters.assert_all_received(&lambda);
            assert_eq!(counters.losses(), [], "{fault}");
            assert_eq!(function_lines(&collector), sent, "{fault}");
        },
    );
}

/// An answer that is none, for its status says so, is as good with a long body as with a short one.
#[test]
fn a_long_refusal_costs_no_more_than_a_short_one() {
    for_each(borders(), |bytes| {
        let fault = Fault::Body(503, bytes, Framing::Chunked);
        let collector = faulty_collector(fault.clone());
        let (lambda, held, exit) = run(&collector);
        assert!(
            held.iter().all(|held| *held < HELD_MAX),
            "{fault}: {held:?}"
        );
        assert!(exit.took < DEAD_SHUTDOWN_MAX, "{fault}: {:?}", exit.took);
        let counters = Counters::of(&exit);
        counters.assert_all_received(&lambda);
        assert!(
            exit.stderr.iter().any(|line| line.contains("503")),
            "{fault}: {:?}",
            exit.stderr
        );
        assert_eq!(
            counters.get("abandoned"),
            counters.get("received"),
            "{fault}"
        );
    });
}

/// A collector that never stops sending, whatever it sends: next is asked in time, SHUTDOWN is heard and obeyed, and what has a
/// status is delivered.
#[test]
fn what_never_ends_holds_nothing() {
    let paces = [Pace::Flood, Pace::Drip];
    let all = paces
        .into_iter()
        .flat_map(|pace| Endless::ALL.map(|endless| (endless, pace)));
    for_each(all, |(endless, pace)| {
        let fault = Fault::Endless(endless, pace);
        let collector = faulty_collector(fault.clone());
        let (lambda, held, exit) = run(&collector);
        assert!(
            held.iter().all(|held| *held < HELD_MAX),
            "{fault}: {held:?}"
        );
        let counters = Counters::of(&exit);
        counters.assert_all_received(&lambda);
        if endless.has_status() {
            assert!(exit.took < SHUTDOWN_MAX, "{fault}: {:?}", exit.took);
            assert_eq!(
                (counters.losses(), counters.get("posts_failed")),
                (vec![], 0),
                "{fault}"
            );
            assert_eq!(counters.get("delivered"), events(&collector), "{fault}");
        } else if pace == Pace::Flood {
            assert!(exit.took < DEAD_SHUTDOWN_MAX, "{fault}: {:?}", exit.took);
            assert!(counters.get("posts_failed") > 0, "{fault}: {counters:?}");
        }
    });
}

/// SHUTDOWN comes in the middle of a flood, and of a POST.
#[test]
fn shutdown_is_heard_in_a_flood() {
    for_each(Endless::ALL, |endless| {
        let fault = Fault::Endless(endless, Pace::Flood);
        let collector = faulty_collector(fault.clone());
        let lambda = beside(&collector).freezes(false).start().unwrap();
        invoke(&lambda, lines("first", 10));
        let exit = spin_down(&lambda);
        assert!(exit.took < DEAD_SHUTDOWN_MAX, "{fault}: {:?}", exit.took);
        Counters::of(&exit).assert_all_received(&lambda);
    });
}
