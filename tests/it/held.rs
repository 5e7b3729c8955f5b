//! How long an invocation is held after its function is done, whatever the collector does and however much was written:
//! one budget, counted from the time that `runtimeDone` itself tells; and that kinglet tells as much itself.

use std::time::Duration;

use kinglet_sandbox::{Deviations, Fault, RuntimeDone, Sandbox, Work};

use crate::arrived::lines;
use crate::counters::Counters;
use crate::extension::{
    Bound, HELD_MAX, Held, faulty_collector, flushing_at_end, healthy_collector, invoke, spin_down,
};

/// How far the two may be apart.
const APART_MAX: Bound = Bound::ms(100);

/// Ends the sandbox and checks that kinglet's `held_ms` is what the sandbox has measured.
fn assert_told(lambda: &Sandbox, held: Held, what: &str) {
    let counters = Counters::of(&spin_down(lambda));
    let told = Duration::from_millis(counters.get("held_ms"));
    assert!(
        held.apart(told) < APART_MAX,
        "{what}: {told:?} for {held:?}"
    );
}

/// Lines that fill more than half of the ring, with a collector that does not empty it in time: `runtimeDone` is left unread
/// with the rest, and holds nothing beyond the budget all the same. It is told when it comes.
#[test]
fn there_is_one_budget_whatever_holds() {
    for fault in [
        Fault::Hang,
        Fault::Slow(Duration::from_millis(900)),
        Fault::Slow(Duration::from_millis(100)),
    ] {
        for count in [2_000, 4_000, 12_000] {
            let collector = faulty_collector(fault.clone());
            let builder = flushing_at_end(&collector)
                .function_timeout(Duration::from_secs(30))
                .freezes(false);
            let lambda = builder.start().unwrap();
            let burst = Work::lines(lines(&"x".repeat(150), count));
            let (held, _) = Held::of(&lambda, burst);
            let what = format!("{fault}, {count} lines");
            assert!(held < HELD_MAX, "{what}: {held:?}");
            // Awake long enough to read what is left.
            assert!(lambda.drain(Duration::from_secs(20)), "{what}");
            assert_told(&lambda, held, &what);
        }
    }
}

/// It counts from the time of the event, not from when that has come.
#[test]
fn what_is_told_as_held_is_what_was_held() {
    let collector = healthy_collector();
    let deviations = Deviations {
        runtime_done: RuntimeDone::Late(Duration::from_millis(150)),
        ..Deviations::default()
    };
    let lambda = flushing_at_end(&collector)
        .deviations(deviations)
        .start()
        .unwrap();
    let held = invoke(&lambda, ["one"]).and(invoke(&lambda, ["two"]));
    assert!(held.time > Duration::from_millis(300), "{held:?}");
    assert_told(&lambda, held, "late");
}
