//! Bugs of our own: the process dies inside and carries on outside. The function never notices.

use std::process::Command;
use std::thread;
use std::time::Duration;

use kinglet_sandbox::{Exit, Sandbox};

use crate::extension::{HELD_MAX, beside, healthy_collector, invoke, spin_down};

/// Aborts in this state (debug builds do so on demand), and is invoked on and on.
fn crash_in(state: &str) {
    let collector = healthy_collector();
    let lambda = beside(&collector)
        .env("KINGLET_DEBUG_CRASH", state)
        .start()
        .unwrap();
    invoke_on(&lambda);
    assert_carried_on(&spin_down(&lambda));
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
    assert!(exit.took < Duration::from_millis(500), "{:?}", exit.took);
}

/// In the first telemetry: next is outstanding on a connection that is kept.
#[test]
fn when_telemetry_arrives() {
    crash_in("telemetry");
}

/// Between the answer to next and the next question.
#[test]
fn when_invoked() {
    crash_in("invoke");
}

/// When next is held, waiting for the end of the invocation.
#[test]
fn when_the_runtime_is_done() {
    crash_in("done");
}

/// In the middle of a POST.
#[test]
fn in_a_post() {
    crash_in("post");
}

/// After SHUTDOWN has been read: there is nothing to carry on with but a good end.
#[test]
fn in_shutdown() {
    crash_in("shutdown");
}

/// Fatal signals from outside, awake and frozen, while next is outstanding: the pending answer is still read.
#[test]
fn fatal_signals_while_next_is_outstanding() {
    let signals = ["SEGV", "ILL", "BUS", "FPE", "TRAP", "ABRT"];
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
        assert_carried_on(&spin_down(&lambda));
    }
}
