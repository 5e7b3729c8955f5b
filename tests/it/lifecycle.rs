//! When records go out, and how long next is held for it: `KINGLET_FLUSH` and its neighbours.

use std::time::{Duration, Instant};

use kinglet_sandbox::{Fault, Work};

use crate::arrived::{function_lines, lines};
use crate::counters::Counters;
use crate::extension::{
    AT_ONCE, Bound, HELD_MAX, Held, PATIENT, TOLERANCE, alone, beside, delivering_at_end,
    faulty_collector, flushing_at_end, healthy_collector, invoke, spin_down, start_heard,
};

/// `end`: what an invocation has written is at the collector when it is over.
#[test]
fn end_delivers_before_the_invocation_is_over() {
    let collector = healthy_collector();
    let lambda = start_heard(delivering_at_end(&collector));
    for number in 1..4 {
        assert!(invoke(&lambda, lines(&format!("invocation {number}"), 10)) < HELD_MAX);
        assert_eq!(function_lines(&collector).len(), number * 10);
    }
    let counters = Counters::of(&spin_down(&lambda));
    assert_eq!(
        (counters.get("invocations"), counters.losses()),
        (3, vec![])
    );
}

/// `start`: no invocation is held after the function is done, whatever the collector does; the lines arrive later.
#[test]
fn start_never_holds_after_the_function() {
    for fault in [
        Fault::None,
        Fault::Slow(Duration::from_millis(400)),
        Fault::Hang,
        Fault::Status(503),
    ] {
        let collector = faulty_collector(fault.clone());
        let lambda = beside(&collector)
            .env("KINGLET_FLUSH", "start")
            .start()
            .unwrap();
        for number in 0..4 {
            // Longer than the budget: what is held beside the function costs nothing.
            let work = Work::lines([format!("line {number}")]).takes_ms(350);
            let (held, _) = Held::of(&lambda, work);
            assert!(held < AT_ONCE, "{fault}: {held:?}");
        }
        spin_down(&lambda);
        let expected = if matches!(fault, Fault::None | Fault::Slow(_)) {
            4
        } else {
            0
        };
        assert_eq!(function_lines(&collector).len(), expected, "{fault}");
    }
}

/// Invocations so short that each is frozen before Lambda has delivered anything: SHUTDOWN waits for what is on its way.
#[test]
fn very_short_invocations_are_recorded() {
    for flush in ["start", "end", "adaptive"] {
        let collector = healthy_collector();
        let lambda = beside(&collector)
            .env("KINGLET_FLUSH", flush)
            .start()
            .unwrap();
        for number in 0..3 {
            invoke(&lambda, [format!("line {number}")]);
        }
        let exit = spin_down(&lambda);
        assert_eq!(
            function_lines(&collector),
            ["line 0", "line 1", "line 2"],
            "{flush}: {:?}",
            exit.stderr
        );
    }
}

/// `adaptive`, the default: the first invocation is flushed at its end, those that follow it closely are not held.
#[test]
fn adaptive_holds_the_first_invocation_only() {
    let collector = faulty_collector(Fault::Slow(Duration::from_millis(100)));
    // Nothing gets too old meanwhile.
    let builder = beside(&collector)
        .env(PATIENT.0, PATIENT.1)
        .env("KINGLET_FLUSH_INTERVAL_MS", "60000");
    let lambda = start_heard(builder);
    let first = invoke(&lambda, ["first"]);
    assert!(
        first.time >= Duration::from_millis(100) && first < HELD_MAX,
        "{first:?}"
    );
    assert_eq!(function_lines(&collector), ["first"]);
    for _ in 0..3 {
        let held = invoke(&lambda, ["later"]);
        assert!(held < AT_ONCE, "{held:?}");
    }
    assert_eq!(function_lines(&collector), ["first"]);
    spin_down(&lambda);
    assert_eq!(
        function_lines(&collector),
        ["first", "later", "later", "later"]
    );
}

/// The budget bounds the holding, not the POST: that goes on, and is not repeated.
#[test]
fn the_budget_is_kept() {
    for budget_ms in [0, 80, 250] {
        let collector = faulty_collector(Fault::Slow(Duration::from_millis(400)));
        let builder =
            flushing_at_end(&collector).env("KINGLET_FLUSH_BUDGET_MS", budget_ms.to_string());
        let lambda = builder.freezes(false).start().unwrap();
        let held = invoke(&lambda, ["a line"]);
        assert!(
            held < Duration::from_millis(budget_ms) + TOLERANCE,
            "{budget_ms}: {held:?}"
        );
        spin_down(&lambda);
        assert_eq!(function_lines(&collector), ["a line"], "{budget_ms}");
        assert_eq!(collector.connections(), 1, "{budget_ms}");
    }
}

/// What is older than the flush interval goes out beside the running function.
#[test]
fn old_records_go_out_beside_the_function() {
    let collector = healthy_collector();
    let builder = beside(&collector)
        .env("KINGLET_FLUSH", "start")
        .env("OTEL_BLRP_SCHEDULE_DELAY", "200");
    let lambda = builder.start().unwrap();
    let running = lambda.begin(Work::lines(["early"]).takes_ms(1500)).unwrap();
    let began = Instant::now();
    let found = collector.wait_records(Duration::from_secs(3), |records| {
        records.iter().any(|record| record.text() == "early")
    });
    assert!(!found.is_empty());
    assert!(
        began.elapsed() < Bound::ms(1000),
        "while the function runs: {:?}",
        began.elapsed()
    );
    running.wait().unwrap();
    spin_down(&lambda);
}

/// Half a second before the deadline of an invocation everything goes out: a timeout may leave no time for it later.
#[test]
fn records_go_out_before_a_deadline() {
    let collector = healthy_collector();
    let builder = beside(&collector).function_timeout(Duration::from_millis(1500));
    let lambda = builder.env("KINGLET_FLUSH", "start").start().unwrap();
    let running = lambda
        .begin(Work::lines(["last words"]).times_out())
        .unwrap();
    let began = Instant::now();
    collector.wait_records(Duration::from_secs(3), |records| {
        records.iter().any(|record| record.text() == "last words")
    });
    assert!(
        began.elapsed() < Bound::ms(1400),
        "before the timeout: {:?}",
        began.elapsed()
    );
    assert_eq!(running.wait().unwrap().status, "timeout");
}

/// Half a ring of records goes out while the function runs, without waiting for an interval or an end.
#[test]
fn a_full_ring_goes_out_at_once() {
    let collector = healthy_collector();
    let builder = beside(&collector)
        .env("KINGLET_FLUSH", "start")
        .env("KINGLET_BUFFER_BYTES", "65536");
    let lambda = builder.start().unwrap();
    let running = lambda
        .begin(Work::lines(lines(&"x".repeat(80), 400)).takes_ms(1500))
        .unwrap();
    let began = Instant::now();
    assert!(collector.wait_requests(1, Duration::from_secs(3)));
    assert!(began.elapsed() < Bound::ms(1000), "{:?}", began.elapsed());
    running.wait().unwrap();
    spin_down(&lambda);
    assert_eq!(function_lines(&collector).len(), 400);
}

/// The function's own failures stay its own: an exception, a crash and a timeout are answered as without an extension, and
/// kinglet is there again afterwards. (A subscription outlives a reset, so the port must be the same.)
#[test]
fn the_functions_failures_stay_its_own() {
    let collector = healthy_collector();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let builder = alone()
        .env("KINGLET_ENDPOINT", collector.url())
        .env("KINGLET_PORT", port.to_string());
    let lambda = builder
        .function_timeout(Duration::from_millis(800))
        .start()
        .unwrap();
    let thrown = lambda.invoke(Work::lines(["thrown"]).throws()).unwrap();
    assert_eq!(
        (
            thrown.status.as_str(),
            thrown.error,
            &thrown.answer["errorMessage"]
        ),
        ("success", true, &"it throws".into())
    );
    let crashed = lambda.invoke(Work::lines(["crashed"]).crashes()).unwrap();
    assert_eq!(
        (crashed.status.as_str(), crashed.error_type.as_deref()),
        ("error", Some("Runtime.ExitError"))
    );
    let timed_out = lambda
        .invoke(Work::lines(["timed out"]).times_out())
        .unwrap();
    assert_eq!(
        (timed_out.status.as_str(), timed_out.error_type.as_deref()),
        ("timeout", Some("Sandbox.Timedout"))
    );
    for exit in lambda.last_exits() {
        assert!(exit.status.success() && !exit.killed, "{exit:?}");
    }
    invoke(&lambda, ["well again"]);
    spin_down(&lambda);
    assert_eq!(
        function_lines(&collector),
        ["thrown", "crashed", "timed out", "well again"]
    );
}
