//! Failures, SHUTDOWN, and the sandboxes that are different, as tables.

use super::model::Event::{
    Done, Flood, Freeze, Invoke, Line, Refused, Reported, Sent, SentPart, Shutdown, Started,
};
use super::{NOW, Row, policy, run};
use crate::lambda::lifecycle::{Flush, Policy};

#[test]
fn the_last_words_of_a_failed_invocation() {
    // Held or not: at once, for a reset follows, not a freeze.
    run(
        policy(Flush::End),
        &[
            (0, NOW, "next, wait"),
            (10, Invoke(Some(3_000)), "wait 110"),
            (20, Started(1), "wait 545"),
            (30, Line, "wait 555"),
            (40, Done(1, false), "post, wait 290"),
            (60, Sent, "next, wait"),
            (70, Shutdown(Some(2_000)), "wait 110"),
            (80, Reported(1), "exit"),
        ],
    );
    run(
        policy(Flush::Start),
        &[
            (0, NOW, "next, wait"),
            (10, Invoke(Some(3_000)), "next, wait"),
            (20, Started(1), "wait"),
            (30, Line, "wait 2510"),
            (40, Done(1, false), "post, wait"),
            (50, Shutdown(Some(2_000)), "wait 1850"),
            (60, Sent, "wait 90"),
            (90, NOW, "exit"),
        ],
    );
}

#[test]
fn a_breaker_that_is_not_closed_holds_nothing() {
    run(
        policy(Flush::End),
        &[
            (0, NOW, "next, wait"),
            (10, Flood, "wait"),
            (20, Started(1), "wait"),
            (30, Invoke(Some(3_000)), "post, wait 555"),
            (40, Refused, "next, wait 1040"),
            (50, Done(1, true), "wait"),
            (60, Invoke(Some(3_000)), "next, wait 1040"),
            // Half-open: one batch.
            (1_040, NOW, "post, wait"),
            (1_050, Refused, "wait 2050"),
            (2_050, NOW, "post, wait"),
            (2_060, Done(2, true), "wait"),
            (2_100, Invoke(Some(3_000)), "next, wait"),
            (2_110, Sent, "wait"),
            (2_111, Started(3), "wait"),
            (2_112, Done(3, true), "wait"),
            (2_120, Started(4), "wait"),
            (2_130, Invoke(Some(3_000)), "wait 2655"),
        ],
    );
}

#[test]
fn shutdown_sends_what_is_left_and_awaits_the_report() {
    let begin = [
        (0, NOW, "next, wait"),
        (10, Invoke(Some(3_000)), "next, wait"),
        (20, Started(1), "wait"),
        (30, Done(1, true), "wait"),
    ];
    let ends: [&[Row]; 6] = [
        &[(100, Shutdown(Some(2_000)), "wait 140"), (140, NOW, "exit")],
        &[
            (100, Shutdown(Some(2_000)), "wait 140"),
            (110, Line, "post, wait 1900"),
            (115, Reported(1), "wait 1900"),
            (120, SentPart, "post, wait 1900"),
            (125, Sent, "exit"),
        ],
        &[
            (50, Reported(1), "wait"),
            (100, Shutdown(Some(2_000)), "exit"),
        ],
        &[
            (50, Line, "wait"),
            (100, Shutdown(Some(2_000)), "post, wait 1900"),
            // What is on its way is still counted.
            (120, Refused, "wait 140"),
            (130, Line, "wait 140"),
            (135, Reported(1), "exit"),
        ],
        // A POST is bounded by SHUTDOWN; the driver ends it then.
        &[
            (50, Line, "wait"),
            (100, Shutdown(None), "post, wait 1600"),
            (1_600, NOW, "exit"),
        ],
        // There is no time to wait for the report.
        &[(100, Shutdown(Some(220)), "wait 120"), (120, NOW, "exit")],
    ];
    for end in ends {
        run(policy(Flush::Start), &[&begin, end].concat());
    }
}

#[test]
fn what_was_left_unread_at_shutdown_gets_its_time() {
    use crate::clock::{Clocks, Mono, Wall};
    use crate::lambda::lifecycle::{Action, BreakerState, Flush, Input, Lifecycle, Seen};
    use crate::lambda::request_id::RequestId;
    let mut lifecycle = Lifecycle::new(policy(Flush::Start));
    let at = |ms: u64| Clocks {
        wall: Wall(1_000_000 + ms),
        mono: Mono(ms),
    };
    let mut seen = Seen {
        pending: false,
        high_water: false,
        oldest: None,
        breaker: BreakerState::Closed,
        is_done_missing: false,
        unread_since: Some(Mono(0)),
    };
    let id = RequestId::new(b"1").unwrap();
    assert_eq!(lifecycle.step(Input::Turn, &seen, at(0)), Action::Next);
    let deadline = Some(Mono(3_000));
    lifecycle.note(Input::Invoke { id, deadline }, &seen, at(10));
    lifecycle.note(Input::Shutdown { deadline }, &seen, at(100));
    seen.pending = true;
    assert_eq!(lifecycle.step(Input::Turn, &seen, at(101)), Action::Post);
    seen.pending = false;
    let ended = Input::PostEnded { answered: true };
    let until = Some(Mono(840));
    assert_eq!(
        lifecycle.step(ended, &seen, at(800)),
        Action::Wait { until }
    );
    assert_eq!(
        lifecycle.step(Input::Reported(id), &seen, at(810)),
        Action::Exit
    );
}

#[test]
fn shutdown_with_an_open_breaker_makes_one_attempt_of_500_ms() {
    run(
        policy(Flush::Start),
        &[
            (0, NOW, "next, wait"),
            (10, Invoke(Some(3_000)), "next, wait"),
            (20, Flood, "post, wait"),
            (30, Refused, "wait 1030"),
            (100, Shutdown(Some(2_000)), "post, wait 600"),
            (600, NOW, "exit"),
        ],
    );
}

#[test]
fn managed_instances_post_at_any_time() {
    let policy = Policy {
        shutdown_only: true,
        ..policy(Flush::Adaptive)
    };
    run(
        policy,
        &[
            (0, NOW, "next, wait"),
            (10, Line, "wait 5010"),
            (5_010, NOW, "post, wait"),
            (5_020, Started(1), "wait"),
            (5_030, Sent, "wait"),
            (5_040, Flood, "post, wait"),
            (5_050, Refused, "wait 6050"),
            (6_050, NOW, "post, wait"),
            (6_060, Sent, "wait"),
            (6_070, Shutdown(Some(2_000)), "wait 6110"),
            (6_080, Reported(1), "exit"),
        ],
    );
}

#[test]
fn dormant_waits_for_nothing() {
    for flush in [Flush::Start, Flush::End, Flush::Adaptive] {
        let policy = Policy {
            subscribed: false,
            ..policy(flush)
        };
        run(
            policy,
            &[
                (0, NOW, "next, wait"),
                (10, Invoke(Some(3_000)), "next, wait"),
                (20, Invoke(None), "next, wait"),
                (20, Freeze, "wait"),
                (30, Invoke(Some(80)), "next, wait"),
                (40, Shutdown(Some(2_000)), "exit"),
            ],
        );
    }
}
