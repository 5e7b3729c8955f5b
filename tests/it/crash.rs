//! Bugs of our own: the process dies inside and carries on outside. The function never notices.

use std::process::Command;
use std::thread;
use std::time::Duration;

use kinglet_sandbox::{Deviations, Exit, Sandbox};

use crate::extension::{Bound, HELD_MAX, beside, healthy_collector, invoke, spin_down_at_once};

/// Aborts in this state (debug builds do so on demand), and is invoked on and on.
fn crash_in(state: &str) {
    println!("{state}");
    let collector = healthy_collector();
    let lambda = beside(&collector)
        .env("KINGLET_DEBUG_CRASH", state)
        .start()
        .unwrap();
    invoke_on(&lambda);
    assert_carried_on(&spin_down_at_once(&lambda));
}

/// Every invocation is answered as if nothing had happened.
fn invoke_on(lambda: &Sandbox) {
    for number in 0..4 {
        assert!(invoke(lambda, [format!("line {number}")]) < HELD_MAX);
    }
}

fn assert_carried_on(exit: &Exit) {
    let told = exit
        .stderr
        .iter()
        .filter(|line| line.starts_with("kinglet: internal error"))
        .count();
    assert_eq!(told, 1, "{:?}", exit.stderr);
    assert_eq!(exit.status.code(), Some(0));
    assert!(exit.took < Bound::ms(500), "{:?}", exit.took);
}

/// Wherever a bug may strike between register and the end, the function is invoked as if nothing had happened, and the process
/// ends well.
#[test]
fn at_every_step_of_a_life() {
    let steps = [
        // Before the first next: there is a configuration to be read, and a subscription to be made.
        "registered",
        "subscribed",
        // Next is outstanding on a connection that is kept.
        "asked",
        "initialized",
        "telemetry",
        // The answer to next is read, but not understood yet: it does not come again.
        "answer",
        // Between the answer to next and the next question.
        "invoke",
        // Next is held, waiting for the end of the invocation.
        "done",
        // In the middle of a POST, and with its answer.
        "post",
        "posted",
        // After SHUTDOWN has been read: there is nothing to carry on with but a good end.
        "last answer",
        "shutdown",
        "conclude",
    ];
    for step in steps {
        crash_in(step);
    }
}

/// The connection is lost on which next was asked: it is asked on another.
#[test]
fn when_next_is_lost() {
    let collector = healthy_collector();
    let lambda = beside(&collector)
        .env("KINGLET_DEBUG_CRASH", "lost")
        .deviations(Deviations {
            next_drops: 1,
            ..Deviations::default()
        })
        .start()
        .unwrap();
    invoke_on(&lambda);
    assert_carried_on(&spin_down_at_once(&lambda));
}

/// Fatal signals from outside, awake and frozen, while next is outstanding: the pending answer is still read.
#[test]
fn fatal_signals_while_next_is_outstanding() {
    let signals = [
        "SEGV", "ILL", "BUS", "FPE", "TRAP", "ABRT", "SYS", "XCPU", "XFSZ",
    ];
    for (number, signal) in signals.into_iter().enumerate() {
        let collector = healthy_collector();
        let lambda = beside(&collector).freezes(number % 2 == 0).start().unwrap();
        invoke(&lambda, ["before"]);
        let pid = lambda.pid().expect("it runs").to_string();
        let sent = Command::new("kill")
            .args(["-s", signal, &pid])
            .status()
            .unwrap();
        assert!(sent.success());
        thread::sleep(Duration::from_millis(20));
        invoke_on(&lambda);
        assert_carried_on(&spin_down_at_once(&lambda));
    }
}
