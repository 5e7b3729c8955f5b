use super::*;
use crate::queue::frame::Frame;
use crate::queue::route::{LOGS, METRICS};

mod model;

fn sequences(ring: &Ring, route: RouteId) -> Vec<u64> {
    ring.frames(route).map(|frame| frame.sequence).collect()
}

/// What has become of a route's frames: delivered, evicted, rejected.
fn fate(ring: &Ring, route: RouteId) -> (u64, u64, u64) {
    let fate = ring.fate(route);
    assert_eq!(fate.entered, ring.resident(route) + fate.gone());
    (fate.delivered, fate.evicted, fate.rejected)
}

#[test]
fn frames_come_back_as_pushed() {
    let mut ring = Ring::new(256);
    assert_eq!(ring.oldest(LOGS), None);
    ring.push(LOGS, Wall(7), b"one");
    ring.push(METRICS, Wall(8), b"");
    let frame = ring.frames(LOGS).next().unwrap();
    assert_eq!(
        frame,
        Frame {
            sequence: 0,
            received: Wall(7),
            payload: b"one",
            end: HEADER_BYTES + 3,
        }
    );
    assert_eq!(sequences(&ring, METRICS), [1]);
    assert_eq!(ring.oldest(LOGS), Some(Wall(7)));
    assert_eq!(ring.oldest(METRICS), Some(Wall(8)));
    assert_eq!(ring.unsettled_bytes(), 2 * HEADER_BYTES + 3);
    assert_eq!((ring.resident(LOGS), fate(&ring, LOGS)), (1, (0, 0, 0)));
    assert_eq!(
        (ring.resident(METRICS), fate(&ring, METRICS)),
        (1, (0, 0, 0))
    );
}

#[test]
fn a_payload_that_can_never_fit_is_a_counted_loss() {
    let mut ring = Ring::new(64);
    ring.push(LOGS, Wall(0), &[0; 49]);
    assert_eq!((fate(&ring, LOGS), fate(&ring, METRICS).1), ((0, 1, 0), 0));
    let longest = vec![1; ring.payload_bytes_max()];
    ring.push(LOGS, Wall(0), &longest);
    assert_eq!((ring.resident(LOGS), fate(&ring, LOGS)), (1, (0, 1, 0)));
}

#[test]
fn routes_are_settled_apart_and_leave_in_order() {
    let mut ring = Ring::new(256);
    for sequence in 0..4 {
        let route = if sequence % 2 == 0 { LOGS } else { METRICS };
        ring.push(route, Wall(sequence), b"x");
    }
    ring.begin_flight_of(METRICS, 1, 3);
    ring.end_flight(METRICS, u64::MAX, 0);
    assert_eq!(fate(&ring, METRICS), (2, 0, 0));
    assert!(sequences(&ring, METRICS).is_empty());
    assert_eq!(sequences(&ring, LOGS), [0, 2]);
    assert_eq!(
        ring.room(),
        256 - 4 * 17,
        "settled frames wait for the head"
    );
    // Evicting a settled frame is no loss.
    while ring.oldest(LOGS) == Some(Wall(0)) {
        ring.push(LOGS, Wall(9), b"x");
        assert_eq!(fate(&ring, METRICS), (2, 0, 0));
    }
    assert_eq!(fate(&ring, LOGS), (0, 1, 0));
    assert_eq!(sequences(&ring, LOGS).first(), Some(&2));
}

#[test]
fn the_outcome_decides_about_what_was_evicted_in_flight() {
    for (settled, rejected, expected) in [
        (u64::MAX, 0, (2, 1, 0)),
        (u64::MAX, u64::MAX, (0, 1, 2)),
        (0, 0, (0, 3, 0)),
        (1, 0, (1, 2, 0)),
        (1, 1, (0, 2, 1)),
        (2, 1, (1, 1, 1)),
    ] {
        let mut ring = Ring::new(100);
        for number in 0..5 {
            ring.push(LOGS, Wall(number), &[0; 4]);
        }
        ring.begin_flight_of(LOGS, 0, 1);
        ring.push(LOGS, Wall(5), &[0; 44]);
        assert_eq!(fate(&ring, LOGS), (0, 1, 0), "two of flight, one not");
        assert_eq!(ring.resident(LOGS), 2 + 1 + 2);
        assert_eq!(ring.oldest(LOGS), Some(Wall(0)));
        ring.end_flight(LOGS, settled, rejected);
        assert_eq!(fate(&ring, LOGS), expected);
        assert_eq!(sequences(&ring, LOGS), [3, 4, 5]);
        assert_eq!(ring.resident(LOGS), 3);
        assert_eq!(ring.oldest(LOGS), Some(Wall(3)));
    }
}

/// A batch of three, one of another route among them, of which so many are answered for.
#[test]
fn a_batch_is_settled_in_part() {
    for (settled, rejected, left, expected) in [
        (0, 0, vec![0, 2, 3, 4], (0, 0, 0)),
        (1, 1, vec![2, 3, 4], (0, 0, 1)),
        (2, 1, vec![3, 4], (1, 0, 1)),
        (3, 1, vec![4], (2, 0, 1)),
        (9, 1, vec![4], (2, 0, 1)),
    ] {
        let mut ring = Ring::new(256);
        for number in 0..5 {
            let route = if number == 1 { METRICS } else { LOGS };
            ring.push(route, Wall(number), b"x");
        }
        ring.begin_flight_of(LOGS, 0, 3);
        ring.end_flight(LOGS, settled, rejected);
        assert_eq!(fate(&ring, LOGS), expected);
        assert_eq!(sequences(&ring, LOGS), left);
        assert_eq!(ring.oldest(LOGS), left.first().map(|first| Wall(*first)));
        assert_eq!(sequences(&ring, METRICS), [1]);
        // The rest goes with what is behind it.
        ring.begin_flight_of(LOGS, left[0], 4);
        ring.end_flight(LOGS, u64::MAX, 0);
        assert!(sequences(&ring, LOGS).is_empty());
        assert_eq!(
            ring.fate(LOGS).delivered,
            expected.0 + left.len() as u64,
            "{settled}"
        );
    }
}

#[test]
fn what_is_left_at_the_end_is_abandoned() {
    let mut ring = Ring::new(100);
    for number in 0..5 {
        ring.push(LOGS, Wall(number), &[0; 4]);
    }
    ring.begin_flight_of(LOGS, 0, 1);
    ring.push(LOGS, Wall(5), &[0; 44]);
    ring.abandon(LOGS, 7);
    ring.abandon(METRICS, 0);
    assert_eq!((ring.resident(LOGS), fate(&ring, LOGS)), (0, (0, 1, 0)));
    assert_eq!(ring.fate(LOGS).abandoned, 5 + 7);
    assert_eq!(ring.fate(METRICS).gone(), 0);
}
