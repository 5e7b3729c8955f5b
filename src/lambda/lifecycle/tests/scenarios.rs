//! The flows of invocations as tables.

use super::model::Event::{
    Done, DoneAgo, Flood, Freeze, Invoke, Line, Read, Refused, Reported, Retry, Sent, SentPart,
    SetBack, Shutdown, Started, Unread,
};
use super::{NOW, policy, run};
use crate::lambda::lifecycle::{Flush, Policy};

#[test]
fn start_posts_beside_the_function_and_never_after_it() {
    run(
        policy(Flush::Start),
        &[
            (0, NOW, "next, wait"),
            (20, Line, "wait"),
            (100, Invoke(Some(3_000)), "next, wait 2600"),
            (110, Started(1), "wait 2600"),
            (500, Done(1, true), "wait"),
            (500, Freeze, "wait"),
            // An hour later the record is due: next is held for it.
            (501, Invoke(Some(3_000)), "post, wait 751"),
            (510, Started(2), "wait 751"),
            (550, SentPart, "next, wait 3001"),
            (560, Done(2, true), "wait"),
            (560, Freeze, "wait"),
            // … until the budget is spent; the POST goes on beside the function.
            (561, Invoke(Some(3_000)), "post, wait 811"),
            (811, NOW, "next, wait"),
            (900, Sent, "wait"),
            (950, Flood, "post, wait"),
            (990, Done(3, true), "wait"),
            // … and across the freeze.
            (990, Freeze, "wait"),
            (991, Invoke(Some(3_000)), "wait 1241"),
            // … until runtimeDone is seen.
            (1_000, Done(4, true), "next, wait"),
            (1_010, SentPart, "wait"),
            (1_010, Freeze, "wait"),
            (1_011, Done(5, true), "wait"),
            // It overtook the INVOKE.
            (1_012, Invoke(Some(3_000)), "next, wait"),
        ],
    );
}

#[test]
fn end_waits_for_done_and_posts_then() {
    run(
        policy(Flush::End),
        &[
            (0, NOW, "next, wait"),
            (20, Line, "wait"),
            (100, Invoke(Some(3_000)), "wait 600"),
            (110, Started(1), "wait 635"),
            (200, Line, "wait 725"),
            (300, Done(1, true), "post, wait 550"),
            (340, Sent, "next, wait"),
            (350, Freeze, "wait"),
            // With nothing to send next is asked at once.
            (400, Invoke(Some(3_000)), "wait 900"),
            (410, Started(2), "wait 935"),
            (500, Done(2, true), "next, wait"),
            (510, Invoke(Some(3_000)), "wait 1010"),
            (520, Started(3), "wait 1045"),
            (530, Line, "wait 1055"),
            (540, Done(3, true), "post, wait 790"),
            (790, NOW, "next, wait"),
            (800, Sent, "wait"),
            // INVOKE is overtaken by runtimeDone.
            (810, Started(4), "wait"),
            (811, Line, "wait"),
            (812, Done(4, true), "wait"),
            (815, Invoke(Some(3_000)), "post, wait 1065"),
            (820, SentPart, "post, wait 1065"),
            (830, Sent, "next, wait"),
            // High water: a POST beside the running function, while next is held.
            (900, Invoke(Some(3_000)), "wait 1400"),
            (910, Started(5), "wait 1435"),
            (920, Flood, "post, wait 1445"),
            (950, Sent, "wait 1445"),
            (960, Done(5, true), "next, wait"),
        ],
    );
}

#[test]
fn adaptive_flushes_at_the_end_when_first_or_long_idle() {
    run(
        policy(Flush::Adaptive),
        &[
            (0, NOW, "next, wait"),
            (100, Invoke(Some(3_000)), "wait 200"),
            (110, Started(1), "wait 635"),
            (200, Line, "wait 725"),
            (300, Done(1, true), "post, wait 550"),
            (340, Sent, "next, wait"),
            (10_340, Invoke(Some(3_000)), "next, wait"),
            (10_350, Started(2), "wait"),
            (10_360, Line, "wait 12840"),
            (10_400, Done(2, true), "wait"),
            (20_401, Invoke(Some(3_000)), "post, wait 20901"),
            (20_402, Sent, "wait 20901"),
            (20_410, Started(3), "wait 20935"),
            (20_420, Line, "wait 20945"),
            (20_430, Done(3, true), "post, wait 20680"),
            (20_450, Sent, "next, wait"),
        ],
    );
}

#[test]
fn the_first_event_is_awaited_for_100_ms() {
    run(
        policy(Flush::End),
        &[
            (0, NOW, "next, wait"),
            (10, Invoke(Some(3_000)), "wait 110"),
            (110, NOW, "next, wait"),
            (200, Invoke(Some(3_000)), "next, wait"),
            // Something comes after all: from now on runtimeDone is awaited.
            (210, Line, "wait 2700"),
            (300, Invoke(Some(3_000)), "wait 800"),
            (310, Started(3), "wait 835"),
            (320, Done(3, true), "post, wait 570"),
        ],
    );
}

#[test]
fn without_start_for_500_ms_trust_is_lost_until_done() {
    run(
        policy(Flush::End),
        &[
            (0, NOW, "next, wait"),
            (5, Line, "wait"),
            (10, Invoke(Some(3_000)), "wait 510"),
            (510, NOW, "next, wait 2510"),
            (520, Flood, "post, wait"),
            // As by start: next is held for the POST that is in flight, no longer than the budget.
            (600, Invoke(Some(3_000)), "wait 850"),
            (610, SentPart, "next, wait 3100"),
            (620, Flood, "post, wait"),
            (700, Invoke(Some(3_000)), "wait 950"),
            (800, Sent, "next, wait"),
            (810, Started(3), "wait"),
            (820, Line, "wait 3200"),
            (850, Done(3, true), "wait"),
            // Trusted again.
            (900, Invoke(Some(3_000)), "wait 1400"),
            (910, Started(4), "wait 1435"),
            (950, Done(4, true), "post, wait 1200"),
        ],
    );
}

#[test]
fn without_done_next_is_asked_at_the_margin_of_the_deadline() {
    run(
        policy(Flush::End),
        &[
            (0, NOW, "next, wait"),
            (10, Started(1), "wait"),
            (20, Invoke(Some(1_000)), "wait 545"),
            (500, Line, "wait 520"),
            (520, NOW, "post, wait 920"),
            (600, Sent, "wait 920"),
            (920, NOW, "next, wait"),
            (930, Flood, "post, wait"),
            // As by start as soon as the next start tells that it is lost: held for the POST, and not for runtimeDone.
            (1_000, Invoke(Some(3_000)), "wait 1500"),
            (1_010, Started(2), "wait 1250"),
            (1_020, Sent, "next, wait"),
        ],
    );
}

#[test]
fn an_unknown_deadline_is_never_waited_on() {
    for unknown in [None, Some(0)] {
        run(
            policy(Flush::End),
            &[
                (0, NOW, "next, wait"),
                (10, Started(1), "wait"),
                (11, Flood, "wait"),
                (20, Invoke(unknown), "next, post, wait"),
                (30, Done(1, true), "wait"),
                (40, Sent, "wait"),
            ],
        );
        run(
            policy(Flush::Adaptive),
            &[
                (0, NOW, "next, wait"),
                (10, Started(1), "wait"),
                (11, Flood, "wait"),
                (20, Invoke(unknown), "post, wait 270"),
                (30, Done(1, true), "wait 280"),
                (270, NOW, "wait 280"),
            ],
        );
    }
}

#[test]
fn what_is_left_500_ms_before_the_deadline_is_sent() {
    run(
        policy(Flush::Start),
        &[
            (0, NOW, "next, wait"),
            (10, Invoke(Some(3_000)), "next, wait"),
            (20, Line, "wait 2510"),
            (2_510, NOW, "post, wait"),
            (2_600, Sent, "wait"),
            (3_500, Invoke(Some(350)), "next, wait"),
            // So near a deadline, everything is sent at once.
            (3_510, Line, "post, wait"),
        ],
    );
}

#[test]
fn a_freeze_makes_records_old_and_leaves_the_budget() {
    run(
        policy(Flush::Start),
        &[
            (0, NOW, "next, wait"),
            (10, Line, "wait"),
            // One more invocation, in which the record is not due.
            (20, Invoke(Some(3_000)), "next, wait 2520"),
            (30, Done(1, true), "wait"),
            (30, Freeze, "wait"),
            (40, Invoke(Some(3_000)), "post, wait 290"),
            // The budget does not look at the wall clock.
            (50, Freeze, "wait 290"),
            (290, NOW, "next, wait"),
        ],
    );
}

#[test]
fn an_invocation_repeated_with_the_same_id_is_a_new_one() {
    run(
        policy(Flush::Start),
        &[
            (0, NOW, "next, wait"),
            (10, Invoke(Some(3_000)), "next, wait"),
            (20, Started(1), "wait"),
            (30, Done(1, true), "wait"),
            (40, Reported(1), "wait"),
            (40, Freeze, "wait"),
            (50, Retry(Some(3_000)), "next, wait"),
            (60, Flood, "post, wait"),
            (70, Sent, "wait"),
            (80, Done(1, true), "wait"),
            (90, Shutdown(Some(2_000)), "wait 130"),
        ],
    );
}

/// Nothing that counts on the wall clock waits for an hour because that was set back by one.
#[test]
fn a_clock_that_is_set_back_delays_nothing() {
    let policy = Policy {
        shutdown_only: true,
        ..policy(Flush::Adaptive)
    };
    run(
        policy,
        &[
            (0, NOW, "next, wait"),
            (10, Line, "wait 5010"),
            (20, SetBack, "post, wait"),
            (30, Refused, "wait 1030"),
            // The breaker's pause: what is left of it, or nothing.
            (40, SetBack, "post, wait"),
        ],
    );
    run(
        super::policy(Flush::Adaptive),
        &[
            (0, NOW, "next, wait"),
            (100, Invoke(Some(3_000)), "wait 200"),
            (110, Started(1), "wait 635"),
            (120, Done(1, true), "next, wait"),
            // Nobody knows how long it was idle: perhaps long.
            (120, SetBack, "wait"),
            (130, Invoke(Some(3_000)), "wait 630"),
        ],
    );
}

#[test]
fn what_is_silent_seems_to_be_done() {
    run(
        policy(Flush::End),
        &[
            (0, NOW, "next, wait"),
            (10, Invoke(Some(60_000)), "wait 110"),
            (20, Started(1), "wait 545"),
            (30, Line, "wait 555"),
            // With what there is to send first, and within a budget.
            (555, NOW, "post, wait 805"),
            (570, Sent, "next, wait"),
            (580, Freeze, "wait"),
            // It is lost: the report tells.
            (590, Invoke(Some(60_000)), "wait 1090"),
            (600, Reported(1), "next, wait"),
            (601, Started(2), "wait"),
            (610, Line, "wait 5610"),
            (620, Invoke(Some(60_000)), "next, wait 5610"),
            // From the next that comes on it is awaited again.
            (630, Started(3), "wait 5610"),
            (640, Done(3, true), "wait"),
            (650, Started(4), "wait"),
            (660, Invoke(Some(60_000)), "wait 1185"),
            (1_185, NOW, "post, wait 1435"),
            (1_435, NOW, "next, wait"),
        ],
    );
}

#[test]
fn a_function_that_is_only_silent_is_awaited_longer_the_next_time() {
    run(
        policy(Flush::End),
        &[
            (0, NOW, "next, wait"),
            (10, Invoke(Some(60_000)), "wait 110"),
            (20, Started(1), "wait 545"),
            (545, NOW, "next, wait"),
            // It comes after next, and so it was not lost.
            (2_000, Done(1, true), "wait"),
            (2_010, Invoke(Some(60_000)), "wait 2510"),
            (2_020, Reported(1), "wait 2510"),
            (2_020, Started(2), "wait 3045"),
            // What comes is a sign of life.
            (3_000, Line, "wait 4025"),
            (4_000, Done(2, true), "post, wait 4250"),
            (4_010, Sent, "next, wait"),
            (4_020, Invoke(Some(60_000)), "wait 4520"),
            (4_030, Started(3), "wait 5055"),
        ],
    );
}

#[test]
fn what_is_left_unread_has_the_budget_in_which_it_may_have_been_done() {
    run(
        policy(Flush::End),
        &[
            (0, NOW, "next, wait"),
            (10, Invoke(Some(60_000)), "wait 110"),
            (20, Started(1), "wait 545"),
            (30, Flood, "post, wait 555"),
            (40, Unread, "wait 290"),
            (100, Sent, "wait 290"),
            // Read again: the time of the event tells what is left of it.
            (250, Read, "wait 555"),
            (260, Line, "wait 785"),
            (270, DoneAgo(1, 200), "post, wait 320"),
            (320, NOW, "next, wait"),
            (330, Sent, "wait"),
            (400, Invoke(Some(60_000)), "wait 900"),
            (410, Started(2), "wait 935"),
            (420, Flood, "post, wait 945"),
            (430, Unread, "wait 680"),
            (680, NOW, "next, wait"),
            (690, Sent, "wait"),
            // Too late for anything.
            (700, Read, "wait"),
            (701, DoneAgo(2, 200), "wait"),
            (800, Invoke(Some(60_000)), "wait 1300"),
            (810, Started(3), "wait 1335"),
            (820, Line, "wait 1345"),
            (900, DoneAgo(3, 60_000), "post, wait 1050"),
        ],
    );
}
