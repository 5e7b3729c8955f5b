use super::*;
use crate::clock::{Mono, Wall};
use crate::limits::{BATCH_BYTES_MAX, NARROWINGS_MAX};

const SENT: Sent = Sent {
    records: 10,
    has_losses: false,
    body_bytes: 5000,
};
const TAKEN: Judgement = Judgement::Taken { rejected: 0 };

const fn end(is_accepted: bool, settled: u64, rejected: u64) -> Consequence {
    Consequence::End {
        is_accepted,
        settled,
        rejected,
    }
}

/// Each judgement of a first batch: what becomes of it, and what is told.
#[test]
fn what_becomes_of_a_batch() {
    let taken = |rejected| Judgement::Taken { rejected };
    let up_to = Judgement::TakenUpTo;
    let loss = Sent {
        has_losses: true,
        ..SENT
    };
    let alone = Sent { records: 0, ..loss };
    let one = Sent { records: 1, ..SENT };
    for (judgement, sent, next, told) in [
        (TAKEN, SENT, end(true, 10, 0), None),
        (TAKEN, loss, end(true, 10, 0), None),
        (TAKEN, alone, end(true, 0, 0), None),
        (taken(3), SENT, end(true, 10, 3), Some(PARTLY)),
        (taken(99), SENT, end(true, 10, 10), Some(PARTLY)),
        // The record of losses is none of the route's.
        (taken(1), alone, end(true, 0, 0), None),
        (up_to(0), SENT, end(true, 1, 1), Some(PARTLY)),
        (up_to(4), SENT, end(true, 5, 1), Some(PARTLY)),
        (up_to(4), loss, end(true, 4, 1), Some(PARTLY)),
        (up_to(0), loss, end(true, 0, 0), Some(PARTLY)),
        (up_to(10), loss, end(true, 10, 1), Some(PARTLY)),
        // More than there were: none is rejected.
        (up_to(10), SENT, end(true, 10, 0), None),
        (up_to(u64::MAX), SENT, end(true, 10, 0), None),
        (up_to(11), loss, end(true, 10, 0), None),
        (up_to(1), alone, end(true, 0, 0), None),
        (Judgement::Later, SENT, Consequence::Keep, Some(LATER)),
        (Judgement::Later, alone, Consequence::Keep, Some(LATER)),
        // Halved, as long as there are two of them.
        (Judgement::TooLarge, SENT, Consequence::Halve, None),
        (Judgement::Invalid, SENT, Consequence::Halve, None),
        (Judgement::TooLarge, one, end(false, 1, 1), Some(REJECTED)),
        (Judgement::Invalid, one, end(false, 1, 1), Some(REJECTED)),
        (Judgement::Invalid, alone, end(false, 0, 0), Some(REJECTED)),
        (
            Judgement::Rejected,
            SENT,
            end(false, 10, 10),
            Some(REJECTED),
        ),
        (Judgement::Rejected, alone, end(false, 0, 0), Some(REJECTED)),
    ] {
        let found = Course::default().answered(299, judgement, sent);
        assert_eq!(
            found,
            Settlement {
                consequence: next,
                told
            },
            "{judgement:?} {sent:?}"
        );
    }
}

/// What is counted, and what is told of losses from then on.
#[test]
fn what_follows_from_it() {
    for (next, is_failure, are_losses_told, is_silent) in [
        (Consequence::Repeat, false, false, None),
        (Consequence::Keep, true, false, None),
        (Consequence::Halve, true, false, None),
        (end(true, 10, 0), false, true, Some(false)),
        (end(true, 10, 10), false, true, Some(false)),
        // They were sent alone.
        (end(true, 0, 0), false, true, Some(true)),
        (end(false, 10, 10), false, false, Some(true)),
        (end(false, 0, 0), false, true, Some(true)),
    ] {
        let found = (
            next.is_failure(),
            next.are_losses_told(),
            next.is_silent_on_losses(),
        );
        assert_eq!(found, (is_failure, are_losses_told, is_silent), "{next:?}");
    }
}

/// What is refused is halved; what goes through is not.
#[test]
fn a_refused_batch_is_halved() {
    let mut course = Course::default();
    course.answered(400, Judgement::Invalid, SENT);
    assert_eq!(course.narrowing.records_max, 5);
    assert_eq!(course.narrowing.bytes_max, BATCH_BYTES_MAX);
    course.answered(413, Judgement::TooLarge, SENT);
    assert_eq!(course.narrowing.bytes_max, 2500);
    // Not without end.
    let mut course = Course::default();
    for number in 0..2 * NARROWINGS_MAX {
        let settlement = course.answered(413, Judgement::TooLarge, SENT);
        let is_halved = settlement.consequence == Consequence::Halve;
        assert_eq!(is_halved, number < NARROWINGS_MAX, "{number}");
    }
}

const fn at(wall_ms: u64, mono_ms: u64) -> Clocks {
    Clocks {
        wall: Wall(1_000_000 + wall_ms),
        mono: Mono(5_000 + mono_ms),
    }
}

/// Without an answer: a free repetition where that says nothing about the collector, and one only.
#[test]
fn a_batch_is_repeated_once_where_the_collector_is_not_at_fault() {
    for (was_reused, is_gone, wall_ms, next) in [
        (false, false, 10, Consequence::Keep),
        (true, false, 10, Consequence::Repeat),
        (true, true, 10, Consequence::Keep),
        // A freeze: more wall time than awake time.
        (false, false, 1_009, Consequence::Keep),
        (false, false, 1_010, Consequence::Repeat),
        (false, true, 1_010, Consequence::Keep),
    ] {
        let failure = Failure {
            began: at(0, 0),
            now: at(wall_ms, 10),
            was_reused,
            is_gone,
        };
        let mut course = Course::default();
        let settlement = course.failed(failure, b"why");
        let is_kept = next == Consequence::Keep;
        assert_eq!(settlement.consequence, next, "{failure:?}");
        assert_eq!(settlement.told.is_some(), is_kept, "{failure:?}");
        if next == Consequence::Repeat {
            assert_eq!(
                course.failed(failure, b"why").consequence,
                Consequence::Keep
            );
            // And after that, or after an answer, there is another.
            assert_eq!(
                course.failed(failure, b"why").consequence,
                Consequence::Repeat
            );
            course.answered(503, Judgement::Later, SENT);
            assert_eq!(
                course.failed(failure, b"why").consequence,
                Consequence::Repeat
            );
        }
    }
}

/// The same trouble is told once, and its end.
#[test]
fn trouble_is_told_once_for_each_kind() {
    let failure = Failure {
        began: at(0, 0),
        now: at(10, 10),
        was_reused: false,
        is_gone: false,
    };
    let mut course = Course::default();
    for (status, told) in [
        (200, None),
        (503, Some(LATER)),
        (503, None),
        (429, Some(LATER)),
        (NO_ANSWER, Some(b"why".as_slice())),
        (NO_ANSWER, None),
        (503, Some(LATER)),
        (200, Some(AGAIN)),
        (200, None),
        (404, Some(REJECTED)),
        (404, None),
        (400, None),
        (404, None),
        (200, Some(AGAIN)),
    ] {
        let settlement = match status {
            NO_ANSWER => course.failed(failure, b"why"),
            200 => course.answered(status, TAKEN, SENT),
            400 => course.answered(status, Judgement::Invalid, SENT),
            404 => course.answered(status, Judgement::Rejected, SENT),
            _ => course.answered(status, Judgement::Later, SENT),
        };
        assert_eq!(settlement.told, told, "{status}");
    }
}
