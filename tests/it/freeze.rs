//! Freezes at bad moments, and platform events that come late or not at all.

use std::thread;
use std::time::Duration;

use kinglet_sandbox::{Deviations, Fault, Outcome, RuntimeDone, Work};

use crate::arrived::{function_lines, lines, of_type};
use crate::counters::Counters;
use crate::extension::{
    HELD_MAX, Held, TOLERANCE, beside, delivering_at_end, faulty_collector, flushing_at_end,
    healthy_collector, invoke, spin_down, start_heard,
};

/// An invocation that is silent for so long is taken to be over, by design 500 ms and what Lambda buffers.
const SILENCE_MAX: Duration = Duration::from_millis(525);

/// A freeze in the middle of a POST, and a thaw: the POST goes on, nothing is lost, nothing repeated.
#[test]
fn a_post_goes_on_after_a_freeze() {
    let collector = faulty_collector(Fault::Slow(Duration::from_millis(150)));
    let builder = beside(&collector).env("KINGLET_FLUSH_INTERVAL_MS", "0");
    let lambda = builder.start().unwrap();
    let running = lambda
        .begin(Work::lines(lines("a", 20)).takes_ms(200))
        .unwrap();
    assert!(
        collector.wait_requests(1, Duration::from_secs(5)),
        "a POST is in flight"
    );
    lambda.freeze();
    thread::sleep(Duration::from_millis(300));
    lambda.thaw();
    assert_eq!(running.wait().unwrap().answer, "OK");
    invoke(&lambda, ["after"]);
    let exit = spin_down(&lambda);
    assert_eq!(
        function_lines(&collector),
        [lines("a", 20), vec!["after".into()]].concat()
    );
    Counters::of(&exit).assert_clean(&lambda);
}

/// The collector gives up the connection during the freeze: the batch is sent again after it, whole.
#[test]
fn a_post_that_a_freeze_has_cut_is_repeated() {
    let collector = faulty_collector(Fault::Hang);
    let builder = beside(&collector).env("KINGLET_FLUSH_INTERVAL_MS", "0");
    let lambda = builder.start().unwrap();
    let running = lambda
        .begin(Work::lines(lines("a", 20)).takes_ms(100))
        .unwrap();
    assert!(
        collector.wait_requests(1, Duration::from_secs(5)),
        "a POST is in flight"
    );
    lambda.freeze();
    // Closes the connection that hangs.
    collector.set_fault(Fault::None);
    thread::sleep(Duration::from_millis(100));
    lambda.thaw();
    assert_eq!(running.wait().unwrap().answer, "OK");
    let exit = spin_down(&lambda);
    assert_eq!(function_lines(&collector), lines("a", 20));
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(counters.losses(), []);
}

/// A kept connection that the collector has closed during a freeze costs nothing: the batch goes over a fresh one, and the
/// breaker stays closed.
#[test]
fn a_connection_that_died_in_a_freeze_is_replaced() {
    let collector = healthy_collector();
    let lambda = start_heard(delivering_at_end(&collector));
    invoke(&lambda, ["before"]);
    // Frozen now. Cuts all connections and listens again.
    collector.set_fault(Fault::Refuse);
    collector.set_fault(Fault::None);
    assert!(invoke(&lambda, ["after"]) < HELD_MAX);
    assert_eq!(
        function_lines(&collector),
        ["before", "after"],
        "delivered at the end of the invocation"
    );
    let exit = spin_down(&lambda);
    assert_eq!(Counters::of(&exit).get("posts_failed"), 0);
    assert_eq!(collector.connections(), 2);
}

/// A connection that was not used for 5 s is not trusted.
#[test]
fn an_old_connection_is_not_trusted() {
    let collector = healthy_collector();
    let lambda = start_heard(delivering_at_end(&collector));
    invoke(&lambda, ["before"]);
    thread::sleep(Duration::from_millis(5100));
    invoke(&lambda, ["after"]);
    assert_eq!(function_lines(&collector), ["before", "after"]);
    assert_eq!(collector.connections(), 2);
    spin_down(&lambda);
}

/// `runtimeDone` late: it is awaited, and then the flush has what is left of its budget.
#[test]
fn runtime_done_may_be_late() {
    let collector = healthy_collector();
    let deviations = Deviations {
        runtime_done: RuntimeDone::Late(Duration::from_millis(150)),
        ..Deviations::default()
    };
    // Enough is left of it, for it counts from when the function was done.
    let lambda = start_heard(delivering_at_end(&collector).deviations(deviations));
    for number in 0..3 {
        let held = invoke(&lambda, [format!("line {number}")]);
        assert!(held < Duration::from_millis(150) + HELD_MAX, "{held:?}");
        assert_eq!(
            function_lines(&collector).len(),
            number + 1,
            "flushed at the end"
        );
    }
    let counters = Counters::of(&spin_down(&lambda));
    assert_eq!(counters.losses(), []);
}

/// `runtimeDone` never comes: the silence is taken for the end, once; from then on no invocation waits for it.
#[test]
fn runtime_done_may_be_missing() {
    let collector = healthy_collector();
    let deviations = Deviations {
        runtime_done: RuntimeDone::Missing,
        ..Deviations::default()
    };
    let builder = delivering_at_end(&collector)
        .deviations(deviations)
        .function_timeout(Duration::from_secs(8));
    let lambda = start_heard(builder);
    let first = invoke(&lambda, ["line 0"]);
    assert!(first < SILENCE_MAX + HELD_MAX, "{first:?}");
    assert_eq!(function_lines(&collector), ["line 0"], "it went out first");
    for number in 1..4 {
        let held = invoke(&lambda, [format!("line {number}")]);
        assert!(held < TOLERANCE, "{held:?}");
    }
    let exit = spin_down(&lambda);
    assert_eq!(
        function_lines(&collector),
        ["line 0", "line 1", "line 2", "line 3"]
    );
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(counters.losses(), []);
}

/// A function that is silent for long is not done for that: what it has written goes out beside it, and the next time it is
/// awaited longer.
#[test]
fn a_silent_function_is_not_lost() {
    let collector = healthy_collector();
    let builder = delivering_at_end(&collector).function_timeout(Duration::from_secs(20));
    let lambda = start_heard(builder);
    // It is awaited for half a second, then for one, then for two; each is far from what the function takes, and from what this
    // machine may be late.
    for (number, silent_ms, last) in [
        (0, 2500, "before 0"),
        (1, 2500, "before 1"),
        (2, 900, "after 2"),
    ] {
        let work = Work::script(move |context| {
            context.write(&format!("before {number}"));
            context.sleep(Duration::from_millis(silent_ms));
            context.write(&format!("after {number}"));
            Outcome::Succeeds
        });
        let (held, _) = Held::of(&lambda, work);
        assert!(held < HELD_MAX, "{held:?}");
        let arrived = function_lines(&collector);
        assert_eq!(arrived.last().unwrap(), last, "{arrived:?}");
    }
    let counters = Counters::of(&spin_down(&lambda));
    assert_eq!(function_lines(&collector).len(), 6);
    assert_eq!(counters.losses(), []);
}

/// Neither start nor done: after half a second next is asked, and never again waited.
#[test]
fn start_and_done_may_both_be_missing() {
    let collector = healthy_collector();
    let deviations = Deviations {
        runtime_done: RuntimeDone::Missing,
        start_missing: true,
        ..Deviations::default()
    };
    let lambda = flushing_at_end(&collector)
        .deviations(deviations)
        .start()
        .unwrap();
    let first = invoke(&lambda, ["line 0"]);
    assert!(first < Duration::from_millis(500) + TOLERANCE, "{first:?}");
    let second = invoke(&lambda, ["line 1"]);
    assert!(second < TOLERANCE, "{second:?}");
    spin_down(&lambda);
    assert_eq!(function_lines(&collector), ["line 0", "line 1"]);
}

/// Without a report SHUTDOWN does not wait for it long.
#[test]
fn the_report_may_be_missing() {
    let collector = healthy_collector();
    let deviations = Deviations {
        report_missing: true,
        ..Deviations::default()
    };
    let lambda = beside(&collector).deviations(deviations).start().unwrap();
    invoke(&lambda, ["a line"]);
    let exit = spin_down(&lambda);
    assert!(
        exit.took < Duration::from_millis(100) + TOLERANCE,
        "{:?}",
        exit.took
    );
    assert_eq!(function_lines(&collector), ["a line"]);
    assert!(of_type(&collector, "platform.report").is_empty());
}

/// A deadline of 0 is unknown: it is never waited on, and the lines arrive all the same.
#[test]
fn a_deadline_of_zero_is_unknown() {
    let collector = healthy_collector();
    let deviations = Deviations {
        deadline_zero: true,
        ..Deviations::default()
    };
    let lambda = flushing_at_end(&collector)
        .deviations(deviations)
        .start()
        .unwrap();
    for number in 0..3 {
        assert!(invoke(&lambda, [format!("line {number}")]) < HELD_MAX);
    }
    spin_down(&lambda);
    assert_eq!(function_lines(&collector), ["line 0", "line 1", "line 2"]);
}
