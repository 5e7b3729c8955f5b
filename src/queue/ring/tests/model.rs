//! The ring against a plain queue: random pushes, flights and outcomes, with capacities that make every wrap happen.

use std::collections::VecDeque;

use super::*;
use crate::random::Numbers;

/// A batch that is in flight: its frames when it began, and when the first of them was pushed.
struct Sent {
    sequences: Vec<u64>,
    oldest: Option<Wall>,
}

/// A plain queue, and what has become of all that was pushed.
#[derive(Default)]
struct Model {
    frames: VecDeque<(u64, RouteId, Vec<u8>)>,
    pushed: u64,
    of: [u64; ROUTES],
    settled: [u64; ROUTES],
    rejected: [u64; ROUTES],
    flights: [Option<Sent>; ROUTES],
}

impl Model {
    /// One random step for both.
    fn step(&mut self, ring: &mut Ring, next: &mut dyn FnMut(u64) -> u64) {
        let route = RouteId(next(ROUTES as u64) as u8);
        match next(10) {
            0 if route.of(&self.flights).is_none() => {
                let all = sequences(ring, route);
                if !all.is_empty() {
                    let count = 1 + next(all.len() as u64) as usize;
                    let sequences = all[..count].to_vec();
                    let oldest = ring.oldest(route);
                    ring.begin_flight_of(route, sequences[0], sequences[count - 1]);
                    *route.of_mut(&mut self.flights) = Some(Sent { sequences, oldest });
                }
            }
            1 => self.answer(ring, route, u64::MAX, next),
            2 => self.answer(ring, route, 0, next),
            3 => {
                let some = next(4);
                self.answer(ring, route, some, next);
            }
            _ => self.push(ring, next),
        }
    }

    /// So many of a batch are answered for.
    fn answer(
        &mut self,
        ring: &mut Ring,
        route: RouteId,
        frames: u64,
        next: &mut dyn FnMut(u64) -> u64,
    ) {
        let sent = route.of_mut(&mut self.flights).take();
        let sequences = sent.map(|sent| sent.sequences).unwrap_or_default();
        let count = frames.min(sequences.len() as u64);
        let (settled, behind) = sequences.split_at(count as usize);
        let rejected = next(3).min(count);
        let before = *ring.fate(route);
        ring.end_flight(route, frames, rejected);
        let after = ring.fate(route);
        // All of these, whatever was evicted meanwhile; of the others what was evicted is lost.
        assert_eq!(after.delivered - before.delivered, count - rejected);
        assert_eq!(after.rejected - before.rejected, rejected);
        let left = self.frames.iter();
        let left = left.filter(|frame| behind.contains(&frame.0)).count();
        assert_eq!(
            (after.evicted - before.evicted) as usize,
            behind.len() - left
        );
        *route.of_mut(&mut self.settled) += count;
        *route.of_mut(&mut self.rejected) += rejected;
        self.frames.retain(|frame| !settled.contains(&frame.0));
    }

    fn push(&mut self, ring: &mut Ring, next: &mut dyn FnMut(u64) -> u64) {
        let route = if next(3) == 0 { METRICS } else { LOGS };
        let length = next(ring.capacity() as u64 / 3) as usize;
        let pushed = self.pushed as usize;
        let payload: Vec<u8> = (0..length).map(|i| (pushed + i) as u8).collect();
        let (has_room, before) = (ring.has_room(length), ring.head_sequence);
        let received = Wall(self.pushed);
        let place = ring.grant(length).filter(|_| route == LOGS && next(2) == 0);
        match place.and_then(|place| place.get_mut(..length)) {
            Some(place) => {
                place.copy_from_slice(&payload);
                ring.commit(route, received, length);
            }
            None => ring.push(route, received, &payload),
        }
        let is_evicting = ring.head_sequence > before;
        if route.facts().evicts {
            assert!(is_evicting || has_room);
            let is_alone = ring.used == HEADER_BYTES + length;
            assert!(is_alone || ring.room() >= ring.kept_free);
        } else {
            assert_eq!(is_evicting, !has_room);
        }
        self.frames.push_back((self.pushed, route, payload));
        self.pushed += 1;
        *route.of_mut(&mut self.of) += 1;
    }

    /// Whatever the ring has evicted must be the oldest frames of the model, and nothing else.
    fn compare(&mut self, ring: &Ring) {
        let all = RouteId::all().flat_map(|route| ring.frames(route));
        let oldest = all.map(|frame| frame.sequence).min().unwrap_or(u64::MAX);
        self.frames.retain(|frame| frame.0 >= oldest);
        for route in RouteId::all() {
            let mine: Vec<_> = ring
                .frames(route)
                .map(|frame| (frame.sequence, frame.received.0, frame.payload.to_vec()))
                .collect();
            let expected: Vec<_> = self
                .frames
                .iter()
                .filter(|frame| frame.1 == route)
                .map(|frame| (frame.0, frame.0, frame.2.clone()))
                .collect();
            assert_eq!(mine, expected);
            let fate = ring.fate(route);
            assert_eq!(fate.entered, *route.of(&self.of));
            assert_eq!(fate.delivered + fate.rejected, *route.of(&self.settled));
            assert_eq!(fate.rejected, *route.of(&self.rejected));
            assert_eq!(
                fate.entered,
                ring.resident(route) + fate.gone(),
                "every frame is somewhere"
            );
            let oldest = match route.of(&self.flights) {
                // While it is not answered for, it waits, even if nothing of it is left in the ring.
                Some(sent) => sent.oldest,
                None => expected.first().map(|frame| Wall(frame.0)),
            };
            assert_eq!(ring.oldest(route), oldest);
            assert_eq!(ring.resident(route) > 0, oldest.is_some());
        }
        let bytes = self
            .frames
            .iter()
            .map(|frame| HEADER_BYTES + frame.2.len())
            .sum::<usize>();
        assert_eq!(ring.unsettled_bytes(), bytes);
    }
}

#[test]
fn against_a_model() {
    let mut random = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut next = move |below: u64| random.below(below as usize) as u64;
    for (capacity, keeps_room) in [
        (64, false),
        (100, false),
        (128, false),
        (257, false),
        (1000, false),
        (1000, true),
        (3000, true),
    ] {
        let (mut ring, mut model) = (Ring::new(capacity), Model::default());
        if keeps_room {
            ring.keep_room();
        }
        for _ in 0..20_000 {
            model.step(&mut ring, &mut next);
            model.compare(&ring);
        }
        for route in RouteId::all() {
            let fate = ring.fate(route);
            assert!(fate.evicted > 0 && fate.delivered > 0 && fate.rejected > 0);
        }
    }
}
