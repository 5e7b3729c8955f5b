//! SHUTDOWN: what is left goes out if it can, and the process goes in time in any case.

use std::thread;
use std::time::Duration;

use kinglet_sandbox::{Deviations, Fault, Work};

use crate::arrived::{events, function_lines, lines};
use crate::counters::Counters;
use crate::extension::{
    Bound, DEAD_SHUTDOWN_MAX, HELD_MAX, TOLERANCE, beside, faulty_collector, healthy_collector,
    invoke, spin_down, spin_down_at_once,
};

/// Every way of being down.
const DEAD: [Fault; 5] = [
    Fault::Refuse,
    Fault::Status(503),
    Fault::Reset,
    Fault::Garbage,
    Fault::RetryAfter(30),
];

/// A collector that is down, in whatever way, costs SHUTDOWN at most 700 ms; what is left unsent is counted as abandoned.
#[test]
fn a_dead_collector_costs_little_and_is_accounted_for() {
    for fault in DEAD {
        let collector = faulty_collector(fault.clone());
        let lambda = beside(&collector).freezes(false).start().unwrap();
        invoke(&lambda, lines("first", 20));
        invoke(&lambda, lines("second", 20));
        assert!(lambda.drain(Duration::from_secs(5)));
        let exit = spin_down(&lambda);
        assert!(exit.took < DEAD_SHUTDOWN_MAX, "{fault}: {:?}", exit.took);
        let counters = Counters::of(&exit);
        counters.assert_all_received(&lambda);
        assert_eq!(
            counters.get("abandoned"),
            counters.get("received"),
            "{fault}"
        );
        assert!(counters.get("abandoned") >= 40, "{fault}: {counters:?}");
        assert!(counters.get("posts_failed") >= 1, "{fault}: {counters:?}");
        assert_eq!(counters.reason, "spindown");
    }
}

/// Lines that Lambda has not delivered yet when SHUTDOWN comes are received and counted, too, though there is no collector
/// for them: the report of the last invocation is awaited for 40 ms in any case.
#[test]
fn lines_on_their_way_are_counted_without_a_collector() {
    for fault in DEAD {
        let collector = faulty_collector(fault.clone());
        let lambda = beside(&collector).start().unwrap();
        invoke(&lambda, lines("first", 20));
        // The freeze comes at once, with these in Lambda's buffer.
        invoke(&lambda, lines("second", 20));
        let exit = spin_down_at_once(&lambda);
        let counters = Counters::of(&exit);
        counters.assert_all_received(&lambda);
        assert_eq!(
            counters.get("abandoned"),
            counters.get("received"),
            "{fault}: {counters:?}"
        );
    }
}

/// Without any invocation there is nothing to wait for, and the records of the init arrive.
#[test]
fn without_an_invocation_it_ends_at_once() {
    let collector = healthy_collector();
    let builder = beside(&collector).function_init(["initializing"], Duration::ZERO);
    let lambda = builder.start().unwrap();
    assert!(lambda.drain(Duration::from_secs(2)));
    let exit = spin_down(&lambda);
    assert!(exit.took < TOLERANCE, "{:?}", exit.took);
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(
        (counters.get("invocations"), counters.get("abandoned")),
        (0, 0)
    );
    assert_eq!(function_lines(&collector), ["initializing"]);
    assert_eq!(counters.get("delivered"), events(&collector));
}

/// The last invocation's lines arrive although SHUTDOWN comes on its heels.
#[test]
fn the_last_lines_arrive() {
    let collector = healthy_collector();
    let lambda = beside(&collector).start().unwrap();
    for number in 0..3 {
        invoke(&lambda, lines(&format!("invocation {number}"), 10));
    }
    let exit = spin_down_at_once(&lambda);
    assert!(exit.took < TOLERANCE, "{:?}", exit.took);
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    // All that Lambda has delivered until kinglet went: all 30 unless the machine is very busy.
    let arrived = function_lines(&collector).len();
    assert_eq!(arrived, lambda.delivered().lines);
    assert!(
        arrived >= 10,
        "the first invocation is not in a hurry: {arrived}"
    );
    assert_eq!(
        (counters.losses(), counters.get("delivered")),
        (vec![], events(&collector))
    );
}

/// A collector that takes its time, with telemetry and SHUTDOWN coming in the middle of a POST: everything arrives once.
#[test]
fn a_slow_collector_gets_all_while_telemetry_and_shutdown_arrive() {
    let collector = faulty_collector(Fault::Slow(Duration::from_millis(300)));
    let lambda = beside(&collector).freezes(false).start().unwrap();
    // The first POST outlives this invocation.
    assert!(invoke(&lambda, lines("first", 10)) < HELD_MAX);
    invoke(&lambda, lines("second", 500));
    let exit = spin_down(&lambda);
    assert!(exit.took < Bound::ms(1800), "{:?}", exit.took);
    let expected = [lines("first", 10), lines("second", 500)].concat();
    assert_eq!(function_lines(&collector), expected);
    Counters::of(&exit).assert_clean(&lambda);
}

/// A collector that never answers does not keep the process beyond SHUTDOWN's deadline: it goes by itself, and says what it
/// has left behind.
#[test]
fn a_hanging_collector_cannot_keep_it() {
    for budget_ms in [2000, 600] {
        let collector = faulty_collector(Fault::Hang);
        let budget = Duration::from_millis(budget_ms);
        let lambda = beside(&collector).shutdown_budget(budget).start().unwrap();
        invoke(&lambda, lines("hang", 20));
        let exit = spin_down(&lambda);
        assert!(exit.took < budget, "{:?}", exit.took);
        let counters = Counters::of(&exit);
        counters.assert_all_received(&lambda);
        assert_eq!(counters.get("abandoned"), counters.get("received"));
        assert_eq!(
            collector.requests().len(),
            1,
            "it hangs in its first request"
        );
    }
}

/// The reason is taken in any spelling, and one that nobody has heard of does no harm.
#[test]
fn any_reason_will_do() {
    for (reason, upper_case_reason) in [
        ("spindown", true),
        ("timeout", false),
        ("failure", true),
        ("whatever", false),
    ] {
        let collector = healthy_collector();
        let deviations = Deviations {
            upper_case_reason,
            ..Deviations::default()
        };
        let lambda = beside(&collector).deviations(deviations).start().unwrap();
        invoke(&lambda, ["a line"]);
        let exit = lambda.shutdown(reason).unwrap();
        assert!(exit.status.success() && !exit.killed, "{exit:?}");
        assert!(
            Counters::of(&exit).reason.eq_ignore_ascii_case(reason),
            "{:?}",
            exit.stderr
        );
        assert_eq!(function_lines(&collector), ["a line"]);
    }
}

/// A collector that comes back before SHUTDOWN gets everything that was kept for it, in order.
#[test]
fn what_was_kept_goes_out_at_shutdown() {
    let collector = faulty_collector(Fault::Refuse);
    let lambda = beside(&collector).start().unwrap();
    for number in 0..3 {
        invoke(&lambda, lines(&format!("invocation {number}"), 50));
    }
    collector.set_fault(Fault::None);
    let exit = spin_down(&lambda);
    let expected: Vec<String> = (0..3)
        .flat_map(|number| lines(&format!("invocation {number}"), 50))
        .collect();
    assert_eq!(function_lines(&collector), expected);
    let counters = Counters::of(&exit);
    counters.assert_all_received(&lambda);
    assert_eq!(
        (counters.losses(), counters.get("delivered")),
        (vec![], events(&collector))
    );
}

/// SHUTDOWN in the middle of an invocation (a timeout): the lines until then arrive before the process goes.
#[test]
fn a_timeout_brings_the_last_words() {
    let collector = healthy_collector();
    let lambda = beside(&collector)
        .function_timeout(Duration::from_millis(700))
        .start()
        .unwrap();
    invoke(&lambda, ["first"]);
    let timed_out = lambda
        .invoke(Work::lines(["last words"]).times_out())
        .unwrap();
    assert_eq!(timed_out.status, "timeout");
    let exits = lambda.last_exits();
    let [exit] = exits.as_slice() else {
        panic!("{exits:?}")
    };
    assert!(exit.status.success() && !exit.killed, "{exit:?}");
    assert_eq!(Counters::of(exit).reason, "timeout");
    thread::sleep(Duration::from_millis(20));
    assert_eq!(function_lines(&collector), ["first", "last words"]);
}
